// Forward and backward pass of a cell on the CPU; see cell.h.
#include "cell.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "cell_kernels.h"
#include "lif_step.h"

namespace spikedhs {
namespace {

// Work is cut into a number of chunks that does not depend on the number of
// threads, and sums of chunks are added in order: results do not either.
constexpr int64_t kChunks = 64;
constexpr int64_t kFewRows = 64;

int64_t chunk_size(int64_t n, int64_t least) {
  return std::max(least, (n + kChunks - 1) / kChunks);
}

// body(chunk, first, last) for the chunks of [0, n).
template <typename Body>
void for_chunks(int64_t n, int64_t size, Body body) {
  const int64_t count = (n + size - 1) / size;
  at::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; c++) {
      body(c, c * size, std::min(n, (c + 1) * size));
    }
  });
}

// The sums of all chunks, each `n` numbers long, in their order.
std::vector<double> total(const std::vector<double> &sums, int64_t n) {
  std::vector<double> result(n, 0.0);
  for (size_t at = 0; at < sums.size(); at += n) {
    for (int64_t i = 0; i < n; i++) result[i] += sums[at + i];
  }
  return result;
}

const CellKernels &kernels_for(at::ScalarType type) {
  return type == at::kBFloat16 ? cell_kernels_bfloat16() : cell_kernels_float();
}

char *bytes(const at::Tensor &t, int64_t elements) {
  return static_cast<char *>(t.data_ptr()) + elements * t.element_size();
}

at::Tensor channels_last(const at::Tensor &t, at::ScalarType type) {
  return t.to(type).contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor empty_image(const at::Tensor &like, int64_t channels,
                       at::ScalarType type) {
  return at::empty(
      {like.size(0), channels, like.size(2), like.size(3)},
      like.options().dtype(type).memory_format(at::MemoryFormat::ChannelsLast));
}

const float *floats(const at::Tensor &t) { return t.data_ptr<float>(); }

// Statistics of y [T*N, C, H, W] by channel, one group or one a step:
// mean and 1 / sqrt(variance + epsilon), [groups, C]; running ones follow.
void normalise(const at::Tensor &y, int64_t groups, double momentum,
               double epsilon, const at::Tensor &running_mean,
               const at::Tensor &running_variance, bool update,
               at::Tensor *mean, at::Tensor *inverse) {
  const int64_t channels = y.size(1);
  const int64_t rows = y.numel() / channels / groups;
  const auto &kernels = kernels_for(y.scalar_type());
  const auto options =
      y.options().dtype(at::kFloat).memory_format(at::MemoryFormat::Contiguous);
  *mean = at::empty({groups, channels}, options);
  *inverse = at::empty({groups, channels}, options);
  const int64_t size = chunk_size(rows, 256);
  const int64_t chunks = (rows + size - 1) / size;
  std::vector<double> sums(chunks * 2 * channels);
  std::vector<float> pivot(channels);
  for (int64_t g = 0; g < groups; g++) {
    std::fill(sums.begin(), sums.end(), 0.0);
    // The sums are of distances to the first row, so a mean that is large
    // against the deviation costs no digits.
    const char *first_row = bytes(y, g * rows * channels);
    for (int64_t c = 0; c < channels; c++) {
      pivot[c] = y.scalar_type() == at::kBFloat16
                     ? load(reinterpret_cast<const Bf16 *>(first_row)[c])
                     : reinterpret_cast<const float *>(first_row)[c];
    }
    for_chunks(rows, size, [&](int64_t chunk, int64_t first, int64_t last) {
      // In float32 for a few rows, then in float64: a long sum of float32 loses
      // digits.
      double *to = sums.data() + chunk * 2 * channels;
      std::vector<float> few(2 * channels);
      for (int64_t row = first; row < last; row += kFewRows) {
        std::fill(few.begin(), few.end(), 0.0f);
        kernels.norm_sums(bytes(y, (g * rows + row) * channels),
                          std::min(kFewRows, last - row), channels,
                          pivot.data(), few.data(), few.data() + channels);
        for (int64_t i = 0; i < 2 * channels; i++) to[i] += few[i];
      }
    });
    float *means = mean->data_ptr<float>() + g * channels;
    float *inverses = inverse->data_ptr<float>() + g * channels;
    float *moving_mean = running_mean.data_ptr<float>();
    float *moving_variance = running_variance.data_ptr<float>();
    const std::vector<double> all = total(sums, 2 * channels);
    for (int64_t c = 0; c < channels; c++) {
      const double sum = all[c], square = all[channels + c];
      const double shift = sum / rows;
      const double value = pivot[c] + shift;
      const double variance = std::max(0.0, square / rows - shift * shift);
      means[c] = static_cast<float>(value);
      inverses[c] = static_cast<float>(1 / std::sqrt(variance + epsilon));
      if (!update) continue;
      moving_mean[c] = static_cast<float>((1 - momentum) * moving_mean[c] +
                                          momentum * value);
      moving_variance[c] = static_cast<float>(
          (1 - momentum) * moving_variance[c] +
          momentum * variance * rows / std::max<int64_t>(1, rows - 1));
    }
  }
}

// Constants of the neurons of every channel of a fan.
struct Surrogates {
  std::vector<float> b, scale;
  explicit Surrogates(const at::Tensor &temperature) {
    const at::Tensor wide = temperature.to(at::kDouble).contiguous();
    const double *values = wide.data_ptr<double>();
    for (int64_t i = 0; i < wide.numel(); i++) {
      b.push_back(static_cast<float>(values[i]));
      scale.push_back(static_cast<float>(dspike_scale<double>(values[i])));
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
      if (plan.spiking) surrogates_.emplace_back(buffers[f * 3 + 2]);
    }
    for (int64_t j = 0; j < plan.nodes; j++) {
      nodes_.emplace_back(buffers[fans * fan_buffers(plan) + j]);
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
      size_t first = 0;
      while (first < readers.size() && readers[first].node != j) first++;
      size_t last = first;
      while (last < readers.size() && readers[last].node == j) last++;
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
        part.b_scale = surrogates_[f].scale.data() + offset;
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
    a.b = nodes_[j].b[0];
    a.b_scale = nodes_[j].scale[0];
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

std::vector<int64_t> padding_of(const at::Tensor &weight) {
  return {weight.size(2) / 2, weight.size(3) / 2};
}

// The convolution of a fan and the statistics of what it gives.
void run_fan(const CellPlan &plan, const CellConstants &constants, int64_t f,
             const at::Tensor &x, at::TensorList parameters,
             at::TensorList buffers, bool update, Pass *pass,
             CellTrace *trace) {
  const at::Tensor &weight = trace->weights[f];
  const at::Tensor bias =
      parameters[f * kFanParameters + 1].detach().to(weight.scalar_type());
  const int64_t stride = plan.fans[f].stride;
  trace->y[f] = at::convolution(x, weight, bias, {stride, stride},
                                padding_of(weight), {1, 1}, false, {0, 0}, 1)
                    .contiguous(at::MemoryFormat::ChannelsLast);
  const int64_t buffer = f * fan_buffers(plan);
  normalise(trace->y[f], pass->groups(), constants.momentum, constants.epsilon,
            buffers[buffer], buffers[buffer + 1], update, &trace->mean[f],
            &trace->inverse[f]);
  pass->prepare(f, trace->mean[f], trace->inverse[f]);
}

}  // namespace

int64_t fan_buffers(const CellPlan &plan) { return plan.spiking ? 3 : 2; }

CellPlan::CellPlan(at::IntArrayRef code) {
  size_t at = 0;
  const auto next = [&] {
    TORCH_CHECK(at < code.size(), "cell: the plan ends too early");
    return code[at++];
  };
  nodes = next();
  width = next();
  steps = next();
  spiking = next() != 0;
  per_step = next() != 0;
  TORCH_CHECK(nodes > 0 && width > 0 && steps > 0,
              "cell: nodes, width and steps must be positive");
  fans.resize(next());
  for (auto &fan : fans) {
    fan.source = next();
    fan.stride = next();
    fan.readers.resize(next());
    for (auto &reader : fan.readers) {
      reader.node = next();
      reader.weight = next();
    }
  }
  skips.resize(next());
  for (auto &skip : skips) {
    skip.source = next();
    skip.node = next();
    skip.weight = next();
    TORCH_CHECK(skip.source >= 2 && skip.source - 2 < skip.node,
                "cell: a skip leads from node ", skip.source - 2, " to node ",
                skip.node);
  }
}

int64_t CellPlan::fan_of(int64_t source) const {
  for (size_t f = 0; f < fans.size(); f++) {
    if (fans[f].source == source) return static_cast<int64_t>(f);
  }
  return -1;
}

bool CellPlan::is_read(int64_t source) const {
  if (fan_of(source) >= 0) return true;
  return std::any_of(skips.begin(), skips.end(), [&](const CellSkip &skip) {
    return skip.source == source;
  });
}

at::Tensor cell_forward(const CellPlan &plan, const CellConstants &constants,
                        const at::Tensor &s0, const at::Tensor &s1,
                        const optional<at::Tensor> &mix,
                        at::TensorList parameters, at::TensorList buffers,
                        at::ScalarType type, bool update, CellTrace *trace) {
  const size_t fans = plan.fans.size();
  trace->s0 = channels_last(s0, type);
  trace->s1 = s1.is_same(s0) ? trace->s0 : channels_last(s1, type);
  trace->y.resize(fans);
  trace->mean.resize(fans);
  trace->inverse.resize(fans);
  trace->spikes.resize(plan.nodes);
  trace->sums.resize(plan.nodes);
  trace->weights.clear();
  for (size_t f = 0; f < fans; f++) {
    trace->weights.push_back(parameters[f * kFanParameters].detach().to(type));
  }
  Pass pass(plan, constants, mix, parameters, buffers);
  const auto &kernels = kernels_for(type);
  for (int64_t source = 0; source < 2; source++) {
    const int64_t f = plan.fan_of(source);
    if (f < 0) continue;
    run_fan(plan, constants, f, source == 0 ? trace->s0 : trace->s1, parameters,
            buffers, update, &pass, trace);
  }
  at::Tensor out;
  for (int64_t j = 0; j < plan.nodes; j++) {
    pass.parts(j, *trace, nullptr, nullptr);
    int64_t any = 0;
    while (!trace->y[any].defined()) any++;
    const at::Tensor &like = trace->y[any];
    if (!out.defined()) {
      out = empty_image(like, plan.nodes * plan.width, type);
    }
    NodeArgs a = pass.node(j, like);
    a.out = bytes(out, j * plan.width);
    a.out_stride = plan.nodes * plan.width;
    if (plan.is_read(2 + j)) {
      trace->spikes[j] = empty_image(like, plan.width, type);
      a.spikes = trace->spikes[j].data_ptr();
    }
    if (plan.spiking) {
      trace->sums[j] = empty_image(like, plan.width, at::kFloat);
      a.sums = trace->sums[j].data_ptr<float>();
    }
    for_chunks(a.pixels, chunk_size(a.pixels, 64),
               [&](int64_t, int64_t first, int64_t last) {
                 std::vector<float> scratch(kernels.node_scratch(a));
                 kernels.node_forward(a, first, last, scratch.data());
               });
    const int64_t f = plan.fan_of(2 + j);
    if (f < 0) continue;
    run_fan(plan, constants, f, trace->spikes[j], parameters, buffers, update,
            &pass, trace);
  }
  return out;
}

namespace {

// The backward pass, with what is known so far.
class Backward {
 public:
  Backward(const CellPlan &plan, const CellConstants &constants,
           const optional<at::Tensor> &mix, at::TensorList parameters,
           at::TensorList buffers, const CellNeeds &needs, CellTrace trace)
      : plan_(plan),
        needs_(needs),
        trace_(std::move(trace)),
        pass_(plan, constants, mix, parameters, buffers),
        parameters_(parameters),
        fan_grads_(plan.fans.size()),
        skip_grads_(plan.nodes),
        source_grads_(2 + plan.nodes),
        sum_grad_(plan.fans.size()),
        sum_hat_(plan.fans.size()) {
    grads_.parameters.resize(parameters.size());
    for (size_t f = 0; f < plan.fans.size(); f++) {
      pass_.prepare(static_cast<int64_t>(f), trace_.mean[f], trace_.inverse[f]);
      fan_grads_[f] = at::empty_like(trace_.y[f]);
      sum_grad_[f].resize(pass_.groups() * trace_.y[f].size(1));
      sum_hat_[f].resize(pass_.groups() * trace_.y[f].size(1));
    }
    if (pass_.mix().defined()) mix_grad_.resize(pass_.mix().numel());
  }

  CellGrads run(const at::Tensor &grad) {
    const auto type = trace_.s0.scalar_type();
    const at::Tensor dense = channels_last(grad, type);
    for (int64_t j = plan_.nodes - 1; j >= 0; j--) {
      finish_fan(2 + j);
      run_node(j, dense);
      trace_.spikes[j].reset();
      source_grads_[2 + j].reset();
      skip_grads_[j].reset();
    }
    finish_fan(1);
    finish_fan(0);
    grads_.s0 = source_grads_[0];
    grads_.s1 = source_grads_[1];
    if (needs_.mix && pass_.mix().defined()) {
      const at::Tensor values =
          at::from_blob(mix_grad_.data(), pass_.mix().sizes(), at::kDouble);
      grads_.mix = values.to(at::kFloat);
    }
    return std::move(grads_);
  }

 private:
  // The gradient of node j's current, spread over its parts.
  void run_node(int64_t j, const at::Tensor &grad) {
    for (const auto &skip : plan_.skips) {
      auto &to = skip_grads_[skip.source - 2];
      if (skip.node == j && !to.defined()) {
        to = at::zeros_like(trace_.spikes[skip.source - 2],
                            at::TensorOptions().dtype(at::kFloat),
                            at::MemoryFormat::ChannelsLast);
      }
    }
    const int64_t partials = pass_.parts(j, trace_, &fan_grads_, &skip_grads_);
    NodeArgs a = pass_.node(j, grad);
    const int64_t w = plan_.width;
    a.grads[a.grad_count++] = {bytes(grad, j * w), plan_.nodes * w, false};
    if (source_grads_[2 + j].defined()) {
      a.grads[a.grad_count++] = {source_grads_[2 + j].data_ptr(), w, false};
    }
    if (skip_grads_[j].defined()) {
      a.grads[a.grad_count++] = {skip_grads_[j].data_ptr(), w, true};
    }
    if (trace_.sums[j].defined()) a.sums = trace_.sums[j].data_ptr<float>();
    const auto &kernels = kernels_for(grad.scalar_type());
    const int64_t size = chunk_size(a.pixels, 64);
    const int64_t chunks = (a.pixels + size - 1) / size;
    std::vector<double> sums(chunks * partials, 0.0);
    for_chunks(a.pixels, size, [&](int64_t chunk, int64_t first, int64_t last) {
      std::vector<float> scratch(kernels.node_scratch(a));
      kernels.node_backward(a, first, last, scratch.data(),
                            sums.data() + chunk * partials);
    });
    trace_.sums[j].reset();
    collect(j, sums, partials);
  }

  // Adds the chunks' partial sums up, in order.
  void collect(int64_t j, const std::vector<double> &sums, int64_t partials) {
    const std::vector<double> all = total(sums, partials);
    int64_t at = 0;
    for (size_t f = 0; f < plan_.fans.size(); f++) {
      const auto &readers = plan_.fans[f].readers;
      size_t first = 0;
      while (first < readers.size() && readers[first].node != j) first++;
      size_t last = first;
      while (last < readers.size() && readers[last].node == j) last++;
      if (first == last) continue;
      const int64_t channels = trace_.y[f].size(1);
      const int64_t run = static_cast<int64_t>(last - first) * plan_.width;
      for (auto *to : {&sum_grad_[f], &sum_hat_[f]}) {
        for (int64_t g = 0; g < pass_.groups(); g++) {
          for (int64_t c = 0; c < run; c++) {
            (*to)[g * channels + static_cast<int64_t>(first) * plan_.width +
                  c] = all[at++];
          }
        }
      }
      for (size_t r = first; r < last; r++, at++) {
        if (readers[r].weight >= 0) mix_grad_[readers[r].weight] += all[at];
      }
    }
    for (const auto &skip : plan_.skips) {
      if (skip.node != j) continue;
      if (skip.weight >= 0) mix_grad_[skip.weight] += all[at];
      at++;
    }
  }

  // All readers of a source have added to its fan's gradient: through the
  // normalisation and the convolution, back to the source.
  void finish_fan(int64_t source) {
    const int64_t f = plan_.fan_of(source);
    if (f < 0) return;
    const bool wants_x = source == 0   ? needs_.s0
                         : source == 1 ? needs_.s1
                                       : true;
    const bool wants_w = needs_.weight[f];
    if (!wants_x && !wants_w) return;
    norm_backward(f);
    const at::Tensor &x = source == 0   ? trace_.s0
                          : source == 1 ? trace_.s1
                                        : trace_.spikes[source - 2];
    const at::Tensor &weight = trace_.weights[f];
    const int64_t stride = plan_.fans[f].stride;
    auto result = at::convolution_backward(
        fan_grads_[f], x, weight, at::OptionalIntArrayRef(), {stride, stride},
        padding_of(weight), {1, 1}, false, {0, 0}, 1,
        {wants_x, wants_w, false});
    if (wants_x) {
      source_grads_[source] =
          std::get<0>(result).contiguous(at::MemoryFormat::ChannelsLast);
    }
    if (wants_w) {
      const int64_t p = f * kFanParameters;
      grads_.parameters[p] = std::get<1>(result).to(at::kFloat);
      // Normalisation takes the bias out, so its gradient is exactly zero.
      grads_.parameters[p + 1] = at::zeros_like(parameters_[p + 1]);
    }
    fan_grads_[f].reset();
    trace_.y[f].reset();
  }

  void norm_backward(int64_t f) {
    const at::Tensor &y = trace_.y[f];
    const int64_t channels = y.size(1);
    const int64_t groups = pass_.groups();
    const int64_t rows = y.numel() / channels / groups;
    const auto &kernels = kernels_for(y.scalar_type());
    std::vector<double> grad_gain(channels), grad_offset(channels);
    for (int64_t g = 0; g < groups; g++) {
      const float *inverse = floats(trace_.inverse[f]) + g * channels;
      std::vector<float> grad_mean(channels), slope(channels);
      for (int64_t c = 0; c < channels; c++) {
        const double sum = sum_grad_[f][g * channels + c];
        const double hat = sum_hat_[f][g * channels + c];
        grad_offset[c] += sum;
        grad_gain[c] += hat;
        grad_mean[c] = static_cast<float>(sum / rows);
        slope[c] = static_cast<float>(hat / rows * inverse[c]);
      }
      for_chunks(rows, chunk_size(rows, 256),
                 [&](int64_t, int64_t first, int64_t last) {
                   const int64_t at = (g * rows + first) * channels;
                   kernels.norm_backward(
                       bytes(y, at), bytes(fan_grads_[f], at), last - first,
                       channels, floats(pass_.scale(f)) + g * channels,
                       grad_mean.data(), floats(trace_.mean[f]) + g * channels,
                       slope.data());
                 });
    }
    if (!needs_.weight[f]) return;
    const auto tensor = [&](std::vector<double> &values) {
      return at::from_blob(values.data(), {channels}, at::kDouble)
          .to(at::kFloat);
    };
    grads_.parameters[f * kFanParameters + 2] = tensor(grad_gain);
    grads_.parameters[f * kFanParameters + 3] = tensor(grad_offset);
  }

  const CellPlan &plan_;
  const CellNeeds &needs_;
  CellTrace trace_;
  Pass pass_;
  at::TensorList parameters_;
  std::vector<at::Tensor> fan_grads_, skip_grads_, source_grads_;
  std::vector<std::vector<double>> sum_grad_, sum_hat_;
  std::vector<double> mix_grad_;
  CellGrads grads_;
};

}  // namespace

CellGrads cell_backward(const CellPlan &plan, const CellConstants &constants,
                        const at::Tensor &grad, const optional<at::Tensor> &mix,
                        at::TensorList parameters, at::TensorList buffers,
                        const CellNeeds &needs, CellTrace trace) {
  return Backward(plan, constants, mix, parameters, buffers, needs,
                  std::move(trace))
      .run(grad);
}

}  // namespace spikedhs
