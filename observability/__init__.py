"""Owns what happened: telemetry, run records, row accounting, incidents, alerts, the data docs site. Moves no rows."""
