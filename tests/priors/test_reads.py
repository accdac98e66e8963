"""Which inputs neurons read: chances held to enumeration, and what must hold for every read-in."""

import time
from collections import Counter
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from priors import READ_INS, Inputs, ReadIn, draw_reads, spread
from priors.reads import correlation_power, local_sigma

LOCAL = [name for name, own in READ_INS.items() if own.locality]


def grid(rows: int, columns: int) -> NDArray[np.float64]:
    return np.array([(i, j) for i in range(rows) for j in range(columns)], dtype=float)


def make_inputs(n: int, seed: int, dead: float = 0.3) -> Inputs:
    """Inputs of which everything is known, some of them dead, at least one alive."""
    rng = np.random.default_rng(seed)
    deviation = rng.choice([0.3, 1.0, 2.5], n) * (rng.random(n) > dead)
    deviation[int(rng.integers(n))] = 1.0
    factors = rng.normal(size=(n, 3)) * (deviation > 0)[:, None]
    length = np.linalg.norm(factors, axis=1)
    factors /= np.where(length > 0, length, 1)[:, None]
    return Inputs(deviation, rng.integers(0, 6, (n, 2)), factors @ factors.T)


def of_neurons(edges: NDArray[np.int64], n_neurons: int) -> list[list[int]]:
    return [edges[edges[:, 1] == neuron, 0].tolist() for neuron in range(n_neurons)]


@settings(deadline=None, max_examples=150)
@given(
    name=st.sampled_from(list(READ_INS)),
    n=st.integers(1, 30),
    fan_in=st.lists(st.integers(1, 35), max_size=12),
    locality=st.sampled_from([0.0, 1e-9, 0.2, 0.5, 0.97, 1.0]),
    seed=st.integers(0, 2**32),
)
def test_every_neuron_reads_as_many_distinct_live_inputs_as_it_is_to(
    name: str, n: int, fan_in: list[int], locality: float, seed: int
) -> None:
    inputs = make_inputs(n, seed)
    edges = draw_reads(inputs, fan_in, name, locality, seed)
    assert edges.dtype == np.int64
    assert edges.shape[1:] == (2,)
    rows = [(neuron, read) for read, neuron in edges.tolist()]
    assert rows == sorted(set(rows))
    assert set(edges[:, 0].tolist()) <= set(inputs.live.tolist())
    counts = np.bincount(edges[:, 1], minlength=len(fan_in)).tolist()
    n_live = len(inputs.live)
    assert counts == [n_live if name == "complete" else min(own, n_live) for own in fan_in]
    assert np.array_equal(edges, draw_reads(inputs, fan_in, name, locality, np.random.default_rng(seed)))


# Chances


def chances(affinity: list[float], count: int) -> dict[frozenset[int], float]:
    """Return the chance of every set of inputs that are drawn one after another."""
    found: Counter[frozenset[int]] = Counter()
    for order in permutations(range(len(affinity)), count):
        left, chance = sum(affinity), 1.0
        for place in order:
            chance *= affinity[place] / left if left > 0 else 0.0
            left -= affinity[place]
        found[frozenset(order)] += chance
    return dict(found)


def check_frequencies(sets: list[list[int]], expected: dict[frozenset[int], float]) -> None:
    found = Counter(map(frozenset, sets))
    assert sum(expected.values()) == pytest.approx(1)
    assert all(expected.get(own, 0) > 0 for own in found)
    for own, chance in expected.items():
        error = (chance * (1 - chance) * len(sets)) ** 0.5
        assert abs(found[own] - chance * len(sets)) <= 4.5 * error + 1e-9, own


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("name", ["random", "variance"])
def test_sets_are_drawn_with_the_chances_of_sequential_draws(name: str, count: int) -> None:
    inputs = Inputs([1.0, 2.0, 0.0, 0.5, 1.5])
    sets = of_neurons(draw_reads(inputs, [count] * 4000, name, rng=5), 4000)
    weights = [1.0, 4.0, 0.0, 0.25, 2.25] if name == "variance" else [1.0, 1.0, 0.0, 1.0, 1.0]
    check_frequencies(sets, {own: chance for own, chance in chances(weights, count).items() if chance > 0})


@pytest.mark.parametrize("name", ["local", "correlated"])
def test_centres_are_drawn_by_variance_and_reads_by_what_is_near(name: str) -> None:
    deviation = [1.0, 2.0, 0.5, 1.5]
    correlation = np.array([[1, 0.5, -0.2, 0.1], [0.5, 1, 0.3, 0], [-0.2, 0.3, 1, 0.7], [0.1, 0, 0.7, 1]])
    inputs = Inputs(deviation, [[0.0], [1.0], [3.0], [4.0]], correlation)
    sets = of_neurons(draw_reads(inputs, [2] * 6000, name, 0.4, 7), 6000)
    expected: Counter[frozenset[int]] = Counter()
    for centre, own in enumerate(deviation):
        if name == "local":
            sigma = local_sigma(0.4, 5)
            places = [0, 1, 3, 4]
            near = [
                (sd**2) * np.exp(-((place - places[centre]) ** 2) / (2 * sigma**2))
                for sd, place in zip(deviation, places, strict=True)
            ]
        else:
            near = (np.abs(correlation[centre].astype(np.float32)) ** 3.2).tolist()
        for members, chance in chances(near, 2).items():
            expected[members] += chance * own**2 / 7.5
    check_frequencies(sets, dict(expected))


def test_affinities_of_any_scale_are_drawn_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = Inputs([1.0, 1.0, 1.0])
    drawn = []
    for scale in (1e-320, 1.0, 1e300):
        affinities = scale * np.array([1.0, 2.0, 4.0])
        monkeypatch.setitem(READ_INS, "own", ReadIn(lambda *_, own=affinities: own, "own"))
        drawn.append(draw_reads(inputs, [1] * 50, "own", rng=3).tolist())
    assert drawn[0] == drawn[1] == drawn[2]
    assert Inputs([1e-200, 1e-200, 0]).variance.tolist() == [1, 1, 0]
    assert draw_reads(Inputs([1e300, 1e-300, 0]), [2], "variance", rng=0).tolist() == [[0, 0], [1, 0]]


# Read-ins


@settings(deadline=None, max_examples=60)
@given(n=st.integers(1, 30), fan_in=st.integers(1, 30), seed=st.integers(0, 2**32))
def test_patches_are_the_nearest_inputs_that_vary(n: int, fan_in: int, seed: int) -> None:
    inputs = make_inputs(n, seed)
    assert inputs.positions is not None
    live = inputs.live.tolist()
    possible = []
    for centre in live:
        apart = ((inputs.positions - inputs.positions[centre]) ** 2).sum(axis=1)
        order = sorted(live, key=lambda own: (own != centre, apart[own], -inputs.deviation[own], own))
        possible.append(sorted(order[:fan_in]))
    for reads in of_neurons(draw_reads(inputs, [fan_in] * 6, "patches", rng=seed), 6):
        assert reads in possible


def test_a_patch_of_pixels_is_a_square() -> None:
    inputs = Inputs(np.ones(49), grid(7, 7))
    reads = of_neurons(draw_reads(inputs, [9] * 400, "patches", rng=0), 400)
    middle = [16, 17, 18, 23, 24, 25, 30, 31, 32]
    assert middle in reads
    assert len({tuple(own) for own in reads}) > 40


def test_what_is_missing_is_made_up_by_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_and_two(inputs: Inputs, centre: int, locality: float) -> NDArray[np.float64]:
        return np.array([0.0, 1.0, 1.0, 0.0, 0.0, 5.0])

    deviation = [1.0, 1.0, 1.0, 3.0, 2.0, 0.0]
    monkeypatch.setitem(READ_INS, "own", ReadIn(one_and_two, "own"))
    inputs = Inputs(deviation, [[0], [1], [2], [3], [4], [5]])
    assert of_neurons(draw_reads(inputs, [1, 2, 3, 4, 5, 9], "own", rng=0), 6)[1:] == [
        [1, 2],
        [1, 2, 3],
        [1, 2, 3, 4],
        [0, 1, 2, 3, 4],
        [0, 1, 2, 3, 4],
    ]
    monkeypatch.setitem(READ_INS, "own", ReadIn(one_and_two, "own", is_centred=True))
    only_first = Inputs([1.0, 1e-9, 1e-9, 1e-9, 1e-9, 0], inputs.positions)
    assert of_neurons(draw_reads(only_first, [3, 4], "own", rng=0), 2) == [[0, 1, 2], [0, 1, 2, 3]]
    assert draw_reads(Inputs(deviation), [3], "own", rng=0)[:, 0].tolist() == [1, 2, 3]


def test_without_locality_reads_are_as_without_a_centre() -> None:
    inputs = make_inputs(20, 3)
    for centre in inputs.live.tolist():
        assert np.array_equal(READ_INS["local"].affinity(inputs, centre, 0.0), inputs.variance)
        near_none = READ_INS["local"].affinity(inputs, centre, 1e-6)
        np.testing.assert_allclose(near_none, inputs.variance, rtol=1e-6)
        own = READ_INS["correlated"].affinity(inputs, centre, 0.0)
        assert own[inputs.live].tolist() == [1.0] * len(inputs.live)


def test_locality_narrows_steadily() -> None:
    for extent in (8.0, 28.0, 1000.0):
        sigmas = [local_sigma(locality, extent) for locality in np.linspace(0, 1, 101)]
        assert (sigmas[0], sigmas[-1]) == (np.inf, 0.7)
        assert all(wide > narrow for wide, narrow in pairwise(sigmas))
    assert [round(local_sigma(locality, 28), 1) for locality in (0.4, 0.65)] == [4.2, 2.0]
    assert [round(local_sigma(locality, 8), 1) for locality in (0.4, 0.65)] == [1.7, 1.1]
    assert local_sigma(5e-324, 28) == np.inf
    assert [correlation_power(locality) for locality in (0, 0.25, 0.75, 1)] == [0, 2, 6, 8]


def mean_distance(edges: NDArray[np.int64], positions: NDArray[np.float64], n_neurons: int) -> float:
    found = []
    for reads in of_neurons(edges, n_neurons):
        apart = positions[reads][:, None] - positions[reads][None]
        distances = np.sqrt((apart**2).sum(axis=2))
        found.append(distances[np.triu_indices(len(reads), 1)].mean())
    return float(np.mean(found))


def test_reads_come_closer_with_locality() -> None:
    rng = np.random.default_rng(0)
    inputs = Inputs(rng.uniform(0.5, 1, 784), grid(28, 28))
    assert inputs.positions is not None
    fan_in = [10] * 150
    found = [
        mean_distance(draw_reads(inputs, fan_in, "local", locality, 1), inputs.positions, 150)
        for locality in (0, 0.15, 0.3, 0.5, 0.7, 0.85, 1)
    ]
    assert all(far > near for far, near in pairwise(found))
    assert 13 < found[0] < 16
    assert found[-1] < 2.6


def test_correlated_reads_go_together_more_with_locality() -> None:
    inputs = make_inputs(60, 1, dead=0.1)
    assert inputs.correlation is not None
    within = []
    for locality in (0, 0.3, 0.6, 1):
        reads = of_neurons(draw_reads(inputs, [5] * 200, "correlated", locality, 2), 200)
        within.append(np.mean([np.abs(inputs.correlation[np.ix_(own, own)]).mean() for own in reads]))
    assert all(less < more for less, more in pairwise(within))


def test_a_further_read_in_is_a_function_and_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def odd(inputs: Inputs, centre: int, locality: float) -> NDArray[np.float64]:
        return np.arange(inputs.n_inputs) % 2.0

    monkeypatch.setitem(READ_INS, "odd", ReadIn(odd, "inputs of odd numbers"))
    assert set(draw_reads(Inputs(np.ones(9)), [2] * 30, "odd", rng=0)[:, 0].tolist()) == {1, 3, 5, 7}

    monkeypatch.setitem(READ_INS, "odd", ReadIn(lambda *_: np.array([1.0, -1.0]), "wrong"))
    with pytest.raises(ValueError, match=r"^read_in='odd': it gave an affinity that is negative or not finite$"):
        draw_reads(Inputs([1, 1]), [1], "odd")


def test_every_read_in_says_what_it_is() -> None:
    for own in READ_INS.values():
        assert own.about
        assert set(own.needs) <= {"positions", "correlation"}
    assert LOCAL == ["local", "correlated"]


def test_as_many_doubles_are_drawn_as_are_used() -> None:
    inputs = make_inputs(20, 0)
    n_live = len(inputs.live)
    fan_in = [3, n_live, 4]
    for name, n_doubles in (("random", 2 * n_live), ("local", 3 + 2 * n_live), ("patches", 3), ("complete", 0)):
        rng, beside = np.random.default_rng(1), np.random.default_rng(1)
        draw_reads(inputs, fan_in, name, 0.5, rng)
        beside.random(n_doubles)
        assert rng.random() == beside.random(), name


def test_many_neurons_are_drawn_at_once() -> None:
    inputs = Inputs(np.random.default_rng(0).uniform(0.1, 1, 784), grid(28, 28))
    fan_in = spread(3000, 300, 0)
    took = []
    for _ in range(3):
        begun = time.process_time()
        draw_reads(inputs, fan_in, "local", 0.5, 1)
        took.append(time.process_time() - begun)
    assert min(took) < 0.15  # about 0.015, on any machine


# Fan-ins


@settings(deadline=None)
@given(total=st.integers(0, 500), n_neurons=st.integers(1, 40), seed=st.integers(0, 2**32))
def test_a_total_is_spread_evenly(total: int, n_neurons: int, seed: int) -> None:
    fan_in = spread(total, n_neurons, seed)
    assert fan_in.shape == (n_neurons,)
    assert fan_in.sum() == total
    assert np.ptp(fan_in) <= 1
    assert np.array_equal(fan_in, spread(total, n_neurons, np.random.default_rng(seed)))


def test_who_gets_one_more_is_drawn() -> None:
    more = np.array([spread(7, 5, seed) == 2 for seed in range(600)])
    assert np.abs(more.mean(axis=0) - 0.4).max() < 0.09


# Refusals


def test_inputs_say_what_is_known_of_them() -> None:
    bare = Inputs([0, 1, 2.5])
    assert (bare.n_inputs, bare.live.tolist()) == (3, [1, 2])
    assert repr(bare) == "<Inputs: 3, of which 2 vary; nothing else known>"
    assert np.isnan(bare.extent)
    full = Inputs([1, 2], [[0, 0], [3, 7]], np.eye(2), [0, 0.5])
    assert repr(full) == "<Inputs: 2, of which 2 vary; positions, correlation, relevance known>"
    assert full.extent == 8
    assert full.correlation is not None
    assert full.correlation.dtype == np.float32


def test_arrays_of_inputs_are_their_own() -> None:
    deviation = np.array([1.0, 2.0])
    inputs = Inputs(deviation, [[0], [1]], np.eye(2), [0.1, 0.2])
    deviation[0] = 9
    assert inputs.deviation[0] == 1
    for array in (inputs.deviation, inputs.positions, inputs.correlation, inputs.relevance, inputs.live):
        assert array is not None
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize(
    ("given_inputs", "message"),
    [
        (([],), "deviation is empty: Inputs needs at least one input"),
        (([[1.0]],), r"deviation: shape \(1, 1\) is wrong, Inputs needs \(n_inputs,\)"),
        (([1, -2],), "deviation: a number is -2, and must be 0 or more"),
        (([1, np.nan],), "deviation: a number is not finite"),
        ((["a"],), "deviation: Inputs needs an array of floats"),
        (([1, 1], [[0], [1], [2]]), r"positions: shape \(3, 1\) is wrong, Inputs needs \(2, …\)"),
        (([1, 1], [0, 1]), r"positions: shape \(2,\) is wrong, Inputs needs \(2, …\)"),
        (([1, 1], [[], []]), r"positions have shape \(2, 0\): they need at least one dimension"),
        (([1, 1], [[0], [np.inf]]), "positions: a number is not finite"),
        (([1, 1], None, np.ones((2, 3))), r"correlation has shape \(2, 3\): 2 inputs need \(2, 2\)"),
        (([1, 1], None, [[1, 1.5], [1.5, 1]]), r"correlation: a number is 1\.5, and must be -1 to 1"),
        (([1, 0], None, [[1, 0.5], [0.5, 1]]), "correlation of an input that never varies is not 0: it must be"),
        (([1, 1], None, None, [1.0]), r"relevance: shape \(1,\) is wrong, Inputs needs \(2,\)"),
        (([1, 1], None, None, [0.5, -0.1]), r"relevance: a number is -0\.1, and must be 0 to 1"),
        (([1, 0], None, None, [0.5, 0.1]), "relevance of an input that never varies is not 0: it must be"),
    ],
)
def test_inputs_that_contradict_themselves_are_refused(given_inputs: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        Inputs(*given_inputs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fan_in": [2, 0]}, "fan_in=0: draw_reads needs integers with 1 <= fan_in; nearest valid is 1"),
        ({"fan_in": [1.5]}, "fan_in has shape .* draw_reads needs an integer a neuron"),
        ({"fan_in": 3}, r"fan_in has shape \(\) and type int64"),
        ({"locality": 1.2}, "locality=1.2: draw_reads needs a number with 0 <= locality <= 1; nearest valid is 1"),
        ({"locality": -0.1}, "locality=-0.1: .* nearest valid is 0"),
        ({"locality": np.nan}, "locality=nan"),
        (
            {"read_in": "near"},
            "read_in='near': draw_reads knows 'random', 'variance', 'local', 'correlated', 'patches'",
        ),
        (
            {"read_in": "local"},
            "read_in='local' needs the positions of the inputs, and <Inputs: 3, .*> holds none; what is known suffices "
            "for random, variance, complete",
        ),
        ({"read_in": "patches"}, "read_in='patches' needs the positions"),
        ({"read_in": "correlated"}, "read_in='correlated' needs the correlation"),
        ({"inputs": Inputs([0, 0])}, "<Inputs: 2, of which 0 vary; .*>: draw_reads needs inputs of which at least one"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change: dict, message: str) -> None:
    fine = {"inputs": Inputs([1, 2, 0]), "fan_in": [1], "read_in": "random", "locality": 0.5, "rng": 0}
    draw_reads(**fine)
    with pytest.raises(ValueError, match=f"^{message}") as caught:
        draw_reads(**(fine | change))
    assert "\n" not in str(caught.value)


def test_a_total_that_cannot_be_spread_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"^total=-1: spread needs an integer total with 0 <= total; nearest valid is 0$"
    ):
        spread(-1, 3)
    with pytest.raises(ValueError, match=r"^n_neurons=0: spread needs an integer n_neurons with 1 <= n_neurons"):
        spread(3, 0)
