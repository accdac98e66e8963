"""Zero-cost measures against definitions written out in float64 with the networks that are trained."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from torch import Tensor, nn
from torch.nn import functional

from nas.networks import NetworkSpec, parts_of
from nas.networks.blocks import slots_of
from nas.seeds import stream
from nas.tasks import Task
from nas.zero_cost import ZERO_COST, zero_cost, zero_cost_columns
from nas.zero_cost.passes import Ensemble
from priors.wiring import Wiring

MLPS = [NetworkSpec("mlp", activation) for activation in ("relu", "tanh", "sigmoid", "gelu", "identity")]
RNNS = [NetworkSpec("rnn", cell=cell) for cell in ("gru", "tanh", "lstm", "relu")]
RNNS.append(NetworkSpec("rnn", cell="tanh", leak=0.3))
OF_CLASSES = {"zc_readout_accuracy", "zc_linear_reads", "zc_discriminant_reads"}


def name_of(spec: NetworkSpec) -> str:
    return spec.activation if spec.kind == "mlp" else f"rnn-{spec.cell}{'' if spec.leak == 1 else '-leaky'}"


def feedforward_wiring(seed: int, n_inputs: int = 4, n_outputs: int = 3) -> Wiring:
    """Three hidden layers, skips, neurons that nothing reads or feeds."""
    return _random_wiring(seed, (n_inputs, 4, 3, 2, n_outputs), lambda source, target: source < target)


def recurrent_wiring(seed: int, n_inputs: int = 4, n_outputs: int = 3) -> Wiring:
    """Two hidden layers with recurrence within and between them; only hidden neurons feed outputs."""

    def possible(source: int, target: int) -> bool:
        return target > 0 and source < 3 and (source, target) != (0, 3)

    return _random_wiring(seed, (n_inputs, 4, 3, n_outputs), possible)


def _random_wiring(seed: int, sizes: tuple[int, ...], possible: Callable[[int, int], bool]) -> Wiring:
    rng = np.random.default_rng(seed)
    layer = np.repeat(np.arange(len(sizes)), sizes)
    edges = [
        (source, target)
        for source in range(len(layer))
        for target in range(len(layer))
        if possible(int(layer[source]), int(layer[target])) and rng.random() < 0.5
    ]
    return Wiring(sizes, edges, inputs=True, outputs=True)


def rows_task(seed: int = 0, *, classes: bool = True) -> Task:
    rng = np.random.default_rng(seed)
    labels = np.arange(150) % 3
    x = rng.normal(size=(150, 4)) + 0.8 * labels[:, None] * [1, -1, 0, 0.5]
    return Task.from_arrays("rows", x, labels if classes else np.stack([x[:, 0], x[:, 1] ** 2, labels], 1))


def symbols_task(seed: int = 0) -> Task:
    rng = np.random.default_rng(seed)
    x, lengths = rng.integers(0, 4, (150, 6)), rng.integers(1, 7, 150)
    return Task.from_arrays("symbols", x, np.arange(150) % 3, lengths=lengths, n_symbols=4)


def case(spec: NetworkSpec, seed: int) -> tuple[Wiring, Task]:
    if spec.kind == "mlp":
        return feedforward_wiring(seed), rows_task(seed)
    return recurrent_wiring(seed), symbols_task(seed)


def minibatch(task: Task, n: int, seed: int = 0) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
    order = np.argsort(stream(seed, "batches").random(len(task.train)), kind="stable")
    x, lengths, y = task.batch(task.train[torch.from_numpy(order[:n])])
    return x.double(), () if lengths is None else (lengths,), y


def networks(wiring: Wiring, spec: NetworkSpec, inits: int, seed: int = 0) -> list[nn.Module]:
    rngs = [stream(seed, "weights", wiring.fingerprint, init, 1) for init in range(inits)]
    return [spec.build(wiring, rng).double() for rng in rngs]


def weight_gradients(network: nn.Module, loss: Tensor) -> list[tuple[np.ndarray, Tensor, Tensor]]:
    """Return edges, (n_edges, gates) weights and gradients of every part of a network."""
    network.zero_grad()
    loss.backward(retain_graph=True)
    found = []
    for part in parts_of(network):
        blueprint = network.rnn.blueprint if hasattr(network, "rnn") else network.blueprint
        into_output = blueprint.edges[:, 1] >= blueprint.n_neurons - blueprint.n_outputs
        here = np.ones(len(into_output), bool)
        if hasattr(network, "rnn"):
            here = into_output if part is network.head else ~into_output
        edges = blueprint.edges[here]
        places = torch.searchsorted(part.slots, torch.from_numpy(slots_of(part.blocks, edges)))
        found.append((edges, part.weight.detach()[places], part.weight.grad[places]))
    return found


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("spec", MLPS + RNNS, ids=name_of)
def test_stacked_initialisations_are_the_networks_that_are_trained(spec: NetworkSpec, seed: int):
    wiring, task = case(spec, seed)
    x, lengths, _ = minibatch(task, 9)
    ensemble = Ensemble(wiring, spec, [np.random.default_rng(5), np.random.default_rng(6)], torch.float64)
    ran = ensemble.run(ensemble.weights, x.movedim(0, -1).expand(2, *x.shape[1:], -1), *lengths)
    for row, rng in enumerate((5, 6)):
        network = spec.build(wiring, rng).double()
        torch.testing.assert_close(ran.outputs[row].T, network(x, *lengths), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("spec", MLPS + RNNS, ids=name_of)
def test_gradient_measures_are_what_autograd_gives(spec: NetworkSpec, seed: int):
    wiring, task = case(spec, seed)
    x, lengths, y = minibatch(task, 8)
    loss, norm, snip, jacobian = [], [], [], []
    for network in networks(wiring, spec, 2):
        inputs = x.clone().requires_grad_()
        outputs = network(inputs, *lengths)
        value = functional.cross_entropy(outputs, y)
        parts = weight_gradients(network, value)
        loss.append(float(value.detach()))
        norm.append(sum(float(gradient.square().sum()) for _, _, gradient in parts) ** 0.5)
        snip.append(sum(float((weight * gradient).abs().sum()) for _, weight, gradient in parts))
        rows = [torch.autograd.grad(outputs[:, k].sum(), inputs, retain_graph=True)[0] for k in range(3)]
        jacobian.append(float(torch.stack(rows).square().sum() / len(x)) ** 0.5)
    found = zero_cost(wiring, spec, task, inits=2, batch=8)
    assert found["zc_loss"] == pytest.approx(np.mean(loss), rel=1e-4)
    assert found["zc_gradient_norm"] == pytest.approx(np.mean(norm), rel=1e-4)
    assert found["zc_snip"] == pytest.approx(np.mean(snip), rel=1e-4)
    assert found["zc_jacobian"] == pytest.approx(np.mean(jacobian), rel=1e-4)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("spec", [*MLPS, *(own for own in RNNS if own.cell in ("tanh", "relu") and own.leak == 1)],
                         ids=name_of)  # fmt: skip
def test_fisher_follows_from_the_weights_out_of_a_neuron(spec: NetworkSpec, seed: int):
    # What reaches the loss from a neuron goes through the weights of its edges, each times its activation.
    wiring, task = case(spec, seed)
    x, lengths, y = minibatch(task, 8)
    totals = []
    for network in networks(wiring, spec, 2):
        losses = functional.cross_entropy(network(x, *lengths), y, reduction="none")
        products = np.zeros((8, wiring.n_neurons))
        for example in range(8):
            for edges, weight, gradient in weight_gradients(network, losses[example]):
                np.add.at(products[example], edges[:, 0], (weight * gradient).sum(dim=1).numpy())
        totals.append((products[:, wiring.n_inputs :] ** 2).mean(axis=0).sum())
    assert zero_cost(wiring, spec, task, inits=2, batch=8)["zc_fisher"] == pytest.approx(np.mean(totals), rel=1e-4)


def test_fisher_and_jacobian_follow_changes_of_a_gated_cell():
    spec, (wiring, task) = RNNS[0], case(RNNS[0], 3)
    ensemble = Ensemble(wiring, spec, [np.random.default_rng(1)], torch.float64)
    x, lengths, _ = minibatch(task, 1)
    inputs = x.movedim(0, -1)[None].requires_grad_()
    ran = ensemble.run(ensemble.weights, inputs, *lengths)
    (gradient,) = torch.autograd.grad(ran.outputs[0, 1, 0], inputs)
    nudged = inputs.detach().clone()
    nudged[0, 0, 2, 0] += 1e-6
    change = ensemble.run(ensemble.weights, nudged, *lengths).outputs[0, 1, 0] - ran.outputs[0, 1, 0]
    assert float(change.detach()) / 1e-6 == pytest.approx(float(gradient[0, 0, 2, 0]), rel=1e-4, abs=1e-7)
    assert zero_cost(wiring, spec, task)["zc_fisher"] > 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_synflow_sums_paths_by_their_length(seed: int):
    wiring = feedforward_wiring(seed)
    weights = np.random.default_rng(seed).normal(size=wiring.n_edges)
    weighted = wiring.replace(weights=weights)
    size = np.abs(weighted.weights)

    def flow(neuron: int, length: int, product: float) -> float:
        if neuron >= wiring.n_neurons - wiring.n_outputs:
            return length * product
        return sum(
            flow(int(target), length + 1, product * float(weight))
            for (source, target), weight in zip(wiring.edges, size, strict=True)
            if source == neuron
        )

    total = sum(flow(unit, 0, 1.0) for unit in range(wiring.n_inputs))
    assert zero_cost(weighted, MLPS[0], rows_task())["zc_synflow"] == pytest.approx(np.log(total), rel=1e-5)


@pytest.mark.parametrize("spec", [MLPS[0], MLPS[1], MLPS[2], RNNS[0], RNNS[3]], ids=name_of)
def test_activity_measures_from_the_states_themselves(spec: NetworkSpec):
    wiring, task = case(spec, 1)
    x, lengths, _ = minibatch(task, 12)
    kernels, variances, ranks = [], [], []
    for init, network in enumerate(networks(wiring, spec, 2)):
        outputs = network(x, *lengths).detach().numpy()
        if spec.kind == "rnn":
            states = network.rnn(x)[0][torch.arange(12), lengths[0] - 1].detach().numpy()
        else:
            ensemble = Ensemble(wiring, spec, [stream(0, "weights", wiring.fingerprint, init, 1)], torch.float64)
            states = ensemble.run(ensemble.weights, x.T[None]).final[0].T.numpy()
        on = states > (0.5 if spec.activation == "sigmoid" and spec.kind == "mlp" else 0)
        alike = np.array([[np.mean(a == b) for a in on] for b in on])
        kernels.append(np.log(np.linalg.det(alike + 1e-3 * np.eye(12))))
        variances.append(outputs.var(axis=0).mean())
        singular = np.linalg.svd(outputs - outputs.mean(axis=0), compute_uv=False)
        share = singular[singular > 1e-9] / singular.sum()
        ranks.append(np.exp(-(share * np.log(share)).sum()))
    found = zero_cost(wiring, spec, task, inits=2, batch=12)
    assert found["zc_naswot"] == pytest.approx(np.mean(kernels), rel=1e-4)
    assert found["zc_logit_variance"] == pytest.approx(np.mean(variances), rel=1e-4)
    assert found["zc_logit_rank"] == pytest.approx(np.mean(ranks), rel=1e-4)


def test_a_neuron_that_never_activates_is_dead():
    task = Task.from_arrays("positive", np.random.default_rng(0).random((90, 2)) + 0.1, np.arange(90) % 2)
    edges = [(0, 2), (1, 2), (0, 3), (1, 3), (1, 4), (3, 5), (2, 6), (3, 6), (4, 7), (5, 7)]
    weights = [-1.0, -2.0, 1.0, 1.0, 3.0, -1.0, 1.0, 1.0, 1.0, 1.0]
    # Neuron 2 sees inputs above 0 through weights below 0, and neuron 5 the positive neuron 3 likewise.
    wiring = Wiring((2, 3, 1, 2), edges, inputs=True, outputs=True, weights=weights)
    assert zero_cost(wiring, NetworkSpec("mlp", "relu"), task)["zc_dead"] == pytest.approx(2 / 4)
    assert zero_cost(wiring, NetworkSpec("mlp", "tanh"), task)["zc_dead"] == 0


def test_what_happens_behind_a_sequences_end_does_not_bring_a_neuron_to_life():
    # Neuron 2 hears of neuron 1 a step later: by then the sequences that excite neuron 1 are over.
    x = np.zeros((60, 2, 1))
    x[::2, 0] = 1.0
    lengths = np.where(np.arange(60) % 2 == 0, 1, 2)
    task = Task.from_arrays("steps", x, np.arange(60) // 2 % 2, lengths=lengths)
    edges = [(0, 1), (1, 2), (1, 3), (2, 4)]
    wiring = Wiring((1, 2, 2), edges, inputs=True, outputs=True, weights=np.ones(4))
    assert zero_cost(wiring, NetworkSpec("rnn", cell="relu"), task)["zc_dead"] == 1 / 2


@pytest.mark.parametrize("classes", [True, False], ids=["classes", "values"])
def test_readout_is_a_ridge_regression(classes: bool):
    task, wiring = rows_task(classes=classes), feedforward_wiring(1)
    order = np.argsort(stream(0, "batches").random(len(task.train)), kind="stable")
    drawn = task.train[torch.from_numpy(order)][:64]
    read = np.unique([s for s, t in wiring.edges.tolist() if t >= wiring.n_neurons - 3 and s >= 4]) - 4
    ensemble = Ensemble(wiring, MLPS[0], [stream(0, "weights", wiring.fingerprint, 0, 1)], torch.float64)
    x, _, y = task.batch(drawn)
    features = ensemble.run(ensemble.weights, x.double().T[None]).final[0, read].T.numpy()
    targets = np.eye(3)[y.numpy()] if classes else y.double().numpy()
    centred = features[:32] - features[:32].mean(axis=0)
    guess = Ridge(alpha=0.01 * (centred**2).sum() / len(read)).fit(features[:32], targets[:32]).predict(features[32:])
    residual = ((targets[32:] - guess) ** 2).sum() / ((targets[32:] - targets[32:].mean(axis=0)) ** 2).sum()
    found = zero_cost(wiring, MLPS[0], task, inits=1, batch=4)
    assert found["zc_readout_r2"] == pytest.approx(1 - residual, rel=1e-4)
    if classes:
        assert found["zc_readout_accuracy"] == pytest.approx(np.mean(guess.argmax(axis=1) == y[32:].numpy()))


@pytest.mark.parametrize("spec", MLPS + RNNS, ids=name_of)
def test_every_measure_of_every_network_is_a_number(spec: NetworkSpec):
    wiring, task = case(spec, 1)
    found = zero_cost(wiring, spec, task, batch=16)
    assert list(found) == list(ZERO_COST)
    undefined = {name for name, value in found.items() if not np.isfinite(value)}
    assert undefined == (set() if spec.kind == "mlp" else {"zc_synflow"})
    assert all(name == feature.name and feature.definition for name, feature in ZERO_COST.items())


def test_values_have_no_classes():
    found = zero_cost(feedforward_wiring(1), MLPS[0], rows_task(classes=False))
    assert {name for name, value in found.items() if np.isnan(value)} == OF_CLASSES
    task = rows_task(classes=False)
    x, _, y = minibatch(task, 64)
    losses = [
        float(functional.mse_loss(network(x), y.double()).detach())
        for network in networks(feedforward_wiring(1), MLPS[0], 3)
    ]
    assert found["zc_loss"] == pytest.approx(sum(losses) / 3, rel=1e-4)


@pytest.mark.parametrize("edges", [[], [(0, 4), (1, 5)]], ids=["no edge", "no neuron"])
def test_networks_of_nothing_are_undefined_and_not_infinite(edges: list[tuple[int, int]]):
    found = zero_cost(Wiring((4, 3), edges, inputs=True, outputs=True), MLPS[0], rows_task())
    assert not any(np.isinf(value) for value in found.values())
    assert np.isnan(found["zc_naswot"])
    assert np.isnan(found["zc_input_variance"])
    assert np.isnan(found["zc_synflow"]) == (not edges)
    deaf = zero_cost(Wiring((4, 2, 3), [(4, 6)], inputs=True, outputs=True), MLPS[0], rows_task())
    assert not any(np.isinf(value) for value in deaf.values())
    assert deaf["zc_dead"] == 1


def test_deep_networks_overflow_to_undefined():
    sizes = (4, *[1] * 200, 3)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    edges = [(int(a), int(b)) for a, b in pairwise(range(3, int(starts[-2]) + 1))]
    wiring = Wiring(sizes, edges, inputs=True, outputs=True, weights=np.full(len(edges), 1e3))
    found = zero_cost(wiring, NetworkSpec("mlp", "identity"), rows_task())
    assert not any(np.isinf(value) for value in found.values())
    assert np.isnan(found["zc_gradient_norm"])


def test_values_repeat_and_depend_on_seed_and_wiring_alone():
    wirings, task = [feedforward_wiring(seed) for seed in (1, 2, 3)], rows_task()
    first = zero_cost_columns(wirings, MLPS[0], task)
    assert all(column.shape == (3,) and column.dtype == np.float64 for column in first.values())
    backwards = zero_cost_columns(wirings[::-1], MLPS[0], task)
    alone = zero_cost(wirings[1], MLPS[0], task)
    for name, column in first.items():
        np.testing.assert_array_equal(column, backwards[name][::-1])
        assert column[1] == alone[name]
    other = zero_cost(wirings[1], MLPS[0], task, seed=1)
    assert other["zc_snip"] != alone["zc_snip"]


def test_weights_are_not_those_of_a_training():
    wiring, task = feedforward_wiring(1), rows_task()
    x, _, y = minibatch(task, 64)
    trained = MLPS[0].build(wiring, stream(0, "weights", wiring.fingerprint, 0)).double()
    loss = float(functional.cross_entropy(trained(x), y).detach())
    assert zero_cost(wiring, MLPS[0], task, inits=1)["zc_loss"] != pytest.approx(loss, rel=1e-4)


@pytest.mark.parametrize("spec", [MLPS[0], RNNS[1]], ids=name_of)
def test_only_the_training_part_is_read(spec: NetworkSpec):
    wiring, task = case(spec, 1)
    before = zero_cost(wiring, spec, task)
    held_out = torch.cat([task.validation, task.test])
    task.inputs[held_out] = 0 if task.is_sequence else torch.nan
    task.targets[held_out] = -1
    np.testing.assert_equal(zero_cost(wiring, spec, task), before)
    task.targets[task.train] = task.targets[task.train].flip(0)
    assert zero_cost(wiring, spec, task)["zc_loss"] != before["zc_loss"]


def test_a_small_training_part_is_enough():
    task = Task.from_arrays("small", np.random.default_rng(0).normal(size=(12, 4)), np.arange(12) % 3)
    found = zero_cost(feedforward_wiring(1), MLPS[0], task, batch=64)
    assert all(np.isfinite(value) for value in found.values())


def test_what_does_not_fit_is_refused():
    wiring, task = feedforward_wiring(1), rows_task()
    with pytest.raises(ValueError, match="inits=0"):
        zero_cost(wiring, MLPS[0], task, inits=0)
    with pytest.raises(ValueError, match="batch=1"):
        zero_cost(wiring, MLPS[0], task, batch=1)
    with pytest.raises(ValueError, match="linear-mean"):
        zero_cost(wiring, NetworkSpec("linear-mean"), task)
    with pytest.raises(ValueError, match="needs 4 and 3"):
        zero_cost(feedforward_wiring(1, n_inputs=5), MLPS[0], task)
    with pytest.raises(ValueError, match="need an rnn"):
        zero_cost(wiring, MLPS[0], symbols_task())
    with pytest.raises(ValueError, match="need an mlp"):
        zero_cost(recurrent_wiring(1), RNNS[0], task)
