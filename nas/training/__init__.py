"""Recipes, sessions and engines: how a network is trained, and what happened."""

from nas.training.recipe import Recipe
from nas.training.session import Epoch, History, Interrupted, Progress, Score, Session, StopFlag
from nas.training.train import ENGINES, Training, begin_wiring, evaluate, predict, train

__all__ = [
    "ENGINES",
    "Epoch",
    "History",
    "Interrupted",
    "Progress",
    "Recipe",
    "Score",
    "Session",
    "StopFlag",
    "Training",
    "begin_wiring",
    "evaluate",
    "predict",
    "train",
]
