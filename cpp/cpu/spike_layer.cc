// Event-driven convolutions and neurons (eq. 1) on the CPU: checks, weights,
// choice of references, tiles over the threads.
#include <ATen/ATen.h>
#include <torch/library.h>

#include <algorithm>
#include <limits>

#include "dispatch.h"
#include "divide.h"
#include "share.h"
#include "spike_bits.h"

namespace spikedhs {

SPIKEDHS_DISPATCH(const SpikeKernels *, spike_tiles)

namespace {

// Output pixels of one tile. Its sums (pixels * T * 96 floats) and the weights
// of one word of channels (9 * 64 * 96 floats) share the second-level cache.
constexpr int64_t kTilePixels = 128;
constexpr int64_t kTiles = 4;  // a thread, at least

// Share of ones from which on a step counts as dense.
constexpr double kDenseRate = 0.1;

int64_t vectors_of(int64_t channels) {
  return (channels + kGroup - 1) / kGroup;
}

// How the vectors of all layers are cut into blocks of one size.
struct Blocks {
  int64_t used = 0;  // vectors that hold channels
  int64_t count, vectors;

  explicit Blocks(at::IntArrayRef channels) {
    for (const int64_t c : channels) {
      TORCH_CHECK(c > 0, "spike layer: channels must be positive, is ", c);
      used += vectors_of(c);
    }
    TORCH_CHECK(used > 0, "spike layer: there must be channels");
    count = (used + kMaxVectors - 1) / kMaxVectors;
    vectors = (used + count - 1) / count;
  }
  int64_t lanes() const { return vectors * kGroup; }
};

const uint64_t *words(const at::Tensor &bits) {
  return reinterpret_cast<const uint64_t *>(bits.data_ptr<int64_t>());
}

int64_t output_size(int64_t size, int64_t stride) {
  return (size - 1) / stride + 1;  // odd kernel, padding kernel / 2
}

// Everything a job points to.
struct Layer {
  SpikeJob job{};
  std::vector<SpikeSource> sources;
  std::vector<at::Tensor> keep;
  std::vector<int8_t> reference;

  Layer(at::TensorList bits, at::TensorList weights, at::IntArrayRef kernels,
        at::IntArrayRef strides, const Blocks &blocks, int64_t steps) {
    TORCH_CHECK(!bits.empty() && weights.size() == bits.size() &&
                    kernels.size() == bits.size() &&
                    strides.size() == bits.size(),
                "spike layer: one weight, kernel and stride for each of ",
                bits.size(), " sources");
    TORCH_CHECK(steps > 0, "spike layer: steps must be positive, is ", steps);
    for (size_t i = 0; i < bits.size(); i++) {
      check_bits(bits[i], "spike layer");
      add(bits[i].contiguous(), weights[i], kernels[i], strides[i], blocks,
          steps);
    }
    job.sources = sources.data();
    job.source_count = static_cast<int64_t>(sources.size());
    job.steps = steps;
    job.blocks = blocks.count;
    job.vectors = blocks.vectors;
  }

  int64_t rows() const { return job.batch * job.height; }
  at::Tensor grid(int64_t last, at::ScalarType type) const {
    return at::zeros({job.steps * job.batch, job.height, job.width, last},
                     at::TensorOptions().dtype(type));
  }

  // Spikes that entered each source.
  at::Tensor run() {
    at::Tensor counts = choose_references();
    const auto &kernels = spike_kernels();
    // Smaller tiles where there would be too few for the threads; the result
    // of a pixel does not depend on its tile.
    const int64_t even = divide_up(rows(), kTiles * at::get_num_threads());
    const int64_t height = std::max<int64_t>(
        1, std::min(even, kTilePixels / std::max<int64_t>(job.width, 1)));
    share(divide_up(rows(), height), [&](Pieces &pieces) {
      at::Tensor scratch = at::empty({tile_scratch(job, height)}, at::kFloat);
      for (int64_t tile; pieces.take(tile);) {
        const int64_t first = tile * height;
        kernels.tile(job, first, std::min(height, rows() - first),
                     scratch.data_ptr<float>());
      }
    });
    return counts;
  }

 private:
  void add(const at::Tensor &bits, const at::Tensor &weights, int64_t kernel,
           int64_t stride, const Blocks &blocks, int64_t steps) {
    TORCH_CHECK(kernel > 0 && kernel <= kMaxKernel && kernel % 2 == 1,
                "spike layer: the kernel must be odd and at most ", kMaxKernel,
                ", is ", kernel);
    TORCH_CHECK(stride > 0, "spike layer: stride must be positive, is ",
                stride);
    TORCH_CHECK(bits.size(0) % steps == 0,
                "spike layer: dimension 0 of the spikes must be steps * batch; "
                "shape ",
                bits.sizes(), " with ", steps, " steps");
    const std::vector<int64_t> expected = {
        blocks.count, bits.size(3), kernel * kernel, kWordBits, blocks.lanes()};
    TORCH_CHECK(weights.scalar_type() == at::kFloat &&
                    weights.is_contiguous() &&
                    weights.sizes() == at::IntArrayRef(expected),
                "spike layer: weights of shape ", weights.sizes(),
                " where spike_weights makes ", at::IntArrayRef(expected));
    const int64_t batch = bits.size(0) / steps;
    const int64_t height = output_size(bits.size(1), stride);
    const int64_t width = output_size(bits.size(2), stride);
    TORCH_CHECK(sources.empty() || (batch == job.batch &&
                                    height == job.height && width == job.width),
                "spike layer: sources make different grids");
    job.batch = batch;
    job.height = height;
    job.width = width;
    keep.push_back(bits);
    keep.push_back(weights);
    sources.push_back({words(bits), bits.size(1), bits.size(2), bits.size(3),
                       kernel, stride, weights.data_ptr<float>()});
  }

  // For each image and step: start from nothing, or from one of the two steps
  // before, whichever leaves the fewest events.
  at::Tensor choose_references() {
    const int64_t cells = job.batch * job.steps;
    reference.assign(cells, kDense);
    job.reference = reference.data();
    const auto n = static_cast<int64_t>(sources.size());
    at::Tensor counts = at::zeros({cells, n}, at::kLong);
    auto *spikes = counts.data_ptr<int64_t>();
    const auto &kernels = spike_kernels();
    share_each(cells, [&](int64_t cell) {
      const int64_t image = cell / job.steps, t = cell % job.steps;
      int64_t events[3] = {0, 0, 0}, inputs = 0;
      for (int64_t i = 0; i < n; i++) {
        const SpikeSource &s = sources[i];
        const int64_t plane = s.height * s.width * s.words;
        const int64_t work = s.kernel * s.kernel;
        const auto *now = s.bits + (t * job.batch + image) * plane;
        spikes[cell * n + i] = kernels.count(now, plane);
        inputs += work * plane * kWordBits;
        events[0] += work * spikes[cell * n + i];
        for (int64_t back = 1; back <= std::min<int64_t>(t, 2); back++) {
          events[back] +=
              work * kernels.differ(now, now - back * job.batch * plane, plane);
        }
      }
      int64_t best = 0;
      for (int64_t back = 1; back <= std::min<int64_t>(t, 2); back++) {
        if (events[back] < events[best]) best = back;
      }
      if (best > 0) {
        reference[cell] = static_cast<int8_t>(t - best);
      } else if (static_cast<double>(events[0]) <
                 kDenseRate * static_cast<double>(inputs)) {
        reference[cell] = kSparse;
      }
    });
    return counts.sum(0);
  }
};

// Bias of all layers with vectors that are full; -inf keeps a neuron that does
// not exist from firing.
at::Tensor spread(const at::Tensor &bias, at::IntArrayRef channels,
                  const Blocks &blocks) {
  const at::Tensor values = bias.to(at::kFloat).contiguous();
  at::Tensor wide = at::full({blocks.count * blocks.lanes()},
                             -std::numeric_limits<float>::infinity());
  const auto *from = values.data_ptr<float>();
  auto *to = wide.data_ptr<float>();
  for (const int64_t c : channels) {
    std::copy_n(from, c, to);
    from += c;
    to += vectors_of(c) * kGroup;
  }
  return wide;
}

int64_t total(at::IntArrayRef channels) {
  int64_t sum = 0;
  for (const int64_t c : channels) sum += c;
  return sum;
}

}  // namespace

const SpikeKernels &spike_kernels() {
  static const SpikeKernels *const best = spike_tiles();
#if defined(SPIKEDHS_X86_KERNELS)
  static const SpikeKernels *const kernels =
      best == nullptr ? avx2::spike_tiles() : best;
  return *kernels;
#else
  return *best;
#endif
}

at::Tensor spike_weights(const at::Tensor &weight, at::IntArrayRef channels) {
  TORCH_CHECK(weight.dim() == 4 && weight.size(2) == weight.size(3),
              "spike_weights: weight must be [Cout, Cin, K, K], is ",
              weight.sizes());
  TORCH_CHECK(total(channels) == weight.size(0),
              "spike_weights: ", total(channels),
              " channels for weight of shape ", weight.sizes());
  const Blocks blocks(channels);
  const at::Tensor values = weight.to(at::kCPU, at::kFloat).contiguous();
  const int64_t inputs = weight.size(1), kernel = weight.size(2);
  const int64_t taps = kernel * kernel, lanes = blocks.lanes();
  const int64_t word_count = words_of(inputs);
  at::Tensor packed =
      at::zeros({blocks.count, word_count, taps, kWordBits, lanes}, at::kFloat);
  const auto *from = values.data_ptr<float>();
  auto *to = packed.data_ptr<float>();
  int64_t place = 0;  // of the output channel among all lanes
  for (const int64_t layer : channels) {
    for (int64_t o = 0; o < layer; o++) {
      const int64_t block = (place + o) / lanes, lane = (place + o) % lanes;
      for (int64_t c = 0; c < inputs; c++) {
        const int64_t word = c / kWordBits, bit = c % kWordBits;
        for (int64_t tap = 0; tap < taps; tap++) {
          to[(((block * word_count + word) * taps + tap) * kWordBits + bit) *
                 lanes +
             lane] = *from++;
        }
      }
    }
    place += vectors_of(layer) * kGroup;
  }
  return packed;
}

at::Tensor spike_conv2d(const at::Tensor &bits, const at::Tensor &weights,
                        const optional<at::Tensor> &bias, int64_t channels,
                        int64_t kernel, int64_t stride, int64_t steps) {
  const Blocks blocks(channels);
  Layer layer({bits}, {weights}, kernel, stride, blocks, steps);
  const at::Tensor wide = spread(
      bias.has_value() && bias->defined() ? *bias : at::zeros({channels}),
      channels, blocks);
  TORCH_CHECK(
      !bias.has_value() || !bias->defined() || bias->numel() == channels,
      "spike_conv2d: bias must have ", channels, " numbers");
  layer.job.bias = wide.data_ptr<float>();
  layer.job.channels = channels;
  at::Tensor currents = layer.grid(channels, at::kFloat);
  layer.job.currents = currents.data_ptr<float>();
  layer.run();
  return currents.permute({0, 3, 1, 2});
}

SpikeLayerResult spike_layer(at::TensorList sources, at::TensorList weights,
                             at::IntArrayRef kernels, at::IntArrayRef strides,
                             const at::Tensor &bias, at::IntArrayRef channels,
                             double tau, double threshold, int64_t steps) {
  const Blocks blocks(channels);
  Layer layer(sources, weights, kernels, strides, blocks, steps);
  TORCH_CHECK(bias.numel() == total(channels), "spike_layer: bias must have ",
              total(channels), " numbers, has ", bias.numel());
  const at::Tensor wide = spread(bias, channels, blocks);
  layer.job.bias = wide.data_ptr<float>();
  layer.job.tau = static_cast<float>(tau);
  layer.job.threshold = static_cast<float>(threshold);
  std::vector<at::Tensor> spikes;
  const int64_t vectors = blocks.count * blocks.vectors;
  std::vector<uint16_t *> places(vectors, nullptr);
  std::vector<int64_t> distances(vectors, 0);
  int64_t vector = 0;
  for (const int64_t c : channels) {
    spikes.push_back(layer.grid(words_of(c), at::kLong));
    // A word's 16-bit parts in the order of its channels.
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "");
    auto *parts =
        reinterpret_cast<uint16_t *>(spikes.back().data_ptr<int64_t>());
    for (int64_t k = 0; k < vectors_of(c); k++, vector++) {
      places[vector] = parts + k;
      distances[vector] = words_of(c) * (kWordBits / kGroup);
    }
  }
  layer.job.spikes = places.data();
  layer.job.spike_stride = distances.data();
  at::Tensor counts = layer.run();
  return {spikes, counts};
}

}  // namespace spikedhs
