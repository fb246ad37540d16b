// The backward pass of a cell on the CPU; see cell.h.
#include "cell_pass.h"
#include "conv.h"
#include "weight_gradient.h"

namespace spikedhs {
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
      const auto [first, last] = plan_.fans[f].readers_of(j);
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
    const at::Tensor in = stacked(plan_, x, weight);
    if (wants_x) {
      at::Tensor grad = conv_input_gradient(in, fan_grads_[f], weight, stride,
                                            padding_of(weight));
      if (grad.size(1) != x.size(1)) {
        grad = depth_stack_backward(grad, plan_.planes);
      }
      source_grads_[source] = grad.contiguous(at::MemoryFormat::ChannelsLast);
    }
    if (wants_w) {
      const int64_t p = f * kFanParameters;
      at::Tensor grad = conv_weight_gradient(in, fan_grads_[f], weight, stride,
                                             padding_of(weight));
      if (plan_.planes > 0) {
        grad = depth_weight_backward(grad, parameters_[p].size(2));
      }
      grads_.parameters[p] = grad;
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
