// The layout of the engine, on one page.
//
// A network is small (tens to hundreds of neurons) and sparse, and thousands of them are trained one after the other.
// So one call trains one network for many batches, and nothing in it depends on anything outside it.
//
//   values, one tile of up to 64 examples               parameters, one flat vector
//
//              example 0  1  2  …  63                      row 0        row 1      row 2
//   input 0    [ .  .  .  …  . ]  256 bytes               [w w w w w | w w | w w w w w w … | bias of each row]
//   input 1    [ .  .  .  …  . ]                            |
//   neuron 2   [ .  .  .  …  . ]  <- sums over its row:     row: a neuron, or one gate of a cell
//   neuron 3   [ .  .  .  …  . ]     w * a line above
//   …
//
// 1. A neuron's values over a tile of examples are one line of memory. An edge is then "scalar times line": a handful
//    of fused multiply-adds on registers, however irregular the graph. Neurons are numbered so that edges point forward.
// 2. Forward: for every row, in order, add up weight * source line and apply the activation. A row's edges lie together
//    (compressed rows); rows that read the same sources are summed together, so that a line is loaded once for them.
// 3. Backward: for every neuron, in reverse order, add up weight * delta line over the edges that leave it (the same
//    edges, compressed by columns, with the position of their weight), multiply by the slope of the activation, and
//    take at once the gradient of every weight of its row: the dot product of two lines. Rows come in descending order
//    and so do gradients, which are summed across lanes a full vector at a time.
// 4. Larger batches go tile by tile; gradients add up in a fixed order. A short tile repeats its last example, which
//    gets no gradient. Results do not depend on threads, on other networks, or on where a run is cut into calls.
// 5. A recurrent network has one block of lines per time step. An edge from the previous step is an edge whose source
//    lies one block earlier: positions are relative to the block, so that the same two loops serve both kinds.
//    Sequences are sorted by length within a batch, and a step works only on the columns that are still running.
// 6. Parameters, gradients and moments are flat vectors of the same order; the optimizer is one pass over them.
//
// Everything is compiled once an instruction set (kernels.cpp), with vectors of 16, 32 or 64 bytes, and chosen by what
// the processor can do (module.cpp).
#pragma once

#include <cstdint>

namespace wirenas {

// Examples in a line.
constexpr int kTile = 64;

enum class Activation : int { relu, tanh, sigmoid, gelu, identity };
enum class Cell : int { tanh, relu, gru, lstm };
enum class Loss : int { cross_entropy, squared_error };
enum class Optimizer : int { adam, adamw, sgd };

// Compressed rows, and the same edges by columns. Lines are given by their position, in numbers, relative to the first
// line of the values (or of the deltas) that the rows work on.
struct Rows {
  int n_rows = 0;
  int n_columns = 0;
  const int32_t* start = nullptr;       // (n_rows + 1) first edge of a row
  const int32_t* source = nullptr;      // (n_edges) position of the line that an edge reads
  const int32_t* group = nullptr;       // (n_rows) how many rows, from this one on, read the same sources
  const int32_t* out_start = nullptr;   // (n_columns + 1) first edge that leaves a neuron
  const int32_t* out_target = nullptr;  // (n_edges) position of the delta line that an edge feeds
  const int32_t* out_edge = nullptr;    // (n_edges) where the edge's weight lies
};

}  // namespace wirenas
