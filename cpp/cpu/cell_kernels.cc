// The kernels of cell_kernels.h. This file is compiled once for each
// instruction set (see flat.h).
//
// Neurons are worked on in blocks of neighbouring pixels with all their
// channels, copied to flat float arrays that stay in the first-level cache over
// all T steps; constants by channel are laid out the same way, so every inner
// loop is a plain loop over flat arrays.
#include "cell_kernels.h"

#include "cell_block.h"
#include "cell_reverse.h"
#include "flat.h"
#include "lif_step.h"

namespace spikedhs {
namespace SPIKEDHS_ISA {
namespace {

int64_t node_scratch(const NodeArgs &a) {
  const int64_t rows = block_pixels(a);
  const int64_t flat = rows * largest_run(a);
  return a.fan_count * flat * (6 * a.groups + 4) + flat * (2 * a.steps + 6) +
         rows * a.width * (2 * a.steps + 4);
}

// The sum of eq. 3, in a supernet over the mixtures of eq. 4 (`weights` are
// softmax(alpha)): the current of a node at the pixels [first, first + rows),
// all steps: acc[t][rows * width].
template <typename Scalar>
SPIKEDHS_LOCAL void node_current(const NodeArgs &a, const Tiles *tiles,
                                 int64_t first, int64_t rows, float *acc,
                                 float *z, float *v) {
  const int64_t w = a.width;
  const int64_t dense = rows * w;
  zero(acc, a.steps * dense);
  for (int64_t k = 0; k < a.fan_count; k++) {
    const FanPart &part = a.fans[k];
    const Tiles &tile_of = tiles[k];
    const int64_t run = part.ops * w;
    const int64_t flat = rows * run;
    const int64_t tiled = block_pixels(a) * run;
    const bool spiking = part.b != nullptr;
    if (spiking) zero(v, flat);
    for (int64_t t = 0; t < a.steps; t++) {
      const Scalar *y = static_cast<const Scalar *>(part.y) +
                        (t * a.pixels + first) * part.stride;
      gather(z, y, part.stride, rows, run);
      const int64_t group = a.groups > 1 ? t * tiled : 0;
      const float *__restrict scale = tile_of.scale + group;
      const float *__restrict shift = tile_of.shift + group;
      const float *__restrict weight = tile_of.weight;
      float *__restrict x = z;
      if (spiking) {
        float *__restrict membrane = v;
        SPIKEDHS_FLAT
        for (int64_t i = 0; i < flat; i++) {
          const float u =
              lif_charge(membrane[i], x[i] * scale[i] + shift[i], a.tau);
          const bool fired = u > a.vth;
          x[i] = fired ? weight[i] : 0.0f;
          membrane[i] = fired ? 0.0f : u;
        }
      } else if (part.weights != nullptr) {
        SPIKEDHS_FLAT
        for (int64_t i = 0; i < flat; i++) {
          x[i] = (x[i] * scale[i] + shift[i]) * weight[i];
        }
      } else {
        SPIKEDHS_FLAT
        for (int64_t i = 0; i < flat; i++) x[i] = x[i] * scale[i] + shift[i];
      }
      float *__restrict sum = acc + t * dense;
      if (part.ops == 1) {
        SPIKEDHS_FLAT
        for (int64_t i = 0; i < dense; i++) sum[i] += x[i];
      } else {
        for (int64_t p = 0; p < rows; p++) {
          for (int64_t op = 0; op < part.ops; op++) {
            const float *in = x + p * run + op * w;
            float *out = sum + p * w;
            for_channels(w, [=](int64_t c) { out[c] += in[c]; });
          }
        }
      }
    }
  }
  for (int64_t k = 0; k < a.skip_count; k++) {
    const SkipPart &skip = a.skips[k];
    const float weight = weight_of(skip.weight, 0);
    for (int64_t t = 0; t < a.steps; t++) {
      const Scalar *x =
          static_cast<const Scalar *>(skip.x) + (t * a.pixels + first) * w;
      gather(z, x, w, rows, w);
      float *__restrict sum = acc + t * dense;
      SPIKEDHS_FLAT
      for (int64_t i = 0; i < dense; i++) sum[i] += weight * z[i];
    }
  }
}

template <typename Scalar>
void node_forward(const NodeArgs &a, int64_t first, int64_t last,
                  float *scratch) {
  Tiles tiles[kMostParts];
  const int64_t most = block_pixels(a);
  float *z = lay_out(a, most, false, tiles, scratch);
  float *v = z + most * largest_run(a);
  float *acc = v + most * largest_run(a);
  const int64_t w = a.width;
  for (int64_t at = first; at < last; at += most) {
    const int64_t rows = last - at < most ? last - at : most;
    const int64_t dense = rows * w;
    node_current<Scalar>(a, tiles, at, rows, acc, z, v);
    float *__restrict membrane = v;
    zero(membrane, dense);
    for (int64_t t = 0; t < a.steps; t++) {
      float *__restrict current = acc + t * dense;
      const int64_t row = t * a.pixels + at;
      if (a.sums != nullptr) {
        float *__restrict keep = a.sums + row * w;
        SPIKEDHS_FLAT
        for (int64_t i = 0; i < dense; i++) keep[i] = current[i];
      }
      SPIKEDHS_FLAT
      for (int64_t i = 0; i < dense; i++) {
        const float u = lif_charge(membrane[i], current[i], a.tau);
        const bool fired = u > a.vth;
        current[i] = fired ? 1.0f : 0.0f;
        membrane[i] = fired ? 0.0f : u;
      }
      scatter(static_cast<Scalar *>(a.out) + row * a.out_stride, current,
              a.out_stride, rows, w);
      if (a.spikes != nullptr) {
        scatter(static_cast<Scalar *>(a.spikes) + row * w, current, w, rows, w);
      }
    }
  }
}

// One part's share of a node's gradient: acc holds dL/d(current of the node).
template <typename Scalar>
SPIKEDHS_LOCAL void part_backward(const NodeArgs &a, const FanPart &part,
                                  const Tiles &tile_of, int64_t first,
                                  int64_t rows, const float *acc, float *z,
                                  float *u, float *v) {
  const int64_t w = a.width;
  const int64_t run = part.ops * w;
  const int64_t flat = rows * run;
  const int64_t tiled = block_pixels(a) * run;
  const int64_t dense = rows * w;
  const bool spiking = part.b != nullptr;
  const float *__restrict weight = tile_of.weight;
  // The currents z of all steps and, for neurons, the membrane potentials u.
  if (spiking) zero(v, flat);
  for (int64_t t = 0; t < a.steps; t++) {
    const Scalar *y = static_cast<const Scalar *>(part.y) +
                      (t * a.pixels + first) * part.stride;
    float *__restrict raw = z + t * tiled;
    gather(raw, y, part.stride, rows, run);
    if (spiking) {
      const int64_t group = a.groups > 1 ? t * tiled : 0;
      const float *__restrict scale = tile_of.scale + group;
      const float *__restrict shift = tile_of.shift + group;
      float *__restrict membrane = v;
      float *__restrict potential = u + t * tiled;
      SPIKEDHS_FLAT
      for (int64_t i = 0; i < flat; i++) {
        const float charge =
            lif_charge(membrane[i], raw[i] * scale[i] + shift[i], a.tau);
        potential[i] = charge;
        membrane[i] = charge > a.vth ? 0.0f : charge;
      }
    }
  }
  float *__restrict grad_v = v;  // its membranes are not needed any more
  float *__restrict grad = u + a.steps * tiled;
  if (spiking) zero(grad_v, flat);
  for (int64_t t = a.steps - 1; t >= 0; t--) {
    const int64_t group = a.groups > 1 ? t * tiled : 0;
    const float *__restrict mean = tile_of.mean + group;
    const float *__restrict inverse = tile_of.inverse + group;
    float *__restrict sum_grad = tile_of.sum_grad + group;
    float *__restrict sum_hat = tile_of.sum_hat + group;
    const float *__restrict raw = z + t * tiled;
    // The gradient of the node's current, for each operation.
    const float *__restrict from = acc + t * dense;
    if (part.ops == 1) {
      SPIKEDHS_FLAT
      for (int64_t i = 0; i < dense; i++) grad[i] = from[i];
    } else {
      for (int64_t p = 0; p < rows; p++) {
        for (int64_t op = 0; op < part.ops; op++) {
          float *to = grad + p * run + op * w;
          const float *in = from + p * w;
          for_channels(w, [=](int64_t c) { to[c] = in[c]; });
        }
      }
    }
    if (spiking) {
      const float *__restrict potential = u + t * tiled;
      float *__restrict sum_weight = tile_of.sum_weight;
      SPIKEDHS_FLAT
      for (int64_t i = 0; i < flat; i++) {
        sum_weight[i] += potential[i] > a.vth ? grad[i] : 0.0f;
      }
      const ReverseStep step = {potential,      weight, tile_of.b,
                                tile_of.factor, grad,   grad_v};
      reverse_parts[static_cast<int>(a.family)](a, flat, step);
    } else if (part.weights != nullptr) {
      const float *__restrict scale = tile_of.scale + group;
      const float *__restrict shift = tile_of.shift + group;
      float *__restrict sum_weight = tile_of.sum_weight;
      SPIKEDHS_FLAT
      for (int64_t i = 0; i < flat; i++) {
        sum_weight[i] += grad[i] * (raw[i] * scale[i] + shift[i]);
        grad[i] *= weight[i];
      }
    }
    SPIKEDHS_FLAT
    for (int64_t i = 0; i < flat; i++) {
      sum_grad[i] += grad[i];
      sum_hat[i] += grad[i] * ((raw[i] - mean[i]) * inverse[i]);
    }
    scatter(
        static_cast<Scalar *>(part.grad) + (t * a.pixels + first) * part.stride,
        grad, part.stride, rows, run);
  }
}

template <typename Scalar>
void node_backward(const NodeArgs &a, int64_t first, int64_t last,
                   float *scratch, double *partial) {
  Tiles tiles[kMostParts];
  const int64_t most = block_pixels(a);
  const int64_t flat = most * largest_run(a);
  float *z = lay_out(a, most, true, tiles, scratch);
  float *u = z + a.steps * flat;
  float *v = u + (a.steps + 1) * flat;
  float *acc = v + flat;
  float *grad = acc + a.steps * most * a.width;
  float *grad_v = grad + most * a.width;
  const int64_t w = a.width;
  for (int64_t at = first; at < last; at += most) {
    const int64_t rows = last - at < most ? last - at : most;
    const int64_t dense = rows * w;
    // The node's currents, then its membrane potentials.
    if (a.sums != nullptr) {
      for (int64_t t = 0; t < a.steps; t++) {
        const float *__restrict keep = a.sums + (t * a.pixels + at) * w;
        SPIKEDHS_FLAT
        for (int64_t i = 0; i < dense; i++) acc[t * dense + i] = keep[i];
      }
    } else {
      node_current<Scalar>(a, tiles, at, rows, acc, z, v);
    }
    zero(v, dense);
    for (int64_t t = 0; t < a.steps; t++) {
      float *__restrict potential = acc + t * dense;
      float *__restrict membrane = v;
      SPIKEDHS_FLAT
      for (int64_t i = 0; i < dense; i++) {
        const float charge = lif_charge(membrane[i], potential[i], a.tau);
        potential[i] = charge;
        membrane[i] = charge > a.vth ? 0.0f : charge;
      }
    }
    // The reverse scan turns potentials into gradients of the currents.
    zero(grad_v, dense);
    for (int64_t t = a.steps - 1; t >= 0; t--) {
      zero(grad, dense);
      for (int64_t k = 0; k < a.grad_count; k++) {
        const SpikeGrad &g = a.grads[k];
        const int64_t row = (t * a.pixels + at) * g.stride;
        if (g.is_float) {
          gather<true>(grad, static_cast<const float *>(g.data) + row, g.stride,
                       rows, w);
        } else {
          gather<true>(grad, static_cast<const Scalar *>(g.data) + row,
                       g.stride, rows, w);
        }
      }
      reverse_nodes[static_cast<int>(a.family)](a, dense, acc + t * dense, grad,
                                                grad_v);
    }
    for (int64_t k = 0; k < a.fan_count; k++) {
      part_backward<Scalar>(a, a.fans[k], tiles[k], at, rows, acc, z, u, v);
    }
    for (int64_t k = 0; k < a.skip_count; k++) {
      const SkipPart &skip = a.skips[k];
      const float weight = weight_of(skip.weight, 0);
      float *__restrict sum = grad;
      zero(sum, dense);
      for (int64_t t = 0; t < a.steps; t++) {
        const int64_t row = (t * a.pixels + at) * w;
        const float *__restrict from = acc + t * dense;
        float *__restrict to = skip.grad + row;
        SPIKEDHS_FLAT
        for (int64_t i = 0; i < dense; i++) to[i] += weight * from[i];
        if (skip.weight == nullptr) continue;
        gather(z, static_cast<const Scalar *>(skip.x) + row, w, rows, w);
        SPIKEDHS_FLAT
        for (int64_t i = 0; i < dense; i++) sum[i] += from[i] * z[i];
      }
      double total = 0.0;
      for (int64_t i = 0; i < dense; i++) total += sum[i];
      partial[skip.partial] += total;
    }
  }
  for (int64_t k = 0; k < a.fan_count; k++) {
    const FanPart &part = a.fans[k];
    const int64_t run = part.ops * w;
    const int64_t tiled = most * run;
    double *sums = partial + part.partial;
    double *hats = sums + a.groups * run;
    double *weights = hats + a.groups * run;
    for (int64_t g = 0; g < a.groups; g++) {
      fold(sums + g * run, tiles[k].sum_grad + g * tiled, most, run);
      fold(hats + g * run, tiles[k].sum_hat + g * tiled, most, run);
    }
    if (part.weights == nullptr) continue;
    for (int64_t p = 0; p < most; p++) {
      SPIKEDHS_FLAT
      for (int64_t c = 0; c < run; c++) {
        weights[c / w] += tiles[k].sum_weight[p * run + c];
      }
    }
  }
}

template <typename Scalar>
void norm_sums(const void *y, int64_t rows, int64_t channels,
               const float *pivot, float *sums, float *squares) {
  const Scalar *in = static_cast<const Scalar *>(y);
  float *__restrict s = sums;
  float *__restrict q = squares;
  for (int64_t r = 0; r < rows; r++) {
    const Scalar *__restrict row = in + r * channels;
    SPIKEDHS_FLAT
    for (int64_t c = 0; c < channels; c++) {
      const float d = load(row[c]) - pivot[c];
      s[c] += d;
      q[c] += d * d;
    }
  }
}

template <typename Scalar>
void norm_backward(const void *y, void *grad, int64_t rows, int64_t channels,
                   const float *gain, const float *grad_mean, const float *mean,
                   const float *slope) {
  const Scalar *in = static_cast<const Scalar *>(y);
  Scalar *out = static_cast<Scalar *>(grad);
  for (int64_t r = 0; r < rows; r++) {
    const Scalar *__restrict row = in + r * channels;
    Scalar *__restrict g = out + r * channels;
    SPIKEDHS_FLAT
    for (int64_t c = 0; c < channels; c++) {
      const float centred = (load(row[c]) - mean[c]) * slope[c];
      store(&g[c], gain[c] * (load(g[c]) - grad_mean[c] - centred));
    }
  }
}

template <typename Scalar>
constexpr CellKernels table = {&norm_sums<Scalar>, &norm_backward<Scalar>,
                               &node_scratch, &node_forward<Scalar>,
                               &node_backward<Scalar>};

}  // namespace

const CellKernels &cell_kernels_float() { return table<float>; }
const CellKernels &cell_kernels_bfloat16() { return table<Bf16>; }

}  // namespace SPIKEDHS_ISA
}  // namespace spikedhs
