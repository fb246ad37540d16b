// The forward pass of a cell on the CPU; see cell.h.
#include <cmath>

#include "cell_pass.h"
#include "conv.h"

namespace spikedhs {
namespace {

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

// The convolution of a fan and the statistics of what it gives.
void run_fan(const CellPlan &plan, const CellConstants &constants, int64_t f,
             const at::Tensor &x, at::TensorList parameters,
             at::TensorList buffers, bool update, Pass *pass,
             CellTrace *trace) {
  const at::Tensor &weight = trace->weights[f];
  const at::Tensor bias =
      parameters[f * kFanParameters + 1].detach().to(weight.scalar_type());
  const int64_t stride = plan.fans[f].stride;
  trace->y[f] = conv_forward(stacked(plan, x, weight), weight, bias, stride,
                             padding_of(weight));
  const int64_t buffer = f * fan_buffers(plan);
  normalise(trace->y[f], pass->groups(), constants.momentum, constants.epsilon,
            buffers[buffer], buffers[buffer + 1], update, &trace->mean[f],
            &trace->inverse[f]);
  pass->prepare(f, trace->mean[f], trace->inverse[f]);
}

}  // namespace

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
    const at::Tensor weight = parameters[f * kFanParameters].detach();
    trace->weights.push_back(
        conv_weight(plan.planes > 0 ? depth_weight(weight) : weight, type));
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

}  // namespace spikedhs
