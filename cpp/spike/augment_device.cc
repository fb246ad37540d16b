// augment on accelerators: the kernel of augment.cu, or the composed operator
// where it cannot be had.
#include "launch.h"

#ifdef SPIKEDHS_DEVICE_OPERATORS

#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include "augment.h"
#include "instance_names.h"

namespace spikedhs {
namespace {

// The index is not looked at: that would make the caller wait. An index that
// does not exist gives a NaN image.
at::Tensor augment_device(const at::Tensor &images, const at::Tensor &index,
                          const at::Tensor &choices, const at::Tensor &tables,
                          int64_t height, int64_t width, int64_t cutout) {
  const c10::DeviceGuard guard(images.device());
  if (kernels_ready(images.device())) {
    at::Tensor out;
    const AugmentBatch a = prepare_augment(images, index, choices, tables,
                                           height, width, cutout, &out);
    const auto emulate = [](const AugmentBatch &b) {
      for (int64_t i = 0; i < b.size(); i++) augment_thread(b, i);
    };
    if (launch(images.device(), "augment", augment_instance(),
               grid_of(a.size(), kAugmentThreads, 1), a, emulate)) {
      return out;
    }
  }
  return augment_composed(images, index, choices, tables, height, width,
                          cutout);
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_IMPL(spikedhs, SPIKEDHS_ACCELERATOR_KEY, library) {
  library.impl("augment", &spikedhs::augment_device);
}

#endif  // SPIKEDHS_DEVICE_OPERATORS
