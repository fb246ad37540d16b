#include "instance_names.h"

namespace spikedhs {
namespace {

std::string scalar(Element e) {
  switch (e) {
    case Element::kFloat:
      return "float";
    case Element::kDouble:
      return "double";
    case Element::kBf16:
      return "spikedhs::Bf16";
    default:
      return "spikedhs::Fp16";
  }
}

// The type that a kernel computes in.
std::string real(Element e) {
  return e == Element::kDouble ? "double" : "float";
}

}  // namespace

Instance lif_forward_instance(const LifVersion &v, Element e) {
  return {"lif.cu", "spikedhs::lif_forward_kernel<" + std::to_string(v.steps) +
                        ", " + std::to_string(v.lanes) + ", " + scalar(e) +
                        ", " + real(e) + ">"};
}

Instance lif_backward_instance(const LifVersion &v, int family, Element e) {
  return {"lif.cu", "spikedhs::lif_backward_kernel<" + std::to_string(family) +
                        ", " + std::to_string(v.steps) +
                        (v.exact ? ", true, " : ", false, ") +
                        std::to_string(v.lanes) + ", " + scalar(e) + ", " +
                        real(e) + ">"};
}

Instance indexed_instance(const char *arguments, int lanes, bool wide,
                          Element e) {
  return {"indexed.cu", "spikedhs::indexed_kernel<" + std::to_string(lanes) +
                            (wide ? ", int64_t" : ", uint32_t") +
                            ", spikedhs::" + arguments + "<" + scalar(e) +
                            ">>"};
}

Instance augment_instance() {
  return {"augment.cu", "spikedhs::augment_kernel"};
}

}  // namespace spikedhs
