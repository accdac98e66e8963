// Edges as every function here takes and returns them: rows (source, target), sorted.
#pragma once

#include <cstdint>
#include <vector>

namespace wirenas {

struct Edge {
  int32_t source, target;
};

inline bool operator<(const Edge& a, const Edge& b) {
  return a.source != b.source ? a.source < b.source : a.target < b.target;
}

using Edges = std::vector<Edge>;

// The sorted edges of somebody else, between the neurons 0 .. n_neurons - 1.
struct Graph {
  const Edge* edges;
  int64_t n_edges;
  int32_t n_neurons;

  const Edge* begin() const { return edges; }
  const Edge* end() const { return edges + n_edges; }
};

void sort(Edges& edges, int32_t n_neurons);

// The same, and whether no edge stands twice.
bool sort_distinct(Edges& edges, int32_t n_neurons);

// The edges of an undirected graph, given in one direction each, in both directions and sorted.
Edges undirected(Edges edges, int32_t n_neurons);

// The place of every source's first edge, and at the end the number of edges.
std::vector<int64_t> starts(const Graph& graph);

}  // namespace wirenas
