// Regression trees of any origin, walked by many rows at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace wirenas {

// A node without children is its own child, and its threshold is infinite: walks stay there.
struct TreeNode {
  float threshold;
  int32_t feature, child, unused;
};

// Owned, and checked when it is made: no walk leaves the arrays, and every walk ends.
struct Forest {
  std::vector<TreeNode> nodes;
  std::vector<int32_t> roots;
  std::vector<double> value;
  size_t n_columns;

  size_t n_trees() const { return roots.size(); }
};

// Add what every tree gives, tree after tree, to the total of each of n_rows rows.
void tree_sums(const Forest& forest, const float* rows, size_t n_rows, double* total);

// Write what every tree gives, n_trees numbers a row.
void tree_values(const Forest& forest, const float* rows, size_t n_rows, double* values);

}  // namespace wirenas
