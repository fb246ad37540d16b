// Convolutions with 3x3 kernels and their gradients in float32, in a third of
// the multiplications with stride 1 and in two thirds with stride 2.
//
// A tile of 4x4 outputs y reads a patch of 6x6 inputs d under a kernel g of 3x3
// taps. Along one line y is, but for the order of its numbers, part of a
// product of polynomials, which its values at a few points determine (Toom and
// Cook; Winograd for convolutions). Over all channels c
//     y = A^T [ sum over c of (G g_c G^T) * (B^T d_c B) ] A
// where * multiplies number by number: 49 instead of 144 products a channel,
// all of one place a matrix product of its own (tiles by channels, channels by
// outputs). The points are those at which no number but 0, 1, -1 and powers of
// two occurs in A, B and G: 0, 1, -1, the pair i and -i, and infinity. The
// product of two complex numbers is three real ones, so a line has 7 points:
//
//          0   1  -1   real  imaginary  both  infinity
//     B^T: d0-d4, d1+d2+d3+d4, -d1+d2-d3+d4, (d4-d2)-(d1-d3), (d4-d2)+(d1-d3),
//          d1-d3, d5-d1
//     G:   g0, (g0+g1+g2)/4, (g0-g1+g2)/4, (g0-g2)/2, -g1/2, (g0-g2+g1)/2, g2
//     A:   h0, h0+h1+h2+h3, h0-h1+h2-h3, h0-h2, h1-h3, h0-h2+h1-h3, h3
//
// The usual points 0, 1, -1, 2, -2, infinity have 36 instead of 49 products,
// but factors such as 1/24, and lose ten times the precision; and what float32
// holds exactly in a direct convolution of spikes, it holds exactly here.
//
// The gradient of an input is the same with the kernel turned around. That of
// the kernel is the transposed map: G^T [ sum over tiles of (A h A^T) *
// (B^T d B) ] G with the gradient h of the tile.
//
// With stride 2 two outputs of a line read d0..d4 as
//     y0 = d0 g0 + d1 g1 + d2 g2,  y1 = d2 g0 + d3 g1 + d4 g2.
// The even inputs with g0 and g2 are a convolution of two taps, which takes
// three products for two outputs; the odd ones are two more products:
//     y0 = (d0-d2) g0 + d2 (g0+g2) + d1 g1
//     y1 = (d4-d2) g2 + d2 (g0+g2) + d3 g1
// A tile of 2x2 outputs takes 25 instead of 36, with no factor at all. The
// gradient of the input is computed in tiles of 4x4 numbers from 3x3 of the
// output's h: along a line, where the kernel's first tap reaches number 0,
//     x0 = (h0-h1) g2 + h1 (g0+g2),  x1 = h1 g1,
//     x2 = (h2-h1) g0 + h1 (g0+g2),  x3 = h2 g1.
#pragma once

#include <cstdint>

#include "conv_tensors.h"
#include "winograd_kernels.h"

namespace spikedhs {

struct WinogradConv : Images {
  using Images::Images;
  const WinogradKernels *kernels = nullptr;
  int64_t out = 0, out_height = 0, out_width = 0;
  int64_t top = 0, left = 0;  // the first pixel of the first tile's patch
  // Its first output; what is outside is left away.
  int64_t out_top = 0, out_left = 0;
  int64_t direct = 0;  // products of an image and pair of channels

  const WinogradSizes &sizes() const { return kernels->sizes; }
  int64_t tile_rows() const;
  int64_t tile_columns() const;
  int64_t tiles() const;
  // Whether it is faster than the definition.
  bool pays() const;
};

// Where weights are: that of output o, input i and tap t (row by row) is
// data[o * out_step + i * in_step + t * tap_step].
struct WinogradWeights {
  const float *data;
  int64_t out_step, in_step, tap_step;
};

// y [images, out_height, out_width, out].
void winograd_forward(const WinogradConv &conv, const float *x,
                      const WinogradWeights &weights, const float *bias,
                      float *y);

// dw [out, in, 3, 3], dense, from the gradient [images, out_height, out_width,
// out] of the output. The same bits with any number of threads.
void winograd_weight_gradient(const WinogradConv &conv, const float *x,
                              const float *grad, float *dw);

}  // namespace spikedhs
