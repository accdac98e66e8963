// Vectors of lanes in the compilers' own vector types: one source, no intrinsics, for every instruction set.
//
// The width is a compile-time constant of the object file (WIRENAS_VECTOR_BYTES), and everything here is local to it.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

namespace {

using Real = WIRENAS_REAL;

constexpr int kLanes = WIRENAS_VECTOR_BYTES / int(sizeof(Real));
// Accumulators that fit into the registers beside what they are made of: AVX-512 has 32 registers, the others 16.
constexpr int kAccumulators = WIRENAS_VECTOR_BYTES == 64 ? 16 : 8;

typedef Real Vector __attribute__((vector_size(WIRENAS_VECTOR_BYTES)));
typedef std::conditional_t<sizeof(Real) == 8, int64_t, int32_t> Integer;
typedef Integer Integers __attribute__((vector_size(WIRENAS_VECTOR_BYTES)));
typedef Real UnalignedVector __attribute__((vector_size(WIRENAS_VECTOR_BYTES), aligned(sizeof(Real)), may_alias));

inline __attribute__((always_inline)) Vector load(const Real* from) {
  return *reinterpret_cast<const UnalignedVector*>(from);
}
inline __attribute__((always_inline)) void store(Real* to, Vector values) {
  *reinterpret_cast<UnalignedVector*>(to) = values;
}
inline __attribute__((always_inline)) Vector all(Real value) { return value - Vector{}; }

// Ask for the first `count` numbers of a line.
template <int count>
inline __attribute__((always_inline)) void ask_for(const Real* line) {
  constexpr int cache_line = 64 / int(sizeof(Real));
#pragma GCC unroll 16
  for (int i = 0; i < count; i += cache_line) __builtin_prefetch(line + i);
}

// Comparisons let NaN through: a diverging network must be seen to diverge.
inline Vector at_least(Vector x, Real low) { return x < low ? all(low) : x; }
inline Vector at_most(Vector x, Real high) { return x > high ? all(high) : x; }

inline Vector rectified(Vector x) { return at_least(x, 0); }

// Halve two vectors into one: the lanes whose number has the bit `step` get sums of b, the others sums of a.
template <int step, int... I>
inline __attribute__((always_inline)) Vector halved(Vector a, Vector b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (I & step ? kLanes + I : I)...) +
         __builtin_shufflevector(a, b, (I & step ? kLanes + (I ^ step) : (I ^ step))...);
}

// Turn `count` vectors into one that holds, in lane i, part of the sum of vector i modulo `count`; with as many vectors
// as lanes, all of it. The vectors are used up.
template <int count, int step = 1>
inline __attribute__((always_inline)) Vector sum_each(Vector* vectors) {
  if constexpr (count > 1) {
#pragma GCC unroll 16
    for (int i = 0; i < count / 2; ++i)
      vectors[i] = halved<step>(vectors[2 * i], vectors[2 * i + 1], std::make_integer_sequence<int, kLanes>{});
    return sum_each<count / 2, 2 * step>(vectors);
  } else {
    return vectors[0];
  }
}

// One step of a transposition: of vectors i and j = i + step, lanes whose number has the bit `step` change places with
// those of the other that have not.
template <int step, int... I>
inline __attribute__((always_inline)) void exchange(Vector& a, Vector& b, std::integer_sequence<int, I...>) {
  const Vector first = __builtin_shufflevector(a, b, (I & step ? kLanes + (I ^ step) : I)...);
  b = __builtin_shufflevector(a, b, (I & step ? kLanes + I : (I ^ step))...);
  a = first;
}

// Turn as many vectors as a vector has lanes, read as a square matrix, into its transpose.
template <int step = 1>
inline __attribute__((always_inline)) void transpose_square(Vector* vectors) {
  if constexpr (step < kLanes) {
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i)
      if ((i & step) == 0) exchange<step>(vectors[i], vectors[i | step], std::make_integer_sequence<int, kLanes>{});
    transpose_square<2 * step>(vectors);
  }
}

template <typename Function>
inline Vector lane_by_lane(Vector x, Function function) {
  for (int lane = 0; lane < kLanes; ++lane) x[lane] = function(x[lane]);
  return x;
}

// x * P(x^2) / Q(x^2), both polynomials by rising powers.
template <int P, int Q>
inline Vector odd_rational(Vector x, const Real (&numerator)[P], const Real (&denominator)[Q]) {
  const Vector square = x * x;
  Vector top = all(numerator[P - 1]), bottom = all(denominator[Q - 1]);
#pragma GCC unroll 8
  for (int i = P - 2; i >= 0; --i) top = top * square + numerator[i];
#pragma GCC unroll 8
  for (int i = Q - 2; i >= 0; --i) bottom = bottom * square + denominator[i];
  return x * top / bottom;
}

// The elementary functions are good to a few units in the last place of a float; doubles, which only tests use, go
// through the library. Coefficients are least-squares fits, reweighted towards the smallest largest relative error.

inline Vector tanh_of(Vector x) {
  if constexpr (sizeof(Real) == 8) return lane_by_lane(x, [](Real value) { return std::tanh(value); });
  constexpr Real top[] = {Real(0.9999999404),    Real(0.1294388771),     Real(0.002947367728),
                          Real(9.512764336e-06), Real(-1.352803825e-08), Real(2.020732887e-11)};
  constexpr Real bottom[] = {Real(1), Real(0.4627718925), Real(0.02387181297), Real(0.0002317937615)};
  const Vector bounded = at_most(at_least(x, Real(-8.6)), Real(8.6));
  return at_most(at_least(odd_rational(bounded, top, bottom), Real(-1)), Real(1));
}

inline Vector sigmoid_of(Vector x) {
  if constexpr (sizeof(Real) == 8) return lane_by_lane(x, [](Real value) { return 1 / (1 + std::exp(-value)); });
  return tanh_of(x * Real(0.5)) * Real(0.5) + Real(0.5);
}

inline Vector erf_of(Vector x) {
  if constexpr (sizeof(Real) == 8) return lane_by_lane(x, [](Real value) { return std::erf(value); });
  constexpr Real top[] = {Real(1.1283791065),    Real(0.2071172893),     Real(0.05152379721),  Real(0.003990135622),
                          Real(0.0001472686417), Real(-1.942102244e-06), Real(1.910873592e-08)};
  constexpr Real bottom[] = {Real(1), Real(0.5168841481), Real(0.1179674119), Real(0.01495731343),
                             Real(0.001020980766)};
  const Vector bounded = at_most(at_least(x, Real(-4)), Real(4));
  return at_most(at_least(odd_rational(bounded, top, bottom), Real(-1)), Real(1));
}

// Cephes' splitting of the argument into a power of two and a polynomial.
inline Vector exp_of(Vector x) {
  if constexpr (sizeof(Real) == 8) {
    return lane_by_lane(x, [](Real value) { return std::exp(value); });
  } else {
    constexpr float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to the nearest integer.
    const Vector bounded = at_most(at_least(x, -87.0f), 88.0f);
    const Vector power = (bounded * 1.44269504f + magic) - magic;
    const Vector rest = (bounded - power * 0.693359375f) + power * 2.12194440e-4f;
    Vector value = all(1.9875691500e-4f);
    value = value * rest + 1.3981999507e-3f;
    value = value * rest + 8.3334519073e-3f;
    value = value * rest + 4.1665795894e-2f;
    value = value * rest + 1.6666665459e-1f;
    value = value * rest + 5.0000001201e-1f;
    value = value * (rest * rest) + rest + 1.0f;
    const Integers exponent = (__builtin_convertvector(power, Integers) + 127) << 23;
    return value * (Vector)exponent;
  }
}

}  // namespace
