// The examples of a task, as every training of it reads them; shared by all threads and never written.
#pragma once

#include <cstdint>
#include <vector>

#include "layout.h"

namespace wirenas {

template <typename Real>
struct Data {
  const Real* inputs = nullptr;  // (n, row_length): rows, padded to whole vectors, or sequences (n, width, n_inputs)
  const uint8_t* symbols = nullptr;  // (n, width) in place of inputs
  const int64_t* lengths = nullptr;  // (n) of sequences
  // Of examples (n), or of all steps of sequences (n, width).
  const int64_t* classes = nullptr;  // for cross-entropy; -1 at steps that do not count
  const Real* targets = nullptr;     // (…, n_outputs) for the squared error; NaN at steps that do not count
  const Real* weights = nullptr;     // factors of the losses, or none
  const Real* counts = nullptr;      // (n) what each example counts in means of losses and in metrics, or none
  int64_t row_length = 0;
  int64_t width = 0;             // steps of sequences that have a target each; 0 where a target is for a whole example
  double steps_per_example = 1;  // that count in training, on average
  int n_inputs = 0, n_outputs = 0;
  Loss loss = Loss::cross_entropy;

  bool is_sequence() const { return lengths != nullptr; }

  // Where each step has a target, and networks read rows, an example is several of them, which follow each other: this
  // is where they begin, and where the last one's end. Else it is empty.
  std::vector<int64_t> first_row;

  bool counts_step(int64_t example, int step) const {
    const int64_t place = example * width + step;
    return loss == Loss::cross_entropy ? classes[place] >= 0 : targets[place * n_outputs] == targets[place * n_outputs];
  }

  // Inputs that are mostly zero are also kept as their nonzero values, example by example.
  std::vector<int64_t> nonzero_start;  // (n + 1), or empty
  std::vector<Real> nonzero;
  std::vector<int32_t> nonzero_input;

  bool is_sparse() const { return !nonzero_start.empty(); }

  void find_nonzero(int64_t n_examples) {
    constexpr double most = 0.4;  // Beyond this share the dense product is faster.
    int64_t count = 0;
    for (int64_t i = 0; i < n_examples * row_length; ++i) count += inputs[i] != 0;
    if (double(count) > most * double(n_examples) * n_inputs) return;
    nonzero.reserve(size_t(count));
    nonzero_input.reserve(size_t(count));
    nonzero_start.push_back(0);
    for (int64_t example = 0; example < n_examples; ++example) {
      const Real* const row = inputs + example * row_length;
      for (int d = 0; d < n_inputs; ++d) {
        if (row[d] == 0) continue;
        nonzero.push_back(row[d]);
        nonzero_input.push_back(d);
      }
      nonzero_start.push_back(int64_t(nonzero.size()));
    }
  }
};

// The longest sequences first; equally long ones keep their order.
inline void sort_by_length(int64_t* examples, int count, const int64_t* lengths, std::vector<int64_t>& buffer) {
  int64_t longest = 0;
  for (int i = 0; i < count; ++i) longest = lengths[examples[i]] > longest ? lengths[examples[i]] : longest;
  std::vector<int> place(size_t(longest) + 2, 0);
  for (int i = 0; i < count; ++i) ++place[size_t(longest - lengths[examples[i]]) + 1];
  for (size_t i = 1; i < place.size(); ++i) place[i] += place[i - 1];
  buffer.assign(examples, examples + count);
  for (int64_t example : buffer) examples[place[size_t(longest - lengths[example])]++] = example;
}

}  // namespace wirenas
