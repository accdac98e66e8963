#include "trees.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "checks.h"

namespace nb = nanobind;

namespace wirenas {
namespace {

constexpr size_t kTogether = 16;  // rows that walk side by side, so that one's memory access hides another's
constexpr size_t kBlock = 256;    // rows that stay in the cache while the trees pass by

// Call visit(row, leaf) for some of the rows; where they are fewer than walk together, the last walks several times.
template <typename Visit>
void walk(const TreeNode* nodes, int32_t root, const float* rows, size_t n_rows, size_t n_columns, Visit visit) {
  const float* own[kTogether];
  int32_t here[kTogether];
  for (size_t i = 0; i < kTogether; ++i) {
    own[i] = rows + std::min(i, n_rows - 1) * n_columns;
    here[i] = root;
  }
  int32_t moved;
  do {
    moved = 0;
    for (size_t i = 0; i < kTogether; ++i) {
      const TreeNode node = nodes[here[i]];
      const int32_t next = node.child + int32_t(own[i][node.feature] > node.threshold);
      moved |= next ^ here[i];
      here[i] = next;
    }
  } while (moved != 0);
  for (size_t i = 0; i < n_rows; ++i) visit(i, here[i]);
}

// Call visit(row, tree, leaf) for all; a row's trees come in order.
template <typename Visit>
void walk_all(const Forest& forest, const float* rows, size_t n_rows, Visit visit) {
  for (size_t block = 0; block < n_rows; block += kBlock) {
    heed_signals();
    const size_t end = std::min(block + kBlock, n_rows);
    for (size_t tree = 0; tree < forest.n_trees(); ++tree)
      for (size_t row = block; row < end; row += kTogether)
        walk(forest.nodes.data(), forest.roots[tree], rows + row * forest.n_columns, std::min(kTogether, end - row),
             forest.n_columns, [&](size_t i, int32_t leaf) { visit(row + i, tree, leaf); });
  }
}

}  // namespace

void tree_sums(const Forest& forest, const float* rows, size_t n_rows, double* total) {
  walk_all(forest, rows, n_rows, [&](size_t row, size_t, int32_t leaf) { total[row] += forest.value[size_t(leaf)]; });
}

void tree_values(const Forest& forest, const float* rows, size_t n_rows, double* values) {
  const size_t n_trees = forest.n_trees();
  walk_all(forest, rows, n_rows,
           [&](size_t row, size_t tree, int32_t leaf) { values[row * n_trees + tree] = forest.value[size_t(leaf)]; });
}

namespace {

template <typename T, typename... Shape>
using Array = nb::ndarray<T, nb::numpy, nb::device::cpu, nb::c_contig, Shape...>;
using Nodes = Array<const int32_t, nb::shape<-1, 4>>;
using Roots = Array<const int32_t, nb::ndim<1>>;
using Values = Array<const double, nb::ndim<1>>;
using Rows = Array<const float, nb::ndim<2>>;

Forest forest_of(const Nodes& nodes, const Roots& roots, const Values& value, int64_t n_columns) {
  const TreeNode* const first = reinterpret_cast<const TreeNode*>(nodes.data());
  Forest forest{{first, first + nodes.shape(0)},
                {roots.data(), roots.data() + roots.size()},
                {value.data(), value.data() + value.size()},
                size_t(n_columns)};
  const int64_t n_nodes = int64_t(forest.nodes.size());
  check(n_columns > 0 && n_nodes < int64_t(1) << 31 && forest.value.size() == forest.nodes.size(),
        "one value a node, and columns, are needed");
  bool fine = true;
  for (int64_t i = 0; i < n_nodes; ++i) {
    const TreeNode& node = forest.nodes[size_t(i)];
    // Walks lead upwards, so that they end: in a node that sends every row to itself.
    const bool ends = node.child == i && node.threshold == std::numeric_limits<float>::infinity();
    fine &= (node.feature >= 0) & (node.feature < n_columns) & (ends | ((node.child > i) & (node.child < n_nodes - 1)));
  }
  for (const int32_t root : forest.roots) fine &= (root >= 0) & (root < n_nodes);
  check(fine, "a node lies outside of the trees, or reads outside of the columns");
  return forest;
}

nb::object owned(std::unique_ptr<double[]> values, std::initializer_list<size_t> shape) {
  const nb::capsule owner(values.get(), [](void* own) noexcept { delete[] static_cast<double*>(own); });
  return nb::cast(nb::ndarray<nb::numpy, double>(values.release(), shape, owner));
}

void check_rows(const Forest& forest, const Rows& rows) {
  check(rows.shape(1) == forest.n_columns, "rows have as many columns as the trees read");
}

}  // namespace
}  // namespace wirenas

void bind_trees(nb::module_& m) {
  using namespace wirenas;
  using namespace nb::literals;
  nb::class_<Forest>(m, "Forest")
      .def(
          "__init__",
          [](Forest* self, const Nodes& nodes, const Roots& roots, const Values& value, int64_t n_columns) {
            new (self) Forest(forest_of(nodes, roots, value, n_columns));
          },
          "nodes"_a, "roots"_a, "value"_a, "n_columns"_a)
      .def(
          "sums",
          [](const Forest& self, const Rows& rows) {
            check_rows(self, rows);
            auto total = std::make_unique<double[]>(rows.shape(0));
            {
              const nb::gil_scoped_release released;
              tree_sums(self, rows.data(), rows.shape(0), total.get());
            }
            return owned(std::move(total), {rows.shape(0)});
          },
          "rows"_a)
      .def(
          "values",
          [](const Forest& self, const Rows& rows) {
            check_rows(self, rows);
            auto values = std::make_unique<double[]>(rows.shape(0) * self.n_trees());
            {
              const nb::gil_scoped_release released;
              tree_values(self, rows.data(), rows.shape(0), values.get());
            }
            return owned(std::move(values), {rows.shape(0), self.n_trees()});
          },
          "rows"_a);
}
