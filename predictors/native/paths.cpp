#include "paths.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "scaled.h"

namespace wirenas {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr int64_t kNoPath = std::numeric_limits<int64_t>::max() / 2;

// Of the paths that end in a neuron, or of some neurons' together.
template <typename Number>
struct Ending {
  Number number, synflow, weight;
  double mean = 0, variance = 0;  // of the lengths, each path alike
  double weighted_mean = 0;       // of the lengths, by weight
  int64_t shortest = kNoPath, longest = -kNoPath;
};

// The paths that end in any of some neurons, `step` edges further on.
template <typename Number, typename Neurons>
Ending<Number> together(const std::vector<Ending<Number>>& endings, const Neurons& neurons, int step) {
  Ending<Number> all;
  Number lengths, weighted, squares;
  for (const Neuron neuron : neurons) {
    const Ending<Number>& own = endings[size_t(neuron)];
    all.number += own.number;
    all.synflow += own.synflow;
    all.weight += own.weight;
    all.shortest = std::min(all.shortest, own.shortest + step);
    all.longest = std::max(all.longest, own.longest + step);
    lengths += own.number * (own.mean + step);
    weighted += own.weight * (own.weighted_mean + step);
  }
  if (all.number.is_zero()) return {};
  all.mean = all.weighted_mean = double(all.shortest);
  if (all.shortest == all.longest) return all;
  all.mean = lengths.over(all.number);
  all.weighted_mean = weighted.over(all.weight);
  for (const Neuron neuron : neurons) {
    const Ending<Number>& own = endings[size_t(neuron)];
    const double from_mean = own.mean + step - all.mean;
    squares += own.number * (own.variance + from_mean * from_mean);
  }
  all.variance = squares.over(all.number);
  return all;
}

// Return whether the numbers are large enough for it.
template <typename Number>
bool follow(const Directed& graph, const std::vector<Neuron>& order, const Flags& starts, const Flags& ends,
            Paths& found) {
  std::vector<Ending<Number>> endings(order.size());
  std::vector<Neuron> last;
  bool is_safe = true;
  for (const Neuron neuron : order) {
    Ending<Number>& own = endings[size_t(neuron)];
    if (starts[size_t(neuron)]) {
      own.number = own.synflow = own.weight = {1};
      own.shortest = own.longest = 0;
    } else if (graph.in.degree(neuron) > 0) {
      const double fan_in = double(graph.in.degree(neuron));
      own = together(endings, graph.in[neuron], 1);
      own.synflow = own.synflow * (2 / std::sqrt(kPi * fan_in));
      own.weight = own.weight * (1 / fan_in);
      is_safe = is_safe && own.number.is_safe() && own.synflow.is_safe() && own.weight.is_safe();
    }
    if (ends[size_t(neuron)]) last.push_back(neuron);
  }
  const Ending<Number> all = together(endings, last, 0);
  if (!all.number.is_zero())
    found = {all.number.log(),        double(all.longest), all.mean,
             std::sqrt(all.variance), all.synflow.log(),   all.weighted_mean};
  return is_safe;
}

// The effective number of the neurons first .. last - 1.
template <typename Number>
double effective_number(const std::vector<Number>& shares, Neuron first, Neuron last) {
  Number total;
  for (Neuron neuron = first; neuron < last; ++neuron) total += shares[size_t(neuron)];
  if (total.is_zero()) return kUndefined;
  double squares = 0;
  for (Neuron neuron = first; neuron < last; ++neuron) {
    const double own = shares[size_t(neuron)].over(total);
    squares += own * own;
  }
  return 1 / squares;
}

template <typename Number>
bool hand_back(const Directed& graph, const std::vector<Neuron>& order, Neuron first, Neuron last, Widths& found) {
  std::vector<Number> shares(order.size()), parts(order.size());
  bool is_safe = true;
  for (size_t i = order.size(); i-- > 0;) {
    const Neuron neuron = order[i];
    Number own = neuron >= last ? Number{1} : Number{};
    for (const Neuron target : graph.out[neuron]) own += parts[size_t(target)];
    shares[size_t(neuron)] = own;
    parts[size_t(neuron)] = own * (1 / std::max(double(graph.in.degree(neuron)), 1.0));
    is_safe = is_safe && own.is_safe();
  }
  found = {effective_number(shares, 0, first), effective_number(shares, first, last)};
  return is_safe;
}

}  // namespace

Paths paths(const Directed& graph, const std::vector<Neuron>& order, const Flags& starts, const Flags& ends) {
  Paths found;
  if (!follow<Plain>(graph, order, starts, ends, found)) {
    found = {};
    follow<Scaled>(graph, order, starts, ends, found);
  }
  return found;
}

Widths widths(const Directed& graph, const std::vector<Neuron>& order, Neuron first, Neuron last) {
  Widths found;
  if (!hand_back<Plain>(graph, order, first, last, found)) hand_back<Scaled>(graph, order, first, last, found);
  return found;
}

}  // namespace wirenas
