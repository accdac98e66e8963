// Activations of feed-forward neurons, and their slopes, as torch defines them.
#pragma once

#include "layout.h"
#include "vectors.h"

namespace {

using wirenas::Activation;

// What the slope is taken from: of gelu the sum, of the others the value.
constexpr bool keeps_sums(Activation activation) { return activation == Activation::gelu; }

inline __attribute__((always_inline)) Vector activate(Activation activation, Vector sum) {
  switch (activation) {
    case Activation::relu:
      return rectified(sum);
    case Activation::tanh:
      return tanh_of(sum);
    case Activation::sigmoid:
      return sigmoid_of(sum);
    case Activation::gelu:
      return sum * Real(0.5) * (Real(1) + erf_of(sum * Real(0.70710678118654752)));
    default:
      return sum;
  }
}

inline __attribute__((always_inline)) Vector times_slope(Activation activation, Vector delta, Vector kept) {
  switch (activation) {
    case Activation::relu:
      return kept > 0 ? delta : Vector{};
    case Activation::tanh:
      return delta * (Real(1) - kept * kept);
    case Activation::sigmoid:
      return delta * kept * (Real(1) - kept);
    case Activation::gelu: {
      const Vector probability = Real(0.5) * (Real(1) + erf_of(kept * Real(0.70710678118654752)));
      const Vector density = exp_of(kept * kept * Real(-0.5)) * Real(0.39894228040143268);
      return delta * (probability + kept * density);
    }
    default:
      return delta;
  }
}

}  // namespace
