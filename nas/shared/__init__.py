"""A study that many processes work on: one PostgreSQL database, any number of workers.

Whatever dies at whatever moment: no wiring and replicate count twice, and as many trials count as were asked for.
"""
