"""Distances: published oracles, a plain implementation with sets, and what no numbering of neurons may change."""

import itertools
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from predictors.distances import density_distance, edge_jaccard, nnstd, nnstd_of_masks, spectral_distance
from priors import Layered, NullModel, WattsStrogatz, Wiring, attach, layer, orient


def columns(n: int, *neighbours: set[int]) -> np.ndarray:
    mask = np.zeros((n, len(neighbours)))
    for column, own in enumerate(neighbours):
        mask[sorted(own), column] = 1
    return mask


# As published


def test_matched_neurons_are_at_zero() -> None:
    first = columns(4, {0, 1}, {1, 2}, {2, 3})
    assert nnstd_of_masks([first], [columns(4, {2, 3}, {0, 1}, {1, 2})]) == (0.0, (0.0,))
    value, _ = nnstd_of_masks([first], [columns(4, {2, 3}, {0, 1}, {0, 1, 2})])
    assert value == pytest.approx(1 / 9)


def test_later_layers_read_what_was_matched() -> None:
    first, second = columns(4, {0, 1}, {1, 2}, {2, 3}), columns(4, {2, 3}, {0, 1}, {1, 2})
    one, other = np.array([[1, 0], [1, 1], [0, 1]]), np.array([[0, 1], [1, 0], [1, 1]])
    assert nnstd_of_masks([first, one], [second, other]) == (0.0, (0.0, 0.0))
    assert nnstd_of_masks([one], [other])[0] > 0


def with_sets(first: list[np.ndarray], second: list[np.ndarray]) -> list[float]:
    order, found = list(range(len(first[0]))), []
    for one, other in zip(first, second, strict=True):
        reads = [{i for i in range(len(one)) if one[i, column]} for column in range(one.shape[1])]
        others = [{i for i in range(len(one)) if other[order[i], column]} for column in range(one.shape[1])]
        cost = np.array([[1 - len(a & b) / len(a | b) if a | b else 0.0 for b in others] for a in reads])
        _, partner = linear_sum_assignment(cost)
        found.append(float(np.mean([cost[i, partner[i]] for i in range(len(cost))])))
        order = partner.tolist()
    return found


def test_it_is_what_sets_say() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        sizes, density = rng.integers(2, 9, size=4), rng.uniform(0.1, 0.7)
        pair = [[rng.random(shape) < density for shape in itertools.pairwise(sizes)] for _ in range(2)]
        value, layers = nnstd_of_masks(*pair)
        right = with_sets(*pair)
        assert layers == pytest.approx(right, abs=1e-12)
        assert value == pytest.approx(np.mean(right), abs=1e-12)


def test_unmatched_neurons_of_equal_density_are_as_far_apart_as_the_formula_says() -> None:
    rng = np.random.default_rng(1)
    for density, right in ((0.006137, 0.9969), (0.1, 0.9474)):
        one, other = (
            Wiring.from_masks([rng.random((400, 800)) < density], inputs=True, outputs=True) for _ in range(2)
        )
        # Output units have names: nothing is matched.
        assert nnstd(one, other).value == pytest.approx(right, abs=0.004)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([np.ones((2, 3))], [np.ones((3, 2))]),
        ([np.ones((2, 3)), np.ones((2, 3))], [np.ones((2, 3)), np.ones((2, 3))]),
        ([np.ones(3)], [np.ones(3)]),
        ([], []),
        ([np.ones((2, 2))], [np.ones((2, 2)), np.ones((2, 2))]),
    ],
)
def test_masks_of_other_shapes_are_refused_in_one_line(first: list[Any], second: list[Any]) -> None:
    with pytest.raises(ValueError, match="masks have shapes") as caught:
        nnstd_of_masks(first, second)
    assert "\n" not in str(caught.value)


# Whatever the numbering


def wiring_of(number: int) -> Wiring:
    """Return one of many networks: layered, with shortcuts, with duplicate and empty neurons, recurrent."""
    rng = np.random.default_rng(number)
    sort = number % 5
    if sort == 0:
        return Layered((9, 12, 8, 4), density=float(rng.uniform(0.05, 0.6)), inputs=True, outputs=True).sample(rng)
    if sort == 1:
        sizes = (6, 8, 7, 3)
        of = np.repeat(np.arange(4), sizes)
        there = (of[:, None] < of[None, :]) & (rng.random((24, 24)) < rng.uniform(0.05, 0.5))
        return Wiring(sizes, np.argwhere(there), inputs=True, outputs=True)
    if sort == 2:
        # Many neurons read the same ones, or none.
        masks = [rng.random(shape) < 0.12 for shape in ((20, 5), (20, 20), (3, 20))]
        return Wiring.from_masks(masks, inputs=True, outputs=True)
    if sort == 3:
        hidden = Wiring((14,), np.argwhere(rng.random((14, 14)) < 0.2))
        return attach(hidden, 5, 3, "controlled", reads=2, readouts=4, rng=rng)
    return attach(layer(orient(WattsStrogatz(24, 4, 0.3).sample(rng), "random", rng)), 6, 3, "natural", rng=rng)


def relabelled(wiring: Wiring, rng: np.random.Generator) -> Wiring:
    number = np.arange(wiring.n_neurons)
    for index in range(wiring.n_layers):
        own = wiring.neurons(index)
        if not (wiring.inputs and index == 0) and not (wiring.outputs and index == wiring.n_layers - 1):
            number[own.start : own.stop] = own.start + rng.permutation(len(own))
    return Wiring(wiring.sizes, number[wiring.edges], wiring.inputs, wiring.outputs)


@pytest.mark.parametrize("numbers", [range(150), pytest.param(range(150, 1000), marks=pytest.mark.slow)])
def test_a_network_and_its_relabelled_copy_are_at_zero(numbers: range) -> None:
    rng = np.random.default_rng(5)
    for number in numbers:
        wiring = wiring_of(number)
        found = nnstd(wiring, relabelled(wiring, rng))
        assert found.value == 0, (number, found.layers)
        assert sorted(found.partner) == list(range(wiring.n_neurons))


@pytest.mark.parametrize("sort", range(5))
def test_no_numbering_changes_the_distance_of_others(sort: int) -> None:
    rng = np.random.default_rng(0)
    for number in range(sort, 60, 5):
        one, other = wiring_of(number), wiring_of(number + 100)
        if one.n_layers != other.n_layers:
            continue
        found = nnstd(one, other)
        assert nnstd(relabelled(one, rng), relabelled(other, rng)).value == pytest.approx(found.value, abs=1e-12)
        assert found.value > 0


def test_the_published_one_is_not_at_zero() -> None:
    """What `nnstd` mends: duplicate columns are matched by their numbers, and what follows reads others."""
    rng = np.random.default_rng(0)
    wiring = wiring_of(2)
    copy = relabelled(wiring, rng)

    def masks(own: Wiring) -> list[np.ndarray]:
        matrix = np.zeros((own.n_neurons, own.n_neurons))
        matrix[own.edges[:, 0], own.edges[:, 1]] = 1
        bounds = [own.neurons(index) for index in range(own.n_layers)]
        return [matrix[a.start : a.stop, b.start : b.stop] for a, b in itertools.pairwise(bounds)]

    assert nnstd_of_masks(masks(wiring), masks(copy))[0] > 0
    assert nnstd(wiring, copy).value == 0


@settings(max_examples=30)
@given(first=st.integers(0, 400), second=st.integers(0, 400))
def test_it_is_symmetric_and_between_zero_and_one(first: int, second: int) -> None:
    one, other = wiring_of(5 * first + 1), wiring_of(5 * second + 1)
    found, turned = nnstd(one, other), nnstd(other, one)
    assert found.value == pytest.approx(turned.value, abs=1e-12)
    assert found.layers == pytest.approx(turned.layers, abs=1e-12)
    assert 0 <= found.value <= 1
    assert nnstd(one, one).value == 0


def test_a_few_changed_edges_are_near_and_more_are_farther() -> None:
    rng = np.random.default_rng(3)
    wiring = Layered((30, 40, 30, 10), density=0.15, inputs=True, outputs=True).sample(rng)
    values = []
    for share in (0.0, 0.02, 0.1, 0.3, 1.0):
        edges = wiring.edges.copy()
        moved = rng.random(len(edges)) < share
        null = NullModel(wiring, "layers").sample(rng).edges
        edges = np.unique(np.concatenate([edges[~moved], null[rng.random(len(null)) < share]]), axis=0)
        values.append(nnstd(wiring, relabelled(Wiring(wiring.sizes, edges, True, True), rng)).value)
    assert values[0] == 0
    assert values == sorted(values)
    assert values[1] < 0.06
    assert values[-1] > 0.5


def test_a_narrower_layer_has_neurons_without_an_edge() -> None:
    wide = Wiring.from_masks([np.ones((4, 3)), np.ones((2, 4))], inputs=True, outputs=True)
    narrow = Wiring.from_masks([np.ones((3, 3)), np.ones((2, 3))], inputs=True, outputs=True)
    found = nnstd(wide, narrow)
    # One of four neurons reads what nobody does; outputs read three of the four.
    assert found.layers == pytest.approx((1 / 4, 1 / 4))
    assert nnstd(narrow, wide).layers == pytest.approx((1 / 4, 1 / 4))
    with_more = Wiring((3, 5, 2), wide.edges + (wide.edges >= 7), inputs=True, outputs=True)
    assert nnstd(wide, with_more).value == 0


@pytest.mark.parametrize(
    ("other", "line"),
    [
        (Wiring((3, 2, 2), inputs=True, outputs=True), "have other units: 4 and 3 inputs, 2 and 2 outputs"),
        (Wiring((4, 2, 2, 2), inputs=True, outputs=True), "have 3 and 4 layers"),
    ],
)
def test_what_cannot_be_matched_is_one_line(other: Wiring, line: str) -> None:
    own = Wiring((4, 2, 2), inputs=True, outputs=True)
    with pytest.raises(ValueError, match=re.escape(line)) as caught:
        nnstd(own, other)
    assert "\n" not in str(caught.value)


# The plainer ones


def test_edges_that_two_wirings_share() -> None:
    one, other = Wiring((4,), [(0, 1), (1, 2), (2, 3)]), Wiring((4,), [(0, 1), (1, 2), (3, 2)])
    assert edge_jaccard(one, other) == pytest.approx(1 - 2 / 4)
    assert edge_jaccard(one, one) == 0
    assert edge_jaccard(Wiring((4,)), Wiring((4,))) == 0
    with pytest.raises(ValueError, match="have other layers"):
        edge_jaccard(one, Wiring((5,)))


def test_densities_between_layers() -> None:
    one = Wiring((2, 2), [(0, 2), (0, 3)], inputs=True)
    other = Wiring((2, 2), [(0, 2), (2, 3), (3, 2), (1, 3)], inputs=True)
    assert density_distance(one, other) == pytest.approx(np.mean([0.0, 0.5]))
    assert density_distance(Wiring((3,)), Wiring((3,))) == 0
    with pytest.raises(ValueError, match="1 and 2 layers"):
        density_distance(Wiring((3,)), Wiring((3, 3)))


def test_spectra_do_not_depend_on_the_numbering() -> None:
    rng = np.random.default_rng(0)
    wiring = wiring_of(11)
    assert spectral_distance(wiring, relabelled(wiring, rng)) == pytest.approx(0, abs=1e-9)
    assert spectral_distance(wiring, wiring_of(12)) > 0.01
    assert spectral_distance(Wiring((3,)), Wiring((4,))) == 0
    large = Wiring((450,), np.unique(rng.integers(450, size=(3000, 2)), axis=0))
    dense = np.linalg.svd(large.csr().toarray().astype(float), compute_uv=False)[:50] / np.sqrt(large.n_edges)
    assert spectral_distance(large, Wiring((3,))) == pytest.approx(np.linalg.norm(dense) / np.sqrt(50), rel=1e-6)
