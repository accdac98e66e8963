"""What candidates promise a front: the area that each is expected to add, by beliefs made by hand."""

from typing import Any

import numpy as np
import pytest

from nas.samplers.candidates import Candidates
from nas.samplers.history import Examples, Tried
from nas.samplers.rounds import Round


class Believes:
    """Stands in for a surrogate on the scale of values: columns are the mean and the deviation of a wiring."""

    def __init__(self, smoothed: list[float]) -> None:
        self.rows, self.smoothed, self.warp = np.arange(len(smoothed)), np.array(smoothed), self

    def value(self, scores: np.ndarray) -> np.ndarray:
        return np.asarray(scores)

    def posterior(self, X: np.ndarray, _: Any = None) -> tuple[np.ndarray, np.ndarray]:
        return X[:, 0], X[:, 1]


def round_of(known: list[tuple[float, float, int]], candidates: list[tuple[float, float, int]]) -> Round:
    """Make a round of examples (value, what it is thought to be, size) and candidates (mean, deviation, size)."""
    values, smoothed, sizes = zip(*known, strict=True)
    tried = tuple(Tried({}, str(size), size, np.zeros(2)) for size in sizes)
    counts = np.ones(len(known), dtype=np.int64)
    examples = Examples(tried, tuple(range(len(known))), np.zeros((len(known), 2)), np.array(values), counts)
    X, wanted = np.array([own[:2] for own in candidates]), np.array([own[2] for own in candidates])
    made = Candidates(({},) * len(candidates), ("prior",) * len(candidates), (), wanted, X)
    return Round(examples, Believes(list(smoothed)), lambda: made, False, 1.0, None)


def gains(known: list[tuple[float, float, int]], candidates: list[tuple[float, float, int]]) -> np.ndarray:
    return round_of(known, candidates).gains(np.arange(len(candidates)), [], 1.0, by_size=True)


def test_what_a_candidate_promises_is_the_expected_area():
    known = [(0.2, 0.2, 100), (0.5, 0.5, 200), (0.8, 0.8, 800)]
    found = gains(known, [(0.5, 0.1, 150), (0.6, 0.2, 300), (0.7, 0.0, 400), (0.7, 0.0, 900), (0.1, 0.3, 1000)])
    # Expectations over the whole distribution, with the area that nobody has: sizes up to 1010, values from 0.2.
    front = [(0.2, 100), (0.5, 200), (0.8, 800)]
    logs, levels = np.log(np.linspace(50, 1010, 20_001)), np.full(20_001, 0.2)
    for value, size in front:
        levels = np.maximum(levels, np.where(logs >= np.log(size), value, 0.2))
    rng, widths = np.random.default_rng(0), np.append(np.diff(logs), 0.0)
    for gain, (mean, std, size) in zip(found, [(0.5, 0.1, 150), (0.6, 0.2, 300), (0.7, 0.0, 400)], strict=False):
        drawn = mean + std * rng.normal(size=400)
        above = np.maximum(drawn[:, None] - levels, 0.0) * (logs >= np.log(size))
        assert gain == pytest.approx((above @ widths).mean(), rel=0.12)
    assert found[3] == 0.0
    assert found[4] == 0.0


def test_a_lucky_seed_does_not_keep_others_of_its_size_away():
    candidates = [(0.6, 0.0, 101), (0.11, 0.0, 99), (0.0, 0.0, 1000)]
    honest = gains([(0.9, 0.9, 100), (0.1, 0.1, 50)], candidates)
    lucky = gains([(0.9, 0.5, 100), (0.1, 0.1, 50)], candidates)
    assert honest[0] == 0.0
    assert lucky[0] > lucky[1] > 0


def test_where_nothing_enlarges_the_front_the_best_come_first():
    found = gains([(0.9, 0.9, 10), (0.1, 0.1, 5)], [(0.4, 0.1, 20), (0.7, 0.1, 30), (0.5, 0.3, 40)])
    assert found.tolist() == pytest.approx([0.5, 0.8, 0.8])
