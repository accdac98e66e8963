#include "network.h"

#include <algorithm>

namespace wirenas {
namespace {

// Edges from which on several threads pay, and about how many of them are one task.
constexpr int kWorthThreads = 100'000, kTaskEdges = 1 << 14;

}  // namespace

OwnedRows::OwnedRows(int n_rows, int rows_per_unit, int n_neurons, int first, int ones, bool pulls,
                     const std::vector<Entry>& entries, int apart)
    : n_rows_(n_rows), start_(size_t(n_rows) + 1), degree_(size_t(n_rows)), n_inputs_(size_t(n_rows)) {
  for (const Entry& entry : entries) {
    ++degree_[size_t(entry.row)];
    n_inputs_[size_t(entry.row)] += entry.neuron < 0;
  }
  // Padding to a multiple of four, a bias, and weights.
  for (size_t row = 0; row < size_t(n_rows); ++row) start_[row + 1] = start_[row] + padded(degree_[row] + 1, kPadding);

  source_.assign(size_t(start_.back()) + kAhead, (ones + 1) * kTile);
  weights_.reserve(entries.size());
  std::vector<int32_t> next(static_cast<size_t>(n_rows));
  for (int row = 0; row < n_rows; ++row) {
    source_[size_t(bias_place(row))] = ones * kTile;
    next[size_t(row)] = bias_place(row) + 1;
    owner_.insert(owner_.end(), size_t(start_[size_t(row) + 1] - start_[size_t(row)]) / kPadding,
                  (first + row) * kTile);
  }
  for (const Entry& entry : entries) {
    const int32_t place = next[size_t(entry.row)]++;
    source_[size_t(place)] = entry.source;
    if (entry.slot < 0)
      ghosts_.push_back(place);
    else
      weights_.push_back({place, entry.slot});
  }
  find_groups(rows_per_unit, apart);
  if (pulls) list_outgoing(n_neurons, entries);
}

void OwnedRows::find_groups(int rows_per_unit, int apart) {
  group_.assign(size_t(n_rows_), 1);
  for (int row = n_rows_ - 2; row >= 0; --row) {
    const size_t i = size_t(row);
    if (row + 1 == apart || (rows_per_unit > 1 && (row + 1) % rows_per_unit == 0)) continue;
    if (degree_[i] != degree_[i + 1]) continue;
    const auto begin = source_.begin() + start_[i], end = source_.begin() + start_[i + 1];
    if (std::equal(begin, end, end)) group_[i] = group_[i + 1] + 1;
  }
}

// Only for rows without ghosts: weights come in the order of entries.
void OwnedRows::list_outgoing(int n_neurons, const std::vector<Entry>& entries) {
  out_start_.assign(size_t(n_neurons) + 1, 0);
  for (const Entry& entry : entries)
    if (entry.neuron >= 0) ++out_start_[size_t(entry.neuron) + 1];
  for (size_t neuron = 0; neuron < size_t(n_neurons); ++neuron) out_start_[neuron + 1] += out_start_[neuron];
  out_target_.resize(size_t(out_start_.back()) + kAhead);
  out_weight_.resize(size_t(out_start_.back()) + kAhead);
  std::vector<int32_t> next(out_start_.begin(), out_start_.end() - 1);
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].neuron < 0) continue;
    const size_t place = size_t(next[size_t(entries[i].neuron)]++);
    out_target_[place] = entries[i].out_target;
    out_weight_[place] = weights_[i].inside;
  }
}

std::vector<int32_t> OwnedRows::cut_rows(int begin, int end, int64_t n_edges) const {
  std::vector<int32_t> bounds{begin};
  int64_t count = 0;
  for (int row = begin; row < end; ++row) {
    if (count >= n_edges && group_[size_t(row) - 1] == 1) {
      bounds.push_back(row);
      count = 0;
    }
    count += degree_[size_t(row)] + kPadding;
  }
  bounds.push_back(end);
  return bounds;
}

std::vector<int32_t> OwnedRows::cut_neurons(int begin, int end, int64_t n_edges) const {
  std::vector<int32_t> bounds{begin};
  int64_t count = 0;
  for (int neuron = begin; neuron < end; ++neuron) {
    if (count >= n_edges) {
      bounds.push_back(neuron);
      count = 0;
    }
    count += out_start_[size_t(neuron) + 1] - out_start_[size_t(neuron)] + kPadding;
  }
  bounds.push_back(end);
  return bounds;
}

Rows OwnedRows::view() const {
  Rows rows;
  rows.n_rows = n_rows_;
  rows.start = start_.data();
  rows.degree = degree_.data();
  rows.source = source_.data();
  rows.owner = owner_.data();
  rows.n_inputs = n_inputs_.data();
  rows.group = group_.data();
  rows.out_start = out_start_.data();
  rows.out_target = out_target_.data();
  rows.out_weight = out_weight_.data();
  return rows;
}

Network Network::feedforward(int n_inputs, int n_neurons, int n_outputs, Activation activation, const int32_t* edges,
                             int n_edges, const int64_t* slots, bool sparse_inputs) {
  Network network;
  network.n_inputs = n_inputs;
  network.n_outputs = n_outputs;
  network.activation_ = activation;
  const int n_rows = n_neurons - n_inputs;
  std::vector<int> from_inputs(size_t(n_rows), 0), from_neurons(size_t(n_rows), 0);
  std::vector<int32_t> last_read(size_t(n_rows), -1);
  std::vector<Entry> entries(size_t(n_edges), Entry{});
  for (int e = 0; e < n_edges; ++e) {
    const int32_t source = edges[2 * e], target = edges[2 * e + 1];
    entries[size_t(e)] = {target - n_inputs, source * kTile, slots == nullptr ? e : slots[e], source - n_inputs,
                          target * kTile};
    ++(source < n_inputs ? from_inputs : from_neurons)[size_t(target - n_inputs)];
    last_read[size_t(target - n_inputs)] = std::max(last_read[size_t(target - n_inputs)], source - n_inputs);
  }
  const auto reads_every_input = [&](int row) {
    return from_inputs[size_t(row)] == n_inputs && from_neurons[size_t(row)] == 0;
  };
  int& first = network.dense_first_;
  int& count = network.dense_count_;
  while (first < n_rows && !reads_every_input(first)) ++first;
  while (first + count < n_rows && reads_every_input(first + count)) ++count;

  if (sparse_inputs && count > 0) network.set_projection_apart(entries);
  network.rows_ = OwnedRows(n_rows, 1, n_rows - n_outputs, n_inputs, n_neurons, true, entries, n_rows - n_outputs);
  for (Place& place : network.projected_) place.inside += int32_t(network.rows_.n_places());
  for (int row = 0; row < n_rows; ++row) network.biases_.push_back({network.rows_.bias_place(row), row});
  network.find_levels(last_read);
  if (n_edges >= kWorthThreads) network.share_out();
  return network;
}

void Network::find_levels(const std::vector<int32_t>& last_read) {
  levels_ = {0};
  for (int row = 0; row < int(last_read.size()); ++row)
    if (last_read[size_t(row)] >= levels_.back()) levels_.push_back(row);
  levels_.push_back(int(last_read.size()));
}

void Network::share_out() {
  const int n_hidden = levels_.back() - n_outputs;
  for (size_t level = 0; level + 1 < levels_.size(); ++level) {
    const int begin = levels_[level], end = levels_[level + 1];
    Stretch stretch{rows_.cut_rows(begin, end, kTaskEdges), {}};
    if (begin < n_hidden) stretch.neurons = rows_.cut_neurons(begin, std::min(end, n_hidden), kTaskEdges);
    stretches_.push_back(std::move(stretch));
  }
}

void Network::set_projection_apart(std::vector<Entry>& entries) {
  width_ = padded(dense_count_, kWidest);
  const auto is_projected = [this](const Entry& entry) {
    return entry.row >= dense_first_ && entry.row < dense_first_ + dense_count_;
  };
  for (const Entry& entry : entries)
    if (is_projected(entry))
      projected_.push_back({entry.source / kTile * width_ + entry.row - dense_first_, entry.slot});
  entries.erase(std::remove_if(entries.begin(), entries.end(), is_projected), entries.end());
  reads_inputs_ = std::any_of(entries.begin(), entries.end(), [](const Entry& entry) { return entry.neuron < 0; });
}

Network Network::recurrent(const std::vector<int>& sizes, int n_outputs, Cell cell, const int32_t* edges,
                           const int32_t* gates, int n_edges, const int64_t* slots, const int32_t* head_edges,
                           int n_head_edges, const int64_t* head_slots, bool learns_initial) {
  Network network;
  network.recurrent_ = true;
  network.n_inputs = sizes[0];
  network.n_outputs = n_outputs;
  network.cell_ = cell;
  const int n_gates = cell == Cell::gru || cell == Cell::lstm ? 4 : 1;
  network.gates_ = n_gates;
  std::vector<int> layer;
  for (size_t i = 0; i < sizes.size(); ++i) layer.insert(layer.end(), size_t(sizes[i]), int(i));
  const int n_inputs = sizes[0], n_lines = int(layer.size());
  network.n_cells_ = n_lines - n_inputs;

  std::vector<Entry> entries;
  for (int e = 0; e < n_edges; ++e) {
    const int32_t source = edges[2 * e], target = edges[2 * e + 1];
    const bool later = layer[size_t(source)] >= layer[size_t(target)];
    const int32_t block = later ? n_lines + kConstantLines : 0;
    const auto entry = [&](int gate, int64_t slot) {
      return Entry{(target - n_inputs) * n_gates + gate, (source - block) * kTile, slot, source - n_inputs,
                   (target + block) * kTile};
    };
    if (cell != Cell::gru || gates[e] < 2 || later) {
      entries.push_back(entry(gates[e], slots[e]));
      continue;
    }
    // The GRU's candidate keeps what it reads within the step and what it remembers apart; ghosts let the latter row
    // share its sources with those of the other gates.
    entries.push_back(entry(3, slots[e]));
    entries.push_back(entry(2, -1));
  }
  network.rows_ =
      OwnedRows(network.n_cells_ * n_gates, n_gates, network.n_cells_, n_inputs, n_lines, n_gates == 1, entries);

  // Outside, biases lie layer by layer and, within a layer, gate by gate.
  const auto row_of_bias = [cell](int gate) { return cell == Cell::gru && gate >= 2 ? 5 - gate : gate; };
  int first = 0;
  for (size_t i = 1; i < sizes.size(); first += sizes[i], ++i) {
    network.layer_start_.push_back(first);
    for (int gate = 0; gate < n_gates; ++gate)
      for (int j = 0; j < sizes[i]; ++j)
        network.biases_.push_back({network.rows_.bias_place((first + j) * n_gates + row_of_bias(gate)),
                                   int64_t(first) * n_gates + int64_t(gate) * sizes[i] + j});
  }
  network.layer_start_.push_back(first);
  const int n_initial = learns_initial ? network.n_cells_ * (cell == Cell::lstm ? 2 : 1) : 0;
  for (int i = 0; i < n_initial; ++i) network.initial_.push_back({i, int64_t(network.biases_.size()) + i});

  std::vector<Entry> read_out(size_t(n_head_edges), Entry{});
  for (int e = 0; e < n_head_edges; ++e)
    read_out[size_t(e)] = {head_edges[2 * e + 1] - n_lines, (head_edges[2 * e] - n_inputs) * kTile, head_slots[e],
                           head_edges[2 * e] - n_inputs, 0};
  network.head_ = OwnedRows(n_outputs, 1, network.n_cells_, 0, network.n_cells_, false, read_out);
  for (int row = 0; row < n_outputs; ++row) network.head_biases_.push_back({network.head_.bias_place(row), row});
  return network;
}

Feedforward Network::feedforward_view() const {
  Feedforward view;
  view.rows = rows_.view();
  view.n_inputs = n_inputs;
  view.n_outputs = n_outputs;
  view.dense_first = dense_first_;
  view.dense_count = dense_count_;
  view.projects = width_ > 0;
  view.projection = int(rows_.n_places());
  view.width = width_;
  view.activation = activation_;
  view.far = n_inputs + view.rows.n_rows > kNearLines;
  return view;
}

Recurrent Network::recurrent_view() const {
  Recurrent view;
  view.rows = rows_.view();
  view.head = head_.view();
  view.n_inputs = n_inputs;
  view.n_cells = n_cells_;
  view.n_layers = int(layer_start_.size()) - 1;
  view.layer_start = layer_start_.data();
  if (!initial_.empty()) view.initial = initial_start();
  view.gates = gates_;
  view.cell = cell_;
  return view;
}

}  // namespace wirenas
