"""What saved predictors of earlier versions went by."""

from __future__ import annotations

__all__ = ["FIRST_NAMES"]

# fmt: off
FIRST_NAMES: dict[str, tuple[str, ...]] = {
    "size": (
        "n_neurons", "n_edges", "density", "n_sources", "n_sinks", "all_edges", "n_inputs", "n_outputs",
        "read_in_edges", "read_out_edges", "io_edges",
    ),
    "structure": (
        "degree_mean", "degree_std", "degree_min", "degree_max", "degree_cv", "degree_entropy", "in_degree_std",
        "in_degree_max", "out_degree_std", "out_degree_max", "assortativity", "core_max", "core_mean", "n_isolated",
        "n_components", "largest_component", "diameter", "radius", "eccentricity_mean", "eccentricity_std",
        "path_length_mean", "path_length_std", "efficiency", "closeness_mean", "closeness_std", "closeness_min",
        "closeness_max", "triangles", "transitivity", "clustering_mean", "clustering_std", "small_world_gamma",
        "small_world_lambda", "small_world_sigma", "depth", "layer_mean", "layer_std", "layer_min", "layer_max",
        "layer_entropy", "last_layer", "position_mean", "position_std", "skip_mean", "skip_std", "skip_max",
        "adjacent_fraction", "bottleneck_neurons", "bottleneck_edges", "log_paths", "log_paths_per_source",
        "flow_length_mean", "flow_length_std", "sink_distance_mean", "sink_distance_max", "reach_io", "reach_all",
        "log_synflow", "effective_depth", "reading_neurons", "readout_neurons", "live_neurons", "live_edges",
        "live_inputs", "fan_in_mean", "fan_in_std", "input_distance_mean", "input_distance_std",
        "output_distance_mean", "output_distance_std", "output_distance_max", "readout_inputs", "signal_depth",
        "log_signal_paths", "signal_length_mean", "signal_length_std", "log_signal_synflow",
        "signal_effective_depth", "signal_width", "input_width",
    ),
    "centrality": (
        "betweenness_mean", "betweenness_std", "betweenness_max", "betweenness_gini", "edge_betweenness_mean",
        "edge_betweenness_std", "edge_betweenness_max",
    ),
    "published": (
        "published_layers", "published_nodes", "published_edges", "published_source_nodes", "published_sink_nodes",
        "published_diameter", "published_density", "published_average_shortest_path_length",
        "published_eccentricity_mean", "published_eccentricity_var", "published_eccentricity_std",
        "published_degree_mean", "published_degree_var", "published_degree_std", "published_closeness_mean",
        "published_closeness_var", "published_closeness_std", "published_nodes_betweenness_mean",
        "published_nodes_betweenness_var", "published_nodes_betweenness_std", "published_edge_betweenness_mean",
        "published_edge_betweenness_var", "published_edge_betweenness_std",
    ),
    "recurrent": (
        "self_loops", "reciprocity", "two_cycles", "three_cycles", "strong_components", "largest_strong",
        "cyclic_neurons", "spectral_radius",
    ),
}
# fmt: on
"""The features of every tier when version 1 of ``predictor.json`` was written, in their order. Never to be changed."""
