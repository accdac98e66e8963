// What Python calls activations, cells, losses and optimizers, in the order of their enumerators; a new one gets its
// name here. Never included by kernels, which are compiled for processors that may not be there.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "layout.h"

namespace wirenas {

using Names = std::vector<std::string>;

inline const Names activation_names{"relu", "tanh", "sigmoid", "gelu", "identity"};
inline const Names cell_names{"tanh", "relu", "gru", "lstm"};
inline const Names loss_names{"cross-entropy", "squared-error"};
inline const Names optimizer_names{"adam", "adamw", "sgd"};

static_assert(int(Activation::relu) == 0 && int(Activation::tanh) == 1 && int(Activation::sigmoid) == 2 &&
              int(Activation::gelu) == 3 && int(Activation::identity) == 4);
static_assert(int(Cell::tanh) == 0 && int(Cell::relu) == 1 && int(Cell::gru) == 2 && int(Cell::lstm) == 3);
static_assert(int(Loss::cross_entropy) == 0 && int(Loss::squared_error) == 1);
static_assert(int(Optimizer::adam) == 0 && int(Optimizer::adamw) == 1 && int(Optimizer::sgd) == 2);

template <typename Kind>
Kind named(const Names& names, const std::string& name, const std::string& what) {
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return Kind(i);
  throw std::invalid_argument("there is no " + what + " by the name of " + name);
}

}  // namespace wirenas
