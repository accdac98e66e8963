// Arrays from Python: parameters that lie outside of the engine, and the data of a task, checked before they are
// viewed.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "aligned.h"
#include "checks.h"
#include "data.h"
#include "names.h"
#include "network.h"

namespace nb = nanobind;

namespace wirenas {

template <typename T, typename... Shape>
using Array = nb::ndarray<T, nb::numpy, nb::device::cpu, nb::c_contig, Shape...>;
template <typename T>
using Flat = Array<T, nb::ndim<1>>;
using Edges = Array<const int32_t, nb::shape<-1, 2>>;

// Positions of neurons, scaled, are 32-bit numbers.
constexpr int kMostLines = 1 << 24;

template <typename T>
std::vector<T> copied(const Flat<const T>& array) {
  return std::vector<T>(array.data(), array.data() + array.size());
}

// Parameters lie outside as weights by slot, biases, and the same of the head.
template <typename Real>
struct Outside {
  Flat<Real> weights, biases, head_weights, head_biases;

  // Call visit(place inside, value outside) for every parameter.
  template <typename Visit>
  void each(const Network& network, Visit visit) const {
    const auto walk = [&](const std::vector<Place>& places, const Flat<Real>& array, int64_t first) {
      for (const Place& place : places) {
        check(0 <= place.slot && size_t(place.slot) < array.size(), "a slot lies outside of the parameters");
        visit(size_t(first + place.inside), array.data()[place.slot]);
      }
    };
    walk(network.weights(), weights, 0);
    walk(network.projection(), weights, 0);
    walk(network.biases(), biases, 0);
    walk(network.initial(), biases, network.initial_start());
    walk(network.head_weights(), head_weights, network.head_start());
    walk(network.head_biases(), head_biases, network.head_start());
  }

  Aligned<Real> flat(const Network& network) const {
    Aligned<Real> parameters(size_t(network.n_places()));
    each(network, [&](size_t place, Real value) { parameters[place] = value; });
    return parameters;
  }
};

// Data keep the arrays alive that they view, and own those whose numbers are places, which nobody may change once they
// are checked.
template <typename Real>
struct HeldData : Data<Real> {
  std::vector<nb::object> held;
  std::vector<uint8_t> own_symbols;
  std::vector<int64_t> own_lengths, own_classes;
  int64_t n_examples = 0;
};

template <typename Real>
HeldData<Real> make_data(nb::object inputs, nb::object lengths, nb::object targets, int n_inputs, int n_outputs,
                         const std::string& loss, nb::object weights, nb::object counts, double steps_per_example,
                         const std::optional<Flat<const int64_t>>& first_row) {
  HeldData<Real> data;
  data.held = {inputs, targets, weights, counts};
  data.n_inputs = n_inputs;
  data.n_outputs = n_outputs;
  data.loss = named<Loss>(loss_names, loss, "loss");
  check(n_inputs > 0 && n_outputs > 0, "data need inputs and outputs");
  check(n_inputs <= kMostLines && n_outputs <= kMostLines, "inputs and outputs are too many");
  // Arrays are viewed: one that had to be converted would be gone at the end of this function.
  const bool convert = false;
  if (nb::ndarray<> probe; nb::try_cast(inputs, probe) && probe.dtype() == nb::dtype<uint8_t>()) {
    const auto array = nb::cast<Array<const uint8_t, nb::ndim<2>>>(inputs, convert);
    data.own_symbols.assign(array.data(), array.data() + array.size());
    data.symbols = data.own_symbols.data();
    data.row_length = int64_t(array.shape(1));
    data.n_examples = int64_t(array.shape(0));
  } else {
    const auto array = nb::cast<Array<const Real, nb::ndim<2>>>(inputs, convert);
    data.inputs = array.data();
    data.row_length = int64_t(array.shape(1));
    data.n_examples = int64_t(array.shape(0));
  }
  const auto one_an_example = [&](size_t count) {
    check(int64_t(count) == data.n_examples, "one an example is needed");
  };
  if (!lengths.is_none()) {
    const auto array = nb::cast<Flat<const int64_t>>(lengths, convert);
    one_an_example(array.size());
    data.own_lengths = copied(array);
    data.lengths = data.own_lengths.data();
    const int64_t width = data.row_length / (data.symbols == nullptr ? n_inputs : 1);
    for (const int64_t length : data.own_lengths)
      check(0 < length && length <= width, "a length lies outside of the sequences");
    for (int64_t i = 0; data.symbols != nullptr && i < data.n_examples; ++i)
      for (int64_t step = 0; step < data.lengths[i]; ++step)
        check(data.symbols[i * data.row_length + step] < n_inputs, "a symbol lies outside of the alphabet");
  } else {
    // Kernels read whole vectors.
    check(data.symbols == nullptr && data.row_length >= padded(n_inputs, kWidest), "rows are too short");
    data.find_nonzero(data.n_examples);
  }
  const bool is_class = data.loss == Loss::cross_entropy;
  const size_t longest = data.is_sequence() ? size_t(data.row_length / (data.symbols == nullptr ? n_inputs : 1)) : 0;
  if (nb::ndarray<> probe; nb::try_cast(targets, probe) && probe.ndim() == (is_class ? 2 : 3)) {
    check(data.is_sequence() && probe.shape(1) == longest, "one target a step is needed");
    data.width = int64_t(longest);
  }
  check(steps_per_example > 0 && steps_per_example <= double(1 << 30), "steps that count are needed");
  data.steps_per_example = steps_per_example;
  if (is_class && data.width > 0) {
    const auto array = nb::cast<Array<const int64_t, nb::ndim<2>>>(targets, convert);
    one_an_example(array.shape(0));
    data.own_classes.assign(array.data(), array.data() + array.size());
  } else if (is_class) {
    const auto array = nb::cast<Flat<const int64_t>>(targets, convert);
    one_an_example(array.size());
    data.own_classes = copied(array);
  } else if (data.width > 0) {
    const auto array = nb::cast<Array<const Real, nb::ndim<3>>>(targets, convert);
    one_an_example(array.shape(0));
    check(int(array.shape(2)) == n_outputs, "one target an output is needed");
    data.targets = array.data();
  } else {
    const auto array = nb::cast<Array<const Real, nb::ndim<2>>>(targets, convert);
    one_an_example(array.shape(0));
    check(int(array.shape(1)) == n_outputs, "one target an output is needed");
    data.targets = array.data();
  }
  data.classes = is_class ? data.own_classes.data() : nullptr;
  for (const int64_t own : data.own_classes)
    check((data.width > 0 ? -1 : 0) <= own && own < n_outputs, "a class lies outside of the outputs");
  const auto one_each = [&](const nb::object& given) -> const Real* {
    if (given.is_none()) return nullptr;
    const auto array = nb::cast<Flat<const Real>>(given, convert);
    one_an_example(array.size());
    return array.data();
  };
  data.counts = one_each(counts);
  if (data.width > 0 && !weights.is_none()) {
    const auto array = nb::cast<Array<const Real, nb::ndim<2>>>(weights, convert);
    one_an_example(array.shape(0));
    check(array.shape(1) == longest, "one weight a step is needed");
    data.weights = array.data();
  } else {
    data.weights = one_each(weights);
  }
  if (first_row) {
    check(!data.is_sequence(), "sequences are no rows");
    data.first_row = copied(*first_row);
    check(!data.first_row.empty() && data.first_row.front() == 0 && data.first_row.back() == data.n_examples &&
              std::is_sorted(data.first_row.begin(), data.first_row.end()),
          "rows of examples must follow each other");
    data.n_examples = int64_t(data.first_row.size()) - 1;
  }
  return data;
}

}  // namespace wirenas
