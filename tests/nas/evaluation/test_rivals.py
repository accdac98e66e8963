"""Rivals of what was found within a budget: within it too, as large as they may be, and chosen by validation."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nas.evaluation import finals
from nas.evaluation.finals import _choose
from nas.evaluation.references import (
    COUNTS,
    DEGREES,
    EQUAL_PARAMETERS,
    LINEAR,
    ONE_SHOT,
    PRUNED_LINEAR,
    RETRAINED,
    Contender,
)
from nas.evaluation.rivals import _SHAPES, Rival, rivals_of, structures_of
from nas.evaluation.trainer import Trainer
from nas.evaluation.watcher import Watcher
from nas.networks import NetworkSpec
from nas.networks.cells import CELLS
from nas.space.budget import Budget
from nas.space.designs import WaySpace
from nas.space.way import Way
from nas.space.ways import Ways
from nas.tasks import load_task, pooled
from nas.training import History, Recipe, Training
from priors import Wiring

DIGITS, REBER = load_task("digits"), load_task("reber")


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def space(budget: str, task: Any = DIGITS, cell: str = "gru", **options: Any) -> WaySpace:
    spec = NetworkSpec("rnn", cell=cell) if task.is_sequence else NetworkSpec("mlp")
    return WaySpace(Ways(**options), Budget.of(budget), 32, task, spec, (0.01,))


def by_name(own: WaySpace) -> dict[str, tuple[Contender, ...]]:
    return {rival.name: rival.variants for rival in rivals_of(own)}


def cost(own: WaySpace, spec: NetworkSpec, wiring: Wiring) -> int:
    parts = spec.n_parameters(wiring)
    return parts["total"] - (0 if own.budget.counts_biases else parts["biases"])


def dense_cost(own: WaySpace, widths: list[int], pool: int) -> int:
    """What a dense network costs that reads all inputs that vary."""
    sizes = [own.means(pool).n_live, *widths, own.task.n_outputs]
    weights = sum(before * after for before, after in pairwise(sizes))
    return weights + (sum(sizes[1:]) if own.budget.counts_biases else 0)


@pytest.mark.parametrize("budget", ["120", "300", "1000", "3000", "6kB", "900MAC"])
def test_dense_networks_are_as_wide_as_they_may_be(budget: str):
    own = space(budget)
    found = by_name(own)[EQUAL_PARAMETERS]
    assert len({(each.wiring.fingerprint, each.way) for each in found}) == len(found)
    for each in found:
        pool, widths = each.way.pool, list(each.wiring.sizes[1:-1])
        live = own.means(pool).inputs.live
        assert cost(own, each.spec, each.wiring) == dense_cost(own, widths, pool) <= own.limit
        assert each.wiring.sizes[0] == own.means(pool).inputs.n_inputs
        assert set(each.wiring.edges[each.wiring.edges[:, 0] < each.wiring.n_inputs, 0].tolist()) == set(live.tolist())
        assert min(widths) >= 4
        # One unit more, of one of the shapes that it can be of, costs too much.
        grown = []
        for shares in (shares for shares in _SHAPES if len(shares) == len(widths)):
            units = [unit for unit in range(1, 2000) if [max(round(share * unit), 1) for share in shares] == widths]
            grown += [[max(round(share * (unit + 1)), 1) for share in shares] for unit in units[-1:]]
        assert grown
        assert any(dense_cost(own, wider, pool) > own.limit for wider in grown)
        assert each.way == Way(pool=pool)


def test_several_depths_and_every_transform_are_tried():
    found = by_name(space("3000", pools=(1, 2)))[EQUAL_PARAMETERS]
    assert Counter(each.way.pool for each in found) == {1: 7, 2: 7}
    assert {each.wiring.n_layers - 2 for each in found} == {1, 2, 3}


@pytest.mark.parametrize(
    ("budget", "pools", "linear", "pruned"),
    [("1000", (1, 2), [1, 2], []), ("300", (1, 2), [2], [1]), ("100", (1, 2), [], [1, 2]), ("590MAC", 1, [1], []),
     ("589MAC", 1, [], [1])],
)  # fmt: skip
def test_linear_networks_stand_where_they_fit_and_are_pruned_elsewhere(
    budget: str, pools: Any, linear: list[int], pruned: list[int]
):
    own = space(budget, pools=pools)
    assert own.means(1).n_live == 59
    found = by_name(own)
    assert [each.way.pool for each in found.get(LINEAR, ())] == linear
    assert [each.way.pool for each in found.get(PRUNED_LINEAR, ())] == pruned
    for each in (*found.get(LINEAR, ()), *found.get(PRUNED_LINEAR, ())):
        assert each.wiring.n_hidden == 0
        assert each.wiring.n_edges == 10 * own.means(each.way.pool).n_live
        assert (each.way.limit is None) == (each.name == LINEAR)
    assert all(cost(own, each.spec, each.wiring) <= own.limit for each in found.get(LINEAR, ()))


def test_what_is_pruned_at_once_is_larger_than_the_budget():
    found = by_name(space("3000", pools=(1, 4)))
    # 100 neurons that read 4 means have 1,510 parameters: there is nothing to prune.
    assert [each.way.pool for each in found[ONE_SHOT]] == [1]
    (each,) = found[ONE_SHOT]
    assert (each.wiring.n_hidden, each.way.limit, each.way.keeps) == (100, 3000, None)
    assert each.way.method is not None
    assert each.way.method.pruning == "one-shot"
    assert str(each.way.method.begin) == "50%"


def test_names_of_tiny_and_large_budgets():
    assert list(by_name(space("120"))) == [EQUAL_PARAMETERS, PRUNED_LINEAR, ONE_SHOT]
    assert list(by_name(space("40", pools=1))) == [PRUNED_LINEAR, ONE_SHOT]
    assert list(by_name(space("50k"))) == [EQUAL_PARAMETERS, LINEAR]


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_recurrent_rivals(cell: str):
    own = space("600", REBER, cell)
    found = by_name(own)
    (dense,) = found[EQUAL_PARAMETERS]
    width, kind = dense.wiring.n_hidden, CELLS[cell]
    n_live, n_outputs = own.means(1).n_live, own.task.n_outputs

    def parameters(n: int) -> int:
        return kind.gates * (n_live * n + n * n) + kind.biases * n + n_outputs * (n + 1)

    assert cost(own, own.spec, dense.wiring) == parameters(width) <= 600 < parameters(width + 1)
    (linear,) = found[LINEAR]
    assert linear.spec.kind == "linear-mean"
    assert linear.wiring.n_edges == n_live * n_outputs
    assert list(found) == [EQUAL_PARAMETERS, LINEAR, ONE_SHOT]


# Which of them stands beside the winner


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_the_best_variant_by_validation_is_taken(direction: str, executor: Executor, monkeypatch: pytest.MonkeyPatch):
    wirings = [Wiring((4, n, 2), [(0, 4), (4, 4 + n)], inputs=True, outputs=True) for n in (1, 2, 3)]
    spec = NetworkSpec("mlp")
    values = {(1, 0.1): 0.3, (1, 0.2): 0.6, (2, 0.1): 0.9, (2, 0.2): 0.1, (3, 0.1): 0.5, (3, 0.2): 0.5}
    replicates = set()

    def train(_: Trainer, wiring: Wiring, replicate: int, rate: float, spec: NetworkSpec, way: Way) -> Any:
        replicates.add(replicate)
        history = History((), values[wiring.n_hidden, rate], False, 1, 0.0, "torch")
        return Training(wiring, spec, DIGITS, SimpleNamespace(history=lambda: history), rate, replicate)  # type: ignore[arg-type]

    monkeypatch.setattr(Trainer, "train", train)
    task = SimpleNamespace(direction=direction)
    own = Trainer(task, spec, Recipe(learning_rates=(0.1, 0.2)), 0)  # type: ignore[arg-type]
    rivals = [
        Rival("all", tuple(Contender("all", wiring, spec, Way(pool=2)) for wiring in wirings)),
        Rival("equal", (Contender("equal", wirings[2], spec),)),
    ]
    first, second = _choose(own, rivals, executor, Watcher())
    best = (2, 0.1) if direction == "maximize" else (2, 0.2)
    assert (first.name, first.wiring.n_hidden, first.way) == ("all", 2, Way(pool=2, learning_rate=best[1]))
    assert (second.name, second.way.learning_rate) == ("equal", 0.1)  # The first of equals.
    assert replicates == {finals._CHOOSING}


# What the winner's structure is worth


def test_structures_share_what_their_names_say():
    own = space("300", pools=2)
    rng = np.random.default_rng(0)
    edges = np.argwhere(rng.random((16, 9)) < 0.4) + np.array([0, 16])
    heads = np.argwhere(rng.random((9, 10)) < 0.6) + np.array([16, 25])
    wiring = Wiring((16, 9, 10), np.concatenate([edges, heads]), inputs=True, outputs=True)
    found: Any = SimpleNamespace(wiring=wiring, task=pooled(DIGITS, 2), learning_rate=0.07, spec=own.spec)
    way = Way(pool=2)
    shared = structures_of(found, way, 4, np.random.default_rng(1))
    assert Counter(each.name for each in shared) == {DEGREES: 4, COUNTS: 4}
    learned = structures_of(found, own.way({**PARAMS, "pool": "2"}), 3, np.random.default_rng(1))
    assert Counter(each.name for each in learned) == {RETRAINED: 1, DEGREES: 3, COUNTS: 3}
    assert learned[0].wiring == wiring
    for each in (*shared, *learned):
        assert each.way == Way(pool=2, learning_rate=0.07)
        assert each.wiring.sizes == wiring.sizes
        assert each.wiring.n_edges == wiring.n_edges
        same = [np.bincount(own.edges.ravel(), minlength=35).tolist() for own in (each.wiring, wiring)]
        assert (same[0] == same[1]) == (each.name != COUNTS)
    assert len({each.wiring.fingerprint for each in shared}) == 8


PARAMS = {"way": "pruned", "score": "magnitude", "until": 0.5, "parent_depth": 1, "learning_rate": 0.07}


def test_few_shapes_are_tried_at_more_learning_rates():
    own = space("300", pools=1)
    several = WaySpace(own.options, own.budget, 32, own.task, own.spec, (0.01, 0.03, 0.1))
    few, more = by_name(own)[EQUAL_PARAMETERS], by_name(several)[EQUAL_PARAMETERS]
    rates = {each.way.learning_rate for each in more}
    assert len(more) == len(few) * len(rates) >= 30
    assert {0.01, 0.1} <= rates
    assert all(rate is not None and 0.01 <= rate <= 0.1 for rate in rates)
    assert {each.wiring.fingerprint for each in more} == {each.wiring.fingerprint for each in few}


def test_many_shapes_keep_to_the_rates_of_the_recipe():
    own = space("3000", pools=(1, 2))
    several = WaySpace(own.options, own.budget, 32, own.task, own.spec, (0.01, 0.03, 0.1))
    found = by_name(several)[EQUAL_PARAMETERS]
    assert len(found) == 14
    assert {each.way.learning_rate for each in found} == {None}
