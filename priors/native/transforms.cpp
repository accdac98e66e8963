#include "transforms.h"

namespace wirenas {

std::optional<std::vector<int32_t>> longest_paths(const Graph& graph) {
  const size_t n = size_t(graph.n_neurons);
  const std::vector<int64_t> first = starts(graph);
  std::vector<int64_t> waiting(n);
  for (const Edge& edge : graph) ++waiting[size_t(edge.target)];
  std::vector<int32_t> depth(n), ready;
  ready.reserve(n);
  for (size_t neuron = 0; neuron < n; ++neuron)
    if (waiting[neuron] == 0) ready.push_back(int32_t(neuron));
  // Kahn's order is sorted by depth, so the last predecessor to be walked is a deepest one.
  for (size_t i = 0; i < ready.size(); ++i) {
    const size_t neuron = size_t(ready[i]);
    for (int64_t edge = first[neuron]; edge < first[neuron + 1]; ++edge) {
      const size_t target = size_t(graph.edges[edge].target);
      if (--waiting[target] > 0) continue;
      depth[target] = depth[neuron] + 1;
      ready.push_back(int32_t(target));
    }
  }
  if (ready.size() < n) return std::nullopt;
  return depth;
}

std::vector<int32_t> by_depth(const std::vector<int32_t>& depth) {
  std::vector<int32_t> place(depth.size() + 1), sequence(depth.size());
  for (int32_t each : depth) ++place[size_t(each) + 1];
  for (size_t i = 1; i < place.size(); ++i) place[i] += place[i - 1];
  for (size_t neuron = 0; neuron < depth.size(); ++neuron)
    sequence[size_t(place[size_t(depth[neuron])]++)] = int32_t(neuron);
  return sequence;
}

bool is_undirected(const Graph& graph) {
  const std::vector<int64_t> first = starts(graph);
  // Sources ascend, so the reverses of the edges into a neuron must be its own edges in turn.
  std::vector<int64_t> next(first.begin(), first.end() - 1);
  for (const Edge& edge : graph) {
    const size_t target = size_t(edge.target);
    const int64_t reverse = next[target]++;
    if (edge.source == edge.target || reverse >= first[target + 1] || graph.edges[reverse].target != edge.source)
      return false;
  }
  return true;
}

Edges orient(const Graph& graph, const std::vector<double>& keys) {
  Edges edges;
  edges.reserve(size_t(graph.n_edges / 2));
  for (const Edge& edge : graph) {
    const double from = keys[size_t(edge.source)], to = keys[size_t(edge.target)];
    if (from < to || (from == to && edge.source < edge.target)) edges.push_back(edge);
  }
  return edges;
}

std::vector<double> keys_of(const Graph& graph, Order order, BitGenerator* random) {
  std::vector<double> keys(size_t(graph.n_neurons));
  if (order == Order::random)
    for (double& key : keys) key = random->uniform();
  if (order == Order::degree)
    for (const Edge& edge : graph) keys[size_t(edge.source)] -= 1;
  return keys;
}

std::optional<Layered> layer(const Graph& graph) {
  const std::optional<std::vector<int32_t>> depth = longest_paths(graph);
  if (!depth) return std::nullopt;
  Layered layered;
  std::vector<int32_t> number(depth->size());
  int32_t next = 0;
  for (int32_t neuron : by_depth(*depth)) {
    const size_t own = size_t((*depth)[size_t(neuron)]);
    layered.sizes.resize(own + 1);
    ++layered.sizes[own];
    number[size_t(neuron)] = next++;
  }
  layered.edges.reserve(size_t(graph.n_edges));
  for (const Edge& edge : graph) layered.edges.push_back({number[size_t(edge.source)], number[size_t(edge.target)]});
  sort(layered.edges, graph.n_neurons);
  return layered;
}

std::vector<int32_t> layers_of(const std::vector<int32_t>& sizes) {
  std::vector<int32_t> layer_of;
  for (size_t own = 0; own < sizes.size(); ++own) layer_of.insert(layer_of.end(), size_t(sizes[own]), int32_t(own));
  return layer_of;
}

bool is_forward(const Graph& graph, const std::vector<int32_t>& sizes) {
  const std::vector<int32_t> layer_of = layers_of(sizes);
  for (const Edge& edge : graph)
    if (layer_of[size_t(edge.source)] >= layer_of[size_t(edge.target)]) return false;
  return true;
}

Edges stack(const Graph& graph, const std::vector<int32_t>& sizes, bool inputs, bool outputs) {
  const size_t last_layer = sizes.size() - size_t(outputs);
  size_t n_pairs = 0;
  for (size_t own = size_t(inputs); own < last_layer; ++own) n_pairs += size_t(sizes[own]) * size_t(sizes[own]);
  Edges edges;
  edges.reserve(size_t(graph.n_edges) + n_pairs);
  const Edge* edge = graph.begin();
  int32_t start = 0;
  for (size_t own = 0; own < sizes.size(); ++own) {
    const int32_t stop = start + sizes[own];
    const bool recurs = own >= size_t(inputs) && own < last_layer;
    for (int32_t neuron = start; neuron < stop; ++neuron) {
      if (recurs)
        for (int32_t target = start; target < stop; ++target) edges.push_back({neuron, target});
      // Forward edges lead to later layers, whose numbers are higher.
      for (; edge != graph.end() && edge->source == neuron; ++edge) edges.push_back(*edge);
    }
    start = stop;
  }
  return edges;
}

}  // namespace wirenas
