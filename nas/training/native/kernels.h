// What is compiled once an instruction set, as tables of functions, and the views of networks that they work on.
#pragma once

#include <cstdint>

#include "layout.h"

namespace wirenas {

// Input units, then hidden neurons, then output units, then the constants; row i belongs to neuron n_inputs + i.
struct Feedforward {
  Rows rows;
  int n_inputs = 0;
  int n_outputs = 0;
  int dense_first = 0;  // rows from here on ...
  int dense_count = 0;  // ... so many read every input and nothing else
  // Whether these are weighted sums of nonzero inputs alone; their weights then lie apart (sparse_inputs.h), from place
  // `projection` on, and are no edges of the rows.
  bool projects = false;
  int projection = 0;
  int width = 0;  // dense_count, padded to whole vectors
  Activation activation = Activation::relu;
  bool far = false;  // whether lines lie too far apart for a cache
};

// Cells, `gates` rows each; a step's lines are its inputs, then its cells.
struct Recurrent {
  Rows rows;
  Rows head;  // outputs; reads cells' lines at the end of each sequence, or at several of its steps
  int n_inputs = 0;
  int n_cells = 0;
  int n_layers = 0;
  const int32_t* layer_start = nullptr;  // (n_layers + 1) first cell of a layer
  // Where the state before the first step lies among the parameters, one number a cell and, for the LSTM, one more for
  // each cell's memory; -1 where it is zero.
  int64_t initial = -1;
  int gates = 1;
  Cell cell = Cell::tanh;
};

// The nonzero inputs of a tile's examples, and memory to sort them.
template <typename Real>
struct SparseTile {
  int n_examples;
  const int32_t* start;  // (n_examples + 1)
  const Real* values;
  const int32_t* inputs;  // ascending for each example
  Real* sums;             // (n_examples, width)
  int32_t* input_start;   // (n_inputs + 2)
  Real* by_input;         // as many as values
  int32_t* examples;      // as many as values
};

// A tile of sequences, the longest first, and where the head reads them: once or several times each, the latest step
// first.
struct Sequences {
  int n_steps = 0;
  const int32_t* running = nullptr;      // (n_steps + 1) how many sequences reach a step; the last is 0
  const int32_t* first_read = nullptr;   // (n_steps + 1) what is read at a step begins where that of the next ends
  const int32_t* read_column = nullptr;  // (n_reads) which sequence is read
  const int64_t* read_place = nullptr;   // (n_reads) where the first cell's value goes among what the head reads
};

// Memory of a recurrent network for one tile. Blocks of values and of their deltas hold the lines of input units, cells
// and constants.
template <typename Real>
struct States {
  Real* values;         // (n_steps + 2) blocks, from the zeros before the first step to the deltas after the last
  Real* value_deltas;   // two blocks: of the step before, then of the step itself; for gated cells
  Real* gates;          // (n_steps, n_rows, kTile) activations of the gates; none for cells of one row
  Real* memory;         // (n_steps + 1, n_cells, kTile) cell states of the LSTM
  Real* squashed;       // (n_steps, n_cells, kTile) their hyperbolic tangents
  Real* memory_deltas;  // (n_cells, kTile) what flows back along cell states
  Real* read;           // (n_tiles, n_cells and constants, kTile) what the head reads
  Real* read_deltas;    // the same, without constants
};

struct Update {
  Optimizer optimizer = Optimizer::adam;
  double rate = 0;
  double weight_decay = 0;
  double momentum = 0;
  bool nesterov = false;
  int64_t step = 1;  // counted from 1
};

// What is added to variances.
constexpr double kEpsilon = 1e-5;

// Memory of a batch whose hidden neurons are normalised, tile after tile.
template <typename Real>
struct NormalisedBatch {
  int n_examples = 0;
  Real* values = nullptr;   // of each tile as of one that goes forward alone, `block` numbers apart
  Real* deltas = nullptr;   // the same
  Real* normals = nullptr;  // (n_hidden, kTile) a tile, what is left of sums without mean and spread; may be left out
  int64_t block = 0, deltas_block = 0, normals_block = 0;
  bool makes_values = true;     // or only means and inverses
  const Real* gamma = nullptr;  // (n_hidden), like all that follow
  Real* means = nullptr;        // of sums, bias and all
  Real* inverses = nullptr;     // of their standard deviations
  Real* bias_gradients = nullptr;
  Real* gamma_gradients = nullptr;
};

// Parameters and gradients are flat, row by row; the head's rows, or weights that lie apart, come after.
template <typename Real>
struct Kernels {
  void (*gather)(Real* lines, const Real* const* examples, int n_examples, int n_inputs);
  // Of rows, neurons, places (multiples of kPadding) or rows that read every input, from `begin` to below `end`.
  void (*feedforward)(const Feedforward&, const Real* parameters, Real* values, Real* sums, int columns, int begin,
                      int end);
  // `deltas` lie like `values`, those of the output units are given; values and sums are of the forward pass.
  void (*feedforward_deltas)(const Feedforward&, const Real* parameters, const Real* values, const Real* sums,
                             Real* deltas, int columns, int begin, int end);
  void (*feedforward_gradients)(const Feedforward&, const Real* values, const Real* deltas, int columns,
                                Real* gradients, bool accumulate, int begin, int end);
  void (*complete_gradients)(const Feedforward&, const Real* deltas, const Real* const* examples, int n_examples,
                             Real* gradients, bool accumulate, int begin, int end);
  // From sums to values, and from gradients by values to those by sums, of hidden neurons from `begin` to below `end`.
  void (*normalise)(const Feedforward&, const NormalisedBatch<Real>&, const Real* parameters, int begin, int end);
  void (*normalise_back)(const Feedforward&, const NormalisedBatch<Real>&, const Real* parameters, int begin, int end);
  void (*project)(const SparseTile<Real>&, const Real* weights, int width, int n_rows, Real* lines);
  void (*project_gradients)(const SparseTile<Real>&, int n_inputs, int width, int n_rows, const Real* deltas,
                            Real* gradients, bool accumulate);
  void (*recurrent)(const Recurrent&, const Real* parameters, const States<Real>&, const Sequences&);
  void (*recurrent_gradients)(const Recurrent&, const Real* parameters, const States<Real>&, const Sequences&,
                              Real* gradients, bool accumulate);
  // Of one tile of what the head reads.
  void (*head)(const Rows&, const Real* parameters, const Real* read, Real* outputs);
  void (*head_gradients)(const Rows&, int n_cells, const Real* parameters, const Real* read, const Real* deltas,
                         Real* read_deltas, Real* gradients, bool accumulate);
  double (*cross_entropy)(const Real* logits, Real* deltas, int n_outputs, const int64_t* classes, int n_examples,
                          Real scale, const Real* weights);
  double (*squared_error)(const Real* outputs, Real* deltas, int n_outputs, const Real* const* targets, int n_examples,
                          Real scale, const Real* weights);
  double (*count_hits)(const Real* outputs, int n_outputs, const int64_t* classes, int n_examples, const Real* weights);
  void (*clip)(Real* gradients, int64_t count, double limit);
  void (*update)(Real* parameters, const Real* gradients, Real* first, Real* second, int64_t count, const Update&);
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
