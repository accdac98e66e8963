// The measures, family by family; each adds to the row what the table of features lists, in the same order.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "graph.h"
#include "kernels.h"
#include "paths.h"
#include "row.h"
#include "summary.h"

namespace wirenas {

// All of a wiring's edges where these have no cycle, its forward edges otherwise, in topological order.
struct FeedForward {
  std::unique_ptr<const Directed> cut;  // the graph where it is not all of the wiring
  const Directed* graph;
  std::vector<Neuron> order;
};

// A wiring, and what is known of it before its measures are.
class Subject {
 public:
  explicit Subject(const Wiring& wiring);
  Subject(const Subject&) = delete;

  Wiring wiring;
  Directed whole, hidden;
  Rows graph;  // beneath the hidden wiring
  bool is_acyclic;
  std::optional<FeedForward> part, whole_part;

  Neuron n() const { return hidden.n(); }
  int64_t n_pairs() const { return int64_t(graph.list.size()) / 2; }
  Neuron n_inputs() const { return wiring.inputs ? wiring.sizes[0] : 0; }
  Neuron n_outputs() const { return wiring.outputs ? wiring.sizes[wiring.n_layers - 1] : 0; }
};

struct DistanceMeasures {
  Summary eccentricity, closeness;
  double diameter, path_length;
  bool is_connected;
};

struct LayerMeasures {
  double depth = kUndefined, first = kUndefined, last = kUndefined;
};

void add_size(const Subject& subject, Row& row);

// Returns the summary of the degrees.
Summary add_degrees(const Subject& subject, Row& row);
void add_components(const Rows& graph, const Distances& distances, Row& row);

DistanceMeasures measure_distances(const Rows& graph, const Distances& distances);
void add_distances(const Rows& graph, const Distances& distances, const DistanceMeasures& measures, Row& row);
void add_clustering(const Rows& graph, const std::vector<int64_t>& common, double degree, double path_length, Row& row);

LayerMeasures add_layers(const FeedForward* part, Row& row);
void add_paths(const FeedForward* part, const Kernels& kernels, Row& row);
void add_signal(const Subject& subject, const Kernels& kernels, Row& row);

struct Centrality {
  Summary neurons, pairs;
  double gini;
};
Centrality measure_centrality(const Rows& graph, Betweenness&& found, double n_sources);

void add_cycles(const Subject& subject, const Kernels& kernels, Row& row);

}  // namespace wirenas
