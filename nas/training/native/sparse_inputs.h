// Complete read-ins from inputs that are mostly zero, such as pixels: only nonzero inputs are multiplied.
//
// Here the weights lie input by input, (n_inputs, width), with the rows that read them side by side and padded to whole
// vectors: every nonzero input adds its multiple of one such line to the example's sums.
#pragma once

#include "kernels.h"
#include "vectors.h"

namespace {

using wirenas::kTile;
using wirenas::SparseTile;

// Vectors of a line that are accumulated in registers at once.
constexpr int kStrip = kAccumulators / 2;

// sum over the terms [begin, end) of value * lines[index * width], `count` vectors of it.
template <int count>
inline void combine(const Real* values, const int32_t* indices, int begin, int end, const Real* lines, int width,
                    Real* to, bool accumulate) {
  Vector sums[count];
#pragma GCC unroll 16
  for (int v = 0; v < count; ++v) sums[v] = accumulate ? load(to + v * kLanes) : Vector{};
  for (int i = begin; i < end; ++i) {
    const Vector value = all(values[i]);
    const Real* const line = lines + int64_t(indices[i]) * width;
#pragma GCC unroll 16
    for (int v = 0; v < count; ++v) sums[v] += value * load(line + v * kLanes);
  }
#pragma GCC unroll 16
  for (int v = 0; v < count; ++v) store(to + v * kLanes, sums[v]);
}

// The same for lines of any width: strips of eight vectors, then one strip of what is left.
template <int count = kStrip>
inline void combine_line(const Real* values, const int32_t* indices, int begin, int end, const Real* lines, int width,
                         int column, Real* to, bool accumulate) {
  for (; column + count * kLanes <= width; column += count * kLanes)
    combine<count>(values, indices, begin, end, lines + column, width, to + column, accumulate);
  if constexpr (count > 1)
    if (column < width) combine_line<count - 1>(values, indices, begin, end, lines, width, column, to, accumulate);
}

inline void transpose(const Real* from, int from_stride, int n_rows, int n_columns, Real* to, int to_stride) {
  constexpr int block = 16;
  for (int row = 0; row < n_rows; row += block)
    for (int column = 0; column < n_columns; ++column)
      for (int i = row; i < row + block && i < n_rows; ++i)
        to[int64_t(column) * to_stride + i] = from[int64_t(i) * from_stride + column];
}

// Fill `n_rows` lines with the sums of a tile's examples; the columns behind them repeat the last.
inline void project(const SparseTile<Real>& tile, const Real* weights, int width, int n_rows, Real* lines) {
  for (int b = 0; b < tile.n_examples; ++b)
    combine_line(tile.values, tile.inputs, tile.start[b], tile.start[b + 1], weights, width, 0, tile.sums + b * width,
                 false);
  transpose(tile.sums, width, tile.n_examples, n_rows, lines, kTile);
  for (int row = 0; row < n_rows; ++row) {
    Real* const line = lines + row * kTile;
    for (int column = tile.n_examples; column < kTile; ++column) line[column] = line[tile.n_examples - 1];
  }
}

// The gradients of those weights from the rows' delta lines.
inline void project_gradients(const SparseTile<Real>& tile, int n_inputs, int width, int n_rows, const Real* deltas,
                              Real* gradients, bool accumulate) {
  transpose(deltas, kTile, n_rows, tile.n_examples, tile.sums, width);
  // The same terms, input by input.
  int32_t* const first = tile.input_start;
  std::memset(first, 0, sizeof(int32_t) * (size_t(n_inputs) + 2));
  const int n_terms = tile.start[tile.n_examples];
  for (int i = 0; i < n_terms; ++i) ++first[tile.inputs[i] + 2];
  for (int d = 0; d < n_inputs; ++d) first[d + 2] += first[d + 1];
  for (int b = 0; b < tile.n_examples; ++b)
    for (int i = tile.start[b]; i < tile.start[b + 1]; ++i) {
      const int32_t place = first[tile.inputs[i] + 1]++;
      tile.by_input[place] = tile.values[i];
      tile.examples[place] = b;
    }
  for (int d = 0; d < n_inputs; ++d)
    combine_line(tile.by_input, tile.examples, first[d], first[d + 1], tile.sums, width, 0,
                 gradients + int64_t(d) * width, accumulate);
}

}  // namespace
