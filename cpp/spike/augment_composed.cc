#include <ATen/ATen.h>

#include <cmath>

#include "augment.h"

namespace spikedhs {
namespace {

// Whether 0 <= t < size.
at::Tensor within(const at::Tensor &t, int64_t size) {
  return at::logical_and(t >= 0, t < size);
}

}  // namespace

at::Tensor augment_composed(const at::Tensor &images, const at::Tensor &index,
                            const at::Tensor &choices, const at::Tensor &tables,
                            int64_t height, int64_t width, int64_t cutout) {
  at::Tensor out;
  prepare_augment(images, index, choices, tables, height, width, cutout, &out);
  const int64_t batch = out.size(0), channels = out.size(1);
  const int64_t h = images.size(2), w = images.size(3);
  const auto options = index.options();
  const at::Tensor y = at::arange(height, options).view({1, -1, 1});
  const at::Tensor x = at::arange(width, options).view({1, 1, -1});
  const auto choice = [&](int64_t i) {
    return choices.select(1, i).to(at::kLong).view({-1, 1, 1});
  };
  const at::Tensor row = y + choice(0);
  const at::Tensor column =
      at::where(choice(2) != 0, width - 1 - x, x) + choice(1);
  const at::Tensor inside = at::logical_and(within(row, h), within(column, w));
  const at::Tensor pixel =
      row.clamp(0, h - 1) * w + column.clamp(0, w - 1);  // of a plane
  const at::Tensor planes =
      images.index_select(0, index.clamp(0, images.size(0) - 1)).flatten(2);
  const at::Tensor levels =
      planes.gather(2, pixel.view({batch, 1, -1}).expand({-1, channels, -1}))
          .to(at::kLong)
          .mul_(inside.view({batch, 1, -1}))
          .add_(at::arange(channels, options).mul_(256).view({1, -1, 1}));
  out = tables.flatten().index_select(0, levels.flatten()).view(out.sizes());
  const at::Tensor exists = within(index, images.size(0)).view({-1, 1, 1, 1});
  out = out.masked_fill_(exists.logical_not(), NAN);
  if (cutout > 0) {
    const at::Tensor erased =
        at::logical_and(within(y - (choice(3) - cutout / 2), cutout),
                        within(x - (choice(4) - cutout / 2), cutout));
    out.masked_fill_(erased.unsqueeze(1), 0);
  }
  return out;
}

}  // namespace spikedhs
