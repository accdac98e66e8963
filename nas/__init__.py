"""Storey 1: distributions over wirings. Imports numpy, scipy and networkx, and nothing of the storeys above."""
