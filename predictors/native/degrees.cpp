// Sizes, degrees, and the components that distances tell of.
#include <numeric>

#include "measures.h"

namespace wirenas {
namespace {

std::vector<int64_t> degrees_of(const Rows& rows) {
  std::vector<int64_t> degrees(size_t(rows.n()));
  for (Neuron neuron = 0; neuron < rows.n(); ++neuron) degrees[size_t(neuron)] = rows.degree(neuron);
  return degrees;
}

std::vector<int64_t> counted(const std::vector<int64_t>& values, size_t n_different) {
  std::vector<int64_t> counts(n_different);
  for (const int64_t value : values) ++counts[size_t(value)];
  return counts;
}

double assortativity(const Rows& graph, const std::vector<int64_t>& degrees) {
  double ends = 0, total = 0;
  for (const int64_t degree : degrees) {
    ends += double(degree);
    total += double(degree) * double(degree);
  }
  const double mean = ratio(total, ends);
  double variance = 0, covariance = 0;
  for (Neuron neuron = 0; neuron < graph.n(); ++neuron) {
    const double own = double(degrees[size_t(neuron)]) - mean;
    int64_t others = 0;
    for (const Neuron other : graph[neuron]) others += degrees[size_t(other)];
    variance += double(degrees[size_t(neuron)]) * own * own;
    covariance += own * (double(others) - double(degrees[size_t(neuron)]) * mean);
  }
  return ratio(covariance, variance);
}

// Core numbers, by taking a neuron of the smallest degree away again and again. Neurons are kept sorted by what is left
// of their degree; `first` is the place of the first neuron of every degree.
std::vector<int64_t> cores(const Rows& graph, std::vector<int64_t> left, std::vector<int64_t> counts) {
  const size_t n = left.size();
  std::vector<int64_t> first(counts.size()), place(n);
  std::partial_sum(counts.begin(), counts.end() - (counts.empty() ? 0 : 1), first.begin() + (counts.empty() ? 0 : 1));
  std::vector<Neuron> sorted(n);
  std::vector<int64_t> next = first;
  for (size_t neuron = 0; neuron < n; ++neuron) {
    place[neuron] = next[size_t(left[neuron])]++;
    sorted[size_t(place[neuron])] = Neuron(neuron);
  }
  for (size_t i = 0; i < n; ++i) {
    const Neuron neuron = sorted[i];
    for (const Neuron other : graph[neuron]) {
      int64_t& own = left[size_t(other)];
      if (own <= left[size_t(neuron)]) continue;
      // Change places with the first of the same degree, which then belongs to the degree below.
      int64_t& boundary = first[size_t(own)];
      boundary = std::max(boundary, int64_t(i) + 1);
      const Neuron swapped = sorted[size_t(boundary)];
      std::swap(sorted[size_t(boundary)], sorted[size_t(place[size_t(other)])]);
      std::swap(place[size_t(swapped)], place[size_t(other)]);
      ++boundary;
      --own;
    }
  }
  return left;
}

}  // namespace

void add_size(const Subject& subject, Row& row) {
  const double n = subject.n(), all_edges = double(subject.whole.n_edges()), n_edges = double(subject.hidden.n_edges());
  const Directed& ends = subject.part ? *subject.part->graph : subject.hidden;
  int64_t sources = 0, sinks = 0;
  for (Neuron neuron = 0; neuron < subject.n(); ++neuron) {
    sources += ends.in.degree(neuron) == 0;
    sinks += ends.out.degree(neuron) == 0;
  }
  const Neuron first = subject.n_inputs(), last = first + subject.n();
  int64_t read_in = 0, read_out = 0;
  for (Neuron input = 0; input < first; ++input)
    for (const Neuron target : subject.whole.out[input]) read_in += target < last;
  for (Neuron output = last; output < subject.whole.n(); ++output)
    for (const Neuron source : subject.whole.in[output]) read_out += source >= first;
  row.add({n, n_edges, n < 2 ? 0 : double(subject.n_pairs()) / (n * (n - 1) / 2), double(sources), double(sinks),
           all_edges});
  row.add({double(subject.n_inputs()), double(subject.n_outputs()), double(read_in), double(read_out),
           all_edges - n_edges});
}

Summary add_degrees(const Subject& subject, Row& row) {
  const Rows& graph = subject.graph;
  const std::vector<int64_t> degrees = degrees_of(graph);
  const Summary own = summary(degrees);
  const std::vector<int64_t> counts = counted(degrees, degrees.empty() ? 0 : size_t(own.most) + 1);
  row.add({own.mean, own.std, own.least, own.most, ratio(own.std, own.mean), entropy(counts)});
  const Summary in = summary(degrees_of(subject.hidden.in)), out = summary(degrees_of(subject.hidden.out));
  const Summary core = summary(cores(graph, degrees, counts));
  row.add({in.std, in.most, out.std, out.most, assortativity(graph, degrees), core.most, core.mean});
  return own;
}

void add_components(const Rows& graph, const Distances& distances, Row& row) {
  const size_t n = size_t(graph.n());
  std::vector<int64_t> in_size(n + 1);  // neurons in components of a size
  int64_t isolated = 0, components = 0, largest = 0;
  for (size_t neuron = 0; neuron < n; ++neuron) {
    isolated += graph.degree(Neuron(neuron)) == 0;
    ++in_size[size_t(distances.reached[neuron]) + 1];
  }
  for (size_t size = 1; size <= n; ++size) {
    if (in_size[size] == 0) continue;
    components += in_size[size] / int64_t(size);
    largest = int64_t(size);
  }
  row.add({double(isolated), double(components), ratio(double(largest), double(n))});
}

}  // namespace wirenas
