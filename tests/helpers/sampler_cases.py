"""Wirings whose values follow from structure, without any training, and what tests of the structural sampler call."""

from collections import Counter
from typing import Any

import numpy as np
import optuna

from nas.networks import NetworkSpec
from nas.samplers import StructuralSampler
from nas.samplers.candidates import Point
from nas.samplers.history import Examples
from nas.samplers.rounds import Round, Warm

UNITS = (4, 2)
SMALL = {"nodes": (8, 24), "degree": (2.0, 5.0), "attachment": "natural"}


def sampler_of(space, **options):
    return StructuralSampler(space, *UNITS, **{"seed": 3, "pool": 32, "startup": 6, **options})


def size_of(wiring):
    return NetworkSpec("mlp").n_parameters(wiring)["total"]


def luck(wiring, scale=0.03):
    """A number between 0 and `scale` that structure does not tell."""
    return scale * int(wiring.fingerprint[:8], 16) / 2**32


def sources(wiring):
    """The share of hidden neurons without an edge from other hidden ones, and a little luck."""
    return float(np.mean(wiring.hidden.in_degree == 0)) + luck(wiring)


def asked(space, trial, replicates=1):
    wiring = space.wiring(space.suggest_all(trial), *UNITS)
    if replicates > 1:
        trial.suggest_int("replicate", 0, replicates - 1)
    return wiring


def searched(space, n_trials, value=sources, *, study=None, directions=("maximize",), **options):
    """Run a search; return its study and sampler, and the wirings by the number of their trial."""
    sampler, wirings = sampler_of(space, **options), {}
    study = study or optuna.create_study(directions=directions)
    study.sampler = sampler

    def objective(trial):
        wirings[trial.number] = asked(space, trial, sampler.replicates)
        return value(wirings[trial.number])

    study.optimize(objective, n_trials=n_trials, catch=(ArithmeticError,))
    return study, sampler, wirings


def drawn(source):
    """The wirings of a source's population."""
    return [source.wiring(point.params) for point in source.population]


def params_of(study):
    return [trial.params for trial in study.get_trials(deepcopy=False)]


def copied(study, n_trials=None):
    """A study with the same trials and nothing else, such as what was written down of it."""
    copy = optuna.create_study(directions=study.directions)
    copy.add_trials(study.get_trials()[:n_trials])
    return copy


def pairs(study, wirings):
    return Counter(
        (wirings[trial.number].fingerprint, trial.params.get("replicate", 0)) for trial in study.get_trials()
    )


def is_one_line(error):
    return "\n" not in str(error.value)


class Believes:
    """Stands in for a surrogate on the scale of values: columns are the mean and the deviation of a wiring."""

    def __init__(self, smoothed: list[float]) -> None:
        self.rows, self.smoothed, self.warp = np.arange(len(smoothed)), np.array(smoothed), self

    def value(self, scores: np.ndarray) -> np.ndarray:
        return np.asarray(scores)

    def posterior(self, X: np.ndarray, _: Any = None) -> tuple[np.ndarray, np.ndarray]:
        return X[:, 0], X[:, 1]


def round_of(
    known: list[tuple[float, float, int]], candidates: list[tuple[float, float, int]], warm: Warm | None = None
) -> Round:
    """Make a round of examples (value, what it is thought to be, size) and candidates (mean, deviation, size)."""
    values, smoothed, sizes = zip(*known, strict=True)
    points = tuple(Point({}, str(size), 0, size, np.zeros(2)) for size in sizes)
    counts = np.ones(len(known), dtype=np.int64)
    examples = Examples(points, tuple(range(len(known))), np.array(values), counts)
    made = [
        Point({}, str(index), 0, size, np.array([mean, std]), "prior")
        for index, (mean, std, size) in enumerate(candidates)
    ]
    return Round(examples, Believes(list(smoothed)), lambda: made, 1.0, warm)
