"""Hidden neurons that are normalised while an MLP is trained, and folded for all else; in both engines."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from quick import quick
from torch import Tensor, nn
from torch.nn import functional

from nas import InputError
from nas.networks import ACTIVATIONS, NetworkSpec, SequenceNetwork, SparseMLP
from nas.networks.blocks import n_slots
from nas.tasks import Task
from nas.training import History, Recipe, Score, evaluate, predict
from nas.training.extension import extension, has_native, instruction_set
from nas.training.normalisation import NormalisedMLP, examples_to_fold
from nas.training.session import RewirableSession, Weights
from nas.training.train import begin_wiring, session
from priors import Layered, WattsStrogatz, Wiring, attach, layer, orient

native = pytest.mark.skipif(not has_native(), reason="the compiled engine was not built")

OPTIMIZERS: tuple[dict[str, Any], ...] = (
    {"optimizer": "adam", "clip": 0.5},
    {"optimizer": "adamw", "weight_decay": 0.1},
    {"optimizer": "sgd", "learning_rates": 0.05, "nesterov": True, "weight_decay": 0.01},
    {"optimizer": "sgd", "learning_rates": 0.05, "momentum": 0.0},
)


@pytest.fixture(params=["native", "torch"])
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "native" and not has_native():
        pytest.skip("the compiled engine was not built")
    return str(request.param)


def task_of(n: int = 300, *, loss: str = "cross-entropy", zeros: float = 0.0, seed: int = 0) -> Task:
    rng = np.random.default_rng(seed)
    classes = rng.integers(3, size=n)
    inputs = (rng.normal(size=(n, 7)) + classes[:, None]) * (rng.random((n, 7)) >= zeros)
    targets = classes if loss == "cross-entropy" else rng.normal(size=(n, 3))
    return Task.from_arrays("rows", inputs, targets)


def wirings() -> dict[str, Wiring]:
    rng = np.random.default_rng(0)
    dag = attach(layer(orient(WattsStrogatz(14, 4, 0.3).sample(1), rng=2)), 7, 3, "natural")
    return {
        "dag": dag,
        "complete": Wiring.from_masks([np.ones((9, 7)), np.ones((6, 9)), np.ones((3, 6))], inputs=True, outputs=True),
        "sparse layers": Wiring.from_masks(
            [rng.random((9, 7)) < 0.5, rng.random((6, 9)) < 0.5, rng.random((3, 6)) < 0.6], inputs=True, outputs=True
        ),
        "linear": Wiring.from_masks([np.ones((3, 7))], inputs=True, outputs=True),
    }


WIRINGS = wirings()


def network_of(wiring: str = "complete", activation: str = "tanh", dtype: torch.dtype = torch.float64) -> SparseMLP:
    network = SparseMLP(WIRINGS[wiring], activation, rng=0, dtype=dtype)
    with torch.no_grad():
        network.bias.normal_(0, 0.3, generator=torch.Generator().manual_seed(0))
    return network


def opened(network: nn.Module, task: Task, engine: str, **recipe: Any) -> RewirableSession:
    given = {"epochs": 3, "batch_size": 33, "learning_rates": 0.01, "normalise": True, **recipe}
    return session(network, task, Recipe(**given), rng=3, engine=engine)


def state(network: nn.Module) -> NDArray[np.float64]:
    return np.concatenate([own.detach().double().numpy().ravel() for own in network.parameters()])


class Reference:
    """What a normalised MLP computes, neuron by neuron and with torch's batch normalisation."""

    def __init__(self, network: SparseMLP, weight: Tensor, bias: Tensor, gamma: Tensor) -> None:
        self.wiring, self.function = network.blueprint, ACTIVATIONS[network.activation].function
        self.edges = network.live_weights().edges
        self.weight, self.bias, self.gamma = weight, bias, gamma
        n_hidden = len(gamma)
        self.norms = [nn.BatchNorm1d(1, momentum=None, affine=False, dtype=weight.dtype) for _ in range(n_hidden)]

    def __call__(self, x: Tensor) -> Tensor:
        values = list(x.unbind(dim=1))
        for neuron in range(self.wiring.n_inputs, self.wiring.n_neurons):
            place = neuron - self.wiring.n_inputs
            total = torch.zeros_like(values[0])
            for index in np.flatnonzero(self.edges[:, 1] == neuron):
                total = total + self.weight[index] * values[self.edges[index, 0]]
            if place < len(self.norms):
                normal = self.norms[place](total[:, None])[:, 0]
                values.append(self.function(self.gamma[place] * normal + self.bias[place]))
            else:
                values.append(total + self.bias[place])
        return torch.stack(values[self.wiring.n_neurons - self.wiring.n_outputs :], dim=1)

    def fold(self, x: Tensor) -> None:
        """Take over the statistics of some examples."""
        self(x)
        for norm in self.norms:
            assert norm.running_var is not None
            norm.running_var *= (len(x) - 1) / len(x)  # Torch's is unbiased.
            norm.eval()


def parameters_of(network: SparseMLP) -> tuple[Tensor, Tensor, Tensor]:
    n_hidden = network.blueprint.n_neurons - network.in_features - network.out_features
    gamma = 1 + 0.3 * torch.randn(n_hidden, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return network.weight.detach().clone(), network.bias.detach().clone(), gamma


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("size", [2, 64, 100])
def test_gradients_are_those_of_batch_normalisation(wiring: str, activation: str, size: int, engine: str):
    task, network = task_of(zeros=0.7 if size == 64 else 0.0), network_of(wiring, activation)
    own = [each.requires_grad_() for each in parameters_of(network)]
    examples = task.train[:size]
    x, _, targets = task.batch(examples)
    loss = functional.cross_entropy(Reference(network, *own)(x.double()), targets)
    expected = torch.autograd.grad(loss, own, allow_unused=True, materialize_grads=True)
    if engine == "torch":
        trained = NormalisedMLP(network, network, own[2].detach())
        trained.train()
        own_loss = functional.cross_entropy(trained(x), targets)
        loss_found = own_loss.item()
        by = [network.weight, network.bias, trained.gamma]
        made_by = torch.autograd.grad(own_loss, by, allow_unused=True, materialize_grads=True)
        found = [each.numpy() for each in made_by]
    else:
        from nas.training.compiled import compile_network
        from nas.training.native_engine import data_of, has_sparse_inputs

        compiled = compile_network(network, sparse=has_sparse_inputs(task))
        assert compiled is not None
        made = [np.zeros_like(each) for each in compiled.parameters]
        gamma = own[2].detach().numpy()
        of_gamma = np.zeros_like(gamma)
        loss_found = extension().gradients64(
            *(compiled.network, data_of(task, np.float64), instruction_set(), examples.numpy()),
            *(*compiled.parameters, *made, gamma, of_gamma),
        )
        found = [made[0], made[1], of_gamma]
    assert loss_found == pytest.approx(loss.item(), rel=1e-12)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-8, atol=1e-11)


@native
@pytest.mark.parametrize("seed", quick(range(60), *range(20)))
def test_engines_agree_in_double(seed: int):
    wiring, activation = list(WIRINGS)[seed % 4], list(ACTIVATIONS)[seed % 5]
    number, batch_size = [(0, 32), (1, 128), (2, 17), (3, 64), (0, 1), (1, 192)][seed % 6]
    loss = "squared-error" if number == 2 else "cross-entropy"
    task = task_of(60 if batch_size == 1 else 300, loss=loss, zeros=0.7 if number == 3 else 0.0)
    if batch_size in (64, 192):
        assert len(task.train) % batch_size == 1  # A last batch of one example.
    found = []
    for name in ("native", "torch"):
        network = network_of(wiring, activation)
        training = opened(network, task, name, **OPTIMIZERS[number], batch_size=batch_size)
        training.run(5)
        half = state(network)
        assert training.run().finished
        own = training.normalised()
        if wiring == "linear":
            assert own is None or not len(own.gamma)
        else:
            assert own is not None
            assert batch_size == 1 or (own.gamma != 1).any()
        found.append((half, state(network), training.weights(), training.history()))
    ours, theirs = found
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(ours[2].folded, theirs[2].folded, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(ours[2].moments, theirs[2].moments, rtol=1e-7, atol=1e-9)
    for one, other in zip(ours[3].epochs, theirs[3].epochs, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-5)
        assert one.validation_loss == pytest.approx(other.validation_loss, rel=1e-8)
        assert one.validation_metric == pytest.approx(other.validation_metric, rel=1e-8)


@pytest.mark.parametrize("wiring", WIRINGS)
def test_the_network_computes_what_evaluation_with_training_statistics_does(wiring: str, engine: str):
    task, network = task_of(), network_of(wiring)
    training = opened(network, task, engine)
    training.run(11)
    own = training.normalised()
    weight, bias, gamma = (
        (network.weight, network.bias, torch.zeros(0))
        if own is None
        else map(torch.from_numpy, (own.weight, own.bias, own.gamma))
    )
    reference = Reference(network, weight, bias, gamma)
    x = task.inputs.double()
    reference.fold(x[task.train])
    np.testing.assert_allclose(network(x).detach(), reference(x).detach(), rtol=1e-9, atol=1e-9)
    if own is not None:
        found = training.weights()
        assert np.array_equal(found.weight, own.weight)
        np.testing.assert_allclose(found.folded, network.weight.detach().numpy(), rtol=1e-13)


def test_the_first_examples_of_the_training_part_are_folded():
    task = task_of()
    assert torch.equal(examples_to_fold(task, 100), task.train)
    many = Task.from_arrays("many", np.zeros((20_000, 1)), np.arange(20_000) % 2)
    assert torch.equal(examples_to_fold(many, 1000), many.train[:8192])
    assert len(examples_to_fold(many, 10**6)) == 256


def test_networks_stay_what_they_are(engine: str):
    task, network = task_of(), network_of("dag", dtype=torch.float32)
    before = {name: own.shape for name, own in network.state_dict().items()}
    training = opened(network, task, engine)
    training.run()
    assert {name: own.shape for name, own in network.state_dict().items()} == before
    assert type(network) is SparseMLP
    history = training.history()
    assert evaluate(network, task, task.validation).metric == pytest.approx(history.value, abs=1e-6)
    assert evaluate(network, task, task.validation).loss == pytest.approx(history.epochs[-1].validation_loss, rel=1e-4)


def test_examples_and_initial_weights_are_those_without_it(engine: str):
    task = task_of()
    network = network_of(dtype=torch.float32)
    start, other = network.weight.detach().clone(), deepcopy(network)
    with_it, without = opened(network, task, engine), opened(other, task, engine, normalise=False)
    own = with_it.normalised()
    assert own is not None
    assert without.normalised() is None
    assert np.array_equal(own.weight, start.numpy())
    assert (own.gamma == 1).all()
    for steps in (0, 3, 6):
        with_it.run(steps)
        without.run(steps)
        assert np.array_equal(with_it.next_batch(), without.next_batch())


def test_a_batch_of_one_shows_nothing_of_its_inputs(engine: str):
    network = network_of("complete")
    training = opened(network, task_of(), engine, optimizer="sgd", momentum=0.0, batch_size=1)
    before = training.normalised()
    training.run(4)
    after = training.normalised()
    assert before is not None
    assert after is not None
    hidden = network.live_weights().edges[:, 1] < network.blueprint.n_neurons - network.out_features
    assert np.array_equal(before.weight[hidden], after.weight[hidden])
    assert np.array_equal(before.gamma, after.gamma)
    assert (before.weight[~hidden] != after.weight[~hidden]).any()
    assert (before.bias != after.bias).any()


def test_it_does_not_matter_what_is_added_to_all_inputs_or_multiplied_with_them(engine: str):
    """Read-ins without biases of their own: only the spread of sums decides, so that losses are nearly the same."""
    found = []
    for factor, term in ((1.0, 0.0), (30.0, 5.0)):
        task = task_of()
        inputs = task.inputs * factor + term
        other = Task(**{**vars(task), "inputs": inputs, "name": "other"})
        network = network_of("complete", "relu")
        training = opened(network, other, engine, optimizer="sgd", momentum=0.0, learning_rates=1e-4)
        training.run()
        found.append(training.history().epochs[-1].validation_loss)
    assert found[0] == pytest.approx(found[1], rel=1e-2)


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_the_best_epoch_is_kept_folded(name: str, engine: str):
    task, network = task_of(), network_of("complete", "relu")
    training = opened(network, task, engine, optimizer=name, learning_rates=0.1, epochs=40, patience=3)
    training.run()
    history = training.history()
    values = [epoch.validation_metric for epoch in history.epochs]
    best = int(np.argmax(values))
    assert len(values) == best + 4 < 40
    assert history.value == values[best]
    again = network_of("complete", "relu")
    until = opened(again, task, engine, optimizer=name, learning_rates=0.1, epochs=40)
    until.run((best + 1) * -(-len(task.train) // 33))
    assert np.array_equal(state(network), state(again))
    np.testing.assert_array_equal(training.weights().weight, until.weights().weight)


def changed(now: Weights, n_places: int, rng: np.random.Generator) -> Weights:
    kept = np.sort(rng.permutation(len(now.slots))[len(now.slots) // 3 :])
    grown = rng.permutation(np.setdiff1d(np.arange(n_places), now.slots[kept]))[: rng.integers(1, 12)]
    slots = np.concatenate([now.slots[kept], grown])
    order = np.argsort(slots)
    weight = np.concatenate([now.weight[kept], rng.normal(size=len(grown)) / 10])
    moments = np.concatenate([now.moments[:, kept], np.zeros((len(now.moments), len(grown)))], axis=1)
    return Weights(slots[order], weight[order], moments[:, order])


@native
@pytest.mark.parametrize("recipe", OPTIMIZERS, ids=str)
def test_engines_agree_through_ten_changes(recipe: dict[str, Any]):
    found = {}
    for name in ("native", "torch"):
        network, task = network_of("sparse layers"), task_of()
        training = opened(network, task, name, **recipe, epochs=6, patience=4)
        rng, states = np.random.default_rng(1), []
        for change in range(10):
            training.run(int(rng.integers(0, 4)))
            if change % 3 == 0:
                training.next_batch()
                training.skip()
            before = training.normalised()
            training.rewire(changed(training.weights(), n_slots(network.blocks), rng))
            after = training.normalised()
            assert before is not None
            assert after is not None
            assert np.array_equal(before.gamma, after.gamma)
            assert np.array_equal(before.bias, after.bias)
            now = training.weights()
            np.testing.assert_allclose(now.folded, network.weight.detach().numpy(), rtol=1e-13)
            states += [state(network), now.moments.ravel(), now.weight, after.gamma]
        training.run()
        losses = [(epoch.train_loss, epoch.validation_loss) for epoch in training.history().epochs]
        found[name] = (*states, state(network), np.array(losses))
    for own, other in zip(*found.values(), strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-5 if own.ndim == 2 else 1e-7, atol=1e-9)


@native
@pytest.mark.parametrize("wiring", ["layered", "complete", "deep"])
def test_threads_change_nothing(wiring: str):
    large = {
        "layered": lambda: Layered((28, 1500, 900, 5), (0.6, 0.08, 1.0), inputs=True, outputs=True).sample(0),
        "complete": lambda: Layered((28, 1500, 900, 5), (1.0, 0.06, 0.5), inputs=True, outputs=True).sample(1),
        "deep": lambda: attach(layer(orient(WattsStrogatz(2000, 110, 0.2).sample(0), "random", 0)), 28, 5, "natural"),
    }[wiring]()
    assert len(large.edges) >= 100_000
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(160, 28)) * (rng.random((160, 28)) < 0.2)
    task = Task.from_arrays("mostly zeros", inputs, rng.integers(5, size=160))
    found = []
    for threads in (1, 2):
        network = SparseMLP(large, "relu", rng=0)
        recipe = Recipe(epochs=1, batch_size=70, normalise=True)
        training = session(network, task, recipe, rng=3, engine="native", threads=threads)
        training.run()
        found.append((state(network), training.weights().moments, training.history().epochs))
    for one, other in zip(*found, strict=True):
        assert np.array_equal(one, other)


def history_of(network: nn.Module, task: Task, engine: str, **recipe: Any) -> History:
    training = opened(network, task, engine, **recipe)
    training.run()
    return training.history()


def test_a_training_from_a_wiring_is_that_of_its_module(engine: str):
    task, wiring, spec = task_of(), WIRINGS["dag"], NetworkSpec("mlp", activation="relu")
    recipe = Recipe(epochs=3, batch_size=33, normalise=True)
    training = begin_wiring(
        *(wiring, spec, task, recipe),
        learning_rate=0.01,
        weights=np.random.default_rng(5),
        batches=np.random.default_rng(3),
        engine=engine,
    ).run()
    network = spec.build(wiring, np.random.default_rng(5))
    history = history_of(network, task, engine)
    assert training.history.epochs == history.epochs
    np.testing.assert_array_equal(state(training.network), state(network))
    assert training.score(task.validation).metric == history.value
    assert training.test() == evaluate(network, task, task.test, engine=engine).metric
    assert isinstance(training.score(task.validation), Score)
    outputs = predict(training.network, task, task.test, engine="torch")
    np.testing.assert_allclose(outputs, predict(network, task, task.test, engine=engine), atol=1e-4)


def test_what_cannot_be_normalised_is_refused_in_one_line(engine: str):
    recipe = Recipe(epochs=1, normalise=True)
    rnn = attach(WattsStrogatz(8, 4, 0.3).sample(1), 5, 3, "natural")
    rng = np.random.default_rng(0)
    sequences = Task.from_arrays("sequences", rng.normal(size=(80, 4, 5)), rng.integers(3, size=80))
    with pytest.raises(InputError, match=r"^normalise=true: it is for MLPs, and this is an RNN; leave it out$"):
        session(SequenceNetwork(rnn, "gru", rng=0), sequences, recipe, engine=engine)
    with pytest.raises(InputError, match=r"^normalise=true: it is for MLPs, and this is an RNN; leave it out$"):
        begin_wiring(
            *(rnn, NetworkSpec("rnn", cell="gru"), sequences, recipe),
            **{"learning_rate": 0.01, "weights": rng, "batches": rng, "engine": engine},
        )
    frozen = network_of(dtype=torch.float32)
    frozen.bias.requires_grad_(False)
    hooked = network_of(dtype=torch.float32)
    hooked.register_forward_pre_hook(lambda _, given: given)
    held = SparseMLP(WIRINGS["dag"].replace(weights=np.ones(len(WIRINGS["dag"].edges))), "relu", rng=0)
    held.hold()
    for network, why in ((frozen, "held or frozen"), (held, "held or frozen"), (hooked, "hooks")):
        with pytest.raises(InputError, match=f"^normalise=true: .*{why}"):
            session(network, task_of(), recipe, engine="auto")
    with pytest.raises(InputError, match=r"^normalise=true: it is for MLPs, and this is a Linear"):
        session(nn.Linear(7, 3), task_of(), recipe, engine="torch")


def test_a_training_that_is_looked_at_is_the_same(engine: str):
    networks = [network_of("dag", "relu", torch.float32) for _ in range(2)]
    whole, parts = (opened(network, task_of(), engine) for network in networks)
    whole.run()
    while not parts.run(2).finished:
        parts.weights()
        parts.normalised()
    assert np.array_equal(*map(state, networks))
    assert whole.history().epochs == parts.history().epochs


def test_weights_before_the_first_update_change_nothing_of_what_follows(engine: str):
    networks = [network_of("dag", "relu", torch.float32) for _ in range(2)]
    one, other = (opened(network, task_of(), engine) for network in networks)
    start = deepcopy(networks[1])
    scale = one.weights().scale
    assert scale is not None
    np.testing.assert_allclose(networks[0].weight.detach(), start.weight.detach() * torch.from_numpy(scale), rtol=1e-5)
    one.run()
    other.run()
    assert np.array_equal(*map(state, networks))
