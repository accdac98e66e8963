#include "trees.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <stdexcept>

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
void walk_all(const Forest& forest, const float* rows, size_t n_rows, size_t n_columns, Visit visit) {
  for (size_t block = 0; block < n_rows; block += kBlock) {
    const size_t end = std::min(block + kBlock, n_rows);
    for (size_t tree = 0; tree < forest.n_trees; ++tree)
      for (size_t row = block; row < end; row += kTogether)
        walk(forest.nodes, forest.roots[tree], rows + row * n_columns, std::min(kTogether, end - row), n_columns,
             [&](size_t i, int32_t leaf) { visit(row + i, tree, leaf); });
  }
}

}  // namespace

void tree_sums(const Forest& forest, const float* rows, size_t n_rows, size_t n_columns, double* total) {
  walk_all(forest, rows, n_rows, n_columns,
           [&](size_t row, size_t, int32_t leaf) { total[row] += forest.value[leaf]; });
}

void tree_values(const Forest& forest, const float* rows, size_t n_rows, size_t n_columns, double* values) {
  walk_all(forest, rows, n_rows, n_columns,
           [&](size_t row, size_t tree, int32_t leaf) { values[row * forest.n_trees + tree] = forest.value[leaf]; });
}

namespace {

template <typename T, typename... Shape>
using Array = nb::ndarray<T, nb::numpy, nb::device::cpu, nb::c_contig, Shape...>;
using Nodes = Array<const int32_t, nb::shape<-1, 4>>;
using Roots = Array<const int32_t, nb::ndim<1>>;
using Values = Array<const double, nb::ndim<1>>;
using Rows = Array<const float, nb::ndim<2>>;

// The nodes themselves were checked by Python, once.
Forest forest_of(const Nodes& nodes, const Roots& roots, const Values& value) {
  if (nodes.shape(0) != value.size()) throw std::invalid_argument("one value a node is needed");
  return {reinterpret_cast<const TreeNode*>(nodes.data()), roots.data(), value.data(), roots.size()};
}

}  // namespace
}  // namespace wirenas

void bind_trees(nb::module_& m) {
  using namespace wirenas;
  m.def("tree_sums", [](const Nodes& nodes, const Roots& roots, const Values& value, const Rows& rows,
                        Array<double, nb::ndim<1>> total) {
    const Forest forest = forest_of(nodes, roots, value);
    if (total.size() != rows.shape(0)) throw std::invalid_argument("one total a row is needed");
    const nb::gil_scoped_release released;
    tree_sums(forest, rows.data(), rows.shape(0), rows.shape(1), total.data());
  });
  m.def("tree_values", [](const Nodes& nodes, const Roots& roots, const Values& value, const Rows& rows,
                          Array<double, nb::ndim<2>> values) {
    const Forest forest = forest_of(nodes, roots, value);
    if (values.shape(0) != rows.shape(0) || values.shape(1) != roots.size())
      throw std::invalid_argument("one value a row and tree is needed");
    const nb::gil_scoped_release released;
    tree_values(forest, rows.data(), rows.shape(0), rows.shape(1), values.data());
  });
}
