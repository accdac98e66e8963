"""Recipes, sessions and engines: how a network is trained, and what happened."""

from nas.training.history import Epoch, History, Progress
from nas.training.recipe import Recipe
from nas.training.session import Interrupted, Session, StopFlag
from nas.training.train import ENGINES, train

__all__ = [
    "ENGINES",
    "Epoch",
    "History",
    "Interrupted",
    "Progress",
    "Recipe",
    "Session",
    "StopFlag",
    "train",
]
