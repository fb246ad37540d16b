// The tiles of tiles.h on Intel AMX, with AVX-512 for the packing.
#include "isa.h"
#include "tiles.h"

#if defined(SPIKEDHS_AMX_KERNELS)

#include <immintrin.h>

namespace spikedhs {
namespace {

struct alignas(64) Config {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
};

// Eight tiles of 16 rows of 64 bytes. A constant in memory: GCC 12 believes
// that the instruction reads eight bytes and would not write the rest of a
// local one.
const Config kConfig = {1,
                        0,
                        {},
                        {64, 64, 64, 64, 64, 64, 64, 64},
                        {16, 16, 16, 16, 16, 16, 16, 16}};

void begin() { _tile_loadconfig(&kConfig); }

void end() { _tile_release(); }

__mmask16 mask_of(int64_t channels) {
  return static_cast<__mmask16>(
      channels >= kTileChannels ? 0xffff : (1 << channels) - 1);
}

// Two positions side by side, channel by channel.
inline __m512i pair_of(const Bf16 *a, const Bf16 *b, __mmask16 mask) {
  const __m256i low =
      a == nullptr ? _mm256_setzero_si256() : _mm256_maskz_loadu_epi16(mask, a);
  const __m256i high =
      b == nullptr ? _mm256_setzero_si256() : _mm256_maskz_loadu_epi16(mask, b);
  return _mm512_or_si512(_mm512_cvtepu16_epi32(low),
                         _mm512_slli_epi32(_mm512_cvtepu16_epi32(high), 16));
}

// A transposition of 16 x 16 pairs: neighbours within lanes of four, then
// lanes.
inline void transpose_pairs(__m512i *a, Bf16 *to) {
  __m512i b[16];
  for (int i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
    a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
    a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
    a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
  }
  // Lane l of a[4 g + i] now holds column 4 l + i of rows 4 g to 4 g + 3.
  const auto row = [to](int c) { return to + c * kTilePositions; };
  for (int i = 0; i < 4; i++) {
    const __m512i even0 = _mm512_shuffle_i32x4(a[i], a[4 + i], 0x88);
    const __m512i odd0 = _mm512_shuffle_i32x4(a[i], a[4 + i], 0xdd);
    const __m512i even1 = _mm512_shuffle_i32x4(a[8 + i], a[12 + i], 0x88);
    const __m512i odd1 = _mm512_shuffle_i32x4(a[8 + i], a[12 + i], 0xdd);
    _mm512_storeu_si512(row(i), _mm512_shuffle_i32x4(even0, even1, 0x88));
    _mm512_storeu_si512(row(4 + i), _mm512_shuffle_i32x4(odd0, odd1, 0x88));
    _mm512_storeu_si512(row(8 + i), _mm512_shuffle_i32x4(even0, even1, 0xdd));
    _mm512_storeu_si512(row(12 + i), _mm512_shuffle_i32x4(odd0, odd1, 0xdd));
  }
}

void transpose(const Bf16 *const *positions, int64_t channel, int64_t channels,
               Bf16 *to) {
  const __mmask16 mask = mask_of(channels);
  __m512i pairs[16];
  for (int i = 0; i < 16; i++) {
    const Bf16 *even = positions[2 * i], *odd = positions[2 * i + 1];
    pairs[i] = pair_of(even == nullptr ? nullptr : even + channel,
                       odd == nullptr ? nullptr : odd + channel, mask);
  }
  transpose_pairs(pairs, to);
}

void turn(const Bf16 *const *rows, int64_t count, Bf16 *to) {
  const __mmask32 mask =
      count >= kTilePositions ? ~__mmask32{0} : (__mmask32{1} << count) - 1;
  __m512i pairs[16];
  for (int i = 0; i < 16; i++) {
    pairs[i] = rows[i] == nullptr ? _mm512_setzero_si512()
                                  : _mm512_maskz_loadu_epi16(mask, rows[i]);
  }
  transpose_pairs(pairs, to);
}

void interleave(const Bf16 *const *positions, int64_t pairs, int64_t channel,
                int64_t last, int64_t stride, Bf16 *to) {
  for (int64_t i = 0; i < pairs; i++, to += kPair) {
    const Bf16 *a = positions[2 * i], *b = positions[2 * i + 1];
    Bf16 *at = to;
    for (int64_t c = channel; c < last; c += kTileChannels, at += stride) {
      _mm512_storeu_si512(
          at, pair_of(a == nullptr ? nullptr : a + c,
                      b == nullptr ? nullptr : b + c, mask_of(last - c)));
    }
  }
}

// Zeros in the first tiles, which hold sums.
template <int kCount>
inline void clear_sums() {
  _tile_zero(0);
  if (kCount > 1) _tile_zero(1);
  if (kCount > 2) _tile_zero(2);
  if (kCount > 3) _tile_zero(3);
  if (kCount > 4) _tile_zero(4);
  if (kCount > 5) _tile_zero(5);
}

// What they hold, one after the other.
template <int kCount>
inline void store_sums(float *to) {
  _tile_stored(0, to, 64);
  if (kCount > 1) _tile_stored(1, to + kTileSums, 64);
  if (kCount > 2) _tile_stored(2, to + 2 * kTileSums, 64);
  if (kCount > 3) _tile_stored(3, to + 3 * kTileSums, 64);
  if (kCount > 4) _tile_stored(4, to + 4 * kTileSums, 64);
  if (kCount > 5) _tile_stored(5, to + 5 * kTileSums, 64);
}

// Tiles 0 to 3 hold sums, 4 the right, 5 to 7 the left.
template <int kHeight>
inline void multiply_column(const Bf16 *left, const Bf16 *right,
                            const int64_t *offsets, int64_t count, bool fresh,
                            float *sums) {
  if (fresh) {
    clear_sums<kHeight>();
  } else {
    _tile_loadd(0, sums, 64);
    if (kHeight > 1) _tile_loadd(1, sums + kTileSums, 64);
    if (kHeight > 2) _tile_loadd(2, sums + 2 * kTileSums, 64);
    if (kHeight > 3) _tile_loadd(3, sums + 3 * kTileSums, 64);
  }
  for (int64_t i = 0; i < count; i++, left += kHeight * kTile) {
    _tile_loadd(4, right + offsets[i], 64);
    _tile_loadd(5, left, 64);
    _tile_dpbf16ps(0, 5, 4);
    if (kHeight > 1) {
      _tile_loadd(6, left + kTile, 64);
      _tile_dpbf16ps(1, 6, 4);
    }
    if (kHeight > 2) {
      _tile_loadd(7, left + 2 * kTile, 64);
      _tile_dpbf16ps(2, 7, 4);
    }
    if (kHeight > 3) {
      _tile_loadd(5, left + 3 * kTile, 64);
      _tile_dpbf16ps(3, 5, 4);
    }
  }
  store_sums<kHeight>(sums);
}

template <int kHeight>
void multiply_columns(const Bf16 *left, const Bf16 *const *columns,
                      int64_t column_count, const int64_t *offsets,
                      int64_t count, bool fresh, float *sums) {
  // The next tiles of the left are fetched from memory bit by bit meanwhile.
  const char *next =
      reinterpret_cast<const char *>(left + count * kHeight * kTile);
  const char *end = next + count * kHeight * kTile * sizeof(Bf16);
  const int64_t lines = (end - next) / 64 / column_count + 1;
  for (int64_t c = 0; c < column_count; c++, sums += kHeight * kTileSums) {
    multiply_column<kHeight>(left, columns[c], offsets, count, fresh, sums);
    for (int64_t i = 0; i < lines && next < end; i++, next += 64) {
      _mm_prefetch(next, _MM_HINT_T1);
    }
  }
}

void multiply(int64_t height, const Bf16 *left, const Bf16 *const *columns,
              int64_t column_count, const int64_t *offsets, int64_t count,
              bool fresh, float *sums) {
  constexpr decltype(&multiply_columns<1>) by_height[kMostTiles] = {
      multiply_columns<1>, multiply_columns<2>, multiply_columns<3>,
      multiply_columns<4>};
  by_height[height - 1](left, columns, column_count, offsets, count, fresh,
                        sums);
}

// 16 sums and their bias, rounded.
inline __m256i rounded(const float *sums, __m512 bias) {
  const __m256bh half =
      _mm512_cvtneps_pbh(_mm512_add_ps(_mm512_loadu_ps(sums), bias));
  return (__m256i)half;
}

// A tile of sums and their bias, rounded, to channels from `channel` on.
inline void write_out(const float *sums, const float *bias, int64_t channel,
                      int64_t channels, Bf16 *const *out) {
  const __mmask16 mask = mask_of(channels - channel);
  const __m512 add = _mm512_maskz_loadu_ps(mask, bias + channel);
  for (int64_t row = 0; row < kTileChannels; row++, sums += kTileChannels) {
    if (out[row] == nullptr) continue;
    _mm256_mask_storeu_epi16(out[row] + channel, mask, rounded(sums, add));
  }
}

void halve(const float *from, int64_t taps, int64_t channels, Bf16 *to) {
  const __m512i index = _mm512_mullo_epi32(
      _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
      _mm512_set1_epi32(static_cast<int>(taps)));
  for (int64_t c = 0; c < channels; c += kTileChannels) {
    const __mmask16 mask = mask_of(channels - c);
    for (int64_t t = 0; t < taps; t++) {
      const __m512 values = _mm512_mask_i32gather_ps(
          _mm512_setzero_ps(), mask, index, from + c * taps + t, 4);
      _mm256_mask_storeu_epi16(to + t * channels + c, mask,
                               (__m256i)_mm512_cvtneps_pbh(values));
    }
  }
}

void gather(const float *const *from, int64_t taps, int64_t parts, int64_t part,
            int64_t rows, int64_t channels, float *to, int64_t stride) {
  // Row t of `sums` is that of tap t; a vector of `to` takes 16 of them.
  alignas(64) float sums[kMostTaps * kTileChannels];
  alignas(64) int32_t order[kMostTaps * kTileChannels];
  for (int64_t c = 0; c < kTileChannels; c++) {
    for (int64_t t = 0; t < taps; t++) {
      order[c * taps + t] = static_cast<int32_t>(t * kTileChannels + c);
    }
  }
  const int64_t count = channels * taps;
  for (int64_t row = 0; row < rows; row++, to += stride) {
    for (int64_t t = 0; t < taps; t++) {
      const float *at = from[t] + row * kTileChannels;
      __m512 sum = _mm512_setzero_ps();
      for (int64_t p = 0; p < parts; p++, at += part) {
        sum = _mm512_add_ps(sum, _mm512_loadu_ps(at));
      }
      _mm512_store_ps(sums + t * kTileChannels, sum);
    }
    for (int64_t i = 0; i < count; i += kTileChannels) {
      const __m512i index = _mm512_load_si512(order + i);
      _mm512_mask_storeu_ps(to + i, mask_of(count - i),
                            _mm512_i32gather_ps(index, sums, 4));
    }
  }
}

// One tile of channels. Tiles 0 to 3 hold sums, 4 the right, 5 to 7 the left.
template <int kRows>
void convolve_column(const Bf16 *const *left, int64_t stride,
                     const int64_t *offsets, const Bf16 *right,
                     int64_t products, const float *bias, int64_t channel,
                     int64_t channels, Bf16 *const *out) {
  const int64_t bytes = stride * sizeof(Bf16);
  clear_sums<kRows>();
  for (int64_t i = 0; i < products; i++, right += kTile) {
    _tile_loadd(4, right, 64);
    _tile_loadd(5, left[0] + offsets[i], bytes);
    _tile_dpbf16ps(0, 5, 4);
    if (kRows > 1) {
      _tile_loadd(6, left[1] + offsets[i], bytes);
      _tile_dpbf16ps(1, 6, 4);
    }
    if (kRows > 2) {
      _tile_loadd(7, left[2] + offsets[i], bytes);
      _tile_dpbf16ps(2, 7, 4);
    }
    if (kRows > 3) {
      _tile_loadd(5, left[3] + offsets[i], bytes);
      _tile_dpbf16ps(3, 5, 4);
    }
  }
  alignas(64) float sums[kRows][kTileSums];
  store_sums<kRows>(sums[0]);
  for (int64_t t = 0; t < kRows; t++, out += kTileChannels) {
    write_out(sums[t], bias, channel, channels, out);
  }
}

// Two tiles of channels.
template <int kRows>
inline void write_pair(const float (*sums)[kTileSums], const float *bias,
                       int64_t channel, int64_t channels, Bf16 *const *out) {
  for (int64_t t = 0; t < kRows; t++, out += kTileChannels) {
    write_out(sums[2 * t], bias, channel, channels, out);
    write_out(sums[2 * t + 1], bias, channel + kTileChannels, channels, out);
  }
}

// Tiles 0 to 3 hold sums, 4 and 5 the left, 6 and 7 the right.
template <int kRows>
void convolve_pair(const Bf16 *const *left, int64_t stride,
                   const int64_t *offsets, const Bf16 *right, int64_t products,
                   const float *bias, int64_t channel, int64_t channels,
                   Bf16 *const *out) {
  const int64_t bytes = stride * sizeof(Bf16);
  clear_sums<2 * kRows>();
  for (int64_t i = 0; i < products; i++, right += 2 * kTile) {
    _tile_loadd(6, right, 64);
    _tile_loadd(4, left[0] + offsets[i], bytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, right + kTile, 64);
    _tile_dpbf16ps(1, 4, 7);
    if (kRows > 1) {
      _tile_loadd(5, left[1] + offsets[i], bytes);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
  }
  alignas(64) float sums[2 * kRows][kTileSums];
  store_sums<2 * kRows>(sums[0]);
  write_pair<kRows>(sums, bias, channel, channels, out);
}

// Three row tiles: tiles 0 to 5 hold sums, 6 the left, 7 the right. What is
// needed twice is loaded twice; a single row tile would wait for its sums.
void convolve_three(const Bf16 *const *left, int64_t stride,
                    const int64_t *offsets, const Bf16 *right, int64_t products,
                    const float *bias, int64_t channel, int64_t channels,
                    Bf16 *const *out) {
  const int64_t bytes = stride * sizeof(Bf16);
  clear_sums<6>();
  for (int64_t i = 0; i < products; i++, right += 2 * kTile) {
    _tile_loadd(7, right, 64);
    _tile_loadd(6, left[0] + offsets[i], bytes);
    _tile_dpbf16ps(0, 6, 7);
    _tile_loadd(6, left[1] + offsets[i], bytes);
    _tile_dpbf16ps(2, 6, 7);
    _tile_loadd(6, left[2] + offsets[i], bytes);
    _tile_dpbf16ps(4, 6, 7);
    _tile_loadd(7, right + kTile, 64);
    _tile_dpbf16ps(5, 6, 7);
    _tile_loadd(6, left[1] + offsets[i], bytes);
    _tile_dpbf16ps(3, 6, 7);
    _tile_loadd(6, left[0] + offsets[i], bytes);
    _tile_dpbf16ps(1, 6, 7);
  }
  alignas(64) float sums[6][kTileSums];
  store_sums<6>(sums[0]);
  write_pair<3>(sums, bias, channel, channels, out);
}

void convolve(int64_t row_tiles, int64_t column_tiles, const Bf16 *const *left,
              int64_t stride, const int64_t *offsets, const Bf16 *right,
              int64_t products, const float *bias, int64_t channel,
              int64_t channels, Bf16 *const *out) {
  constexpr decltype(&convolve_three) column[kMostTiles] = {
      convolve_column<1>, convolve_column<2>, convolve_column<3>,
      convolve_column<4>};
  constexpr decltype(&convolve_three) pair[] = {
      convolve_pair<1>, convolve_pair<2>, convolve_three};
  (column_tiles == 1 ? column : pair)[row_tiles - 1](
      left, stride, offsets, right, products, bias, channel, channels, out);
}

}  // namespace

const Tiles *amx_tiles() {
  static const Tiles tiles{begin, end,    transpose, interleave, multiply,
                           halve, gather, turn,      convolve};
  return isa() == Isa::amx && wanted(Kernels::tiles) ? &tiles : nullptr;
}

}  // namespace spikedhs

#else

namespace spikedhs {

const Tiles *amx_tiles() { return nullptr; }

}  // namespace spikedhs

#endif
