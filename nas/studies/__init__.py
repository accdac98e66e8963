"""Experiments that write their numbers, tables and figures into results/; one file each."""
