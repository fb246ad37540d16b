// spikedhs::augment: a batch of network inputs from stored images, the table of
// pixel values, and the random choices that data.Transform drew.
#pragma once

#include <ATen/core/Tensor.h>

#include "augment_pixel.h"

namespace spikedhs {

// Checks the arguments and makes the output.
AugmentBatch prepare_augment(const at::Tensor &images, const at::Tensor &index,
                             const at::Tensor &choices,
                             const at::Tensor &tables, int64_t height,
                             int64_t width, int64_t cutout, at::Tensor *out);

// By ATen operators alone, on any device, to the bit the same. An index that
// does not exist gives a NaN image.
at::Tensor augment_composed(const at::Tensor &images, const at::Tensor &index,
                            const at::Tensor &choices, const at::Tensor &tables,
                            int64_t height, int64_t width, int64_t cutout);

}  // namespace spikedhs
