// Feed-forward networks: every neuron once, forward and then backward.
#pragma once

#include "activations.h"
#include "dense_gradients.h"
#include "edge_gradients.h"
#include "kernels.h"
#include "weighted_sums.h"

namespace {

using wirenas::Feedforward;

template <int C>
void feedforward(const Feedforward& network, const Real* parameters, Real* values, Real* sums) {
  const wirenas::Rows& rows = network.rows;
  const Real* const biases = parameters + rows.start[rows.n_rows];
  const int n_hidden = rows.n_rows - network.n_outputs;
  Real* const out = values + int64_t(network.n_inputs) * kTile;
  for (int row = 0; row < rows.n_rows; row += rows.group[row]) {
    const int first = rows.start[row], degree = rows.start[row + 1] - first;
    const Activation activation = row < n_hidden ? network.activation : Activation::identity;
    group_sums<C>(rows.group[row], biases + row, parameters + first, degree, rows.source + first, values,
                  [&](int r, int column, Vector sum) {
                    const int64_t place = int64_t(row + r) * kTile + column;
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
  const int n_edges = rows.start[rows.n_rows], n_hidden = rows.n_rows - network.n_outputs;
  const Activation activation = network.activation;
  const Real* const kept = keeps_sums(activation) ? sums : values + int64_t(network.n_inputs) * kTile;
  DescendingSums weights(gradients + n_edges, accumulate), biases(gradients + n_edges + rows.n_rows, accumulate);
  for (int row = rows.n_rows - 1; row >= 0; --row) {
    Real* const delta = deltas + int64_t(row) * kTile;
    if (row < n_hidden) {
      const int out = rows.out_start[row];
      const Real* const own = kept + int64_t(row) * kTile;
      returning_sums<C>(
          parameters, rows.out_start[row + 1] - out, rows.out_target + out, rows.out_edge + out, deltas,
          [](int) { return Vector{}; },
          [&](int column, Vector sum) { store(delta + column, times_slope(activation, sum, load(own + column))); });
    }
    biases.push(lane_sums<C>(delta));
    const int first = rows.start[row], degree = rows.start[row + 1] - first;
    if (row >= network.dense_first && row < network.dense_first + network.dense_count)
      weights.skip(degree);
    else
      row_gradients<C>(delta, degree, rows.source + first, values, weights);
  }
  if (network.dense_count > 0)
    dense_gradients(gradients + rows.start[network.dense_first], network.dense_count, network.n_inputs,
                    deltas + int64_t(network.dense_first) * kTile, examples, n_examples, accumulate);
}

}  // namespace
