#include "graphs.h"

#include <cmath>
#include <utility>

#include "checks.h"

namespace wirenas {
namespace {

// The node so many places on.
int32_t step_on_ring(int32_t n, int32_t node, int32_t step) {
  return node < n - step ? node + step : node - (n - step);
}

// A ring lattice while its edges are rewired: every node is joined to the next ones on the ring, the first nodes to one
// more. What is left of the lattice follows from which edges moved, so that only new edges need to be looked up, and
// none is removed.
class Ring {
 public:
  Ring(int32_t n, int64_t n_edges, int64_t n_rewired)
      : n_(n),
        each_(int32_t(n_edges / n)),
        more_(int32_t(n_edges % n)),
        degree_(size_t(n)),
        moved_(size_t(n_edges)),
        added_(n_rewired) {
    for (int32_t node = 0; node < n; ++node) {
      degree_[size_t(node)] += steps(node);
      for (int32_t step = 1; step <= steps(node); ++step) ++degree_[size_t(step_on_ring(n_, node, step))];
    }
  }

  int32_t steps(int32_t node) const { return each_ + (node < more_); }
  bool is_full(int32_t node) const { return degree_[size_t(node)] >= n_ - 1; }

  bool joins(int32_t a, int32_t b) const {
    const int32_t low = std::min(a, b), high = std::max(a, b), ahead = high - low, back = n_ - ahead;
    if (ahead <= steps(low) && !moved_[lattice_edge(low, ahead)]) return true;
    if (back <= steps(high) && !moved_[lattice_edge(high, back)]) return true;
    return added_.contains(key(low, high));
  }

  void move(int32_t node, int32_t old_end, int32_t new_end) {
    moved_[lattice_edge(node, old_end > node ? old_end - node : old_end - node + n_)] = 1;
    added_.insert(key(std::min(node, new_end), std::max(node, new_end)));
    --degree_[size_t(old_end)];
    ++degree_[size_t(new_end)];
  }

 private:
  size_t lattice_edge(int32_t node, int32_t step) const {
    return size_t(node) * size_t(each_) + size_t(std::min(node, more_)) + size_t(step - 1);
  }
  int64_t key(int32_t low, int32_t high) const { return int64_t(low) * n_ + high; }

  int32_t n_, each_, more_;
  std::vector<int32_t> degree_;
  std::vector<uint8_t> moved_;
  NumberSet added_;
};

// Rewire edges of a ring lattice in their order, each with probability p.
Edges rewired(BitGenerator& random, int32_t n, Edges edges, double p) {
  std::vector<size_t> chosen;
  for (size_t edge = 0; edge < edges.size(); ++edge)
    if (random.uniform() < p) chosen.push_back(edge);
  Ring ring(n, int64_t(edges.size()), int64_t(chosen.size()));
  for (size_t i = 0; i < chosen.size(); ++i) {
    if ((i & 1023) == 0) heed_signals();
    const size_t edge = chosen[i];
    const auto [node, old_end] = edges[edge];
    if (ring.is_full(node)) continue;
    int32_t new_end;
    do new_end = int32_t(random.below(n));
    while (new_end == node || ring.joins(node, new_end));
    ring.move(node, old_end, new_end);
    edges[edge].target = new_end;
  }
  return undirected(std::move(edges), n);
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

// Pair the stubs of all nodes at random. False where the stubs that are left cannot be paired.
bool pair_stubs(BitGenerator& random, int32_t n, int32_t degree, NumberSet& joined, Edges& edges) {
  joined.clear();
  edges.clear();
  std::vector<int32_t> free, left;
  for (int32_t node = 0; node < n; ++node) free.insert(free.end(), size_t(degree), node);
  std::vector<std::pair<double, int32_t>> order;
  while (!free.empty()) {
    heed_signals();
    order.clear();
    for (int32_t node : free) order.push_back({random.uniform(), node});
    std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    left.clear();
    for (size_t stub = 0; stub < order.size(); stub += 2) {
      const int32_t low = std::min(order[stub].second, order[stub + 1].second);
      const int32_t high = std::max(order[stub].second, order[stub + 1].second);
      if (low != high && joined.insert(int64_t(low) * n + high)) {
        edges.push_back({low, high});
      } else {
        left.push_back(low);
        left.push_back(high);
      }
    }
    free = left;
    std::sort(left.begin(), left.end());
    left.erase(std::unique(left.begin(), left.end()), left.end());
    // A node with a free stub has less neighbours than its degree: among more nodes there are two to be joined.
    if (left.empty() || int64_t(left.size()) > degree) continue;
    bool is_stuck = true;
    for (size_t a = 0; a < left.size(); ++a)
      for (size_t b = a + 1; b < left.size(); ++b)
        is_stuck = is_stuck && joined.contains(int64_t(left[a]) * n + left[b]);
    if (is_stuck) return false;
  }
  return true;
}

// Draws nodes in proportion to how often they stand in a list, plus a bias, plus more for hubs.
class HubChoice {
 public:
  HubChoice(int32_t n, const std::vector<int32_t>& ends, int32_t hubs, double more)
      : n_(n), ends_(ends), n_ends_(double(ends.size())), bias_(bias * n), hubs_(hubs), more_(more) {
    total_ = n_ends_ + bias_;
    total_ += more_ * hubs_;
  }

  template <typename IsFree>
  int32_t draw(BitGenerator& random, IsFree is_free) const {
    for (int attempt = 0; attempt < 16; ++attempt)
      if (const int32_t node = node_at(random.uniform()); is_free(node)) return node;
    std::vector<int32_t> times(size_t(n_), 0), free;
    for (int32_t node : ends_) ++times[size_t(node)];
    std::vector<double> sums;
    for (int32_t node = 0; node < n_; ++node) {
      if (!is_free(node)) continue;
      const double worth = times[size_t(node)] + bias + more_ * (node < hubs_);
      free.push_back(node);
      sums.push_back(sums.empty() ? worth : sums.back() + worth);
    }
    const double at = random.uniform() * sums.back();
    for (size_t place = 0; place < free.size(); ++place)
      if (at < sums[place]) return free[place];
    return free.back();
  }

 private:
  static constexpr double bias = 0.05;

  int32_t node_at(double uniform) const {
    double at = uniform * total_;
    if (at < n_ends_) return ends_[size_t(at)];
    at -= n_ends_;
    if (at < bias_) return std::min(int32_t(at / bias), n_ - 1);
    return more_ > 0 ? std::min(int32_t((at - bias_) / more_), hubs_ - 1) : n_ - 1;
  }

  int32_t n_;
  const std::vector<int32_t>& ends_;
  double n_ends_, bias_;
  int32_t hubs_;
  double more_, total_;
};

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
  Edges edges;
  edges.reserve(size_t(n) * size_t(k));
  for (int32_t step = 1; step <= k / 2; ++step) {
    heed_signals();
    for (int32_t node = 0; node < n; ++node) edges.push_back({node, step_on_ring(n, node, step)});
  }
  return rewired(random, n, std::move(edges), p);
}

Edges ws_flex(BitGenerator& random, int32_t n, int64_t n_edges, double p) {
  Edges edges;
  edges.reserve(2 * size_t(n_edges));
  for (int32_t node = 0; node < n; ++node)
    for (int32_t step = 1; step <= int32_t(n_edges / n) + (node < int32_t(n_edges % n)); ++step)
      edges.push_back({node, step_on_ring(n, node, step)});
  return rewired(random, n, std::move(edges), p);
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
    if ((node & 255) == 0) heed_signals();
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

Edges random_regular(BitGenerator& random, int32_t n, int32_t d) {
  const int32_t missing = n - 1 - d;
  const bool is_rest = missing < d;
  const int32_t degree = is_rest ? missing : d;
  NumberSet joined(int64_t(n) * degree / 2 + 1);
  Edges edges;
  while (!pair_stubs(random, n, degree, joined, edges)) {
  }
  if (is_rest) {
    edges.clear();
    for (int32_t low = 0; low < n; ++low)
      for (int32_t high = low + 1; high < n; ++high)
        if (!joined.contains(int64_t(low) * n + high)) edges.push_back({low, high});
  }
  return undirected(std::move(edges), n);
}

Edges geo_hub(BitGenerator& random, int32_t n, int64_t n_edges, int32_t hubs) {
  Edges edges;
  edges.reserve(2 * size_t(n_edges));
  NumberSet joined(n_edges + 1);
  std::vector<int32_t> ends, degree(size_t(n), 0);
  ends.reserve(2 * size_t(n_edges));
  const auto key = [n](int32_t a, int32_t b) { return int64_t(std::min(a, b)) * n + std::max(a, b); };
  const auto join = [&](int32_t a, int32_t b) {
    edges.push_back({a, b});
    joined.insert(key(a, b));
    ++degree[size_t(a)];
    ++degree[size_t(b)];
  };
  for (int32_t low = 0; low < hubs; ++low)
    for (int32_t high = low + 1; high < hubs; ++high) join(low, high);
  for (const Edge& edge : edges) {
    ends.push_back(edge.source);
    ends.push_back(edge.target);
  }
  int64_t left = n_edges - int64_t(edges.size()), owed = 0;
  const int64_t each = left / n, more = left % n;
  for (int64_t turn = 0; left > 0; ++turn) {
    if ((turn & 255) == 0) heed_signals();
    const int32_t node = int32_t(turn % n);
    const int64_t wanted = owed + (turn < n ? each + (turn < more) : 0);
    const int64_t count = std::min({wanted, int64_t(n - 1 - degree[size_t(node)]), left});
    owed = wanted - count;
    const HubChoice choice(n, ends, hubs, double(each));
    const size_t first = edges.size();
    for (int64_t drawn = 0; drawn < count; ++drawn)
      join(node,
           choice.draw(random, [&](int32_t other) { return other != node && !joined.contains(key(node, other)); }));
    for (size_t edge = first; edge < edges.size(); ++edge) {
      ends.push_back(edges[edge].target);
      ends.push_back(node);
    }
    left -= count;
  }
  return undirected(std::move(edges), n);
}

Edges erdos_renyi(BitGenerator& random, int32_t n, double p) {
  Edges edges;
  for (int32_t low = 0; low < n; ++low) {
    heed_signals();
    for (int32_t high = low + 1; high < n; ++high)
      if (random.uniform() < p) edges.push_back({low, high});
  }
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
