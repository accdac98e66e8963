// The way back along the edges of rows: gradients of their weights and biases, and what flows back to their sources.
#pragma once

#include "layout.h"
#include "vectors.h"
#include "weighted_sums.h"

namespace {

using wirenas::kAhead;
using wirenas::kPadding;
using wirenas::kTile;

// How many parameters are summed across lanes together.
constexpr int kTogether = kLanes < kPadding ? kLanes : kPadding;
// Whether the deltas of several rows fit into the registers beside the lines that they are multiplied with.
constexpr bool kWalksTogether = WIRENAS_VECTOR_BYTES == 64;
// Longest rows that are walked together: what their sums take is kept on the stack.
constexpr int kMostTogether = 256;

// Receives sums in descending order of the places that they belong to, `kTogether` at a time and each still spread over
// the lanes, and writes a full vector of them at once.
class DescendingSums {
 public:
  DescendingSums(Real* past_the_end, bool accumulate) : next_(past_the_end), accumulate_(accumulate) {}

  inline __attribute__((always_inline)) void push(Vector partial) {
    waiting_[--first_] = partial;
    if (first_ == 0) write();
  }

  // Write what waits.
  void finish() {
    if (first_ < kWaiting) {
      for (int i = 0; i < first_; ++i) waiting_[i] = Vector{};
      const Vector sums = sum_each<kWaiting, kTogether>(waiting_);
      for (int lane = first_ * kTogether; lane < kLanes; ++lane) {
        Real& place = next_[lane - kLanes];
        place = (accumulate_ ? place : Real(0)) + sums[lane];
      }
      first_ = kWaiting;
    }
  }

 private:
  static constexpr int kWaiting = kLanes / kTogether;

  inline __attribute__((always_inline)) void write() {
    next_ -= kLanes;
    const Vector sums = sum_each<kWaiting, kTogether>(waiting_);
    store(next_, accumulate_ ? load(next_) + sums : sums);
    first_ = kWaiting;
  }

  Vector waiting_[kWaiting];
  int first_ = kWaiting;
  Real* next_;
  bool accumulate_;
};

// One edge of R rows that share their sources: the products of its value line with the rows' deltas and, unless it
// reads an input unit, what its source gets back.
template <int R, int C, bool returns>
inline __attribute__((always_inline)) void edge_back(const Vector (&delta)[R][C / kLanes], const Real* weight,
                                                     int stride, const Real* line, Real* line_delta,
                                                     Vector (&products)[R]) {
  Vector weights[R];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    if (returns) weights[r] = all(weight[r * stride]);
    products[r] = Vector{};
  }
#pragma GCC unroll 16
  for (int v = 0; v < C / kLanes; ++v) {
    const Vector value = load(line + v * kLanes);
    Vector back = returns ? load(line_delta + v * kLanes) : Vector{};
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      products[r] = v == 0 ? delta[r][v] * value : products[r] + delta[r][v] * value;
      if (returns) back += weights[r] * delta[r][v];
    }
    if (returns) store(line_delta + v * kLanes, back);
  }
}

// Walks R rows that share their sources from their last places to their first; the first `n_still` places push nothing.
// `deltas` are the rows' own, kTile apart; `emit(r, group, partial)` receives the sums of every group of kTogether
// places, descending for each row.
template <int R, int C, typename Emit>
inline __attribute__((always_inline)) void walk_back(const Real* deltas, const Real* parameters, int stride,
                                                     int n_still, const int32_t* source, const Real* values,
                                                     Real* value_deltas, Emit emit) {
  constexpr int count = C / kLanes;
  Vector delta[R][count];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < count; ++v) delta[r][v] = load(deltas + r * kTile + v * kLanes);

  for (int group = stride / kTogether - 1; group >= 0; --group) {
    Vector products[kTogether][R];
#pragma GCC unroll 16
    for (int i = 0; i < kTogether; ++i) {
      const int place = group * kTogether + i;
      const Real* const line = values + source[place];
      if (place >= n_still)
        edge_back<R, C, true>(delta, parameters + place, stride, line, value_deltas + source[place], products[i]);
      else
        edge_back<R, C, false>(delta, parameters + place, stride, line, nullptr, products[i]);
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      Vector own[kTogether];
#pragma GCC unroll 16
      for (int i = 0; i < kTogether; ++i) own[i] = products[i][r];
      emit(r, group, sum_each<kTogether>(own));
    }
  }
}

// The gradients of R rows, and what flows back to their sources.
template <int R, int C>
inline void rows_back(const Real* deltas, const Real* parameters, int stride, int n_still, const int32_t* source,
                      const Real* values, Real* value_deltas, DescendingSums& sums) {
  if constexpr (R == 1) {
    walk_back<1, C>(deltas, parameters, stride, n_still, source, values, value_deltas,
                    [&](int, int, Vector partial) { sums.push(partial); });
  } else {
    // Rows descend side by side, places one row after the other.
    Vector partials[R * kMostTogether / kTogether];
    const int groups = stride / kTogether;
    walk_back<R, C>(deltas, parameters, stride, n_still, source, values, value_deltas,
                    [&](int r, int group, Vector partial) { partials[r * groups + group] = partial; });
    for (int i = R * groups - 1; i >= 0; --i) sums.push(partials[i]);
  }
}

// The gradients of places `begin` to `end` (multiples of kPadding) of rows that push nothing. This goes place by place
// and not row by row: a loop that ends with every row would be mispredicted for every row, and rows are short.
template <int C, bool far = false>
inline void flat_gradients(const wirenas::Rows& rows, int begin, int end, const Real* values, const Real* value_deltas,
                           Real* gradients, bool accumulate) {
  constexpr int count = C / kLanes;
  const auto partial = [&](int place) __attribute__((always_inline)) {
    const Real* const delta = value_deltas + rows.owner[place / kPadding];
    Vector products[kTogether];
#pragma GCC unroll 16
    for (int i = 0; i < kTogether; ++i) {
      const Real* const line = values + rows.source[place + i];
      if constexpr (far) ask_for<C>(values + rows.source[place + i + kAhead]);
      products[i] = load(delta) * load(line);
#pragma GCC unroll 16
      for (int v = 1; v < count; ++v) products[i] += load(delta + v * kLanes) * load(line + v * kLanes);
    }
    return sum_each<kTogether>(products);
  };
  constexpr int parts = kLanes / kTogether;
  int place = begin;
  for (; place + kLanes <= end; place += kLanes) {
    Vector partials[parts];
#pragma GCC unroll 16
    for (int part = 0; part < parts; ++part) partials[part] = partial(place + part * kTogether);
    const Vector sums = sum_each<parts, kTogether>(partials);
    store(gradients + place, accumulate ? load(gradients + place) + sums : sums);
  }
  if (place == end) return;
  Vector partials[parts] = {};
  for (int part = 0; place + part * kTogether < end; ++part) partials[part] = partial(place + part * kTogether);
  const Vector sums = sum_each<parts, kTogether>(partials);
  for (int lane = 0; place + lane < end; ++lane)
    gradients[place + lane] = (accumulate ? gradients[place + lane] : Real(0)) + sums[lane];
}

// Rows that share their sources and push to them, the last of them first.
template <int C>
inline void pushing_rows_back(int n_rows, const Real* deltas, const Real* parameters, int stride, int n_still,
                              const int32_t* source, const Real* values, Real* value_deltas, DescendingSums& sums) {
  const auto back = [&](auto count) {
    constexpr int R = count.value;
    n_rows -= R;
    rows_back<R, C>(deltas + n_rows * kTile, parameters + n_rows * stride, stride, n_still, source, values,
                    value_deltas, sums);
  };
  if constexpr (kWalksTogether)
    if (stride <= kMostTogether) {
      while (n_rows >= 4) back(std::integral_constant<int, 4>{});
      if (n_rows == 3) back(std::integral_constant<int, 3>{});
      if (n_rows == 2) back(std::integral_constant<int, 2>{});
    }
  while (n_rows > 0) back(std::integral_constant<int, 1>{});
}

// What a neuron gets back from the rows that read it, through `done(column, sum)`.
template <int C, bool far = false, typename Done>
inline __attribute__((always_inline)) void pull(const wirenas::Rows& rows, int neuron, const Real* parameters,
                                                const Real* value_deltas, Done done) {
  constexpr int width = strip_width<1, C>(), count = width / kLanes, copies = count >= 8 ? 1 : count >= 4 ? 2 : 4;
  const int begin = rows.out_start[neuron], end = rows.out_start[neuron + 1];
  for (int column = 0; column < C; column += width) {
    Vector sums[copies][count];
#pragma GCC unroll 16
    for (int v = 0; v < count; ++v)
#pragma GCC unroll 16
      for (int copy = 0; copy < copies; ++copy) sums[copy][v] = Vector{};
    const auto add = [&](int edge, int copy) {
      const Vector weight = all(parameters[rows.out_weight[edge]]);
      const Real* const line = value_deltas + rows.out_target[edge] + column;
      if constexpr (far) {
        ask_for<width>(value_deltas + rows.out_target[edge + kAhead] + column);
        __builtin_prefetch(parameters + rows.out_weight[edge + kAhead]);
      }
#pragma GCC unroll 16
      for (int v = 0; v < count; ++v) sums[copy][v] += weight * load(line + v * kLanes);
    };
    int edge = begin;
    for (; edge + copies <= end; edge += copies)
#pragma GCC unroll 16
      for (int copy = 0; copy < copies; ++copy) add(edge + copy, copy);
    for (; edge < end; ++edge) add(edge, 0);
#pragma GCC unroll 16
    for (int v = 0; v < count; ++v) {
#pragma GCC unroll 16
      for (int copy = 1; copy < copies; ++copy) sums[0][v] += sums[copy][v];
      done(column + v * kLanes, sums[0][v]);
    }
  }
}

}  // namespace
