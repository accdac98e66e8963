// The draws of priors/draws.py: doubles of numpy's stream one by one, and indices and subsets made of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "bit_generator.h"

namespace wirenas {

// Numbers from 0, at most `most` of them, that are only ever added.
class NumberSet {
 public:
  explicit NumberSet(int64_t most) {
    int bits = 1;
    while ((int64_t(1) << bits) < 2 * most) ++bits;
    shift_ = 64 - bits;
    slots_.assign(size_t(1) << bits, empty);
  }

  void clear() { std::fill(slots_.begin(), slots_.end(), empty); }
  bool contains(int64_t number) const { return slots_[place(number)] == number; }

  // Whether the number was not there yet.
  bool insert(int64_t number) {
    int64_t& slot = slots_[place(number)];
    const bool is_new = slot == empty;
    slot = number;
    return is_new;
  }

 private:
  static constexpr int64_t empty = -1;

  // The slot that holds the number, or the one where it belongs. Half of all slots stay empty, so the walk ends soon.
  size_t place(int64_t number) const {
    size_t at = size_t((uint64_t(number) * 0x9E3779B97F4A7C15u) >> shift_);
    while (slots_[at] != number && slots_[at] != empty) at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  int shift_;
  std::vector<int64_t> slots_;
};

// Random subsets of the numbers below n by Floyd's algorithm; the object serves for any number of them.
class Subset {
 public:
  Subset(int64_t n, int64_t count) : n_(n), count_(count), n_drawn_(std::min(count, n - count)), drawn_(n_drawn_) {}

  // Visit the numbers of one subset, in no particular order.
  template <typename Visit>
  void draw(BitGenerator& random, Visit visit) {
    drawn_.clear();
    for (int64_t size = n_ - n_drawn_ + 1; size <= n_; ++size) {
      int64_t number = random.below(size);
      if (!drawn_.insert(number)) drawn_.insert(number = size - 1);
      if (n_drawn_ == count_) visit(number);
    }
    if (n_drawn_ == count_) return;
    for (int64_t number = 0; number < n_; ++number)
      if (!drawn_.contains(number)) visit(number);
  }

 private:
  int64_t n_, count_, n_drawn_;
  NumberSet drawn_;
};

}  // namespace wirenas
