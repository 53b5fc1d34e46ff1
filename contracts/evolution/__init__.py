"""How contracts change: every difference between two versions, what it does to whom, and the version it asks for."""
