// Sets of up to 512 neurons, one bit each, as the compilers' own vectors; local to every object file.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace {

template <int width>
struct WordsOf;
template <>
struct WordsOf<1> {
  typedef uint64_t Type __attribute__((vector_size(8)));
};
template <>
struct WordsOf<2> {
  typedef uint64_t Type __attribute__((vector_size(16)));
};
template <>
struct WordsOf<4> {
  typedef uint64_t Type __attribute__((vector_size(32)));
};
template <>
struct WordsOf<8> {
  typedef uint64_t Type __attribute__((vector_size(64)));
};

template <int width>
struct Bits {
  using Words = typename WordsOf<width>::Type;
  Words words;

  void insert(int64_t place) { words[place / 64] |= uint64_t(1) << (place % 64); }
};

template <int width>
inline __attribute__((always_inline)) int count(const Bits<width>& set) {
  int own = 0;
#pragma GCC unroll 8
  for (int i = 0; i < width; ++i) own += __builtin_popcountll(set.words[i]);
  return own;
}

// Call `work(width of the sets, first, last)` for blocks of 0 .. n - 1 that fit into a set, none wider than it must.
template <typename Work>
void for_blocks(int64_t n, Work work) {
  if (n <= 64) return work(std::integral_constant<int, 1>{}, int64_t(0), n);
  if (n <= 128) return work(std::integral_constant<int, 2>{}, int64_t(0), n);
  if (n <= 256) return work(std::integral_constant<int, 4>{}, int64_t(0), n);
  for (int64_t first = 0; first < n; first += 512)
    work(std::integral_constant<int, 8>{}, first, std::min(first + 512, n));
}

}  // namespace
