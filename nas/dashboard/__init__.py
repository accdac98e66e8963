"""A campaign in optuna-dashboard."""
