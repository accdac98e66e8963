// Optimizers: one pass over the flat vectors of parameters, gradients and moments, with torch's definitions.
#pragma once

#include "kernels.h"
#include "vectors.h"

namespace {

using wirenas::Optimizer;
using wirenas::Update;

inline void adam_step(Real* __restrict parameters, const Real* __restrict gradients, Real* __restrict mean,
                      Real* __restrict square, int64_t count, const Update& update) {
  const double beta1 = 0.9, beta2 = 0.999;
  const bool decoupled = update.optimizer == Optimizer::adamw;
  const Real keep = decoupled ? Real(1 - update.rate * update.weight_decay) : Real(1);
  const Real decay = decoupled ? Real(0) : Real(update.weight_decay);
  const Real step = Real(update.rate / (1 - std::pow(beta1, double(update.step))));
  const Real scale = Real(1 / std::sqrt(1 - std::pow(beta2, double(update.step))));
  const Real b1 = Real(beta1), c1 = Real(1 - beta1), b2 = Real(beta2), c2 = Real(1 - beta2), epsilon = Real(1e-8);
  for (int64_t i = 0; i < count; ++i) {
    const Real gradient = gradients[i] + decay * parameters[i];
    mean[i] = b1 * mean[i] + c1 * gradient;
    square[i] = b2 * square[i] + c2 * gradient * gradient;
    parameters[i] = keep * parameters[i] - step * mean[i] / (std::sqrt(square[i]) * scale + epsilon);
  }
}

inline void sgd_step(Real* __restrict parameters, const Real* __restrict gradients, Real* __restrict momentum,
                     int64_t count, const Update& update) {
  const Real rate = Real(update.rate), decay = Real(update.weight_decay), inertia = Real(update.momentum);
  // Torch begins with the first gradient itself.
  const Real carried = update.step == 1 ? Real(0) : inertia;
  for (int64_t i = 0; i < count; ++i) {
    const Real gradient = gradients[i] + decay * parameters[i];
    momentum[i] = carried * momentum[i] + gradient;
    parameters[i] -= rate * (update.nesterov ? gradient + inertia * momentum[i] : momentum[i]);
  }
}

// Scale the gradients to a largest norm. A norm that is not a number scales nothing.
inline void clip_gradients(Real* gradients, int64_t count, double limit) {
  double squares = 0;
  Vector total = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const Vector part = load(gradients + i);
    total += part * part;
  }
  for (int lane = 0; lane < kLanes; ++lane) squares += double(total[lane]);
  for (; i < count; ++i) squares += double(gradients[i]) * double(gradients[i]);
  const double factor = limit / std::sqrt(squares);
  if (!(factor < 1)) return;
  for (i = 0; i < count; ++i) gradients[i] *= Real(factor);
}

}  // namespace
