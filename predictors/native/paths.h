// All paths of an acyclic graph that lead from some of its neurons to others: their number, lengths and weights.
#pragma once

#include <vector>

#include "graph.h"
#include "summary.h"

namespace wirenas {

struct Paths {
  double log_number = kUndefined, longest = kUndefined;
  double mean_length = kUndefined, std_length = kUndefined;
  double log_synflow = kUndefined, effective_depth = kUndefined;
};

// Nothing leads into a start, and nothing out of an end. Everything is undefined where no path leads to an end.
Paths paths(const Directed& graph, const std::vector<Neuron>& order, const Flags& starts, const Flags& ends);

// Effective numbers of the neurons before `first`, and from there up to `last`, where the outputs start. Each neuron
// counts as much as it hands back: in equal parts to those that it reads, the sum of what it is handed, 1 at outputs.
struct Widths {
  double before = kUndefined, between = kUndefined;
};
Widths widths(const Directed& graph, const std::vector<Neuron>& order, Neuron first, Neuron last);

}  // namespace wirenas
