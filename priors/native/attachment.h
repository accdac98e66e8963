// The attachment of priors/attachment.py: input units, a projection and output units around a hidden wiring.
#pragma once

#include "draws.h"
#include "edges.h"

namespace wirenas {

// In the order of ATTACHMENTS.
enum class Mode { controlled, natural, projected, published };

struct Attachment {
  Mode mode;
  int32_t n_inputs, n_outputs;
  int32_t width;            // neurons of the projection; 0 but for Mode::projected
  int32_t reads, readouts;  // at most as many as there are inputs and neurons
};

// The edges of the attached wiring; only Mode::controlled draws.
Edges attach(const Graph& graph, const std::vector<int32_t>& sizes, const Attachment& attachment, BitGenerator& random);

}  // namespace wirenas
