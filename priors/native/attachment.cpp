#include "attachment.h"

#include <numeric>
#include <utility>

#include "transforms.h"

namespace wirenas {
namespace {

using Neurons = std::vector<int32_t>;

Neurons numbers(int32_t first, int32_t last) {
  Neurons neurons(size_t(last - first));
  std::iota(neurons.begin(), neurons.end(), first);
  return neurons;
}

// The neurons that all inputs or the projection lead to, and those that lead to all outputs.
struct Ends {
  Neurons read_in, read_out;
};

// Neurons without an edge into them and out of them. Of several layers forward edges count; one layer that is cyclic
// has only neurons that are both.
Ends sources_and_sinks(const Graph& graph, const std::vector<int32_t>& sizes) {
  if (sizes.size() == 1 && !longest_paths(graph)) return {numbers(0, graph.n_neurons), numbers(0, graph.n_neurons)};
  const Neurons layer_of = layers_of(sizes);
  std::vector<uint8_t> is_target(layer_of.size()), is_source(layer_of.size());
  for (const Edge& edge : graph) {
    const size_t source = size_t(edge.source), target = size_t(edge.target);
    if (sizes.size() > 1 && layer_of[source] >= layer_of[target]) continue;
    is_source[source] = is_target[target] = 1;
  }
  Ends found;
  for (int32_t neuron = 0; neuron < graph.n_neurons; ++neuron) {
    if (!is_target[size_t(neuron)]) found.read_in.push_back(neuron);
    if (!is_source[size_t(neuron)]) found.read_out.push_back(neuron);
  }
  return found;
}

// Inputs in ascending order, and each leads to all targets.
void append_dense(Edges& edges, int32_t n_inputs, const Neurons& targets, int32_t first) {
  for (int32_t input = 0; input < n_inputs; ++input)
    for (int32_t target : targets) edges.push_back({input, target + first});
}

// Every neuron reads random inputs. They are drawn neuron by neuron, and sorted by input afterwards.
void append_random_reads(Edges& edges, int32_t n_neurons, const Attachment& own, BitGenerator& random) {
  std::vector<int64_t> place(size_t(own.n_inputs) + 1);
  Edges drawn;
  drawn.reserve(size_t(n_neurons) * size_t(own.reads));
  Subset inputs(own.n_inputs, own.reads);
  for (int32_t neuron = 0; neuron < n_neurons; ++neuron)
    inputs.draw(random, [&](int64_t input) {
      drawn.push_back({int32_t(input), neuron + own.n_inputs});
      ++place[size_t(input) + 1];
    });
  for (size_t i = 1; i < place.size(); ++i) place[i] += place[i - 1];
  edges.resize(drawn.size());
  for (const Edge& edge : drawn) edges[size_t(place[size_t(edge.source)]++)] = edge;
}

// The projection is dealt out in turn over the sources, until each of both has had a turn.
void append_projection(Edges& edges, const Neurons& sources, const Attachment& own) {
  append_dense(edges, own.n_inputs, numbers(0, own.width), own.n_inputs);
  const int64_t n_sources = int64_t(sources.size()), n_turns = std::max(int64_t(own.width), n_sources);
  for (int32_t unit = 0; unit < own.width; ++unit)
    for (int64_t turn = unit; turn < n_turns; turn += own.width)
      edges.push_back({own.n_inputs + unit, own.n_inputs + own.width + sources[size_t(turn % n_sources)]});
}

// The neurons that controlled attachment reads out: the last ones, as far as there are such.
Neurons last_neurons(const Graph& graph, size_t n_layers, int32_t readouts, BitGenerator& random) {
  if (n_layers > 1) return numbers(graph.n_neurons - readouts, graph.n_neurons);
  if (const auto depth = longest_paths(graph)) {
    const Neurons sequence = by_depth(*depth);
    return Neurons(sequence.end() - readouts, sequence.end());
  }
  Neurons drawn;
  Subset(graph.n_neurons, readouts).draw(random, [&](int64_t neuron) { drawn.push_back(int32_t(neuron)); });
  return drawn;
}

// The hidden edges, and after those of each neuron that is read out its edges to all outputs.
void append_hidden(Edges& edges, const Graph& graph, const Neurons& read_out, const Attachment& own) {
  const int32_t first = own.n_inputs + own.width, units = first + graph.n_neurons;
  std::vector<uint8_t> is_read(size_t(graph.n_neurons));
  for (int32_t neuron : read_out) is_read[size_t(neuron)] = 1;
  const Edge* edge = graph.begin();
  for (int32_t neuron = 0; neuron < graph.n_neurons; ++neuron) {
    for (; edge != graph.end() && edge->source == neuron; ++edge)
      edges.push_back({edge->source + first, edge->target + first});
    if (!is_read[size_t(neuron)]) continue;
    for (int32_t output = 0; output < own.n_outputs; ++output) edges.push_back({neuron + first, units + output});
  }
}

// How many edges there will be, since growing a large array step by step would take as long as filling it.
size_t count(const Graph& graph, const Ends& ends, const Attachment& own) {
  const size_t n_inputs = size_t(own.n_inputs), width = size_t(own.width), n_read = ends.read_in.size();
  const size_t n_hidden = size_t(graph.n_edges) + ends.read_out.size() * size_t(own.n_outputs);
  if (own.mode == Mode::projected) return n_hidden + n_inputs * width + std::max(width, n_read);
  return n_hidden + n_inputs * n_read;
}

}  // namespace

Edges attach(const Graph& graph, const std::vector<int32_t>& sizes, const Attachment& own, BitGenerator& random) {
  Edges edges;
  Ends ends;
  if (own.mode == Mode::controlled) {
    append_random_reads(edges, graph.n_neurons, own, random);
    if (own.n_outputs > 0) ends.read_out = last_neurons(graph, sizes.size(), own.readouts, random);
  } else if (own.mode == Mode::published) {
    ends = {numbers(0, sizes.front()), numbers(graph.n_neurons - sizes.back(), graph.n_neurons)};
  } else {
    ends = sources_and_sinks(graph, sizes);
  }
  edges.reserve(edges.size() + count(graph, ends, own));
  if (own.mode == Mode::projected)
    append_projection(edges, ends.read_in, own);
  else
    append_dense(edges, own.n_inputs, ends.read_in, own.n_inputs);
  append_hidden(edges, graph, ends.read_out, own);
  return edges;
}

}  // namespace wirenas
