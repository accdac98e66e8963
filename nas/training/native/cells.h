// Recurrent cells, forward and backward, as torch defines them: what happens after the sums over edges.
//
// Rows of a cell: tanh and relu have one; the LSTM input, forget, candidate and output; the GRU reset, update, the
// candidate's input side and, as a row of its own, its hidden side.
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

template <int C>
inline void cell_forward(Cell cell, const CellLines& lines) {
  for (int column = 0; column < C; column += kLanes) {
    Real* const gate = lines.gate + column;
    const auto row = [gate](int g) { return load(gate + g * kTile); };
    Vector hidden;
    switch (cell) {
      case Cell::tanh: hidden = tanh_of(row(0)); break;
      case Cell::relu: hidden = at_least(row(0), 0); break;
      case Cell::gru: {
        const Vector reset = sigmoid_of(row(0)), update = sigmoid_of(row(1));
        const Vector candidate = tanh_of(row(2) + reset * row(3));
        hidden = candidate + update * (load(lines.value_before + column) - candidate);
        store(gate, reset);
        store(gate + kTile, update);
        store(gate + 2 * kTile, candidate);
        break;
      }
      default: {
        const Vector input = sigmoid_of(row(0)), forget = sigmoid_of(row(1)), candidate = tanh_of(row(2)),
                     output = sigmoid_of(row(3));
        const Vector memory = forget * load(lines.memory_before + column) + input * candidate;
        const Vector squashed = tanh_of(memory);
        hidden = output * squashed;
        store(gate, input);
        store(gate + kTile, forget);
        store(gate + 2 * kTile, candidate);
        store(gate + 3 * kTile, output);
        store(lines.memory + column, memory);
        store(lines.squashed + column, squashed);
      }
    }
    store(lines.value + column, hidden);
  }
}

// From the gradient by the cell's value to those by the sums of its rows, in `deltas`; what its state before gets back
// directly is added to `delta_before` (GRU) or kept with the memory (LSTM).
template <int C>
inline void cell_backward(Cell cell, const CellLines& lines, const Real* delta, Real* delta_before, Real* deltas) {
  const Real one = 1;
  for (int column = 0; column < C; column += kLanes) {
    const Real* const gate = lines.gate + column;
    const auto row = [gate](int g) { return load(gate + g * kTile); };
    const auto send = [deltas, column](int g, Vector sum_delta) { store(deltas + g * kTile + column, sum_delta); };
    const Vector own = load(delta + column);
    switch (cell) {
      case Cell::tanh: {
        const Vector value = load(lines.value + column);
        send(0, own * (one - value * value));
        break;
      }
      case Cell::relu: send(0, load(lines.value + column) > 0 ? own : Vector{}); break;
      case Cell::gru: {
        const Vector reset = row(0), update = row(1), candidate = row(2), beside = row(3);
        const Vector inner = own * (one - update) * (one - candidate * candidate);
        send(0, inner * beside * reset * (one - reset));
        send(1, own * (load(lines.value_before + column) - candidate) * update * (one - update));
        send(2, inner);
        send(3, inner * reset);
        store(delta_before + column, load(delta_before + column) + own * update);
        break;
      }
      default: {
        const Vector input = row(0), forget = row(1), candidate = row(2), output = row(3);
        const Vector squashed = load(lines.squashed + column);
        const Vector memory = load(lines.memory_delta + column) + own * output * (one - squashed * squashed);
        send(0, memory * candidate * input * (one - input));
        send(1, memory * load(lines.memory_before + column) * forget * (one - forget));
        send(2, memory * input * (one - candidate * candidate));
        send(3, own * squashed * output * (one - output));
        store(lines.memory_delta + column, memory * forget);
      }
    }
  }
}

}  // namespace
