#include "describe.h"

#include <numeric>

#include "measures.h"

namespace wirenas {
namespace {

constexpr int kSizeFeatures = 11, kStructureFeatures = 80, kCentralityFeatures = 7, kPublishedFeatures = 23;
constexpr int kRecurrentFeatures = 8;
constexpr int64_t kMostExact = 500, kPivots = 64;

// Whether the neurons are already in topological order, as those of layers are.
bool ascends(const Directed& graph) {
  for (Neuron source = 0; source < graph.n(); ++source) {
    const Neighbours targets = graph.out[source];
    if (targets.begin() != targets.end() && *targets.begin() <= source) return false;
  }
  return true;
}

std::optional<std::vector<Neuron>> order_of(const Directed& graph) {
  if (ascends(graph)) return numbers(0, graph.n());
  return topological_order(graph);
}

std::optional<FeedForward> feed_forward(const Directed& graph, const Neuron* sizes, int64_t n_layers) {
  if (auto order = order_of(graph)) return FeedForward{nullptr, &graph, std::move(*order)};
  if (n_layers < 2) return std::nullopt;
  std::vector<int32_t> layer_of;
  for (int64_t layer = 0; layer < n_layers; ++layer)
    layer_of.insert(layer_of.end(), size_t(sizes[layer]), int32_t(layer));
  auto cut = std::make_unique<const Directed>(forward(graph, layer_of));
  const Directed* const part = cut.get();
  return FeedForward{std::move(cut), part, *order_of(*part)};
}

std::vector<Neuron> sources_of_paths(int64_t n, int64_t pivots) {
  const int64_t most = pivots > 0 ? pivots : n <= kMostExact ? n : kPivots;
  std::vector<Neuron> sources(size_t(std::min(n, most)));
  for (size_t i = 0; i < sources.size(); ++i) sources[i] = Neuron(int64_t(i) * n / int64_t(sources.size()));
  return sources;
}

void add_centrality(const Centrality& centrality, Row& row) {
  const Summary &neurons = centrality.neurons, &pairs = centrality.pairs;
  row.add({neurons.mean, neurons.std, neurons.most, centrality.gini, pairs.mean, pairs.std, pairs.most});
}

// What a row needs, each computed when the first tier that has it is.
struct Known {
  Summary degree;
  LayerMeasures layers;
  DistanceMeasures distances{};
  Centrality centrality{};
};

void add_published(const Subject& subject, const Known& known, Row& row) {
  const double n = subject.n(), pairs = double(subject.n_pairs());
  const Summary nothing;
  const bool connected = known.distances.is_connected;
  row.add({known.layers.depth, n, pairs, known.layers.first, known.layers.last});
  row.add({connected ? known.distances.diameter : kUndefined, n < 2 ? 0 : pairs / (n * (n - 1)),
           connected ? known.distances.path_length : kUndefined});
  row.add_sample(connected ? known.distances.eccentricity : nothing);
  Summary degree = known.degree;
  degree.mean = n == 1 ? 1 : degree.mean / (n - 1);
  degree.sample_variance /= (n - 1) * (n - 1);
  row.add_sample(degree);
  row.add_sample(known.distances.closeness);
  row.add_sample(known.centrality.neurons);
  row.add_sample(known.centrality.pairs);
}

}  // namespace

Subject::Subject(const Wiring& own) : wiring(own) {
  const Neuron n = std::accumulate(own.sizes, own.sizes + own.n_layers, Neuron(0));
  whole = directed(own.edges, own.n_edges, n);
  hidden = between(whole, n_inputs(), n - n_outputs());
  graph = undirected(hidden);
  part = feed_forward(hidden, own.sizes + own.inputs, own.n_layers - own.inputs - own.outputs);
  if (own.inputs && own.outputs) whole_part = feed_forward(whole, own.sizes, own.n_layers);
  is_acyclic = part && !part->cut;
}

int n_features(int tiers) {
  constexpr int counts[] = {kSizeFeatures, kStructureFeatures, kCentralityFeatures, kPublishedFeatures,
                            kRecurrentFeatures};
  int own = 0;
  for (int tier = 0; tier < 5; ++tier)
    if (tiers & (1 << tier)) own += counts[tier];
  return own;
}

void describe(const Wiring& wiring, int tiers, int64_t pivots, const Kernels& kernels, double* features) {
  const Subject subject(wiring);
  const FeedForward* part = subject.part ? &*subject.part : nullptr;
  Known known;
  // Published measures rest on some of the structure, which is written aside where it is not asked for itself.
  double aside[kStructureFeatures];
  Row row(features), other(aside);
  const bool wants_structure = tiers & kStructure;
  if (tiers & kSize) add_size(subject, row);
  Row& structure = wants_structure ? row : other;
  Distances distances;
  if (tiers & (kStructure | kCentrality | kPublished)) {
    distances = kernels.distances(subject.graph);
    known.distances = measure_distances(subject.graph, distances);
  }
  if (tiers & (kStructure | kPublished)) known.degree = add_degrees(subject, structure);
  if (wants_structure) {
    add_components(subject.graph, distances, row);
    add_distances(subject.graph, distances, known.distances, row);
    add_clustering(subject.graph, kernels.common_neighbours(subject.graph), known.degree.mean,
                   known.distances.path_length, row);
  }
  if (tiers & (kStructure | kPublished)) known.layers = add_layers(part, structure);
  if (wants_structure) {
    add_paths(part, kernels, row);
    add_signal(subject, kernels, row);
  }
  if (tiers & (kCentrality | kPublished)) {
    const std::vector<Neuron> sources = sources_of_paths(subject.n(), pivots);
    const auto diameter = int32_t(distances.pairs.empty() ? 0 : distances.pairs.size() - 1);
    known.centrality = measure_centrality(subject.graph, kernels.betweenness(subject.graph, sources, diameter),
                                          double(sources.size()));
  }
  if (tiers & kCentrality) add_centrality(known.centrality, row);
  if (tiers & kPublished) add_published(subject, known, row);
  if (tiers & kRecurrent) add_cycles(subject, kernels, row);
}

}  // namespace wirenas
