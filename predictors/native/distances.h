// All distances of an undirected graph, from many neurons at once by bits or from one after another by a queue.
#pragma once

#include <algorithm>
#include <utility>

#include "bits.h"
#include "checks.h"
#include "kernels.h"

namespace wirenas {
namespace {

constexpr int32_t kFarthestByBits = 96;

// That a neuron is at a distance from some others, as many as were found.
inline void note(Distances& own, size_t neuron, int32_t distance, int64_t found) {
  own.eccentricity[neuron] = std::max(own.eccentricity[neuron], distance);
  own.reached[neuron] += found;
  own.total[neuron] += found * distance;
}

void note_pairs(Distances& own, int32_t distance, int64_t found) {
  if (own.pairs.size() <= size_t(distance)) own.pairs.resize(size_t(distance) + 1);
  own.pairs[size_t(distance)] += found;
}

// Whose distance from the sources first .. last - 1 is found, level by level: fronts[v] holds the sources at the
// distance of the level from v.
template <int width>
void from_block(const Rows& graph, int64_t first, int64_t last, Distances& own) {
  const size_t n = size_t(graph.n());
  std::vector<Bits<width>> seen(n), fronts(n), fresh(n);
  std::vector<int32_t> missing(n, int32_t(last - first));
  for (int64_t source = first; source < last; ++source) {
    seen[size_t(source)].insert(source - first);
    fronts[size_t(source)].insert(source - first);
    --missing[size_t(source)];
  }
  int64_t n_new = 1;
  for (int32_t distance = 1; n_new > 0; ++distance) {
    heed_signals();
    n_new = 0;
    for (size_t neuron = 0; neuron < n; ++neuron) {
      typename Bits<width>::Words found{};
      if (missing[neuron] > 0) {
        for (const Neuron other : graph[Neuron(neuron)]) found |= fronts[size_t(other)].words;
        found &= ~seen[neuron].words;
        const int n_found = count<width>({found});
        if (n_found > 0) {
          seen[neuron].words |= found;
          missing[neuron] -= n_found;
          note(own, neuron, distance, n_found);
          n_new += n_found;
        }
      }
      fresh[neuron].words = found;
    }
    if (n_new > 0) note_pairs(own, distance, n_new);
    std::swap(fronts, fresh);
  }
}

// Visit what a neuron reaches, nearest first; `distance` is -1 everywhere, and again afterwards.
template <typename Visit>
void breadth_first(const Rows& graph, Neuron source, std::vector<int32_t>& distance, std::vector<Neuron>& queue,
                   Visit visit) {
  queue.assign(1, source);
  distance[size_t(source)] = 0;
  for (size_t i = 0; i < queue.size(); ++i)
    for (const Neuron other : graph[queue[i]])
      if (distance[size_t(other)] < 0) {
        distance[size_t(other)] = distance[size_t(queue[i])] + 1;
        queue.push_back(other);
        visit(distance[size_t(other)]);
      }
  for (const Neuron neuron : queue) distance[size_t(neuron)] = -1;
}

// Whether some neuron is far from one of its component, so that levels are many and by-bits fronts nearly empty.
bool is_long(const Rows& graph) {
  std::vector<int32_t> distance(size_t(graph.n()), -1);
  std::vector<Neuron> queue;
  std::vector<uint8_t> seen(size_t(graph.n()));
  int32_t farthest = 0;
  for (Neuron neuron = 0; neuron < graph.n() && farthest <= kFarthestByBits; ++neuron) {
    if (seen[size_t(neuron)]) continue;
    heed_signals();
    breadth_first(graph, neuron, distance, queue, [&](int32_t found) { farthest = std::max(farthest, found); });
    for (const Neuron member : queue) seen[size_t(member)] = 1;
  }
  return farthest > kFarthestByBits;
}

Distances distances(const Rows& graph) {
  const size_t n = size_t(graph.n());
  Distances own{{}, std::vector<int32_t>(n), std::vector<int64_t>(n), std::vector<int64_t>(n)};
  if (n > size_t(kFarthestByBits) && is_long(graph)) {
    std::vector<int32_t> distance(n, -1);
    std::vector<Neuron> queue;
    for (Neuron source = 0; source < Neuron(n); ++source) {
      heed_signals();
      breadth_first(graph, source, distance, queue, [&](int32_t found) {
        note(own, size_t(source), found, 1);
        note_pairs(own, found, 1);
      });
    }
  } else {
    for_blocks(int64_t(n),
               [&](auto width, int64_t first, int64_t last) { from_block<width>(graph, first, last, own); });
  }
  return own;
}

}  // namespace
}  // namespace wirenas
