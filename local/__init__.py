"""Owns the stand-ins for AWS, Airbyte and the SpaceX API on one laptop. Knows nothing of the product's code."""
