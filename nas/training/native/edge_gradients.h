// Gradients of weights: for every edge the dot product of its target's delta line and its source's value line.
#pragma once

#include "layout.h"
#include "vectors.h"

namespace {

// Receives vectors in descending order of the places that their sums belong to, and writes a full vector of sums at a
// time: summing a vector across its lanes one by one would cost more than the products.
class DescendingSums {
 public:
  DescendingSums(Real* past_the_end, bool accumulate) : next_(past_the_end), accumulate_(accumulate) {}
  ~DescendingSums() { flush(); }
  DescendingSums(const DescendingSums&) = delete;
  DescendingSums& operator=(const DescendingSums&) = delete;

  inline __attribute__((always_inline)) void push(Vector products) {
    waiting_[--first_] = products;
    if (first_ == 0) write();
  }

  // Leave `count` places as they are.
  void skip(int64_t count) {
    flush();
    next_ -= count;
  }

  void flush() {
    if (first_ == kLanes) return;
    const int count = kLanes - first_;
    for (int i = 0; i < first_; ++i) waiting_[i] = Vector{};
    const Vector sums = sum_each(waiting_);
    next_ -= count;
    for (int i = 0; i < count; ++i) next_[i] = (accumulate_ ? next_[i] : Real(0)) + sums[first_ + i];
    first_ = kLanes;
  }

 private:
  void write() {
    next_ -= kLanes;
    const Vector sums = sum_each(waiting_);
    store(next_, accumulate_ ? load(next_) + sums : sums);
    first_ = kLanes;
  }

  Vector waiting_[kLanes];
  int first_ = kLanes;
  Real* next_;
  bool accumulate_;
};

// The gradients of one row's weights, from its last edge to its first.
template <int C>
inline __attribute__((always_inline)) void row_gradients(const Real* delta, int degree, const int32_t* source, const Real* values, DescendingSums& sums) {
  constexpr int count = C / kLanes;
  Vector own[count];
#pragma GCC unroll 16
  for (int v = 0; v < count; ++v) own[v] = load(delta + v * kLanes);
  for (int e = degree - 1; e >= 0; --e) {
    const Real* const line = values + source[e];
    Vector products = own[0] * load(line);
#pragma GCC unroll 16
    for (int v = 1; v < count; ++v) products += own[v] * load(line + v * kLanes);
    sums.push(products);
  }
}

template <int C>
inline __attribute__((always_inline)) Vector lane_sums(const Real* line) {
  Vector sum = load(line);
#pragma GCC unroll 16
  for (int v = 1; v < C / kLanes; ++v) sum += load(line + v * kLanes);
  return sum;
}

}  // namespace
