#include "network.h"

#include <algorithm>

namespace wirenas {

OwnedRows::OwnedRows(int n_rows, int n_columns, int rows_per_unit, const std::vector<Entry>& entries)
    : n_rows_(n_rows), n_columns_(n_columns), start_(n_rows + 1), out_start_(n_columns + 1) {
  const size_t count = entries.size();
  size_t returning = 0;
  for (const Entry& entry : entries) {
    ++start_[entry.row + 1];
    if (entry.column >= 0) ++out_start_[entry.column + 1], ++returning;
  }
  for (int row = 0; row < n_rows; ++row) start_[row + 1] += start_[row];
  for (int column = 0; column < n_columns; ++column) out_start_[column + 1] += out_start_[column];

  source_.resize(count);
  slots_.resize(count);
  out_target_.resize(returning);
  out_edge_.resize(returning);
  std::vector<int32_t> next(start_.begin(), start_.end() - 1), next_out(out_start_.begin(), out_start_.end() - 1);
  for (const Entry& entry : entries) {
    const int32_t place = next[entry.row]++;
    source_[place] = entry.source;
    slots_[place] = entry.slot;
    if (entry.column < 0) continue;
    const int32_t out = next_out[entry.column]++;
    out_target_[out] = entry.out_target;
    out_edge_[out] = place;
  }
  find_groups(rows_per_unit);
}

void OwnedRows::find_groups(int rows_per_unit) {
  group_.assign(n_rows_, 1);
  for (int row = n_rows_ - 2; row >= 0; --row) {
    if (rows_per_unit > 1 && (row + 1) % rows_per_unit == 0) continue;
    const auto begin = source_.begin() + start_[row], middle = source_.begin() + start_[row + 1],
               end = source_.begin() + start_[row + 2];
    if (middle - begin == end - middle && std::equal(begin, middle, middle)) group_[row] = group_[row + 1] + 1;
  }
}

Rows OwnedRows::view() const {
  Rows rows;
  rows.n_rows = n_rows_;
  rows.n_columns = n_columns_;
  rows.start = start_.data();
  rows.source = source_.data();
  rows.group = group_.data();
  rows.out_start = out_start_.data();
  rows.out_target = out_target_.data();
  rows.out_edge = out_edge_.data();
  return rows;
}

Network Network::feedforward(int n_inputs, int n_neurons, int n_outputs, Activation activation, const int32_t* edges,
                             int n_edges, const int64_t* slots) {
  Network network;
  network.n_inputs = n_inputs;
  network.n_outputs = n_outputs;
  network.activation_ = activation;
  const int n_rows = n_neurons - n_inputs;
  std::vector<Entry> entries(n_edges);
  for (int e = 0; e < n_edges; ++e) {
    const int32_t source = edges[2 * e], row = edges[2 * e + 1] - n_inputs;
    entries[e] = {row, source * kTile, source < n_inputs ? -1 : source - n_inputs, row * kTile,
                  slots == nullptr ? e : slots[e]};
  }
  network.rows_ = OwnedRows(n_rows, n_rows - n_outputs, 1, entries);
  for (int row = 0; row < n_rows; ++row) network.bias_slots_.push_back(row);

  const Rows rows = network.rows_.view();
  const auto reads_every_input = [&](int row) {
    return rows.start[row + 1] - rows.start[row] == n_inputs && rows.source[rows.start[row]] == 0 &&
           rows.source[rows.start[row + 1] - 1] == (n_inputs - 1) * kTile;
  };
  while (network.dense_first_ < n_rows && !reads_every_input(network.dense_first_)) ++network.dense_first_;
  while (network.dense_first_ + network.dense_count_ < n_rows &&
         reads_every_input(network.dense_first_ + network.dense_count_))
    ++network.dense_count_;
  return network;
}

Network Network::recurrent(const std::vector<int>& sizes, int n_outputs, Cell cell, const int32_t* edges,
                           const int32_t* gates, int n_edges, const int64_t* slots, const int32_t* head_edges,
                           int n_head_edges, const int64_t* head_slots) {
  Network network;
  network.recurrent_ = true;
  network.n_inputs = sizes[0];
  network.n_outputs = n_outputs;
  network.cell_ = cell;
  network.gates_ = cell == Cell::gru || cell == Cell::lstm ? 4 : 1;
  std::vector<int> layer;
  for (size_t i = 0; i < sizes.size(); ++i) layer.insert(layer.end(), sizes[i], int(i));
  const int n_inputs = sizes[0], n_lines = int(layer.size()), n_cells = n_lines - n_inputs;
  const int n_rows = n_cells * network.gates_;
  network.n_cells_ = n_cells;

  std::vector<Entry> entries(n_edges);
  for (int e = 0; e < n_edges; ++e) {
    const int32_t source = edges[2 * e], target = edges[2 * e + 1];
    const bool later = layer[source] >= layer[target];
    // The GRU's candidate keeps what it reads within the step and what it remembers apart.
    const int32_t gate = gates[e] + (cell == Cell::gru && gates[e] == 2 && later);
    const int32_t row = (target - n_inputs) * network.gates_ + gate;
    entries[e] = {row, (source - (later ? n_lines : 0)) * kTile, source < n_inputs ? -1 : source - n_inputs,
                  (row + (later ? n_rows : 0)) * kTile, slots[e]};
  }
  network.rows_ = OwnedRows(n_rows, n_cells, network.gates_, entries);

  // Outside, biases lie layer by layer and, within a layer, gate by gate.
  network.bias_slots_.resize(n_rows);
  int first = 0;
  for (size_t i = 1; i < sizes.size(); first += sizes[i], ++i)
    for (int gate = 0; gate < network.gates_; ++gate)
      for (int j = 0; j < sizes[i]; ++j)
        network.bias_slots_[(first + j) * network.gates_ + gate] = int64_t(first) * network.gates_ + gate * sizes[i] + j;

  std::vector<Entry> read_out(n_head_edges);
  for (int e = 0; e < n_head_edges; ++e) {
    const int32_t from = head_edges[2 * e] - n_inputs, row = head_edges[2 * e + 1] - n_lines;
    read_out[e] = {row, from * kTile, from, row * kTile, head_slots[e]};
  }
  network.head_ = OwnedRows(n_outputs, n_cells, 1, read_out);
  return network;
}

Feedforward Network::feedforward_view() const {
  Feedforward view;
  view.rows = rows_.view();
  view.n_inputs = n_inputs;
  view.n_outputs = n_outputs;
  view.dense_first = dense_first_;
  view.dense_count = dense_count_;
  view.activation = activation_;
  return view;
}

Recurrent Network::recurrent_view() const {
  Recurrent view;
  view.rows = rows_.view();
  view.head = head_.view();
  view.n_inputs = n_inputs;
  view.n_cells = n_cells_;
  view.gates = gates_;
  view.cell = cell_;
  return view;
}

int64_t Network::n_parameters() const {
  const int64_t own = rows_.n_edges() + int64_t(bias_slots_.size());
  return recurrent_ ? own + head_.n_edges() + n_outputs : own;
}

}  // namespace wirenas
