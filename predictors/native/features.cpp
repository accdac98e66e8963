// The Python side of the features: a batch of wirings as flat arrays goes in, a matrix comes out.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <string>
#include <vector>

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
#ifdef WIRENAS_X86_64
  if (name == "x86-64-v3") return features_x86_64_v3();
  if (name == "x86-64-v4") return features_x86_64_v4();
#endif
  (void)name;
  return features_baseline();
}

nb::object describe_all(const Rows2& edges, const Places& first_edge, const Sizes& sizes, const Places& first_size,
                        const Units& units, int tiers, int64_t pivots, const std::string& instruction_set) {
  const size_t n = units.shape(0), width = size_t(n_features(tiers));
  auto rows = std::make_unique<double[]>(n * width);
  const Kernels& kernels = kernels_named(instruction_set);
  {
    const nb::gil_scoped_release released;
    for (size_t i = 0; i < n; ++i) {
      const int64_t edge = first_edge(i), size = first_size(i);
      const Wiring wiring{reinterpret_cast<const Edge*>(edges.data()) + edge,
                          first_edge(i + 1) - edge,
                          sizes.data() + size,
                          first_size(i + 1) - size,
                          units(i, 0),
                          units(i, 1)};
      describe(wiring, tiers, pivots, kernels, rows.get() + i * width);
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
