// The layout of the engine, on one page.
//
// A network is most often small (tens to hundreds of neurons) and sparse, and thousands of them are trained one after
// the other. So one call trains one network for many batches, and nothing in it depends on anything outside it.
//
//   values, one tile of up to 64 examples               parameters, one flat vector
//
//              example 0  1  2  …  63                   | row 0         | row 1   | row 2             |
//   input 0    [ .  .  .  …  . ]  256 bytes             | - - - b w w w w | - b w w | - b w w w w w w   | …
//   input 1    [ .  .  .  …  . ]                          padding to a multiple of four, the row's bias, and the
//   neuron 2   [ .  .  .  …  . ]  <- row 0:               weights of its edges
//   neuron 3   [ .  .  .  …  . ]     b + sum of w * a line above
//   …
//   ones       [ 1  1  1  …  1 ]  what a bias is the weight of
//   zeros      [ 0  0  0  …  0 ]  what padding is the weight of
//
// 1. A neuron's values over a tile of examples are one line of memory. An edge is then "scalar times line": a handful
//    of fused multiply-adds on registers, however irregular the graph. Neurons are numbered so that edges point
//    forward.
// 2. Forward (weighted_sums.h): for every row, in order, add up weight * source line and apply the activation. A row
//    is a neuron, or one gate of a cell. Rows that read the same sources are summed together: a line is loaded once.
// 3. Backward (row_gradients.h). A neuron's delta is the sum of weight * delta over the edges that leave it: it pulls
//    them by a list of its outgoing edges. A weight's gradient is the dot product of its row's delta line with its
//    source's value line; four dot products are summed across lanes together, hence the padding, and they are taken
//    parameter by parameter, whatever the rows: loops over short rows cost more in mispredicted branches than in
//    arithmetic. Rows of gated cells and of a head, which share their sources, do both in one walk and push instead: a
//    source's value and delta lines are then loaded once for up to four rows.
// 4. Larger batches go tile by tile; gradients add up in a fixed order. A short tile repeats its last example, which
//    gets no gradient. Results do not depend on threads, on other networks, or on where a run is cut into calls.
// 5. A recurrent network has one block of lines per time step. An edge from the previous step is an edge whose source
//    lies one block earlier: positions are relative to the block, so that the same two walks serve both kinds.
//    Sequences are sorted by length within a batch, and a step works only on the columns that are still running.
//    Cells of one row leave their deltas where their values were, which nothing reads any more by then. What the head
//    reads, the states at the ends of sequences or at all steps that have a target, is gathered into tiles of its own,
//    the latest step first; head and losses are the same work for either. A learned state before the first step fills
//    the block before it, and its gradient is what flows back to there; it comes behind all other parameters.
// 6. Parameters, gradients and moments are flat vectors of the same order; the optimizer is one pass over them. Padding
//    has no gradient and stays zero.
// 7. Rows that read every input (a complete read-in) get their gradients as a dense product, straight from the data
//    (dense_gradients.h). Where most inputs are zero, such rows keep nothing but their bias: their weights lie behind
//    all rows, input by input, and only nonzero inputs are multiplied, forward and back (sparse_inputs.h).
//
// 8. A feed-forward network of a million neurons has lines that lie far away. They are asked for some edges ahead, and
//    lie on large pages. Its rows fall into stretches none of which reads itself (layers, say); those of a stretch, and
//    parameters, are shared out over threads (team.h). Every number is computed as by one thread.
//
// 9. Where hidden neurons are normalised (normalised.h, normalise.h), the tiles of a batch lie side by side and go
//    forward level by level, a level being rows none of which reads another: sums of all tiles, then their mean and
//    spread, then values. They come back in the same way. The network is folded likewise, as one batch of thousands of
//    examples.
//
// Everything is compiled once an instruction set (kernels.cpp), with vectors of 16, 32 or 64 bytes, and chosen by what
// the processor can do (module.cpp).
#pragma once

#include <cstdint>

namespace wirenas {

// Examples in a line.
constexpr int kTile = 64;
// Lines behind those of the neurons: ones and zeros.
constexpr int kConstantLines = 2;
// What a row's parameters are padded to.
constexpr int kPadding = 4;
// Numbers in the widest vector: what rows of data and complete read-ins are padded to.
constexpr int kWidest = 16;
// Where lines lie far away, they are asked for so many edges ahead; lists of edges are so much longer than they need
// be.
constexpr int kAhead = 8;
// Lines that are near, whatever the processor: 1 MiB of floats.
constexpr int kNearLines = 4096;

constexpr int padded(int count, int multiple) { return (count + multiple - 1) / multiple * multiple; }

// Columns that so many examples take: the widths that kernels are compiled for.
constexpr int columns_for(int n_examples) {
  return n_examples > 32 ? 64 : n_examples > 16 ? 32 : n_examples > 0 ? 16 : 0;
}

enum class Activation : int { relu, tanh, sigmoid, gelu, identity };
enum class Cell : int { tanh, relu, gru, lstm };
enum class Loss : int { cross_entropy, squared_error };
enum class Optimizer : int { adam, adamw, sgd };

// Compressed rows. A line is given by its position, in numbers, relative to the first line of the values that the rows
// work on; delta lines lie in the same order.
struct Rows {
  int n_rows = 0;
  const int32_t* start = nullptr;     // (n_rows + 1) place of a row's first parameter
  const int32_t* degree = nullptr;    // (n_rows) its number of edges, whose weights come last, behind the bias
  const int32_t* source = nullptr;    // (start[n_rows]) position of the line that a parameter is the weight of
  const int32_t* owner = nullptr;     // (start[n_rows] / 4) position of the delta line that four places belong to
  const int32_t* n_inputs = nullptr;  // (n_rows) how many of a row's edges, the first ones, read input units
  const int32_t* group = nullptr;     // (n_rows) how many rows, from this one on, read the same sources
  // Outgoing edges, neuron by neuron, those of input units left out; only where neurons pull.
  const int32_t* out_start = nullptr;   // (n_neurons + 1) a neuron's first
  const int32_t* out_target = nullptr;  // position of the delta line that it feeds
  const int32_t* out_weight = nullptr;  // place of its weight among the parameters
};

}  // namespace wirenas
