// The row of features that a wiring is described by, filled from left to right.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "summary.h"

namespace wirenas {

class Row {
 public:
  explicit Row(double* first) : next_(first) {}

  void add(std::initializer_list<double> values) {
    for (const double value : values) *next_++ = value;
  }
  void add_undefined(int count) {
    for (int i = 0; i < count; ++i) *next_++ = kUndefined;
  }
  // As the published work summarises.
  void add_sample(const Summary& of) { add({of.mean, of.sample_variance, std::sqrt(of.sample_variance)}); }

 private:
  double* next_;
};

}  // namespace wirenas
