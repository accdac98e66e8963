// Recurrent cells, forward and backward, as torch defines them: what happens after the sums over edges.
//
// Rows of a cell: tanh and relu have one; the LSTM input, forget, candidate and output; the GRU reset, update, what its
// candidate remembers and, as a row of its own, what the candidate reads within the step.
#pragma once

#include "layout.h"
#include "vectors.h"

namespace {

using wirenas::Cell;
using wirenas::kTile;

// Lines of one cell at one step. `gate` holds its rows: sums before `cell_forward`, activations after it; a cell of one
// row has its sum where its value will be.
struct CellLines {
  Real* gate;
  Real* value;
  const Real* value_before;
  Real* memory;
  const Real* memory_before;
  Real* squashed;
  Real* memory_delta;
};

// Line by line and not column by column: elementary functions are long chains of dependent operations, and neighbouring
// vectors keep the processor busy meanwhile.
template <int C, Vector (*function)(Vector)>
inline void map_lines(Real* lines, int count) {
  for (int line = 0; line < count; ++line)
#pragma GCC unroll 4
    for (int column = 0; column < C; column += kLanes) {
      Real* const place = lines + line * kTile + column;
      store(place, function(load(place)));
    }
}

template <int C>
inline void cell_forward(Cell cell, const CellLines& lines) {
  Real* const gate = lines.gate;
  switch (cell) {
    case Cell::tanh:
      map_lines<C, tanh_of>(gate, 1);
      break;
    case Cell::relu:
      map_lines<C, rectified>(gate, 1);
      break;
    case Cell::gru: {
      map_lines<C, sigmoid_of>(gate, 2);
      for (int column = 0; column < C; column += kLanes) {
        Real* const candidate = gate + 3 * kTile + column;
        store(candidate, load(candidate) + load(gate + column) * load(gate + 2 * kTile + column));
      }
      map_lines<C, tanh_of>(gate + 3 * kTile, 1);
      for (int column = 0; column < C; column += kLanes) {
        const Vector candidate = load(gate + 3 * kTile + column);
        const Vector change = load(lines.value_before + column) - candidate;
        store(lines.value + column, candidate + load(gate + kTile + column) * change);
      }
      break;
    }
    case Cell::lstm:
      map_lines<C, sigmoid_of>(gate, 2);
      map_lines<C, tanh_of>(gate + 2 * kTile, 1);
      map_lines<C, sigmoid_of>(gate + 3 * kTile, 1);
      for (int column = 0; column < C; column += kLanes) {
        const Vector kept = load(gate + kTile + column) * load(lines.memory_before + column);
        const Vector memory = kept + load(gate + column) * load(gate + 2 * kTile + column);
        store(lines.memory + column, memory);
        store(lines.squashed + column, memory);
      }
      map_lines<C, tanh_of>(lines.squashed, 1);
      for (int column = 0; column < C; column += kLanes)
        store(lines.value + column, load(gate + 3 * kTile + column) * load(lines.squashed + column));
  }
}

// From the gradient by a cell's value to that by the sum of its only row.
template <int C>
inline void simple_cell_backward(Cell cell, const Real* value, const Real* delta, Real* sum_delta) {
  for (int column = 0; column < C; column += kLanes) {
    const Vector own = load(delta + column), kept = load(value + column);
    store(sum_delta + column, cell == Cell::relu ? (kept > 0 ? own : Vector{}) : own * (Real(1) - kept * kept));
  }
}

// The same for cells of several rows, into `deltas`; what the state before gets back directly is added to
// `delta_before` (GRU) or kept with the memory (LSTM).
template <int C>
inline void gated_cell_backward(Cell cell, const CellLines& lines, const Real* delta, Real* delta_before,
                                Real* deltas) {
  const Real one = 1;
  for (int column = 0; column < C; column += kLanes) {
    Real* const gate = lines.gate + column;
    const auto row = [gate](int g) { return load(gate + g * kTile); };
    const auto send = [deltas, column](int g, Vector sum_delta) { store(deltas + g * kTile + column, sum_delta); };
    const Vector own = load(delta + column);
    switch (cell) {
      case Cell::gru: {
        const Vector reset = row(0), update = row(1), remembered = row(2), candidate = row(3);
        const Vector inner = own * (one - update) * (one - candidate * candidate);
        send(0, inner * remembered * reset * (one - reset));
        send(1, own * (load(lines.value_before + column) - candidate) * update * (one - update));
        send(2, inner * reset);
        send(3, inner);
        store(delta_before + column, load(delta_before + column) + own * update);
        break;
      }
      case Cell::lstm: {
        const Vector input = row(0), forget = row(1), candidate = row(2), output = row(3);
        const Vector squashed = load(lines.squashed + column);
        const Vector memory = load(lines.memory_delta + column) + own * output * (one - squashed * squashed);
        send(0, memory * candidate * input * (one - input));
        send(1, memory * load(lines.memory_before + column) * forget * (one - forget));
        send(2, memory * input * (one - candidate * candidate));
        send(3, own * squashed * output * (one - output));
        store(lines.memory_delta + column, memory * forget);
        break;
      }
      case Cell::tanh:
      case Cell::relu:
        break;  // of one row
    }
  }
}

}  // namespace
