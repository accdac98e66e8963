"""FEATURES: every measure of a wiring, with its definition.

A further `Feature` needs a `measure`, a function of a wiring, and nothing else; without one it is a column of compiled
code, in that code's order, with a twin in `predictors.features.reference`. Saved predictors go by names.

Words of the definitions: the *hidden wiring* is the wiring without its input and output units; the *graph* is the
undirected one beneath the hidden wiring, without directions and self-loops; its *pairs* are joined neurons. The
*feed-forward part* is all of a wiring's edges where these have no cycle, its forward edges where it has several layers,
and undefined otherwise. Fan-in is the number of edges into a neuron. What is undefined is NaN; means and standard
deviations are over all neurons (or edges, pairs, layers) and not of a sample, unless it says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from priors.wiring import Wiring

__all__ = ["COMPILED", "FEATURES", "TIERS", "Feature", "names_of", "tiers_of"]

TIERS = ("size", "structure", "centrality", "published", "recurrent")
"""Groups of features by what they cost.

Two further tiers do not come from wirings alone: reads, in `READ_FEATURES`, needs to know the inputs, and zero-cost
needs networks.
"""


@dataclass(frozen=True)
class Feature:
    """One measure of a wiring.

    Parameters
    ----------
    name : str
    tier : str
        One of `TIERS`.
    family : str
        What it is about; importance is summed over families.
    cost : str
        Order of its operations for n neurons and m edges; "apsp" stands for all distances by bits, O(diameter m n/64).
    kind : {"any", "feed-forward", "attached"}
        Wirings that it is defined for: all of them, those with a feed-forward part, those with input and output units.
    definition : str
    reference : str
        Where the definition comes from; "" for a count that needs none.
    measure : callable, optional
        Returns it of a wiring, NaN where undefined; without one, compiled code and its twin in Python compute it.

    Examples
    --------
    >>> from predictors import FEATURES
    >>> feature = FEATURES["clustering_mean"]
    >>> feature.tier, feature.family, feature.definition
    ('structure', 'clustering', 'mean local clustering coefficient, 0 for a degree below 2')
    """

    name: str
    tier: str
    family: str
    cost: str
    kind: str
    definition: str
    reference: str = ""
    measure: Callable[[Wiring], float] | None = None


_STIER = "arXiv:2107.12917"
_NEWMAN = "doi:10.1103/PhysRevLett.89.208701"
_WATTS = "doi:10.1038/30918"
_LATORA = "doi:10.1103/PhysRevLett.87.198701"
_SEIDMAN = "doi:10.1016/0378-8733(83)90028-X"
_FREEMAN = "doi:10.2307/3033543"
_BRANDES = "doi:10.1016/j.socnet.2007.11.001"
_WASSERMAN = "Wasserman & Faust 1994, p. 201"
_HUMPHRIES = "doi:10.1371/journal.pone.0002051"
_SYNFLOW = "arXiv:2006.05467"
_HE = "arXiv:1502.01852"


def _rows(tier: str, family: str, cost: str, kind: str, *rows: tuple[str, ...]) -> list[Feature]:
    return [Feature(name, tier, family, cost, kind, definition, "".join(source)) for name, definition, *source in rows]


def _summary(name: str, of: str, reference: str = "", *, of_sample: bool = False) -> list[tuple[str, ...]]:
    """Return the three summaries under which the published work gives a measure, or mean and standard deviation."""
    mean = (f"{name}_mean", f"mean {of}", reference)
    if not of_sample:
        return [mean, (f"{name}_std", f"standard deviation of {of}", reference)]
    return [
        mean,
        (f"{name}_var", f"variance of {of}, divided by one less than their number", reference),
        (f"{name}_std", f"square root of {name}_var", reference),
    ]


_SIZE = [
    *_rows(
        "size",
        "size",
        "O(m)",
        "any",
        ("n_neurons", "hidden neurons n"),
        ("n_edges", "directed edges of the hidden wiring: of an undirected graph both directions of each edge"),
        ("density", "pairs of the graph, joined in whatever direction, over n (n - 1) / 2; 0 for n < 2"),
        ("n_sources", "neurons without an edge into them, of the feed-forward part where there is one"),
        ("n_sinks", "neurons without an edge out of them, of the feed-forward part where there is one"),
        ("all_edges", "edges of the whole wiring, those of input and output units included"),
    ),
    *_rows(
        "size",
        "units",
        "O(m)",
        "any",
        ("n_inputs", "input units"),
        ("n_outputs", "output units"),
        ("read_in_edges", "edges from input units to hidden neurons"),
        ("read_out_edges", "edges from hidden neurons to output units"),
        ("io_edges", "edges at input or output units: all_edges - n_edges"),
    ),
]

_STRUCTURE = [
    *_rows(
        "structure",
        "degree",
        "O(m)",
        "any",
        *_summary("degree", "degree in the graph"),
        ("degree_min", "smallest degree in the graph"),
        ("degree_max", "largest degree in the graph"),
        ("degree_cv", "degree_std / degree_mean"),
        ("degree_entropy", "entropy of the distribution of degrees in the graph, in nats"),
        ("in_degree_std", "standard deviation of the number of hidden edges into a neuron"),
        ("in_degree_max", "largest number of hidden edges into a neuron"),
        ("out_degree_std", "standard deviation of the number of hidden edges out of a neuron"),
        ("out_degree_max", "largest number of hidden edges out of a neuron"),
        ("assortativity", "correlation of the degrees at both ends of a pair, each pair taken both ways", _NEWMAN),
        ("core_max", "largest core number of the graph", _SEIDMAN),
        ("core_mean", "mean core number of the graph", _SEIDMAN),
    ),
    *_rows(
        "structure",
        "components",
        "O(m)",
        "any",
        ("n_isolated", "neurons without a neighbour in the graph"),
        ("n_components", "connected components of the graph"),
        ("largest_component", "share of the neurons in the largest connected component of the graph"),
    ),
    *_rows(
        "structure",
        "distance",
        "apsp",
        "any",
        ("diameter", "largest finite distance of the graph"),
        ("radius", "smallest eccentricity of the graph, each within its component"),
        *_summary("eccentricity", "largest finite distance of a neuron in the graph"),
        *_summary("path_length", "distance over the connected pairs of distinct neurons of the graph"),
        ("efficiency", "mean of 1 / distance over all pairs of distinct neurons, 0 where there is no path", _LATORA),
        *_summary("closeness", "closeness in the graph, scaled by the share of neurons that are reached", _WASSERMAN),
        ("closeness_min", "smallest closeness", _WASSERMAN),
        ("closeness_max", "largest closeness", _WASSERMAN),
    ),
    *_rows(
        "structure",
        "clustering",
        "O(m n/64)",
        "any",
        ("triangles", "triangles of the graph"),
        ("transitivity", "3 triangles over connected triples, 0 where there are none"),
        *_summary("clustering", "local clustering coefficient, 0 for a degree below 2", _WATTS),
        ("small_world_gamma", "clustering_mean over that of a random graph, k/n with k = degree_mean", _HUMPHRIES),
        ("small_world_lambda", "path_length_mean over that of a random graph, ln n / ln k, for k > 1", _HUMPHRIES),
        ("small_world_sigma", "small_world_gamma / small_world_lambda", _HUMPHRIES),
    ),
    *_rows(
        "structure",
        "layers",
        "O(m)",
        "feed-forward",
        ("depth", "layers of the feed-forward part; a neuron's layer is the longest path that ends in it"),
        *_summary("layer", "number of neurons in a layer"),
        ("layer_min", "smallest number of neurons in a layer"),
        ("layer_max", "largest number of neurons in a layer"),
        ("layer_entropy", "entropy of the distribution of neurons over layers, in nats"),
        ("last_layer", "neurons of the last layer"),
        *_summary("position", "layer of a neuron, the first is 0"),
        *_summary("skip", "number of layers that an edge leads on"),
        ("skip_max", "largest number of layers that an edge leads on"),
        ("adjacent_fraction", "share of edges that lead to the next layer"),
        ("bottleneck_neurons", "fewest neurons with an edge across a cut between two layers"),
        ("bottleneck_edges", "fewest edges across a cut between two layers"),
    ),
    *_rows(
        "structure",
        "paths",
        "O(m n/64)",
        "feed-forward",
        ("log_paths", "ln of the number of paths from a source to a sink; an isolated neuron is one"),
        ("log_paths_per_source", "log_paths - ln(n_sources)"),
        *_summary("flow_length", "number of edges of the paths from a source to a sink"),
        ("sink_distance_mean", "mean over sinks of the distance from the nearest source"),
        ("sink_distance_max", "largest over sinks of the distance from the nearest source"),
        ("reach_io", "share of pairs of a source and a sink with a path between them; a neuron reaches itself"),
        ("reach_all", "share of pairs of a source and a neuron with a path between them; a neuron reaches itself"),
        (
            "log_synflow",
            "ln of the sum over sinks of s; s = 1 at sources, else 2 / sqrt(pi fan-in) times the sum of s over its "
            "predecessors: expected absolute path weights",
            _SYNFLOW,
        ),
        (
            "effective_depth",
            "mean number of edges of the paths from a source to a sink, weighted by the product of 1 / fan-in along "
            "them: expected squared path weights",
            _HE,
        ),
    ),
    *_rows(
        "structure",
        "signal",
        "O(m n/64)",
        "attached",
        ("reading_neurons", "hidden neurons with an edge from an input"),
        ("readout_neurons", "hidden neurons with an edge to an output"),
        ("live_neurons", "hidden neurons that an input reaches and that reach an output, by any edges"),
        (
            "live_edges",
            "edges of the whole wiring whose source is an input or reached by one, and whose target is an "
            "output or reaches one",
        ),
        ("live_inputs", "inputs that reach an output"),
        *_summary("fan_in", "fan-in of a hidden neuron, edges from inputs included"),
        *_summary("input_distance", "distance of a live neuron from the nearest input"),
        *_summary("output_distance", "distance of a live neuron to the nearest output"),
        ("output_distance_max", "largest distance of a live neuron to the nearest output"),
        ("readout_inputs", "mean over readout neurons of the share of inputs that reach them"),
    ),
    *_rows(
        "structure",
        "signal",
        "O(m)",
        "attached",
        ("signal_depth", "edges of the longest path from an input to an output"),
        ("log_signal_paths", "ln of the number of paths from an input to an output"),
        *_summary("signal_length", "number of edges of the paths from an input to an output"),
        (
            "log_signal_synflow",
            "ln of the sum over outputs of s; s = 1 at inputs, else 2 / sqrt(pi fan-in) times the sum of s over its "
            "predecessors",
            _SYNFLOW,
        ),
        (
            "signal_effective_depth",
            "mean number of edges of the paths from an input to an output, weighted by the product of 1 / fan-in along "
            "them",
            _HE,
        ),
        (
            "signal_width",
            "effective number of hidden neurons (sum g)^2 / sum g^2; g = 1 at outputs, else the sum of g / fan-in over "
            "successors: expected squared derivative of the outputs",
            _HE,
        ),
        ("input_width", "effective number of inputs, (sum g)^2 / sum g^2 over inputs", _HE),
    ),
]

_CENTRALITY = _rows(
    "centrality",
    "centrality",
    "O(n m)",
    "any",
    *_summary("betweenness", "betweenness of a neuron in the graph, over (n - 1)(n - 2) / 2 pairs", _FREEMAN),
    ("betweenness_max", "largest betweenness of a neuron", _FREEMAN),
    ("betweenness_gini", "Gini coefficient of the betweenness of neurons; undefined where all are 0", _FREEMAN),
    *_summary("edge_betweenness", "betweenness of a pair of the graph, over n (n - 1) / 2 pairs", _BRANDES),
    ("edge_betweenness_max", "largest betweenness of a pair", _BRANDES),
)

_PUBLISHED = _rows(
    "published",
    "published",
    "O(n m)",
    "any",
    ("published_layers", "depth", _STIER),
    ("published_nodes", "n_neurons", _STIER),
    ("published_edges", "pairs of the graph", _STIER),
    ("published_source_nodes", "neurons of the first layer", _STIER),
    ("published_sink_nodes", "neurons of the last layer, which are not all neurons without an edge out", _STIER),
    ("published_diameter", "diameter; undefined where the graph is not connected", _STIER),
    ("published_density", "pairs over n (n - 1), half of the usual density", _STIER),
    ("published_average_shortest_path_length", "path_length_mean; undefined where not connected", _STIER),
    *_summary("published_eccentricity", "eccentricities; undefined where not connected", _STIER, of_sample=True),
    *_summary("published_degree", "degrees over n - 1", _STIER, of_sample=True),
    *_summary("published_closeness", "closeness", _STIER, of_sample=True),
    *_summary("published_nodes_betweenness", "betweenness of neurons", _STIER, of_sample=True),
    *_summary("published_edge_betweenness", "betweenness of pairs", _STIER, of_sample=True),
)

_RECURRENT = _rows(
    "recurrent",
    "cycles",
    "O(m n/64)",
    "any",
    ("self_loops", "edges of the hidden wiring from a neuron to itself"),
    ("reciprocity", "share of the hidden edges that stand beside their reverse; self-loops count as edges alone"),
    ("two_cycles", "pairs of neurons with an edge each way"),
    ("three_cycles", "directed cycles of three neurons"),
    ("strong_components", "strongly connected components of the hidden wiring"),
    ("largest_strong", "share of the neurons in the largest strongly connected component"),
    ("cyclic_neurons", "share of the neurons that lie on a cycle, a self-loop included"),
    ("spectral_radius", "largest absolute eigenvalue of the hidden wiring's 0/1 adjacency matrix"),
)

FEATURES: dict[str, Feature] = {
    feature.name: feature for feature in (*_SIZE, *_STRUCTURE, *_CENTRALITY, *_PUBLISHED, *_RECURRENT)
}
"""Every feature by name, tier after tier, in the order of the columns that they are computed into."""

COMPILED: tuple[Feature, ...] = tuple(feature for feature in FEATURES.values() if feature.measure is None)
"""What compiled code computes, in the order of its columns."""


def names_of(tiers: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the features of some tiers, in the order of `FEATURES`.

    Raises
    ------
    ValueError
        If a tier is not known.

    Examples
    --------
    >>> from predictors import TIERS, names_of
    >>> TIERS
    ('size', 'structure', 'centrality', 'published', 'recurrent')
    >>> names_of(("size",))[:3]
    ('n_neurons', 'n_edges', 'density')
    """
    for tier in tiers:
        if tier not in TIERS:
            raise ValueError(f"tier {tier!r} is not known; known are {', '.join(TIERS)}")
    return tuple(name for name, feature in FEATURES.items() if feature.tier in tiers)


def tiers_of(names: Iterable[str]) -> tuple[str, ...]:
    """Return the tiers of some features, in the order of `TIERS`."""
    found = {FEATURES[name].tier for name in names}
    return tuple(tier for tier in TIERS if tier in found)
