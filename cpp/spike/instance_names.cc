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

std::string by_index(const char *kernel, int lanes, bool wide, Element e) {
  return std::string("spikedhs::") + kernel + "<" + std::to_string(lanes) +
         (wide ? ", int64_t, " : ", uint32_t, ") + scalar(e);
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

Instance volume_forward_instance(int lanes, bool wide, Element e) {
  return {"volume.cu", by_index("volume_forward_kernel", lanes, wide, e) + ">"};
}

Instance volume_backward_instance(int lanes, bool wide, Element e) {
  return {"volume.cu", by_index("volume_backward_kernel", lanes, wide, e) +
                           ", " + real(e) + ">"};
}

Instance depth_forward_instance(int lanes, bool wide, Element e) {
  return {"depth.cu", by_index("depth_forward_kernel", lanes, wide, e) + ">"};
}

Instance depth_backward_instance(int lanes, bool wide, Element e) {
  return {"depth.cu", by_index("depth_backward_kernel", lanes, wide, e) + ", " +
                          real(e) + ">"};
}

Instance augment_instance() {
  return {"augment.cu", "spikedhs::augment_kernel"};
}

}  // namespace spikedhs
