"""Owns the composition root: command line, settings, exit codes, wiring of ports to adapters."""
