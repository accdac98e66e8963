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
  Real* const out = values + int64_t(network.n_inputs) * kTile;
  for (int row = 0; row < rows.n_rows; row += rows.group[row]) {
    const int stride = rows.start[row + 1] - rows.start[row], first = rows.start[row + 1] - rows.degree[row];
    const Activation activation = row < n_hidden ? network.activation : Activation::identity;
    group_sums<C>(rows.group[row], parameters + first, stride, rows.degree[row], rows.source + first, values,
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
  const int n_hidden = rows.n_rows - network.n_outputs;
  const int dense_end = network.dense_first + network.dense_count;
  const Activation activation = network.activation;
  const Real* const kept = keeps_sums(activation) ? sums : values + int64_t(network.n_inputs) * kTile;
  Real* const own_deltas = deltas + int64_t(network.n_inputs) * kTile;
  std::memset(own_deltas, 0, sizeof(Real) * size_t(n_hidden) * kTile);
  DescendingSums into(gradients + rows.start[rows.n_rows], accumulate);
  for (int last = rows.n_rows - 1; last >= 0;) {
    int row = last;
    while (row > 0 && rows.group[row - 1] == rows.group[row] + 1) --row;
    for (int neuron = last; neuron >= row; --neuron) {
      if (neuron >= n_hidden) continue;
      Real* const delta = own_deltas + int64_t(neuron) * kTile;
      const Real* const own = kept + int64_t(neuron) * kTile;
      pull<C>(rows, neuron, parameters, delta, deltas, [&](int column, Vector sum) {
        store(delta + column, times_slope(activation, sum, load(own + column)));
      });
    }
    const int first = rows.start[row], stride = rows.start[row + 1] - first, lead = stride - rows.degree[row];
    if (network.dense_count > 0 && row >= network.dense_first && row < dense_end) {
      into.move_to(gradients + first);
      dense_gradients(gradients + first + lead, stride, last - row + 1, network.n_inputs,
                      own_deltas + int64_t(row) * kTile, examples, n_examples, accumulate);
    } else if (row < last) {
      pushing_rows_back<C>(last - row + 1, own_deltas + int64_t(row) * kTile, parameters + first, stride,
                           lead + rows.n_inputs[row], rows.source + first, values, deltas, into);
    } else {
      rows_back<1, C, false>(own_deltas + int64_t(row) * kTile, parameters + first, stride, 0, rows.source + first,
                             values, nullptr, into);
    }
    last = row - 1;
  }
  into.move_to(nullptr);
}

}  // namespace
