#include "graph.h"

#include <algorithm>
#include <numeric>

namespace wirenas {
namespace {

// The rows of the targets, given those of the sources, or the other way round.
Rows reversed(const Rows& rows) {
  const Neuron n = rows.n();
  Rows turned{std::vector<int64_t>(size_t(n) + 1), std::vector<Neuron>(rows.list.size())};
  for (const Neuron target : rows.list) ++turned.start[size_t(target) + 1];
  std::partial_sum(turned.start.begin(), turned.start.end(), turned.start.begin());
  std::vector<int64_t> place(turned.start.begin(), turned.start.end() - 1);
  for (Neuron source = 0; source < n; ++source)
    for (const Neuron target : rows[source]) turned.list[size_t(place[size_t(target)]++)] = source;
  return turned;
}

Directed with_sources(Rows&& out) {
  Rows in = reversed(out);
  return {std::move(out), std::move(in)};
}

// The edges that `keeps` wants, from the neurons first .. last - 1, with targets numbered from `first`.
template <typename Keeps>
Directed kept(const Directed& graph, Neuron first, Neuron last, Keeps keeps) {
  Rows out;
  out.start.reserve(size_t(last - first) + 1);
  out.start.push_back(0);
  // Every target is written, and the next over it where it is not kept; the last one may need a place of its own.
  out.list.resize(graph.out.list.size() + 1);
  int64_t end = 0;
  for (Neuron source = first; source < last; ++source) {
    for (const Neuron target : graph.out[source]) {
      out.list[size_t(end)] = target - first;
      end += keeps(source, target);
    }
    out.start.push_back(end);
  }
  out.list.resize(size_t(end));
  return with_sources(std::move(out));
}

}  // namespace

Directed directed(const Edge* edges, int64_t n_edges, Neuron n) {
  Rows out{std::vector<int64_t>(size_t(n) + 1), std::vector<Neuron>(size_t(n_edges))};
  // The last edge of a source says where its row ends; the rows of others end where the row before does.
  for (int64_t edge = 0; edge < n_edges; ++edge) {
    out.start[size_t(edges[edge].source) + 1] = edge + 1;
    out.list[size_t(edge)] = edges[edge].target;
  }
  for (size_t i = 1; i < out.start.size(); ++i) out.start[i] = std::max(out.start[i], out.start[i - 1]);
  return with_sources(std::move(out));
}

Directed between(const Directed& graph, Neuron first, Neuron last) {
  return kept(graph, first, last, [=](Neuron, Neuron target) { return target >= first && target < last; });
}

Directed forward(const Directed& graph, const std::vector<int32_t>& layer_of) {
  return kept(graph, 0, graph.n(),
              [&](Neuron source, Neuron target) { return layer_of[size_t(target)] > layer_of[size_t(source)]; });
}

Rows undirected(const Directed& graph) {
  Rows both;
  both.start.reserve(size_t(graph.n()) + 1);
  both.start.push_back(0);
  both.list.resize(2 * graph.out.list.size());
  Neuron* next = both.list.data();
  for (Neuron neuron = 0; neuron < graph.n(); ++neuron) {
    const Neighbours out = graph.out[neuron], in = graph.in[neuron];
    const bool is_sorted = out.begin() == out.end() || in.begin() == in.end() || in.end()[-1] < *out.begin();
    next = is_sorted ? std::copy(out.begin(), out.end(), std::copy(in.begin(), in.end(), next))
                     : std::set_union(in.begin(), in.end(), out.begin(), out.end(), next);
    Neuron* const first = both.list.data() + both.start.back();
    next = std::remove(first, next, neuron);
    both.start.push_back(next - both.list.data());
  }
  both.list.resize(size_t(both.start.back()));
  return both;
}

std::optional<std::vector<Neuron>> topological_order(const Directed& graph) {
  const size_t n = size_t(graph.n());
  std::vector<Neuron> order;
  order.reserve(n);
  std::vector<int64_t> waiting(n);
  for (size_t neuron = 0; neuron < n; ++neuron) {
    waiting[neuron] = graph.in.degree(Neuron(neuron));
    if (waiting[neuron] == 0) order.push_back(Neuron(neuron));
  }
  for (size_t i = 0; i < order.size(); ++i)
    for (const Neuron target : graph.out[order[i]])
      if (--waiting[size_t(target)] == 0) order.push_back(target);
  if (order.size() < n) return std::nullopt;
  return order;
}

std::vector<int32_t> nearest(const Rows& targets, const std::vector<Neuron>& starts) {
  std::vector<int32_t> distance(size_t(targets.n()), kUnreached);
  std::vector<Neuron> queue(distance.size());
  std::copy(starts.begin(), starts.end(), queue.begin());
  for (const Neuron start : starts) distance[size_t(start)] = 0;
  // Every target is written behind the queue's end, which moves on if it is new: that can hardly be foretold.
  queue.push_back(0);
  size_t end = starts.size();
  for (size_t i = 0; i < end; ++i) {
    const int32_t next = distance[size_t(queue[i])] + 1;
    for (const Neuron target : targets[queue[i]]) {
      int32_t& own = distance[size_t(target)];
      const bool is_new = own == kUnreached;
      queue[end] = target;
      end += is_new;
      own = is_new ? next : own;
    }
  }
  return distance;
}

std::vector<Neuron> numbers(Neuron first, Neuron last) {
  std::vector<Neuron> own(size_t(last - first));
  std::iota(own.begin(), own.end(), first);
  return own;
}

// Tarjan's algorithm with a stack of its own, so that long paths are no deep recursion.
Strong strong_components(const Directed& graph) {
  const size_t n = size_t(graph.n());
  constexpr Neuron kUnseen = -1;
  std::vector<Neuron> seen(n, kUnseen), lowest(n), open, walk;
  std::vector<int64_t> next(graph.out.start.begin(), graph.out.start.end() - 1);
  Strong strong{std::vector<Neuron>(n, kUnseen), 0};
  Neuron clock = 0;
  const auto enter = [&](Neuron neuron) {
    seen[size_t(neuron)] = lowest[size_t(neuron)] = clock++;
    open.push_back(neuron);
    walk.push_back(neuron);
  };
  for (Neuron root = 0; root < Neuron(n); ++root) {
    if (seen[size_t(root)] == kUnseen) enter(root);
    while (!walk.empty()) {
      const size_t neuron = size_t(walk.back());
      if (next[neuron] < graph.out.start[neuron + 1]) {
        const size_t target = size_t(graph.out.list[size_t(next[neuron]++)]);
        if (seen[target] == kUnseen)
          enter(Neuron(target));
        else if (strong.of[target] == kUnseen)
          lowest[neuron] = std::min(lowest[neuron], seen[target]);
        continue;
      }
      walk.pop_back();
      if (!walk.empty()) lowest[size_t(walk.back())] = std::min(lowest[size_t(walk.back())], lowest[neuron]);
      if (lowest[neuron] < seen[neuron]) continue;
      for (size_t member = n; member != neuron; open.pop_back()) {
        member = size_t(open.back());
        strong.of[member] = strong.count;
      }
      ++strong.count;
    }
  }
  return strong;
}

Directed condensed(const Directed& graph, const Strong& strong) {
  std::vector<Edge> edges;
  for (Neuron source = 0; source < graph.n(); ++source)
    for (const Neuron target : graph.out[source]) {
      const Neuron from = strong.of[size_t(source)], to = strong.of[size_t(target)];
      if (from != to) edges.push_back({from, to});
    }
  std::stable_sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.source < b.source; });
  return directed(edges.data(), int64_t(edges.size()), strong.count);
}

}  // namespace wirenas
