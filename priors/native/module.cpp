// The Python module of the compiled draws and transforms. Python checks what it passes; nothing here is meant to be
// called by anything but the modules of priors that hold the same functions in Python.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/vector.h>

#include <initializer_list>
#include <memory>
#include <numeric>
#include <utility>

#include "attachment.h"
#include "graphs.h"
#include "nulls.h"
#include "transforms.h"

namespace nb = nanobind;

namespace wirenas {
namespace {

using Rows = nb::ndarray<const int32_t, nb::shape<-1, 2>, nb::c_contig, nb::device::cpu>;
using WideRows = nb::ndarray<const int64_t, nb::shape<-1, 2>, nb::c_contig, nb::device::cpu>;
using Numbers = nb::ndarray<const int64_t, nb::shape<-1>, nb::c_contig, nb::device::cpu>;
using Reals = nb::ndarray<const double, nb::shape<-1>, nb::c_contig, nb::device::cpu>;
using Points = nb::ndarray<const double, nb::shape<-1, -1>, nb::c_contig, nb::device::cpu>;
using Sizes = std::vector<int32_t>;

BitGenerator* bit_generator(nb::handle capsule) {
  if (capsule.is_none()) return nullptr;
  void* const found = PyCapsule_GetPointer(capsule.ptr(), "BitGenerator");
  if (found == nullptr) throw nb::python_error();
  return static_cast<BitGenerator*>(found);
}

Graph graph_of(const Rows& rows, int32_t n_neurons) {
  return {reinterpret_cast<const Edge*>(rows.data()), int64_t(rows.shape(0)), n_neurons};
}

int32_t n_neurons_of(const Sizes& sizes) { return std::accumulate(sizes.begin(), sizes.end(), int32_t(0)); }

// An array that takes a vector over.
template <typename Array, typename T>
nb::object array_of(std::vector<T>&& values, std::initializer_list<size_t> shape) {
  auto kept = std::make_unique<std::vector<T>>(std::move(values));
  const nb::capsule owner(kept.get(), [](void* own) noexcept { delete static_cast<std::vector<T>*>(own); });
  return nb::cast(Array(kept.release()->data(), shape, owner));
}

nb::object rows_of(Edges&& edges) {
  const size_t n_edges = edges.size();
  return array_of<nb::ndarray<nb::numpy, const int32_t>>(std::move(edges), {n_edges, 2});
}

Edges edges_of(const Rows& rows) {
  const Edge* const first = reinterpret_cast<const Edge*>(rows.data());
  return Edges(first, first + rows.shape(0));
}

template <typename T>
std::vector<T> values_of(const nb::ndarray<const T, nb::shape<-1>, nb::c_contig, nb::device::cpu>& values) {
  return std::vector<T>(values.data(), values.data() + values.shape(0));
}

nb::object numbers_of(std::vector<int64_t>&& numbers) {
  const size_t n = numbers.size();
  return array_of<nb::ndarray<nb::numpy, int64_t>>(std::move(numbers), {n});
}

}  // namespace
}  // namespace wirenas

NB_MODULE(_native, m) {
  using namespace wirenas;
  m.def("watts_strogatz", [](nb::handle random, int32_t n, int32_t k, double p) {
    return rows_of(watts_strogatz(*bit_generator(random), n, k, p));
  });
  m.def("ws_flex", [](nb::handle random, int32_t n, int64_t n_edges, double p) {
    return rows_of(ws_flex(*bit_generator(random), n, n_edges, p));
  });
  m.def("barabasi_albert", [](nb::handle random, int32_t n, int32_t m, int initial) {
    return rows_of(barabasi_albert(*bit_generator(random), n, m, Initial(initial)));
  });
  m.def("random_regular",
        [](nb::handle random, int32_t n, int32_t d) { return rows_of(random_regular(*bit_generator(random), n, d)); });
  m.def("geo_hub", [](nb::handle random, int32_t n, int64_t n_edges, int32_t hubs) {
    return rows_of(geo_hub(*bit_generator(random), n, n_edges, hubs));
  });
  m.def("erdos_renyi",
        [](nb::handle random, int32_t n, double p) { return rows_of(erdos_renyi(*bit_generator(random), n, p)); });
  m.def("erdos_renyi_exact", [](nb::handle random, int32_t n, int64_t n_edges) {
    return rows_of(erdos_renyi_exact(*bit_generator(random), n, n_edges));
  });
  m.def("longest_paths", [](const Rows& rows, int32_t n_neurons) -> nb::object {
    const auto depth = longest_paths(graph_of(rows, n_neurons));
    if (!depth) return nb::none();
    return array_of<nb::ndarray<nb::numpy, int64_t>>(std::vector<int64_t>(depth->begin(), depth->end()),
                                                     {depth->size()});
  });
  m.def(
      "orient",
      [](nb::handle random, const Rows& rows, int32_t n_neurons, int order) -> nb::object {
        const Graph graph = graph_of(rows, n_neurons);
        if (!is_undirected(graph)) return nb::none();
        return rows_of(orient(graph, keys_of(graph, Order(order), bit_generator(random))));
      },
      nb::arg().none(), nb::arg(), nb::arg(), nb::arg());
  m.def("layer", [](const Rows& rows, int32_t n_neurons) -> nb::object {
    auto layered = layer(graph_of(rows, n_neurons));
    if (!layered) return nb::none();
    return nb::make_tuple(layered->sizes, rows_of(std::move(layered->edges)));
  });
  m.def("stack", [](const Rows& rows, const Sizes& sizes, bool inputs, bool outputs) -> nb::object {
    const Graph graph = graph_of(rows, n_neurons_of(sizes));
    if (!is_forward(graph, sizes)) return nb::none();
    return rows_of(stack(graph, sizes, inputs, outputs));
  });
  m.def("attach", [](nb::handle random, const Rows& rows, const Sizes& sizes, int mode, int32_t n_inputs,
                     int32_t n_outputs, int32_t width, int32_t reads, int32_t readouts) {
    const Attachment own{Mode(mode), n_inputs, n_outputs, width, reads, readouts};
    return rows_of(attach(graph_of(rows, n_neurons_of(sizes)), sizes, own, *bit_generator(random)));
  });
  m.def("sorted_rows", [](const WideRows& rows, int32_t n_neurons) -> nb::object {
    Edges edges(rows.shape(0));
    for (size_t i = 0; i < edges.size(); ++i) {
      const int64_t source = rows(i, 0), target = rows(i, 1);
      if (source < 0 || source >= n_neurons || target < 0 || target >= n_neurons) return nb::none();
      edges[i] = {int32_t(source), int32_t(target)};
    }
    if (!sort_distinct(edges, n_neurons)) return nb::none();
    return rows_of(std::move(edges));
  });
  m.def("walk",
        [](nb::handle random, int32_t n_neurons, const Rows& singles, const Rows& pairs, const Numbers& ahead,
           const Numbers& back, const Rows& fixed, int by, const Numbers& labels, int64_t n_labels,
           const Points& positions, const Reals& borders, bool keeps_mutual, int64_t part_size,
           int64_t n_parts) -> nb::object {
          BitGenerator& bits = *bit_generator(random);
          Links links{edges_of(singles), edges_of(pairs), values_of(ahead), values_of(back)};
          const Kinds kinds{Kinds::By(by),
                            labels.data(),
                            n_labels,
                            positions.data(),
                            int(positions.shape(1)),
                            borders.data(),
                            int64_t(borders.shape(0))};
          Walk found;
          {
            const nb::gil_scoped_release released;
            found = walk(bits, links, graph_of(fixed, n_neurons), kinds, keeps_mutual, part_size, n_parts);
          }
          return nb::make_tuple(rows_of(std::move(links.singles)), rows_of(std::move(links.pairs)),
                                numbers_of(std::move(links.ahead)), numbers_of(std::move(links.back)), found.n_tries,
                                found.n_moves, numbers_of(std::move(found.overlaps)));
        });
}
