// Betweenness of neurons and of pairs by Brandes' algorithm, from eight sources side by side or from one.
#pragma once

#include <algorithm>
#include <cstdint>

#include "checks.h"
#include "kernels.h"

namespace wirenas {
namespace {

// Up to this diameter counts of shortest paths cannot overflow, and levels are few enough to go through all neurons.
constexpr int32_t kFarthestBySide = 20;
constexpr int kSide = 8;

// Eight numbers, one of each source, in as many vectors as the instruction set needs for them.
constexpr int kParts = kSide * int(sizeof(double)) / WIRENAS_VECTOR_BYTES, kPart = kSide / kParts;
typedef double Part __attribute__((vector_size(WIRENAS_VECTOR_BYTES)));
struct Lanes {
  Part parts[kParts];

  double& operator[](int lane) { return reinterpret_cast<Lane*>(parts)[lane]; }
  double total() const {
    double own = 0;
    for (const Part& part : parts)
      for (int lane = 0; lane < kPart; ++lane) own += part[lane];
    return own;
  }

 private:
  typedef double Lane __attribute__((may_alias));
};

template <typename Work>
inline __attribute__((always_inline)) void each_part(Work work) {
#pragma GCC unroll 4
  for (int part = 0; part < kParts; ++part) work(part);
}

// The dependencies of eight sources, level by level. A level's values are spread in vectors that are zero in all lanes
// where the neuron is not on the level, so that sums over neighbours need no conditions.
class SideBySide {
 public:
  explicit SideBySide(const Rows& graph)
      : graph_(graph),
        level_(size_t(graph.n())),
        counts_(size_t(graph.n())),
        shares_(size_t(graph.n())),
        spread_(size_t(graph.n())),
        next_(size_t(graph.n())),
        levels_(size_t(graph.n())),
        open_(size_t(graph.n())),
        of_pairs_(graph.list.size() / 2) {}

  void add(const Neuron* sources, int n_sources, std::vector<double>& neurons) {
    start(sources, n_sources);
    int32_t farthest = 0;
    while (advance(farthest + 1)) ++farthest;
    for (int32_t level = farthest; level > 0; --level) retreat(level, neurons);
    add_pairs();
  }

  void finish(std::vector<double>& pairs) const {
    for (size_t pair = 0; pair < pairs.size(); ++pair) pairs[pair] = of_pairs_[pair].total();
  }

 private:
  void start(const Neuron* sources, int n_sources) {
    for (size_t neuron = 0; neuron < counts_.size(); ++neuron) {
      each_part([&](int part) { level_[neuron].parts[part] = Part{} - 1; });
      counts_[neuron] = shares_[neuron] = spread_[neuron] = {};
      levels_[neuron] = 0;
      open_[neuron] = 1;
    }
    for (int lane = 0; lane < n_sources; ++lane) {
      const size_t source = size_t(sources[lane]);
      level_[source][lane] = 0;
      counts_[source][lane] = spread_[source][lane] = 1;
      levels_[source] = 1;
    }
    n_sources_ = n_sources;
  }

  Lanes around(Neuron neuron) const {
    Lanes sum{};
    for (const Neuron other : graph_[neuron]) {
      const Lanes& from = spread_[size_t(other)];
      each_part([&](int part) { sum.parts[part] += from.parts[part]; });
    }
    return sum;
  }

  // Count the shortest paths to the neurons of a level; return whether there are any.
  bool advance(int32_t level) {
    bool any = false;
    for (Neuron neuron = 0; neuron < graph_.n(); ++neuron) {
      const size_t own = size_t(neuron);
      Lanes found{};
      if (open_[own]) {
        const Lanes sum = around(neuron);
        Lanes n_found{}, n_counted{};
        each_part([&](int part) {
          Part& count = counts_[own].parts[part];
          Part& at = level_[own].parts[part];
          found.parts[part] = count == 0 ? sum.parts[part] : Part{};
          count += found.parts[part];
          at = found.parts[part] > 0 ? Part{} + double(level) : at;
          n_found.parts[part] = found.parts[part] > 0 ? Part{} + 1 : Part{};
          n_counted.parts[part] = count > 0 ? Part{} + 1 : Part{};
        });
        if (n_found.total() > 0) {
          levels_[own] |= uint32_t(1) << level;
          any = true;
        }
        open_[own] = n_counted.total() < n_sources_;
      }
      next_[own] = found;
    }
    std::swap(spread_, next_);
    return any;
  }

  // Hand what the neurons of a level depend on over to those of the level before.
  void retreat(int32_t level, std::vector<double>& neurons) {
    const uint32_t here = uint32_t(1) << level, before = here >> 1;
    for (size_t own = 0; own < counts_.size(); ++own) {
      spread_[own] = {};
      if (!(levels_[own] & here)) continue;
      each_part([&](int part) {
        Part& share = shares_[own].parts[part];
        const auto on_level = level_[own].parts[part] == double(level);
        const Part whole = (share + 1) / counts_[own].parts[part];
        spread_[own].parts[part] = on_level ? whole : Part{};
        share = on_level ? whole : share;
      });
    }
    if (level == 1) return;
    for (Neuron neuron = 0; neuron < graph_.n(); ++neuron) {
      const size_t own = size_t(neuron);
      if (!(levels_[own] & before)) continue;
      Lanes sum = around(neuron);
      each_part([&](int part) {
        const auto on_level = level_[own].parts[part] == double(level - 1);
        sum.parts[part] = on_level ? sum.parts[part] * counts_[own].parts[part] : Part{};
        shares_[own].parts[part] += sum.parts[part];
      });
      neurons[own] += sum.total();
    }
  }

  void add_pairs() {
    Lanes* pair = of_pairs_.data();
    for (Neuron neuron = 0; neuron < graph_.n(); ++neuron) {
      const Lanes level = level_[size_t(neuron)], count = counts_[size_t(neuron)], share = shares_[size_t(neuron)];
      const Neighbours others = graph_[neuron];
      for (const Neuron* next = std::upper_bound(others.begin(), others.end(), neuron); next != others.end(); ++next) {
        const size_t other = size_t(*next);
        each_part([&](int part) {
          const Part step = level_[other].parts[part] - level.parts[part];
          const Part onto = step > 0 ? count.parts[part] * shares_[other].parts[part] : Part{};
          pair->parts[part] += step < 0 ? share.parts[part] * counts_[other].parts[part] : onto;
        });
        ++pair;
      }
    }
  }

  const Rows& graph_;
  // Of every neuron and source: its level, the number of shortest paths to it, and (1 + dependency) / number.
  std::vector<Lanes> level_, counts_, shares_, spread_, next_;
  std::vector<uint32_t> levels_;  // the levels that the neuron is on, one bit each
  std::vector<uint8_t> open_;     // whether some source has not reached it
  std::vector<Lanes> of_pairs_;
  int n_sources_ = 0;
};

// The dependencies of one source at a time. Counts of shortest paths are scaled down together, level by level, before
// they overflow: only their ratios between neighbouring levels count.
class OneByOne {
 public:
  explicit OneByOne(const Rows& graph) : graph_(graph), level_(size_t(graph.n()), -1), counts_(level_.size()) {
    shares_.resize(level_.size());
    number_.reserve(graph.list.size());
    std::vector<int64_t> place(level_.size());
    int64_t next = 0;
    for (Neuron neuron = 0; neuron < graph.n(); ++neuron)
      for (const Neuron other : graph[neuron])
        number_.push_back(other > neuron ? next++
                                         : number_[size_t(graph.start[size_t(other)] + seen(place, other, neuron))]);
  }

  void add(Neuron source, std::vector<double>& neurons, std::vector<double>& pairs) {
    walk(source);
    for (size_t i = queue_.size(); i-- > 0;) {
      const size_t own = size_t(queue_[i]);
      double sum = 0;
      for (int64_t edge = graph_.start[own]; edge < graph_.start[own + 1]; ++edge) {
        const size_t other = size_t(graph_.list[size_t(edge)]);
        if (level_[other] != level_[own] + 1) continue;
        const double part = counts_[own] * scale_[size_t(level_[other])] * shares_[other];
        pairs[size_t(number_[size_t(edge)])] += part;
        sum += part;
      }
      shares_[own] = (1 + sum) / counts_[own];
      if (i > 0) neurons[own] += sum;
    }
    for (const Neuron neuron : queue_) level_[size_t(neuron)] = -1;
  }

 private:
  // The place of `neuron` in the row of a lower neuron `other`: rows ascend, so those that look for it come in turn.
  int64_t seen(std::vector<int64_t>& place, Neuron other, Neuron neuron) const {
    int64_t& own = place[size_t(other)];
    while (graph_.list[size_t(graph_.start[size_t(other)] + own)] != neuron) ++own;
    return own;
  }

  void walk(Neuron source) {
    queue_.assign(1, source);
    level_[size_t(source)] = 0;
    counts_[size_t(source)] = 1;
    scale_.assign(1, 1);
    size_t first = 0;
    for (int32_t level = 1; first < queue_.size(); ++level) {
      const size_t last = queue_.size();
      for (; first < last; ++first)
        for (const Neuron other : graph_[queue_[first]]) {
          if (level_[size_t(other)] < 0) {
            level_[size_t(other)] = level;
            counts_[size_t(other)] = 0;
            queue_.push_back(other);
          }
          if (level_[size_t(other)] == level) counts_[size_t(other)] += counts_[size_t(queue_[first])];
        }
      rescale(last);
    }
  }

  void rescale(size_t first) {
    constexpr double kLargest = 0x1p500, kLeast = 0x1p-500;
    double most = 0;
    for (size_t i = first; i < queue_.size(); ++i) most = std::max(most, counts_[size_t(queue_[i])]);
    scale_.push_back(most > kLargest ? 1 / kLargest : 1);
    if (most > kLargest)
      for (size_t i = first; i < queue_.size(); ++i)
        counts_[size_t(queue_[i])] = std::max(counts_[size_t(queue_[i])] / kLargest, kLeast);
  }

  const Rows& graph_;
  std::vector<int32_t> level_;
  std::vector<double> counts_, shares_, scale_;
  std::vector<int64_t> number_;  // of the pair that an entry of the graph's list belongs to
  std::vector<Neuron> queue_;
};

Betweenness betweenness(const Rows& graph, const std::vector<Neuron>& sources, int32_t diameter) {
  Betweenness own{std::vector<double>(size_t(graph.n())), std::vector<double>(graph.list.size() / 2)};
  if (diameter <= kFarthestBySide) {
    SideBySide side(graph);
    for (size_t i = 0; i < sources.size(); i += kSide) {
      heed_signals();
      side.add(&sources[i], int(std::min(sources.size() - i, size_t(kSide))), own.neurons);
    }
    side.finish(own.pairs);
  } else {
    OneByOne one(graph);
    for (const Neuron source : sources) {
      heed_signals();
      one.add(source, own.neurons, own.pairs);
    }
  }
  return own;
}

}  // namespace
}  // namespace wirenas
