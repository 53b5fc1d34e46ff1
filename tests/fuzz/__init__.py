"""Owns feeding the readers of outside bytes with what nobody would think of: `make fuzz`."""
