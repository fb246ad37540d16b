// Bit-packed spikes: packing, neurons under a steady current, resizing, rates.
#include "spike_bits.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>

#include "lif_step.h"

namespace spikedhs {
namespace {

constexpr int64_t kGrain = 256;  // pixels below which threads do not pay

at::Tensor empty_bits(int64_t n, int64_t h, int64_t w, int64_t channels) {
  return at::empty({n, h, w, words_of(channels)}, at::kLong);
}

// Channels last, float32, as rows of pixels.
at::Tensor pixels(const at::Tensor &t, const char *who) {
  TORCH_CHECK(t.dim() == 4, who, ": want [N, C, H, W], got ", t.sizes());
  return t.to(at::kFloat).permute({0, 2, 3, 1}).contiguous();
}

}  // namespace

void check_bits(const at::Tensor &bits, const char *who) {
  TORCH_CHECK(bits.dim() == 4 && bits.scalar_type() == at::kLong, who,
              ": packed spikes are int64 [T*N, H, W, words]; got ",
              bits.scalar_type(), " ", bits.sizes());
}

at::Tensor spike_pack(const at::Tensor &spikes) {
  const at::Tensor from = pixels(spikes, "spike_pack");
  const int64_t channels = from.size(3), words = words_of(channels);
  at::Tensor bits =
      empty_bits(from.size(0), from.size(1), from.size(2), channels);
  const auto *in = from.data_ptr<float>();
  auto *out = bits.data_ptr<int64_t>();
  const int64_t n = from.size(0) * from.size(1) * from.size(2);
  at::parallel_for(0, n, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++) {
      for (int64_t w = 0; w < words; w++) {
        const int64_t count = std::min(kWordBits, channels - w * kWordBits);
        const float *x = in + p * channels + w * kWordBits;
        uint64_t word = 0;
        for (int64_t i = 0; i < count; i++) {
          word |= uint64_t{x[i] != 0.0f} << i;
        }
        out[p * words + w] = static_cast<int64_t>(word);
      }
    }
  });
  return bits;
}

at::Tensor spike_unpack(const at::Tensor &bits, int64_t channels) {
  check_bits(bits, "spike_unpack");
  TORCH_CHECK(words_of(channels) == bits.size(3), "spike_unpack: ", channels,
              " channels do not fill ", bits.size(3), " words");
  const at::Tensor from = bits.contiguous();
  at::Tensor to = at::empty(
      {bits.size(0), bits.size(1), bits.size(2), channels}, at::kFloat);
  const auto *in = from.data_ptr<int64_t>();
  auto *out = to.data_ptr<float>();
  const int64_t words = bits.size(3);
  const int64_t n = bits.size(0) * bits.size(1) * bits.size(2);
  at::parallel_for(0, n, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++) {
      for (int64_t c = 0; c < channels; c++) {
        const auto word = static_cast<uint64_t>(in[p * words + c / kWordBits]);
        out[p * channels + c] = static_cast<float>(word >> c % kWordBits & 1);
      }
    }
  });
  return to.permute({0, 3, 1, 2});
}

at::Tensor spike_fire(const at::Tensor &current, double tau, double threshold,
                      int64_t steps) {
  TORCH_CHECK(steps > 0, "spike_fire: steps must be positive, is ", steps);
  const at::Tensor from = pixels(current, "spike_fire");
  const int64_t channels = from.size(3), words = words_of(channels);
  at::Tensor bits =
      empty_bits(steps * from.size(0), from.size(1), from.size(2), channels);
  const auto *in = from.data_ptr<float>();
  auto *out = bits.data_ptr<int64_t>();
  const int64_t n = from.size(0) * from.size(1) * from.size(2);
  const auto leak = static_cast<float>(tau);
  const auto limit = static_cast<float>(threshold);
  at::parallel_for(0, n, kGrain, [&](int64_t begin, int64_t end) {
    float v[kWordBits], fired[kWordBits];
    for (int64_t p = begin; p < end; p++) {
      for (int64_t w = 0; w < words; w++) {
        const int64_t count = std::min(kWordBits, channels - w * kWordBits);
        const float *x = in + p * channels + w * kWordBits;
        std::fill_n(v, kWordBits, 0.0f);
        for (int64_t t = 0; t < steps; t++) {
          for (int64_t i = 0; i < count; i++) {
            const float u = lif_charge(v[i], x[i], leak);
            fired[i] = u > limit ? 1.0f : 0.0f;
            v[i] = u > limit ? 0.0f : u;
          }
          uint64_t word = 0;
          for (int64_t i = 0; i < count; i++) {
            word |= uint64_t{fired[i] != 0.0f} << i;
          }
          out[(t * n + p) * words + w] = static_cast<int64_t>(word);
        }
      }
    }
  });
  return bits;
}

at::Tensor spike_resize(const at::Tensor &bits, int64_t h, int64_t w) {
  check_bits(bits, "spike_resize");
  TORCH_CHECK(h > 0 && w > 0, "spike_resize: no grid of ", h, " x ", w);
  const at::Tensor from = bits.contiguous();
  const int64_t n = bits.size(0), words = bits.size(3);
  const int64_t from_h = bits.size(1), from_w = bits.size(2);
  at::Tensor to = at::empty({n, h, w, words}, at::kLong);
  const auto source = [](int64_t i, int64_t in, int64_t out) {
    const float scale = static_cast<float>(in) / static_cast<float>(out);
    return std::min(static_cast<int64_t>(static_cast<float>(i) * scale),
                    in - 1);
  };
  const auto *in = from.data_ptr<int64_t>();
  auto *out = to.data_ptr<int64_t>();
  at::parallel_for(0, n * h, 16, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const int64_t y = source(row % h, from_h, h);
      const auto *line = in + (row / h * from_h + y) * from_w * words;
      for (int64_t x = 0; x < w; x++) {
        std::copy_n(line + source(x, from_w, w) * words, words,
                    out + (row * w + x) * words);
      }
    }
  });
  return to;
}

at::Tensor spike_rates(at::TensorList bits, at::IntArrayRef channels) {
  TORCH_CHECK(!bits.empty() && bits.size() == channels.size(),
              "spike_rates: one number of channels for each of ", bits.size(),
              " tensors");
  std::vector<at::Tensor> rates;
  for (size_t i = 0; i < bits.size(); i++) {
    check_bits(bits[i], "spike_rates");
    const int64_t width = channels[i], words = bits[i].size(3);
    TORCH_CHECK(words_of(width) == words, "spike_rates: ", width,
                " channels do not fill ", words, " words");
    const at::Tensor from = bits[i].contiguous();
    const int64_t n = from.size(0), grid = from.size(1) * from.size(2);
    at::Tensor rate = at::zeros({n, width}, at::kFloat);
    const auto *in = from.data_ptr<int64_t>();
    auto *out = rate.data_ptr<float>();
    at::parallel_for(0, n, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        for (int64_t p = 0; p < grid; p++) {
          for (int64_t w = 0; w < words; w++) {
            auto word = static_cast<uint64_t>(in[(row * grid + p) * words + w]);
            for (; word != 0; word &= word - 1) {
              out[row * width + w * kWordBits + __builtin_ctzll(word)] += 1.0f;
            }
          }
        }
        for (int64_t c = 0; c < width; c++) {
          out[row * width + c] /= static_cast<float>(grid);
        }
      }
    });
    rates.push_back(rate);
  }
  return at::cat(rates, 1);
}

}  // namespace spikedhs

TORCH_LIBRARY_FRAGMENT(spikedhs, library) {
  library.def("spike_pack(Tensor spikes) -> Tensor");
  library.def("spike_unpack(Tensor bits, int channels) -> Tensor");
  library.def(
      "spike_fire(Tensor current, float tau, float threshold, int steps) -> "
      "Tensor");
  library.def("spike_resize(Tensor bits, int h, int w) -> Tensor");
  library.def("spike_rates(Tensor[] bits, int[] channels) -> Tensor");
  library.def("spike_weights(Tensor weight, int[] channels) -> Tensor");
  library.def(
      "spike_conv2d(Tensor bits, Tensor weights, Tensor? bias, int channels, "
      "int kernel, int stride=1, int steps=1) -> Tensor");
  library.def(
      "spike_layer(Tensor[] sources, Tensor[] weights, int[] kernels, "
      "int[] strides, Tensor bias, int[] channels, float tau, "
      "float threshold, int steps) -> (Tensor[] spikes, Tensor counts)");
}

TORCH_LIBRARY_IMPL(spikedhs, CPU, library) {
  library.impl("spike_pack", &spikedhs::spike_pack);
  library.impl("spike_unpack", &spikedhs::spike_unpack);
  library.impl("spike_fire", &spikedhs::spike_fire);
  library.impl("spike_resize", &spikedhs::spike_resize);
  library.impl("spike_rates", &spikedhs::spike_rates);
  library.impl("spike_weights", &spikedhs::spike_weights);
  library.impl("spike_conv2d", &spikedhs::spike_conv2d);
  library.impl("spike_layer", &spikedhs::spike_layer);
}
