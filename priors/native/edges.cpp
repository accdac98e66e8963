#include "edges.h"

#include <algorithm>

namespace wirenas {
namespace {

// One stable pass of a radix sort whose digits are neurons.
void pass(const Edges& from, Edges& to, int32_t n_neurons, int32_t Edge::* end) {
  std::vector<int64_t> place(size_t(n_neurons) + 1);
  for (const Edge& edge : from) ++place[size_t(edge.*end) + 1];
  for (size_t i = 1; i < place.size(); ++i) place[i] += place[i - 1];
  for (const Edge& edge : from) to[size_t(place[size_t(edge.*end)]++)] = edge;
}

}  // namespace

void sort(Edges& edges, int32_t n_neurons) {
  // Counting needs time and memory for every neuron, which pays unless they are many and edges few.
  if (size_t(n_neurons) / 64 > edges.size()) {
    std::sort(edges.begin(), edges.end());
    return;
  }
  Edges by_target(edges.size());
  pass(edges, by_target, n_neurons, &Edge::target);
  pass(by_target, edges, n_neurons, &Edge::source);
}

bool sort_distinct(Edges& edges, int32_t n_neurons) {
  const auto ascends = [&] {
    for (size_t i = 1; i < edges.size(); ++i)
      if (!(edges[i - 1] < edges[i])) return false;
    return true;
  };
  if (ascends()) return true;
  sort(edges, n_neurons);
  return ascends();
}

Edges undirected(Edges edges, int32_t n_neurons) {
  const size_t n_pairs = edges.size();
  edges.reserve(2 * n_pairs);
  for (size_t i = 0; i < n_pairs; ++i) edges.push_back({edges[i].target, edges[i].source});
  sort(edges, n_neurons);
  return edges;
}

std::vector<int64_t> starts(const Graph& graph) {
  std::vector<int64_t> first(size_t(graph.n_neurons) + 1);
  for (const Edge& edge : graph) ++first[size_t(edge.source) + 1];
  for (size_t i = 1; i < first.size(); ++i) first[i] += first[i - 1];
  return first;
}

}  // namespace wirenas
