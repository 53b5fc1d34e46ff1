"""Owns UNLOAD to S3: its grammar, the files it writes, and what it does where some are already."""
