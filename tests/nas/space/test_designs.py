"""Ways to a structure: what acts is asked for, and what comes out keeps to the budget, whichever way it came about."""

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import optuna
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.errors import InputError
from nas.evaluation.trainer import Trainer
from nas.inputs import Pooling
from nas.networks import NetworkSpec
from nas.networks.structure import n_parameters
from nas.space.budget import Budget
from nas.space.designs import WAYS, WaySpace
from nas.space.draws import Uniform
from nas.space.ways import WAY_NAMES, Ways
from nas.tasks import Task, load_task
from nas.training import Recipe
from priors import READ_INS

DIGITS, REBER = load_task("digits"), load_task("reber")
ENGINES = ("native", "torch")
few = settings(deadline=None, max_examples=40)


def plain() -> Task:
    """Numbers, of which nobody knows where they lie."""
    rng = np.random.default_rng(0)
    targets = rng.integers(3, size=90)
    return Task.from_arrays("plain", rng.normal(size=(90, 12)) + targets[:, None], targets)


PLAIN = plain()


def space(task: Task = DIGITS, budget: str = "400", precision: int = 32, cell: str = "gru", **options: Any) -> WaySpace:
    spec = NetworkSpec("rnn", cell=cell) if task.is_sequence else NetworkSpec("mlp")
    every = tuple(name for name in WAYS if spec.kind == "mlp" or name != "rewired")
    return WaySpace(Ways(**{"ways": every, **options}), Budget.of(budget), precision, task, spec, (0.003, 0.03))


def drawn(own: WaySpace, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {**own.suggest(Uniform(rng)), **own.seeds(rng)}


# What is asked for

PRUNED = {"oversize", "score", "until", "parent_depth", "taper", "shortcuts", "parent_read_in", "parent_fan_in",
          "parent_locality", "parent_links"}  # fmt: skip
OF_WAYS = {
    "prior": {"read_in", "fan_in", "locality", "fan_out", "hidden", "depth", "links", "graph_degree", "p", "initial"},
    "pruned": PRUNED,
    "rewired": {"oversize", "rewiring", "drop", "parent_depth", "taper"},
    "redrawn": PRUNED | {"keeps"},
}


def acts(name: str, params: Mapping[str, Any], kind: str) -> bool:
    """Whether a parameter of a way does anything beside the others, as the help of the options says it."""
    read_in, parent_read_in = (READ_INS.get(str(params.get(own))) for own in ("read_in", "parent_read_in"))
    has_layers, depth = params.get("hidden") == "layers", params.get("parent_depth", 0)
    parent_draws = parent_read_in is not None and not parent_read_in.reads_all
    return {
        "fan_in": read_in is not None and not read_in.reads_all,
        "locality": read_in is not None and bool(read_in.locality),
        "depth": has_layers,
        "links": has_layers and params.get("depth", 1) > 1,
        "graph_degree": not has_layers,
        "p": params.get("hidden") == "watts-strogatz",
        "initial": params.get("hidden") == "barabasi-albert",
        "parent_depth": kind == "mlp",
        "oversize": kind == "rnn" or depth > 0,
        "shortcuts": depth > 0,
        "taper": depth > 1,
        "parent_read_in": depth > 0,
        "parent_fan_in": parent_draws,
        "parent_links": parent_draws and depth > 1,
        "parent_locality": parent_draws and bool(parent_read_in.locality),
    }.get(name, True)


def test_every_way_is_tried_here():
    assert set(OF_WAYS) == set(WAYS) == set(WAY_NAMES)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("task", [DIGITS, PLAIN, REBER], ids=lambda task: task.name)
def test_only_what_acts_is_asked_for_and_distributions_accept_it(way: str, task: Task):
    if task.is_sequence and way == "rewired":
        pytest.skip("refused")
    own = space(
        task, ways=way, read_ins=("local", "variance", "complete"), parent_read_ins=("local", "complete", "random")
    )
    distributions, seen = own.distributions(), set()
    for seed in range(60):
        params = drawn(own, seed)
        expected = {name for name in OF_WAYS[way] if acts(name, params, own.spec.kind)}
        assert set(params) == expected | {"way", "pool", "learning_rate", "attach_seed"}, params
        for name, value in params.items():
            assert distributions[name]._contains(distributions[name].to_internal_repr(value)), name
        seen |= set(params)
    assert seen <= set(distributions)


def test_a_study_asks_for_the_same_parameters():
    own = space()
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0, n_startup_trials=3))
    for number in range(12):
        trial = study.ask()
        params = own.suggest(trial)
        assert params == trial.params
        assert set(trial.distributions) == set(params)
        for name, distribution in trial.distributions.items():
            assert distribution == own.distributions()[name]
        study.tell(trial, float(number))


@pytest.mark.parametrize("way", WAYS)
def test_parameters_say_everything(way: str):
    own, again = space(ways=way), space(ways=way)
    for seed in range(8):
        params = drawn(own, seed)
        assert own.wiring(params) == again.wiring(dict(reversed(params.items())))
        assert own.way(params) == again.way(params)
        assert own.way(params).learning_rate == params["learning_rate"]
        assert own.way(params).pool == int(params["pool"])


def test_squares_that_leave_too_little_are_left_out():
    assert space().pools == (1, 2)
    assert space(pools=(4, 8, 4)).pools == (4, 8)
    assert space(pools=3).pools == (3,)
    assert space(PLAIN).pools == space(REBER).pools == (1,)


def test_read_ins_without_places_are_those_that_need_none():
    assert space(PLAIN).domains()["read_in"].values == ("correlated", "variance", "random", "complete")
    assert space(PLAIN).domains()["parent_read_in"].values == ("complete",)
    assert space().domains()["read_in"].values == ("local", "correlated", "variance", "random", "complete")


@pytest.mark.parametrize(
    ("task", "given", "message"),
    [
        (DIGITS, {"budget": "21"}, "budget=21: a network with one hidden neuron and 10 outputs costs 22; give as "
         "much at least"),
        (DIGITS, {"budget": "131B"}, "budget=131B: a network with one hidden neuron and 10 outputs costs 132B; give as "
         "much at least"),
        (DIGITS, {"budget": "65B", "precision": 8}, "budget=65B: a network with one hidden neuron and 10 outputs costs "
         "66B; give as much at least"),
        (DIGITS, {"budget": "10MAC"}, "budget=10MAC: a network with one hidden neuron and 10 outputs costs 11MAC; give "
         "as much at least"),
        (REBER, {"budget": "10"}, "budget=10: a network with one hidden neuron and 2 outputs costs 11; give as much at "
         "least"),
        (DIGITS, {"pools": 9}, "ways.pools=9: size=9: an image of 8 x 8 pixels has no such square"),
        (PLAIN, {"pools": 2}, "ways.pools=2: the inputs of task plain are not known to be images; give a task with a "
         "shape, or leave it out"),
        (PLAIN, {"read_ins": ("local", "patches")}, "ways.read_ins=local, patches: the inputs of task plain are not "
         "known to lie anywhere; give correlated, variance or random"),
        (REBER, {"ways": "rewired"}, "ways.ways=rewired: single weights of an RNN's gates would move, which make no "
         "graph; leave it out, or give network=mlp"),
        (REBER, {"hidden": "layers"}, "ways.hidden=layers: neurons of an RNN are connected by a graph; give "
         "watts-strogatz, barabasi-albert or erdos-renyi"),
        (REBER, {"scores": "obd"}, "ways.scores=obd: it is for MLPs, and this network is recurrent; use another, "
         "such as obs or snip"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_line(task: Task, given: dict[str, Any], message: str):
    with pytest.raises(InputError) as caught:
        space(task, **given)
    assert str(caught.value) == message


def test_the_least_budget_is_enough_for_every_way():
    for budget in ("22", "132B", "11MAC"):
        own = space(budget=budget, hidden=("layers", "watts-strogatz", "erdos-renyi"))
        for seed in range(12):
            params = drawn(own, seed)
            if params["way"] == "prior":
                assert cost_of(own, own.spec.build(own.wiring(params), 0)) <= own.limit


@pytest.mark.parametrize(
    ("name", "value"),
    [("rewirings", "rigl-torch"), ("rewirings", "nowak-released"), ("rewirings", "gmp"), ("scores", "set-released"),
     ("scores", "weight"), ("ways", "grown"), ("keeps", "all"), ("hidden", "layered"), ("read_ins", "near"),
     ("parent_read_ins", "near")],
)  # fmt: skip
def test_names_are_those_of_what_works(name: str, value: str):
    with pytest.raises(ValueError, match=f"{name} '{value}' is not known"):
        Ways(**{name: value})


# What comes of it


def cost_of(own: WaySpace, network: torch.nn.Module) -> int:
    """What a network costs by the parameters that it has."""
    every = network.named_parameters()
    return sum(part.numel() for name, part in every if own.budget.counts_biases or "bias" not in name)


def trainer(own: WaySpace, engine: str = "auto", **recipe: Any) -> Trainer:
    given = {"epochs": 2, "batch_size": 64, "learning_rates": (0.01,), **recipe}
    return Trainer(own.task, own.spec, Recipe(**given), seed=5, engine=engine)


def pooled_inputs(own: WaySpace, pool: int) -> torch.Tensor:
    return own.task.inputs if pool == 1 else Pooling(8, 8, pool)(own.task.inputs)


def train(own: WaySpace, seed: int, engine: str = "auto") -> Any:
    params = drawn(own, seed)
    way = own.way(params)
    assert way.learning_rate is not None
    return trainer(own, engine).train(own.wiring(params), 0, way.learning_rate, way=way)


def trace(training: Any) -> tuple[Any, ...]:
    """All that a training says but for how long it took."""
    history = training.history
    values = hashlib.sha256(b"".join(own.detach().numpy().tobytes() for own in training.network.parameters()))
    return training.wiring.fingerprint, history.value, history.steps, history.epochs, values.hexdigest()


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("budget", ["300", "1.5kB", "200MAC"])
@pytest.mark.parametrize("way", WAYS)
def test_what_is_trained_keeps_to_the_budget(way: str, budget: str, engine: str):
    own = space(budget=budget, ways=way, oversize=(2.0, 4.0))
    for seed in range(2 if engine == "native" else 1):
        training = train(own, seed, engine)
        network = training.network
        # Nothing that lives is dead, and nothing of it is left out.
        assert cost_of(own, network) <= own.limit
        parts = n_parameters(network)
        assert parts == own.spec.n_parameters(training.wiring)
        assert 0.7 * own.limit <= parts["total"] - (0 if own.budget.counts_biases else parts["biases"])
        assert training.history.engine == engine
        assert training.wiring.n_inputs == pooled_inputs(own, int(drawn(own, seed)["pool"])).shape[1]
        # The same network, by other means: plain torch on inputs that were averaged beforehand.
        inputs = pooled_inputs(own, int(drawn(own, seed)["pool"]))[own.task.test]
        with torch.no_grad():
            share = (network(inputs).argmax(1) == own.task.targets[own.task.test]).float().mean()
        assert training.test() == pytest.approx(float(share), abs=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_engines_learn_the_same_structure(way: str):
    own = space(ways=way, oversize=(2.0, 3.0))
    found = {engine: train(own, 3, engine) for engine in ENGINES}
    native, by_torch = found["native"], found["torch"]
    assert native.history.steps == by_torch.history.steps
    if way == "prior":
        assert native.wiring == by_torch.wiring
        assert native.history.value == pytest.approx(by_torch.history.value, abs=0.02)
    assert abs(native.wiring.n_edges - by_torch.wiring.n_edges) <= 0.1 * native.wiring.n_edges


@pytest.mark.parametrize("way", WAYS)
def test_one_seed_is_one_network_on_any_number_of_threads(way: str):
    own = space(ways=way, oversize=(2.0, 3.0))
    alone = [trace(train(own, seed)) for seed in (1, 2)]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda seed: trace(train(own, seed)), (1, 2))) == alone


@pytest.mark.parametrize("way", [name for name in WAYS if name != "rewired"])
@pytest.mark.parametrize("cell", ["gru", "tanh"])
def test_recurrent_networks_keep_to_the_budget(way: str, cell: str):
    own = space(REBER, budget="240", cell=cell, ways=way, oversize=(2.0, 3.0))
    params = drawn(own, 0)
    few_steps = trainer(own, epochs=1, batch_size=400)
    training = few_steps.train(own.wiring(params), 0, 0.01, way=own.way(params))
    parts = n_parameters(training.network)
    assert parts == own.spec.n_parameters(training.wiring)
    assert 0.8 * own.limit <= parts["total"] <= own.limit


def test_of_a_redrawn_network_all_updates_count():
    own = space(ways="redrawn", keeps="structure", oversize=(2.0, 3.0))
    assert train(own, 1).history.steps == 2 * train(space(ways="pruned", oversize=(2.0, 3.0)), 1).history.steps


@given(st.sampled_from(sorted(WAYS)), st.sampled_from(["60", "500", "3kB", "700MAC"]), st.integers(0, 10**6))
@few
def test_every_start_is_one_that_can_be_had(way: str, budget: str, seed: int):
    own = space(budget=budget, ways=way, hidden=("layers", "watts-strogatz", "barabasi-albert", "erdos-renyi"))
    params = drawn(own, seed)
    wiring = own.wiring(params)
    live = set(own.means(int(params["pool"])).inputs.live.tolist())
    assert set(wiring.edges[wiring.edges[:, 0] < wiring.n_inputs, 0].tolist()) <= live
    parts = own.spec.n_parameters(wiring)
    cost = parts["total"] - (0 if own.budget.counts_biases else parts["biases"])
    depth = params.get("parent_depth", 1)
    if way == "prior":
        assert cost <= own.limit
    elif depth > 0 and params.get("shortcuts", "no") == "no":
        least = own.means(int(params["pool"])).least(wiring.n_layers - 2)
        assert cost <= max(params["oversize"] * own.limit + 1, least)
    if way == "rewired" and depth > 0:
        # One weight for each neuron, and all of those of the last layer, which some methods keep.
        biases = parts["biases"] if own.budget.counts_biases else 0
        assert biases + wiring.n_hidden + wiring.sizes[-2] * wiring.n_outputs <= own.limit


@pytest.mark.parametrize("rewiring", ["set", "rigl"])
def test_linear_networks_are_rewired_too(rewiring: str):
    own = space(budget="120", ways="rewired", rewirings=rewiring, parent_depth=0)
    training = train(own, 0)
    assert training.wiring.n_hidden == 0
    assert 100 <= cost_of(own, training.network) <= own.limit
