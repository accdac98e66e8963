// Sums of weighted lines: what rows read.
#pragma once

#include "layout.h"
#include "vectors.h"

namespace {

using wirenas::kAhead;
using wirenas::kTile;

// Columns of a line that R rows can keep in registers at once.
template <int R, int C>
constexpr int strip_width() {
  int width = C;
  while (width > kLanes && R * (width / kLanes) > kAccumulators) width /= 2;
  return width;
}

// bias + sum over e of weight[e] * values[source[e]], over C columns of R rows that share their sources. `parameters`
// and `source` begin at the first edge, right behind the bias; `done(r, column, sum)` receives every finished vector.
// Lines that are `far` are asked for ahead.
template <int R, int C, bool far, typename Done>
inline void weighted_sums(const Real* parameters, int stride, int degree, const int32_t* source, const Real* values,
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
        sums[0][r][v] = all(parameters[r * stride - 1]);
#pragma GCC unroll 16
        for (int copy = 1; copy < copies; ++copy) sums[copy][r][v] = Vector{};
      }
    int e = 0;
    for (; e + copies <= degree; e += copies)
#pragma GCC unroll 16
      for (int copy = 0; copy < copies; ++copy) {
        const Real* const line = values + source[e + copy] + column;
        if constexpr (far) ask_for<width>(values + source[e + copy + kAhead] + column);
        Vector read[count];
#pragma GCC unroll 16
        for (int v = 0; v < count; ++v) read[v] = load(line + v * kLanes);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) {
          const Vector weight = all(parameters[r * stride + e + copy]);
#pragma GCC unroll 16
          for (int v = 0; v < count; ++v) sums[copy][r][v] += weight * read[v];
        }
      }
    for (; e < degree; ++e) {
      const Real* const line = values + source[e] + column;
      if constexpr (far) ask_for<width>(values + source[e + kAhead] + column);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const Vector weight = all(parameters[r * stride + e]);
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

// The same for however many rows share their sources, in register blocks of up to four. Rows lie `stride` apart.
template <int C, bool far = false, typename Done>
inline void group_sums(int n_rows, const Real* parameters, int stride, int degree, const int32_t* source,
                       const Real* values, Done done) {
  int r = 0;
  const auto block = [&](auto rows) {
    weighted_sums<rows.value, C, far>(parameters + r * stride, stride, degree, source, values,
                                      [&](int i, int column, Vector sum) { done(r + i, column, sum); });
    r += rows.value;
  };
  while (n_rows - r >= 4) block(std::integral_constant<int, 4>{});
  if (n_rows - r == 3) block(std::integral_constant<int, 3>{});
  if (n_rows - r == 2) block(std::integral_constant<int, 2>{});
  if (n_rows - r == 1) block(std::integral_constant<int, 1>{});
}

}  // namespace
