// Batch normalisation of hidden neurons: from what they sum up to their values, and the way back.
#pragma once

#include "activations.h"
#include "kernels.h"
#include "vectors.h"

namespace {

using wirenas::columns_for;
using wirenas::Feedforward;
using wirenas::kEpsilon;
using NormalisedBatch = wirenas::NormalisedBatch<Real>;

// The sum of the lanes.
template <int step = 1>
inline __attribute__((always_inline)) Real total(Vector x) {
  if constexpr (step < kLanes)
    return total<2 * step>(halved<step>(x, x, std::make_integer_sequence<int, kLanes>{}));
  else
    return x[0];
}

// Zeros behind the first `count` lanes.
inline __attribute__((always_inline)) Vector first_lanes(Vector x, int count) {
  if (count >= kLanes) return x;
  Integers lane;
  for (int i = 0; i < kLanes; ++i) lane[i] = i;
  return lane < Integer(count) ? x : Vector{};
}

// Sums of vectors that do not wait for one another.
constexpr int kSums = 4;

// Call work(tile, column, count, sum) for every vector of a batch's lines, `count` of whose lanes are examples; the
// vectors of a tile take turns with the kSums sums.
template <typename Work>
inline __attribute__((always_inline)) void each_vector(int n_examples, Work work) {
  int tile = 0, left = n_examples;
  for (; left >= kTile; ++tile, left -= kTile)
#pragma GCC unroll 16
    for (int v = 0; v < kTile / kLanes; ++v) work(tile, v * kLanes, kLanes, v % kSums);
  if (left == 0) return;
  for (int column = 0; column < columns_for(left); column += kLanes)
    work(tile, column, left > column ? left - column : 0, 0);
}

inline __attribute__((always_inline)) Real total_of(const Vector (&sums)[kSums]) {
  return total((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

template <typename Work>
inline void with_activation(Activation activation, Work work) {
  switch (activation) {
    case Activation::relu:
      return work(std::integral_constant<Activation, Activation::relu>{});
    case Activation::tanh:
      return work(std::integral_constant<Activation, Activation::tanh>{});
    case Activation::sigmoid:
      return work(std::integral_constant<Activation, Activation::sigmoid>{});
    case Activation::gelu:
      return work(std::integral_constant<Activation, Activation::gelu>{});
    default:
      return work(std::integral_constant<Activation, Activation::identity>{});
  }
}

// Lines of the neurons from `begin` to below `end` hold their sums, and then their values.
inline void normalise(const Feedforward& network, const NormalisedBatch& batch, const Real* parameters, int begin,
                      int end) {
  const Real share = Real(1) / Real(batch.n_examples);
  with_activation(network.activation, [&](auto kind) {
    for (int neuron = begin; neuron < end; ++neuron) {
      Real* const line = batch.values + (int64_t(network.n_inputs) + neuron) * kTile;
      Vector sums[kSums] = {};
      each_vector(batch.n_examples, [&](int tile, int column, int count, int i) __attribute__((always_inline)) {
        sums[i] += first_lanes(load(line + tile * batch.block + column), count);
      });
      const Real mean = total_of(sums) * share;
      Vector squares[kSums] = {};
      each_vector(batch.n_examples, [&](int tile, int column, int count, int i) __attribute__((always_inline)) {
        const Vector apart = first_lanes(load(line + tile * batch.block + column) - mean, count);
        squares[i] += apart * apart;
      });
      const Real inverse = Real(1) / std::sqrt(total_of(squares) * share + Real(kEpsilon));
      batch.means[neuron] = mean;
      batch.inverses[neuron] = inverse;
      if (!batch.makes_values) continue;
      const Real gamma = batch.gamma[neuron],
                 bias = parameters[network.rows.start[neuron + 1] - network.rows.degree[neuron] - 1];
      Real* const normal = batch.normals == nullptr ? nullptr : batch.normals + int64_t(neuron) * kTile;
      // Columns behind the last example too: they are multiplied by no delta, and must be numbers.
      each_vector(batch.n_examples, [&](int tile, int column, int, int) __attribute__((always_inline)) {
        Real* const place = line + tile * batch.block + column;
        const Vector own = (load(place) - mean) * inverse;
        if (normal != nullptr) store(normal + tile * batch.normals_block + column, own);
        store(place, activate(kind.value, own * gamma + bias));
      });
    }
  });
}

// Delta lines of the neurons hold the gradients by their values, and then those by their sums.
inline void normalise_back(const Feedforward& network, const NormalisedBatch& batch, const Real* parameters, int begin,
                           int end) {
  const Real share = Real(1) / Real(batch.n_examples);
  with_activation(network.activation, [&](auto kind) {
    for (int neuron = begin; neuron < end; ++neuron) {
      const int64_t place = (int64_t(network.n_inputs) + neuron) * kTile;
      const Real* const value = batch.values + place;
      const Real* const normal = batch.normals + int64_t(neuron) * kTile;
      Real* const delta = batch.deltas + place;
      const Real gamma = batch.gamma[neuron],
                 bias = parameters[network.rows.start[neuron + 1] - network.rows.degree[neuron] - 1];
      Vector sums[kSums] = {}, products[kSums] = {};
      each_vector(batch.n_examples, [&](int tile, int column, int count, int i) __attribute__((always_inline)) {
        Real* const at = delta + tile * batch.deltas_block + column;
        const Vector own = load(normal + tile * batch.normals_block + column);
        const Vector kept = keeps_sums(kind.value) ? own * gamma + bias : load(value + tile * batch.block + column);
        const Vector back = first_lanes(times_slope(kind.value, load(at), kept), count);
        store(at, back);
        sums[i] += back;
        products[i] += back * own;
      });
      const Real of_bias = total_of(sums), of_gamma = total_of(products), factor = gamma * batch.inverses[neuron];
      batch.bias_gradients[neuron] = of_bias;
      batch.gamma_gradients[neuron] = of_gamma;
      const Real every = of_bias * share, along = of_gamma * share;
      each_vector(batch.n_examples, [&](int tile, int column, int count, int) __attribute__((always_inline)) {
        Real* const at = delta + tile * batch.deltas_block + column;
        const Vector own = load(normal + tile * batch.normals_block + column);
        store(at, first_lanes((load(at) - every - own * along) * factor, count));
      });
    }
  });
}

}  // namespace
