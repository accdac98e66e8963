// Regression trees of any origin, walked by many rows at once.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wirenas {

// A node without children is its own child, and its threshold is infinite: walks stay there.
struct TreeNode {
  float threshold;
  int32_t feature, child, unused;
};

struct Forest {
  const TreeNode* nodes;
  const int32_t* roots;
  const double* value;
  size_t n_trees;
};

// Add what every tree gives, tree after tree, to the total of each of n_rows rows of n_columns numbers.
void tree_sums(const Forest& forest, const float* rows, size_t n_rows, size_t n_columns, double* total);

// Write what every tree gives, n_trees numbers a row.
void tree_values(const Forest& forest, const float* rows, size_t n_rows, size_t n_columns, double* values);

}  // namespace wirenas
