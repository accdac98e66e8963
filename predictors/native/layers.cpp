// Layers of a feed-forward part, and what crosses the cuts between them.
#include <numeric>

#include "measures.h"

namespace wirenas {
namespace {

constexpr int kLayerMeasures = 15;

std::vector<int64_t> longest_paths(const FeedForward& part) {
  std::vector<int64_t> layer(part.order.size());
  for (const Neuron neuron : part.order)
    for (const Neuron before : part.graph->in[neuron])
      layer[size_t(neuron)] = std::max(layer[size_t(neuron)], layer[size_t(before)] + 1);
  return layer;
}

double smallest_cut(std::vector<int64_t> changes) {
  if (changes.size() < 2) return kUndefined;
  std::partial_sum(changes.begin(), changes.end(), changes.begin());
  return double(*std::min_element(changes.begin(), changes.end() - 1));
}

}  // namespace

LayerMeasures add_layers(const FeedForward* part, Row& row) {
  if (part == nullptr) {
    row.add_undefined(kLayerMeasures);
    return {};
  }
  const std::vector<int64_t> layer = longest_paths(*part);
  const size_t depth = layer.empty() ? 0 : size_t(*std::max_element(layer.begin(), layer.end())) + 1;
  // By layer: its neurons, and how many more edges, or neurons with one, cross the cut behind it than the one before.
  std::vector<int64_t> sizes(depth), edges(depth), tails(depth), skips(depth);
  for (size_t neuron = 0; neuron < layer.size(); ++neuron) {
    const int64_t own = layer[neuron];
    int64_t farthest = own;
    for (const Neuron target : part->graph->out[Neuron(neuron)]) {
      const int64_t to = layer[size_t(target)];
      ++skips[size_t(to - own)];
      ++edges[size_t(own)];
      --edges[size_t(to)];
      farthest = std::max(farthest, to);
    }
    ++sizes[size_t(own)];
    ++tails[size_t(own)];
    --tails[size_t(farthest)];
  }
  const Summary size = summary(sizes), position = summary(layer), skip = summary_of_counts(skips);
  size_t most = depth;
  while (most > 0 && skips[most - 1] == 0) --most;
  const bool has_edges = most > 0;
  const double last = depth > 0 ? double(sizes.back()) : kUndefined;
  row.add({double(depth), size.mean, size.std, size.least, size.most, entropy(sizes), last});
  row.add({position.mean, position.std, skip.mean, skip.std, has_edges ? double(most - 1) : kUndefined});
  row.add({has_edges ? double(skips[1]) / double(part->graph->n_edges()) : kUndefined});
  row.add({smallest_cut(tails), smallest_cut(edges)});
  return {double(depth), depth > 0 ? double(sizes.front()) : kUndefined, last};
}

}  // namespace wirenas
