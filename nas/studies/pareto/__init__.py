"""Searches for accurate and small networks."""
