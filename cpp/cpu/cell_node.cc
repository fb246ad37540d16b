// A node (eq. 3 and 1) in inference, as one operator: currents of several
// convolutions, spikes of earlier nodes, their sum and the neurons of all steps
// without a tensor in between. The kernels are those of a cell in training
// (cell_kernels.h), with the normalisation that is folded away already.
#include <torch/library.h>

#include <tuple>

#include "cell_pass.h"

namespace spikedhs {
namespace {

// Spikes [T*N, width, H, W], channels last, of the sum of parts [T*N, C, H, W]:
// of each the channels [start, start + width). With channels > 0 they also go
// to `joined` [T*N, channels, H, W], which is made when it is not given, from
// channel `at` on.
std::tuple<at::Tensor, at::Tensor> cell_node(at::TensorList parts,
                                             at::IntArrayRef starts,
                                             int64_t width, double tau,
                                             double threshold, int64_t steps,
                                             const optional<at::Tensor> &joined,
                                             int64_t channels, int64_t at) {
  TORCH_CHECK(!parts.empty() && parts.size() == starts.size() &&
                  parts.size() <= static_cast<size_t>(kMostParts),
              "cell_node: ", parts.size(), " parts and ", starts.size(),
              " starts: from 1 to ", kMostParts, " of each, as many of one");
  TORCH_CHECK(width > 0 && steps > 0, "cell_node: width and steps must be > 0");
  const at::Tensor &like = parts[0];
  TORCH_CHECK(like.dim() == 4 && like.size(0) % steps == 0 &&
                  (like.scalar_type() == at::kFloat ||
                   like.scalar_type() == at::kBFloat16),
              "cell_node: a part must be [steps*N, C, H, W] in float32 or "
              "bfloat16, has shape ",
              like.sizes());
  const std::vector<float> ones(width, 1.0f), zeros(width, 0.0f);
  std::vector<at::Tensor> kept;
  std::vector<FanPart> fans;
  for (size_t i = 0; i < parts.size(); i++) {
    const at::Tensor &x = parts[i];
    TORCH_CHECK(x.dim() == 4 && x.scalar_type() == like.scalar_type() &&
                    x.size(0) == like.size(0) && x.size(2) == like.size(2) &&
                    x.size(3) == like.size(3) && starts[i] >= 0 &&
                    starts[i] + width <= x.size(1),
                "cell_node: part ", i, " of shape ", x.sizes(),
                " does not fit channels ", starts[i], " to ", starts[i] + width,
                " of ", like.sizes());
    kept.push_back(x.contiguous(at::MemoryFormat::ChannelsLast));
    FanPart part{};
    part.y = bytes(kept.back(), starts[i]);
    part.stride = x.size(1);
    part.ops = 1;
    part.scale = ones.data();
    part.shift = zeros.data();
    fans.push_back(part);
  }
  at::Tensor spikes = empty_image(like, width, like.scalar_type());
  NodeArgs a{};
  a.fans = fans.data();
  a.fan_count = static_cast<int64_t>(fans.size());
  a.width = width;
  a.steps = steps;
  a.pixels = like.size(0) / steps * like.size(2) * like.size(3);
  a.groups = 1;
  a.tau = static_cast<float>(tau);
  a.vth = static_cast<float>(threshold);
  a.out = spikes.data_ptr();
  a.out_stride = width;
  at::Tensor all;
  if (channels > 0) {
    all = joined.has_value() && joined->defined()
              ? *joined
              : empty_image(like, channels, like.scalar_type());
    TORCH_CHECK(
        all.scalar_type() == like.scalar_type() && all.dim() == 4 &&
            all.is_contiguous(at::MemoryFormat::ChannelsLast) &&
            all.size(0) == like.size(0) && all.size(2) == like.size(2) &&
            all.size(3) == like.size(3) && at >= 0 && at + width <= all.size(1),
        "cell_node: spikes of ", spikes.sizes(), " do not go into channels ",
        at, " to ", at + width, " of ", all.sizes());
    a.spikes = a.out;
    a.out = bytes(all, at);
    a.out_stride = all.size(1);
  }
  const auto &kernels = kernels_for(like.scalar_type());
  for_chunks(a.pixels, chunk_size(a.pixels, 64),
             [&](int64_t, int64_t first, int64_t last) {
               std::vector<float> scratch(kernels.node_scratch(a));
               kernels.node_forward(a, first, last, scratch.data());
             });
  return {spikes, all};
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_FRAGMENT(spikedhs, m) {
  m.def(
      "cell_node(Tensor[] parts, int[] starts, int width, float tau, "
      "float threshold, int steps, Tensor? joined=None, int channels=0, "
      "int at=0) -> (Tensor spikes, Tensor joined)");
}

TORCH_LIBRARY_IMPL(spikedhs, CPU, m) {
  m.impl("cell_node", &spikedhs::cell_node);
}
