"""Patterns of layered wirings: exact counts, degrees and second implementations; shares of blocks."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from priors.bipartite import Layered
from priors.patterns import PATTERNS, Block
from priors.shares import shares

blocks = st.tuples(st.integers(1, 12), st.integers(1, 12), st.floats(0, 1), st.integers(0, 2**32))


def mask_of(block: Block, pattern: str, rng: np.random.Generator) -> NDArray[np.bool_]:
    mask = np.zeros(block.n_source * block.n_target, bool)
    mask[PATTERNS[pattern](block, rng)] = True
    return mask.reshape(block.n_source, block.n_target)


@pytest.mark.parametrize("pattern", PATTERNS)
@settings(deadline=None, max_examples=60)
@given(blocks, st.floats(0, 1))
def test_every_pattern_holds_its_count(pattern: str, given: tuple[int, int, float, int], beta: float):
    n_source, n_target, density, seed = given
    block = Block(n_source, n_target, round(density * n_source * n_target), beta)
    found = PATTERNS[pattern](block, np.random.default_rng(seed))
    assert found.dtype == np.int64
    assert len(found) == block.count
    assert (np.diff(found) > 0).all()
    assert not len(found) or 0 <= found[0] <= found[-1] < n_source * n_target
    assert np.array_equal(found, PATTERNS[pattern](block, np.random.default_rng(seed)))


@settings(deadline=None, max_examples=60)
@given(blocks)
def test_degrees_are_equal_where_they_can_be(given: tuple[int, int, float, int]):
    n_source, n_target, density, seed = given
    block = Block(n_source, n_target, round(density * n_source * n_target))
    assert np.ptp(mask_of(block, "fan-in", np.random.default_rng(seed)).sum(axis=0)) <= 1
    regular = mask_of(block, "regular", np.random.default_rng(seed))
    assert np.ptp(regular.sum(axis=0)) <= 1
    assert np.ptp(regular.sum(axis=1)) <= 1


@pytest.mark.parametrize("pattern", ["uniform", "fan-in", "regular"])
@pytest.mark.parametrize("count", [12, 27])
def test_every_place_is_equally_likely(pattern: str, count: int):
    """Of 6 times 6 places, and pairs of places of one target as often as they should be."""
    block, rng, samples = Block(6, 6, count), np.random.default_rng(1), 1500
    masks = np.array([mask_of(block, pattern, rng) for _ in range(samples)], float)
    p = count / 36
    assert np.abs(masks.mean(axis=0) - p).max() < 4.5 * np.sqrt(p * (1 - p) / samples)
    if pattern == "uniform":
        return
    # Of a target that reads k of 6 sources, any two with k (k - 1) / 30.
    degree = masks.sum(axis=1)
    both = (masks[:, 0] * masks[:, 1]).mean()
    expected = (degree * (degree - 1)).mean() / 30
    assert abs(both - expected) < 0.02


def test_an_unrewired_small_world_is_a_band():
    band = mask_of(Block(4, 8, 16), "small-world", np.random.default_rng(0))
    assert band.sum(axis=0).tolist() == [2] * 8
    assert band.sum(axis=1).tolist() == [4] * 4
    for target, row in enumerate(band.T):
        first = target // 2
        assert row[first]
        assert row[(first + 1) % 4] or row[(first - 1) % 4]
    # The smaller layer is read through windows whichever it is.
    assert np.array_equal(band.T, mask_of(Block(8, 4, 16), "small-world", np.random.default_rng(0)))
    square = mask_of(Block(7, 7, 21), "small-world", np.random.default_rng(0))
    assert np.array_equal(square, sum(np.roll(np.eye(7, dtype=int), step, axis=1) for step in (-1, 0, 1)) > 0)


@pytest.mark.parametrize("beta", [0.1, 0.5, 1.0])
def test_a_share_of_a_small_world_is_rewired(beta: float):
    block, rng, samples = Block(20, 20, 100, beta), np.random.default_rng(2), 200
    band = mask_of(Block(20, 20, 100), "small-world", rng)
    stays = np.mean([(band & mask_of(block, "small-world", rng)).sum() for _ in range(samples)]) / 100
    # What is taken away lands on a free place, among which are those just left.
    taken = rng.binomial(100, beta, 20_000)
    expected = 1 - np.mean(taken - taken * taken / (400 - 100 + taken)) / 100
    assert stays == pytest.approx(expected, abs=4 * np.sqrt(0.25 / 100 / samples) + 0.002)


def test_scale_free_blocks_have_hubs_on_both_sides():
    """A second implementation: networkx grows the graph, sets and loops join what lies within a layer across."""
    n_source, n_target, count = 40, 60, 300
    block, rng = Block(n_source, n_target, count), np.random.default_rng(3)

    def slow() -> NDArray[np.bool_]:
        m, n = round(count / 100), 100
        grown = nx.barabasi_albert_graph(n, m, seed=int(rng.integers(2**31)), initial_graph=nx.star_graph(m))
        place = rng.permutation(n)
        pools: tuple[list[int], list[int]] = ([], [])
        cut: tuple[list[int], list[int]] = ([], [])
        found = set()
        for edge in grown.edges:
            a, b = sorted(int(place[node]) for node in edge)
            for node in (a, b):
                pools[node >= n_source].append(node)
            if a < n_source <= b:
                found.add((a, b))
            else:
                cut[a >= n_source].extend((a, b))
        for own in cut:
            rng.shuffle(own)
        found |= set(zip(*cut, strict=False))
        while len(found) < count:
            found.add((pools[0][int(rng.integers(len(pools[0])))], pools[1][int(rng.integers(len(pools[1])))]))
        mask = np.zeros((n_source, n_target), bool)
        for a, b in found:
            mask[a, b - n_source] = True
        return mask

    def numbers(mask: NDArray[np.bool_]) -> list[float]:
        out, into = mask.sum(axis=1), mask.sum(axis=0)
        return [out.var(), into.var(), out.max(), into.max(), (out == 0).sum(), (into == 0).sum()]

    ours = np.array([numbers(mask_of(block, "scale-free", rng)) for _ in range(80)])
    theirs = np.array([numbers(slow()) for _ in range(80)])
    uniform = np.array([numbers(mask_of(block, "uniform", rng)) for _ in range(80)])
    error = np.sqrt((ours.var(axis=0) + theirs.var(axis=0)) / 80)
    assert (np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) <= 4 * error + 1e-9).all()
    assert (ours.mean(axis=0)[:4] > 1.3 * uniform.mean(axis=0)[:4]).all()


@pytest.mark.parametrize(
    ("sizes", "density", "expected"),
    [
        ((784, 300, 100, 10), 0.5, (0.4341, 1, 1)),
        ((784, 300, 100, 10), 0.2, (0.1622, 0.4694, 1)),
        ((784, 300, 100, 10), 0.1, (0.0796, 0.2302, 1)),
        ((784, 300, 100, 10), 0.05, (0.0385, 0.1113, 0.9185)),
        ((784, 300, 100, 10), 0.02, (0.0154, 0.0445, 0.3674)),
        ((784, 300, 100, 10), 0.01, (0.0077, 0.0223, 0.1837)),
        ((3072, 1024, 512, 10), 0.2, (0.1687, 0.3797, 1)),
        ((3072, 1024, 512, 10), 0.1, (0.0838, 0.1885, 1)),
        ((3072, 1024, 512, 10), 0.05, (0.0413, 0.0929, 1)),
        ((3072, 1024, 512, 10), 0.01, (0.0078, 0.0175, 0.6089)),
    ],
)
def test_erk_has_the_densities_of_google_research_rigl(
    sizes: tuple[int, ...], density: float, expected: tuple[float, ...]
):
    """As its program gives them for the weights of these networks; the sum of the counts is exact."""
    prior, possible = Layered(sizes, density, allocation="erk"), [a * b for a, b in pairwise(sizes)]
    assert sum(prior.counts) == round(density * sum(possible))
    found = [count / size for count, size in zip(prior.counts, possible, strict=True)]
    assert found == pytest.approx(expected, abs=6e-5 + 0.5 / min(possible))
    assert Layered(sizes, edges=sum(prior.counts), allocation="erk").counts == prior.counts


def test_shares_fill_what_overflows():
    assert shares(10, [1, 1, 8], [9, 9, 2]) == [4, 4, 2]
    assert shares(20, [1.0, 1.0, 8.0], [9, 9, 2]) == [9, 9, 2]
    assert shares(0, [1, 2], [3, 3]) == [0, 0]
    assert shares(5, [1, 1], [9, 9], [False, False]) == [3, 2]


def test_constant_fan_in_by_density():
    prior = Layered((10, 7, 3), 0.26, pattern="fan-in")
    assert prior.counts == (21, 6)
    assert [mask.sum(axis=1).tolist() for mask in prior.sample(0).masks()] == [[3] * 7, [2] * 3]
    assert Layered((10, 7), 0.001, pattern="fan-in").counts == (7,)
    assert Layered((10, 7), edges=12, pattern="fan-in").counts == (12,)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_work_in_layers(pattern: str):
    prior = Layered(
        (30, 20, 10), edges=120, inputs=True, outputs=True, allocation="erk", pattern=pattern,
        beta=0.1 if pattern == "small-world" else None,
    )  # fmt: skip
    wiring = prior.sample(1)
    assert tuple(int(mask.sum()) for mask in wiring.masks()) == prior.counts == (75, 45)
    assert (wiring.n_inputs, wiring.n_outputs) == (30, 10)
    assert wiring == prior.sample(1) != prior.sample(2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pattern": "banded"}, r"^pattern='banded': Layered knows 'uniform', 'fan-in', "),
        ({"allocation": "er"}, r"^allocation='er': Layered knows 'uniform', 'erk'$"),
        ({"pattern": "small-world"}, r"^beta=None: Layered needs a number with 0 <= beta <= 1$"),
        ({"pattern": "small-world", "beta": 1.5}, r"^beta=1.5: .*; nearest valid is 1$"),
        ({"pattern": "regular", "beta": 0.5}, r"^beta=0.5: only pattern='small-world' heeds it; leave it out$"),
        ({"density": (0.5, 0.5), "allocation": "erk"}, r"^allocation='erk': a density for each block leaves it "),
    ],
)
def test_wrong_patterns_are_refused(options: dict, message: str):
    with pytest.raises(ValueError, match=message):
        Layered((4, 5, 2), **{"density": 0.5, **options})
