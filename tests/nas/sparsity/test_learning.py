"""Networks that learn their structure, MLPs and RNNs, in both engines."""

from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
import torch
from quick import quick
from torch import nn

from nas import InputError
from nas.networks import NetworkSpec, SequenceNetwork, SparseMLP, n_parameters, wiring_of
from nas.networks.cells import CELLS
from nas.sparsity import METHODS, Method, method_of
from nas.sparsity.compact import compact
from nas.sparsity.layers import Live
from nas.sparsity.learning import Learned, check_learning, learn, sparsify
from nas.sparsity.network import DenseGradients, input_statistics, layers_of, neurons_of
from nas.sparsity.neurons import liveness
from nas.tasks import Task
from nas.training import Recipe
from nas.training.extension import has_native
from nas.training.normalisation import NormalisedMLP
from nas.training.places import places_of, wired_parts
from nas.training.session import Weights
from nas.training.torch_engine import mean_loss
from nas.training.train import evaluate, session
from priors import Wiring, attach

KINDS = ("relu mlp", "tanh mlp", *(f"{cell} rnn" for cell in CELLS))
TRAINED_HERE = [name for name, method in METHODS.items() if method.action != "shadow" and method.masked_slots == "zero"]
EARLY = {"every": 4, "begin": 4, "end": "never"}


@pytest.fixture(params=["native", "torch"])
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "native" and not has_native():
        pytest.skip("the compiled engine was not built")
    return str(request.param)


def task_of(kind: str, n: int = 120) -> Task:
    rng = np.random.default_rng(0)
    targets = rng.integers(3, size=n)
    shape = (n, 8) if kind.endswith("mlp") else (n, 4, 8)
    inputs = rng.normal(size=shape) + targets.reshape(n, *[1] * (len(shape) - 1))
    return Task.from_arrays("classes", inputs, targets)


def network_of(kind: str, dtype: torch.dtype = torch.float32) -> nn.Module:
    name, _, family = kind.partition(" ")
    if family == "mlp":
        wiring = Wiring.from_masks([np.ones((9, 8)), np.ones((7, 9)), np.ones((3, 7))], inputs=True, outputs=True)
        return SparseMLP(wiring, name, rng=0, dtype=dtype)
    wiring = attach(Wiring((10,), np.argwhere(np.ones((10, 10)))), 8, 3, "natural")
    return SequenceNetwork(wiring, name, rng=0).to(dtype)


def learned(
    kind: str, method: Method, engine: str = "auto", *, network: nn.Module | None = None, **given: Any
) -> Learned:
    recipe = Recipe(**{"epochs": 6, "batch_size": 16, "learning_rates": 0.01, **given.pop("recipe", {})})
    given = given or {"weights": 100}
    return learn(network or network_of(kind), task_of(kind), recipe, method, rng=3, engine=engine, **given)


def state(network: nn.Module) -> np.ndarray:
    return np.concatenate([own.detach().double().numpy().ravel() for own in network.state_dict().values()])


def in_double(network: nn.Module) -> nn.Module:
    network.register_forward_pre_hook(lambda _, given: (given[0].double(), *given[1:]))
    return network


METHODS_TO_COMPARE: dict[str, Method] = {
    "rigl": method_of("rigl", every=4),
    "snip and gradient, before": method_of("rigl", score="snip", update_step="before", **EARLY),
    "set": method_of("set-truly-sparse", every=4, begin=4),
    "mest and random": method_of("mest", **EARLY),
    "global": method_of("rigl", scope="global", update_step="after", **EARLY),
    "initial weights": method_of("set-truly-sparse", new_weight="init", every=4, begin=4),
    "activation": method_of("gmp", score="activation", allocation="class-blinded", every=4),
}


@pytest.mark.skipif(not has_native(), reason="the compiled engine was not built")
@pytest.mark.parametrize(
    ("kind", "name"),
    quick(
        product(KINDS, METHODS_TO_COMPARE),
        *((kind, "rigl") for kind in KINDS),
        *product(("relu mlp", "gru rnn"), [name for name in METHODS_TO_COMPARE if name != "rigl"]),
    ),
)
def test_engines_learn_the_same(kind: str, name: str) -> None:
    """In float64: the same structure after ten changes and more, and the same weights to the rounding of floats."""
    native = learned(kind, METHODS_TO_COMPARE[name], "native", network=network_of(kind, torch.float64))
    plain = learned(kind, METHODS_TO_COMPARE[name], "torch", network=in_double(network_of(kind, torch.float64)))
    assert native.updates == plain.updates >= 4
    assert np.array_equal(places_of(wired_parts(native.network)), places_of(wired_parts(plain.network)))
    np.testing.assert_allclose(state(native.network), state(plain.network), rtol=1e-7, atol=1e-9)
    assert [own.weights for own in native.snapshots] == [own.weights for own in plain.snapshots]


@pytest.mark.skipif(not has_native(), reason="the compiled engine was not built")
@pytest.mark.parametrize(
    "name", quick([*METHODS_TO_COMPARE, "obs", "obd"], "rigl", "mest and random", "activation", "obs")
)
@pytest.mark.parametrize("target", ["weights", "parameters"])
def test_engines_learn_the_same_where_neurons_are_normalised(name: str, target: str) -> None:
    method = METHODS_TO_COMPARE.get(name) or method_of("gmp", score=name, every=8)
    found = []
    for engine in ("native", "torch"):
        network = network_of("tanh mlp", torch.float64)
        found.append(learned("mlp", method, engine, network=network, recipe={"normalise": True}, **{target: 80}))
    native, plain = found
    assert native.updates == plain.updates >= 2
    assert np.array_equal(places_of(wired_parts(native.network)), places_of(wired_parts(plain.network)))
    np.testing.assert_allclose(state(native.network), state(plain.network), rtol=1e-6, atol=1e-8)
    if target == "parameters":
        assert native.liveness.weights.all()
        assert native.liveness.n_parameters <= 80


@pytest.mark.parametrize("name", ["gmp", "rigl"])
def test_what_is_left_of_a_normalised_network_is_what_its_history_says(name: str, engine: str) -> None:
    """What takes no part is removed from the folded network, which computes the same afterwards."""
    method = method_of(name, every=4, **({"score": "activation"} if name == "gmp" else {}))
    found = learned("relu mlp", method, engine, recipe={"normalise": True}, parameters=60)
    task = task_of("mlp")
    score = evaluate(found.network, task, task.validation, engine="torch")
    assert type(found.network) is SparseMLP
    assert found.liveness.n_parameters <= 60
    assert score.metric == pytest.approx(found.history.value, abs=1e-6)
    assert score.loss == pytest.approx(found.history.epochs[-1].validation_loss, rel=1e-3)


@pytest.mark.parametrize("complete", [True, False])
def test_gradients_of_a_normalised_network_are_those_by_its_own_weights(complete: bool, engine: str) -> None:
    """By finite differences, of what lives and of what does not."""
    whole, network = network_of("tanh mlp", torch.float64), network_of("tanh mlp", torch.float64)
    task = task_of("mlp")
    if not complete:
        sparsify(network, np.array([20, 20, 10]), np.random.default_rng(0))
    recipe = Recipe(epochs=2, batch_size=16, learning_rates=0.05, normalise=True)
    training = session(network, task, recipe, rng=0, engine=engine)
    training.run(7)
    own = training.normalised()
    assert own is not None
    examples = training.next_batch()
    found = DenseGradients(whole, task, engine).at(network, examples, own)
    raw = network_of("tanh mlp", torch.float64)
    assert isinstance(raw, SparseMLP)
    with torch.no_grad():
        raw.weight.zero_()[network.slots] = torch.from_numpy(own.weight)  # type: ignore[index]
        raw.bias.copy_(torch.from_numpy(own.bias))
    normalised = NormalisedMLP(raw, raw, torch.from_numpy(own.gamma))
    normalised.train()
    for place in range(0, len(found), 13):
        losses = []
        for step in (1e-5, -2e-5):
            with torch.no_grad():
                raw.weight[place] += step
                losses.append(float(mean_loss(normalised, task, torch.from_numpy(examples))))
        with torch.no_grad():
            raw.weight[place] += 1e-5
        assert found[place] == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-4, abs=1e-8)


@pytest.mark.parametrize("kind", quick(["relu mlp", "gru rnn", "lstm rnn"], "relu mlp", "gru rnn"))
@pytest.mark.parametrize("name", TRAINED_HERE)
def test_counts_are_exact_after_every_change(
    kind: str, name: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nas.sparsity import learning

    seen: list[tuple[Weights, Weights]] = []
    apply = learning._Learner._apply

    def watching(self: Any, now: Weights, update: Any) -> None:
        apply(self, now, update)
        seen.append((now, self.session.weights()))

    monkeypatch.setattr(learning._Learner, "_apply", watching)
    method = METHODS[name].replace(every=3, begin=3, end="never") if METHODS[name].action != "none" else METHODS[name]
    if method.dense != "none" and kind.endswith("rnn"):
        pytest.skip("its dense layer holds more than there are")
    found = learned(kind, method, engine)
    total = sum(len(part.weight) for part in wired_parts(found.network))
    assert total == 100 if not method.constant_fan_in else abs(total - 100) <= 25
    assert found.updates == len(seen) == (0 if name == "static" else found.updates)
    for before, after in seen:
        if method.action == "rewire" and not method.constant_fan_in:
            counts = [Live(found.layers, own.slots, own.weight).counts().tolist() for own in (before, after)]
            assert counts[0] == counts[1]
        stays, at = np.isin(after.slots, before.slots), np.isin(before.slots, after.slots)
        if method.regrow_dropped == "allow":
            assert np.array_equal(after.weight[stays], before.weight[at])
            if method.kept_slots == "keep":
                assert np.array_equal(after.moments[:, stays], before.moments[:, at])
        assert not after.moments[:, ~stays].any()
    assert found.history.steps == found.history.epochs.__len__() * (found.history.steps // len(found.history.epochs))


@pytest.mark.parametrize("kind", ["relu mlp", "gru rnn"])
def test_what_rigl_grows_has_the_largest_gradients(kind: str, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of autograd in float64 through dense matrices, of the batch that was not used for an update."""
    from nas.sparsity import learning

    checked = []
    apply = learning._Learner._apply

    def watching(self: Any, now: Weights, update: Any) -> None:
        batch, task = self.session.next_batch(), task_of(kind)
        dense = dense_gradients(self.network, kind, task, batch)
        for layer in self.layers:
            inside = np.arange(layer.first, layer.stop)
            live, own = np.intersect1d(inside, now.slots), np.intersect1d(inside, update.grown)
            rest = np.setdiff1d(inside, np.union1d(live, own))
            if len(own) and len(rest):
                assert np.abs(dense[own]).min() >= np.abs(dense[rest]).max() * (1 - 1e-4)
                checked.append(len(own))
        apply(self, now, update)

    monkeypatch.setattr(learning._Learner, "_apply", watching)
    learned(kind, method_of("rigl", every=3, begin=3, drop_schedule="constant"), engine)
    assert sum(checked) > 20


def dense_gradients(network: nn.Module, kind: str, task: Task, batch: np.ndarray) -> np.ndarray:
    """By autograd through a network of the same function in which every place lives."""
    whole = network_of(kind, torch.float64)
    with torch.no_grad():
        for part, own in zip(wired_parts(whole), wired_parts(network), strict=True):
            assert len(part.weight) == sum(block.size for block in part.blocks)
            part.weight.zero_()
            part.weight[own.slots] = own.weight.double()
            part.bias_vector.copy_(own.bias_vector.double())
    mean_loss(in_double(whole), task, torch.from_numpy(batch)).backward()
    return np.concatenate([part.weight.grad.numpy() for part in wired_parts(whole)])


@pytest.mark.parametrize("kind", KINDS)
def test_dense_gradients_are_those_of_autograd(kind: str, engine: str) -> None:
    network, task, batch = network_of(kind), task_of(kind), np.arange(20)
    dense = DenseGradients(network, task, engine)
    sparsify(network, np.array([min(9, layer.size) for layer in layers_of(network)]), np.random.default_rng(0))
    found, expected = dense.at(network, batch), dense_gradients(network, kind, task, batch)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())
    for index, layer in enumerate(layers_of(network)):
        assert np.array_equal(dense.matrix(found, index).ravel(), found[layer.first : layer.stop])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parameters", [60, 90])
@pytest.mark.parametrize("name", ["gmp", "rigl", "static"])
def test_a_number_of_parameters_is_kept_to(kind: str, parameters: int, name: str) -> None:
    changes = {"every": 4} if name != "static" else {}
    found = learned(kind, method_of(name, **changes), parameters=parameters)
    assert found.liveness.n_parameters <= parameters
    live = Live(found.layers, places_of(wired_parts(found.network)), np.zeros(found.snapshots[-1].weights))
    again = liveness(live, neurons_of(found.network))
    assert again.weights.all()
    assert again.n_parameters == found.liveness.n_parameters == found.snapshots[-1].parameters
    if name == "gmp":
        # One more weight may bring weights and biases of neurons along that took no part.
        assert found.liveness.n_parameters >= (0.8 if kind.endswith("mlp") else 0.6) * parameters


@pytest.mark.parametrize("kind", ["relu mlp", "gru rnn", "tanh rnn"])
@pytest.mark.parametrize("name", ["gmp", "rigl"])
@pytest.mark.parametrize("multiplications", [45, 70])
def test_multiplications_are_counted_without_biases(kind: str, name: str, multiplications: int) -> None:
    found = learned(kind, method_of(name, every=4), parameters=multiplications, count_biases=False)
    network = found.network
    # Of each kind of edge every weight multiplies once: as many as there are numbers but biases, all on some way.
    weights = [own for part, own in network.named_parameters() if "bias" not in part]
    assert sum(own.numel() for own in weights) == int(found.liveness.weights.sum()) <= multiplications
    assert found.liveness.weights.all()
    assert found.snapshots[-1].parameters > multiplications  # Biases, which are told of all the same.
    assert int(found.liveness.weights.sum()) >= 0.6 * multiplications


def test_so_few_multiplications_are_one_line() -> None:
    given: dict[str, Any] = {"parameters": 2, "count_biases": False}
    recipe = Recipe(epochs=1, batch_size=16)
    for check in (check_learning, learn):
        with pytest.raises(InputError, match=r"^parameters=2: no network with 3 outputs has so few; at least 3 are"):
            check(network_of("relu mlp"), task_of("relu mlp"), recipe, method_of("gmp", every=4), **given)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("score", ["magnitude", "activation"])
def test_whole_edges_are_pruned_to_a_number_of_parameters(cell: str, score: str) -> None:
    method = method_of("gmp", every=4, granularity="edge", allocation="class-blinded", score=score)
    found = learned(f"{cell} rnn", method, parameters=150)
    assert 0 < found.liveness.n_parameters <= 150
    smaller = compact(found.network)  # type: ignore[arg-type]
    # All gates of an edge live, or none.
    assert n_parameters(smaller) == NetworkSpec("rnn", cell=cell).n_parameters(wiring_of(smaller))
    assert n_parameters(smaller)["total"] == found.liveness.n_parameters


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("name", ["rigl", "itop", "set", "srigl"])
def test_whole_edges_are_rewired_at_a_constant_number_of_weights(
    cell: str, name: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nas.sparsity import learning

    seen: list[tuple[int, list[int]]] = []
    apply = learning._Learner._apply

    def watching(self: Any, now: Weights, update: Any) -> None:
        apply(self, now, update)
        both = (now, self.session.weights())
        seen.extend((len(own.slots), Live(self.layers, own.slots, own.weight).counts().tolist()) for own in both)

    monkeypatch.setattr(learning._Learner, "_apply", watching)
    times = {"every": 3, "begin": 3, "end": "never", "dense": "none"}
    found = learned(f"{cell} rnn", method_of(name, granularity="edge", **times), engine, weights=121)
    assert found.updates == len(seen) // 2 >= 8
    if name != "srigl":
        assert {n for n, _ in seen} == {121} == {own.weights for own in found.snapshots}
        assert all(counts == seen[0][1] for _, counts in seen)
    # All gates of an edge live, or none.
    network = found.network
    assert n_parameters(network) == NetworkSpec("rnn", cell=cell).n_parameters(wiring_of(network))  # type: ignore[arg-type]


def test_whole_edges_are_drawn_for_a_number_of_parameters() -> None:
    found = learned("lstm rnn", method_of("rigl", granularity="edge", every=4), parameters=250)
    assert found.liveness.n_parameters <= 250
    assert n_parameters(found.network)["wiring"] % 4 == 0  # type: ignore[arg-type]


def test_what_whole_edges_cannot_be_is_one_line() -> None:
    method, recipe, task = (
        method_of("itop", granularity="edge", **EARLY),
        Recipe(epochs=6, batch_size=16),
        task_of("rnn"),
    )
    with pytest.raises(InputError, match=r"^5 weights are no number of whole edges .* give another, such as 9$"):
        check_learning(network_of("lstm rnn"), task, recipe, method, weights=5)
    partial = network_of("lstm rnn")
    sparsify(partial, np.array([100, 100, 20]), np.random.default_rng(0))
    with pytest.raises(InputError, match=r"^granularity=edge: .* and the network has edges without some; give"):
        check_learning(partial, task, recipe, method, weights=80)
    places = places_of(wired_parts(network_of("lstm rnn")))[::3]
    with pytest.raises(InputError, match=r"^granularity=edge: .* and places has edges without some; give"):
        check_learning(network_of("lstm rnn"), task, recipe, method, places=places)
    with pytest.raises(InputError, match=r"^scope=global with granularity=edge: .*; give scope=layer$"):
        check_learning(network_of("lstm rnn"), task, recipe, method.replace(scope="global"), weights=80)


def test_single_weights_are_no_number_of_edges() -> None:
    with pytest.raises(InputError, match=r"^weights=100 counts single weights: with granularity=edge give parameters$"):
        learned("gru rnn", method_of("gmp", every=4, granularity="edge"), weights=100)


@pytest.mark.parametrize("kind", ["relu mlp", "gru rnn"])
def test_statistics_of_inputs_are_those_of_the_values(kind: str) -> None:
    network, task = network_of(kind, torch.float64), task_of(kind)
    spread, norm = input_statistics(network, task)
    x = task.inputs[task.train].double().reshape(-1, 8)
    np.testing.assert_allclose(spread[:8], x.std(dim=0, correction=0), rtol=1e-9)
    np.testing.assert_allclose(norm[:8], x.norm(dim=0), rtol=1e-9)
    if isinstance(network, SparseMLP):
        first, second, _ = network.matrices()
        hidden = torch.relu(x @ first.T + network.bias[:9])
        deep = torch.relu(hidden @ second.T + network.bias[9:16])
        values = torch.cat([hidden, deep], dim=1).detach()
    else:
        states = network.rnn(task.inputs[task.train].double())[0]
        values = states.detach().reshape(-1, 10)
    np.testing.assert_allclose(spread[8:-3], values.std(dim=0, correction=0), rtol=1e-9)
    assert not spread[-3:].any()


def test_a_parent_that_is_sparse_bounds_what_grows(engine: str) -> None:
    rng = np.random.default_rng(1)
    masks = [rng.random(shape) < 0.5 for shape in ((9, 8), (7, 9), (3, 7))]
    network = SparseMLP(Wiring.from_masks(masks, inputs=True, outputs=True), rng=0)
    allowed = places_of(wired_parts(network))
    found = learned("relu mlp", method_of("rigl", every=3), engine, network=network, weights=30)
    assert found.updates > 5
    assert set(places_of(wired_parts(network))) <= set(allowed.tolist())
    assert len(places_of(wired_parts(network))) == 30


def test_snapshots_tell_of_every_epoch() -> None:
    found = learned("relu mlp", method_of("rigl", every=3))
    assert [own.epoch for own in found.snapshots] == list(range(7))
    assert all(own.weights == 100 for own in found.snapshots)
    assert all(own.turnover > 0 for own in found.snapshots[1:4])
    assert found.snapshots[0].turnover == 0
    assert found.ever > 100
    pruned = learned("relu mlp", method_of("gmp", every=3))
    weights = [own.weights for own in pruned.snapshots]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] == 8 * 9 + 9 * 7 + 7 * 3
    assert weights[-1] == 100


@pytest.mark.parametrize("target", ["weights", "parameters"])
def test_turnover_is_what_two_snapshots_do_not_share(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often weights moved between them."""
    from nas.sparsity import learning

    seen: dict[int, set[int]] = {}
    look = learning._Learner._look

    def watching(self: Any, step: int) -> None:
        look(self, step)
        seen[step] = set(places_of(self.parts).tolist())

    monkeypatch.setattr(learning._Learner, "_look", watching)
    method = method_of("itop", every=1, begin=1, end="never", fraction=0.9, drop_schedule="constant")
    found = learned("relu mlp", method, **{target: 60})
    assert found.updates > 20
    for before, after in pairwise(found.snapshots):
        shared = len(seen[before.step] & seen[after.step])
        assert after.turnover == pytest.approx(1 - shared / after.weights)
        assert after.turnover > 0.1


@pytest.mark.parametrize(
    ("name", "given", "line"),
    [
        ("rigl", {}, "weights=None, parameters=None, places=none: exactly one of the three is the target"),
        ("rigl", {"weights": 3, "parameters": 3}, "exactly one of the three"),
        ("gmp", {"weights": 157}, "weights=157: the network has 156; give fewer"),
        ("rigl", {"weights": 157}, "157 weights were to be kept where there"),
        ("rigl", {"parameters": 20}, "parameters=20: 19 biases leave no weights; at least 22 are needed"),
        (
            "gmp",
            {"weights": 2},
            r"^weights=2: every layer keeps 1 at least \(layer 1, layer 2, output\); give at least 3$",
        ),
        ("gmp", {"parameters": 7}, "^parameters=7: no network with 3 outputs has so few; at least 8 are needed$"),
        ("gmp", {"parameters": 176}, "^parameters=176: the network has 175; give fewer$"),
        ("rigl", {"parameters": 176}, "^parameters=176: the network has 175; give fewer$"),
        ("gmp", {"weights": "5"}, "^weights='5': it must be a whole number of at least 1$"),
        ("rigl", {"weights": 60.5}, "^weights=60.5: it must be a whole number"),
        ("rigl", {"weights": True}, "^weights=True: it must be a whole number"),
        ("rigl", {"parameters": 0}, "^parameters=0: it must be a whole number"),
        ("itop", {"places": [1, 2]}, "^places: they must be an int64 array of a place or more, .* this is a list$"),
        ("itop", {"places": np.zeros(0, np.int64)}, r"^places: .*, and this is an array of shape \(0,\)$"),
        ("itop", {"weights": 60, "rng": -1}, "^rng=-1: it must be a whole number of at least 0, a numpy Generator, or"),
        ("itop", {"weights": 60, "rng": "a"}, "^rng='a': it must be a whole number"),
        (
            "itop",
            {"weights": 60, "features": "n_edges"},
            "^features='n_edges': they must be a sequence of",
        ),
        ("rigle", {"weights": 60}, "^method 'rigle' is not known"),
        (3, {"weights": 60}, "^method=3: it must be a Method, or one of static, gmp, rigl,"),
        (None, {"weights": 60}, "^method=None: it must be a Method, or one of static, gmp, rigl,"),
        ("dnw", {"weights": 60}, "action=shadow: weights that do not live are trained on"),
        ("nowak-released", {"weights": 60}, "masked_slots=dense: weights that do not live have moments"),
    ],
)
def test_what_cannot_be_is_one_line(name: Any, given: dict[str, Any], line: str) -> None:
    changes = {} if name == "dnw" else {"every": 3, "begin": 3}
    network, recipe = network_of("relu mlp"), Recipe(epochs=6, batch_size=16)
    method = method_of(name, **changes) if name in METHODS else name
    with pytest.raises(InputError, match=line) as caught:
        learn(network, task_of("relu mlp"), recipe, method, **{"rng": 0, **given})
    assert "\n" not in str(caught.value)


def test_a_dense_layer_is_no_surprise_in_the_midst_of_pruning() -> None:
    """What cannot be is said before training, and what can be is reached."""
    method, recipe, task = method_of("gmp", every=3, dense="first"), Recipe(epochs=6, batch_size=16), task_of("mlp")
    line = (
        r"^weights=73: every layer keeps 1 at least \(layer 1, layer 2, output\), and all of layer 1; give at least 74$"
    )
    with pytest.raises(InputError, match=line):
        check_learning(network_of("relu mlp"), task, recipe, method, weights=73)
    assert learned("relu mlp", method, weights=74).snapshots[-1].weights == 74


@pytest.mark.parametrize("kind", ["relu mlp", "gru rnn"])
@pytest.mark.parametrize("target", ["weights", "parameters"])
def test_the_least_that_is_let_through_can_be_pruned_to(kind: str, target: str) -> None:
    """Where what is left is a chain from an input to an output, too; that nothing leads there is said."""
    least = next(n for n in range(1, 40) if _may_be_pruned(kind, {target: n}))
    for score, number in product(("magnitude", "random", "activation"), (least, least + 1, least + 5)):
        method = method_of("gmp", every=6, score=score, allocation="class-blinded")
        try:
            found = learned(kind, method, **{target: number})
            line, left = "", found.liveness.n_parameters if target == "parameters" else found.snapshots[-1].weights
        except InputError as error:
            line, left = str(error), 0
        assert left <= number
        assert line in ("", f"parameters={number}: of so few nothing leads from inputs to outputs; give more")
        assert not (line and target == "weights")


def _may_be_pruned(kind: str, target: dict[str, Any]) -> bool:
    try:
        check_learning(network_of(kind), task_of(kind), Recipe(epochs=6, batch_size=16), method_of("gmp"), **target)
    except InputError:
        return False
    return True


def test_a_method_may_be_given_by_its_name() -> None:
    found = [learned("relu mlp", method, weights=60) for method in ("rigl", METHODS["rigl"])]  # type: ignore[arg-type]
    assert np.array_equal(state(found[0].network), state(found[1].network))


def test_growth_by_momentum_is_refused_before_anything_is_trained() -> None:
    network, recipe = network_of("relu mlp"), Recipe(epochs=6, batch_size=16)
    method = method_of("rigl", growth="momentum", every=3)
    before = places_of(wired_parts(network))
    for refuse in (check_learning, learn):
        with pytest.raises(InputError, match=r"^growth=momentum: .*; use gradient or random$"):
            refuse(network, task_of("relu mlp"), recipe, method, weights=60)
    assert np.array_equal(places_of(wired_parts(network)), before)
