// One wiring's row of features.
#pragma once

#include "graph.h"
#include "kernels.h"

namespace wirenas {

// The tiers of the table, of which some are wanted: a sum of these.
enum Tier { kSize = 1, kStructure = 2, kCentrality = 4, kPublished = 8, kRecurrent = 16, kAllTiers = 31 };

// The number of features of some tiers.
int n_features(int tiers);

// Paths of betweenness start at `pivots` neurons, or with 0 at all of few and at some of many. The spectral radius is
// NaN where it takes another method.
void describe(const Wiring& wiring, int tiers, int64_t pivots, const Kernels& kernels, double* features);

}  // namespace wirenas
