#include "nulls.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "checks.h"

namespace wirenas {
namespace {

constexpr int64_t most_bits = int64_t(1) << 28;
constexpr double threes = 0.125;

// A move is made where it leaves as many edges of each kind.
template <size_t n>
bool same_kinds(std::array<int64_t, n> before, std::array<int64_t, n> after) {
  std::sort(before.begin(), before.end());
  std::sort(after.begin(), after.end());
  return before == after;
}

class Chain {
 public:
  Chain(Links& links, const Graph& fixed, const Kinds& kinds, bool keeps_mutual)
      : links_(links),
        kinds_(kinds),
        keeps_mutual_(keeps_mutual),
        n_singles_(int64_t(links.singles.size())),
        n_pairs_(int64_t(links.pairs.size())),
        there_(fixed.n_neurons, fixed.n_edges + n_singles_ + 2 * n_pairs_),
        first_(fixed.n_neurons, n_singles_ + 2 * n_pairs_),
        overlap_(n_singles_ + 2 * n_pairs_) {
    for (const Edge& edge : fixed) there_.insert(edge.source, edge.target);
    for (const Edge& edge : links.singles) begin_with(edge.source, edge.target);
    for (const Edge& edge : links.pairs) {
      begin_with(edge.source, edge.target);
      begin_with(edge.target, edge.source);
    }
  }

  bool try_move(BitGenerator& random) {
    const int64_t chosen = random.below(n_singles_ + n_pairs_);
    if (chosen >= n_singles_) return exchange_ends(random, chosen - n_singles_);
    return random.uniform() < threes ? exchange_targets<3>(random, chosen) : exchange_targets<2>(random, chosen);
  }

  int64_t overlap() const { return overlap_; }

 private:
  void begin_with(int32_t source, int32_t target) {
    there_.insert(source, target);
    first_.insert(source, target);
  }

  void move(int32_t source, int32_t before, int32_t after) {
    there_.erase(source, before);
    there_.insert(source, after);
    overlap_ += int64_t(first_.contains(source, after)) - int64_t(first_.contains(source, before));
  }

  // The edges of some places get each other's targets, in a cycle.
  template <size_t n>
  bool exchange_targets(BitGenerator& random, int64_t chosen) {
    std::array<int64_t, n> at;
    at[0] = chosen;
    for (size_t i = 1; i < n; ++i) at[i] = random.below(n_singles_);
    std::array<Edge, n> before, after;
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < i; ++j)
        if (at[i] == at[j]) return false;
      before[i] = links_.singles[size_t(at[i])];
    }
    std::array<int64_t, n> kind_before, kind_after;
    for (size_t i = 0; i < n; ++i) {
      after[i] = {before[i].source, before[(i + 1) % n].target};
      if (after[i].source == after[i].target || there_.contains(after[i].source, after[i].target)) return false;
      kind_before[i] = kinds_(before[i].source, before[i].target);
      kind_after[i] = kinds_(after[i].source, after[i].target);
    }
    if (!same_kinds(kind_before, kind_after)) return false;
    if (keeps_mutual_ && makes_mutual(before, after)) return false;
    for (size_t i = 0; i < n; ++i) {
      move(before[i].source, before[i].target, after[i].target);
      links_.singles[size_t(at[i])] = after[i];
    }
    return true;
  }

  template <size_t n>
  bool makes_mutual(const std::array<Edge, n>& before, const std::array<Edge, n>& after) {
    for (const Edge& edge : before) there_.erase(edge.source, edge.target);
    bool makes = false;
    for (size_t i = 0; i < n; ++i) {
      makes = makes || there_.contains(after[i].target, after[i].source);
      for (size_t j = 0; j < i; ++j)
        makes = makes || (after[i].source == after[j].target && after[i].target == after[j].source);
    }
    for (const Edge& edge : before) there_.insert(edge.source, edge.target);
    return makes;
  }

  // Two pairs exchange an end each.
  bool exchange_ends(BitGenerator& random, int64_t one) {
    const int64_t other = random.below(n_pairs_);
    const bool is_turned = random.uniform() < 0.5;
    if (one == other) return false;
    Edge& first = links_.pairs[size_t(one)];
    Edge second = links_.pairs[size_t(other)];
    if (is_turned) std::swap(second.source, second.target);
    const int32_t a = first.source, b = first.target, c = second.source, d = second.target;
    if (a == d || c == b || there_.contains(a, d) || there_.contains(d, a) || there_.contains(c, b) ||
        there_.contains(b, c))
      return false;
    if (!same_kinds(std::array{kinds_(a, b), kinds_(b, a), kinds_(c, d), kinds_(d, c)},
                    std::array{kinds_(a, d), kinds_(d, a), kinds_(c, b), kinds_(b, c)}))
      return false;
    move(a, b, d);
    move(b, a, c);
    move(c, d, b);
    move(d, c, a);
    if (is_turned) std::swap(links_.ahead[size_t(other)], links_.back[size_t(other)]);
    std::swap(links_.back[size_t(one)], links_.back[size_t(other)]);
    first = {a, d};
    links_.pairs[size_t(other)] = {c, b};
    return true;
  }

  Links& links_;
  const Kinds& kinds_;
  const bool keeps_mutual_;
  const int64_t n_singles_, n_pairs_;
  EdgeSet there_, first_;
  int64_t overlap_;
};

}  // namespace

EdgeSet::EdgeSet(int32_t n_neurons, int64_t most) : n_neurons_(uint64_t(n_neurons)) {
  const int64_t n_places = int64_t(n_neurons) * n_neurons;
  if (n_places <= most_bits) {
    bits_.assign(size_t(n_places / 64 + 1), 0);
    return;
  }
  int bits = 1;
  while ((int64_t(1) << bits) < 2 * most) ++bits;
  shift_ = 64 - bits;
  slots_.assign(size_t(1) << bits, empty);
}

void EdgeSet::insert(int32_t source, int32_t target) {
  const uint64_t key = key_of(source, target);
  if (!bits_.empty())
    bits_[key >> 6] |= uint64_t(1) << (key & 63);
  else
    slots_[place(key)] = int64_t(key);
}

void EdgeSet::erase(int32_t source, int32_t target) {
  const uint64_t key = key_of(source, target);
  if (!bits_.empty()) {
    bits_[key >> 6] &= ~(uint64_t(1) << (key & 63));
    return;
  }
  // Those behind it move up, unless they would stand before the place where they are looked for first.
  const size_t last = slots_.size() - 1;
  size_t hole = place(key);
  if (slots_[hole] == empty) return;
  for (size_t at = (hole + 1) & last; slots_[at] != empty; at = (at + 1) & last) {
    const size_t from = home(uint64_t(slots_[at]));
    if (((at - from) & last) >= ((at - hole) & last)) {
      slots_[hole] = slots_[at];
      hole = at;
    }
  }
  slots_[hole] = empty;
}

int64_t Kinds::operator()(int32_t source, int32_t target) const {
  int64_t kind = 0;
  if (by == By::order) kind = label[source] < label[target];
  if (by == By::pair) kind = label[source] * n_labels + label[target];
  if (n_dimensions == 0) return kind;
  double squares = 0;
  for (int i = 0; i < n_dimensions; ++i) {
    const double apart = position[int64_t(source) * n_dimensions + i] - position[int64_t(target) * n_dimensions + i];
    squares += apart * apart;
  }
  const double length = std::sqrt(squares);
  return kind * (n_borders + 1) + (std::upper_bound(borders, borders + n_borders, length) - borders);
}

Walk walk(BitGenerator& random, Links& links, const Graph& fixed, const Kinds& kinds, bool keeps_mutual,
          int64_t part_size, int64_t n_parts) {
  Walk found;
  if (links.singles.empty() && links.pairs.empty()) return found;
  Chain chain(links, fixed, kinds, keeps_mutual);
  for (int64_t part = 0; part < n_parts; ++part) {
    for (int64_t i = 0; i < part_size; ++i) {
      if ((i & 1023) == 0) heed_signals();
      found.n_moves += chain.try_move(random);
    }
    found.n_tries += part_size;
    found.overlaps.push_back(chain.overlap());
  }
  return found;
}

}  // namespace wirenas
