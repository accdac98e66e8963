"""Allocations: published densities, exact totals, bounds, and which weights are kept."""

import dataclasses
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.errors import InputError
from nas.sparsity.allocation import (
    ALLOCATIONS,
    EmptyLayerError,
    allocate,
    erk_densities,
    select,
    set_counts,
    total_of,
)
from nas.sparsity.layers import Layer, Live, stack


def layers_of(*sizes: int) -> tuple[Layer, ...]:
    """Return the layers of an MLP."""
    return stack({f"layer{i}": (sizes[i + 1], sizes[i]) for i in range(len(sizes) - 1)})


LENET, CIFAR = layers_of(784, 300, 100, 10), layers_of(3072, 1024, 512, 10)


@pytest.mark.parametrize(
    ("layers", "density", "expected"),
    [
        (LENET, 0.5, [0.4341, 1, 1]),
        (LENET, 0.2, [0.1622, 0.4694, 1]),
        (LENET, 0.1, [0.0796, 0.2302, 1]),
        (LENET, 0.05, [0.0385, 0.1113, 0.9185]),
        (LENET, 0.02, [0.0154, 0.0445, 0.3674]),
        (LENET, 0.01, [0.0077, 0.0223, 0.1837]),
        (CIFAR, 0.2, [0.1687, 0.3797, 1]),
        (CIFAR, 0.1, [0.0838, 0.1885, 1]),
        (CIFAR, 0.05, [0.0413, 0.0929, 1]),
        (CIFAR, 0.01, [0.0078, 0.0175, 0.6089]),
    ],
)
def test_erk_densities_are_those_of_the_released_code(layers, density: float, expected: list[float]):
    found = erk_densities(layers, density)
    assert found == pytest.approx(expected, abs=5.1e-5)
    total = total_of(layers, density)
    counts = allocate("erk", layers, total)
    assert counts.sum() == total
    for count, each, layer in zip(counts, found, layers, strict=True):
        assert abs(count - each * layer.size) < 2


def test_zeros_by_floor():
    found = erk_densities(LENET, 0.05)
    zeros = [math.floor((1 - each) * layer.size) for each, layer in zip(found, LENET, strict=True)]
    assert zeros == [226148, 26659, 81]


def released_erk(shapes: list[tuple[int, int]], density: float) -> list[float]:
    """Compute ERK densities anew, in the plainest way: exact total, largest raw value first."""
    sizes = [a * b for a, b in shapes]
    raw = [(a + b) / (a * b) for a, b in shapes]
    dense: set[int] = set()
    while True:
        rest = density * sum(sizes) - sum(sizes[i] for i in dense)
        eps = rest / sum(raw[i] * sizes[i] for i in range(len(sizes)) if i not in dense)
        top = max(raw[i] for i in range(len(sizes)) if i not in dense)
        if eps * top <= 1:
            return [1.0 if i in dense else eps * raw[i] for i in range(len(sizes))]
        dense |= {i for i in range(len(sizes)) if raw[i] == top}


@given(st.lists(st.integers(1, 60), min_size=3, max_size=6), st.floats(0.02, 0.98))
def test_exact_erk_counts_are_the_densities_rounded(sizes: list[int], density: float):
    layers = layers_of(*sizes)
    total = max(total_of(layers, density), len(layers))
    expected = released_erk([layer.shape for layer in layers], total / sum(layer.size for layer in layers))
    counts = allocate("erk", layers, total, at_least=1)
    assert counts.sum() == total
    lifted = sum(each * layer.size < 1 for each, layer in zip(expected, layers, strict=True))
    for count, each, layer in zip(counts, expected, layers, strict=True):
        assert abs(count - each * layer.size) < 1 + 1e-6 + lifted


@pytest.mark.parametrize(
    ("epsilon", "shape", "density"),
    [(20, (1000, 784), 0.045510), (20, (1000, 1000), 0.04), (13, (1000, 784), 0.029582), (13, (1000, 1000), 0.026),
     (20, (10, 1000), 1.0)],
)  # fmt: skip
def test_densities_of_set(epsilon: float, shape: tuple[int, int], density: float):
    layers = stack({"a": shape})
    assert set_counts(layers, epsilon)[0] / layers[0].size == pytest.approx(density, abs=1e-6)


def test_er_and_erk_differ_for_convolutions_alone():
    flat = LENET[:2]
    assert allocate("er", flat, 5000).tolist() == allocate("erk", flat, 5000).tolist()
    layers = (Layer("conv", (8, 4 * 9), 0, kernel=(3, 3)), Layer("linear", (10, 32), 288))
    er, erk = allocate("er", layers, 200), allocate("erk", layers, 200)
    # Raw values: 12/32 against 42/320, and 18/288 against the same.
    assert er[0] / er[1] == pytest.approx((12 / 32 * 288) / (42 / 320 * 320), rel=0.03)
    assert erk[0] / erk[1] == pytest.approx(18 / 42, rel=0.03)
    assert erk_densities(layers, 0.2)[0] / erk_densities(layers, 0.2)[1] == pytest.approx((18 / 288) / (42 / 320))


SIZES = st.lists(st.integers(1, 30), min_size=2, max_size=6)


def random_live(sizes: list[int], seed: int, share: float = 0.7) -> Live:
    layers, rng = layers_of(*sizes), np.random.default_rng(seed)
    slots = np.flatnonzero(rng.random(layers[-1].stop) < share)
    return Live(layers, slots, rng.standard_normal(len(slots)))


@given(SIZES, st.integers(0, 5), st.sampled_from(sorted(ALLOCATIONS)), st.data())
def test_totals_are_exact_and_within_bounds(sizes: list[int], seed: int, name: str, data):
    live = random_live(sizes, seed)
    floor = sum(min(1, int(count)) for count in live.counts())
    total = data.draw(st.integers(floor, live.n))
    scores = np.abs(live.weight)
    counts = allocate(name, live, total, scores, at_least=1)
    assert counts.sum() == total
    assert (counts <= live.counts()).all()
    assert (counts >= np.minimum(live.counts(), 1)).all()
    assert np.count_nonzero(select(live, scores, counts)) == total


@given(SIZES, st.integers(0, 5), st.data())
def test_uniform_shares_are_within_one_weight(sizes: list[int], seed: int, data):
    live = random_live(sizes, seed)
    total = data.draw(st.integers(len(live.layers), max(live.n, len(live.layers))))
    if total > live.n:
        return
    try:
        counts = allocate("class-uniform", live, total)
    except EmptyLayerError:
        return
    assert np.abs(counts - live.counts() * (total / max(live.n, 1))).max() < 1
    size = sum(layer.size for layer in live.layers)
    if (live.counts() >= [layer.size * total / size for layer in live.layers]).all():
        dense = allocate("uniform", live, total, at_least=1)
        assert dense.sum() == total


@given(SIZES, st.integers(0, 5), st.data())
def test_class_blinded_keeps_the_highest_of_all(sizes: list[int], seed: int, data):
    live = random_live(sizes, seed)
    # Ties, too: rounded weights.
    scores = np.abs(np.round(live.weight, 1))
    total = data.draw(st.integers(0, live.n))
    try:
        counts = allocate("class-blinded", live, total, scores)
    except EmptyLayerError:
        return
    dropped = np.argsort(scores, kind="stable")[: live.n - total]
    assert np.flatnonzero(~select(live, scores, counts)).tolist() == sorted(dropped.tolist())


@pytest.mark.parametrize("std", ["all", "live"])
def test_class_distributed_divides_by_the_layers_deviation(std: str):
    live = random_live([7, 9, 5, 3], 1, 0.4)
    # Layers with very different means, which zeros pull down.
    live = dataclasses.replace(live, weight=live.weight + np.repeat([0.0, 3.0, 0.5], live.counts()))
    scores, bounds = np.abs(live.weight), live.bounds()
    scaled = scores.copy()
    for layer, first, stop in zip(live.layers, bounds[:-1], bounds[1:], strict=True):
        entries = np.zeros(layer.size)
        entries[live.slots[first:stop] - layer.first] = live.weight[first:stop]
        spread = entries.std() if std == "all" else live.weight[first:stop].std()
        scaled[first:stop] /= spread
    counts = allocate("class-distributed", live, live.n // 2, scores, std=std)
    kept = np.zeros(live.n, bool)
    kept[np.argsort(-scaled)[: live.n // 2]] = True
    assert select(live, scores, counts).tolist() == kept.tolist()
    with pytest.raises(InputError, match="std 'some' is not known"):
        allocate("class-distributed", live, 40, scores, std="some")


def test_dense_layers_count_within_the_total():
    counts = allocate("uniform", LENET, 5000, dense=["layer2"])
    assert counts.sum() == 5000
    assert counts[2] == 1000
    assert counts[0] / 235200 == pytest.approx(counts[1] / 30000, rel=0.01)
    live = random_live([5, 6, 4], 0)
    counts = allocate("class-blinded", live, 25, np.abs(live.weight), dense=["layer1"])
    assert counts.tolist() == [25 - live.counts()[1], live.counts()[1]]
    with pytest.raises(InputError, match=re.escape("hold 1000 weights, more than the 900 in all")):
        allocate("uniform", LENET, 900, dense=["layer2"])
    with pytest.raises(InputError, match="nearest: layer2"):
        allocate("uniform", LENET, 900, dense=["layer22"])


def test_dense_layers_lend_nothing_to_layers_below_their_least_number():
    assert allocate("uniform", LENET, 1002, at_least=1, dense=["layer2"]).tolist() == [1, 1, 1000]
    with pytest.raises(EmptyLayerError, match="keep at least 1002"):
        allocate("uniform", LENET, 1001, at_least=1, dense=["layer2"])


def test_an_empty_layer_is_an_error_that_names_it():
    live = Live(stack({"in": (2, 2), "out": (1, 2)}), np.arange(6), np.array([3.0, 4, 5, 6, 0.1, 0.2]))
    with pytest.raises(EmptyLayerError, match="layer 'out' would keep none of its 2 weights"):
        allocate("class-blinded", live, 4, np.abs(live.weight))
    assert allocate("class-blinded", live, 4, np.abs(live.weight), at_least=1).tolist() == [3, 1]
    with pytest.raises(EmptyLayerError, match="1 weights are too few for 1 in every layer"):
        allocate("class-blinded", live, 1, np.abs(live.weight), at_least=1)
    assert issubclass(EmptyLayerError, InputError)


def test_the_sizes_of_huge_layers_are_whole_numbers():
    layers = stack({"a": (10**6, 10**6), "b": (10**6, 10**6), "c": (10, 10**6)})
    counts = allocate("uniform", layers, 10_000_001)
    assert counts.sum() == 10_000_001
    assert counts.tolist() == [4_999_976, 4_999_975, 50]


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: total_of(LENET, 0.0), "0 < density <= 1"),
        (lambda: total_of(LENET, 1.5), "0 < density <= 1"),
        (lambda: total_of(LENET, float("nan")), "0 < density <= 1"),
        (lambda: allocate("uniform", LENET, 10**7), "there is room for 266200"),
        (lambda: allocate("erc", LENET, 100), "nearest: er"),
        (lambda: allocate("class-blinded", LENET, 100), "scores of live weights"),
        (lambda: set_counts(LENET, 0), "above 0"),
        (lambda: select(random_live([3, 3], 0), np.zeros(random_live([3, 3], 0).n), [99]), "was to keep 99"),
    ],
)
def test_bad_allocations_are_one_line(call, line: str):
    with pytest.raises(InputError, match=re.escape(line)) as caught:
        call()
    assert "\n" not in str(caught.value)
