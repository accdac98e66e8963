// The signal of a wiring with input and output units: what it reaches, and the paths that it takes.
#include "measures.h"

namespace wirenas {
namespace {

constexpr int kSignalMeasures = 21;

// Of every neuron, the inputs that reach it by any edges.
std::vector<int32_t> inputs_reaching(const Subject& subject, const Kernels& kernels) {
  std::vector<Neuron> starts = numbers(0, subject.n_inputs());
  if (subject.is_acyclic) return kernels.reaching(subject.whole.in, subject.whole_part->order, starts);
  // Neurons of a component are reached by the same inputs, which are components of their own.
  const Strong strong = strong_components(subject.whole);
  std::vector<Neuron> order = numbers(0, strong.count);
  std::reverse(order.begin(), order.end());
  for (Neuron& start : starts) start = strong.of[size_t(start)];
  const std::vector<int32_t> by_component = kernels.reaching(condensed(subject.whole, strong).in, order, starts);
  std::vector<int32_t> reaching(size_t(subject.whole.n()));
  for (size_t neuron = 0; neuron < reaching.size(); ++neuron)
    reaching[neuron] = by_component[size_t(strong.of[neuron])];
  return reaching;
}

void add_reach(const Subject& subject, const Flags& starts, const Flags& ends, const Kernels& kernels, Row& row) {
  const Neuron first = subject.n_inputs(), last = first + subject.n(), n = subject.whole.n();
  const std::vector<Neuron>& order = subject.whole_part->order;
  const std::vector<int32_t> from_input = subject.is_acyclic
                                              ? nearest_along(order.begin(), order.end(), subject.whole.in, starts)
                                              : nearest(subject.whole.out, numbers(0, first));
  const std::vector<int32_t> to_output = subject.is_acyclic
                                             ? nearest_along(order.rbegin(), order.rend(), subject.whole.out, ends)
                                             : nearest(subject.whole.in, numbers(last, n));
  const std::vector<int32_t> reaching = inputs_reaching(subject, kernels);
  std::vector<int64_t> fan_in, input_distance, output_distance;
  std::vector<double> readouts;
  int64_t reading = 0, live_edges = 0, live_inputs = 0;
  for (Neuron neuron = 0; neuron < n; ++neuron) {
    const size_t own = size_t(neuron);
    if (from_input[own] != kUnreached)
      for (const Neuron target : subject.whole.out[neuron]) live_edges += to_output[size_t(target)] != kUnreached;
    if (neuron < first) live_inputs += to_output[own] != kUnreached;
    if (neuron < first || neuron >= last) continue;
    reading += from_input[own] == 1;
    fan_in.push_back(subject.whole.in.degree(neuron));
    if (to_output[own] == 1) readouts.push_back(double(reaching[own]) / first);
    if (from_input[own] == kUnreached || to_output[own] == kUnreached) continue;
    input_distance.push_back(from_input[own]);
    output_distance.push_back(to_output[own]);
  }
  row.add({double(reading), double(readouts.size()), double(input_distance.size()), double(live_edges),
           double(live_inputs)});
  const Summary in = summary(fan_in), input = summary(input_distance), output = summary(output_distance);
  row.add({in.mean, in.std, input.mean, input.std, output.mean, output.std, output.most, summary(readouts).mean});
}

}  // namespace

void add_signal(const Subject& subject, const Kernels& kernels, Row& row) {
  if (!subject.wiring.inputs || !subject.wiring.outputs) {
    row.add_undefined(kSignalMeasures);
    return;
  }
  // There are several layers, so that there is a feed-forward part.
  const FeedForward& part = *subject.whole_part;
  const Neuron first = subject.n_inputs(), last = first + subject.n();
  Flags starts(part.order.size()), ends(part.order.size());
  std::fill(starts.begin(), starts.begin() + first, uint8_t(1));
  std::fill(ends.begin() + last, ends.end(), uint8_t(1));
  add_reach(subject, starts, ends, kernels, row);
  const Paths all = paths(*part.graph, part.order, starts, ends);
  row.add({all.longest, all.log_number, all.mean_length, all.std_length, all.log_synflow, all.effective_depth});
  const Widths width = std::isnan(all.log_number) ? Widths{} : widths(*part.graph, part.order, first, last);
  row.add({width.between, width.before});
}

}  // namespace wirenas
