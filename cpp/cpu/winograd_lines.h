// The matrices of winograd.h along one line, as sums. Compiled for several
// instruction sets, after lanes.h.
#pragma once

#include "lanes.h"
#include "winograd_kernels.h"

namespace spikedhs {
namespace SPIKEDHS_ISA {
namespace {

// Stride 1.
struct Unit {
  static constexpr WinogradSizes kSizes = {6, 4, 4, 7, 20};
  static constexpr bool kWeightGradient = true;

  // A row of B^T, of d(0) to d(5): a point of an input. Rows share sums, which
  // the compiler finds.
  template <int64_t kRow, typename Numbers>
  SPIKEDHS_LOCAL static auto input_point(const Numbers &d) {
    if constexpr (kRow == 0) return d(0) - d(4);
    if constexpr (kRow == 1) return (d(2) + d(4)) + (d(1) + d(3));
    if constexpr (kRow == 2) return (d(2) + d(4)) - (d(1) + d(3));
    if constexpr (kRow == 3) return (d(4) - d(2)) - (d(1) - d(3));
    if constexpr (kRow == 4) return (d(4) - d(2)) + (d(1) - d(3));
    if constexpr (kRow == 5) return d(1) - d(3);
    if constexpr (kRow == 6) return d(5) - d(1);
  }

  // A: four numbers of an output's gradient to seven points.
  template <typename L>
  SPIKEDHS_LOCAL static void gradient_line(const L *h, L *to) {
    const L even = h[0] + h[2], odd = h[1] + h[3];
    const L real = h[0] - h[2], imaginary = h[1] - h[3];
    to[0] = h[0];
    to[1] = even + odd;
    to[2] = even - odd;
    to[3] = real;
    to[4] = imaginary;
    to[5] = real + imaginary;
    to[6] = h[3];
  }

  // A^T: seven points to four numbers of the output.
  template <typename L>
  SPIKEDHS_LOCAL static void output_line(const L *m, L *to) {
    const L even = m[1] + m[2], odd = m[1] - m[2];
    const L real = m[3] + m[5], imaginary = m[4] + m[5];
    to[0] = m[0] + even + real;
    to[1] = odd + imaginary;
    to[2] = even - real;
    to[3] = odd - imaginary + m[6];
  }

  // G: three taps to seven points.
  SPIKEDHS_LOCAL static void weight_line(const Lanes *g, Lanes *to) {
    const Lanes quarter = all(0.25f), half = all(0.5f);
    const Lanes ends = quarter * (g[0] + g[2]), real = half * (g[0] - g[2]);
    const Lanes middle = quarter * g[1], imaginary = half * g[1];
    to[0] = g[0];
    to[1] = ends + middle;
    to[2] = ends - middle;
    to[3] = real;
    to[4] = Lanes{} - imaginary;
    to[5] = real + imaginary;
    to[6] = g[2];
  }

  // G^T: seven points to three taps.
  SPIKEDHS_LOCAL static void tap_line(const Lanes *p, Lanes *to) {
    const Lanes quarter = all(0.25f), half = all(0.5f);
    const Lanes ends = quarter * (p[1] + p[2]), real = half * (p[3] + p[5]);
    to[0] = p[0] + ends + real;
    to[1] = quarter * (p[1] - p[2]) + half * (p[5] - p[4]);
    to[2] = ends - real + p[6];
  }
};

// Stride 2.
struct Strided {
  static constexpr WinogradSizes kSizes = {5, 4, 2, 5, 12};
  static constexpr bool kWeightGradient = true;

  template <int64_t kRow, typename Numbers>
  SPIKEDHS_LOCAL static auto input_point(const Numbers &d) {
    if constexpr (kRow == 0) return d(0) - d(2);
    if constexpr (kRow == 1) return d(2);
    if constexpr (kRow == 2) return d(4) - d(2);
    if constexpr (kRow == 3) return d(1);
    if constexpr (kRow == 4) return d(3);
  }

  template <typename L>
  SPIKEDHS_LOCAL static void gradient_line(const L *h, L *to) {
    to[0] = h[0];
    to[1] = h[0] + h[1];
    to[2] = h[1];
    to[3] = h[0];
    to[4] = h[1];
  }

  template <typename L>
  SPIKEDHS_LOCAL static void output_line(const L *m, L *to) {
    to[0] = m[0] + m[1] + m[3];
    to[1] = m[1] + m[2] + m[4];
  }

  SPIKEDHS_LOCAL static void weight_line(const Lanes *g, Lanes *to) {
    to[0] = g[0];
    to[1] = g[0] + g[2];
    to[2] = g[2];
    to[3] = g[1];
    to[4] = g[1];
  }

  SPIKEDHS_LOCAL static void tap_line(const Lanes *p, Lanes *to) {
    to[0] = p[0] + p[1];
    to[1] = p[3] + p[4];
    to[2] = p[1] + p[2];
  }
};

// The gradient of the input with stride 2.
struct StridedBack {
  static constexpr WinogradSizes kSizes = {3, 2, 4, 5, 12};
  static constexpr bool kWeightGradient = false;

  template <int64_t kRow, typename Numbers>
  SPIKEDHS_LOCAL static auto input_point(const Numbers &h) {
    if constexpr (kRow == 0) return h(0) - h(1);
    if constexpr (kRow == 1) return h(1);
    if constexpr (kRow == 2) return h(2) - h(1);
    if constexpr (kRow == 3) return h(1);
    if constexpr (kRow == 4) return h(2);
  }

  template <typename L>
  SPIKEDHS_LOCAL static void output_line(const L *m, L *to) {
    to[0] = m[0] + m[1];
    to[1] = m[3];
    to[2] = m[1] + m[2];
    to[3] = m[4];
  }

  SPIKEDHS_LOCAL static void weight_line(const Lanes *g, Lanes *to) {
    const Lanes turned[] = {g[2], g[1], g[0]};
    Strided::weight_line(turned, to);
  }
};

// All rows of B^T.
template <typename A, typename L, int64_t... kRow>
SPIKEDHS_LOCAL void input_rows(const L *from, L *to,
                               std::integer_sequence<int64_t, kRow...>) {
  const auto d = [from](int64_t i) __attribute__((always_inline)) {
    return from[i];
  };
  ((to[kRow] = A::template input_point<kRow>(d)), ...);
}

template <typename A, typename L>
SPIKEDHS_LOCAL void input_line(const L *from, L *to) {
  input_rows<A>(from, to,
                std::make_integer_sequence<int64_t, A::kSizes.line>());
}

}  // namespace
}  // namespace SPIKEDHS_ISA
}  // namespace spikedhs
