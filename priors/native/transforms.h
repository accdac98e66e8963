// The transforms of priors/transforms.py. Python says what is wrong with a wiring that they do not take.
#pragma once

#include <optional>

#include "draws.h"
#include "edges.h"

namespace wirenas {

// Longest path from a source to every neuron, or nothing for a cyclic graph.
std::optional<std::vector<int32_t>> longest_paths(const Graph& graph);

// Neurons by depth, in the order of their numbers where it is equal.
std::vector<int32_t> by_depth(const std::vector<int32_t>& depth);

// Whether the graph holds both directions of every edge, and no self edge.
bool is_undirected(const Graph& graph);

// In the order of ORIENTATIONS.
enum class Order { index, random, degree };

// What neurons are ordered by, before their numbers. Only Order::random draws, so that others need no generator.
std::vector<double> keys_of(const Graph& graph, Order order, BitGenerator* random);

// Of the two directions of every edge, the one that leads to the larger key, or to the larger number where keys equal.
Edges orient(const Graph& graph, const std::vector<double>& keys);

struct Layered {
  std::vector<int32_t> sizes;
  Edges edges;
};

// The graph numbered by depth, or nothing for a cyclic one.
std::optional<Layered> layer(const Graph& graph);

// Whether every edge leads to a later layer.
bool is_forward(const Graph& graph, const std::vector<int32_t>& sizes);

// The layer of every neuron.
std::vector<int32_t> layers_of(const std::vector<int32_t>& sizes);

// Forward edges and all pairs of neurons inside each layer; the first or last layer may be units, which get none.
Edges stack(const Graph& graph, const std::vector<int32_t>& sizes, bool inputs, bool outputs);

}  // namespace wirenas
