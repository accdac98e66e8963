// What most of the time goes into, compiled once for every instruction set, with the same results to the last bit.
#pragma once

#include <cstdint>
#include <vector>

#include "graph.h"

namespace wirenas {

struct Distances {
  std::vector<int64_t> pairs;  // by distance: ordered pairs of distinct neurons
  std::vector<int32_t> eccentricity;
  std::vector<int64_t> reached, total;  // of every neuron: the others that it reaches, and the sum of their distances
};

struct Betweenness {
  std::vector<double> neurons;
  std::vector<double> pairs;  // of the graph, by their lower and then by their higher neuron
};

struct Kernels {
  Distances (*distances)(const Rows& graph);
  // Of the sources from which some shortest paths start; `diameter` says which of two ways is faster.
  Betweenness (*betweenness)(const Rows& graph, const std::vector<Neuron>& sources, int32_t diameter);
  // Common neighbours, summed over the neighbours of every neuron.
  std::vector<int64_t> (*common_neighbours)(const Rows& graph);
  int64_t (*three_cycles)(const Directed& graph);
  // Of the neurons of an acyclic graph, given in topological order: the starts that reach each, itself included.
  std::vector<int32_t> (*reaching)(const Rows& in, const std::vector<Neuron>& order, const std::vector<Neuron>& starts);
};

const Kernels& features_baseline();
const Kernels& features_x86_64_v3();
const Kernels& features_x86_64_v4();

}  // namespace wirenas
