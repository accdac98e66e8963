// The engine's Python module: networks, data and trainings as classes, with the interpreter lock released while they
// work. What it is given is checked for memory's sake; messages for people come from the Python that calls it.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>

#include "arrays.h"
#include "names.h"
#include "reservoir.h"
#include "training.h"

using namespace nb::literals;

namespace wirenas {
namespace {

// Instruction sets

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names{"baseline"};
#ifdef WIRENAS_X86_64
  __builtin_cpu_init();
  // The levels by name came late to Clang; these are the features that the compiler may use at each.
  if (!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
        __builtin_cpu_supports("bmi2")))
    return names;
  names.push_back("x86-64-v3");
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    names.push_back("x86-64-v4");
#endif
  return names;
}

template <typename Real>
const Kernels<Real>& kernels_named(const std::string& name);

template <>
const Kernels<double>& kernels_named(const std::string&) {
  return kernels_double();
}

template <>
const Kernels<float>& kernels_named(const std::string& name) {
  for (const std::string& known : instruction_sets()) {
    if (known != name) continue;
#ifdef WIRENAS_X86_64
    if (name == "x86-64-v4") return kernels_x86_64_v4();
    if (name == "x86-64-v3") return kernels_x86_64_v3();
#endif
    return kernels_baseline();
  }
  throw std::invalid_argument("instruction set " + name + " is not one that this processor has");
}

// Networks

// Positions are 32-bit numbers.
void check_positions(int64_t n_lines, size_t n_edges) {
  check(n_lines < kMostLines, "a network of more than 16 million neurons is too large");
  check(n_edges < (size_t(1) << 29), "a network of more than 500 million weights is too large");
}

// Beyond the parameters that a network is used with, slots are found out then.
void check_slots(const Flat<const int64_t>& slots) {
  for (size_t i = 0; i < slots.size(); ++i) check(slots(i) >= 0, "a slot lies outside of the parameters");
}

std::shared_ptr<Network> feedforward(int n_inputs, int n_neurons, int n_outputs, const std::string& activation,
                                     const Edges& edges, std::optional<Flat<const int64_t>> slots, bool sparse_inputs) {
  check(n_inputs > 0 && n_outputs > 0 && n_neurons >= int64_t(n_inputs) + n_outputs,
        "a network needs inputs and outputs");
  check_positions(n_neurons, edges.shape(0));
  const Activation kind = named<Activation>(activation_names, activation, "activation");
  check(!slots || edges.shape(0) == slots->size(), "one slot an edge is needed");
  if (slots) check_slots(*slots);
  for (size_t e = 0; e < edges.shape(0); ++e) {
    const int32_t source = edges(e, 0), target = edges(e, 1);
    check(0 <= source && source < target && target < n_neurons && target >= n_inputs, "an edge must point forward");
    check(source < n_neurons - n_outputs, "an output unit feeds nothing");
  }
  return std::make_shared<Network>(Network::feedforward(n_inputs, n_neurons, n_outputs, kind, edges.data(),
                                                        int(edges.shape(0)), slots ? slots->data() : nullptr,
                                                        sparse_inputs));
}

std::shared_ptr<Network> recurrent(const std::vector<int>& sizes, int n_outputs, const std::string& cell,
                                   const Edges& edges, const Flat<const int32_t>& gates,
                                   const Flat<const int64_t>& slots, const Edges& head_edges,
                                   const Flat<const int64_t>& head_slots, bool learns_initial) {
  check(sizes.size() > 1 && n_outputs > 0, "a network needs inputs, cells and outputs");
  const Cell kind = named<Cell>(cell_names, cell, "cell");
  const int n_lines = checked_total(sizes.data(), int64_t(sizes.size()));
  check_positions(int64_t(n_lines) + n_outputs, edges.shape(0) + head_edges.shape(0));
  check(edges.shape(0) == slots.size() && slots.size() == gates.size(), "one slot and gate an edge are needed");
  check(head_edges.shape(0) == head_slots.size(), "one slot an edge is needed");
  check_slots(slots);
  check_slots(head_slots);
  const int n_gates = kind == Cell::lstm ? 4 : kind == Cell::gru ? 3 : 1;
  for (size_t e = 0; e < edges.shape(0); ++e) {
    check(0 <= edges(e, 0) && edges(e, 0) < n_lines, "an edge must come from an input or a cell");
    check(sizes[0] <= edges(e, 1) && edges(e, 1) < n_lines, "an edge must lead to a cell");
    check(0 <= gates(e) && gates(e) < n_gates, "an edge must belong to a gate");
  }
  for (size_t e = 0; e < head_edges.shape(0); ++e)
    check(sizes[0] <= head_edges(e, 0) && head_edges(e, 0) < n_lines && n_lines <= head_edges(e, 1) &&
              head_edges(e, 1) < n_lines + n_outputs,
          "an edge of the head must lead from a cell to an output");
  return std::make_shared<Network>(Network::recurrent(sizes, n_outputs, kind, edges.data(), gates.data(),
                                                      int(edges.shape(0)), slots.data(), head_edges.data(),
                                                      int(head_edges.shape(0)), head_slots.data(), learns_initial));
}

// Reservoirs

using Doubles = Flat<const double>;
using Numbers = Flat<const int32_t>;

// Sparse rows, owned: nobody else may write them once they are checked.
struct OwnWeighted {
  std::vector<int32_t> start, sources;
  Doubles weights;

  Weighted view() const { return {start.data(), sources.data(), weights.data()}; }
};

OwnWeighted weighted(const std::tuple<Numbers, Numbers, Doubles>& given, int n_rows, int n_sources) {
  const OwnWeighted own{copied(std::get<0>(given)), copied(std::get<1>(given)), std::get<2>(given)};
  check(int64_t(own.start.size()) == int64_t(n_rows) + 1 && own.start.front() == 0, "one row a neuron is needed");
  check(std::is_sorted(own.start.begin(), own.start.end()), "rows must follow each other");
  check(size_t(own.start.back()) == own.sources.size() && own.sources.size() == own.weights.size(),
        "one weight an edge is needed");
  for (const int32_t source : own.sources)
    check(0 <= source && source < n_sources, "an edge must come from a neuron or an input");
  return own;
}

void reservoir_states(const std::tuple<Numbers, Numbers, Doubles>& recurrence,
                      const std::tuple<Numbers, Numbers, Doubles>& read_in, const Doubles& bias, double leak,
                      const Numbers& read, const Doubles& factors, const Array<const double, nb::ndim<3>>& inputs,
                      const std::optional<Flat<const int64_t>>& lengths, Flat<double> states) {
  check(bias.size() < (size_t(1) << 24), "a network of more than 16 million neurons is too large");
  check(inputs.shape(1) < (size_t(1) << 30), "sequences of more than a thousand million steps are too long");
  Reservoir net;
  net.n_neurons = int(bias.size());
  net.n_inputs = int(inputs.shape(2));
  check(inputs.shape(2) < (size_t(1) << 30) && factors.size() < (size_t(1) << 30), "inputs and copies are too many");
  const OwnWeighted own_recurrence = weighted(recurrence, net.n_neurons, net.n_neurons);
  const OwnWeighted own_read_in = weighted(read_in, net.n_neurons, net.n_inputs);
  net.recurrence = own_recurrence.view();
  net.inputs = own_read_in.view();
  net.bias = bias.data();
  net.leak = leak;
  const std::vector<int32_t> own_read = copied(read);
  net.n_read = int(own_read.size());
  net.read = own_read.data();
  for (const int32_t neuron : own_read) check(0 <= neuron && neuron < net.n_neurons, "what is read must be a neuron");
  Runs runs;
  runs.count = int(factors.size());
  runs.n_steps = int(inputs.shape(1));
  runs.factors = factors.data();
  runs.inputs = inputs.data();
  runs.own = inputs.shape(0) != 1;
  check(inputs.shape(0) == 1 || inputs.shape(0) == factors.size(), "inputs of all copies, or of each, are needed");
  const size_t n_kept = factors.size() * read.size();
  std::vector<int64_t> own_lengths;
  if (lengths) {
    own_lengths = copied(*lengths);
    check(own_lengths.size() == factors.size() && states.size() == n_kept, "one length and state a copy is needed");
    for (const int64_t length : own_lengths)
      check(0 < length && length <= runs.n_steps, "a length lies outside of the sequences");
    runs.lengths = own_lengths.data();
  } else {
    check(states.size() == n_kept * inputs.shape(1), "one state a copy and step is needed");
  }
  nb::gil_scoped_release unlocked;
  run_reservoir(net, runs, states.data());
}

// Outputs that no class belongs to do no harm.
void check_fit(const std::string& unit, int own, int given, bool more_is_fine) {
  if (own == given || (more_is_fine && own > given)) return;
  throw std::invalid_argument("the network has " + std::to_string(own) + " " + unit + " units and the task " +
                              std::to_string(given) + ": attach the wiring with as many as the task has");
}

// A copy of numbers of examples, which nobody may change once they are checked.
template <typename Real>
std::vector<int64_t> checked_examples(const HeldData<Real>& data, const Network& network,
                                      const Flat<const int64_t>& given) {
  const std::vector<int64_t> examples = copied(given);
  check(examples.size() > 0 && examples.size() < (size_t(1) << 30), "examples are needed");
  check(data.is_sparse() || !network.needs_sparse_inputs(), "the network was laid out for sparse inputs");
  check(data.is_sequence() == network.is_recurrent(), "sequences need a recurrent network, and only they");
  check_fit("input", network.n_inputs, data.n_inputs, false);
  check_fit("output", network.n_outputs, data.n_outputs, data.loss == Loss::cross_entropy);
  for (const int64_t example : examples)
    check(0 <= example && example < data.n_examples, "an example lies outside of the data");
  return examples;
}

template <typename Real>
std::vector<int64_t> longest_first(const HeldData<Real>& data, std::vector<int64_t> sorted) {
  std::vector<int64_t> buffer;
  if (data.is_sequence()) sort_by_length(sorted.data(), int(sorted.size()), data.lengths, buffer);
  return sorted;
}

constexpr int kMostThreads = 4096;

// Threads for what is done with a network apart from training, where it is large enough for several.
std::unique_ptr<Team> team_for(const Network& network, int n_threads) {
  check(n_threads <= kMostThreads, "threads are too many");
  return n_threads < 2 || network.stretches().empty() ? nullptr : std::make_unique<Team>(n_threads);
}

// A training, and the generator that it draws from.
template <typename Real>
struct HeldTraining {
  Training<Real> training;
  nb::object generator;
};

BitGenerator& bit_generator(const nb::object& generator) {
  const nb::object capsule = generator.attr("capsule");
  void* const found = PyCapsule_GetPointer(capsule.ptr(), "BitGenerator");
  if (found == nullptr) throw nb::python_error();
  return *static_cast<BitGenerator*>(found);
}

template <typename Real>
void bind(nb::module_& m, const char* data_name, const char* training_name) {
  using Held = HeldData<Real>;
  using Own = HeldTraining<Real>;
  const char* const score = std::is_same_v<Real, float> ? "evaluate" : "evaluate64";
  const char* const predicted = std::is_same_v<Real, float> ? "predict" : "predict64";
  const char* const differentiated = std::is_same_v<Real, float> ? "gradients" : "gradients64";

  nb::class_<Held>(m, data_name)
      .def(
          "__init__",
          [](Held* self, nb::object inputs, nb::object lengths, nb::object targets, int n_inputs, int n_outputs,
             const std::string& loss, nb::object weights, nb::object counts, double steps_per_example,
             std::optional<Flat<const int64_t>> first_row) {
            new (self) Held(make_data<Real>(inputs, lengths, targets, n_inputs, n_outputs, loss, weights, counts,
                                            steps_per_example, first_row));
          },
          "inputs"_a, "lengths"_a.none(), "targets"_a, "n_inputs"_a, "n_outputs"_a, "loss"_a,
          "weights"_a.none() = nb::none(), "counts"_a.none() = nb::none(), "steps_per_example"_a = 1.0,
          "first_row"_a.none() = nb::none())
      .def_prop_ro("sparse", [](const Held& self) { return self.is_sparse(); });

  nb::class_<Own>(m, training_name)
      .def("__init__",
           [](Own* self, std::shared_ptr<Network> network, std::shared_ptr<Held> data, const std::string& instructions,
              const Plan& plan, const Flat<const double>& rates, const Flat<const int64_t>& train,
              const Flat<const int64_t>& validation, const Flat<const int64_t>& to_fold, Flat<Real> weights,
              Flat<Real> biases, Flat<Real> head_weights, Flat<Real> head_biases, nb::object generator) {
             auto own_train = checked_examples(*data, *network, train);
             auto own_validation = checked_examples(*data, *network, validation);
             check(!plan.normalise || !network->is_recurrent(), "only feed-forward networks are normalised");
             std::vector<int64_t> own_to_fold;
             if (plan.normalise) own_to_fold = checked_examples(*data, *network, to_fold);
             check(plan.epochs > 0 && plan.batch_size > 0, "epochs and batches are needed");
             const int64_t steps = int64_t(train.size() - 1) / plan.batch_size + 1;
             check(int64_t(rates.size()) >= plan.epochs * steps, "one learning rate a step is needed");
             const Outside<Real> outside{weights, biases, head_weights, head_biases};
             new (self) Own{Training<Real>(network, data, kernels_named<Real>(instructions), plan, copied(rates),
                                           std::move(own_train), std::move(own_validation), std::move(own_to_fold),
                                           outside.flat(*network)),
                            generator};
           })
      .def(
          "run",
          [](Own& self, int64_t last, double seconds, int n_threads) {
            check(n_threads <= kMostThreads, "threads are too many");
            BitGenerator& generator = bit_generator(self.generator);
            const double longest = seconds > 0 ? std::min(seconds, 1e8) : 0;  // A clock counts no further.
            const nb::gil_scoped_release released;
            self.training.run(std::min(last, self.training.n_steps()), longest, generator, n_threads);
          },
          "last"_a, "seconds"_a, "n_threads"_a = 1)
      .def("next_batch",
           [](Own& self) {
             check(!self.training.finished(), "the training is over");
             auto* const examples = new std::vector<int64_t>(self.training.next_batch(bit_generator(self.generator)));
             const nb::capsule owner(examples,
                                     [](void* held) noexcept { delete static_cast<std::vector<int64_t>*>(held); });
             return nb::ndarray<nb::numpy, int64_t, nb::ndim<1>>(examples->data(), {examples->size()}, owner);
           })
      .def("skip",
           [](Own& self) {
             check(!self.training.finished(), "the training is over");
             BitGenerator& generator = bit_generator(self.generator);
             const nb::gil_scoped_release released;
             self.training.skip(generator);
           })
      .def("rewire",
           [](Own& self, std::shared_ptr<Network> network, Flat<Real> weights, Flat<Real> biases,
              Flat<Real> head_weights, Flat<Real> head_biases) {
             const Network& old = self.training.network();
             check(network->n_inputs == old.n_inputs && network->n_outputs == old.n_outputs &&
                       network->is_recurrent() == old.is_recurrent(),
                   "another structure has the same units");
             check(self.training.is_sparse() || !network->needs_sparse_inputs(),
                   "the network was laid out for sparse inputs");
             auto parameters = Outside<Real>{weights, biases, head_weights, head_biases}.flat(*network);
             self.training.rewire(network, std::move(parameters));
           })
      .def_prop_ro("n_moments", [](Own& self) { return self.training.moments().size(); })
      .def("load_moment",
           [](Own& self, size_t which, Flat<Real> weights, Flat<Real> biases, Flat<Real> head_weights,
              Flat<Real> head_biases) {
             const auto moments = self.training.moments();
             check(which < moments.size(), "there is no such moment");
             Outside<Real>{weights, biases, head_weights, head_biases}.each(
                 self.training.network(), [&](size_t place, Real value) { (*moments[which])[place] = value; });
           })
      .def(
          "store_moment",
          [](Own& self, size_t which, Flat<Real> weights, Flat<Real> biases, Flat<Real> head_weights,
             Flat<Real> head_biases) {
            const auto moments = self.training.moments();
            check(which < moments.size(), "there is no such moment");
            Outside<Real>{weights, biases, head_weights, head_biases}.each(
                self.training.network(), [&](size_t place, Real& value) { value = (*moments[which])[place]; });
          },
          "which"_a, "weights"_a.noconvert(), "biases"_a.noconvert(), "head_weights"_a.noconvert(),
          "head_biases"_a.noconvert())
      .def_prop_ro("step", [](const Own& self) { return self.training.step(); })
      .def_prop_ro("n_steps", [](const Own& self) { return self.training.n_steps(); })
      .def_prop_ro("finished", [](const Own& self) { return self.training.finished(); })
      .def_prop_ro("diverged", [](const Own& self) { return self.training.diverged(); })
      .def_prop_ro("best_epoch", [](const Own& self) { return self.training.best_epoch(); })
      .def_prop_ro("epochs",
                   [](const Own& self) {
                     std::vector<std::tuple<double, double, double>> rows;
                     for (const EpochScore& epoch : self.training.epochs())
                       rows.emplace_back(epoch.train_loss, epoch.validation_loss, epoch.validation_metric);
                     return rows;
                   })
      .def("load",
           [](Own& self, Flat<Real> weights, Flat<Real> biases, Flat<Real> head_weights, Flat<Real> head_biases) {
             auto& parameters = self.training.parameters();
             Outside<Real>{weights, biases, head_weights, head_biases}.each(
                 self.training.network(), [&](size_t place, Real value) { parameters[place] = value; });
           })
      .def(
          "store",
          [](Own& self, Flat<Real> weights, Flat<Real> biases, Flat<Real> head_weights, Flat<Real> head_biases) {
            const auto& parameters = self.training.parameters();
            Outside<Real>{weights, biases, head_weights, head_biases}.each(
                self.training.network(), [&](size_t place, Real& value) { value = parameters[place]; });
          },
          "weights"_a.noconvert(), "biases"_a.noconvert(), "head_weights"_a.noconvert(), "head_biases"_a.noconvert())
      // The same for the plain network that a training which normalises is folded into; returns the factor of each
      // hidden neuron's weights.
      .def(
          "store_folded",
          [](Own& self, int n_threads, Flat<Real> weights, Flat<Real> biases, Flat<Real> head_weights,
             Flat<Real> head_biases) {
            {
              const nb::gil_scoped_release released;
              check(n_threads <= kMostThreads, "threads are too many");
              self.training.fold(n_threads);
            }
            const auto& parameters = self.training.folded();
            Outside<Real>{weights, biases, head_weights, head_biases}.each(
                self.training.network(), [&](size_t place, Real& value) { value = parameters[place]; });
            return self.training.factors();
          },
          "n_threads"_a, "weights"_a.noconvert(), "biases"_a.noconvert(), "head_weights"_a.noconvert(),
          "head_biases"_a.noconvert())
      .def_prop_ro("gamma", [](const Own& self) {
        const Real* const first = self.training.gamma();
        return std::vector<Real>(first, first + self.training.factors().size());
      });

  m.def(score, [](const std::shared_ptr<Network>& network, const std::shared_ptr<Held>& data,
                  const std::string& instructions, int n_threads, const Flat<const int64_t>& examples,
                  Flat<Real> weights, Flat<Real> biases, Flat<Real> head_weights, Flat<Real> head_biases) {
    const auto sorted = longest_first(*data, checked_examples(*data, *network, examples));
    const auto parameters = Outside<Real>{weights, biases, head_weights, head_biases}.flat(*network);
    const nb::gil_scoped_release released;
    const auto team = team_for(*network, n_threads);
    Passes<Real> passes(*network, *data, kernels_named<Real>(instructions));
    passes.share_with(team.get());
    const Score found = passes.evaluate(parameters.data(), sorted.data(), int64_t(sorted.size()));
    return std::make_tuple(found.loss, found.metric);
  });

  m.def(predicted, [](const std::shared_ptr<Network>& network, const std::shared_ptr<Held>& data,
                      const std::string& instructions, int n_threads, const Flat<const int64_t>& examples,
                      Flat<Real> weights, Flat<Real> biases, Flat<Real> head_weights, Flat<Real> head_biases,
                      Array<Real, nb::ndim<2>> outputs) {
    const std::vector<int64_t> own = checked_examples(*data, *network, examples);
    const size_t steps = size_t(std::max<int64_t>(data->width, 1));
    check(data->first_row.empty(), "rows of sequences are predicted as rows of their own");
    check(outputs.shape(0) == examples.size() * steps && int(outputs.shape(1)) == network->n_outputs,
          "one row of outputs an example, or a step, is needed");
    const auto parameters = Outside<Real>{weights, biases, head_weights, head_biases}.flat(*network);
    const nb::gil_scoped_release released;
    const auto team = team_for(*network, n_threads);
    Passes<Real> passes(*network, *data, kernels_named<Real>(instructions));
    passes.share_with(team.get());
    if (!data->is_sequence()) {
      passes.predict(parameters.data(), own.data(), int64_t(own.size()), outputs.data());
      return;
    }
    for (size_t i = 0; i < own.size(); ++i)
      passes.predict(parameters.data(), own.data() + i, 1, outputs.data() + i * steps * size_t(network->n_outputs));
  });

  // The mean loss of one batch, and its gradients laid out like the parameters outside.
  m.def(
      differentiated,
      [](const std::shared_ptr<Network>& network, const std::shared_ptr<Held>& data, const std::string& instructions,
         const Flat<const int64_t>& examples, Flat<Real> weights, Flat<Real> biases, Flat<Real> head_weights,
         Flat<Real> head_biases, Flat<Real> weight_gradients, Flat<Real> bias_gradients,
         Flat<Real> head_weight_gradients, Flat<Real> head_bias_gradients, std::optional<Flat<Real>> gamma,
         std::optional<Flat<Real>> gamma_gradients) {
        auto batch = checked_examples(*data, *network, examples);
        const auto parameters = Outside<Real>{weights, biases, head_weights, head_biases}.flat(*network);
        Aligned<Real> gradients(parameters.size());
        const Kernels<Real>& kernels = kernels_named<Real>(instructions);
        Passes<Real> passes(*network, *data, kernels);
        double loss = 0;
        if (gamma) {
          const size_t n_hidden = size_t(network->n_rows() - network->n_outputs);
          check(!network->is_recurrent() && gamma->size() == n_hidden && gamma_gradients &&
                    gamma_gradients->size() == n_hidden,
                "one gamma a hidden neuron is needed");
          NormalisedPasses<Real> normalised(*network, passes, kernels);
          loss = normalised.gradients(parameters.data(), gamma->data(), batch.data(), int(batch.size()),
                                      gradients.data(), gamma_gradients->data());
        } else {
          loss = passes.gradients(parameters.data(), batch.data(), int(batch.size()), gradients.data());
        }
        Outside<Real>{weight_gradients, bias_gradients, head_weight_gradients, head_bias_gradients}.each(
            *network, [&](size_t place, Real& value) { value = gradients[place]; });
        return loss / (double(batch.size()) * data->steps_per_example);
      },
      "network"_a, "data"_a, "instructions"_a, "examples"_a, "weights"_a, "biases"_a, "head_weights"_a, "head_biases"_a,
      "weight_gradients"_a, "bias_gradients"_a, "head_weight_gradients"_a, "head_bias_gradients"_a,
      "gamma"_a.none() = nb::none(), "gamma_gradients"_a.none() = nb::none());
}

}  // namespace
}  // namespace wirenas

NB_MODULE(_native, m) {
  using namespace wirenas;
  m.def("instruction_sets", instruction_sets);
  m.def("peak", [](const std::string& name, int64_t rounds) {
    check(rounds >= 0 && rounds <= 1000000000, "rounds are out of bounds");
    return kernels_named<float>(name).peak(rounds);
  });
  m.def("apply", [](const std::string& name, const std::string& function, Flat<float> values) {
    check(kernels_named<float>(name).apply(function.c_str(), values.data(), int64_t(values.size())),
          "there is no function of that name");
  });
  nb::class_<Network>(m, "Network")
      .def_ro("n_outputs", &Network::n_outputs)
      .def_prop_ro("n_neurons", [](const Network& self) { return self.n_inputs + self.n_rows(); });
  m.def("feedforward", feedforward, "n_inputs"_a, "n_neurons"_a, "n_outputs"_a, "activation"_a, "edges"_a,
        "slots"_a.none(), "sparse_inputs"_a = false);
  m.def("recurrent", recurrent, "sizes"_a, "n_outputs"_a, "cell"_a, "edges"_a, "gates"_a, "slots"_a, "head_edges"_a,
        "head_slots"_a, "learns_initial"_a = false);
  m.def("reservoir_states", reservoir_states, "recurrence"_a, "read_in"_a, "bias"_a, "leak"_a, "read"_a, "factors"_a,
        "inputs"_a, "lengths"_a.none(), "states"_a.noconvert());
  m.def("activations", [] { return activation_names; });
  m.def("cells", [] { return cell_names; });
  nb::class_<Update>(m, "Update")
      .def(
          "__init__",
          [](Update* self, const std::string& optimizer, double weight_decay, double momentum, bool nesterov) {
            new (self) Update;
            self->optimizer = named<Optimizer>(optimizer_names, optimizer, "optimizer");
            self->weight_decay = weight_decay;
            self->momentum = momentum;
            self->nesterov = nesterov;
          },
          nb::kw_only(), "optimizer"_a, "weight_decay"_a = 0.0, "momentum"_a = 0.0, "nesterov"_a = false);
  nb::class_<Plan>(m, "Plan").def(
      "__init__",
      [](Plan* self, int epochs, int batch_size, int patience, double clip, bool maximize, const Update& update,
         bool normalise) { new (self) Plan{epochs, batch_size, patience, clip, maximize, normalise, update}; },
      nb::kw_only(), "epochs"_a, "batch_size"_a, "patience"_a = 0, "clip"_a = 0.0, "maximize"_a, "update"_a,
      "normalise"_a = false);
  bind<float>(m, "Data", "Training");
  bind<double>(m, "Data64", "Training64");
}
