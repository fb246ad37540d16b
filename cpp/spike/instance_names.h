// The C++ names of kernel instances, as NVRTC is asked for them.
#pragma once

#include <cstdint>
#include <string>

#include "launch.h"
#include "lif_step.h"

namespace spikedhs {

// The element type of a kernel.
enum class Element { kFloat, kDouble, kBf16, kFp16 };

constexpr Element element_of(float) { return Element::kFloat; }
constexpr Element element_of(double) { return Element::kDouble; }
constexpr Element element_of(Bf16) { return Element::kBf16; }
constexpr Element element_of(Fp16) { return Element::kFp16; }

constexpr int bytes_of(Element e) {
  return e == Element::kDouble ? 8 : e == Element::kFloat ? 4 : 2;
}

// A version of the LIF kernels: T, or the steps of a window where T is not
// compiled in (forward 0), and the neurons of a thread.
struct LifVersion {
  int steps;
  bool exact;
  int lanes;
};

Instance lif_forward_instance(const LifVersion &version, Element element);
Instance lif_backward_instance(const LifVersion &version, int family,
                               Element element);
// By the template of the kernel's arguments, such as "VolumeForward". `wide`:
// indices of 64 bits.
Instance indexed_instance(const char *arguments, int lanes, bool wide,
                          Element element);
Instance augment_instance();

}  // namespace spikedhs
