#include "reservoir.h"

#include <algorithm>
#include <vector>

#include "checks.h"

namespace wirenas {
namespace {

// Vectors of two numbers are what every processor has; results then do not depend on it.
typedef double Pair __attribute__((vector_size(16)));
typedef int64_t Integers __attribute__((vector_size(16)));
typedef double AnyPair __attribute__((vector_size(16), aligned(8), may_alias));

template <typename Value>
inline Value from(const double* numbers) {
  if constexpr (sizeof(Value) == sizeof(double))
    return *numbers;
  else
    return *reinterpret_cast<const AnyPair*>(numbers);
}
inline void put(double* to, double value) { *to = value; }
inline void put(double* to, Pair values) { *reinterpret_cast<AnyPair*>(to) = values; }

// The hyperbolic tangent to 3e-16, and to as much of its value near 0: (e - 1) / (e + 1) with e = exp(2 x), and a
// Taylor series where that would cancel.
inline Pair tanh_of(Pair x) {
  constexpr double magic = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to the nearest integer.
  Pair bounded = x > 20.0 ? 20.0 - Pair{} : x;
  bounded = bounded < -20.0 ? -20.0 - Pair{} : bounded;
  const Pair twice = bounded + bounded;
  const Pair shifted = twice * 1.4426950408889634 + magic;
  const Pair power = shifted - magic;
  // The logarithm of 2 in two parts, of which the first is exact in products with such integers.
  const Pair rest = (twice - power * 6.93147180369123816490e-01) - power * 1.90821492927058770002e-10;
  constexpr double factorials[] = {
      1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
      1.0 / 720,        1.0 / 120,       1.0 / 24,       1.0 / 6,       1.0 / 2,      1.0,         1.0};
  Pair value = factorials[0] - Pair{};
  for (int i = 1; i < 14; ++i) value = value * rest + factorials[i];
  // The integer stands in the lowest bits of what was rounded.
  const Integers exponent = ((Integers)shifted - (Integers)(magic - Pair{}) + 1023) << 52;
  const Pair e = value * (Pair)exponent;
  const Pair far = (e - 1.0) / (e + 1.0);
  const Pair square = x * x;
  Pair near = 21844.0 / 6081075 - Pair{};
  constexpr double series[] = {-1382.0 / 155925, 62.0 / 2835, -17.0 / 315, 2.0 / 15, -1.0 / 3, 1.0};
  for (const double term : series) near = near * square + term;
  const Pair found = square < 0.01 ? near * x : far;
  return x == x ? found : x;
}

// Add the weighted lines of what row i reads; a line holds `count` values.
template <typename Value, int count>
inline void add_row(const Weighted& edges, int i, const double* lines, Value (&sums)[count]) {
  constexpr int lanes = int(sizeof(Value) / sizeof(double));
  for (int32_t e = edges.start[i]; e < edges.start[i + 1]; ++e) {
    const double* const line = lines + int64_t(edges.sources[e]) * count * lanes;
    const double weight = edges.weights[e];
    for (int v = 0; v < count; ++v) sums[v] += from<Value>(line + v * lanes) * weight;
  }
}

// States from sums, side by side.
void advance(double* states, double* sums, int64_t count, double leak) {
  for (int64_t j = 0; j < count; j += 2) {
    const Pair fresh = tanh_of(from<Pair>(sums + j));
    put(states + j, leak == 1 ? fresh : from<Pair>(states + j) * (1 - leak) + fresh * leak);
  }
}

template <typename Value, int count>
void run_some(const Reservoir& net, const Runs& runs, int first, double* states) {
  constexpr int lanes = int(sizeof(Value) / sizeof(double)), width = count * lanes;
  const int n = net.n_neurons, some = std::min(width, runs.count - first);
  // Whole vectors are advanced.
  const size_t size = size_t(n) * width + 1;
  std::vector<double> now(size), sums(size), given(size_t(net.n_inputs) * width);
  double factors[width];
  // Copies beyond the last one repeat it.
  for (int c = 0; c < width; ++c) factors[c] = runs.factors[first + std::min(c, some - 1)];
  int n_steps = runs.n_steps;
  if (runs.lengths != nullptr) n_steps = int(*std::max_element(runs.lengths + first, runs.lengths + first + some));
  const int64_t run = int64_t(runs.n_steps) * net.n_inputs;
  for (int step = 0; step < n_steps; ++step) {
    if ((step & 255) == 0) heed_signals();
    for (int c = 0; c < width; ++c) {
      const int64_t own = runs.own ? (first + std::min(c, some - 1)) * run : 0;
      for (int k = 0; k < net.n_inputs; ++k)
        given[size_t(k) * width + c] = runs.inputs[own + int64_t(step) * net.n_inputs + k];
    }
    for (int i = 0; i < n; ++i) {
      Value recurrent[count] = {}, driven[count];
      for (int v = 0; v < count; ++v) driven[v] = net.bias[i] - Value{};
      add_row<Value, count>(net.recurrence, i, now.data(), recurrent);
      add_row<Value, count>(net.inputs, i, given.data(), driven);
      for (int v = 0; v < count; ++v)
        put(&sums[size_t(i) * width + v * lanes], recurrent[v] * from<Value>(factors + v * lanes) + driven[v]);
    }
    advance(now.data(), sums.data(), int64_t(n) * width, net.leak);
    for (int c = 0; c < some; ++c) {
      double* to = states;
      if (runs.lengths == nullptr)
        to += (int64_t(first + c) * runs.n_steps + step) * net.n_read;
      else if (runs.lengths[first + c] == step + 1)
        to += int64_t(first + c) * net.n_read;
      else
        continue;
      for (int r = 0; r < net.n_read; ++r) to[r] = now[size_t(net.read[r]) * width + c];
    }
  }
}

}  // namespace

void run_reservoir(const Reservoir& reservoir, const Runs& runs, double* states) {
  for (int first = 0; first < runs.count;) {
    const int left = runs.count - first;
    const auto some = left > 4   ? run_some<Pair, 4>
                      : left > 2 ? run_some<Pair, 2>
                      : left > 1 ? run_some<Pair, 1>
                                 : run_some<double, 1>;
    some(reservoir, runs, first, states);
    first += left > 4 ? 8 : left > 2 ? 4 : left;
  }
}

}  // namespace wirenas
