// spikedhs::augment on the CPU, and what it does with its arguments anywhere.
#include "augment.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

namespace spikedhs {
namespace {

void check(const at::Tensor &t, const char *what, at::ScalarType type,
           int64_t dims, const at::Tensor &images) {
  TORCH_CHECK(t.scalar_type() == type && t.dim() == dims && t.is_contiguous() &&
                  t.device() == images.device(),
              "augment: ", what, " must be a contiguous ", type, " tensor of ",
              dims, " dimensions on ", images.device(), ", is ",
              t.scalar_type(), " ", t.sizes(), " on ", t.device());
}

}  // namespace

AugmentBatch prepare_augment(const at::Tensor &images, const at::Tensor &index,
                             const at::Tensor &choices,
                             const at::Tensor &tables, int64_t height,
                             int64_t width, int64_t cutout, at::Tensor *out) {
  check(images, "images", at::kByte, 4, images);
  check(index, "index", at::kLong, 1, images);
  check(choices, "choices", at::kInt, 2, images);
  check(tables, "tables", at::kFloat, 2, images);
  TORCH_CHECK(
      choices.size(0) == index.size(0) && choices.size(1) == kAugmentChoices,
      "augment: want ", kAugmentChoices, " choices for each of ", index.size(0),
      " images, got ", choices.sizes());
  TORCH_CHECK(tables.size(0) == images.size(1) && tables.size(1) == 256,
              "augment: want 256 values for each of ", images.size(1),
              " channels, got ", tables.sizes());
  TORCH_CHECK(height > 0 && width > 0 && cutout >= 0, "augment: output ",
              height, "x", width, ", cutout ", cutout);
  *out = at::empty({index.size(0), images.size(1), height, width},
                   images.options().dtype(at::kFloat));
  AugmentBatch a;
  a.images = images.data_ptr<uint8_t>();
  a.index = index.data_ptr<int64_t>();
  a.choices = choices.data_ptr<int32_t>();
  a.tables = tables.data_ptr<float>();
  a.out = out->data_ptr<float>();
  a.stored = images.size(0);
  a.batch = index.size(0);
  a.channels = static_cast<int32_t>(images.size(1));
  a.height = static_cast<int32_t>(images.size(2));
  a.width = static_cast<int32_t>(images.size(3));
  a.out_height = static_cast<int32_t>(height);
  a.out_width = static_cast<int32_t>(width);
  a.cutout = static_cast<int32_t>(cutout);
  return a;
}

namespace {

at::Tensor augment_cpu(const at::Tensor &images, const at::Tensor &index,
                       const at::Tensor &choices, const at::Tensor &tables,
                       int64_t height, int64_t width, int64_t cutout) {
  at::Tensor out;
  const AugmentBatch a = prepare_augment(images, index, choices, tables, height,
                                         width, cutout, &out);
  for (int64_t n = 0; n < a.batch; n++) {
    TORCH_CHECK_INDEX(a.index[n] >= 0 && a.index[n] < a.stored,
                      "augment: image ", a.index[n], " of ", a.stored,
                      " does not exist");
  }
  at::parallel_for(0, a.batch, 8, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      float *pixel = a.out + n * a.channels * height * width;
      for (int32_t c = 0; c < a.channels; c++) {
        for (int32_t y = 0; y < a.out_height; y++) {
          for (int32_t x = 0; x < a.out_width; x++) {
            *pixel++ = augmented_pixel(a, n, c, y, x);
          }
        }
      }
    }
  });
  return out;
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_FRAGMENT(spikedhs, library) {
  library.def(
      "augment(Tensor images, Tensor index, Tensor choices, Tensor tables, "
      "int height, int width, int cutout) -> Tensor");
  // The fallback under a name of its own, for comparison on any device.
  library.def(
      "augment_composed(Tensor images, Tensor index, Tensor choices, "
      "Tensor tables, int height, int width, int cutout) -> Tensor",
      &spikedhs::augment_composed);
}

TORCH_LIBRARY_IMPL(spikedhs, CompositeExplicitAutograd, library) {
  library.impl("augment", &spikedhs::augment_composed);
}

TORCH_LIBRARY_IMPL(spikedhs, CPU, library) {
  library.impl("augment", &spikedhs::augment_cpu);
}
