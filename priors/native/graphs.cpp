#include "graphs.h"

#include <cmath>
#include <utility>

namespace wirenas {
namespace {

// A ring lattice while its edges are rewired. Edge (step - 1) n + node joins node to the one `step` places on. What is
// left of the lattice follows from which edges moved, so that only new edges need to be looked up, and none is removed.
class Ring {
 public:
  Ring(int32_t n, int32_t k, int64_t n_rewired)
      : n_(n), steps_(k / 2), degree_(size_t(n), k), moved_(size_t(n) * size_t(k / 2)), added_(n_rewired) {}

  bool is_full(int32_t node) const { return degree_[size_t(node)] >= n_ - 1; }

  bool joins(int32_t a, int32_t b) const {
    const int32_t low = std::min(a, b), high = std::max(a, b), ahead = high - low, back = n_ - ahead;
    if (ahead <= steps_ && !moved_[lattice_edge(low, ahead)]) return true;
    if (back <= steps_ && !moved_[lattice_edge(high, back)]) return true;
    return added_.contains(key(low, high));
  }

  void move(size_t edge, int32_t node, int32_t old_end, int32_t new_end) {
    moved_[edge] = 1;
    added_.insert(key(std::min(node, new_end), std::max(node, new_end)));
    --degree_[size_t(old_end)];
    ++degree_[size_t(new_end)];
  }

 private:
  size_t lattice_edge(int32_t node, int32_t step) const { return size_t(step - 1) * size_t(n_) + size_t(node); }
  int64_t key(int32_t low, int32_t high) const { return int64_t(low) * n_ + high; }

  int32_t n_, steps_;
  std::vector<int32_t> degree_;
  std::vector<uint8_t> moved_;
  NumberSet added_;
};

Edges lattice(int32_t n, int32_t k) {
  Edges edges;
  edges.reserve(size_t(n) * size_t(k));
  for (int32_t step = 1; step <= k / 2; ++step)
    for (int32_t node = 0; node < n; ++node) edges.push_back({node, node < n - step ? node + step : node - (n - step)});
  return edges;
}

// The graph that growth starts from; growth from isolated nodes begins with a star around the first new one.
Edges initial_graph(int32_t m, Initial initial) {
  Edges edges;
  if (initial == Initial::complete) {
    for (int32_t a = 0; a <= m; ++a)
      for (int32_t b = a + 1; b <= m; ++b) edges.push_back({a, b});
  } else {
    const bool star = initial == Initial::star;
    for (int32_t leaf = 0; leaf < m; ++leaf) edges.push_back({star ? 0 : m, leaf + star});
  }
  return edges;
}

// Pair number `pair` in the order (0, 1), (0, 2), ..., (1, 2), ...
Edge pair_of_nodes(int64_t n, int64_t pair) {
  const auto row_start = [n](int64_t low) { return low * (2 * n - low - 1) / 2; };
  const double width = 2.0 * double(n) - 1.0;
  int64_t low = int64_t((width - std::sqrt(std::max(width * width - 8.0 * double(pair), 0.0))) / 2.0);
  // The root is rounded, so the row found may lie beside the right one.
  while (low > 0 && row_start(low) > pair) --low;
  while (row_start(low + 1) <= pair) ++low;
  return {int32_t(low), int32_t(low + 1 + pair - row_start(low))};
}

}  // namespace

Edges watts_strogatz(BitGenerator& random, int32_t n, int32_t k, double p) {
  Edges edges = lattice(n, k);
  std::vector<size_t> rewired;
  for (size_t edge = 0; edge < edges.size(); ++edge)
    if (random.uniform() < p) rewired.push_back(edge);
  Ring ring(n, k, int64_t(rewired.size()));
  for (size_t edge : rewired) {
    const auto [node, old_end] = edges[edge];
    if (ring.is_full(node)) continue;
    int32_t new_end;
    do new_end = int32_t(random.below(n));
    while (new_end == node || ring.joins(node, new_end));
    ring.move(edge, node, old_end, new_end);
    edges[edge].target = new_end;
  }
  return undirected(std::move(edges), n);
}

Edges barabasi_albert(BitGenerator& random, int32_t n, int32_t m, Initial initial) {
  Edges edges = initial_graph(m, initial);
  const size_t n_edges = edges.size() + size_t(m) * size_t(n - m - 1);
  edges.reserve(2 * n_edges);
  std::vector<int32_t> ends;
  ends.reserve(2 * n_edges);
  for (const Edge& edge : edges) {
    ends.push_back(edge.source);
    ends.push_back(edge.target);
  }
  std::vector<int32_t> chosen_by(size_t(n), -1);
  for (int32_t node = m + 1; node < n; ++node) {
    const size_t first = edges.size();
    while (edges.size() < first + size_t(m)) {
      const int32_t end = ends[size_t(random.below(int64_t(ends.size())))];
      if (std::exchange(chosen_by[size_t(end)], node) != node) edges.push_back({end, node});
    }
    for (size_t edge = first; edge < edges.size(); ++edge) ends.push_back(edges[edge].source);
    ends.insert(ends.end(), size_t(m), node);
  }
  return undirected(std::move(edges), n);
}

Edges erdos_renyi(BitGenerator& random, int32_t n, double p) {
  Edges edges;
  for (int32_t low = 0; low < n; ++low)
    for (int32_t high = low + 1; high < n; ++high)
      if (random.uniform() < p) edges.push_back({low, high});
  return undirected(std::move(edges), n);
}

Edges erdos_renyi_exact(BitGenerator& random, int32_t n, int64_t n_edges) {
  Edges edges;
  edges.reserve(2 * size_t(n_edges));
  Subset(int64_t(n) * (n - 1) / 2, n_edges).draw(random, [&](int64_t pair) {
    edges.push_back(pair_of_nodes(n, pair));
  });
  return undirected(std::move(edges), n);
}

}  // namespace wirenas
