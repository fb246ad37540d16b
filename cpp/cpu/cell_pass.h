// What the forward and the backward pass of a cell share.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "cell.h"
#include "cell_kernels.h"
#include "depth.h"
#include "dispatch.h"
#include "lif_step.h"
#include "share.h"

namespace spikedhs {

SPIKEDHS_DISPATCH(const CellKernels &, cell_kernels_float)
SPIKEDHS_DISPATCH(const CellKernels &, cell_kernels_bfloat16)

// Work is cut into a number of chunks that does not depend on the number of
// threads, and sums of chunks are added in order: results do not either.
constexpr int64_t kChunks = 64;
constexpr int64_t kFewRows = 64;

inline int64_t chunk_size(int64_t n, int64_t least) {
  return std::max(least, (n + kChunks - 1) / kChunks);
}

// body(chunk, first, last) for the chunks of [0, n).
template <typename Body>
void for_chunks(int64_t n, int64_t size, Body body) {
  const int64_t count = (n + size - 1) / size;
  share_each(count, [&](int64_t c) {
    body(c, c * size, std::min(n, (c + 1) * size));
  });
}

// The sums of all chunks, each `n` numbers long, in their order.
inline std::vector<double> total(const std::vector<double> &sums, int64_t n) {
  std::vector<double> result(n, 0.0);
  for (size_t at = 0; at < sums.size(); at += n) {
    for (int64_t i = 0; i < n; i++) result[i] += sums[at + i];
  }
  return result;
}

inline const CellKernels &kernels_for(at::ScalarType type) {
  return type == at::kBFloat16 ? cell_kernels_bfloat16() : cell_kernels_float();
}

inline char *bytes(const at::Tensor &t, int64_t elements) {
  return static_cast<char *>(t.data_ptr()) + elements * t.element_size();
}

inline at::Tensor channels_last(const at::Tensor &t, at::ScalarType type) {
  return t.to(type).contiguous(at::MemoryFormat::ChannelsLast);
}

inline at::Tensor empty_image(const at::Tensor &like, int64_t channels,
                              at::ScalarType type) {
  return at::empty(
      {like.size(0), channels, like.size(2), like.size(3)},
      like.options().dtype(type).memory_format(at::MemoryFormat::ChannelsLast));
}

inline const float *floats(const at::Tensor &t) { return t.data_ptr<float>(); }

inline std::vector<int64_t> padding_of(const at::Tensor &weight) {
  return {weight.size(2) / 2, weight.size(3) / 2};
}

inline int32_t rows_of(const at::Tensor &table) {
  return table.defined() ? static_cast<int32_t>(table.size(0)) : 0;
}

inline int32_t columns_of(const at::Tensor &table) {
  return table.defined() ? static_cast<int32_t>(table.size(1)) : 0;
}

// What a convolution reads: its source, with its neighbours along the depth
// where the weight has taps for them.
inline at::Tensor stacked(const CellPlan &plan, const at::Tensor &x,
                          const at::Tensor &weight) {
  return weight.size(1) == x.size(1) ? x : depth_stack(x, plan.planes);
}

// Constants of the neurons of every channel of a fan.
struct Surrogates {
  std::vector<float> b, factor;
  Surrogates(const at::Tensor &temperature, const CellConstants &constants) {
    const auto family = static_cast<Family>(constants.surrogate);
    const DerivativeTable<double> sizes{nullptr, rows_of(constants.table),
                                        columns_of(constants.table)};
    const at::Tensor wide = temperature.to(at::kDouble).contiguous();
    const double *values = wide.data_ptr<double>();
    for (int64_t i = 0; i < wide.numel(); i++) {
      b.push_back(static_cast<float>(values[i]));
      factor.push_back(
          static_cast<float>(surrogate_factor(family, values[i], sizes)));
    }
  }
};

// Everything about the fans and nodes that the kernels read by pointer.
class Pass {
 public:
  Pass(const CellPlan &plan, const CellConstants &constants,
       const optional<at::Tensor> &mix, at::TensorList parameters,
       at::TensorList buffers)
      : plan_(plan),
        constants_(constants),
        parameters_(parameters),
        buffers_(buffers) {
    if (mix.has_value() && mix->defined()) {
      mix_ = mix->detach().to(at::kFloat).contiguous();
    }
    const auto fans = static_cast<int64_t>(plan.fans.size());
    scale_.resize(fans);
    shift_.resize(fans);
    for (int64_t f = 0; f < fans; f++) {
      if (plan.spiking) surrogates_.emplace_back(buffers[f * 3 + 2], constants);
    }
    for (int64_t j = 0; j < plan.nodes; j++) {
      nodes_.emplace_back(buffers[fans * fan_buffers(plan) + j], constants);
    }
  }

  // Makes scale and shift of a fan from its statistics.
  void prepare(int64_t f, const at::Tensor &mean, const at::Tensor &inverse) {
    const at::Tensor &gain = parameters_[f * kFanParameters + 2];
    const at::Tensor &offset = parameters_[f * kFanParameters + 3];
    scale_[f] = (inverse * gain.detach()).contiguous();
    shift_[f] = (offset.detach() - mean * scale_[f]).contiguous();
  }

  // The parts of node j; `grads` are the fans' gradients, when there are any.
  // Returns how many partial sums a chunk has.
  int64_t parts(int64_t j, const CellTrace &trace,
                const std::vector<at::Tensor> *grads,
                const std::vector<at::Tensor> *skip_grads) {
    fans_.clear();
    skips_.clear();
    weights_.clear();
    weights_.reserve(plan_.fans.size());
    int64_t partial = 0;
    for (size_t f = 0; f < plan_.fans.size(); f++) {
      const auto &readers = plan_.fans[f].readers;
      const auto [first, last] = plan_.fans[f].readers_of(j);
      if (first == last) continue;
      const int64_t ops = static_cast<int64_t>(last - first);
      const int64_t run = ops * plan_.width;
      const int64_t offset = static_cast<int64_t>(first) * plan_.width;
      const at::Tensor &y = trace.y[f];
      FanPart part{};
      part.y = bytes(y, offset);
      if (grads != nullptr) part.grad = bytes((*grads)[f], offset);
      part.stride = y.size(1);
      part.ops = ops;
      part.scale = floats(scale_[f]) + offset;
      part.shift = floats(shift_[f]) + offset;
      part.mean = floats(trace.mean[f]) + offset;
      part.inverse = floats(trace.inverse[f]) + offset;
      part.norm_stride = plan_.per_step ? y.size(1) : 0;
      if (readers[first].weight >= 0) {
        std::vector<float> values;
        for (size_t r = first; r < last; r++) {
          values.push_back(floats(mix_)[readers[r].weight]);
        }
        weights_.push_back(std::move(values));
        part.weights = weights_.back().data();
      }
      if (plan_.spiking) {
        part.b = surrogates_[f].b.data() + offset;
        part.factor = surrogates_[f].factor.data() + offset;
      }
      part.partial = partial;
      partial += 2 * groups() * run + ops;
      fans_.push_back(part);
    }
    for (const auto &skip : plan_.skips) {
      if (skip.node != j) continue;
      SkipPart part{};
      part.x = trace.spikes[skip.source - 2].data_ptr();
      if (skip_grads != nullptr) {
        part.grad = (*skip_grads)[skip.source - 2].data_ptr<float>();
      }
      if (skip.weight >= 0) part.weight = floats(mix_) + skip.weight;
      part.partial = partial++;
      skips_.push_back(part);
    }
    return partial;
  }

  NodeArgs node(int64_t j, const at::Tensor &like) {
    NodeArgs a{};
    a.fans = fans_.data();
    a.fan_count = static_cast<int64_t>(fans_.size());
    a.skips = skips_.data();
    a.skip_count = static_cast<int64_t>(skips_.size());
    a.width = plan_.width;
    a.steps = plan_.steps;
    a.pixels = like.size(0) / plan_.steps * like.size(2) * like.size(3);
    a.groups = groups();
    a.tau = static_cast<float>(constants_.tau);
    a.vth = static_cast<float>(constants_.threshold);
    a.family = static_cast<Family>(constants_.surrogate);
    if (constants_.table.defined()) a.table.values = floats(constants_.table);
    a.table.rows = rows_of(constants_.table);
    a.table.columns = columns_of(constants_.table);
    a.b = nodes_[j].b[0];
    a.factor = nodes_[j].factor[0];
    return a;
  }

  int64_t groups() const { return plan_.per_step ? plan_.steps : 1; }
  const at::Tensor &scale(int64_t f) const { return scale_[f]; }
  const at::Tensor &mix() const { return mix_; }

 private:
  const CellPlan &plan_;
  const CellConstants &constants_;
  at::TensorList parameters_, buffers_;
  at::Tensor mix_;
  std::vector<at::Tensor> scale_, shift_;
  std::vector<Surrogates> surrogates_, nodes_;
  std::vector<FanPart> fans_;
  std::vector<SkipPart> skips_;
  std::vector<std::vector<float>> weights_;
};

}  // namespace spikedhs
