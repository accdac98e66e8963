// Feed-forward networks: every neuron once, forward and then backward.
#pragma once

#include "activations.h"
#include "dense_gradients.h"
#include "kernels.h"
#include "row_gradients.h"
#include "weighted_sums.h"

namespace {

using wirenas::Feedforward;

// Values of the rows from `begin` to below `end`, which cut no group in two.
template <int C, bool far>
void feedforward(const Feedforward& network, const Real* parameters, Real* values, Real* sums, int begin, int end) {
  const wirenas::Rows& rows = network.rows;
  const int n_hidden = rows.n_rows - network.n_outputs;
  const auto is_projected = [&network](int row) {
    return network.projects && row >= network.dense_first && row < network.dense_first + network.dense_count;
  };
  Real* const out = values + int64_t(network.n_inputs) * kTile;
  for (int row = begin; row < end; row += rows.group[row]) {
    const int stride = rows.start[row + 1] - rows.start[row], first = rows.start[row + 1] - rows.degree[row];
    const Activation activation = row < n_hidden ? network.activation : Activation::identity;
    group_sums<C, far>(rows.group[row], parameters + first, stride, rows.degree[row], rows.source + first, values,
                       [&](int r, int column, Vector sum) {
                         const int64_t place = int64_t(row + r) * kTile + column;
                         if (is_projected(row + r)) sum += load(out + place);
                         if (keeps_sums(activation)) store(sums + place, sum);
                         store(out + place, activate(activation, sum));
                       });
  }
}

// Deltas of the hidden neurons from `begin` to below `end`, the last one first.
template <int C, bool far>
void feedforward_deltas(const Feedforward& network, const Real* parameters, const Real* values, const Real* sums,
                        Real* deltas, int begin, int end) {
  const wirenas::Rows& rows = network.rows;
  const Activation activation = network.activation;
  const Real* const kept = keeps_sums(activation) ? sums : values + int64_t(network.n_inputs) * kTile;
  Real* const own_deltas = deltas + int64_t(network.n_inputs) * kTile;
  for (int neuron = end - 1; neuron >= begin; --neuron) {
    Real* const delta = own_deltas + int64_t(neuron) * kTile;
    const Real* const own = kept + int64_t(neuron) * kTile;
    pull<C, far>(rows, neuron, parameters, deltas, [&](int column, Vector sum) {
      store(delta + column, times_slope(activation, sum, load(own + column)));
    });
  }
}

// Gradients of the rows from `begin` to below `end`, all of which read every input and nothing else.
inline void complete_gradients(const Feedforward& network, const Real* deltas, const Real* const* examples,
                               int n_examples, Real* gradients, bool accumulate, int begin, int end) {
  const wirenas::Rows& rows = network.rows;
  const int stride = rows.start[begin + 1] - rows.start[begin];
  dense_gradients(gradients + rows.start[begin] + stride - network.n_inputs, stride, end - begin, network.n_inputs,
                  deltas + (int64_t(network.n_inputs) + begin) * kTile, examples, n_examples, accumulate);
}

}  // namespace
