// Batches whose hidden neurons are normalised: all tiles go forward level by level, and back; and folding, which turns
// the parameters of such a training into those of the plain network.
#pragma once

#include <algorithm>
#include <vector>

#include "passes.h"

namespace wirenas {

template <typename Real>
class NormalisedPasses {
 public:
  NormalisedPasses(const Network& network, Passes<Real>& passes, const Kernels<Real>& kernels)
      : network_(network), passes_(passes), kernels_(kernels), view_(network.feedforward_view()), sums_view_(view_) {
    sums_view_.activation = Activation::identity;
    const int n_lines = network.n_inputs + view_.rows.n_rows;
    n_hidden_ = view_.rows.n_rows - network.n_outputs;
    batch_.block = int64_t(n_lines + kConstantLines) * kTile;
    batch_.deltas_block = int64_t(n_lines) * kTile;
    batch_.normals_block = int64_t(n_hidden_) * kTile;
    means_.resize(size_t(n_hidden_));
    inverses_.resize(size_t(n_hidden_));
    bias_gradients_.resize(size_t(n_hidden_));
  }

  // Sum of the losses of a batch, and the gradients of their mean.
  double gradients(const Real* parameters, const Real* gamma, const int64_t* examples, int count, Real* gradients,
                   Real* gamma_gradients) {
    const auto own = passes_.now_;
    forward(parameters, gamma, examples, count, true);
    batch_.bias_gradients = bias_gradients_.data();
    batch_.gamma_gradients = gamma_gradients;
    double loss = 0;
    each_tile(examples, count,
              [&](const int64_t* part, int size) { loss += passes_.differentiate(part, size, Real(1) / Real(count)); });
    for (size_t level = network_.levels().size() - 1; level-- > 0;) level_back(level, parameters);
    each_tile(examples, count, [&](const int64_t* part, int size) {
      if (count > kTile) passes_.show(part, size);
      passes_.feedforward_weights_back(size, gradients, part != examples);
    });
    for (int neuron = 0; neuron < n_hidden_; ++neuron) gradients[bias_place(neuron)] = bias_gradients_[size_t(neuron)];
    passes_.now_ = own;
    return loss;
  }

  // Fill the parameters of the plain network, with statistics of some examples, and what each neuron's weights are
  // multiplied by.
  void fold(const Real* parameters, const Real* gamma, const int64_t* examples, int count, Aligned<Real>& folded,
            Real* factors) {
    const auto own = passes_.now_;
    forward(parameters, gamma, examples, count, false);
    passes_.now_ = own;
    std::copy_n(parameters, network_.n_places(), folded.begin());
    for (int neuron = 0; neuron < n_hidden_; ++neuron) {
      const Real factor = gamma[neuron] * inverses_[size_t(neuron)], bias = parameters[bias_place(neuron)];
      factors[neuron] = factor;
      for (int place = view_.rows.start[neuron]; place < view_.rows.start[neuron + 1]; ++place)
        folded[size_t(place)] *= factor;
      // The sums that were normalised have the bias in them.
      folded[size_t(bias_place(neuron))] = bias + (bias - means_[size_t(neuron)]) * factor;
    }
    if (!view_.projects) return;
    Real* const weights = folded.data() + view_.projection;
    for (int d = 0; d < network_.n_inputs; ++d)
      for (int row = 0; row < view_.dense_count; ++row)
        if (view_.dense_first + row < n_hidden_) weights[d * view_.width + row] *= factors[view_.dense_first + row];
  }

 private:
  // Neurons that one task takes, or are worked on together in a batch of a few tiles.
  static constexpr int kNeuronsTogether = 32, kFewTiles = 16;

  int bias_place(int row) const { return view_.rows.start[row + 1] - view_.rows.degree[row] - 1; }

  int n_tiles() const { return (batch_.n_examples + kTile - 1) / kTile; }

  int size_of(int tile) const { return std::min(kTile, batch_.n_examples - tile * kTile); }

  void reserve(int count, bool keeps) {
    const size_t n_tiles = size_t((count + kTile - 1) / kTile);
    if (values_.size() < n_tiles * size_t(batch_.block)) {
      values_ = Aligned<Real>(n_tiles * size_t(batch_.block));
      for (size_t tile = 0; tile < n_tiles; ++tile)
        Passes<Real>::set_ones(values_, int64_t(tile + 1) * (batch_.block / kTile) - kConstantLines);
    }
    if (keeps && deltas_.size() < n_tiles * size_t(batch_.deltas_block)) {
      deltas_ = Aligned<Real>(n_tiles * size_t(batch_.deltas_block));
      normals_ = Aligned<Real>(n_tiles * size_t(batch_.normals_block));
    }
    batch_.n_examples = count;
    batch_.values = values_.data();
    batch_.deltas = keeps ? deltas_.data() : nullptr;
    batch_.normals = keeps ? normals_.data() : nullptr;
    batch_.means = means_.data();
    batch_.inverses = inverses_.data();
  }

  // Call work(examples, size) for every tile, whose memory the passes then work on.
  template <typename Work>
  void each_tile(const int64_t* examples, int count, const Work& work) {
    for (int tile = 0; tile < n_tiles(); ++tile) {
      Real* const deltas = batch_.deltas == nullptr ? nullptr : batch_.deltas + tile * batch_.deltas_block;
      passes_.now_ = {batch_.values + tile * batch_.block, nullptr, deltas};
      work(examples + tile * kTile, std::min(kTile, count - tile * kTile));
    }
  }

  template <typename Work>
  void each_neuron(int begin, int end, const Work& work) {
    if (begin >= end) return;
    passes_.team_->each((end - begin + kNeuronsTogether - 1) / kNeuronsTogether, [&](int64_t i) {
      const int first = begin + int(i) * kNeuronsTogether;
      work(first, std::min(first + kNeuronsTogether, end));
    });
  }

  void forward(const Real* parameters, const Real* gamma, const int64_t* examples, int count, bool keeps) {
    reserve(count, keeps);
    batch_.gamma = gamma;
    each_tile(examples, count, [&](const int64_t* part, int size) {
      passes_.show(part, size);
      passes_.read_inputs(parameters, size);
    });
    for (size_t level = 0; level + 1 < network_.levels().size(); ++level) {
      const int begin = network_.levels()[level], end = network_.levels()[level + 1];
      // Nothing reads the values of the last hidden neurons where statistics alone are asked for.
      if (!keeps && begin >= n_hidden_) return;
      batch_.makes_values = keeps || end < n_hidden_;
      if (passes_.team_ != nullptr) {
        for (int tile = 0; tile < n_tiles(); ++tile)
          passes_.each_part(network_.stretches()[level].rows,
                            [&](int from, int to) { add_up(parameters, tile, from, to); });
        each_neuron(begin, std::min(end, n_hidden_),
                    [&](int from, int to) { kernels_.normalise(view_, batch_, parameters, from, to); });
        continue;
      }
      // Of a few tiles, the sums of some neurons stay in the nearest cache; of many tiles, the values that they read
      // do.
      for (int from = begin, to; from < end; from = to) {
        to = n_tiles() > kFewTiles ? end : group_end(std::min(from + kNeuronsTogether, end));
        for (int tile = 0; tile < n_tiles(); ++tile) add_up(parameters, tile, from, to);
        if (from < n_hidden_) kernels_.normalise(view_, batch_, parameters, from, std::min(to, n_hidden_));
      }
    }
  }

  void add_up(const Real* parameters, int tile, int from, int to) {
    kernels_.feedforward(sums_view_, parameters, batch_.values + tile * batch_.block, nullptr,
                         columns_for(size_of(tile)), from, to);
  }

  // The first row behind those before `end` and others that read the same sources as the last of them.
  int group_end(int end) const { return end + view_.rows.group[end - 1] - 1; }

  void level_back(size_t level, const Real* parameters) {
    const int begin = network_.levels()[level], end = std::min(network_.levels()[level + 1], n_hidden_);
    const auto pull = [&](int tile, int from, int to) {
      kernels_.feedforward_deltas(sums_view_, parameters, batch_.values + tile * batch_.block, nullptr,
                                  batch_.deltas + tile * batch_.deltas_block, columns_for(size_of(tile)), from, to);
    };
    const auto normalise = [&](int from, int to) { kernels_.normalise_back(view_, batch_, parameters, from, to); };
    if (passes_.team_ != nullptr) {
      for (int tile = 0; tile < n_tiles(); ++tile)
        passes_.each_part(network_.stretches()[level].neurons, [&](int from, int to) { pull(tile, from, to); });
      each_neuron(begin, end, normalise);
      return;
    }
    for (int from = begin, to; from < end; from = to) {
      to = std::min(from + kNeuronsTogether, end);
      for (int tile = 0; tile < n_tiles(); ++tile) pull(tile, from, to);
      normalise(from, to);
    }
  }

  const Network& network_;
  Passes<Real>& passes_;
  const Kernels<Real>& kernels_;
  Feedforward view_, sums_view_;
  int n_hidden_ = 0;
  NormalisedBatch<Real> batch_;
  Aligned<Real> values_, deltas_, normals_;
  std::vector<Real> means_, inverses_, bias_gradients_;
};

}  // namespace wirenas
