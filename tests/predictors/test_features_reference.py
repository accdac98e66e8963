"""The readable features against counts by hand, networkx and published tables."""

import csv
import json
import math
from itertools import pairwise, product
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from feature_cases import described, expect, graphs, summary, wirings
from hypothesis import assume, given, settings

from predictors.features.reference import describe_one
from predictors.features.table import TIERS, names_of
from priors.attachment import attach
from priors.graphs import BarabasiAlbert, ErdosRenyi, WattsStrogatz
from priors.transforms import layer, orient
from priors.wiring import Wiring

TOY = Wiring((6,), [(0, 2), (0, 3), (1, 3), (2, 4), (3, 4), (1, 5)])


# Counted by hand


def test_toy_graph():
    expected = {
        **{"n_neurons": 6, "n_edges": 6, "density": 0.4, "n_sources": 2, "n_sinks": 2, "all_edges": 154},
        **{"n_inputs": 64, "n_outputs": 10, "read_in_edges": 128, "read_out_edges": 20, "io_edges": 148},
        **{"degree_mean": 2, "degree_min": 1, "degree_max": 3, "degree_std": (1 / 3) ** 0.5},
        **{"degree_cv": (1 / 12) ** 0.5, "in_degree_max": 2, "out_degree_max": 2, "core_max": 2, "core_mean": 10 / 6},
        **{"assortativity": -1 / 11, "n_isolated": 0, "n_components": 1, "largest_component": 1},
        **{"diameter": 4, "radius": 2, "path_length_mean": 29 / 15, "efficiency": 0.65},
        **{"triangles": 0, "transitivity": 0, "small_world_lambda": 29 / 15 / math.log(6) * math.log(2)},
        **{"depth": 3, "layer_min": 1, "layer_max": 3, "layer_mean": 2, "layer_entropy": 1.0114042647},
        **{"last_layer": 1, "position_mean": 5 / 6, "skip_mean": 1, "skip_std": 0, "adjacent_fraction": 1},
        **{"bottleneck_neurons": 2, "bottleneck_edges": 2, "log_paths": math.log(4), "flow_length_mean": 1.75},
        **{"log_paths_per_source": math.log(2), "flow_length_std": (3 / 16) ** 0.5, "effective_depth": 1.5},
        **{"sink_distance_mean": 1.5, "sink_distance_max": 2, "reach_io": 0.75, "reach_all": 8 / 12},
        **{"reading_neurons": 2, "readout_neurons": 2, "live_neurons": 6, "live_edges": 154, "live_inputs": 64},
        **{"fan_in_mean": 134 / 6, "input_distance_mean": 11 / 6, "output_distance_max": 3, "readout_inputs": 1},
        **{"signal_depth": 4, "log_signal_paths": math.log(4 * 640), "signal_length_mean": 3.75, "input_width": 64},
        **{"signal_effective_depth": 3.5, "betweenness_max": 0.65, "edge_betweenness_max": 8 / 15},
        **{"strong_components": 6, "largest_strong": 1 / 6, "cyclic_neurons": 0, "spectral_radius": 0},
    }
    found = described(attach(layer(TOY), 64, 10, "natural"))
    expect(found, expected)
    assert all(math.isfinite(value) for value in found.values())


def test_karate_club():
    club = Wiring.from_networkx(nx.karate_club_graph()).replace(weights=None)
    expected = {
        **{"n_neurons": 34, "n_edges": 78, "n_sources": 9, "n_sinks": 8, "depth": 7, "io_edges": 656},
        **{"path_length_mean": 2.408200, "diameter": 5, "triangles": 45, "transitivity": 0.255682},
        **{"clustering_mean": 0.570638, "assortativity": -0.475613, "betweenness_max": 0.437635},
        **{"efficiency": 0.492008, "core_max": 4, "log_paths": 4.477337, "bottleneck_neurons": 9},
        **{"bottleneck_edges": 17, "small_world_sigma": 4.064315},
    }
    expect(described(attach(layer(orient(club, "index")), 64, 10, "natural")), expected, 5e-7)


def test_a_wiring_with_skips_dead_ends_and_a_direct_edge():
    # Inputs 0 1 2; hidden 3 4, 5 6, 7; outputs 8 9. Neuron 4 reads nothing, 6 leads nowhere, input 2 is unread.
    edges = [(0, 3), (1, 3), (1, 6), (0, 8), (3, 5), (4, 5), (3, 6), (3, 7), (5, 7), (7, 8), (7, 9)]
    expected = {
        **{"n_edges": 5, "io_edges": 6, "read_in_edges": 3, "read_out_edges": 2, "all_edges": 11},
        **{"n_sources": 2, "n_sinks": 2, "depth": 3, "skip_mean": 6 / 5, "skip_max": 2, "adjacent_fraction": 4 / 5},
        **{"bottleneck_neurons": 2, "bottleneck_edges": 2, "log_paths": math.log(4), "flow_length_mean": 6 / 4},
        **{"reach_io": 3 / 4, "reach_all": 7 / 10, "sink_distance_mean": 1, "sink_distance_max": 1},
        **{"reading_neurons": 2, "readout_neurons": 1, "live_neurons": 3, "live_edges": 8, "live_inputs": 2},
        **{"fan_in_mean": 8 / 5, "fan_in_std": 0.8},
        **{"input_distance_mean": (1 + 2 + 2) / 3, "output_distance_mean": (2 + 2 + 1) / 3, "output_distance_max": 2},
        **{"readout_inputs": 2 / 3, "signal_depth": 4, "log_signal_paths": math.log(9)},
        **{"signal_length_mean": (1 + 4 * 3 + 4 * 4) / 9},
        # Output 9 has a fan-in of 1, and every other neuron on these paths one of 2.
        "signal_effective_depth": (1 / 2 + 3 * 1.5 / 2 + 4 * 1.5 / 4) / (1 / 2 + 1.5 / 2 + 1.5 / 4),
        "signal_width": (9 / 8 + 3 / 8 + 3 / 4 + 3 / 2) ** 2 / ((9 / 8) ** 2 + (3 / 8) ** 2 + (3 / 4) ** 2 + 9 / 4),
        "input_width": (17 / 16 + 9 / 16) ** 2 / ((17 / 16) ** 2 + (9 / 16) ** 2),
    }
    expect(described(Wiring((3, 2, 2, 1, 2), edges, inputs=True, outputs=True)), expected)


def test_recurrent_edges_keep_neurons_alive_but_carry_no_signal_within_the_step():
    # Input 0; hidden 1 2 3; output 4. 1 -> 2 -> 1 and 3 -> 3; only 2, two steps of time away, is read out.
    wiring = Wiring((1, 3, 1), [(0, 1), (1, 2), (2, 1), (2, 3), (3, 3), (2, 4)], inputs=True, outputs=True)
    found = described(wiring)
    alive = {"live_neurons": 2, "live_edges": 4, "live_inputs": 1, "input_distance_mean": 1.5, "readout_inputs": 1}
    nowhere = dict.fromkeys(("signal_depth", "log_signal_paths", "signal_width", "input_width", "depth"), math.nan)
    ends = {"n_sources": 0, "n_sinks": 0, "published_layers": math.nan, "published_sink_nodes": math.nan}
    loops = {"self_loops": 1, "reciprocity": 2 / 4, "two_cycles": 1, "strong_components": 2, "spectral_radius": 1}
    expect(found, {**alive, **nowhere, **ends, **loops, "cyclic_neurons": 1, "largest_strong": 2 / 3, "n_edges": 4})
    expect(found, {"density": 2 / 3, "degree_max": 2, "in_degree_max": 2, "fan_in_mean": 5 / 3})


# networkx


@settings(deadline=None, max_examples=60)
@given(graphs())
def test_networkx_measures_the_same_of_the_graph(wiring: Wiring):
    found, graph = described(wiring), nx.Graph(wiring.to_networkx())
    degree = [count for _, count in graph.degree]
    shares = [degree.count(value) / len(graph) for value in set(degree)]
    parts = [graph.subgraph(part) for part in nx.connected_components(graph)]
    eccentricity = [value for part in parts for value in nx.eccentricity(part).values()]
    lengths = [value for _, row in nx.all_pairs_shortest_path_length(graph) for value in row.values() if value]
    closeness, local = nx.closeness_centrality(graph), nx.clustering(graph)
    between, edge_between = nx.betweenness_centrality(graph), nx.edge_betweenness_centrality(graph)
    expected = {
        **{"n_neurons": len(graph), "density": nx.density(graph), "n_isolated": nx.number_of_isolates(graph)},
        **summary("degree", degree),
        **{"degree_min": min(degree), "degree_max": max(degree)},
        **{"degree_entropy": -sum(share * math.log(share) for share in shares)},
        **{"degree_cv": np.std(degree) / np.mean(degree) if any(degree) else math.nan},
        **{"core_mean": np.mean(list(nx.core_number(graph).values()))},
        **{"n_components": len(parts), "largest_component": max(map(len, parts)) / len(graph)},
        **{"core_max": max(nx.core_number(graph).values()), "diameter": max(eccentricity)},
        **{"radius": min(eccentricity), "efficiency": nx.global_efficiency(graph)},
        **summary("eccentricity", eccentricity),
        **summary("closeness", closeness.values()),
        **{"closeness_min": min(closeness.values()), "closeness_max": max(closeness.values())},
        **{"triangles": sum(nx.triangles(graph).values()) / 3, "transitivity": nx.transitivity(graph)},
        **summary("clustering", local.values()),
        **summary("betweenness", between.values()),
        "betweenness_max": max(between.values()),
    }
    if lengths:
        expected |= summary("path_length", lengths) | summary("edge_betweenness", edge_between.values())
        expected |= {"edge_betweenness_max": max(edge_between.values())}
    if len({degree[end] for edge in graph.edges for end in edge}) > 1:
        expected |= {"assortativity": nx.degree_assortativity_coefficient(graph)}
    expect(found, expected)
    assert math.isnan(found["assortativity"]) == ("assortativity" not in expected)


@settings(deadline=None, max_examples=60)
@given(wirings(recurrent=True))
def test_networkx_finds_the_same_cycles(wiring: Wiring):
    hidden = wiring.hidden
    assume(hidden.n_neurons)
    found, graph = described(wiring), hidden.to_networkx()
    cycles = [len(cycle) for cycle in nx.simple_cycles(graph, length_bound=3)]
    on_cycles = [neuron for neuron in graph if any(nx.has_path(graph, after, neuron) for after in graph[neuron])]
    strong = [len(part) for part in nx.strongly_connected_components(graph)]
    # Closed walks grow with the radius. Staying is a step too, so that there are some of every length.
    walks = np.linalg.matrix_power(nx.to_numpy_array(graph) + np.eye(len(graph)), 128)
    expected = {
        **{f"{name}_cycles": cycles.count(length) for name, length in (("two", 2), ("three", 3))},
        **{"self_loops": cycles.count(1), "strong_components": len(strong), "largest_strong": max(strong) / len(graph)},
        **{"cyclic_neurons": len(on_cycles) / len(graph)},
        "reciprocity": nx.overall_reciprocity(graph) if hidden.n_edges else math.nan,
        **{"in_degree_std": np.std([count for _, count in graph.in_degree])},
        **{"out_degree_std": np.std([count for _, count in graph.out_degree])},
        **{"in_degree_max": max(count for _, count in graph.in_degree)},
        **{"out_degree_max": max(count for _, count in graph.out_degree)},
    }
    expect(found, expected)
    assert found["spectral_radius"] + 1 == pytest.approx(np.trace(walks) ** (1 / 128), rel=0.025)


def test_spectral_radius_is_the_largest_eigenvalue():
    wiring = WattsStrogatz(30, 6, 0.4).sample(2)
    adjacency = nx.to_numpy_array(wiring.to_networkx())
    expect(described(wiring), {"spectral_radius": np.linalg.eigvalsh(adjacency).max()})


def test_small_world_measures_follow_from_their_definition():
    graph = nx.connected_watts_strogatz_graph(40, 6, 0.2, seed=3)
    gamma = nx.average_clustering(graph) / (6 / 40)
    scaled = nx.average_shortest_path_length(graph) / (math.log(40) / math.log(6))
    found = described(Wiring.from_networkx(graph))
    expect(found, {"small_world_gamma": gamma, "small_world_lambda": scaled, "small_world_sigma": gamma / scaled})


# Published tables


@pytest.mark.parametrize("cell", ["rnn_tanh", "rnn_relu", "gru", "lstm"])
def test_published_tables(shared_data: Path, cell: str):
    records = json.loads((shared_data / "stier2021" / "graphs.json").read_text(encoding="utf-8"))
    key = ("mode", "graph", "graph_nr")
    known = {tuple(str(record[part]) for part in key): record for record in records}
    with (shared_data / "stier2021" / f"structure_{cell}.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows[::13]:
        record = known[tuple(row[part] for part in key)]
        found = describe_one(Wiring((record["n"],), record["edges"]), ("published",))
        assert len(found) == 23
        expect(found, {name: float(row[name.removeprefix("published_")]) for name in found})


# Pivots


def betweenness_from(graph: nx.Graph, starts: list[int]) -> tuple[np.ndarray, dict[frozenset[int], float]]:
    """Count shares of shortest paths that start at some neurons, one path after the other."""
    nodes, pairs = np.zeros(len(graph)), {frozenset(edge): 0.0 for edge in graph.edges}
    for start, end in product(starts, graph):
        ways = list(nx.all_shortest_paths(graph, start, end)) if start != end and nx.has_path(graph, start, end) else []
        for way in ways:
            nodes[way[1:-1]] += 1 / len(ways)
            for edge in pairwise(way):
                pairs[frozenset(edge)] += 1 / len(ways)
    scale = len(graph) / len(starts) / (len(graph) - 1)
    return nodes * scale / (len(graph) - 2), {edge: value * scale / len(graph) for edge, value in pairs.items()}


@pytest.mark.parametrize("pivots", [1, 4, 7, 16, 17, 1000])
def test_pivots_are_evenly_spaced_starts_of_paths(pivots: int):
    wiring = ErdosRenyi(17, edges=24).sample(5)
    starts = [index * 17 // pivots for index in range(pivots)] if pivots < 17 else list(range(17))
    nodes, pairs = betweenness_from(nx.Graph(wiring.to_networkx()), starts)
    gini = np.abs(nodes[:, None] - nodes).sum() / (2 * 17**2 * nodes.mean())
    expected = {
        **summary("betweenness", nodes),
        **{"betweenness_max": nodes.max(), "betweenness_gini": gini},
        **summary("edge_betweenness", pairs.values()),
        "edge_betweenness_max": max(pairs.values()),
        **summary("published_nodes_betweenness", nodes, of_sample=True),
        **summary("published_edge_betweenness", pairs.values(), of_sample=True),
    }
    expect(described(wiring, pivots=pivots), expected)


def test_above_500_neurons_64_pivots_are_the_default():
    for n, pivots, other in ((501, 64, 63), (500, 500, 64)):
        wiring = BarabasiAlbert(n, 1).sample(1)
        default = describe_one(wiring, ("centrality",))
        assert default == describe_one(wiring, ("centrality",), pivots=pivots)
        assert default != describe_one(wiring, ("centrality",), pivots=other)


# Borders


@pytest.mark.parametrize(
    ("wiring", "expected"),
    [
        (Wiring(()), {"n_neurons": 0, "density": 0, "degree_mean": math.nan, "depth": 0, "n_components": 0}),
        (
            Wiring((1,)),
            {"density": 0, "diameter": 0, "closeness_mean": 0, "log_paths": 0, "path_length_mean": math.nan},
        ),
        (Wiring((1,)), {"published_degree_mean": 1, "published_degree_var": math.nan, "efficiency": 0, "core_max": 0}),
        (Wiring((1,), [(0, 0)]), {"density": 0, "depth": math.nan, "n_sources": 0, "cyclic_neurons": 1}),
        (Wiring((2,)), {"log_paths": math.log(2), "reach_io": 0.5, "degree_cv": math.nan, "skip_mean": math.nan}),
        (Wiring((2,)), {"published_diameter": math.nan, "diameter": 0, "small_world_gamma": math.nan}),
        (Wiring((2,)), {"edge_betweenness_mean": math.nan, "betweenness_mean": 0, "betweenness_gini": math.nan}),
        (Wiring((2,), [(0, 1)]), {"density": 1, "edge_betweenness_max": 1, "betweenness_max": 0, "degree_entropy": 0}),
        (Wiring((2,), [(0, 1)]), {"small_world_gamma": 0, "small_world_lambda": math.nan, "assortativity": math.nan}),
        (Wiring((2,), [(0, 1), (1, 0)]), {"depth": math.nan, "reciprocity": 1, "n_edges": 2, "degree_max": 1}),
        (Wiring((2, 3), [(0, 2)], True, True), {"n_neurons": 0, "signal_depth": 1, "live_edges": 1, "io_edges": 1}),
        (Wiring((2, 3), [(0, 2)], True, True), {"signal_width": math.nan, "input_width": 1, "read_in_edges": 0}),
        (Wiring((2, 1, 3), (), True, True), {"live_edges": 0, "live_inputs": 0, "readout_inputs": math.nan}),
        (Wiring((2, 1, 3), (), True, True), {"input_distance_mean": math.nan, "signal_depth": math.nan}),
        (Wiring((2, 1), [(0, 2)], True), {"read_in_edges": 1, "io_edges": 1, "reading_neurons": math.nan}),
        (Wiring((1, 2), [(0, 1)], False, True), {"read_out_edges": 1, "n_outputs": 2, "fan_in_mean": math.nan}),
    ],
    ids=repr,
)
def test_borders(wiring: Wiring, expected: dict[str, float]):
    expect(described(wiring), expected)


def test_tiers_choose_features_in_the_order_of_the_table():
    for tier in TIERS:
        found = describe_one(TOY, (tier,))
        assert tuple(found) == names_of((tier,))
        assert all(type(value) is float for value in found.values())
    assert tuple(describe_one(TOY, ("recurrent", "size"))) == names_of(("size", "recurrent"))
    expect(described(TOY), describe_one(TOY, ("centrality", "published")))
    assert describe_one(TOY, ()) == {}


def test_wrong_tiers_and_pivots_are_refused():
    with pytest.raises(ValueError, match=r"tier 'sizes' is not known; known are size, structure"):
        describe_one(TOY, ("sizes",))
    with pytest.raises(ValueError, match=r"pivots=0: describe needs an integer pivots with 1 <= pivots"):
        describe_one(TOY, ("centrality",), pivots=0)
