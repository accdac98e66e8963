"""Recipes, sessions and engines: how a network is trained, and what happened."""

from nas.training.history import Epoch, History, Progress, Score
from nas.training.recipe import Recipe
from nas.training.session import Interrupted, Session, StopFlag
from nas.training.train import ENGINES, Begun, Trained, begin_wiring, evaluate, predict, train

__all__ = [
    "ENGINES",
    "Begun",
    "Epoch",
    "History",
    "Interrupted",
    "Progress",
    "Recipe",
    "Score",
    "Session",
    "StopFlag",
    "Trained",
    "begin_wiring",
    "evaluate",
    "predict",
    "train",
]
