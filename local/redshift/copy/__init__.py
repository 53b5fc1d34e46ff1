"""Owns COPY from S3: its grammar, its reading of objects and JSON, and where it records rows it cannot load."""
