"""The readable features against every path one by one, and on wirings that must be described alike."""

import math
from itertools import pairwise, product

import networkx as nx
import numpy as np
import pytest
from feature_cases import described, expect, graphs, summary, wirings
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from predictors.features.reference import describe_one
from predictors.features.table import FEATURES
from priors.attachment import attach
from priors.transforms import layer, orient
from priors.wiring import Wiring

OF_HIDDEN = [name for name, feature in FEATURES.items() if feature.family not in {"units", "signal"}]
OF_HIDDEN.remove("all_edges")


# Every path, one by one


def all_paths(graph: nx.DiGraph, starts: list[int], ends: list[int]) -> list[list[int]]:
    found = [[start] for start in starts if start in ends]
    for start in starts:
        found += nx.all_simple_paths(graph, start, [end for end in ends if end != start])
    return found


def path_truths(graph: nx.DiGraph, starts: list[int], ends: list[int]) -> tuple[float, ...]:
    """Return ln of the count, mean and standard deviation of length, log_synflow and effective_depth."""
    found = all_paths(graph, starts, ends)
    fan_in = [[graph.in_degree(neuron) for neuron in path[1:]] for path in found]
    lengths = np.array([len(path) - 1 for path in found])
    flow = sum(math.prod(2 / math.sqrt(math.pi * count) for count in counts) for counts in fan_in)
    weights = [math.prod(1 / count for count in counts) for counts in fan_in]
    return math.log(len(found)), lengths.mean(), lengths.std(), math.log(flow), np.average(lengths, weights=weights)


@settings(deadline=None, max_examples=60)
@given(wirings(recurrent=False))
def test_paths_of_the_hidden_wiring(wiring: Wiring):
    found, hidden = described(wiring), wiring.hidden
    names = ("log_paths", "flow_length_mean", "flow_length_std", "log_synflow", "effective_depth")
    if not hidden.n_neurons:
        assert all(math.isnan(found[name]) for name in names)
        return
    graph, sources, sinks = hidden.to_networkx(), hidden.sources.tolist(), hidden.sinks.tolist()
    expect(found, dict(zip(names, path_truths(graph, sources, sinks), strict=True)))
    reach = {source: nx.single_source_shortest_path_length(graph, source) for source in sources}
    nearest = [min(row[sink] for row in reach.values() if sink in row) for sink in sinks]
    pairs = [sink in reach[source] for source, sink in product(sources, sinks)]
    expected = {
        **{"n_sources": len(sources), "n_sinks": len(sinks), "reach_io": np.mean(pairs)},
        **{"reach_all": sum(map(len, reach.values())) / len(sources) / len(graph)},
        **{"sink_distance_mean": np.mean(nearest), "sink_distance_max": max(nearest)},
        "log_paths_per_source": found["log_paths"] - math.log(len(sources)),
    }
    expect(found, expected)


@settings(deadline=None, max_examples=60)
@given(wirings(recurrent=False))
def test_layers_of_the_hidden_wiring(wiring: Wiring):
    found, graph = described(wiring), wiring.hidden.to_networkx()
    generations = list(nx.topological_generations(graph))
    position = {neuron: index for index, generation in enumerate(generations) for neuron in generation}
    sizes = [len(generation) for generation in generations]
    skips = [position[target] - position[source] for source, target in graph.edges]
    cuts = [
        [edge for edge in graph.edges if position[edge[0]] < cut <= position[edge[1]]] for cut in range(1, len(sizes))
    ]
    expected = {"depth": len(sizes)}
    if sizes:
        expected |= summary("layer", sizes) | summary("position", position.values())
        expected |= {"layer_min": min(sizes), "layer_max": max(sizes), "last_layer": sizes[-1]}
        expected |= {"layer_entropy": -sum(size / len(graph) * math.log(size / len(graph)) for size in sizes)}
    if skips:
        expected |= {**summary("skip", skips), "skip_max": max(skips), "adjacent_fraction": skips.count(1) / len(skips)}
        expected |= {"bottleneck_neurons": min(len({source for source, _ in cut}) for cut in cuts)}
        expected |= {"bottleneck_edges": min(map(len, cuts))}
    names = [name for name, feature in FEATURES.items() if feature.family == "layers"]
    expect(found, dict.fromkeys(names, math.nan) | expected)


@settings(deadline=None, max_examples=60)
@given(wirings(units=True))
def test_signal_of_the_whole_wiring(wiring: Wiring):
    found, graph = described(wiring), wiring.to_networkx()
    inputs, outputs = list(wiring.neurons(0)), list(wiring.neurons(-1))
    hidden = set(range(len(inputs), outputs[0]))
    reached = {start: nx.single_source_shortest_path_length(graph, start) for start in inputs}
    reaching = {end: nx.single_source_shortest_path_length(graph.reverse(), end) for end in outputs}
    fed, heard = set().union(*reached.values()), set().union(*reaching.values())
    readout = {source for source, target in graph.edges if target in outputs} & hidden
    live = fed & heard & hidden
    expected = {
        "reading_neurons": len({target for source, target in graph.edges if source in inputs} & hidden),
        "readout_neurons": len(readout),
        "live_neurons": len(live),
        "live_edges": sum(source in fed and target in heard for source, target in graph.edges),
        "live_inputs": sum(start in heard for start in inputs),
    }
    if hidden:
        expected |= summary("fan_in", [graph.in_degree(neuron) for neuron in hidden])
    if live:
        distance = [min(row[neuron] for row in reaching.values() if neuron in row) for neuron in live]
        expected |= summary("output_distance", distance) | {"output_distance_max": max(distance)}
        expected |= summary(
            "input_distance", [min(row[neuron] for row in reached.values() if neuron in row) for neuron in live]
        )
    if readout:
        expected["readout_inputs"] = np.mean([[neuron in row for row in reached.values()] for neuron in readout])
    of_paths = {name for name in found if "signal" in name} | {"input_width"}
    undefined = [name for name, feature in FEATURES.items() if feature.family == "signal" and name not in of_paths]
    expect(found, dict.fromkeys(undefined, math.nan) | expected)


@settings(deadline=None, max_examples=60)
@given(wirings(units=True))
def test_paths_from_inputs_to_outputs(wiring: Wiring):
    found, graph = described(wiring), wiring.to_networkx()
    if not wiring.is_acyclic:
        layers = wiring.layer_of
        graph.remove_edges_from([edge for edge in graph.edges if layers[edge[0]] >= layers[edge[1]]])
    inputs, outputs = list(wiring.neurons(0)), list(wiring.neurons(-1))
    ways = all_paths(graph, inputs, outputs)
    means = ("signal_length_mean", "signal_length_std", "log_signal_synflow", "signal_effective_depth")
    names = ("log_signal_paths", *means)
    if not ways:
        expect(found, dict.fromkeys((*names, "signal_depth", "signal_width", "input_width"), math.nan))
        return
    expect(found, dict(zip(names, path_truths(graph, inputs, outputs), strict=True)))
    expect(found, {"signal_depth": max(map(len, ways)) - 1})
    squared = [
        sum(math.prod(1 / graph.in_degree(i) for i in path[1:]) for path in all_paths(graph, [neuron], outputs))
        for neuron in range(outputs[0])
    ]
    for name, part in (("input_width", squared[: len(inputs)]), ("signal_width", squared[len(inputs) :])):
        expect(found, {name: sum(part) ** 2 / sum(g * g for g in part) if any(part) else math.nan})


def test_the_number_of_paths_may_outgrow_every_float():
    edges = [
        edge
        for left, right in pairwise(range(0, 2080, 4))
        for edge in product(range(left, left + 4), range(right, right + 4))
    ]
    found = describe_one(Wiring([4] * 520, edges, inputs=True, outputs=True), ("structure",))
    each = {"log_signal_paths": 520 * math.log(4), "signal_length_mean": 519, "signal_length_std": 0}
    expect(found, {**each, "log_paths": 518 * math.log(4), "signal_width": 518 * 4, "effective_depth": 517})
    assert found["log_signal_synflow"] == pytest.approx(math.log(4) + 519 * math.log(4 * 2 / math.sqrt(math.pi * 4)))


# What is the same for wirings that differ


@settings(deadline=None, max_examples=40)
@given(wirings(), st.randoms(use_true_random=False))
def test_numbers_within_a_layer_mean_nothing(wiring: Wiring, random):
    numbers = [list(wiring.neurons(index)) for index in range(wiring.n_layers)]
    for part in numbers:
        random.shuffle(part)
    renumbered = np.array([neuron for part in numbers for neuron in part])[wiring.edges]
    expect(described(wiring.replace(edges=renumbered)), described(wiring))


@settings(deadline=None, max_examples=40)
@given(wirings(units=False, recurrent=False))
def test_a_reversed_wiring_swaps_sources_and_sinks(wiring: Wiring):
    found = described(wiring)
    swapped = {"n_sources": found["n_sinks"], "in_degree_std": found["out_degree_std"]}
    swapped |= {"n_sinks": found["n_sources"], "out_degree_max": found["in_degree_max"]}
    same = ("depth", "log_paths", "flow_length_mean", "flow_length_std", "reach_io", "path_length_mean", "triangles")
    turned = described(Wiring(wiring.sizes[::-1], wiring.n_neurons - 1 - wiring.edges[:, ::-1]))
    expect(turned, swapped | {name: found[name] for name in same})


@settings(deadline=None, max_examples=40)
@given(wirings(units=False), st.integers(0, 2**32))
def test_units_change_only_their_own_features(wiring: Wiring, seed: int):
    found, attached = described(wiring), described(attach(wiring, 4, 3, "controlled", seed, reads=2, readouts=3))
    expect(attached, {name: found[name] for name in OF_HIDDEN})
    assert attached["all_edges"] == found["all_edges"] + attached["io_edges"]
    assert {name for name, value in found.items() if math.isfinite(value)} <= {
        *OF_HIDDEN,
        *("all_edges", "n_inputs", "n_outputs", "read_in_edges", "read_out_edges", "io_edges"),
    }


@settings(deadline=None, max_examples=40)
@given(graphs(), st.integers(0, 2**32))
def test_layers_without_cycles_need_not_be_given(wiring: Wiring, seed: int):
    oriented = orient(wiring, rng=seed)
    expect(described(layer(oriented)), described(oriented))


@settings(deadline=None, max_examples=40)
@given(wirings(units=False, recurrent=True))
def test_where_there_are_cycles_only_forward_edges_are_feed_forward(wiring: Wiring):
    assume(not wiring.is_acyclic)
    names = [name for name, feature in FEATURES.items() if feature.kind == "feed-forward"]
    found = described(wiring)
    if wiring.n_layers == 1:
        assert all(math.isnan(found[name]) for name in names)
        return
    forward = described(wiring.replace(edges=wiring.edges[wiring.forward]))
    expect(found, {name: forward[name] for name in [*names, "n_sources", "n_sinks", "published_layers"]})
