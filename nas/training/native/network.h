// Networks as rows: from the edges of a wiring, and where each weight lies outside, to the views that kernels read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels.h"

namespace wirenas {

using std::size_t;

// One weight: the row that reads, the position of the line that it reads, and where the weight lies outside.
struct Entry {
  int32_t row;
  int32_t source;
  int64_t slot;
  int32_t neuron;      // that is read, counted behind the input units; negative for an input unit
  int32_t out_target;  // position of the delta line of the row, seen from the step of the neuron
};

// A parameter's place in the flat vector, and where it lies outside.
struct Place {
  int32_t inside;
  int64_t slot;
};

// Rows of a large network none of which reads another of them, shared out: task i takes the rows from rows[i] to below
// rows[i + 1], on the way back the hidden neurons from neurons[i] to below neurons[i + 1].
struct Stretch {
  std::vector<int32_t> rows, neurons;
};

// Rows and the memory that they view.
class OwnedRows {
 public:
  OwnedRows() = default;
  // Rows of one unit (`rows_per_unit` of them) may be walked together where they read the same sources; so may rows of
  // neighbouring units where a unit has one row, but row `apart` never with the one before it. A row's entries must
  // come with those from input units first.
  // Neurons may pull what flows back to them, or rows push it. Row 0 has line `first` for its delta; the lines of ones
  // and zeros are line `ones` and the one behind it.
  OwnedRows(int n_rows, int rows_per_unit, int n_neurons, int first, int ones, bool pulls,
            const std::vector<Entry>& entries, int apart = -1);

  Rows view() const;
  int64_t n_places() const { return start_.empty() ? 0 : start_.back(); }
  const std::vector<Place>& weights() const { return weights_; }
  // Places of weights that lie nowhere outside: always zero, there so that rows have the same sources.
  const std::vector<int32_t>& ghosts() const { return ghosts_; }
  // From the first of some rows to behind the last, with bounds between so that parts hold about `n_edges` edges and
  // cut no group in two.
  std::vector<int32_t> cut_rows(int begin, int end, int64_t n_edges) const;
  // The same for neurons and their outgoing edges.
  std::vector<int32_t> cut_neurons(int begin, int end, int64_t n_edges) const;
  int32_t bias_place(int row) const { return start_[size_t(row) + 1] - degree_[size_t(row)] - 1; }

 private:
  void find_groups(int rows_per_unit, int apart);
  void list_outgoing(int n_neurons, const std::vector<Entry>& entries);

  int n_rows_ = 0;
  std::vector<int32_t> start_, degree_, source_, owner_, n_inputs_, group_;
  std::vector<int32_t> out_start_, out_target_, out_weight_;
  std::vector<Place> weights_;
  std::vector<int32_t> ghosts_;
};

// A network's structure. Its parameters are one flat vector, row by row; the head's rows come last.
class Network {
 public:
  // Edges are (n_edges, 2) pairs (source, target) that point forward; slots[i] is where edge i's weight lies.
  // With `sparse_inputs`, a complete read-in is laid out to skip inputs that are zero.
  static Network feedforward(int n_inputs, int n_neurons, int n_outputs, Activation activation, const int32_t* edges,
                             int n_edges, const int64_t* slots, bool sparse_inputs);
  // Layers of cells after the input layer; an edge into a later layer acts within the step, any other a step later. The
  // initial state is zero, or follows the biases outside.
  // Entries are one weight each: edge i belongs to gate `gates[i]`; edges of the head come apart.
  static Network recurrent(const std::vector<int>& sizes, int n_outputs, Cell cell, const int32_t* edges,
                           const int32_t* gates, int n_edges, const int64_t* slots, const int32_t* head_edges,
                           int n_head_edges, const int64_t* head_slots, bool learns_initial);

  bool is_recurrent() const { return recurrent_; }
  Feedforward feedforward_view() const;
  Recurrent recurrent_view() const;

  int n_rows() const { return int(biases_.size()); }
  int64_t n_places() const {
    return rows_.n_places() + head_.n_places() + int64_t(n_inputs) * width_ + int64_t(initial_.size());
  }
  const std::vector<Place>& weights() const { return rows_.weights(); }
  // Of a complete read-in that is laid out apart.
  const std::vector<Place>& projection() const { return projected_; }
  bool needs_sparse_inputs() const { return width_ > 0; }
  // Whether a weight other than those is read from an input unit.
  bool reads_inputs() const { return reads_inputs_; }
  const std::vector<Place>& biases() const { return biases_; }
  // Of the head, counted from the first place behind the rows.
  const std::vector<Place>& head_weights() const { return head_.weights(); }
  const std::vector<Place>& head_biases() const { return head_biases_; }
  const std::vector<int32_t>& ghosts() const { return rows_.ghosts(); }
  int64_t head_start() const { return rows_.n_places(); }
  // Of an initial state that is learned, counted from the first place behind the head.
  const std::vector<Place>& initial() const { return initial_; }
  int64_t initial_start() const { return rows_.n_places() + head_.n_places(); }
  // Bounds of stretches, those of a small network too.
  const std::vector<int32_t>& levels() const { return levels_; }
  // In order; none where the network is not worth several threads.
  const std::vector<Stretch>& stretches() const { return stretches_; }

  int n_inputs = 0, n_outputs = 0;

 private:
  void set_projection_apart(std::vector<Entry>& entries);
  // From the last neuron that each row reads, counted behind the input units.
  void find_levels(const std::vector<int32_t>& last_read);
  void share_out();

  OwnedRows rows_, head_;
  std::vector<Place> biases_, head_biases_, initial_;
  std::vector<int32_t> layer_start_, levels_;
  std::vector<Stretch> stretches_;
  std::vector<Place> projected_;
  bool recurrent_ = false;
  int n_cells_ = 0, gates_ = 1, dense_first_ = 0, dense_count_ = 0, width_ = 0;
  bool reads_inputs_ = true;
  Activation activation_ = Activation::relu;
  Cell cell_ = Cell::tanh;
};

}  // namespace wirenas
