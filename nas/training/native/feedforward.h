// Feed-forward networks: every neuron once, forward and then backward.
#pragma once

#include "activations.h"
#include "dense_gradients.h"
#include "kernels.h"
#include "row_gradients.h"
#include "weighted_sums.h"

namespace {

using wirenas::Feedforward;

template <int C>
void feedforward(const Feedforward& network, const Real* parameters, Real* values, Real* sums) {
  const wirenas::Rows& rows = network.rows;
  const int n_hidden = rows.n_rows - network.n_outputs;
  const auto is_projected = [&network](int row) {
    return network.projects && row >= network.dense_first && row < network.dense_first + network.dense_count;
  };
  Real* const out = values + int64_t(network.n_inputs) * kTile;
  for (int row = 0; row < rows.n_rows; row += rows.group[row]) {
    const int stride = rows.start[row + 1] - rows.start[row], first = rows.start[row + 1] - rows.degree[row];
    const Activation activation = row < n_hidden ? network.activation : Activation::identity;
    group_sums<C>(rows.group[row], parameters + first, stride, rows.degree[row], rows.source + first, values,
                  [&](int r, int column, Vector sum) {
                    const int64_t place = int64_t(row + r) * kTile + column;
                    if (is_projected(row + r)) sum += load(out + place);
                    if (keeps_sums(activation)) store(sums + place, sum);
                    store(out + place, activate(activation, sum));
                  });
  }
}

template <int C>
void feedforward_gradients(const Feedforward& network, const Real* parameters, const Real* values, const Real* sums,
                           Real* deltas, const Real* const* examples, int n_examples, Real* gradients,
                           bool accumulate) {
  const wirenas::Rows& rows = network.rows;
  const Activation activation = network.activation;
  const Real* const kept = keeps_sums(activation) ? sums : values + int64_t(network.n_inputs) * kTile;
  Real* const own_deltas = deltas + int64_t(network.n_inputs) * kTile;
  for (int neuron = rows.n_rows - network.n_outputs - 1; neuron >= 0; --neuron) {
    Real* const delta = own_deltas + int64_t(neuron) * kTile;
    const Real* const own = kept + int64_t(neuron) * kTile;
    pull<C>(rows, neuron, parameters, deltas,
            [&](int column, Vector sum) { store(delta + column, times_slope(activation, sum, load(own + column))); });
  }
  if (network.projects) {
    flat_gradients<C>(rows, 0, rows.start[rows.n_rows], values, deltas, gradients, accumulate);
    return;
  }
  const int dense_begin = rows.start[network.dense_first];
  const int dense_end = rows.start[network.dense_first + network.dense_count];
  flat_gradients<C>(rows, 0, dense_begin, values, deltas, gradients, accumulate);
  flat_gradients<C>(rows, dense_end, rows.start[rows.n_rows], values, deltas, gradients, accumulate);
  if (network.dense_count == 0) return;
  const int stride = (dense_end - dense_begin) / network.dense_count;
  dense_gradients(gradients + dense_begin + stride - network.n_inputs, stride, network.dense_count, network.n_inputs,
                  own_deltas + int64_t(network.dense_first) * kTile, examples, n_examples, accumulate);
}

}  // namespace
