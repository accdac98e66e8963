// Reservoirs: recurrent networks of fixed weights, several copies of one side by side, in double precision.
#pragma once

#include <cstdint>

namespace wirenas {

// Edges by target: those of neuron i are from start[i] to below start[i + 1].
struct Weighted {
  const int32_t* start = nullptr;
  const int32_t* sources = nullptr;
  const double* weights = nullptr;
};

struct Reservoir {
  int n_neurons = 0;
  int n_inputs = 0;
  Weighted recurrence;
  Weighted inputs;
  const double* bias = nullptr;
  double leak = 1;
  int n_read = 0;
  const int32_t* read = nullptr;
};

// Copies that run side by side; each has its own factor of the recurrent weights, and its own inputs where `own`.
struct Runs {
  int count = 0;
  int n_steps = 0;
  const double* factors = nullptr;  // (count)
  const double* inputs = nullptr;   // (count or 1, n_steps, n_inputs)
  bool own = true;
  const int64_t* lengths = nullptr;  // (count) steps of each, where its last states alone are wanted
};

// Fill `states`: of every step, (count, n_steps, n_read), or where there are lengths of the last one, (count, n_read).
void run_reservoir(const Reservoir& reservoir, const Runs& runs, double* states);

}  // namespace wirenas
