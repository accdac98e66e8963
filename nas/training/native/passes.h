// Examples through a network and back: tiles, losses and gradients, in memory that is kept from batch to batch.
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "aligned.h"
#include "data.h"
#include "kernels.h"
#include "network.h"
#include "team.h"

namespace wirenas {

struct Score {
  double loss;
  double metric;  // accuracy, or the loss again; of both the weighted mean where examples have weights
};

// Parameters of a network and the memory to pass examples through it.
template <typename Real>
class Passes {
 public:
  Passes(const Network& network, const Data<Real>& data, const Kernels<Real>& kernels)
      : network_(network), data_(data), kernels_(kernels) {
    const auto lines = [](int64_t count) { return Aligned<Real>(size_t(count) * kTile); };
    if (network.is_recurrent()) {
      recurrent_ = network.recurrent_view();
      block_ = (int64_t(recurrent_.n_inputs) + recurrent_.n_cells + kConstantLines) * kTile;
      read_block_ = (int64_t(recurrent_.n_cells) + kConstantLines) * kTile;
      reserve_reads(kTile);
      if (recurrent_.gates > 1) value_deltas_.resize(2 * size_t(block_));
      if (recurrent_.cell == Cell::lstm) memory_deltas_ = lines(recurrent_.n_cells);
    } else {
      feedforward_ = network.feedforward_view();
      const int n_neurons = network.n_inputs + feedforward_.rows.n_rows;
      values_ = lines(n_neurons + kConstantLines);
      set_ones(values_, n_neurons);
      deltas_ = lines(n_neurons);
      if (feedforward_.projects) {
        tile_sums_.resize(size_t(kTile) * size_t(feedforward_.width));
        input_start_.resize(size_t(network.n_inputs) + 2);
      }
      if (feedforward_.activation == Activation::gelu) sums_ = lines(feedforward_.rows.n_rows);
    }
    now_ = {values_.data(), sums_.data(), deltas_.data()};
  }

  // Threads for what is large, or none.
  void share_with(Team* team) { team_ = network_.stretches().empty() ? nullptr : team; }

  // Sum of the losses of a batch, and the gradients of their mean.
  double gradients(const Real* parameters, int64_t* examples, int count, Real* gradients) {
    const Real scale = Real(1) / Real(count * data_.steps_per_example);
    if (data_.is_sequence()) sort_by_length(examples, count, data_.lengths, buffer_);
    if (!data_.first_row.empty()) {
      list_rows(examples, count);
      examples = buffer_.data();
      count = int(buffer_.size());
    }
    double loss = 0;
    for (int first = 0; first < count; first += kTile) {
      const int size = std::min(kTile, count - first);
      forward(parameters, examples + first, size);
      loss += differentiate(examples + first, size, scale);
      backward(parameters, size, gradients, first > 0);
    }
    for (int32_t place : network_.ghosts()) gradients[place] = 0;
    return loss;
  }

  Score evaluate(const Real* parameters, const int64_t* examples, int64_t count) {
    if (!data_.first_row.empty()) {
      list_rows(examples, count);
      examples = buffer_.data();
      count = int64_t(buffer_.size());
    }
    double loss = 0, hits = 0, total = 0;
    for (int64_t first = 0; first < count; first += kTile) {
      const int size = int(std::min<int64_t>(kTile, count - first));
      forward(parameters, examples + first, size);
      loss += differentiate(examples + first, size, Real(1), [&](const Real* outputs, int n_reads) {
        if (data_.loss == Loss::cross_entropy)
          hits += kernels_.count_hits(outputs, network_.n_outputs, classes_, n_reads, counts());
        total = data_.counts == nullptr ? total + n_reads : std::accumulate(counts_, counts_ + n_reads, total);
      });
    }
    return {loss / total, (data_.loss == Loss::cross_entropy ? hits : loss) / total};
  }

  // (count, n_outputs) outputs of some examples, or (count, width, n_outputs) where each step has a target, of which
  // those behind the ends of sequences stay what they are.
  void predict(const Real* parameters, const int64_t* examples, int64_t count, Real* to) {
    const int64_t width = std::max<int64_t>(data_.width, 1);
    for (int64_t first = 0; first < count; first += kTile) {
      const int size = int(std::min<int64_t>(kTile, count - first));
      forward(parameters, examples + first, size, true);
      for (int read = 0; read < n_reads(size); ++read) {
        const int64_t example = first + (network_.is_recurrent() ? read_column_[size_t(read)] : read);
        const int64_t step = data_.width > 0 ? read_step_[size_t(read)] : 0;
        for (int k = 0; k < network_.n_outputs; ++k)
          to[(example * width + step) * network_.n_outputs + k] = outputs(read / kTile)[k * kTile + read % kTile];
      }
    }
  }

 private:
  template <typename>
  friend class NormalisedPasses;

  // What a tile of a feed-forward network works on.
  struct Memory {
    Real *values, *sums, *deltas;
  };

  // Of a tile of what is read; feed-forward networks have one.
  const Real* outputs(int tile) const {
    const size_t lines = size_t(network_.n_outputs) * kTile;
    return network_.is_recurrent() ? outputs_.data() + size_t(tile) * lines : now_.values + deltas_.size() - lines;
  }

  Real* output_deltas(int tile) {
    const size_t lines = size_t(network_.n_outputs) * kTile;
    return network_.is_recurrent() ? deltas_.data() + size_t(tile) * lines : now_.deltas + deltas_.size() - lines;
  }

  // How many outputs there are of so many examples.
  int n_reads(int count) const { return network_.is_recurrent() ? int(read_column_.size()) : count; }

  static int n_tiles(int n_reads) { return (n_reads + kTile - 1) / kTile; }

  // The rows of some examples, one after the other.
  void list_rows(const int64_t* examples, int64_t count) {
    buffer_.clear();
    for (int64_t i = 0; i < count; ++i)
      for (int64_t row = data_.first_row[size_t(examples[i])]; row < data_.first_row[size_t(examples[i]) + 1]; ++row)
        buffer_.push_back(row);
  }

  // Factors of the losses of the tile that was differentiated last, and what its examples count; none where they are 1.
  const Real* weights() const { return data_.weights == nullptr ? nullptr : weights_; }
  const Real* counts() const { return data_.counts == nullptr ? nullptr : counts_; }

  // Let the examples of a tile be those that are worked on.
  void show(const int64_t* examples, int count) {
    for (int b = 0; b < count; ++b) rows_[b] = data_.inputs + examples[b] * data_.row_length;
    if (feedforward_.projects) load_nonzero(examples, count);
  }

  // Fill the lines of inputs, or what is read of them.
  void read_inputs(const Real* parameters, int count) {
    if (network_.reads_inputs()) kernels_.gather(now_.values, rows_, count, network_.n_inputs);
    if (feedforward_.projects)
      kernels_.project(sparse_, parameters + feedforward_.projection, feedforward_.width, feedforward_.dense_count,
                       now_.values + (int64_t(network_.n_inputs) + feedforward_.dense_first) * kTile);
  }

  // Sequences must come the longest first. They are read where they have targets, or at all steps.
  void forward(const Real* parameters, const int64_t* examples, int count, bool at_all_steps = false) {
    if (network_.is_recurrent()) {
      load_sequences(examples, count);
      load_reads(examples, at_all_steps);
      kernels_.recurrent(recurrent_, parameters, states_, tile_);
      for (int tile = 0; tile < n_tiles(n_reads(count)); ++tile)
        kernels_.head(recurrent_.head, parameters + network_.head_start(), read_.data() + tile * read_block_,
                      outputs_.data() + int64_t(tile) * network_.n_outputs * kTile);
      return;
    }
    show(examples, count);
    read_inputs(parameters, count);
    const int columns = columns_for(count);
    if (team_ == nullptr) {
      kernels_.feedforward(feedforward_, parameters, now_.values, now_.sums, columns, 0, feedforward_.rows.n_rows);
      return;
    }
    for (const Stretch& stretch : network_.stretches())
      each_part(stretch.rows, [&](int begin, int end) {
        kernels_.feedforward(feedforward_, parameters, now_.values, now_.sums, columns, begin, end);
      });
  }

  // Share the parts between bounds out over the threads.
  template <typename Work>
  void each_part(const std::vector<int32_t>& bounds, const Work& work) {
    if (bounds.empty()) return;
    team_->each(int64_t(bounds.size()) - 1, [&](int64_t i) { work(bounds[size_t(i)], bounds[size_t(i) + 1]); });
  }

  // Loss of the tile that went forward last; fills the deltas of the outputs.
  double differentiate(const int64_t* examples, int count, Real scale) {
    return differentiate(examples, count, scale, [](const Real*, int) {});
  }

  // The same, with `judge(outputs, n)` called for every tile of what is read.
  template <typename Judge>
  double differentiate(const int64_t* examples, int count, Real scale, Judge judge) {
    double loss = 0;
    for (int first = 0; first < n_reads(count); first += kTile) {
      const int size = std::min(kTile, n_reads(count) - first);
      loss += differentiate_read(examples, first, size, scale);
      judge(outputs(first / kTile), size);
    }
    return loss;
  }

  double differentiate_read(const int64_t* examples, int first, int size, Real scale) {
    const Real* targets[kTile];
    const int tile = first / kTile;
    for (int i = 0; i < size; ++i) {
      const int64_t example = examples[network_.is_recurrent() ? read_column_[size_t(first + i)] : i];
      const int64_t place = data_.width > 0 ? example * data_.width + read_step_[size_t(first + i)] : example;
      if (data_.weights != nullptr) weights_[i] = data_.weights[place];
      if (data_.counts != nullptr) counts_[i] = data_.counts[example];
      if (data_.loss == Loss::cross_entropy)
        classes_[i] = data_.classes[place];
      else
        targets[i] = data_.targets + place * data_.n_outputs;
    }
    if (data_.loss == Loss::cross_entropy)
      return kernels_.cross_entropy(outputs(tile), output_deltas(tile), network_.n_outputs, classes_, size, scale,
                                    weights());
    return kernels_.squared_error(outputs(tile), output_deltas(tile), network_.n_outputs, targets, size, scale,
                                  weights());
  }

  void backward(const Real* parameters, int count, Real* gradients, bool accumulate) {
    if (network_.is_recurrent()) {
      for (int tile = 0; tile < n_tiles(n_reads(count)); ++tile)
        kernels_.head_gradients(recurrent_.head, recurrent_.n_cells, parameters + network_.head_start(),
                                read_.data() + tile * read_block_, output_deltas(tile),
                                read_deltas_.data() + tile * read_block_, gradients + network_.head_start(),
                                accumulate || tile > 0);
      kernels_.recurrent_gradients(recurrent_, parameters, states_, tile_, gradients, accumulate);
    } else {
      feedforward_deltas(parameters, count);
      feedforward_weights_back(count, gradients, accumulate);
    }
  }

  void feedforward_deltas(const Real* parameters, int count) {
    const int columns = columns_for(count);
    const auto deltas = [&](int begin, int end) {
      kernels_.feedforward_deltas(feedforward_, parameters, now_.values, now_.sums, now_.deltas, columns, begin, end);
    };
    if (team_ == nullptr) {
      deltas(0, feedforward_.rows.n_rows - network_.n_outputs);
    } else {
      for (auto stretch = network_.stretches().rbegin(); stretch != network_.stretches().rend(); ++stretch)
        each_part(stretch->neurons, deltas);
    }
  }

  void feedforward_weights_back(int count, Real* gradients, bool accumulate) {
    const Rows& rows = feedforward_.rows;
    const int columns = columns_for(count);
    const auto complete = [&](int begin, int end) {
      kernels_.complete_gradients(feedforward_, now_.deltas, rows_, count, gradients, accumulate, begin, end);
    };
    if (feedforward_.projects)
      kernels_.project_gradients(sparse_, network_.n_inputs, feedforward_.width, feedforward_.dense_count,
                                 now_.deltas + (int64_t(network_.n_inputs) + feedforward_.dense_first) * kTile,
                                 gradients + feedforward_.projection, accumulate);
    const int first = feedforward_.dense_first, count_dense = feedforward_.projects ? 0 : feedforward_.dense_count;
    const int dense_begin = rows.start[first], dense_end = rows.start[first + count_dense];
    place_gradients(0, dense_begin, columns, gradients, accumulate);
    place_gradients(dense_end, rows.start[rows.n_rows], columns, gradients, accumulate);
    if (count_dense == 0) return;
    if (team_ == nullptr)
      complete(first, first + count_dense);
    else
      team_->each((count_dense + kRowsTogether - 1) / kRowsTogether, [&](int64_t i) {
        const int begin = int(i) * kRowsTogether;
        complete(first + begin, first + std::min(begin + kRowsTogether, count_dense));
      });
  }

  void place_gradients(int begin, int end, int columns, Real* gradients, bool accumulate) {
    const auto work = [&](int64_t from, int64_t to) {
      kernels_.feedforward_gradients(feedforward_, now_.values, now_.deltas, columns, gradients, accumulate, int(from),
                                     int(to));
    };
    if (team_ == nullptr)
      work(begin, end);
    else
      team_->each((int64_t(end) - begin + kPlacesTogether - 1) / kPlacesTogether, [&](int64_t i) {
        work(begin + i * kPlacesTogether, std::min<int64_t>(begin + (i + 1) * kPlacesTogether, end));
      });
  }

  // The nonzero inputs of a tile, one example after the other.
  void load_nonzero(const int64_t* examples, int count) {
    tile_values_.clear();
    tile_inputs_.clear();
    for (int b = 0; b < count; ++b) {
      tile_start_[b] = int32_t(tile_values_.size());
      const int64_t begin = data_.nonzero_start[size_t(examples[b])],
                    end = data_.nonzero_start[size_t(examples[b]) + 1];
      tile_values_.insert(tile_values_.end(), data_.nonzero.begin() + begin, data_.nonzero.begin() + end);
      tile_inputs_.insert(tile_inputs_.end(), data_.nonzero_input.begin() + begin, data_.nonzero_input.begin() + end);
    }
    tile_start_[count] = int32_t(tile_values_.size());
    tile_by_input_.resize(tile_values_.size());
    tile_examples_.resize(tile_values_.size());
    sparse_ = {count,
               tile_start_,
               tile_values_.data(),
               tile_inputs_.data(),
               tile_sums_.data(),
               input_start_.data(),
               tile_by_input_.data(),
               tile_examples_.data()};
  }

  static void set_ones(Aligned<Real>& values, int64_t line) {
    std::fill_n(values.begin() + line * kTile, kTile, Real(1));
  }

  void load_sequences(const int64_t* examples, int count) {
    tile_.n_steps = int(data_.lengths[examples[0]]);
    reserve_steps(tile_.n_steps);
    running_.assign(size_t(tile_.n_steps) + 1, 0);
    for (int b = 0; b < count; ++b)
      for (int step = 0; step < data_.lengths[examples[b]]; ++step) ++running_[size_t(step)];
    tile_.running = running_.data();
    for (int step = 0; step < tile_.n_steps; ++step) {
      Real* const lines = state_values_.data() + (step + 1) * block_;
      std::fill(lines, lines + int64_t(recurrent_.n_inputs) * kTile, Real(0));
      // A short tile repeats its last example: columns of nothing could overflow where no example does.
      const int running = running_[size_t(step)];
      const int shown = running == count ? columns_for(count) : running;
      for (int b = 0; b < shown; ++b) load_step(lines + b, examples[std::min(b, count - 1)], step);
    }
  }

  // List what the head reads: the ends of sequences, or steps that have a target, or all of them.
  void load_reads(const int64_t* examples, bool at_all_steps) {
    read_column_.clear();
    read_step_.clear();
    first_read_.resize(size_t(tile_.n_steps) + 1);
    for (int step = tile_.n_steps; step-- > 0;) {
      first_read_[size_t(step) + 1] = int32_t(read_column_.size());
      for (int b = data_.width > 0 ? 0 : running_[size_t(step) + 1]; b < running_[size_t(step)]; ++b) {
        if (data_.width > 0 && !at_all_steps && !data_.counts_step(examples[b], step)) continue;
        read_column_.push_back(b);
        read_step_.push_back(step);
      }
    }
    first_read_[0] = int32_t(read_column_.size());
    reserve_reads(int(read_column_.size()));
    tile_.first_read = first_read_.data();
    tile_.read_column = read_column_.data();
    tile_.read_place = read_place_.data();
    states_.read = read_.data();
    states_.read_deltas = read_deltas_.data();
  }

  void reserve_reads(int count) {
    for (int read = int(read_place_.size()); read < n_tiles(count) * kTile; ++read) {
      read_place_.push_back(read / kTile * read_block_ + read % kTile);
      if (read % kTile != 0) continue;
      const size_t before = read_.size();
      read_.resize(before + size_t(read_block_));
      read_deltas_.resize(before + size_t(read_block_));
      set_ones(read_, int64_t(before) / kTile + recurrent_.n_cells);
      outputs_.resize(outputs_.size() + size_t(network_.n_outputs) * kTile);
      deltas_.resize(outputs_.size());
    }
  }

  void load_step(Real* column, int64_t example, int step) const {
    if (data_.symbols != nullptr) {
      column[int64_t(data_.symbols[example * data_.row_length + step]) * kTile] = 1;
      return;
    }
    const Real* const values = data_.inputs + example * data_.row_length + int64_t(step) * data_.n_inputs;
    for (int d = 0; d < data_.n_inputs; ++d) column[int64_t(d) * kTile] = values[d];
  }

  void reserve_steps(int n_steps) {
    const size_t cells = size_t(recurrent_.n_cells) * kTile, steps = size_t(n_steps);
    if (reserved_ < n_steps) {
      reserved_ = n_steps;
      state_values_.clear();
      state_values_.resize((steps + 2) * size_t(block_));
      for (size_t step = 0; step < steps + 2; ++step)
        set_ones(state_values_, int64_t(step + 1) * (block_ / kTile) - kConstantLines);
      if (recurrent_.gates > 1) gates_.resize(steps * cells * size_t(recurrent_.gates));
      if (recurrent_.cell == Cell::lstm) {
        memory_.resize((steps + 1) * cells);
        squashed_.resize(steps * cells);
      }
    }
    states_ = {state_values_.data(), value_deltas_.data(),  gates_.data(), memory_.data(),
               squashed_.data(),     memory_deltas_.data(), read_.data(),  read_deltas_.data()};
  }

  // What one task takes, in whole vectors.
  static constexpr int kPlacesTogether = 1 << 14, kRowsTogether = 64;

  Team* team_ = nullptr;
  const Network& network_;
  const Data<Real>& data_;
  const Kernels<Real>& kernels_;
  Feedforward feedforward_;
  Recurrent recurrent_;
  Aligned<Real> values_, sums_, deltas_, outputs_;
  Memory now_{};
  Aligned<Real> state_values_, value_deltas_, gates_, memory_, squashed_, memory_deltas_, read_, read_deltas_;
  Aligned<Real> tile_sums_;
  std::vector<Real> tile_values_, tile_by_input_;
  std::vector<int32_t> tile_inputs_, tile_examples_, input_start_;
  int32_t tile_start_[kTile + 1] = {};
  SparseTile<Real> sparse_{};
  std::vector<int32_t> running_, first_read_, read_column_, read_step_;
  std::vector<int64_t> read_place_;
  std::vector<int64_t> buffer_;
  int reserved_ = 0;
  int64_t block_ = 0, read_block_ = 0;
  States<Real> states_{};
  Sequences tile_;
  const Real* rows_[kTile] = {};
  int64_t classes_[kTile] = {};
  Real weights_[kTile] = {};
  Real counts_[kTile] = {};
};

}  // namespace wirenas
