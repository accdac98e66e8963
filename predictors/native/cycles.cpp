// Cycles of a hidden wiring, and the spectral radius that they give it.
#include "checks.h"
#include "measures.h"

namespace wirenas {
namespace {

constexpr int kMostProducts = 4000;
constexpr double kPrecision = 1e-12;

// The largest eigenvalue of the adjacency matrix of a strongly connected component, by the power method on the matrix
// plus identity. For any positive vector x the ratios (A x)_i / x_i enclose it; undefined where they remain apart.
double radius(const Directed& component) {
  std::vector<double> x(size_t(component.n()), 1), product(x.size());
  for (int round = 0; round < kMostProducts; ++round) {
    heed_signals();
    double low = std::numeric_limits<double>::infinity(), high = 0, largest = 0;
    for (Neuron neuron = 0; neuron < component.n(); ++neuron) {
      double own = 0;
      for (const Neuron before : component.in[neuron]) own += x[size_t(before)];
      low = std::min(low, own / x[size_t(neuron)]);
      high = std::max(high, own / x[size_t(neuron)]);
      product[size_t(neuron)] = own + x[size_t(neuron)];
      largest = std::max(largest, product[size_t(neuron)]);
    }
    // Entries of x far from where most edges are may be below the smallest double.
    if (std::isinf(high)) return kUndefined;
    if (high - low <= kPrecision * high) return (low + high) / 2;
    for (size_t i = 0; i < x.size(); ++i) x[i] = product[i] / largest;
  }
  return kUndefined;
}

// A component as a graph of its own; `number` is that of its neurons within it.
Directed part_of(const Directed& graph, const std::vector<Neuron>& members, const std::vector<Neuron>& component,
                 const std::vector<Neuron>& number) {
  std::vector<Edge> edges;
  for (const Neuron source : members)
    for (const Neuron target : graph.out[source])
      if (component[size_t(target)] == component[size_t(source)])
        edges.push_back({number[size_t(source)], number[size_t(target)]});
  return directed(edges.data(), int64_t(edges.size()), Neuron(members.size()));
}

double spectral_radius(const Directed& graph, const Strong& strong, const std::vector<std::vector<Neuron>>& cyclic) {
  std::vector<Neuron> number(size_t(graph.n()));
  double largest = 0;
  for (const std::vector<Neuron>& members : cyclic) {
    for (size_t i = 0; i < members.size(); ++i) number[size_t(members[i])] = Neuron(i);
    const double own = radius(part_of(graph, members, strong.of, number));
    if (std::isnan(own)) return kUndefined;
    largest = std::max(largest, own);
  }
  return largest;
}

struct Loops {
  int64_t of_one = 0, of_two = 0;
  Flags at;
};

Loops loops_of(const Directed& graph) {
  Loops own{0, 0, Flags(size_t(graph.n()))};
  for (Neuron neuron = 0; neuron < graph.n(); ++neuron) {
    const Neighbours before = graph.in[neuron];
    const Neuron* in = before.begin();
    for (const Neuron target : graph.out[neuron]) {
      while (in != before.end() && *in < target) ++in;
      if (in == before.end() || *in != target) continue;
      own.of_one += target == neuron;
      own.of_two += target > neuron;
      if (target == neuron) own.at[size_t(neuron)] = 1;
    }
  }
  return own;
}

}  // namespace

void add_cycles(const Subject& subject, const Kernels& kernels, Row& row) {
  const Directed& graph = subject.hidden;
  const Loops loops = loops_of(graph);
  const Strong strong = strong_components(graph);
  std::vector<std::vector<Neuron>> members(size_t(strong.count)), cyclic;
  for (Neuron neuron = 0; neuron < graph.n(); ++neuron) members[size_t(strong.of[size_t(neuron)])].push_back(neuron);
  size_t largest = 0, on_cycles = 0;
  for (const std::vector<Neuron>& own : members) {
    largest = std::max(largest, own.size());
    if (own.size() == 1 && !loops.at[size_t(own.front())]) continue;
    on_cycles += own.size();
    cyclic.push_back(own);
  }
  const double n = graph.n();
  row.add({double(loops.of_one), ratio(2 * double(loops.of_two), double(graph.n_edges())), double(loops.of_two),
           double(subject.is_acyclic ? 0 : kernels.three_cycles(graph)), double(strong.count)});
  row.add({ratio(double(largest), n), ratio(double(on_cycles), n), spectral_radius(graph, strong, cyclic)});
}

}  // namespace wirenas
