"""Pruning with retraining, of MLPs and RNNs, in both engines; and what scores measure, against autograd."""

import copy
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from nas import InputError
from nas.networks import SequenceNetwork, SparseMLP
from nas.sparsity import EmptyLayerError, method_of
from nas.sparsity.hessian import input_products, inverse_diagonal
from nas.sparsity.iterative import IterativePruning, PruningStep, prune_iteratively
from nas.sparsity.layers import Live
from nas.sparsity.learning import learn
from nas.sparsity.measured import input_products_of, loss_curvature, measured, surgery
from nas.sparsity.network import layers_of
from nas.sparsity.scores import score
from nas.tasks import Task
from nas.training import Recipe, train
from nas.training.extension import has_native
from nas.training.places import places_of, wired_parts
from priors import Wiring, attach

RECIPE = Recipe(epochs=3, batch_size=16, learning_rates=0.01, schedule="constant")
STILL = Recipe(optimizer="sgd", momentum=0.0, epochs=1, batch_size=200, learning_rates=1e-30, schedule="constant")
MLP_SCORES = ("random", "magnitude", "activation", "snip", "synflow", "set", "obd", "obs")
KINDS = ("mlp", "tanh", "relu", "gru", "lstm")


@pytest.fixture(params=["native", "torch"])
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "native" and not has_native():
        pytest.skip("the compiled engine was not built")
    return str(request.param)


def task_of(kind: str, n: int = 120) -> Task:
    rng = np.random.default_rng(0)
    targets = rng.integers(3, size=n)
    shape = (n, 8) if kind == "mlp" else (n, 4, 8)
    inputs = rng.normal(size=shape) + targets.reshape(n, *[1] * (len(shape) - 1))
    lengths = None if kind == "mlp" else rng.integers(2, 5, size=n)
    return Task.from_arrays("classes", inputs, targets, lengths=lengths)


def network_of(kind: str, dtype: torch.dtype = torch.float32) -> nn.Module:
    if kind == "mlp":
        wiring = Wiring.from_masks([np.ones((9, 8)), np.ones((7, 9)), np.ones((3, 7))], inputs=True, outputs=True)
        return SparseMLP(wiring, rng=0, dtype=dtype)
    wiring = attach(Wiring((10,), np.argwhere(np.ones((10, 10)))), 8, 3, "natural")
    return SequenceNetwork(wiring, kind, rng=0).to(dtype)


def in_double(network: nn.Module) -> nn.Module:
    network.register_forward_pre_hook(lambda _, given: (given[0].double(), *given[1:]))
    return network


def live_of(network: nn.Module) -> Live:
    weight = np.concatenate([part.weight.detach().double().numpy() for part in wired_parts(network)])
    return Live(layers_of(network), places_of(wired_parts(network)), weight)


def pruned(
    network: nn.Module, kind: str, engine: str = "auto", recipe: Recipe = RECIPE, **given: Any
) -> Iterator[PruningStep]:
    of_function = {name: given.pop(name) for name in ("weights", "layers", "initial") if name in given}
    how = IterativePruning(**{"rate": 0.5, **given})
    return prune_iteratively(
        network, task_of(kind), recipe, how, rng=3, engine=engine, **{"weights": 20, **of_function}
    )


@pytest.mark.skipif(not has_native(), reason="the compiled engine was not built")
@pytest.mark.parametrize(
    ("kind", "score", "allocation"),
    [
        *(("mlp", score, "class-blinded") for score in MLP_SCORES),
        ("mlp", "magnitude", "class-uniform"),
        ("mlp", "magnitude", "class-distributed"),
        *((kind, score, "class-blinded") for kind in KINDS[1:] for score in ("magnitude", "obs")),
    ],
)
def test_engines_prune_the_same(kind: str, score: str, allocation: str) -> None:
    """In float64, over four steps: the same structure, and the same weights to the rounding of floats."""
    found = []
    for engine in ("native", "torch"):
        network = network_of(kind, torch.float64)
        if engine == "torch":
            in_double(network)
        train(network, task_of(kind), RECIPE, rng=1, engine=engine)
        steps = list(pruned(network, kind, engine, score=score, allocation=allocation, weights=40, may_empty=True))
        found.append((live_of(network), [step.history.value for step in steps]))
    (native, values), (plain, others) = found
    assert np.array_equal(native.slots, plain.slots)
    np.testing.assert_allclose(native.weight, plain.weight, rtol=1e-6, atol=1e-8)
    assert values == pytest.approx(others)


@pytest.mark.parametrize("kind", ["mlp", "gru"])
@pytest.mark.parametrize("share", [{"rate": 0.3}, {"rate": None, "number": 37}, {"rate": None}])
def test_the_lowest_go_in_exact_numbers_and_nothing_comes_back(kind: str, share: dict[str, Any], engine: str) -> None:
    network = network_of(kind)
    train(network, task_of(kind), RECIPE, rng=1, engine=engine)
    before = live_of(network)
    expected, total = [], before.n
    while total > 50:
        gone = int(0.3 * total) if share.get("rate") else share.get("number", total)
        total = max(50, total - gone)
        expected.append(total)
    counts = []
    for step in pruned(network, kind, engine, weights=50, **share):
        # What was dropped was lower than all that stayed, when it was dropped.
        live = live_of(network)
        stays = np.isin(before.slots, live.slots)
        assert np.isin(live.slots, before.slots).all()
        assert np.abs(before.weight[~stays]).max() <= np.abs(before.weight[stays]).min()
        assert live.n == step.weights == sum(step.counts)
        assert live.counts().tolist() == list(step.counts)
        assert len(step.history.epochs) == 2
        counts.append(step.weights)
        before = live
    assert counts == expected


@pytest.mark.parametrize("kind", ["mlp", "lstm"])
def test_a_retraining_starts_from_what_it_is_told_to(kind: str, engine: str) -> None:
    network = network_of(kind)
    initial = copy.deepcopy(network)
    train(network, task_of(kind), RECIPE, rng=1, engine=engine)
    trained = copy.deepcopy(network)
    for restart, start in ((False, trained), (True, initial)):
        own = copy.deepcopy(trained)
        for _ in pruned(own, kind, engine, STILL, restart=restart, initial=initial, weights=50):
            live, whole = live_of(own), live_of(start)
            assert np.array_equal(live.weight, whole.weight[np.searchsorted(whole.slots, live.slots)])
            for part, other in zip(wired_parts(own), wired_parts(start), strict=True):
                torch.testing.assert_close(part.bias_vector, other.bias_vector, rtol=0, atol=1e-25)


def test_a_retraining_ends_where_nothing_is_gained(engine: str) -> None:
    network = network_of("mlp")
    train(network, task_of("mlp"), RECIPE, rng=1, engine=engine)
    still = list(pruned(copy.deepcopy(network), "mlp", engine, STILL, epochs=7, gain=0.001))
    assert all(len(step.history.epochs) == 1 for step in still)
    assert all(step.history.value == pytest.approx(step.pruned.metric) for step in still)
    for step in pruned(network, "mlp", engine, epochs=7, gain=0.05):
        metrics = [step.pruned.metric, *(epoch.validation_metric for epoch in step.history.epochs)]
        gains = [after - before for before, after in pairwise(metrics)]
        assert all(gain >= 0.05 for gain in gains[:-1])
        assert gains[-1] < 0.05 or len(gains) == 7


@pytest.mark.parametrize("layers", [["layer 1"], ["layer 1 recurrent"], ["layer 1", "layer 1 recurrent"]])
def test_only_the_layers_asked_for_are_pruned(layers: list[str], engine: str) -> None:
    network = network_of("gru")
    train(network, task_of("gru"), RECIPE, rng=1, engine=engine)
    whole = live_of(network)
    names = [layer.name for layer in whole.layers]
    rest = {name: count for name, count in zip(names, whole.counts().tolist(), strict=True) if name not in layers}
    (step,) = pruned(network, "gru", engine, rate=None, weights=30, layers=layers)
    by_name = dict(zip(names, step.counts, strict=True))
    assert {name: by_name[name] for name in rest} == rest
    assert sum(by_name[name] for name in layers) == 30
    (step,) = pruned(network, "gru", engine, rate=None, weights=0, layers=layers, may_empty=True)
    assert sum(dict(zip(names, step.counts, strict=True))[name] for name in layers) == 0


def test_pruning_ends_before_a_layer_is_empty(engine: str) -> None:
    network = network_of("mlp")
    with torch.no_grad():
        first = network.blocks[0].size  # type: ignore[index,union-attr]
        network.weight[:first] *= 1e-3  # type: ignore[operator]
    steps = pruned(network, "mlp", engine, STILL, rate=0.4, weights=10)
    assert next(steps).counts == (10, 63, 21)
    with pytest.raises(EmptyLayerError, match="layer 'layer 1' would keep none of its 10 weights"):
        next(steps)
    assert live_of(network).n == 94


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"rate": 0.5, "number": 3}, "rate=0.5, number=3: a step removes a share or a number, not both"),
        ({"rate": 1.5}, "rate"),
        ({"score": "magnitud"}, "score"),
        ({"score": "set-released"}, "score=set-released"),
        ({"allocation": "blind"}, "allocation"),
        ({"layers": ["layer 7"]}, "layer"),
        ({"restart": True}, "restart=true: the network before it was trained is needed"),
        ({"weights": 157}, "157 weights were to be kept where 156 live"),
    ],
)
def test_what_cannot_be_is_one_line(given: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError, match=line) as caught:
        list(pruned(network_of("mlp"), "mlp", **given))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("score", ["obd", "synflow"])
def test_what_recurrent_networks_do_not_have_is_refused(score: str) -> None:
    with pytest.raises(InputError, match=f"score={score}: it is for MLPs"):
        list(pruned(network_of("gru"), "gru", score=score))


# What scores measure


def skipping(activation: str = "tanh") -> SparseMLP:
    """Return a sparse network with edges over layers."""
    rng = np.random.default_rng(2)
    layer = np.repeat([0, 1, 2, 3], [8, 6, 3, 3])
    edges = np.argwhere((layer[:, None] < layer) & (rng.random((20, 20)) < 0.6))
    wiring = Wiring((8, 6, 3, 3), edges, True, True)
    return SparseMLP(wiring, activation, rng=0, dtype=torch.float64)


@pytest.mark.parametrize("activation", ["tanh", "relu", "identity"])
def test_curvature_is_the_diagonal_of_the_hessian(activation: str) -> None:
    network, task = skipping(activation), task_of("mlp")
    x, y = task.inputs[:30].double(), task.targets[:30]

    def loss(weight: torch.Tensor) -> torch.Tensor:
        outputs = torch.func.functional_call(network, {"weight": weight}, (x,))
        return nn.functional.cross_entropy(outputs, y)

    hessian = torch.autograd.functional.hessian(loss, network.weight.detach())
    found = loss_curvature(live_of(network), network, task, torch.arange(30))
    assert found == pytest.approx(hessian.diagonal().numpy(), rel=1e-7, abs=1e-12)
    assert (found != 0).mean() > 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_products_are_of_what_layers_read(kind: str) -> None:
    """Against the states that the network gives step by step, sequence by sequence."""
    network, task = network_of(kind, torch.float64), task_of(kind)
    found = input_products_of(network, task, 9)
    with torch.no_grad():
        if isinstance(network, SparseMLP):
            x = task.inputs[task.train[:9]].double()
            first = torch.relu(x @ network.matrices()[0].T + network.bias[:9])
            second = torch.relu(first @ network.matrices()[1].T + network.bias[9:16])
            reads = [x, first, second]
        else:
            assert isinstance(network, SequenceNetwork)
            assert task.lengths is not None
            inputs, before, ends = [], [], []
            for example in task.train[:9]:
                sequence = task.inputs[example, : task.lengths[example]].double()
                states = network.rnn(sequence)[0]
                inputs.append(sequence)
                before += [torch.zeros(1, 10).double(), states[:-1]]
                ends.append(states[-1])
            reads = [torch.cat(inputs), torch.cat(before), torch.stack(ends)]
    for own, read in zip(found, reads, strict=True):
        np.testing.assert_allclose(own, input_products(read.numpy()), rtol=1e-9, atol=1e-12)


def test_surgery_keeps_sums_nearer_to_what_they_were() -> None:
    network, task = network_of("mlp", torch.float64), task_of("mlp")
    live = live_of(network)
    products = input_products_of(network, task)
    diagonal = inverse_diagonal(live.layers[0], live.slots[:72], products[0])
    lost = 0.5 * live.weight[:72] ** 2 / diagonal
    kept = np.concatenate([np.sort(np.argsort(lost)[30:]), np.arange(72, live.n)])
    changed = surgery(live, kept, products)
    gone = np.setdiff1d(np.arange(live.n), kept)
    assert not changed[gone].any()
    assert np.array_equal(changed[72:], live.weight[72:])
    x = task.inputs[task.train].double().numpy()
    whole = live.weight[:72].reshape(9, 8)
    cut, mended = whole.copy(), changed[:72].reshape(9, 8)
    cut.ravel()[gone] = 0
    errors = [float(((x @ (own - whole).T) ** 2).mean()) for own in (cut, mended)]
    assert errors[1] < 0.5 * errors[0]


def test_synflow_is_what_flows_through_each_weight() -> None:
    """By leaving a weight out: paths that go through it carry that much of the sum."""
    network = skipping()
    live = measured(live_of(network), network, task_of("mlp"), {"flow"})
    own = score("synflow", live, np.random.default_rng(0))
    edges, weights = network.live_weights().edges, np.abs(live.weight)

    def total(weights: np.ndarray) -> float:
        values = np.concatenate([np.ones(8), np.zeros(12)])
        for neuron in range(8, 20):
            into = edges[:, 1] == neuron
            values[neuron] = values[edges[into, 0]] @ weights[into]
        return float(values[17:].sum())

    without = [total(np.where(np.arange(len(weights)) == index, 0, weights)) for index in range(len(weights))]
    assert own == pytest.approx(total(weights) - np.array(without), rel=1e-9)
    last = edges[:, 1] >= 17
    assert own[last].sum() == pytest.approx(total(weights))


@pytest.mark.parametrize("score", ["obd", "obs"])
def test_second_derivatives_prune_while_a_network_is_trained(score: str, engine: str) -> None:
    method = method_of("gmp", score=score, allocation="class-blinded", every=4)
    found = learn(network_of("mlp"), task_of("mlp"), RECIPE, method, weights=60, rng=0, engine=engine)
    assert found.snapshots[-1].weights == 60


def test_the_block_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "sparsity.md"
    section = page.read_text(encoding="utf-8").split("## Pruning with retraining")[1]
    (block,) = re.findall(r"```python\n(.*?)```", section.split("\n## ")[0], re.DOTALL)
    exec(block, {})
    weights = [int(line.split()[0]) for line in capsys.readouterr().out.splitlines()]
    assert weights == [1110, 555, 278, 200]


def test_trained_weights_are_not_normalised_anew() -> None:
    pruning = IterativePruning(epochs=1)
    with pytest.raises(InputError, match=r"^normalise=true: a retraining would not go on .* give restart=true"):
        next(prune_iteratively(*(network_of("mlp"), task_of("mlp"), Recipe(normalise=True), pruning), weights=20))
