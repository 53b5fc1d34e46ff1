"""Owns the stand-in for the SpaceX API: recorded answers replayed, or a simulated history, with faults on request."""
