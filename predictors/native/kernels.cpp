// The kernels of one instruction set, which WIRENAS_FEATURES names.
#include "kernels.h"

#include <type_traits>

#include "betweenness.h"
#include "bits.h"
#include "checks.h"
#include "distances.h"

namespace wirenas {
namespace {

// The neighbours of every neuron that are among first .. last - 1.
template <int width>
std::vector<Bits<width>> members(const Rows& rows, int64_t first, int64_t last) {
  std::vector<Bits<width>> sets(size_t(rows.n()));
  for (Neuron neuron = 0; neuron < rows.n(); ++neuron)
    for (const Neuron other : rows[neuron])
      if (other >= first && other < last && other != neuron) sets[size_t(neuron)].insert(other - first);
  return sets;
}

std::vector<int64_t> common_neighbours(const Rows& graph) {
  std::vector<int64_t> common(size_t(graph.n()));
  for_blocks(graph.n(), [&](auto width, int64_t first, int64_t last) {
    heed_signals();
    const auto sets = members<width>(graph, first, last);
    for (Neuron neuron = 0; neuron < graph.n(); ++neuron)
      for (const Neuron other : graph[neuron]) {
        if (other >= neuron) break;
        const int shared = count<width>({sets[size_t(neuron)].words & sets[size_t(other)].words});
        common[size_t(neuron)] += shared;
        common[size_t(other)] += shared;
      }
  });
  return common;
}

int64_t three_cycles(const Directed& graph) {
  int64_t found = 0;
  for_blocks(graph.n(), [&](auto width, int64_t first, int64_t last) {
    heed_signals();
    const auto after = members<width>(graph.out, first, last), before = members<width>(graph.in, first, last);
    for (Neuron source = 0; source < graph.n(); ++source)
      for (const Neuron target : graph.out[source])
        if (target != source) found += count<width>({after[size_t(target)].words & before[size_t(source)].words});
  });
  return found / 3;
}

std::vector<int32_t> reaching(const Rows& in, const std::vector<Neuron>& order, const std::vector<Neuron>& starts) {
  std::vector<int32_t> own(order.size());
  for_blocks(int64_t(starts.size()), [&](auto width, int64_t first, int64_t last) {
    heed_signals();
    std::vector<Bits<width>> sets(order.size());
    for (int64_t i = first; i < last; ++i) sets[size_t(starts[size_t(i)])].insert(i - first);
    for (const Neuron neuron : order) {
      auto& set = sets[size_t(neuron)];
      for (const Neuron before : in[neuron]) set.words |= sets[size_t(before)].words;
      own[size_t(neuron)] += count(set);
    }
  });
  return own;
}

}  // namespace

const Kernels& WIRENAS_FEATURES() {
  static const Kernels own{distances, betweenness, common_neighbours, three_cycles, reaching};
  return own;
}

}  // namespace wirenas
