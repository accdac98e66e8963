// Losses of one tile: their sum, their gradient by the outputs, and how many classes were right.
#pragma once

#include "layout.h"
#include "vectors.h"

namespace {

using wirenas::kTile;
using wirenas::Loss;

// Columns behind the tile's own examples get no gradient.
inline void blank(Real* deltas, int n_outputs, int n_examples) {
  for (int k = 0; k < n_outputs; ++k)
    std::memset(deltas + k * kTile + n_examples, 0, sizeof(Real) * size_t(kTile - n_examples));
}

// Multiply the deltas of every example by what it counts.
inline void weigh(Real* deltas, int n_outputs, const Real* weights, int n_examples) {
  for (int k = 0; k < n_outputs; ++k)
    for (int b = 0; b < n_examples; ++b) deltas[k * kTile + b] *= weights[b];
}

// Cross-entropy of (n_outputs, kTile) logits, summed over the examples; `deltas` receives softmax - target, times
// `scale`. Where there are weights, both are times the weight of the example.
inline double cross_entropy(const Real* logits, Real* deltas, int n_outputs, const int64_t* classes, int n_examples,
                            Real scale, const Real* weights) {
  double loss = 0;
  for (int column = 0; column < n_examples; column += kLanes) {
    Vector largest = load(logits + column), total = {};
    for (int k = 1; k < n_outputs; ++k) {
      const Vector other = load(logits + k * kTile + column);
      largest = largest > other ? largest : other;
    }
    for (int k = 0; k < n_outputs; ++k) {
      const Vector share = exp_of(load(logits + k * kTile + column) - largest);
      store(deltas + k * kTile + column, share);
      total += share;
    }
    const Vector factor = all(scale) / total;
    for (int k = 0; k < n_outputs; ++k) store(deltas + k * kTile + column, load(deltas + k * kTile + column) * factor);
    // The logarithm of a product: shares add up to between 1 and n_outputs, which a double can hold many of.
    double product = 1;
    const int count = n_examples - column < kLanes ? n_examples - column : kLanes;
    for (int lane = 0; lane < count; ++lane) {
      const int64_t place = classes[column + lane] * kTile + column + lane;
      const double ahead = double(largest[lane]) - double(logits[place]);
      if (weights == nullptr) {
        product *= double(total[lane]);
        loss += ahead;
      } else {
        loss += double(weights[column + lane]) * (ahead + std::log(double(total[lane])));
      }
      deltas[place] -= scale;
    }
    loss += std::log(product);
  }
  if (weights != nullptr) weigh(deltas, n_outputs, weights, n_examples);
  blank(deltas, n_outputs, n_examples);
  return loss;
}

// Mean over the outputs of the squared difference, summed over the examples, times their weights where there are some.
inline double squared_error(const Real* outputs, Real* deltas, int n_outputs, const Real* const* targets,
                            int n_examples, Real scale, const Real* weights) {
  double loss = 0;
  for (int k = 0; k < n_outputs; ++k)
    for (int b = 0; b < n_examples; ++b) {
      const Real difference = outputs[k * kTile + b] - targets[b][k];
      const double square = double(difference) * double(difference);
      loss += weights == nullptr ? square : double(weights[b]) * square;
      deltas[k * kTile + b] = 2 * scale * difference / Real(n_outputs);
    }
  if (weights != nullptr) weigh(deltas, n_outputs, weights, n_examples);
  blank(deltas, n_outputs, n_examples);
  return loss / n_outputs;
}

// How many examples have their largest output at their class, or their weights where there are some; the first of equal
// outputs counts, and a NaN is largest.
inline double count_hits(const Real* outputs, int n_outputs, const int64_t* classes, int n_examples,
                         const Real* weights) {
  double hits = 0;
  for (int b = 0; b < n_examples; ++b) {
    int best = 0;
    for (int k = 1; k < n_outputs; ++k)
      if (!(outputs[k * kTile + b] <= outputs[best * kTile + b]) &&
          outputs[best * kTile + b] == outputs[best * kTile + b])
        best = k;
    if (best == classes[b]) hits += weights == nullptr ? 1.0 : double(weights[b]);
  }
  return hits;
}

}  // namespace
