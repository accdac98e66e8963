// The Python side of the features: a batch of wirings as flat arrays goes in, a matrix comes out.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "checks.h"
#include "describe.h"

namespace nb = nanobind;

namespace wirenas {
namespace {

template <typename T, typename... Shape>
using Array = nb::ndarray<const T, Shape..., nb::c_contig, nb::device::cpu>;
using Rows2 = Array<int32_t, nb::shape<-1, 2>>;
using Places = Array<int64_t, nb::ndim<1>>;
using Sizes = Array<int32_t, nb::ndim<1>>;
using Units = Array<bool, nb::shape<-1, 2>>;

std::vector<std::string> feature_instruction_sets() {
  std::vector<std::string> names{"baseline"};
#ifdef WIRENAS_X86_64
  __builtin_cpu_init();
  if (!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
        __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt")))
    return names;
  names.push_back("x86-64-v3");
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    names.push_back("x86-64-v4");
#endif
  return names;
}

const Kernels& kernels_named(const std::string& name) {
  const std::vector<std::string> known = feature_instruction_sets();
  check(std::find(known.begin(), known.end(), name) != known.end(), "this processor has no such instruction set");
#ifdef WIRENAS_X86_64
  if (name == "x86-64-v3") return features_x86_64_v3();
  if (name == "x86-64-v4") return features_x86_64_v4();
#endif
  return features_baseline();
}

// Where the parts of an array of so many entries start, and at the end where the last one ends.
std::vector<int64_t> starts(const Places& given, size_t n, size_t n_entries) {
  std::vector<int64_t> own(given.data(), given.data() + given.size());
  check(own.size() == n + 1 && own.front() == 0 && own.back() == int64_t(n_entries) &&
            std::is_sorted(own.begin(), own.end()),
        "a batch holds its wirings one after another");
  return own;
}

void check_wiring(const Wiring& wiring) {
  const int32_t n = checked_total(wiring.sizes, wiring.n_layers);
  check(wiring.n_layers >= int64_t(wiring.inputs) + wiring.outputs, "units are layers");
  const int32_t first = wiring.inputs ? wiring.sizes[0] : 0;
  const int32_t last = wiring.outputs ? n - wiring.sizes[wiring.n_layers - 1] : n;
  check_edges(wiring.edges, wiring.n_edges, n, last, first);
}

nb::object describe_all(const Rows2& edges, const Places& first_edge, const Sizes& sizes, const Places& first_size,
                        const Units& units, int tiers, int64_t pivots, const std::string& instruction_set) {
  check(tiers >= 0 && tiers <= kAllTiers, "there are no such tiers");
  const size_t n = units.shape(0), width = size_t(n_features(tiers));
  const Kernels& kernels = kernels_named(instruction_set);
  // Copied, since nobody else may write them once they are checked.
  const Edge* const first = reinterpret_cast<const Edge*>(edges.data());
  const std::vector<Edge> own_edges(first, first + edges.shape(0));
  const std::vector<Neuron> own_sizes(sizes.data(), sizes.data() + sizes.size());
  const std::vector<int64_t> edge_starts = starts(first_edge, n, own_edges.size());
  const std::vector<int64_t> size_starts = starts(first_size, n, own_sizes.size());
  std::vector<Wiring> wirings;
  for (size_t i = 0; i < n; ++i) {
    const int64_t edge = edge_starts[i], size = size_starts[i];
    const auto has = [&](size_t which) { return reinterpret_cast<const uint8_t*>(units.data())[2 * i + which] != 0; };
    wirings.push_back({own_edges.data() + edge, edge_starts[i + 1] - edge, own_sizes.data() + size,
                       size_starts[i + 1] - size, has(0), has(1)});
    check_wiring(wirings.back());
  }
  auto rows = std::make_unique<double[]>(n * width);
  {
    const nb::gil_scoped_release released;
    for (size_t i = 0; i < n; ++i) {
      heed_signals();
      describe(wirings[i], tiers, pivots, kernels, rows.get() + i * width);
    }
  }
  const nb::capsule owner(rows.get(), [](void* own) noexcept { delete[] static_cast<double*>(own); });
  return nb::cast(nb::ndarray<nb::numpy, double>(rows.release(), {n, width}, owner));
}

}  // namespace
}  // namespace wirenas

void bind_features(nb::module_& m) {
  m.def("describe", &wirenas::describe_all);
  m.def("feature_instruction_sets", &wirenas::feature_instruction_sets);
}
