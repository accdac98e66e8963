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

// Lines of one cell at one step. `gate` holds its rows: sums before `cell_forward`, activations after it, and deltas
// after `cell_backward`.
struct CellLines {
  Real* gate;
  Real* hidden;
  const Real* hidden_before;
  Real* memory;
  const Real* memory_before;
  Real* squashed;
  Real* carried;
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
        hidden = candidate + update * (load(lines.hidden_before + column) - candidate);
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
    store(lines.hidden + column, hidden);
  }
}

// `delta` is the gradient by the cell's hidden value, all of it but what `carried` holds.
template <int C>
inline void cell_backward(Cell cell, const CellLines& lines, const Real* delta) {
  const Real one = 1;
  for (int column = 0; column < C; column += kLanes) {
    Real* const gate = lines.gate + column;
    const auto row = [gate](int g) { return load(gate + g * kTile); };
    const Vector own = load(delta + column);
    switch (cell) {
      case Cell::tanh: {
        const Vector hidden = load(lines.hidden + column);
        store(gate, own * (one - hidden * hidden));
        break;
      }
      case Cell::relu: store(gate, load(lines.hidden + column) > 0 ? own : Vector{}); break;
      case Cell::gru: {
        const Vector reset = row(0), update = row(1), candidate = row(2), beside = row(3);
        const Vector total = own + load(lines.carried + column);
        const Vector inner = total * (one - update) * (one - candidate * candidate);
        store(gate, inner * beside * reset * (one - reset));
        store(gate + kTile, total * (load(lines.hidden_before + column) - candidate) * update * (one - update));
        store(gate + 2 * kTile, inner);
        store(gate + 3 * kTile, inner * reset);
        store(lines.carried + column, total * update);
        break;
      }
      default: {
        const Vector input = row(0), forget = row(1), candidate = row(2), output = row(3);
        const Vector squashed = load(lines.squashed + column);
        const Vector memory = load(lines.carried + column) + own * output * (one - squashed * squashed);
        store(gate, memory * candidate * input * (one - input));
        store(gate + kTile, memory * load(lines.memory_before + column) * forget * (one - forget));
        store(gate + 2 * kTile, memory * input * (one - candidate * candidate));
        store(gate + 3 * kTile, own * squashed * output * (one - output));
        store(lines.carried + column, memory * forget);
      }
    }
  }
}

}  // namespace
