// Gradients of rows that read every input: a dense product, from the examples as they lie in the data.
#pragma once

#include "layout.h"
#include "vectors.h"

namespace {

using wirenas::kTile;

// gradient[r * stride + d] (+)= sum over b of deltas[r * kTile + b] * examples[b][d], for R rows and `count` vectors
// from column d on, of which the first `valid` numbers are stored.
template <int R, int count>
inline void dense_block(Real* gradient, int stride, const Real* deltas, const Real* const* examples, int n_examples,
                        int d, int valid, bool accumulate) {
  Vector sums[R][count] = {};
  for (int b = 0; b < n_examples; ++b) {
    Vector read[count];
#pragma GCC unroll 16
    for (int v = 0; v < count; ++v) read[v] = load(examples[b] + d + v * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const Vector delta = all(deltas[r * kTile + b]);
#pragma GCC unroll 16
      for (int v = 0; v < count; ++v) sums[r][v] += delta * read[v];
    }
  }
  for (int r = 0; r < R; ++r) {
    Real* const row = gradient + int64_t(r) * stride + d;
    if (valid == count * kLanes) {
#pragma GCC unroll 16
      for (int v = 0; v < count; ++v)
        store(row + v * kLanes, accumulate ? load(row + v * kLanes) + sums[r][v] : sums[r][v]);
    } else {
      for (int i = 0; i < valid; ++i) row[i] = (accumulate ? row[i] : Real(0)) + sums[r][i / kLanes][i % kLanes];
    }
  }
}

// The same for all rows and columns, and the biases, each in front of its row's weights. Rows of the data are padded to
// whole vectors.
inline void dense_gradients(Real* gradient, int stride, int n_rows, int n_inputs, const Real* deltas,
                            const Real* const* examples, int n_examples, bool accumulate) {
  constexpr int rows = 4, count = kAccumulators / rows;
  for (int d = 0; d < n_inputs; d += count * kLanes) {
    const int valid = n_inputs - d < count * kLanes ? n_inputs - d : count * kLanes;
    for (int r = 0; r < n_rows;) {
      Real* const part = gradient + int64_t(r) * stride;
      const Real* const delta = deltas + r * kTile;
      if (valid == count * kLanes && n_rows - r >= rows) {
        dense_block<rows, count>(part, stride, delta, examples, n_examples, d, valid, accumulate);
        r += rows;
      } else {
        for (int v = 0; v * kLanes < valid; ++v) {
          const int left = valid - v * kLanes;
          dense_block<1, 1>(part, stride, delta, examples, n_examples, d + v * kLanes, left < kLanes ? left : kLanes,
                            accumulate);
        }
        ++r;
      }
    }
  }
  for (int r = 0; r < n_rows; ++r) {
    Real& bias = gradient[int64_t(r) * stride - 1];
    Real sum = accumulate ? bias : Real(0);
    for (int b = 0; b < n_examples; ++b) sum += deltas[r * kTile + b];
    bias = sum;
  }
}

}  // namespace
