// Recurrent networks: every cell at every step, forward and then backward through time; and their linear head.
#pragma once

#include <algorithm>

#include "cells.h"
#include "kernels.h"
#include "row_gradients.h"
#include "weighted_sums.h"

namespace {

using wirenas::columns_for;
using wirenas::Recurrent;
using wirenas::Sequences;
using States = wirenas::States<Real>;

template <typename Function>
inline void with_columns(int columns, Function function) {
  if (columns == 16)
    function(std::integral_constant<int, 16>{});
  else if (columns == 32)
    function(std::integral_constant<int, 32>{});
  else
    function(std::integral_constant<int, 64>{});
}

inline int64_t block_of(const Recurrent& network) {
  return int64_t(network.n_inputs + network.n_cells + wirenas::kConstantLines) * kTile;
}

inline CellLines lines_of(const Recurrent& network, const States& states, int step, int cell) {
  const int64_t own = int64_t(cell) * kTile, cells = int64_t(network.n_cells) * kTile;
  CellLines lines{};
  lines.value = states.values + (step + 1) * block_of(network) + int64_t(network.n_inputs) * kTile + own;
  lines.value_before = lines.value - block_of(network);
  lines.gate = network.gates == 1 ? lines.value : states.gates + (step * cells + own) * network.gates;
  if (network.cell == Cell::lstm) {
    lines.memory = states.memory + (step + 1) * cells + own;
    lines.memory_before = lines.memory - cells;
    lines.squashed = states.squashed + step * cells + own;
    lines.memory_delta = states.memory_deltas + own;
  }
  return lines;
}

template <int C>
void forward_step(const Recurrent& network, const Real* parameters, const States& states, int step) {
  const wirenas::Rows& rows = network.rows;
  const Real* const values = states.values + (step + 1) * block_of(network);
  Real* const sums = lines_of(network, states, step, 0).gate;
  int cell = 0;
  for (int row = 0; row < rows.n_rows; row += rows.group[row]) {
    const int stride = rows.start[row + 1] - rows.start[row], first = rows.start[row + 1] - rows.degree[row];
    group_sums<C>(rows.group[row], parameters + first, stride, rows.degree[row], rows.source + first, values,
                  [&](int r, int column, Vector sum) { store(sums + int64_t(row + r) * kTile + column, sum); });
    for (; (cell + 1) * network.gates <= row + rows.group[row]; ++cell)
      cell_forward<C>(network.cell, lines_of(network, states, step, cell));
  }
}

// Sequences that are read at this step leave their states to the head.
inline void keep_read(const Recurrent& network, const States& states, const Sequences& tile, int step) {
  const Real* const cells = lines_of(network, states, step, 0).value;
  for (int cell = 0; cell < network.n_cells; ++cell)
    for (int read = tile.first_read[step + 1]; read < tile.first_read[step]; ++read)
      states.read[int64_t(cell) * kTile + tile.read_place[read]] =
          cells[int64_t(cell) * kTile + tile.read_column[read]];
}

// The state before the first step, of all columns.
inline void begin(const Recurrent& network, const Real* initial, const States& states) {
  Real* const cells = states.values + int64_t(network.n_inputs) * kTile;
  for (int cell = 0; cell < network.n_cells; ++cell) {
    std::fill_n(cells + int64_t(cell) * kTile, kTile, initial[cell]);
    if (network.cell == Cell::lstm)
      std::fill_n(states.memory + int64_t(cell) * kTile, kTile, initial[network.n_cells + cell]);
  }
}

inline void recurrent(const Recurrent& network, const Real* parameters, const States& states, const Sequences& tile) {
  if (network.initial >= 0) begin(network, parameters + network.initial, states);
  for (int step = 0; step < tile.n_steps; ++step) {
    with_columns(columns_for(tile.running[step]),
                 [&](auto columns) { forward_step<columns.value>(network, parameters, states, step); });
    if (tile.first_read[step + 1] < tile.first_read[step]) keep_read(network, states, tile, step);
  }
}

inline void add_read_deltas(const States& states, const Sequences& tile, int step, int cell, Real* delta) {
  for (int read = tile.first_read[step + 1]; read < tile.first_read[step]; ++read)
    delta[tile.read_column[read]] += states.read_deltas[int64_t(cell) * kTile + tile.read_place[read]];
}

// Cells of one row: a cell pulls, and leaves its delta in the place of its value. This goes layer by layer, since a
// layer's weights need the values of the layers before it.
template <int C>
void simple_step_back(const Recurrent& network, const Real* parameters, const States& states, const Sequences& tile,
                      int step, Real* gradients, bool accumulate) {
  const wirenas::Rows& rows = network.rows;
  Real* const values = states.values + (step + 1) * block_of(network);
  alignas(64) Real delta[kTile];
  for (int layer = network.n_layers - 1; layer >= 0; --layer) {
    const int begin = network.layer_start[layer], end = network.layer_start[layer + 1];
    for (int cell = end - 1; cell >= begin; --cell) {
      pull<C>(rows, cell, parameters, values, [&](int column, Vector sum) { store(delta + column, sum); });
      add_read_deltas(states, tile, step, cell, delta);
      Real* const value = lines_of(network, states, step, cell).value;
      simple_cell_backward<C>(network.cell, value, delta, value);
    }
    flat_gradients<C>(rows, rows.start[begin], rows.start[end], values, values, gradients, accumulate);
  }
}

// Cells of several rows, most of which read the same sources: their rows push.
template <int C>
void gated_step_back(const Recurrent& network, const Real* parameters, const States& states, const Sequences& tile,
                     int step, Real* gradients, bool accumulate) {
  const wirenas::Rows& rows = network.rows;
  DescendingSums into(gradients + rows.start[rows.n_rows], accumulate);
  const int64_t block = block_of(network);
  const Real* const values = states.values + (step + 1) * block;
  Real* const value_deltas = states.value_deltas + block;
  alignas(64) Real deltas[4 * kTile];
  for (int cell = network.n_cells - 1; cell >= 0; --cell) {
    Real* const delta = value_deltas + int64_t(network.n_inputs + cell) * kTile;
    add_read_deltas(states, tile, step, cell, delta);
    gated_cell_backward<C>(network.cell, lines_of(network, states, step, cell), delta, delta - block, deltas);
    const int begin = cell * network.gates;
    for (int last = begin + network.gates - 1; last >= begin;) {
      int row = last;
      while (row > begin && rows.group[row - 1] == rows.group[row] + 1) --row;
      const int first = rows.start[row], stride = rows.start[row + 1] - first;
      pushing_rows_back<C>(last - row + 1, deltas + (row - begin) * kTile, parameters + first, stride,
                           stride - rows.degree[row] + rows.n_inputs[row], rows.source + first, values, value_deltas,
                           into);
      last = row - 1;
    }
  }
  into.finish();
}

// Nothing flows back from steps that a sequence does not have.
inline void blank_columns(Real* block, int n_lines, int begin, int end) {
  for (int line = 0; line < n_lines && begin < end; ++line)
    std::memset(block + int64_t(line) * kTile + begin, 0, sizeof(Real) * size_t(end - begin));
}

// What flows back to the state before the first step, once the first step is done.
template <int C>
void initial_gradients(const Recurrent& network, const Real* parameters, const States& states, Real* gradients,
                       bool accumulate) {
  const auto add = [&](int place, const Real* delta) {
    Real sum = accumulate ? gradients[place] : Real(0);
    for (int column = 0; column < C; ++column) sum += delta[column];
    gradients[place] = sum;
  };
  const int64_t first = int64_t(network.n_inputs) * kTile;
  if (network.gates > 1) {
    const Real* const deltas = states.value_deltas + block_of(network) + first;
    for (int cell = 0; cell < network.n_cells; ++cell) add(cell, deltas + int64_t(cell) * kTile);
    for (int cell = 0; network.cell == Cell::lstm && cell < network.n_cells; ++cell)
      add(network.n_cells + cell, states.memory_deltas + int64_t(cell) * kTile);
    return;
  }
  // Edges within the step lead to nothing before the first one.
  std::memset(states.values + first, 0, sizeof(Real) * size_t(network.n_cells) * kTile);
  alignas(64) Real delta[kTile];
  for (int cell = 0; cell < network.n_cells; ++cell) {
    pull<C>(network.rows, cell, parameters, states.values, [&](int column, Vector sum) { store(delta + column, sum); });
    add(cell, delta);
  }
}

inline void recurrent_gradients(const Recurrent& network, const Real* parameters, const States& states,
                                const Sequences& tile, Real* gradients, bool accumulate) {
  const int64_t block = block_of(network);
  const size_t bytes = sizeof(Real) * size_t(block);
  const bool simple = network.gates == 1;
  if (!simple) std::memset(states.value_deltas, 0, 2 * bytes);
  if (network.cell == Cell::lstm) std::memset(states.memory_deltas, 0, sizeof(Real) * size_t(network.n_cells) * kTile);
  int after = 0;
  for (int step = tile.n_steps - 1; step >= 0; --step) {
    const int columns = columns_for(tile.running[step]);
    if (simple) blank_columns(states.values + (step + 2) * block, network.n_inputs + network.n_cells, after, columns);
    with_columns(columns, [&](auto width) {
      (simple ? simple_step_back<width.value> : gated_step_back<width.value>)(network, parameters, states, tile, step,
                                                                              gradients,
                                                                              accumulate || step < tile.n_steps - 1);
    });
    if (!simple) {
      // The step before becomes the step itself.
      std::memcpy(states.value_deltas + block, states.value_deltas, bytes);
      std::memset(states.value_deltas, 0, bytes);
    }
    after = columns;
  }
  if (network.initial < 0) return;
  with_columns(after, [&](auto width) {
    initial_gradients<width.value>(network, parameters, states, gradients + network.initial, accumulate);
  });
}

inline void head(const wirenas::Rows& rows, const Real* parameters, const Real* read, Real* outputs) {
  for (int row = 0; row < rows.n_rows; row += rows.group[row]) {
    const int stride = rows.start[row + 1] - rows.start[row], first = rows.start[row + 1] - rows.degree[row];
    group_sums<kTile>(rows.group[row], parameters + first, stride, rows.degree[row], rows.source + first, read,
                      [&](int r, int column, Vector sum) { store(outputs + int64_t(row + r) * kTile + column, sum); });
  }
}

inline void head_gradients(const wirenas::Rows& rows, int n_cells, const Real* parameters, const Real* read,
                           const Real* deltas, Real* read_deltas, Real* gradients, bool accumulate) {
  std::memset(read_deltas, 0, sizeof(Real) * size_t(n_cells) * kTile);
  DescendingSums into(gradients + rows.start[rows.n_rows], accumulate);
  for (int last = rows.n_rows - 1; last >= 0;) {
    int row = last;
    while (row > 0 && rows.group[row - 1] == rows.group[row] + 1) --row;
    const int first = rows.start[row], stride = rows.start[row + 1] - first;
    pushing_rows_back<kTile>(last - row + 1, deltas + int64_t(row) * kTile, parameters + first, stride,
                             stride - rows.degree[row], rows.source + first, read, read_deltas, into);
    last = row - 1;
  }
  into.finish();
}

}  // namespace
