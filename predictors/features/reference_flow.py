"""Measures of a wiring's directions: layers and paths of its feed-forward part, its signal from inputs to outputs.

Undefined measures are left out of what is returned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from predictors.features.reference_graph import Array, entropy, hops, summary
from priors.wiring import Wiring

if TYPE_CHECKING:
    DiGraph = nx.DiGraph[int]

__all__ = ["cycles", "digraph", "feed_forward", "layer_sizes", "layers", "paths", "signal"]


def feed_forward(wiring: Wiring) -> DiGraph | None:
    """Return the feed-forward part of a wiring, where it has one."""
    if wiring.is_acyclic:
        return digraph(wiring.n_neurons, wiring.edges)
    return digraph(wiring.n_neurons, wiring.edges[wiring.forward]) if wiring.n_layers > 1 else None


def digraph(n: int, edges: NDArray[np.int32]) -> DiGraph:
    """Return the directed graph over neurons 0, 1, …, n - 1."""
    graph: DiGraph = nx.DiGraph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(edges.tolist())
    return graph


def layer_sizes(dag: DiGraph) -> list[int]:
    """Return the number of neurons with a longest path of 0, 1, … edges that ends in them."""
    return [len(generation) for generation in nx.topological_generations(dag)]


def layers(dag: DiGraph) -> dict[str, float]:
    """Measures of the family "layers"."""
    position = np.zeros(len(dag), dtype=np.int64)
    for layer, generation in enumerate(nx.topological_generations(dag)):
        position[generation] = layer
    sizes = np.array(layer_sizes(dag), dtype=np.int64)
    if not sizes.size:
        return {"depth": 0}
    return {
        "depth": sizes.size,
        **summary("layer", sizes),
        "layer_min": sizes.min(),
        "layer_max": sizes.max(),
        "layer_entropy": entropy(sizes),
        "last_layer": sizes[-1],
        **summary("position", position),
        **_skips(np.array(dag.edges, dtype=np.int64).reshape(-1, 2), position),
    }


def _skips(edges: NDArray[np.int64], position: NDArray[np.int64]) -> dict[str, float]:
    """Measures of the edges between layers: how far they lead, and the narrowest cut that they cross."""
    if not edges.size:
        return {}
    first, last = position[edges].T
    skip = last - first
    crossing = [edges[(first < cut) & (cut <= last)] for cut in range(1, int(position.max()) + 1)]
    return {
        **summary("skip", skip),
        "skip_max": skip.max(),
        "adjacent_fraction": (skip == 1).mean(),
        # Neurons before the cut: what the layers behind it can be told passes through them.
        "bottleneck_neurons": min(len(np.unique(across[:, 0])) for across in crossing),
        "bottleneck_edges": min(len(across) for across in crossing),
    }


def _ends(dag: DiGraph) -> tuple[list[int], list[int]]:
    sources = [neuron for neuron, count in dag.in_degree if not count]
    return sources, [neuron for neuron, count in dag.out_degree if not count]


def paths(dag: DiGraph) -> dict[str, float]:
    """Measures of the family "paths"."""
    n = len(dag)
    if not n:
        return {}
    sources, sinks = _ends(dag)
    fan_in = _fan_in(dag)
    log_paths, length, variance = _path_sums(dag, np.zeros(n), sources, sinks)
    log_synflow, _, _ = _path_sums(dag, np.log(2 / np.sqrt(np.pi * fan_in)), sources, sinks)
    _, effective_depth, _ = _path_sums(dag, -np.log(fan_in), sources, sinks)
    reach = hops(n, np.array(dag.edges, dtype=np.int64).reshape(-1, 2), sources)
    nearest = reach[:, sinks].min(axis=0)
    return {
        "log_paths": log_paths,
        "log_paths_per_source": log_paths - np.log(len(sources)),
        "flow_length_mean": length,
        "flow_length_std": np.sqrt(variance),
        "sink_distance_mean": nearest.mean(),
        "sink_distance_max": nearest.max(),
        "reach_io": np.isfinite(reach[:, sinks]).mean(),
        "reach_all": np.isfinite(reach).mean(),
        "log_synflow": log_synflow,
        "effective_depth": effective_depth,
    }


def _fan_in(dag: DiGraph) -> NDArray[np.int64]:
    """Return every neuron's fan-in, (n,), and 1 where it is 0: no path enters there."""
    return np.maximum([count for _, count in dag.in_degree], 1)


def _path_sums(
    dag: DiGraph, log_factor: Array, starts: Sequence[int], ends: Sequence[int]
) -> tuple[float, float, float]:
    """Sum over the paths from starts to ends, each weighing the product of the factors of the neurons that it enters.

    Logarithms, because the number of paths outgrows every float; central moments, because the difference of two large
    raw ones would be rounding.

    Returns
    -------
    tuple of float
        ln of the sum of weights, and weighted mean and variance of the number of edges.
    """
    sums = dict.fromkeys(starts, (0.0, 0.0, 0.0))
    for neuron in nx.topological_sort(dag):
        before = [sums[source] for source in dag.pred[neuron] if source in sums]
        if before:
            log_sum, mean, variance = _mixed(before)
            sums[neuron] = (log_sum + log_factor[neuron], mean + 1, variance)
    return _mixed([sums[end] for end in ends if end in sums])


def _mixed(parts: list[tuple[float, float, float]]) -> tuple[float, float, float]:
    """Return ln of the sum of weights, mean and variance of several populations together."""
    log_sums, means, variances = np.array(parts).T
    top = log_sums.max()
    weights = np.exp(log_sums - top)
    shares = weights / weights.sum()
    mean = float(shares @ means)
    return float(top + np.log(weights.sum())), mean, float(shares @ (variances + (means - mean) ** 2))


def signal(wiring: Wiring) -> dict[str, float]:
    """Measures of the family "signal", which need input and output units."""
    if not (wiring.inputs and wiring.outputs):
        return {}
    edges, inputs, outputs = wiring.edges, wiring.neurons(0), wiring.neurons(-1)
    hidden = np.zeros(wiring.n_neurons, dtype=bool)
    hidden[inputs.stop : outputs.start] = True
    reach = hops(wiring.n_neurons, edges, inputs)
    from_input = reach.min(axis=0)
    to_output = hops(wiring.n_neurons, edges[:, ::-1], outputs).min(axis=0)
    live = hidden & np.isfinite(from_input) & np.isfinite(to_output)
    reading = np.unique(edges[edges[:, 0] < inputs.stop, 1])
    readout = np.unique(edges[edges[:, 1] >= outputs.start, 0])
    readout = readout[hidden[readout]]
    found = {
        "reading_neurons": hidden[reading].sum(),
        "readout_neurons": readout.size,
        "live_neurons": live.sum(),
        "live_edges": np.isfinite(from_input[edges[:, 0]] + to_output[edges[:, 1]]).sum(),
        "live_inputs": np.isfinite(to_output[inputs]).sum(),
        **summary("fan_in", wiring.in_degree[hidden]),
        **summary("input_distance", from_input[live]),
        **summary("output_distance", to_output[live]),
        **_signal_paths(wiring),
    }
    if live.any():
        found["output_distance_max"] = to_output[live].max()
    return {**found, "readout_inputs": np.isfinite(reach[:, readout]).mean()} if readout.size else found


def _signal_paths(wiring: Wiring) -> dict[str, float]:
    """Measures of the paths from inputs to outputs, and of the derivatives that flow back along them."""
    dag, inputs, outputs = feed_forward(wiring), wiring.neurons(0), wiring.neurons(-1)
    depth = -1 if dag is None else _longest(dag, inputs, outputs)
    if dag is None or depth < 0:
        return {}
    fan_in = _fan_in(dag)
    log_paths, length, variance = _path_sums(dag, np.zeros(len(dag)), inputs, outputs)
    found = {
        "signal_depth": depth,
        "log_signal_paths": log_paths,
        "signal_length_mean": length,
        "signal_length_std": np.sqrt(variance),
        "log_signal_synflow": _path_sums(dag, np.log(2 / np.sqrt(np.pi * fan_in)), inputs, outputs)[0],
        "signal_effective_depth": _path_sums(dag, -np.log(fan_in), inputs, outputs)[1],
    }
    squared = _squared_derivatives(dag, fan_in, outputs)
    widths = {"signal_width": squared[inputs.stop : outputs.start], "input_width": squared[inputs]}
    return found | {name: part.sum() ** 2 / (part @ part) for name, part in widths.items() if part.any()}


def _longest(dag: DiGraph, starts: Sequence[int], ends: Sequence[int]) -> int:
    """Return the number of edges of the longest path from a start to an end, -1 where there is none."""
    longest = dict.fromkeys(starts, 0)
    for neuron in nx.topological_sort(dag):
        before = [longest[source] for source in dag.pred[neuron] if source in longest]
        if before:
            longest[neuron] = max(before) + 1
    return max(longest.get(end, -1) for end in ends)


def _squared_derivatives(dag: DiGraph, fan_in: NDArray[np.int64], outputs: Sequence[int]) -> Array:
    """Return the expected squared derivative of the outputs by every neuron, (n,) float64."""
    squared = np.zeros(len(dag))
    squared[outputs] = 1
    for neuron in reversed(list(nx.topological_sort(dag))):
        for source in dag.pred[neuron]:
            squared[source] += squared[neuron] / fan_in[neuron]
    return squared


def cycles(hidden: Wiring) -> dict[str, float]:
    """Measures of the family "cycles"."""
    graph = digraph(hidden.n_neurons, hidden.edges)
    adjacency = nx.to_numpy_array(graph) if len(graph) else np.zeros((0, 0))
    loops = adjacency.diagonal()
    both = adjacency * adjacency.T
    between = adjacency - np.diag(loops)
    strong = [sorted(component) for component in nx.strongly_connected_components(graph)]
    cyclic = [component for component in strong if len(component) > 1 or loops[component[0]]]
    found = {
        "self_loops": loops.sum(),
        "two_cycles": (both.sum() - loops.sum()) / 2,
        "three_cycles": (between @ between * between.T).sum() / 3,
        "strong_components": len(strong),
        "spectral_radius": max((_radius(adjacency[np.ix_(part, part)]) for part in cyclic), default=0.0),
    }
    if hidden.n_edges:
        found["reciprocity"] = (both.sum() - loops.sum()) / hidden.n_edges
    if strong:
        found["largest_strong"] = max(map(len, strong)) / len(graph)
        found["cyclic_neurons"] = sum(map(len, cyclic)) / len(graph)
    return found


def _radius(adjacency: Array) -> float:
    return float(np.abs(np.linalg.eigvals(adjacency)).max())
