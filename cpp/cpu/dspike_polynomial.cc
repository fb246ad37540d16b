#include "dspike_polynomial.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace spikedhs {
namespace {

// The derivative at w = 8 x^2 - 1.
double dspike_at(double b, double w) {
  const double x = std::sqrt(std::max(0.0, (w + 1) / 8));
  const double c = std::cosh(b * x);
  return b / 2 / std::tanh(b / 2) / (c * c);
}

double horner(const std::vector<double> &c, double w) {
  double value = 0;
  for (size_t i = c.size(); i-- > 0;) value = value * w + c[i];
  return value;
}

// Interpolates at the Chebyshev points; close to the best polynomial there is.
std::vector<double> interpolate(double b, int degree) {
  const int n = degree + 1;
  const double pi = std::acos(-1.0);
  std::vector<double> values(n);
  for (int k = 0; k < n; k++) {
    values[k] = dspike_at(b, std::cos(pi * (k + 0.5) / n));
  }
  // The sum of a_j T_j(w) in powers of w, by T_{j+1} = 2 w T_j - T_{j-1}.
  std::vector<double> sum(n), before(n), now(n);
  now[0] = 1;
  for (int j = 0; j < n; j++) {
    double a = 0;
    for (int k = 0; k < n; k++)
      a += values[k] * std::cos(pi * j * (k + 0.5) / n);
    a *= (j == 0 ? 1.0 : 2.0) / n;
    for (int i = 0; i < n; i++) sum[i] += a * now[i];
    std::vector<double> next(n);
    for (int i = 0; i + 1 < n; i++) next[i + 1] = (j == 0 ? 1 : 2) * now[i];
    for (int i = 0; i < n; i++) next[i] -= j == 0 ? 0 : before[i];
    before = now;
    now = next;
  }
  return sum;
}

double largest_error(double b, const std::vector<double> &c) {
  constexpr int kPoints = 200;
  double error = 0;
  for (int i = 0; i <= kPoints; i++) {
    const double w = 2.0 * i / kPoints - 1;
    error = std::max(error, std::abs(horner(c, w) - dspike_at(b, w)));
  }
  return error;
}

DspikePolynomial fit(double b, double tolerance) {
  DspikePolynomial p{};
  for (p.fit = 0; p.fit < kDspikeFits; p.fit++) {
    const std::vector<double> c = interpolate(b, kDspikeDegrees[p.fit]);
    if (largest_error(b, c) <= tolerance * dspike_at(b, -1)) {
      std::copy(c.begin(), c.end(), p.coefficients);
      return p;
    }
  }
  p.fit = -1;
  return p;
}

}  // namespace

DspikePolynomial fit_dspike(double b, double tolerance) {
  // A network has one temperature, or a few: fitting takes longer than a small
  // layer's whole backward pass.
  struct Known {
    double b, tolerance;
    DspikePolynomial polynomial;
  };
  constexpr size_t kMost = 16;
  thread_local std::vector<Known> known;
  for (const Known &k : known) {
    if (k.b == b && k.tolerance == tolerance) return k.polynomial;
  }
  if (known.size() == kMost) known.erase(known.begin());
  known.push_back({b, tolerance, fit(b, tolerance)});
  return known.back().polynomial;
}

}  // namespace spikedhs
