// The random graphs of priors/graphs.py and of priors/families, from the same doubles in the same order: both
// directions of every edge, sorted.
#pragma once

#include "draws.h"
#include "edges.h"

namespace wirenas {

// In the order of the names in Python.
enum class Initial { isolated, star, complete };

Edges watts_strogatz(BitGenerator& random, int32_t n, int32_t k, double p);
Edges ws_flex(BitGenerator& random, int32_t n, int64_t n_edges, double p);
Edges barabasi_albert(BitGenerator& random, int32_t n, int32_t m, Initial initial);

Edges random_regular(BitGenerator& random, int32_t n, int32_t d);
Edges geo_hub(BitGenerator& random, int32_t n, int64_t n_edges, int32_t hubs);

// Every pair with probability p, and exactly n_edges pairs.
Edges erdos_renyi(BitGenerator& random, int32_t n, double p);
Edges erdos_renyi_exact(BitGenerator& random, int32_t n, int64_t n_edges);

}  // namespace wirenas
