"""What candidates promise, by beliefs made by hand: a good value, or the area that each may add to a front."""

import numpy as np
import pytest
from sampler_cases import round_of


def gains(known: list[tuple[float, float, int]], candidates: list[tuple[float, float, int]]) -> np.ndarray:
    now = round_of(known, candidates)
    return now.gains(now.candidates, [], 1.0, by_size=True)


@pytest.mark.parametrize("optimism", [0.0, 1.0, 2.5])
def test_what_is_unsure_promises_more_by_so_many_deviations(optimism: float):
    now = round_of([(0.2, 0.2, 100)], [(0.5, 0.1, 10), (0.4, 0.3, 20), (0.6, 0.0, 30)])
    found = now.gains([now.candidates[index] for index in (2, 0, 1)], [], optimism, by_size=False)
    assert found.tolist() == pytest.approx([0.6, 0.5 + 0.1 * optimism, 0.4 + 0.3 * optimism])


def test_without_optimism_what_is_unsure_adds_no_more_to_a_front():
    now = round_of([(0.5, 0.5, 100), (0.0, 0.0, 50)], [(0.6, 0.3, 101), (0.6, 0.0, 101), (0.0, 0.0, 1000)])
    unsure, sure, _ = now.gains(now.candidates, [], 0.0, by_size=True)
    assert unsure == pytest.approx(sure)
    unsure, sure, _ = now.gains(now.candidates, [], 1.0, by_size=True)
    assert unsure > 1.1 * sure


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
