// CPU kernels of the LIF scan, compiled for several instruction sets; arguments
// are those of the CUDA kernels (lif_thread.h).
#pragma once

#include "dspike_polynomial.h"
#include "lif_thread.h"

namespace spikedhs {

// Neurons that are worked on together: their membranes stay in the first-level
// cache over all steps.
constexpr int64_t kLifBlock = 512;

template <typename Scalar, typename Real>
struct LifKernels {
  // Neurons [first, last). `stream` writes past the caches: for results that
  // are larger than these and would only push other data out.
  void (*forward)(const LifForward<Scalar, Real> &p, int64_t first,
                  int64_t last, bool stream);
  // By family. b and factor by channel, see surrogate_derivative; scratch holds
  // steps * kLifBlock numbers.
  void (*backward[kFamilies])(const LifBackward<Scalar, Real> &p, const Real *b,
                              const Real *factor, int64_t first, int64_t last,
                              Real *scratch);
  // Dspike by a polynomial, for one temperature: by DspikePolynomial::fit. The
  // coefficients stand in the place of factor; b is not used. None for double.
  void (*dspike[kDspikeFits])(const LifBackward<Scalar, Real> &p, const Real *b,
                              const Real *factor, int64_t first, int64_t last,
                              Real *scratch);
};

// The best kernels for this processor.
template <typename Scalar, typename Real>
const LifKernels<Scalar, Real> &lif_kernels();

}  // namespace spikedhs
