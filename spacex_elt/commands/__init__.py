"""Owns the commands, one module per kind. Errors and exit codes are spacex_elt/cli.py's job."""
