"""Owns the stand-in for Amazon Redshift: its wire protocol, COPY and SQL dialect in front of PostgreSQL.

Starting PostgreSQL and keeping this server running is the supervisor's job (local/supervisor.py).
"""
