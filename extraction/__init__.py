"""Owns the Airbyte source as a declarative manifest, the connection as code, and matching a server to both.

Running a sync is Airbyte's job; following one is loader/airbyte.py's.
"""
