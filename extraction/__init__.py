"""Owns the Airbyte source as a declarative manifest and the connection as code. Running it is Airbyte's job."""
