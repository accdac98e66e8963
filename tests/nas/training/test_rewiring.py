"""Networks that get other edges between two updates: both engines do the same, and keep what stays."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from nas import InputError
from nas.networks import LinearMean, SequenceNetwork, SparseMLP
from nas.networks.blocks import n_slots
from nas.networks.cells import CELLS
from nas.tasks import Task
from nas.training import Recipe
from nas.training.extension import has_native
from nas.training.places import wired_parts
from nas.training.session import RewirableSession, Weights
from nas.training.train import session
from priors import Wiring

KINDS = ("relu mlp", "tanh mlp", *(f"{cell} rnn" for cell in CELLS))
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "adam": {"optimizer": "adam", "learning_rates": 0.01},
    "adamw": {"optimizer": "adamw", "learning_rates": 0.01, "weight_decay": 0.1},
    "momentum": {"optimizer": "sgd", "learning_rates": 0.05, "nesterov": True, "weight_decay": 0.01},
    "sgd": {"optimizer": "sgd", "learning_rates": 0.05, "momentum": 0.0},
}

native = pytest.mark.skipif(not has_native(), reason="the compiled engine was not built")


def complete(kind: str) -> Wiring:
    """Every edge that a network of 6 inputs, hidden layers of 7 and 5, and 3 outputs can have."""
    sizes = (6, 7, 5, 3)
    first = np.cumsum([0, *sizes])
    edges = [
        (source, target)
        for below, above in itertools.combinations(range(4), 2)
        for source in range(first[below], first[below + 1])
        for target in range(first[above], first[above + 1])
        if below + 1 == above or kind.endswith("mlp")
    ]
    if kind.endswith("rnn"):
        edges += [(one, other) for one in range(6, 18) for other in range(6, 18) if one >= other or one < 13 > other]
    return Wiring(sizes, np.unique(np.array(edges), axis=0), inputs=6, outputs=3)


def task_of(kind: str) -> Task:
    rng = np.random.default_rng(0)
    targets = rng.integers(3, size=90)
    shape = (90, 6) if kind.endswith("mlp") else (90, 4, 6)
    inputs = rng.normal(size=shape) + targets.reshape(90, *[1] * (len(shape) - 1))
    return Task.from_arrays("classes", inputs, targets)


def network_of(kind: str) -> nn.Module:
    name, _, family = kind.partition(" ")
    if family == "mlp":
        return SparseMLP(complete(kind), name, rng=0, dtype=torch.float64)
    return SequenceNetwork(complete(kind), name, rng=0).double()


def opened(kind: str, engine: str, **recipe: Any) -> tuple[nn.Module, RewirableSession]:
    network = network_of(kind)
    if engine == "torch":  # Tasks hold float32.
        network.register_forward_pre_hook(lambda _, given: (given[0].double(), *given[1:]))
    whole = Recipe(**{"epochs": 6, "batch_size": 16, **OPTIMIZERS["adam"], **recipe})
    return network, session(network, task_of(kind), whole, rng=3, engine=engine)


def changed(now: Weights, n_places: int, rng: np.random.Generator, share: float = 0.3) -> Weights:
    """Drop a share of the weights, and let some others begin."""
    kept = np.sort(rng.permutation(len(now.slots))[int(share * len(now.slots)) :])
    empty = np.setdiff1d(np.arange(n_places), now.slots[kept])
    grown = rng.permutation(empty)[: rng.integers(1, 12)]
    slots = np.concatenate([now.slots[kept], grown])
    order = np.argsort(slots)
    weight = np.concatenate([now.weight[kept], rng.normal(size=len(grown)) / 10])
    moments = np.concatenate([now.moments[:, kept], np.zeros((len(now.moments), len(grown)))], axis=1)
    return Weights(slots[order], weight[order], moments[:, order])


def places(network: nn.Module) -> int:
    return sum(n_slots(part.blocks) for part in wired_parts(network))


def state(network: nn.Module) -> np.ndarray:
    return np.concatenate([own.detach().double().numpy().ravel() for own in network.parameters()])


@native
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_engines_agree_through_ten_changes(kind: str, optimizer: str) -> None:
    """In float64, across a whole training, with updates that are skipped and a clipped gradient."""
    found = {}
    for engine in ("native", "torch"):
        network, training = opened(kind, engine, **OPTIMIZERS[optimizer], clip=1.0)
        rng, n_places = np.random.default_rng(1), places(network)
        states, batches = [], []
        for change in range(10):
            training.run(int(rng.integers(0, 4)))
            if change % 3 == 0:
                batches.append(training.next_batch())
                training.skip()
            training.rewire(changed(training.weights(), n_places, rng))
            states += [state(network), training.weights().moments.ravel()]
        progress = training.run()
        assert progress.finished
        assert progress.step == progress.n_steps
        history = training.history()
        losses = [(epoch.train_loss, epoch.validation_loss) for epoch in history.epochs]
        found[engine] = (states, batches, losses, state(network), training.weights().moments)
    (native_states, native_batches, *native_ends), (torch_states, torch_batches, *torch_ends) = found.values()
    for own, other in zip(native_batches, torch_batches, strict=True):
        assert np.array_equal(own, other)
    for own, other in zip(native_states, torch_states, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-9, atol=1e-12)
    for own, other, tolerance in zip(native_ends, torch_ends, (1e-6, 1e-9, 1e-9), strict=True):
        # Torch adds losses up in float32.
        np.testing.assert_allclose(own, other, rtol=tolerance, atol=1e-12)


@pytest.fixture(params=["native", "torch"])
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "native" and not has_native():
        pytest.skip("the compiled engine was not built")
    return str(request.param)


@pytest.mark.parametrize("kind", KINDS)
def test_what_stays_is_not_touched(kind: str, engine: str) -> None:
    network, training = opened(kind, engine)
    training.run(7)
    biases = [part.bias_vector.detach().clone() for part in wired_parts(network)]
    before = training.weights()
    new = changed(before, places(network), np.random.default_rng(0))
    training.rewire(new)
    after = training.weights()
    assert np.array_equal(after.slots, new.slots)
    assert np.array_equal(after.weight, new.weight)
    assert np.array_equal(after.moments, new.moments)
    assert (after.moments[0] != 0).any()
    for part, bias in zip(wired_parts(network), biases, strict=True):
        assert torch.equal(part.bias_vector, bias)
    assert sum(len(part.weight) for part in wired_parts(network)) == len(new.slots)


@pytest.mark.parametrize("kind", ["relu mlp", "gru rnn"])
def test_a_change_that_changes_nothing_leaves_the_training_as_it_is(kind: str, engine: str) -> None:
    plain, one = opened(kind, engine)
    rewired, other = opened(kind, engine)
    one.run()
    for _ in range(5):
        other.run(5)
        other.rewire(other.weights())
    other.run()
    assert np.array_equal(state(plain), state(rewired))
    assert one.history().epochs == other.history().epochs


def test_a_skipped_update_takes_its_batch_and_nothing_else(engine: str) -> None:
    network, training = opened("relu mlp", engine)
    task = task_of("relu mlp")
    seen: list[int] = []
    before = state(network)
    for _ in range(4):
        batch = training.next_batch()
        assert np.array_equal(batch, training.next_batch())
        seen += batch.tolist()
        progress = training.skip()
    assert sorted(seen) == sorted(task.train.tolist())
    assert (progress.step, progress.epoch) == (4, 1)
    assert np.array_equal(state(network), before)


def test_patience_compares_what_has_one_structure(engine: str) -> None:
    """The best weights of an earlier structure are not those of this one."""
    network, training = opened("relu mlp", engine, epochs=12, patience=2, learning_rates=0.05)
    training.run(12)
    new = changed(training.weights(), places(network), np.random.default_rng(0), share=0.8)
    training.rewire(new)
    training.run()
    assert sum(len(part.weight) for part in wired_parts(network)) == len(new.slots)
    history = training.history()
    assert history.value == max(epoch.validation_metric for epoch in history.epochs[3:])


@pytest.mark.parametrize(
    ("slots", "n", "rule"),
    [
        ([0, 0], 2, "ascend"),
        ([3, 1], 2, "ascend"),
        ([-1, 4], 2, "between 0 and"),
        ([0, 10**6], 2, "between 0 and"),
        ([0, 1], 3, "as many"),
    ],
)
def test_wrong_places_are_refused_in_one_line(engine: str, slots: list[int], n: int, rule: str) -> None:
    network, training = opened("relu mlp", engine)
    before = state(network)
    with pytest.raises(InputError, match=rule) as caught:
        training.rewire(Weights(np.array(slots), np.zeros(n), np.zeros((2, n))))
    assert "\n" not in str(caught.value)
    assert np.array_equal(state(network), before)


def test_what_has_no_edges_of_its_own_is_refused(engine: str) -> None:
    wiring = Wiring((6, 3), [(i, 6 + j) for i in range(6) for j in range(3)], inputs=6, outputs=3)
    training = session(LinearMean(wiring, rng=0), task_of("rnn"), Recipe(epochs=1), rng=0, engine=engine)
    with pytest.raises(InputError, match="a LinearMean cannot get other edges; give a SparseMLP or a SequenceNetwork"):
        training.weights()
