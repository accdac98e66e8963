// What is compiled once an instruction set, as tables of functions, and the views of networks that they work on.
#pragma once

#include <cstdint>

#include "layout.h"

namespace wirenas {

// Input units, then hidden neurons, then output units; row i belongs to neuron n_inputs + i.
struct Feedforward {
  Rows rows;
  int n_inputs = 0;
  int n_outputs = 0;
  int dense_first = 0;  // rows from here on ...
  int dense_count = 0;  // ... so many read every input and nothing else
  Activation activation = Activation::relu;
};

// Cells, `gates` rows each, with one bias a row; a step's lines are its inputs, then its cells.
struct Recurrent {
  Rows rows;
  Rows head;  // outputs; reads the cells' lines at the end of each sequence
  int n_inputs = 0;
  int n_cells = 0;
  int gates = 1;
  Cell cell = Cell::tanh;
};

// A tile of sequences, the longest first.
struct Sequences {
  int n_steps = 0;
  const int32_t* running = nullptr;  // (n_steps + 1) how many sequences reach a step; the last is 0
};

// Memory of a recurrent network for one tile.
template <typename Real>
struct States {
  Real* hidden;     // (n_steps + 1, n_inputs + n_cells, kTile) from the zeros before the first step on
  Real* gates;      // (n_steps + 1, n_rows, kTile) activations of the gates, then their deltas
  Real* memory;     // (n_steps + 1, n_cells, kTile) cell states of the LSTM
  Real* squashed;   // (n_steps, n_cells, kTile) their hyperbolic tangents
  Real* carried;    // (n_cells, kTile) what flows back along a cell's own state
  Real* ends;       // (n_cells, kTile) at the end of each sequence
  Real* end_deltas; // (n_cells, kTile)
};

struct Update {
  Optimizer optimizer = Optimizer::adam;
  double rate = 0;
  double weight_decay = 0;
  double momentum = 0;
  bool nesterov = false;
  int64_t step = 1;  // counted from 1
};

// Parameters and gradients are flat: weights by rows, then biases; of recurrent networks the head's come after.
template <typename Real>
struct Kernels {
  const char* instruction_set;
  int lanes;
  void (*gather)(Real* lines, const Real* const* examples, int n_examples, int n_inputs);
  void (*feedforward)(const Feedforward&, const Real* parameters, Real* values, Real* sums, int columns);
  // `deltas` begins with those of the output units filled in; values and sums are those of the forward pass.
  void (*feedforward_gradients)(const Feedforward&, const Real* parameters, const Real* values, const Real* sums,
                                Real* deltas, const Real* const* examples, int n_examples, int columns,
                                Real* gradients, bool accumulate);
  void (*recurrent)(const Recurrent&, const Real* parameters, const States<Real>&, const Sequences&);
  void (*recurrent_gradients)(const Recurrent&, const Real* parameters, const States<Real>&, const Sequences&,
                              Real* gradients, bool accumulate);
  void (*head)(const Rows&, const Real* parameters, const Real* ends, Real* outputs);
  void (*head_gradients)(const Rows&, const Real* parameters, const Real* ends, const Real* deltas, Real* end_deltas,
                         Real* gradients, bool accumulate);
  double (*cross_entropy)(const Real* logits, Real* deltas, int n_outputs, const int64_t* classes, int n_examples,
                          Real scale);
  double (*squared_error)(const Real* outputs, Real* deltas, int n_outputs, const Real* const* targets, int n_examples,
                          Real scale);
  int (*count_hits)(const Real* outputs, int n_outputs, const int64_t* classes, int n_examples);
  void (*clip)(Real* gradients, int64_t count, double limit);
  void (*update)(Real* parameters, Real* gradients, Real* first, Real* second, int64_t count, const Update&);
  // Elementary functions for tests, by name; false where the name is unknown.
  bool (*apply)(const char* name, Real* values, int64_t count);
  // Multiply-adds on registers only: what no network can beat. Returns how many numbers were multiplied and added.
  double (*peak)(int64_t rounds);
};

const Kernels<float>& kernels_baseline();
const Kernels<double>& kernels_double();
#ifdef WIRENAS_X86_64
const Kernels<float>& kernels_x86_64_v3();
const Kernels<float>& kernels_x86_64_v4();
#endif

}  // namespace wirenas
