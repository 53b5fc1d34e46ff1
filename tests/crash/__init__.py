"""Owns stopping the load, and what it talks to, at every point it passes: `make crash-test`, and in part in CI."""
