// Recurrent networks: every cell at every step, forward and then backward through time; and their linear head.
#pragma once

#include "cells.h"
#include "edge_gradients.h"
#include "kernels.h"
#include "weighted_sums.h"

namespace {

using wirenas::Recurrent;
using wirenas::Sequences;
using States = wirenas::States<Real>;

// Columns that a step works on: whole registers, and widths that the kernels are compiled for.
inline int columns_for(int n_examples) { return n_examples > 32 ? 64 : n_examples > 16 ? 32 : n_examples > 0 ? 16 : 0; }

template <typename Function>
inline void with_columns(int columns, Function function) {
  if (columns == 16) function(std::integral_constant<int, 16>{});
  else if (columns == 32) function(std::integral_constant<int, 32>{});
  else function(std::integral_constant<int, 64>{});
}

inline CellLines lines_of(const Recurrent& network, const States& states, int step, int cell) {
  const int64_t block = int64_t(network.n_inputs + network.n_cells) * kTile, own = int64_t(cell) * kTile;
  const int64_t cells = int64_t(network.n_cells) * kTile;
  CellLines lines{};
  lines.gate = states.gates + (int64_t(step) * network.rows.n_rows + int64_t(cell) * network.gates) * kTile;
  lines.hidden = states.hidden + (step + 1) * block + int64_t(network.n_inputs) * kTile + own;
  lines.hidden_before = lines.hidden - block;
  lines.carried = states.carried + own;
  if (network.cell == Cell::lstm) {
    lines.memory = states.memory + (step + 1) * cells + own;
    lines.memory_before = lines.memory - cells;
    lines.squashed = states.squashed + step * cells + own;
  }
  return lines;
}

template <int C>
void forward_step(const Recurrent& network, const Real* parameters, const States& states, int step) {
  const wirenas::Rows& rows = network.rows;
  const Real* const biases = parameters + rows.start[rows.n_rows];
  const Real* const values = states.hidden + int64_t(step + 1) * (network.n_inputs + network.n_cells) * kTile;
  Real* const gates = states.gates + int64_t(step) * rows.n_rows * kTile;
  int cell = 0;
  for (int row = 0; row < rows.n_rows; row += rows.group[row]) {
    const int first = rows.start[row], degree = rows.start[row + 1] - first;
    group_sums<C>(rows.group[row], biases + row, parameters + first, degree, rows.source + first, values,
                  [&](int r, int column, Vector sum) { store(gates + int64_t(row + r) * kTile + column, sum); });
    for (; (cell + 1) * network.gates <= row + rows.group[row]; ++cell)
      cell_forward<C>(network.cell, lines_of(network, states, step, cell));
  }
}

// Sequences that end at this step leave their states to the head.
inline void keep_ends(const Recurrent& network, const States& states, const Sequences& tile, int step) {
  const Real* const cells =
      states.hidden + (int64_t(step + 1) * (network.n_inputs + network.n_cells) + network.n_inputs) * kTile;
  for (int cell = 0; cell < network.n_cells; ++cell)
    for (int column = tile.running[step + 1]; column < tile.running[step]; ++column)
      states.ends[int64_t(cell) * kTile + column] = cells[int64_t(cell) * kTile + column];
}

inline void recurrent(const Recurrent& network, const Real* parameters, const States& states, const Sequences& tile) {
  for (int step = 0; step < tile.n_steps; ++step) {
    with_columns(columns_for(tile.running[step]),
                 [&](auto columns) { forward_step<columns.value>(network, parameters, states, step); });
    if (tile.running[step + 1] < tile.running[step]) keep_ends(network, states, tile, step);
  }
}

template <int C>
void backward_step(const Recurrent& network, const Real* parameters, const States& states, const Sequences& tile,
                   int step, Real* gradients, bool accumulate) {
  const wirenas::Rows& rows = network.rows;
  const int n_edges = rows.start[rows.n_rows];
  const Real* const values = states.hidden + int64_t(step + 1) * (network.n_inputs + network.n_cells) * kTile;
  const Real* const gates = states.gates + int64_t(step) * rows.n_rows * kTile;
  DescendingSums weights(gradients + n_edges, accumulate), biases(gradients + n_edges + rows.n_rows, accumulate);
  alignas(64) Real delta[kTile];
  for (int cell = network.n_cells - 1; cell >= 0; --cell) {
    const int out = rows.out_start[cell];
    returning_sums<C>(
        parameters, rows.out_start[cell + 1] - out, rows.out_target + out, rows.out_edge + out, gates,
        [](int) { return Vector{}; }, [&](int column, Vector sum) { store(delta + column, sum); });
    for (int column = tile.running[step + 1]; column < tile.running[step]; ++column)
      delta[column] += states.end_deltas[int64_t(cell) * kTile + column];
    cell_backward<C>(network.cell, lines_of(network, states, step, cell), delta);
    for (int row = (cell + 1) * network.gates - 1; row >= cell * network.gates; --row) {
      const Real* const own = gates + int64_t(row) * kTile;
      const int first = rows.start[row];
      biases.push(lane_sums<C>(own));
      row_gradients<C>(own, rows.start[row + 1] - first, rows.source + first, values, weights);
    }
  }
}

inline void recurrent_gradients(const Recurrent& network, const Real* parameters, const States& states,
                                const Sequences& tile, Real* gradients, bool accumulate) {
  std::memset(states.carried, 0, sizeof(Real) * size_t(network.n_cells) * kTile);
  int after = 0;
  for (int step = tile.n_steps - 1; step >= 0; --step) {
    const int columns = columns_for(tile.running[step]);
    // Nothing flows back from steps that a sequence does not have.
    Real* const next = states.gates + int64_t(step + 1) * network.rows.n_rows * kTile;
    if (after < columns)
      for (int row = 0; row < network.rows.n_rows; ++row)
        std::memset(next + int64_t(row) * kTile + after, 0, sizeof(Real) * size_t(columns - after));
    with_columns(columns, [&](auto width) {
      backward_step<width.value>(network, parameters, states, tile, step, gradients,
                                 accumulate || step < tile.n_steps - 1);
    });
    after = columns;
  }
}

inline void head(const wirenas::Rows& rows, const Real* parameters, const Real* ends, Real* outputs) {
  const Real* const biases = parameters + rows.start[rows.n_rows];
  for (int row = 0; row < rows.n_rows; row += rows.group[row]) {
    const int first = rows.start[row];
    group_sums<kTile>(
        rows.group[row], biases + row, parameters + first, rows.start[row + 1] - first, rows.source + first, ends,
        [&](int r, int column, Vector sum) { store(outputs + int64_t(row + r) * kTile + column, sum); });
  }
}

inline void head_gradients(const wirenas::Rows& rows, const Real* parameters, const Real* ends, const Real* deltas,
                           Real* end_deltas, Real* gradients, bool accumulate) {
  const int n_edges = rows.start[rows.n_rows];
  DescendingSums weights(gradients + n_edges, accumulate), biases(gradients + n_edges + rows.n_rows, accumulate);
  for (int row = rows.n_rows - 1; row >= 0; --row) {
    const Real* const delta = deltas + int64_t(row) * kTile;
    const int first = rows.start[row];
    biases.push(lane_sums<kTile>(delta));
    row_gradients<kTile>(delta, rows.start[row + 1] - first, rows.source + first, ends, weights);
  }
  for (int cell = 0; cell < rows.n_columns; ++cell) {
    const int out = rows.out_start[cell];
    returning_sums<kTile>(
        parameters, rows.out_start[cell + 1] - out, rows.out_target + out, rows.out_edge + out, deltas,
        [](int) { return Vector{}; },
        [&](int column, Vector sum) { store(end_deltas + int64_t(cell) * kTile + column, sum); });
  }
}

}  // namespace
