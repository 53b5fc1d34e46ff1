"""Owns what data must be: one `<dataset>.odcs.yaml` each, and reading, typing and deriving from them. Pure."""
