// Networks as rows: from the edges of a wiring, and where each weight lies outside, to the views that kernels read.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels.h"

namespace wirenas {

// One weight: the row that reads, the line that it reads, where what flows back goes, and where the weight lies outside.
struct Entry {
  int32_t row;
  int32_t source;      // position of the line, relative to the values
  int32_t column;      // the neuron that is read, -1 for an input unit, to which nothing flows back
  int32_t out_target;  // position of the row's delta line, relative to the deltas of the neuron's step
  int64_t slot;
};

// Rows and the memory that they view.
class OwnedRows {
 public:
  OwnedRows() = default;
  // Rows of one unit (`rows_per_unit` of them) may be summed together where they read the same sources; so may rows
  // of neighbouring units where a unit has one row.
  OwnedRows(int n_rows, int n_columns, int rows_per_unit, const std::vector<Entry>& entries);

  Rows view() const;
  int n_edges() const { return int(source_.size()); }
  // (n_edges) where the weight of an edge lies outside.
  const std::vector<int64_t>& slots() const { return slots_; }

 private:
  void find_groups(int rows_per_unit);

  int n_rows_ = 0, n_columns_ = 0;
  std::vector<int32_t> start_, source_, group_, out_start_, out_target_, out_edge_;
  std::vector<int64_t> slots_;
};

// A network's structure. Its parameters are one flat vector: weights by rows, biases, then the head's of both.
class Network {
 public:
  // Edges are (n_edges, 2) pairs (source, target) that point forward; slots[i] is the place of edge i's weight.
  static Network feedforward(int n_inputs, int n_neurons, int n_outputs, Activation activation, const int32_t* edges,
                             int n_edges, const int64_t* slots);
  // Layers of cells after the input layer; an edge into a later layer acts within the step, any other a step later.
  // Entries are one weight each: edge i belongs to gate `gates[i]`; head edges come apart.
  static Network recurrent(const std::vector<int>& sizes, int n_outputs, Cell cell, const int32_t* edges,
                           const int32_t* gates, int n_edges, const int64_t* slots, const int32_t* head_edges,
                           int n_head_edges, const int64_t* head_slots);

  bool is_recurrent() const { return recurrent_; }
  Feedforward feedforward_view() const;
  Recurrent recurrent_view() const;

  int n_inputs = 0, n_outputs = 0;
  int64_t n_parameters() const;
  // Where parameters lie outside, in their order: in the weights, in the biases, in the head's weights and biases.
  std::vector<int64_t> weight_slots() const { return rows_.slots(); }
  const std::vector<int64_t>& bias_slots() const { return bias_slots_; }
  std::vector<int64_t> head_slots() const { return head_.slots(); }

 private:
  OwnedRows rows_, head_;
  std::vector<int64_t> bias_slots_;
  bool recurrent_ = false;
  int n_cells_ = 0, gates_ = 1, dense_first_ = 0, dense_count_ = 0;
  Activation activation_ = Activation::relu;
  Cell cell_ = Cell::tanh;
};

}  // namespace wirenas
