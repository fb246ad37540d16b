// The kernels of spike_tile.h. This file is compiled once for each instruction
// set (see flat.h).
#include <string.h>

#include "lanes.h"
#include "spike_tile.h"

// Lists of set bits need more of AVX-512 than its first processors have: one
// instruction of Ice Lake and Zen 4. Clang knows no such pragma.
#if defined(__AVX512F__) && !defined(__clang__)
#pragma GCC target("avx512vbmi2,avx512vpopcntdq")
#define SPIKEDHS_COMPRESSES
#endif

namespace spikedhs {
namespace SPIKEDHS_ISA {
namespace {

typedef Sixteen<float> Vec;
typedef Sixteen<uint32_t> Ints;

// Writes first + (position of each bit of mask) * step and returns the end. May
// write up to 64 numbers past it.
inline uint32_t *append(uint64_t mask, uint32_t first, uint32_t step,
                        uint32_t *out) {
#if defined(SPIKEDHS_COMPRESSES)
  alignas(64) static const uint8_t positions[64] = {
      0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
      16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
      32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
      48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
  const __m512i set =
      _mm512_maskz_compress_epi8(mask, _mm512_load_si512(positions));
  const __m512i scale = _mm512_set1_epi32(static_cast<int>(step));
  const __m512i shift = _mm512_set1_epi32(static_cast<int>(first));
  const int64_t n = __builtin_popcountll(mask);
  const auto write = [&](int64_t at, __m128i bytes)
      __attribute__((always_inline)) {
    _mm512_storeu_si512(
        out + at,
        _mm512_add_epi32(
            shift, _mm512_mullo_epi32(scale, _mm512_cvtepu8_epi32(bytes))));
  };
  write(0, _mm512_extracti32x4_epi32(set, 0));
  if (n > 16) {
    write(16, _mm512_extracti32x4_epi32(set, 1));
    if (n > 32) {
      write(32, _mm512_extracti32x4_epi32(set, 2));
      write(48, _mm512_extracti32x4_epi32(set, 3));
    }
  }
  return out + n;
#else
  while (mask != 0) {
    *out++ = first + static_cast<uint32_t>(__builtin_ctzll(mask)) * step;
    mask &= mask - 1;
  }
  return out;
#endif
}

// 16 comparisons as bits.
inline uint16_t above(const Vec &u, float threshold) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask(reinterpret_cast<const __m512 &>(u),
                            _mm512_set1_ps(threshold), _CMP_GT_OQ);
#elif defined(__AVX2__)
  const __m256 limit = _mm256_set1_ps(threshold);
  const float *half = reinterpret_cast<const float *>(&u);
  const int low = _mm256_movemask_ps(
      _mm256_cmp_ps(_mm256_load_ps(half), limit, _CMP_GT_OQ));
  const int high = _mm256_movemask_ps(
      _mm256_cmp_ps(_mm256_load_ps(half + 8), limit, _CMP_GT_OQ));
  return static_cast<uint16_t>(low | high << 8);
#else
  const auto *numbers = reinterpret_cast<const float *>(&u);
  unsigned bits = 0;
  for (int i = 0; i < kGroup; i++) {
    bits |= unsigned{numbers[i] > threshold} << i;
  }
  return static_cast<uint16_t>(bits);
#endif
}

// The events of one word of a source in the rows that a tile reads: for each
// row and step a list, pixel by pixel. An event is the distance in bytes of its
// weight row from that of channel 0 under tap 0 when the kernel starts at
// column 0; its lowest bit tells that the spike went. Those of the pixels under
// one row of the kernel are neighbours in the list, whatever the output pixel.
struct RowEvents {
  uint32_t *entries;
  int32_t *starts;   // [row][step][width + 1]
  int32_t *row_of;   // [output row][ky]: number of the row, or -1
  uint32_t *gather;  // the list of one output pixel
};

// Numbers the input rows under the output rows of a tile. Calls
// use(number, image, row) for each of them.
template <typename Use>
inline void number_rows(const SpikeJob &job, const SpikeSource &s,
                        int64_t first_row, int64_t rows, RowEvents *e,
                        Use use) {
  const int64_t pad = s.kernel / 2;
  int64_t image = -1, next = 0;  // rows below `next` of the image have numbers
  int32_t count = 0;
  for (int64_t o = 0; o < rows; o++) {
    const int64_t row = first_row + o;
    if (row / job.height != image) {
      image = row / job.height;
      next = 0;
    }
    const int64_t top = row % job.height * s.stride - pad;
    for (int64_t ky = 0; ky < s.kernel; ky++) {
      const int64_t iy = top + ky;
      int32_t number = -1;
      if (iy >= 0 && iy < s.height) {
        if (iy >= next) {
          use(count, image, iy);
          next = iy + 1;
          number = count++;
        } else {
          number = count - static_cast<int32_t>(next - iy);
        }
      }
      e->row_of[o * s.kernel + ky] = number;
    }
  }
}

// Lists of the set bits at the steps that are dense (`changes` false), or of
// the changes at the others.
template <int NV>
inline void list_events(const SpikeJob &job, const SpikeSource &s, int64_t word,
                        uint64_t mask, bool changes, int64_t first_row,
                        int64_t rows, RowEvents *e) {
  constexpr uint32_t kRow = NV * sizeof(Vec);
  const int64_t line = s.width * s.words, plane = s.height * line;
  uint32_t *out = e->entries;
  const auto use = [&](int32_t number, int64_t image, int64_t y)
      __attribute__((always_inline)) {
    const int8_t *reference = job.reference + image * job.steps;
    for (int64_t t = 0; t < job.steps; t++) {
      if ((reference[t] != kDense) != changes) continue;
      int32_t *start = e->starts + (number * job.steps + t) * (s.width + 1);
      const uint64_t *now =
          s.bits + (t * job.batch + image) * plane + y * line + word;
      const uint64_t *before =
          reference[t] < 0 ? nullptr
                           : now + (reference[t] - t) * job.batch * plane;
      for (int64_t x = 0; x < s.width; x++) {
        start[x] = static_cast<int32_t>(out - e->entries);
        const uint64_t a = now[x * s.words];
        const auto first = static_cast<uint32_t>(x * kWordBits) * kRow;
        if (changes) {
          const uint64_t b = before == nullptr ? 0 : before[x * s.words];
          out = append(a & ~b, first, kRow, out);
          out = append(b & ~a, first + 1, kRow, out);
        } else {
          out = append(a & mask, first, kRow, out);
        }
      }
      start[s.width] = static_cast<int32_t>(out - e->entries);
    }
  };
  number_rows(job, s, first_row, rows, e, use);
}

// The part of a row's list under the kernel at output column x.
struct Span {
  const uint32_t *first;
  int64_t count;
};

inline Span under_kernel(const SpikeSource &s, const RowEvents &e,
                         int64_t steps, int32_t row, int64_t t, int64_t left) {
  const int32_t *start = e.starts + (row * steps + t) * (s.width + 1);
  const int64_t right = left + s.kernel;
  const int32_t a = start[left < 0 ? 0 : left];
  const int32_t b = start[right > s.width ? s.width : right];
  return {e.entries + a, b - a};
}

// Distance in bytes from an event to its weight row at a kernel row and column.
template <int NV>
inline int64_t shift_of(const SpikeSource &s, int64_t ky, int64_t left) {
  return (ky * s.kernel - left) * kWordBits * NV *
         static_cast<int64_t>(sizeof(Vec));
}

// Currents from sums, and what becomes of them, for one pixel and block.
// `at` is the pixel's number in a grid of all images of one step; the sums of
// the steps lie `plane` vectors apart.
template <int NV>
inline void finish(const SpikeJob &job, int64_t block, const int8_t *reference,
                   int64_t at, int64_t plane, Vec *sums) {
  const Vec *bias = reinterpret_cast<const Vec *>(job.bias) + block * NV;
  const int64_t grid = job.batch * job.height * job.width;
  Vec v[NV];
  SPIKEDHS_IN_REGISTERS
  for (int k = 0; k < NV; k++) v[k] = all16(0.0f);
  for (int64_t t = 0; t < job.steps; t++) {
    Vec *sum = sums + t * plane;
    const Vec *start = reference[t] < 0 ? bias : sums + reference[t] * plane;
    SPIKEDHS_IN_REGISTERS
    for (int k = 0; k < NV; k++) sum[k] = start[k] + sum[k];
    const int64_t pixel = t * grid + at;
    if (job.currents != nullptr) {
      const int64_t first = block * NV * kGroup;
      const int64_t n = job.channels - first < NV * kGroup
                            ? job.channels - first
                            : NV * kGroup;
      if (n > 0) {
        memcpy(job.currents + pixel * job.channels + first, sum,
               n * sizeof(float));
      }
      continue;
    }
    SPIKEDHS_IN_REGISTERS
    for (int k = 0; k < NV; k++) {
      const Vec u = v[k] * all16(job.tau) + sum[k];
      const uint16_t fired = above(u, job.threshold);
      uint16_t *out = job.spikes[block * NV + k];
      if (out != nullptr) {
        out[pixel * job.spike_stride[block * NV + k]] = fired;
      }
#if defined(__AVX512F__)
      reinterpret_cast<__m512 &>(v[k]) = _mm512_maskz_mov_ps(
          static_cast<__mmask16>(~fired), reinterpret_cast<const __m512 &>(u));
#else
      const auto *after = reinterpret_cast<const float *>(&u);
      auto *kept = reinterpret_cast<float *>(&v[k]);
      for (int i = 0; i < kGroup; i++) {
        kept[i] = (fired >> i & 1) != 0 ? 0.0f : after[i];
      }
#endif
    }
  }
}

// Adds the sums of the dense steps. Many bits are set there, so the weights are
// taken in parts that nearly stay in the first-level cache: one row of the
// kernel, and half the channels of a word where that is still too much.
template <int NV>
void add_spikes(const SpikeJob &job, const SpikeSource &s, int64_t word,
                const char *weights, int64_t first_row, int64_t rows,
                Vec *scratch, RowEvents *events) {
  constexpr int64_t kCache = 40 << 10;
  const bool halves =
      s.kernel * kWordBits * NV * static_cast<int64_t>(sizeof(Vec)) > kCache;
  const int64_t pad = s.kernel / 2, plane = rows * job.width * NV;
  for (int part = 0; part < (halves ? 2 : 1); part++) {
    const uint64_t low = 0xffffffffu;
    const uint64_t mask = !halves ? ~uint64_t{0} : part == 0 ? low : ~low;
    list_events<NV>(job, s, word, mask, false, first_row, rows, events);
    for (int64_t ky = 0; ky < s.kernel; ky++) {
      Vec *sums = scratch;
      for (int64_t o = 0; o < rows; o++) {
        const int32_t row = events->row_of[o * s.kernel + ky];
        const int8_t *reference =
            job.reference + (first_row + o) / job.height * job.steps;
        if (row < 0) {
          sums += job.width * NV;
          continue;
        }
        for (int64_t x = 0; x < job.width; x++, sums += NV) {
          const int64_t left = x * s.stride - pad;
          const char *base = weights + shift_of<NV>(s, ky, left);
          for (int64_t t = 0; t < job.steps; t++) {
            if (reference[t] != kDense) continue;
            const Span span = under_kernel(s, *events, job.steps, row, t, left);
            if (span.count == 0) continue;
            Vec *sum = sums + t * plane;
            Vec acc[NV];
            SPIKEDHS_IN_REGISTERS
            for (int k = 0; k < NV; k++) acc[k] = sum[k];
            for (int64_t i = 0; i < span.count; i++) {
              const Vec *w =
                  reinterpret_cast<const Vec *>(base + span.first[i]);
              SPIKEDHS_IN_REGISTERS
              for (int k = 0; k < NV; k++) acc[k] = acc[k] + w[k];
            }
            SPIKEDHS_IN_REGISTERS
            for (int k = 0; k < NV; k++) sum[k] = acc[k];
          }
        }
      }
    }
  }
}

// Adds the changes at the other steps. They are few, so the lists under all
// rows of the kernel are joined before the sums are touched.
template <int NV>
void add_changes(const SpikeJob &job, const SpikeSource &s, int64_t word,
                 const char *weights, int64_t first_row, int64_t rows,
                 Vec *scratch, RowEvents *events) {
  const int64_t pad = s.kernel / 2, plane = rows * job.width * NV;
  list_events<NV>(job, s, word, ~uint64_t{0}, true, first_row, rows, events);
  Vec *sums = scratch;
  for (int64_t o = 0; o < rows; o++) {
    const int32_t *row_of = events->row_of + o * s.kernel;
    const int8_t *reference =
        job.reference + (first_row + o) / job.height * job.steps;
    for (int64_t x = 0; x < job.width; x++, sums += NV) {
      const int64_t left = x * s.stride - pad;
      const char *base = weights + shift_of<NV>(s, 0, left);
      for (int64_t t = 0; t < job.steps; t++) {
        if (reference[t] == kDense) continue;
        uint32_t *end = events->gather;
        for (int64_t ky = 0; ky < s.kernel; ky++) {
          if (row_of[ky] < 0) continue;
          const Span span =
              under_kernel(s, *events, job.steps, row_of[ky], t, left);
          const auto shift =
              static_cast<uint32_t>(ky * s.kernel * kWordBits * NV *
                                    static_cast<int64_t>(sizeof(Vec)));
          for (int64_t i = 0; i < span.count; i += kGroup) {
            Ints part;
            memcpy(&part, span.first + i, sizeof part);
            part = part + all16(shift);
            memcpy(end + i, &part, sizeof part);
          }
          end += span.count;
        }
        if (end == events->gather) continue;
        Vec *sum = sums + t * plane;
        Vec acc[NV];
        SPIKEDHS_IN_REGISTERS
        for (int k = 0; k < NV; k++) acc[k] = sum[k];
        for (const uint32_t *event = events->gather; event < end; event++) {
          // The sign bit turns an addition into a subtraction.
          const Ints sign = all16<uint32_t>(*event << 31);
          const char *w = base + (*event & ~uint32_t{1});
          SPIKEDHS_IN_REGISTERS
          for (int k = 0; k < NV; k++) {
            const Ints added = reinterpret_cast<const Ints *>(w)[k] ^ sign;
            acc[k] = acc[k] + reinterpret_cast<const Vec &>(added);
          }
        }
        SPIKEDHS_IN_REGISTERS
        for (int k = 0; k < NV; k++) sum[k] = acc[k];
      }
    }
  }
}

template <int NV>
void tile_of(const SpikeJob &job, int64_t first_row, int64_t rows,
             float *scratch) {
  Vec *const sums = reinterpret_cast<Vec *>(scratch);
  RowEvents events;
  events.gather =
      reinterpret_cast<uint32_t *>(sums + rows * job.width * job.steps * NV);
  events.row_of = reinterpret_cast<int32_t *>(events.gather + gather_room(job));
  events.starts = events.row_of + rows * kMaxKernel;
  events.entries =
      reinterpret_cast<uint32_t *>(events.starts + starts_room(job, rows));
  const int64_t plane = rows * job.width * NV;  // of the sums of one step
  for (int64_t block = 0; block < job.blocks; block++) {
    memset(scratch, 0, job.steps * plane * sizeof(Vec));
    for (int64_t i = 0; i < job.source_count; i++) {
      const SpikeSource &s = job.sources[i];
      const int64_t chunk = s.kernel * s.kernel * kWordBits * NV;  // of weights
      for (int64_t word = 0; word < s.words; word++) {
        const char *weights = reinterpret_cast<const char *>(
            reinterpret_cast<const Vec *>(s.weights) +
            (block * s.words + word) * chunk);
        add_spikes<NV>(job, s, word, weights, first_row, rows, sums, &events);
        add_changes<NV>(job, s, word, weights, first_row, rows, sums, &events);
      }
    }
    Vec *pixel = sums;
    for (int64_t row = first_row; row < first_row + rows; row++) {
      const int8_t *reference = job.reference + row / job.height * job.steps;
      for (int64_t x = 0; x < job.width; x++, pixel += NV) {
        finish<NV>(job, block, reference, row * job.width + x, plane, pixel);
      }
    }
  }
}

void tile(const SpikeJob &job, int64_t first_row, int64_t rows,
          float *scratch) {
  constexpr decltype(&tile_of<1>) kTiles[kMaxVectors] = {
      tile_of<1>, tile_of<2>, tile_of<3>, tile_of<4>, tile_of<5>, tile_of<6>};
  kTiles[job.vectors - 1](job, first_row, rows, scratch);
}

int64_t count(const uint64_t *a, int64_t n) {
  int64_t sum = 0;
  for (int64_t i = 0; i < n; i++) sum += __builtin_popcountll(a[i]);
  return sum;
}

int64_t differ(const uint64_t *a, const uint64_t *b, int64_t n) {
  int64_t sum = 0;
  for (int64_t i = 0; i < n; i++) sum += __builtin_popcountll(a[i] ^ b[i]);
  return sum;
}

constexpr SpikeKernels kernels = {tile, count, differ};

}  // namespace

// nullptr where the processor lacks an instruction that is used here.
const SpikeKernels *spike_tiles() {
#if defined(SPIKEDHS_COMPRESSES)
  if (!__builtin_cpu_supports("avx512vbmi2") ||
      !__builtin_cpu_supports("avx512vpopcntdq")) {
    return nullptr;
  }
#endif
  return &kernels;
}

}  // namespace SPIKEDHS_ISA
}  // namespace spikedhs
