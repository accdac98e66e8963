// Distances, clustering and centrality in the undirected graph.
#include "measures.h"

namespace wirenas {

DistanceMeasures measure_distances(const Rows& graph, const Distances& distances) {
  const size_t n = size_t(graph.n());
  std::vector<double> closeness(n);
  for (size_t neuron = 0; neuron < n; ++neuron) {
    const double reached = double(distances.reached[neuron]);
    if (reached > 0) closeness[neuron] = reached / double(distances.total[neuron]) * (reached / double(n - 1));
  }
  const Summary eccentricity = summary(distances.eccentricity);
  const bool is_connected = n > 0 && distances.reached.front() == int64_t(n) - 1;
  return {eccentricity, summary(closeness), eccentricity.most, summary_of_counts(distances.pairs).mean, is_connected};
}

void add_distances(const Rows& graph, const Distances& distances, const DistanceMeasures& measures, Row& row) {
  const double n = graph.n();
  double inverse = 0;
  for (size_t distance = 1; distance < distances.pairs.size(); ++distance)
    inverse += double(distances.pairs[distance]) / double(distance);
  const Summary &eccentricity = measures.eccentricity, &closeness = measures.closeness;
  row.add({measures.diameter, eccentricity.least, eccentricity.mean, eccentricity.std});
  row.add({measures.path_length, summary_of_counts(distances.pairs).std, n < 2 ? 0 : inverse / (n * (n - 1))});
  row.add({closeness.mean, closeness.std, closeness.least, closeness.most});
}

void add_clustering(const Rows& graph, const std::vector<int64_t>& common, double degree, double path_length,
                    Row& row) {
  const double n = graph.n();
  std::vector<double> local(common.size());
  double triples = 0;
  for (Neuron neuron = 0; neuron < graph.n(); ++neuron) {
    const double own = double(graph.degree(neuron)) * double(graph.degree(neuron) - 1);
    triples += own;
    if (own > 0) local[size_t(neuron)] = double(common[size_t(neuron)]) / own;
  }
  const double corners = sum(common);
  const Summary clustering = summary(local);
  const double gamma = ratio(clustering.mean, degree / n);
  const double lambda = degree > 1 ? path_length / (std::log(n) / std::log(degree)) : kUndefined;
  row.add({corners / 6, triples > 0 ? corners / triples : 0, clustering.mean, clustering.std});
  row.add({gamma, lambda, ratio(gamma, lambda)});
}

Centrality measure_centrality(const Rows& graph, Betweenness&& found, double n_sources) {
  const double n = graph.n();
  // Paths were counted from both of their ends, where all neurons were sources.
  const double scale = n / n_sources / 2;
  for (double& own : found.neurons) own *= n > 2 ? scale / ((n - 1) * (n - 2) / 2) : 0;
  for (double& own : found.pairs) own *= scale / (n * (n - 1) / 2);
  const Summary neurons = summary(found.neurons);
  std::sort(found.neurons.begin(), found.neurons.end());
  double weighted = 0;
  for (size_t i = 0; i < found.neurons.size(); ++i) weighted += (2 * double(i + 1) - n - 1) * found.neurons[i];
  return {neurons, summary(found.pairs), ratio(weighted, n * sum(found.neurons))};
}

}  // namespace wirenas
