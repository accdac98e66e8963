// Sums of weighted lines: what rows read (forward), and what neurons get back from those that they feed (backward).
#pragma once

#include "layout.h"
#include "vectors.h"

namespace {

using wirenas::kTile;

// Columns of a line that R rows can keep in registers at once.
template <int R, int C>
constexpr int strip_width() {
  int width = C;
  while (width > kLanes && R * (width / kLanes) > kAccumulators) width /= 2;
  return width;
}

// out[r] = bias[r] + sum over e of weights[r * degree + e] * values[source[e]], over C columns of R rows that share
// their sources; `done(r, column, sums)` receives every finished vector.
template <int R, int C, typename Done>
inline __attribute__((always_inline)) void weighted_sums(const Real* bias, const Real* weights, int degree, const int32_t* source, const Real* values,
                          Done done) {
  constexpr int width = strip_width<R, C>(), count = width / kLanes;
  // Few accumulators leave the multipliers waiting for one another: neighbouring edges then get some of their own.
  constexpr int copies = R * count >= 8 ? 1 : R * count >= 4 ? 2 : 4;
  for (int column = 0; column < C; column += width) {
    Vector sums[copies][R][count];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
      for (int v = 0; v < count; ++v) {
        sums[0][r][v] = all(bias[r]);
#pragma GCC unroll 16
        for (int copy = 1; copy < copies; ++copy) sums[copy][r][v] = Vector{};
      }
    int e = 0;
    for (; e + copies <= degree; e += copies)
#pragma GCC unroll 16
      for (int copy = 0; copy < copies; ++copy) {
        const Real* const line = values + source[e + copy] + column;
        Vector read[count];
#pragma GCC unroll 16
        for (int v = 0; v < count; ++v) read[v] = load(line + v * kLanes);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) {
          const Vector weight = all(weights[r * degree + e + copy]);
#pragma GCC unroll 16
          for (int v = 0; v < count; ++v) sums[copy][r][v] += weight * read[v];
        }
      }
    for (; e < degree; ++e) {
      const Real* const line = values + source[e] + column;
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const Vector weight = all(weights[r * degree + e]);
#pragma GCC unroll 16
        for (int v = 0; v < count; ++v) sums[0][r][v] += weight * load(line + v * kLanes);
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
      for (int v = 0; v < count; ++v) {
#pragma GCC unroll 16
        for (int copy = 1; copy < copies; ++copy) sums[0][r][v] += sums[copy][r][v];
        done(r, column + v * kLanes, sums[0][r][v]);
      }
  }
}

// As above for one neuron's outgoing edges, whose weights lie scattered: what comes back to it. `begin(column)` gives
// the vector to start from.
template <int C, typename Begin, typename Done>
inline __attribute__((always_inline)) void returning_sums(const Real* weights, int degree, const int32_t* target, const int32_t* edge,
                           const Real* deltas, Begin begin, Done done) {
  constexpr int width = strip_width<1, C>(), count = width / kLanes, copies = count >= 8 ? 1 : count >= 4 ? 2 : 4;
  for (int column = 0; column < C; column += width) {
    Vector sums[copies][count];
#pragma GCC unroll 16
    for (int v = 0; v < count; ++v) {
      sums[0][v] = begin(column + v * kLanes);
#pragma GCC unroll 16
      for (int copy = 1; copy < copies; ++copy) sums[copy][v] = Vector{};
    }
    int e = 0;
    for (; e + copies <= degree; e += copies)
#pragma GCC unroll 16
      for (int copy = 0; copy < copies; ++copy) {
        const Vector weight = all(weights[edge[e + copy]]);
        const Real* const line = deltas + target[e + copy] + column;
#pragma GCC unroll 16
        for (int v = 0; v < count; ++v) sums[copy][v] += weight * load(line + v * kLanes);
      }
    for (; e < degree; ++e) {
      const Vector weight = all(weights[edge[e]]);
      const Real* const line = deltas + target[e] + column;
#pragma GCC unroll 16
      for (int v = 0; v < count; ++v) sums[0][v] += weight * load(line + v * kLanes);
    }
#pragma GCC unroll 16
    for (int v = 0; v < count; ++v) {
#pragma GCC unroll 16
      for (int copy = 1; copy < copies; ++copy) sums[0][v] += sums[copy][v];
      done(column + v * kLanes, sums[0][v]);
    }
  }
}

// The same for however many rows share their sources, in register blocks of four, two and one.
template <int C, typename Done>
inline __attribute__((always_inline)) void group_sums(int n_rows, const Real* bias, const Real* weights, int degree, const int32_t* source,
                       const Real* values, Done done) {
  int r = 0;
  for (; r + 4 <= n_rows; r += 4)
    weighted_sums<4, C>(bias + r, weights + r * degree, degree, source, values,
                        [&](int i, int column, Vector sum) { done(r + i, column, sum); });
  for (; r + 2 <= n_rows; r += 2)
    weighted_sums<2, C>(bias + r, weights + r * degree, degree, source, values,
                        [&](int i, int column, Vector sum) { done(r + i, column, sum); });
  for (; r < n_rows; ++r)
    weighted_sums<1, C>(bias + r, weights + r * degree, degree, source, values,
                        [&](int, int column, Vector sum) { done(r, column, sum); });
}

}  // namespace
