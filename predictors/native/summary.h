// Summaries of some values: means and deviations in two passes, so that equal values deviate by exactly nothing.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace wirenas {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// The sum of what `of` makes of the values. Four partial sums need not wait for each other.
template <typename T, typename Of>
double sum(const std::vector<T>& values, Of of) {
  double parts[4] = {};
  size_t i = 0;
  for (; i + 4 <= values.size(); i += 4)
    for (size_t part = 0; part < 4; ++part) parts[part] += of(double(values[i + part]));
  for (; i < values.size(); ++i) parts[0] += of(double(values[i]));
  return (parts[0] + parts[1]) + (parts[2] + parts[3]);
}

template <typename T>
double sum(const std::vector<T>& values) {
  return sum(values, [](double value) { return value; });
}

struct Summary {
  double mean = kUndefined, std = kUndefined, least = kUndefined, most = kUndefined;
  double sample_variance = kUndefined;
};

template <typename T>
Summary summary(const std::vector<T>& values) {
  Summary own;
  const double n = double(values.size());
  if (values.empty()) return own;
  own.mean = sum(values) / n;
  const double squares = sum(values, [&](double value) { return (value - own.mean) * (value - own.mean); });
  own.std = std::sqrt(squares / n);
  if (values.size() > 1) own.sample_variance = squares / (n - 1);
  T least = values.front(), most = least;
  for (const T& value : values) {
    least = value < least ? value : least;
    most = value > most ? value : most;
  }
  own.least = double(least);
  own.most = double(most);
  return own;
}

// Of values of which counts[i] are i.
inline Summary summary_of_counts(const std::vector<int64_t>& counts) {
  Summary own;
  double n = 0, total = 0, squares = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    n += double(counts[i]);
    total += double(i) * double(counts[i]);
  }
  if (n == 0) return own;
  own.mean = total / n;
  for (size_t i = 0; i < counts.size(); ++i)
    squares += double(counts[i]) * (double(i) - own.mean) * (double(i) - own.mean);
  own.std = std::sqrt(squares / n);
  return own;
}

// Of the distribution that counts are of, in nats.
inline double entropy(const std::vector<int64_t>& counts) {
  const double total = sum(counts);
  if (total == 0) return kUndefined;
  double own = 0;
  for (const int64_t count : counts)
    if (count > 0) own -= double(count) / total * std::log(double(count) / total);
  return own;
}

inline double ratio(double part, double whole) { return whole == 0 ? kUndefined : part / whole; }

}  // namespace wirenas
