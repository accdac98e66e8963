// Paths from sources to sinks of the feed-forward part of a hidden wiring.
#include "measures.h"

namespace wirenas {
namespace {

constexpr int kPathMeasures = 10;

}  // namespace

void add_paths(const FeedForward* part, const Kernels& kernels, Row& row) {
  if (part == nullptr || part->order.empty()) {
    row.add_undefined(kPathMeasures);
    return;
  }
  const Directed& graph = *part->graph;
  Flags starts(part->order.size()), ends(part->order.size());
  std::vector<Neuron> sources, sinks;
  for (Neuron neuron = 0; neuron < graph.n(); ++neuron) {
    starts[size_t(neuron)] = graph.in.degree(neuron) == 0;
    ends[size_t(neuron)] = graph.out.degree(neuron) == 0;
    if (starts[size_t(neuron)]) sources.push_back(neuron);
    if (ends[size_t(neuron)]) sinks.push_back(neuron);
  }
  const Paths all = paths(graph, part->order, starts, ends);
  const std::vector<int32_t> distance = nearest_along(part->order.begin(), part->order.end(), graph.in, starts);
  const std::vector<int32_t> reaching = kernels.reaching(graph.in, part->order, sources);
  std::vector<int32_t> sink_distances;
  double reaching_sinks = 0;
  for (const Neuron sink : sinks) {
    sink_distances.push_back(distance[size_t(sink)]);
    reaching_sinks += reaching[size_t(sink)];
  }
  const Summary sink_distance = summary(sink_distances);
  const double n_sources = double(sources.size());
  row.add({all.log_number, all.log_number - std::log(n_sources), all.mean_length, all.std_length});
  row.add({sink_distance.mean, sink_distance.most, reaching_sinks / (n_sources * double(sinks.size())),
           sum(reaching) / (n_sources * graph.n()), all.log_synflow, all.effective_depth});
}

}  // namespace wirenas
