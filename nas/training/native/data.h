// The examples of a task, as every training of it reads them; shared by all threads and never written.
#pragma once

#include <cstdint>
#include <vector>

#include "layout.h"

namespace wirenas {

template <typename Real>
struct Data {
  const Real* inputs = nullptr;       // (n, row_length): rows, padded to whole vectors, or sequences (n, width, n_inputs)
  const uint8_t* symbols = nullptr;   // (n, width) in place of inputs
  const int64_t* lengths = nullptr;   // (n) of sequences
  const int64_t* classes = nullptr;   // (n) for cross-entropy
  const Real* targets = nullptr;      // (n, n_outputs) for the squared error
  int64_t row_length = 0;
  int n_inputs = 0, n_outputs = 0;
  Loss loss = Loss::cross_entropy;

  bool is_sequence() const { return lengths != nullptr; }
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
