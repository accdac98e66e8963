"""Families of priors: each file holds a prior and its record, which `priors.registry` names."""
