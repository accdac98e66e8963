"""Every score equals its formula; SET's selections drop what was asked for, and the released one does not."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.errors import InputError
from nas.sparsity.layers import Live, stack
from nas.sparsity.scores import NEEDS, SCORES, score

W = np.array([0.5, -2.0, 0.1, 3.0])
G = np.array([-1.0, 0.25, 4.0, 0.0])
SD = np.array([2.0, 0.5, 1.0, 0.0])
NORM = np.array([1.0, 2.0, 3.0, 4.0])
H = np.array([1.0, -1.0, 2.0, 0.0])


@pytest.fixture
def live() -> Live:
    return Live(stack({"a": (2, 4)}), np.array([0, 2, 3, 7]), W, G, SD, NORM, H, np.array([1.0, 2.0, 0.5, 3.0]))


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("magnitude", {}, [0.5, 2.0, 0.1, 3.0]),
        ("activation", {}, [1.0, 1.0, 0.1, 0.0]),
        ("wanda", {}, [0.5, 4.0, 0.3, 12.0]),
        ("snip", {}, [0.5, 0.5, 0.4, 0.0]),
        ("taylor", {}, [0.25, 0.25, 0.16, 0.0]),
        ("sensitivity", {}, [2.0, 0.125, 40.0, 0.0]),
        ("reciprocal-sensitivity", {}, [0.5, 8.0, 0.025, 3e8]),
        ("mest", {}, [1.5, 2.25, 4.1, 3.0]),
        ("mest", {"gamma": 0.0}, [0.5, 2.0, 0.1, 3.0]),
        ("obd", {}, [0.125, -2.0, 0.01, 0.0]),
        ("obs", {}, [0.125, 1.0, 0.01, 1.5]),
        ("set", {}, [2 / 3, 1.0, 1 / 3, 1.0]),
        ("set-half", {}, [2.0, 1.0, 1.0, 3.0]),
    ],
)
def test_scores_equal_their_formulas(live: Live, name: str, options: dict[str, float], expected: list[float]):
    found = score(name, live, rng(), **options)
    assert found.dtype == np.float64
    assert found == pytest.approx(expected, rel=1e-6)


def test_obd_of_the_quadratic_example():
    pair = Live(stack({"a": (1, 2)}), np.arange(2), np.array([1.0, 2.0]), hessian=np.array([2.0, 2.0]))
    assert score("obd", pair, rng()).tolist() == [1.0, 4.0]


def test_random_scores_follow_from_the_generator(live: Live):
    one, other = score("random", live, rng()), score("random", live, rng())
    assert one.tolist() == other.tolist()
    assert len(set(one.tolist())) == 4


@pytest.mark.parametrize("name", SCORES)
def test_every_score_takes_single_precision_and_no_weights(name: str):
    for n in (0, 3):
        values = np.linspace(-1, 1, n).astype(np.float32)
        given_ = Live(stack({"a": (2, 4)}), np.arange(n), values, *[np.ones(n)] * 6)
        found = score(name, given_, rng())
        assert (found.dtype, found.shape) == (np.float64, (n,))
        assert SCORES[name].description


@pytest.mark.parametrize("name", [name for name, entry in SCORES.items() if entry.needs])
def test_what_is_missing_is_named(name: str):
    bare = Live(stack({"a": (2, 4)}), np.arange(3), np.ones(3))
    with pytest.raises(InputError, match=f"needs {NEEDS[next(iter(SCORES[name].needs))]} of the live"):
        score(name, bare, rng())


def test_unknown_scores_and_options_are_one_line(live: Live):
    with pytest.raises(InputError, match="nearest: magnitude"):
        score("magnitud", live, rng())
    with pytest.raises(InputError, match="does not know the options gamma"):
        score("magnitude", live, rng(), gamma=1.0)


# SET


def dropped(name: str, weights: list[float], count: int) -> set[float]:
    one = Live(stack({"a": (1, len(weights))}), np.arange(len(weights)), np.array(weights))
    marked = SCORES[name].select(score(name, one, rng()), count, None)
    return set(one.weight[marked].tolist())


SIX = [0.1, 0.4, 0.9, -0.2, -0.3, -0.8]


def test_set_on_six_weights():
    assert dropped("set", SIX, 2) == {0.1, -0.2}
    assert dropped("set-half", SIX, 2) == {0.1, -0.2}
    assert dropped("set-released", SIX, 1) == {0.1, -0.2, -0.3, -0.8}


@pytest.mark.parametrize("rate", [0.5, 0.3, 0.1, 0.005])
def test_the_released_set_drops_all_but_the_most_negative(rate: float):
    weights = np.random.default_rng(3).standard_normal(10_000)
    count = math.ceil(rate * 10_000)
    n_negative = int((weights < 0).sum())
    assert len(dropped("set-half", weights.tolist(), count)) == count
    assert len(dropped("set-released", weights.tolist(), count)) == n_negative + 1


def test_set_drops_the_same_share_of_both_signs():
    weights = [*np.linspace(0.1, 1, 30), *np.linspace(-0.1, -1, 10)]
    gone = dropped("set", weights, 12)
    assert sum(each > 0 for each in gone) == 9
    assert sum(each < 0 for each in gone) == 3
    gone = dropped("set-half", weights, 12)
    assert sum(each > 0 for each in gone) == 6


def test_signs_are_ranked_in_each_layer_alone_and_zeros_go_first():
    live = Live(stack({"a": (1, 3), "b": (1, 3)}), np.arange(6), np.array([5.0, 0.0, -1.0, 0.2, -3.0, 0.1]))
    assert score("set-half", live, rng()).tolist() == [1, 0, 1, 2, 1, 1]


@given(st.lists(st.floats(-2, 2), max_size=20), st.data())
def test_the_released_set_as_it_is_written(weights: list[float], data):
    """Compare with thresholds as the released code has them."""
    count = data.draw(st.integers(0, len(weights)))
    values = np.array(weights)
    marked = SCORES["set-released"].select(values, count, None)
    if not count:
        assert not marked.any()
        return
    positive, negative = np.sort(values[values > 0]), np.sort(values[values < 0])
    k = math.ceil(count / 2)
    keep = np.zeros(len(values), bool)
    if len(positive):
        keep |= (values > positive[min(k, len(positive)) - 1]) & (values > 0)
    if len(negative):
        keep |= (values < negative[min(k, len(negative)) - 1]) & (values < 0)
    assert marked.tolist() == (~keep).tolist()
