"""Predictors of campaigns and surveys: what they learn from, what they answer, how they are judged."""
