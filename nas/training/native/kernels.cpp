// Compiled once an instruction set and type of number: everything that runs once an edge, an example or a parameter.
#include "kernels.h"

#include "feedforward.h"
#include "losses.h"
#include "normalise.h"
#include "optimizers.h"
#include "recurrent.h"
#include "sparse_inputs.h"

namespace {

// Examples lie one after the other in the data, padded to whole vectors; a tile holds them side by side. A short tile
// repeats the last one.
void gather(Real* lines, const Real* const* examples, int n_examples, int n_inputs) {
  for (int column = 0; column < columns_for(n_examples); column += kLanes) {
    const Real* rows[kLanes];
    for (int i = 0; i < kLanes; ++i) rows[i] = examples[column + i < n_examples ? column + i : n_examples - 1];
    for (int d = 0; d < n_inputs; d += kLanes) {
      Vector square[kLanes];
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i) square[i] = load(rows[i] + d);
      transpose_square(square);
      Real* const to = lines + int64_t(d) * kTile + column;
      if (n_inputs - d >= kLanes) {
#pragma GCC unroll 16
        for (int i = 0; i < kLanes; ++i) store(to + i * kTile, square[i]);
      } else {
        for (int i = 0; i < n_inputs - d; ++i) store(to + i * kTile, square[i]);
      }
    }
  }
}

// Call work(columns, far) with constants.
template <typename Work>
void with_columns_far(int columns, bool far, Work work) {
  with_columns(columns, [&](auto width) {
    if (far)
      work(width, std::true_type{});
    else
      work(width, std::false_type{});
  });
}

void feedforward_any(const Feedforward& network, const Real* parameters, Real* values, Real* sums, int columns,
                     int begin, int end) {
  with_columns_far(columns, network.far, [&](auto width, auto far) {
    feedforward<width.value, far.value>(network, parameters, values, sums, begin, end);
  });
}

void feedforward_deltas_any(const Feedforward& network, const Real* parameters, const Real* values, const Real* sums,
                            Real* deltas, int columns, int begin, int end) {
  with_columns_far(columns, network.far, [&](auto width, auto far) {
    feedforward_deltas<width.value, far.value>(network, parameters, values, sums, deltas, begin, end);
  });
}

void feedforward_gradients_any(const Feedforward& network, const Real* values, const Real* deltas, int columns,
                               Real* gradients, bool accumulate, int begin, int end) {
  with_columns_far(columns, network.far, [&](auto width, auto far) {
    flat_gradients<width.value, far.value>(network.rows, begin, end, values, deltas, gradients, accumulate);
  });
}

void update(Real* parameters, const Real* gradients, Real* first, Real* second, int64_t count, const Update& update) {
  if (update.optimizer == Optimizer::sgd)
    sgd_step(parameters, gradients, first, count, update);
  else
    adam_step(parameters, gradients, first, second, count, update);
}

bool apply(const char* name, Real* values, int64_t count) {
  Vector (*function)(Vector) = std::strcmp(name, "tanh") == 0      ? tanh_of
                               : std::strcmp(name, "sigmoid") == 0 ? sigmoid_of
                               : std::strcmp(name, "erf") == 0     ? erf_of
                               : std::strcmp(name, "exp") == 0     ? exp_of
                                                                   : nullptr;
  if (function == nullptr) return false;
  for (int64_t i = 0; i < count; ++i) values[i] = function(all(values[i]))[0];
  return true;
}

// Chains enough to hide the latency of a multiply-add; floating-point sums are not reordered, so none is left out.
double peak(int64_t rounds) {
  constexpr int chains = 12;
  Vector sums[chains];
  for (int chain = 0; chain < chains; ++chain) sums[chain] = all(Real(chain));
  const Vector factor = all(Real(0.999)), term = all(Real(0.001));
  for (int64_t round = 0; round < rounds; ++round)
#pragma GCC unroll 12
    for (int chain = 0; chain < chains; ++chain) sums[chain] = sums[chain] * factor + term;
  Vector total = {};
  for (int chain = 0; chain < chains; ++chain) total += sums[chain];
  volatile Real kept = total[0];
  (void)kept;
  return double(rounds) * chains * kLanes;
}

}  // namespace

namespace wirenas {

const Kernels<Real>& WIRENAS_KERNELS() {
  static const Kernels<Real> table = {gather,
                                      feedforward_any,
                                      feedforward_deltas_any,
                                      feedforward_gradients_any,
                                      complete_gradients,
                                      normalise,
                                      normalise_back,
                                      project,
                                      project_gradients,
                                      recurrent,
                                      recurrent_gradients,
                                      head,
                                      head_gradients,
                                      cross_entropy,
                                      squared_error,
                                      count_hits,
                                      clip_gradients,
                                      update,
                                      apply,
                                      peak};
  return table;
}

}  // namespace wirenas
