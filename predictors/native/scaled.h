// Positive numbers: as they come, or of any size. Counts of paths in deep wirings are beyond a double, weights of paths
// below it; both kinds of numbers give the same results to the last bit where the first is enough.
#pragma once

#include <cmath>
#include <cstdint>

namespace wirenas {

constexpr double kLargest = 0x1p256, kLeast = 0x1p-256;

struct Plain {
  double value = 0;

  // Whether it is of a size that needs no scaling.
  bool is_safe() const { return value == 0 || (value >= kLeast && value < kLargest); }
  bool is_zero() const { return value == 0; }
  Plain operator*(double factor) const { return {value * factor}; }
  void operator+=(const Plain& other) { value += other.value; }
  double over(const Plain& whole) const { return value / whole.value; }
  double log() const { return std::log(value); }
};

// value * 2^(512 exponent), with a value between the bounds, or 0.
struct Scaled {
  double value = 0;
  int64_t exponent = 0;

  bool is_safe() const { return true; }
  bool is_zero() const { return value == 0; }
  Scaled operator*(double factor) const { return normal(value * factor, exponent); }

  void operator+=(const Scaled& other) {
    if (other.is_zero()) return;
    const bool is_higher = is_zero() || other.exponent > exponent;
    const Scaled high = is_higher ? other : *this, low = is_higher ? *this : other;
    *this = normal(high.value + shifted(low.value, low.exponent - high.exponent), high.exponent);
  }

  // A part of a larger whole, or the like: the ratio is no larger than a double.
  double over(const Scaled& whole) const { return shifted(value / whole.value, exponent - whole.exponent); }

  double log() const { return std::log(value) + double(exponent) * 512 * 0.693147180559945309417; }

 private:
  static double shifted(double value, int64_t by) {
    if (by == 0 || value == 0) return value;
    return by < -3 ? 0 : std::ldexp(value, int(512 * by));
  }

  static Scaled normal(double value, int64_t exponent) {
    if (value >= kLargest) return {value * 0x1p-512, exponent + 1};
    if (value < kLeast && value > 0) return {value * 0x1p512, exponent - 1};
    return {value, exponent};
  }
};

}  // namespace wirenas
