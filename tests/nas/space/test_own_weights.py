"""Weights of one's own graphs, which networks of a search may begin with, and reservoirs keep."""

from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from command_line import wirenas

from nas import Campaign, InputError, Recipe, Space, load
from nas.networks import SequenceNetwork, SparseMLP, load_network, wiring_of
from nas.space.draws import Uniform
from nas.space.own_graphs import scaled_weights
from priors import GraphPool, Wiring, read_wiring, write_wiring

pytestmark = pytest.mark.usefixtures("no_plot")

N = 24


def brain(seed: int = 0, scale: float = 1.0) -> Wiring:
    """A directed graph with cycles, and signed weights of very different sizes."""
    rng = np.random.default_rng(seed)
    edges = np.argwhere(rng.random((N, N)) < 0.15)
    edges = edges[edges[:, 0] != edges[:, 1]]
    weights = scale * np.exp(rng.normal(0, 1.5, len(edges))) * rng.choice([-1, 1], len(edges))
    return Wiring((N,), edges, weights=weights.astype(np.float32), directed=True)


def recurrent(network: SequenceNetwork) -> dict[tuple[int, int], float]:
    """Weights between hidden neurons, by source and target."""
    wiring = wiring_of(network)
    first, last = wiring.n_inputs, wiring.n_neurons - wiring.n_outputs
    assert wiring.weights is not None
    return {
        (source - first, target - first): weight
        for (source, target), weight in zip(wiring.edges.tolist(), wiring.weights.tolist(), strict=True)
        if first <= source < last and target < last
    }


def options(**more: Any) -> dict[str, Any]:
    ridge = Recipe(optimizer="ridge", radii=(0.8,))
    given = {"network": "rnn", "cell": "tanh", "recipe": ridge, "trials": 1, "finalists": 1, "final_seeds": 1}
    return {"task": "delayed-parity", "threads": 1, **given, **more}


def test_they_are_as_large_as_drawn_ones() -> None:
    graph = brain(scale=50)
    scaled = scaled_weights(graph)
    assert scaled.weights is not None and graph.weights is not None  # noqa: PT018
    ratio = scaled.weights / graph.weights
    assert np.allclose(ratio, ratio[0], rtol=1e-5)
    fan_in = graph.in_degree[graph.edges[:, 1]]
    assert np.mean(np.square(scaled.weights, dtype=float)) == pytest.approx(np.mean(1 / fan_in), rel=1e-5)
    assert graph.weights is not None
    odd = graph.weights.copy()
    odd[:2] = np.nan, np.inf
    partly = scaled_weights(graph.replace(weights=odd)).weights
    assert partly is not None
    assert np.isnan(partly[:2]).all()
    assert np.allclose(partly[2:] / odd[2:], partly[2] / odd[2], rtol=1e-5)
    nothing = graph.replace(weights=np.zeros(graph.n_edges, np.float32))
    assert scaled_weights(nothing).weights is None


def test_a_space_keeps_them_only_if_asked() -> None:
    pool = GraphPool([brain()])
    for weights, structure in (("initial", "recurrent"), ("ignore", "recurrent")):
        space = Space(graphs=pool, graphs_weights=weights, structure=structure)
        params = {"graph": 0, "attachment": "controlled", "attach_seed": 3}
        wiring = space.wiring(params, 4, 2)
        assert (wiring.weights is not None) == (weights == "initial")
        if wiring.weights is not None:
            inner = (wiring.edges[:, 0] >= 4) & (wiring.edges[:, 1] < 4 + N)
            assert np.array_equal(wiring.weights[inner], scaled_weights(brain()).weights)
            assert np.isnan(wiring.weights[~inner]).all()
    line = " ".join(Space(graphs=pool, structure="recurrent").notices())
    assert "weights of 0 are not used: networks start from drawn ones; space.graphs_weights=initial starts" in line


def test_a_reservoir_keeps_them_for_good(tmp_path: Path) -> None:
    pool = GraphPool([brain()])
    Campaign(tmp_path / "own", space=Space(graphs=pool, graphs_weights="initial"), **options()).run()
    network = load_network(tmp_path / "own" / "best" / "network.safetensors")
    assert isinstance(network, SequenceNetwork)
    found = recurrent(network)
    graph = brain()
    assert graph.weights is not None
    ratios = [
        found[edge] / weight for edge, weight in zip(map(tuple, graph.edges.tolist()), graph.weights, strict=True)
    ]
    assert len(found) == graph.n_edges
    assert np.allclose(ratios, ratios[0], rtol=1e-4)
    Campaign(tmp_path / "drawn", space=Space(graphs=pool), **options()).run()
    assert load(tmp_path / "drawn")[0].value != load(tmp_path / "own")[0].value


def test_a_trained_network_begins_with_them(tmp_path: Path) -> None:
    pool, values = GraphPool([brain()]), {}
    still = Recipe(epochs=1, learning_rates=(1e-9,))
    for weights in ("initial", "ignore"):
        space = Space(graphs=pool, graphs_weights=weights)
        Campaign(tmp_path / weights, space=space, **options(recipe=still)).run()
        network = load_network(tmp_path / weights / "best" / "network.safetensors")
        assert isinstance(network, SequenceNetwork)
        values[weights] = recurrent(network)
    scaled = scaled_weights(brain())
    assert scaled.weights is not None
    own = dict(zip(map(tuple, scaled.edges.tolist()), scaled.weights.tolist(), strict=True))
    assert values["initial"] == pytest.approx(own, abs=1e-6)
    assert values["ignore"] != pytest.approx(own, abs=1e-2)


def test_parts_of_a_connectome_keep_theirs() -> None:
    graph, nodes = brain(), 12
    given = {"graphs": GraphPool([graph]), "graphs_weights": "initial", "structure": "recurrent"}
    space = Space(priors="connectome", nodes=nodes, draw="subsample", **given)
    params = {**space.suggest(Uniform(np.random.default_rng(0))), **space.seeds(np.random.default_rng(0))}
    wiring = space.wiring(params, 3, 2)
    assert wiring.weights is not None
    assert graph.weights is not None
    inner = wiring.weights[np.isfinite(wiring.weights)].astype(float)
    assert len(inner) > 3
    # All are weights of the graph, times one factor.
    ratios = inner[:, None] / graph.weights.astype(float)
    factors = [factor for factor in ratios[0] if all(np.isclose(row, factor, rtol=1e-4).any() for row in ratios)]
    assert len(factors) == 1


@pytest.mark.parametrize(
    ("space", "more", "line"),
    [
        ({"structure": "stack"}, {}, "space.graphs_weights=initial: structure=stack joins neurons by edges"),
        ({"edits": 4}, {}, "space.graphs_weights=initial: edited graphs have edges without weights; give edits=0"),
        ({}, {"cell": "gru", "recipe": Recipe()}, "space.graphs_weights=initial: a gru cell has several weights"),
        ({}, {"sampler": "genetic"}, "space.graphs_weights=initial: sampler=genetic crosses graphs without"),
        ({"graphs": GraphPool([nx.path_graph(9)])}, {}, "no graph of one's own has weights; leave it out"),
        ({"graphs": GraphPool([brain().replace(weights=np.zeros(brain().n_edges))])}, {}, "no graph of one's own has"),
        (
            {"graphs": GraphPool([brain(), brain(scale=2)])},
            {},
            "space.graphs_weights=initial: 0 and 1 have the same edges, so that a search takes them for one",
        ),
    ],
)
def test_what_cannot_keep_them_is_one_line(
    tmp_path: Path, space: dict[str, Any], more: dict[str, Any], line: str
) -> None:
    given = {"graphs": GraphPool([brain()]), "graphs_weights": "initial", **space}
    with pytest.raises(InputError) as caught:
        Campaign(tmp_path / "own", **options(space=given, **more)).run()
    assert line in str(caught.value)
    assert not (tmp_path / "own").exists()


def test_other_weights_are_another_campaign(tmp_path: Path) -> None:
    def run(graph: Wiring, trials: int) -> None:
        space = Space(graphs=GraphPool([graph]), graphs_weights="initial")
        Campaign(tmp_path / "own", space=space, **options(trials=trials)).run()

    graph = brain()
    assert graph.weights is not None
    run(graph, 1)
    with pytest.raises(InputError, match=r"space.graphs: the campaign in .* was started with other weights of these"):
        run(graph.replace(weights=graph.weights[::-1].copy()), 2)
    run(graph, 2)


def test_the_command_takes_them(tmp_path: Path) -> None:
    write_wiring(brain(), tmp_path / "brain.graphml")
    code, _, err = wirenas(
        *("run", "--task", "delayed-parity", "--network", "rnn", "--cell", "tanh", "--optimizer", "ridge"),
        *("--radii", 0.8, "--graphs", tmp_path / "brain.graphml", "--weights", "initial", "--trials", 1),
        *("--finalists", 1, "--final-seeds", 1, "--out", tmp_path / "own"),
    )
    assert code == 0, err
    assert "are not used" not in err
    assert len(load(tmp_path / "own")) == 1


def test_a_changed_option_is_named_and_not_the_graphs(tmp_path: Path) -> None:
    pool = GraphPool([brain()])
    Campaign(tmp_path / "own", space=Space(graphs=pool, graphs_weights="initial"), **options()).run()
    with pytest.raises(InputError, match=r"space.graphs_weights=.*ignore.*: the campaign in .* was started with"):
        Campaign(tmp_path / "own", space=Space(graphs=pool), **options(trials=2)).run()


def test_an_own_evaluation_gets_graphs_with_their_weights_anyway(tmp_path: Path) -> None:
    def evaluate(wiring: Wiring, params: Any) -> float:
        assert np.array_equal(wiring.weights, brain().weights)
        return 0.0

    pool = GraphPool([brain()])
    Campaign(tmp_path / "own", evaluate=evaluate, space=Space(graphs=pool), trials=1).run()
    with pytest.raises(InputError, match="graphs are taken as they are, with their weights; leave it out"):
        Campaign(tmp_path / "more", evaluate=evaluate, space=Space(graphs=pool, graphs_weights="initial")).run()


@pytest.mark.parametrize("attachment", ["controlled", "natural"])
def test_an_mlp_begins_with_weights_of_about_the_usual_size(attachment: str) -> None:
    graph = nx.watts_strogatz_graph(40, 8, 0.3, seed=0)
    rng = np.random.default_rng(0)
    for _, _, data in graph.edges(data=True):
        data["weight"] = float(20 * rng.normal())
    space = Space(graphs=GraphPool([graph]), graphs_weights="initial", attachment=attachment)
    params = {"graph": 0, "orientation": "random", "order_seed": 1, "attachment": attachment, "attach_seed": 0}
    wiring = space.wiring(params, 12, 3)
    network = SparseMLP(wiring, "relu", rng=0)
    source, target = network.live_weights().edges.T
    between = (source >= 12) & (target < 52)
    weights = network.weight.detach().numpy()
    own = {abs(round(data["weight"], 3)) for *_, data in graph.edges(data=True)}
    factor = np.abs(weights[between]).max() / max(own)
    assert all(min(abs(abs(weight) / factor - known) for known in own) < 0.01 for weight in weights[between])
    drawn = SparseMLP(wiring.replace(weights=None), "relu", rng=0).weight.detach().numpy()
    sizes = [np.sqrt(np.mean(np.square(found[between]))) for found in (weights, drawn)]
    assert 0.5 < sizes[0] / sizes[1] < 2


def test_the_picture_and_the_file_of_the_best_wiring_have_all_edges(tmp_path: Path) -> None:
    Campaign(tmp_path / "own", space=Space(graphs=GraphPool([brain()]), graphs_weights="initial"), **options()).run()
    wiring = read_wiring(tmp_path / "own" / "best" / "wiring.json")
    assert wiring.weights is None
    assert wiring == wiring_of(load_network(tmp_path / "own" / "best" / "network.safetensors"))
