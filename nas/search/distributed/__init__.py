"""Campaigns of many processes: one PostgreSQL database, any number of workers. Imports optuna and SQLAlchemy.

Whatever dies at whatever moment: no wiring and replicate count twice, and as many trials count as were asked for.
"""
