// What compiled code is given is checked once, where it comes in: a number that is wrong would be read, or written,
// outside of an array. Shared by the extensions of priors and predictors; messages for people come from Python.
#pragma once

#include <cstdint>
#include <limits>
#include <stdexcept>

namespace wirenas {

// Neurons are 32-bit numbers.
constexpr int64_t kMostNeurons = std::numeric_limits<int32_t>::max();

inline void check(bool fine, const char* rule) {
  if (!fine) throw std::invalid_argument(rule);
}

// The sum of the sizes of layers.
inline int32_t checked_total(const int32_t* sizes, int64_t n_layers) {
  int64_t total = 0;
  for (int64_t layer = 0; layer < n_layers; ++layer) {
    check(sizes[layer] > 0, "a layer needs at least one neuron");
    total += sizes[layer];
    check(total <= kMostNeurons, "a wiring holds at most 2^31 - 1 neurons");
  }
  return int32_t(total);
}

// That edges, rows (source, target), ascend, and lead from the neurons below `n_sources` to those from `first_target`
// on.
template <typename Edge>
void check_edges(const Edge* edges, int64_t n_edges, int32_t n_neurons, int32_t n_sources, int32_t first_target = 0) {
  bool is_inside = true, ascends = true;
  uint64_t next = 0;  // the least that the key of an edge may be
  for (int64_t edge = 0; edge < n_edges; ++edge) {
    const int32_t source = edges[edge].source, target = edges[edge].target;
    is_inside &= (source >= 0) & (source < n_sources) & (target >= first_target) & (target < n_neurons);
    const uint64_t key = uint64_t(uint32_t(source)) << 32 | uint32_t(target);
    ascends &= key >= next;
    next = key + 1;
  }
  check(is_inside, "an edge lies outside of the neurons, leads into an input unit or comes from an output unit");
  check(ascends, "edges are distinct, and sorted by source and target");
}

// Raises what a signal handler of Python raises, such as that of Ctrl-C. For loops that may take long, with or without
// the interpreter's lock: called as often as is convenient, it looks ten times a second.
void heed_signals();

}  // namespace wirenas
