// The Python module of the compiled draws and transforms, which hold the same functions as the modules of priors in
// Python. Whatever they are given is checked: Python's objects can be changed behind the back of what checked them.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/vector.h>

#include <initializer_list>
#include <memory>
#include <utility>

#include "attachment.h"
#include "checks.h"
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

BitGenerator& bit_generator(nb::handle capsule) {
  void* const found = PyCapsule_GetPointer(capsule.ptr(), "BitGenerator");
  if (found == nullptr) throw nb::python_error();
  return *static_cast<BitGenerator*>(found);
}

void check_n(int64_t n_neurons, int64_t least = 0) {
  check(n_neurons >= least && n_neurons <= kMostNeurons, "the number of neurons is out of bounds");
}

int64_t n_pairs(int64_t n) { return n * (n - 1) / 2; }

// A graph is drawn edge by edge into an array that holds both directions of each.
void check_drawn(int64_t n, int64_t n_edges) {
  check_n(n, 1);
  check(n_edges >= 0 && n_edges <= n_pairs(n), "a graph has no more edges than pairs of neurons");
}

Graph graph_of(const Rows& rows, int32_t n_neurons) {
  check_n(n_neurons);
  const Graph graph{reinterpret_cast<const Edge*>(rows.data()), int64_t(rows.shape(0)), n_neurons};
  check_edges(graph.edges, graph.n_edges, n_neurons, n_neurons);
  return graph;
}

int32_t n_neurons_of(const Sizes& sizes) { return checked_total(sizes.data(), int64_t(sizes.size())); }

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

// A copy of edges in any order.
Edges edges_of(const Rows& rows, int32_t n_neurons) {
  const Edge* const first = reinterpret_cast<const Edge*>(rows.data());
  Edges edges(first, first + rows.shape(0));
  bool is_inside = true;
  for (const Edge& edge : edges)
    is_inside &= (edge.source >= 0) & (edge.source < n_neurons) & (edge.target >= 0) & (edge.target < n_neurons);
  check(is_inside, "an edge lies outside of the neurons");
  return edges;
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
    check(k >= 0 && k < n, "a neuron has fewer neighbours than there are neurons");
    check_n(n, 1);
    return rows_of(watts_strogatz(bit_generator(random), n, k, p));
  });
  m.def("ws_flex", [](nb::handle random, int32_t n, int64_t n_edges, double p) {
    check_drawn(n, n_edges);
    return rows_of(ws_flex(bit_generator(random), n, n_edges, p));
  });
  m.def("barabasi_albert", [](nb::handle random, int32_t n, int32_t m, int initial) {
    check_n(n, 2);
    check(m > 0 && m < n, "a new neuron is joined to fewer than there are");
    check(initial >= 0 && initial <= int(Initial::complete), "there is no such graph to start from");
    return rows_of(barabasi_albert(bit_generator(random), n, m, Initial(initial)));
  });
  m.def("random_regular", [](nb::handle random, int32_t n, int32_t d) {
    check_n(n, 1);
    check(d >= 0 && d < n && int64_t(n) * d % 2 == 0, "no graph has such degrees");
    return rows_of(random_regular(bit_generator(random), n, d));
  });
  m.def("geo_hub", [](nb::handle random, int32_t n, int64_t n_edges, int32_t hubs) {
    check_drawn(n, n_edges);
    check(hubs > 0 && hubs <= n && n_pairs(hubs) <= n_edges, "hubs are neurons, all joined to each other");
    return rows_of(geo_hub(bit_generator(random), n, n_edges, hubs));
  });
  m.def("erdos_renyi", [](nb::handle random, int32_t n, double p) {
    check_n(n);
    return rows_of(erdos_renyi(bit_generator(random), n, p));
  });
  m.def("erdos_renyi_exact", [](nb::handle random, int32_t n, int64_t n_edges) {
    check_drawn(n, n_edges);
    return rows_of(erdos_renyi_exact(bit_generator(random), n, n_edges));
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
        check(order >= 0 && order <= int(Order::degree), "there is no such order");
        const Graph graph = graph_of(rows, n_neurons);
        if (!is_undirected(graph)) return nb::none();
        BitGenerator* const bits = Order(order) == Order::random ? &bit_generator(random) : nullptr;
        return rows_of(orient(graph, keys_of(graph, Order(order), bits)));
      },
      nb::arg().none(), nb::arg(), nb::arg(), nb::arg());
  m.def("layer", [](const Rows& rows, int32_t n_neurons) -> nb::object {
    auto layered = layer(graph_of(rows, n_neurons));
    if (!layered) return nb::none();
    return nb::make_tuple(layered->sizes, rows_of(std::move(layered->edges)));
  });
  m.def("stack", [](const Rows& rows, const Sizes& sizes, bool inputs, bool outputs) -> nb::object {
    const Graph graph = graph_of(rows, n_neurons_of(sizes));
    check(sizes.size() >= size_t(inputs) + size_t(outputs), "units are layers");
    if (!is_forward(graph, sizes)) return nb::none();
    return rows_of(stack(graph, sizes, inputs, outputs));
  });
  m.def("attach", [](nb::handle random, const Rows& rows, const Sizes& sizes, int mode, int32_t n_inputs,
                     int32_t n_outputs, int32_t width, int32_t reads, int32_t readouts) {
    const Graph graph = graph_of(rows, n_neurons_of(sizes));
    check(mode >= 0 && mode <= int(Mode::published), "there is no such mode");
    check(graph.n_neurons > 0 && n_inputs >= 0 && n_outputs >= 0, "neurons and units are needed");
    check(Mode(mode) == Mode::projected ? width > 0 : width == 0, "a projection alone has a width");
    check(reads >= 0 && reads <= n_inputs && readouts >= 0 && readouts <= graph.n_neurons,
          "no more is read than there is");
    check_n(int64_t(graph.n_neurons) + n_inputs + n_outputs + width);
    const Attachment own{Mode(mode), n_inputs, n_outputs, width, reads, readouts};
    return rows_of(attach(graph, sizes, own, bit_generator(random)));
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
          BitGenerator& bits = bit_generator(random);
          check_n(n_neurons);
          Links links{edges_of(singles, n_neurons), edges_of(pairs, n_neurons), values_of(ahead), values_of(back)};
          check(links.ahead.size() == links.pairs.size() && links.back.size() == links.pairs.size(),
                "one weight a direction of a pair is needed");
          check(by >= 0 && by <= int(Kinds::By::pair), "there are no such kinds of edges");
          check(labels.shape(0) == size_t(n_neurons) && n_labels <= kMostNeurons, "one label a neuron is needed");
          const auto own_labels = values_of(labels);
          for (const int64_t label : own_labels) check(label >= 0 && label < n_labels, "a label is out of bounds");
          const int n_dimensions = int(positions.shape(1));
          check(n_dimensions == 0 || positions.shape(0) == size_t(n_neurons), "one position a neuron is needed");
          check(n_dimensions < 1 << 16 && borders.shape(0) < 1 << 16, "positions and borders are few");
          const std::vector<double> own_positions(positions.data(), positions.data() + positions.size());
          const auto own_borders = values_of(borders);
          check(part_size >= 0 && n_parts >= 0 && part_size < int64_t(1) << 32 && n_parts < int64_t(1) << 30,
                "a walk is too long");
          const Edges own_fixed = edges_of(fixed, n_neurons);
          const Kinds kinds{
              Kinds::By(by),      own_labels.data(),          n_labels, own_positions.data(), n_dimensions,
              own_borders.data(), int64_t(own_borders.size())};
          Walk found;
          {
            const nb::gil_scoped_release released;
            const Graph stays{own_fixed.data(), int64_t(own_fixed.size()), n_neurons};
            found = walk(bits, links, stays, kinds, keeps_mutual, part_size, n_parts);
          }
          return nb::make_tuple(rows_of(std::move(links.singles)), rows_of(std::move(links.pairs)),
                                numbers_of(std::move(links.ahead)), numbers_of(std::move(links.back)), found.n_tries,
                                found.n_moves, numbers_of(std::move(found.overlaps)));
        });
}
