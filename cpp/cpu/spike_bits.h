// Bit-packed spikes as tensors: int64 [T*N, H, W, words], channel c in bit
// c % 64 of word c / 64; bits past the last channel are 0.
#pragma once

#include <ATen/core/Tensor.h>

#include <tuple>
#include <vector>

#include "compat.h"
#include "spike_tile.h"

namespace spikedhs {

inline int64_t words_of(int64_t channels) {
  return (channels + kWordBits - 1) / kWordBits;
}

// The kernels of this processor.
const SpikeKernels &spike_kernels();

// Throws unless bits is a bit-packed tensor.
void check_bits(const at::Tensor &bits, const char *who);

// Binary float tensor [M, C, H, W] to bits: what is not 0 is a spike.
at::Tensor spike_pack(const at::Tensor &spikes);

// And back, float32, channels last.
at::Tensor spike_unpack(const at::Tensor &bits, int64_t channels);

// LIF neurons that get the same current [N, C, H, W] at every step.
at::Tensor spike_fire(const at::Tensor &current, double tau, double threshold,
                      int64_t steps);

// Nearest interpolation to h x w, as aten::upsample_nearest2d chooses pixels.
at::Tensor spike_resize(const at::Tensor &bits, int64_t h, int64_t w);

// Mean over H and W: [T*N, C], the channels of all tensors side by side.
at::Tensor spike_rates(at::TensorList bits, at::IntArrayRef channels);

// Weights [Cout, Cin, K, K] in the order in which the convolution walks over
// them. The Cout are those of several layers of neurons side by side.
at::Tensor spike_weights(const at::Tensor &weight, at::IntArrayRef channels);

// Currents, float32 [T*N, Cout, H, W], channels last.
at::Tensor spike_conv2d(const at::Tensor &bits, const at::Tensor &weights,
                        const optional<at::Tensor> &bias, int64_t channels,
                        int64_t kernel, int64_t stride, int64_t steps);

// Neurons driven by several convolutions. Returns the spikes of each layer of
// neurons and, for each source, how many spikes entered it.
using SpikeLayerResult = std::tuple<std::vector<at::Tensor>, at::Tensor>;
SpikeLayerResult spike_layer(at::TensorList sources, at::TensorList weights,
                             at::IntArrayRef kernels, at::IntArrayRef strides,
                             const at::Tensor &bias, at::IntArrayRef channels,
                             double tau, double threshold, int64_t steps);

}  // namespace spikedhs
