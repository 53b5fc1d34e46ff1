"""Owns whether data is what its contract says: raw gate, load gate, checks, verdicts. Moving data is loader's job."""
