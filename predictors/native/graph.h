// Graphs as every measure reads them: the neighbours of every neuron, one after another, ascending.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace wirenas {

using Neuron = int32_t;
using Flags = std::vector<uint8_t>;

struct Edge {
  Neuron source, target;
};

// One wiring of a batch: its edges, sorted, and its layers, owned by somebody else.
struct Wiring {
  const Edge* edges;
  int64_t n_edges;
  const Neuron* sizes;
  int64_t n_layers;
  bool inputs, outputs;
};

struct Neighbours {
  const Neuron *first, *last;

  const Neuron* begin() const { return first; }
  const Neuron* end() const { return last; }
};

struct Rows {
  std::vector<int64_t> start;
  std::vector<Neuron> list;

  Neuron n() const { return Neuron(start.size()) - 1; }
  Neighbours operator[](Neuron neuron) const {
    return {list.data() + start[size_t(neuron)], list.data() + start[size_t(neuron) + 1]};
  }
  int64_t degree(Neuron neuron) const { return start[size_t(neuron) + 1] - start[size_t(neuron)]; }
};

// A directed graph: the targets and the sources of every neuron.
struct Directed {
  Rows out, in;

  Neuron n() const { return out.n(); }
  int64_t n_edges() const { return int64_t(out.list.size()); }
};

Directed directed(const Edge* edges, int64_t n_edges, Neuron n);

// The part of a graph between the neurons first .. last - 1, which are numbered anew.
Directed between(const Directed& graph, Neuron first, Neuron last);

// The edges into later layers alone.
Directed forward(const Directed& graph, const std::vector<int32_t>& layer_of);

// The undirected graph beneath, without self-loops; its list holds every pair twice.
Rows undirected(const Directed& graph);

// All neurons, each after those with edges into it; nothing where the graph has a cycle.
std::optional<std::vector<Neuron>> topological_order(const Directed& graph);

// Of every neuron, the distance from the nearest of some, and kUnreached where there is none.
constexpr int32_t kUnreached = -1;
std::vector<int32_t> nearest(const Rows& targets, const std::vector<Neuron>& starts);

// The same along an order in which every neuron stands behind its neighbours.
template <typename Order>
std::vector<int32_t> nearest_along(Order first, Order last, const Rows& before, const Flags& starts) {
  std::vector<int32_t> distance(starts.size());
  for (; first != last; ++first) {
    uint32_t least = uint32_t(kUnreached);  // the largest
    for (const Neuron other : before[*first]) least = std::min(least, uint32_t(distance[size_t(other)]));
    const int32_t found = least == uint32_t(kUnreached) ? kUnreached : int32_t(least) + 1;
    distance[size_t(*first)] = starts[size_t(*first)] ? 0 : found;
  }
  return distance;
}

// first, first + 1, .. last - 1.
std::vector<Neuron> numbers(Neuron first, Neuron last);

// The strongly connected component of every neuron; edges between components lead to lower numbers.
struct Strong {
  std::vector<Neuron> of;
  Neuron count = 0;
};
Strong strong_components(const Directed& graph);

// Edges between the components; an edge may stand several times.
Directed condensed(const Directed& graph, const Strong& strong);

}  // namespace wirenas
