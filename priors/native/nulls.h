// The chains of priors/nulls.py, from the same doubles in the same order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bit_generator.h"
#include "edges.h"

namespace wirenas {

// Edges that are there, of n_neurons^2 possible ones: bits where these are few enough, else a table.
class EdgeSet {
 public:
  EdgeSet(int32_t n_neurons, int64_t most);

  bool contains(int32_t source, int32_t target) const {
    const uint64_t key = key_of(source, target);
    if (!bits_.empty()) return (bits_[key >> 6] >> (key & 63)) & 1;
    return slots_[place(key)] == int64_t(key);
  }
  void insert(int32_t source, int32_t target);
  void erase(int32_t source, int32_t target);

 private:
  uint64_t key_of(int32_t source, int32_t target) const { return uint64_t(source) * n_neurons_ + uint64_t(target); }
  size_t home(uint64_t key) const { return size_t((key * 0x9E3779B97F4A7C15u) >> shift_); }
  size_t place(uint64_t key) const {
    size_t at = home(key);
    while (slots_[at] != int64_t(key) && slots_[at] != empty) at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  static constexpr int64_t empty = -1;
  uint64_t n_neurons_;
  int shift_ = 0;
  std::vector<uint64_t> bits_;
  std::vector<int64_t> slots_;
};

// What kind of edge joins two neurons: by their labels, and by how far apart they are.
struct Kinds {
  enum class By { nothing, order, pair };

  By by = By::nothing;
  const int64_t* label = nullptr;
  int64_t n_labels = 1;
  const double* position = nullptr;
  int n_dimensions = 0;
  const double* borders = nullptr;
  int64_t n_borders = 0;

  int64_t operator()(int32_t source, int32_t target) const;
};

// Two kinds of links: single edges, whose targets are exchanged, and pairs of an edge with its reverse, whose ends are.
struct Links {
  std::vector<Edge> singles, pairs;
  // Which weights the two directions of a pair have: numbers of weights there, (n_pairs,) each.
  std::vector<int64_t> ahead, back;
};

struct Walk {
  int64_t n_tries = 0, n_moves = 0;
  // How many of the first edges are there after each part of the walk.
  std::vector<int64_t> overlaps;
};

// Make as many tries as n_parts parts of part_size have; `fixed` edges stay, and no edge may come to stand beside them
// twice. With `keeps_mutual` no two single edges become a pair.
Walk walk(BitGenerator& random, Links& links, const Graph& fixed, const Kinds& kinds, bool keeps_mutual,
          int64_t part_size, int64_t n_parts);

}  // namespace wirenas
