"""Owns what is made from contracts: tables, COPY's JSONPaths, expectations, dbt sources. Each module one kind."""
