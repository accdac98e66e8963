// The order in which an epoch visits its examples: the stable ascending order of one random double each.
#pragma once

#include <cstdint>
#include <vector>

#include "bit_generator.h"

namespace wirenas {

class Shuffler {
 public:
  // Write the places 0 .. count - 1 in the order of the doubles drawn for them.
  void draw(BitGenerator& generator, int64_t count, int64_t* order) {
    keys_.resize(size_t(count));
    sorted_.resize(size_t(count));
    for (int64_t i = 0; i < count; ++i) keys_[size_t(i)] = {generator.uniform(), i};
    // Two passes over the leading bits all but sort doubles that lie between 0 and 1; insertion does the rest.
    pass(keys_, sorted_, 2048.0 * 2048.0);
    pass(sorted_, keys_, 2048.0);
    for (size_t i = 1; i < keys_.size(); ++i) {
      const Key key = keys_[i];
      size_t j = i;
      for (; j > 0 && keys_[j - 1].value > key.value; --j) keys_[j] = keys_[j - 1];
      keys_[j] = key;
    }
    for (int64_t i = 0; i < count; ++i) order[i] = keys_[size_t(i)].place;
  }

 private:
  struct Key {
    double value;
    int64_t place;
  };

  static void pass(const std::vector<Key>& from, std::vector<Key>& to, double scale) {
    size_t start[2049] = {};
    const auto digit = [scale](const Key& key) { return size_t(key.value * scale) & 2047; };
    for (const Key& key : from) ++start[digit(key) + 1];
    for (int i = 1; i < 2049; ++i) start[i] += start[i - 1];
    for (const Key& key : from) to[start[digit(key)]++] = key;
  }

  std::vector<Key> keys_, sorted_;
};

}  // namespace wirenas
