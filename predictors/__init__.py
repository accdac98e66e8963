"""Storey 2: from a wiring to numbers to an expected accuracy. Imports priors; neither torch nor optuna."""
