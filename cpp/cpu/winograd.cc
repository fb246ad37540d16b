// See winograd.h.
//
// Forward, a thread takes some tiles at a time, few enough that their points
// stay in its caches: patches to points, a matrix product for each point,
// points to outputs. For the gradient of weights the sums are larger than that:
// threads take tiles to write their points, and then points whose sums they add
// to.
#include "winograd.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "conv_tensors.h"
#include "dispatch.h"
#include "divide.h"
#include "share.h"

namespace spikedhs {

SPIKEDHS_DISPATCH(const WinogradFamily *, winograd)

const WinogradFamily &winograd_kernels() {
  static const WinogradFamily *family = winograd();
  return *family;
}

namespace {

constexpr int64_t kTaps = 9;
constexpr int64_t kLine = 16;       // floats of a cache line
constexpr int64_t kGradTiles = 64;  // whose points are written at a time

// Rows of an odd number of lines do not fall upon each other in a cache.
int64_t spread(int64_t floats) {
  return (divide_up(floats, kLine) | 1) * kLine;
}

// An image's tile: how many there are before it down and across.
struct Place {
  int64_t image, row, column;
  Place(const WinogradConv &c, int64_t tile)
      : image(tile / (c.tile_rows() * c.tile_columns())),
        row(tile / c.tile_columns() % c.tile_rows()),
        column(tile % c.tile_columns()) {}
};

Patch<const float> input_patch(const WinogradConv &c, const float *x,
                               const std::vector<float> &zeros, int64_t tile) {
  const Place at(c, tile);
  return {x + at.image * c.height * c.width * c.in,
          zeros.data(),
          c.height,
          c.width,
          c.in,
          at.row * c.sizes().advance + c.top,
          at.column * c.sizes().advance + c.left};
}

template <typename Scalar>
Patch<Scalar> output_tile(const WinogradConv &c, Scalar *y, Scalar *zeros,
                          int64_t tile) {
  const Place at(c, tile);
  return {y + at.image * c.out_height * c.out_width * c.out,
          zeros,
          c.out_height,
          c.out_width,
          c.out,
          at.row * c.sizes().tile + c.out_top,
          at.column * c.sizes().tile + c.out_left};
}

// Floats from a point of all weights to the next.
int64_t points_step(const WinogradConv &c) {
  return spread(divide_up(c.out, kPanel) * c.in * kPanel);
}

// Weights as points: panel by panel for each, [in][16].
at::Tensor pack(const WinogradConv &c, const WinogradWeights &w) {
  const int64_t panels = divide_up(c.out, kPanel);
  const int64_t step = points_step(c);
  const at::Tensor points = memory(c.sizes().points() * step, at::kFloat);
  float *to = points.data_ptr<float>();
  constexpr int64_t kSome = 16;
  const int64_t parts = divide_up(c.in, kSome);
  share_each(panels * parts, [&](int64_t piece) {
    const int64_t panel = piece / parts, first = piece % parts * kSome;
    const int64_t count = std::min(kPanel, c.out - panel * kPanel);
    float taps[kTaps * kPanel] = {};
    for (int64_t i = first; i < std::min(c.in, first + kSome); i++) {
      const float *from = w.data + panel * kPanel * w.out_step + i * w.in_step;
      for (int64_t t = 0; t < kTaps; t++) {
        for (int64_t o = 0; o < count; o++) {
          taps[t * kPanel + o] = from[t * w.tap_step + o * w.out_step];
        }
      }
      c.kernels->weights(taps, to + (panel * c.in + i) * kPanel, step);
    }
  });
  return points;
}

// Tiles that a thread takes at a time: many read the weights less often, few
// leave the points of a line in the second-level cache, and fewer still keep
// all threads busy where there are not many. Multiples of the rows that
// products take at once (6, 8 or 12; panel_kernels.cc).
int64_t block_tiles(const WinogradConv &c) {
  constexpr int64_t kRows = 12, kLeast = 2 * kRows, kMost = 8 * kRows;
  constexpr int64_t kFloats = 40 << 10;
  const int64_t wanted = kFloats / (c.sizes().line * (c.in + c.out));
  const int64_t fair = divide_up(c.tiles(), 2 * at::get_num_threads());
  return std::min(
      std::clamp(divide_down(wanted, kLeast) * kLeast, kLeast, kMost),
      divide_up(fair, kRows) * kRows);
}

// The forward convolution.
class Outputs {
 public:
  Outputs(const WinogradConv &conv, const float *x,
          const WinogradWeights &weights, const float *bias, float *y)
      : c_(conv),
        x_(x),
        bias_(bias),
        y_(y),
        zeros_(conv.in),
        panels_(divide_up(conv.out, kPanel)),
        block_(block_tiles(conv)),
        in_row_(spread(conv.in)),
        out_row_(spread(panels_ * kPanel)),
        in_step_(block_ * in_row_ + kLine),
        out_step_(block_ * out_row_ + kLine),
        weights_(pack(conv, weights)) {}

  void run() {
    share(divide_up(c_.tiles(), block_), [&](Pieces &pieces) {
      const at::Tensor in = memory(c_.sizes().line * in_step_, at::kFloat);
      const at::Tensor out = memory(c_.sizes().line * out_step_, at::kFloat);
      const at::Tensor rows =
          memory(c_.sizes().line * c_.sizes().tile * out_step_, at::kFloat);
      for (int64_t piece; pieces.take(piece);) {
        run_piece(piece * block_, std::min(block_, c_.tiles() - piece * block_),
                  in.data_ptr<float>(), out.data_ptr<float>(),
                  rows.data_ptr<float>());
      }
    });
  }

 private:
  void run_piece(int64_t first, int64_t count, float *in, float *out,
                 float *rows) {
    for (int64_t row = 0; row < c_.sizes().line; row++) {
      for (int64_t i = 0; i < count; i++) {
        c_.kernels->input_row(input_patch(c_, x_, zeros_, first + i), row,
                              in + i * in_row_, in_step_);
      }
      for (int64_t i = 0; i < c_.sizes().line; i++) {
        multiply(row * c_.sizes().line + i, count, in + i * in_step_,
                 out + i * out_step_);
      }
      float *shorter = rows + row * c_.sizes().tile * out_step_;
      for (int64_t i = 0; i < count; i++) {
        c_.kernels->shorten(out + i * out_row_, out_step_, c_.out,
                            shorter + i * out_row_, out_step_);
      }
    }
    for (int64_t i = 0; i < count; i++) {
      c_.kernels->output(rows + i * out_row_, out_step_, bias_,
                         output_tile<float>(c_, y_, nullptr, first + i));
    }
  }

  void multiply(int64_t point, int64_t count, const float *in, float *out) {
    PanelProduct p{};
    p.rows = count;
    p.depth = c_.in;
    p.panels = panels_;
    p.left = in;
    p.left_row = in_row_;
    p.left_step = 1;
    p.right = weights_.data_ptr<float>() + point * points_step(c_);
    p.right_panel = c_.in * kPanel;
    p.right_step = kPanel;
    p.to = out;
    p.to_panel = kPanel;
    p.to_row = out_row_;
    p.fresh = true;
    c_.kernels->multiply(p);
  }

  const WinogradConv c_;
  const float *x_;
  const float *bias_;
  float *y_;
  const std::vector<float> zeros_;
  const int64_t panels_, block_, in_row_, out_row_, in_step_, out_step_;
  const at::Tensor weights_;
};

// The gradient of weights, some tiles at a time.
class WeightSums {
 public:
  WeightSums(const WinogradConv &conv, const float *x, const float *grad)
      : c_(conv),
        x_(x),
        grad_(grad),
        zeros_(std::max(conv.in, conv.out)),
        panels_(divide_up(conv.out, kPanel)),
        in_row_(spread(conv.in)),
        out_row_(spread(panels_ * kPanel)),
        in_step_(kGradTiles * in_row_ + kLine),
        out_step_(kGradTiles * out_row_ + kLine),
        sum_step_(points_step(conv)),
        in_points_(memory(conv.sizes().points() * in_step_, at::kFloat)),
        out_points_(memory(conv.sizes().points() * out_step_, at::kFloat)),
        sums_(memory(conv.sizes().points() * sum_step_, at::kFloat)) {
    // Channels that only fill up a panel.
    if (c_.out % kPanel != 0) out_points_.zero_();
  }

  void run(float *dw) {
    for (int64_t tile = 0; tile < c_.tiles(); tile += kGradTiles) {
      const int64_t count = std::min(kGradTiles, c_.tiles() - tile);
      fill(tile, count);
      add(count, tile == 0);
    }
    write(dw);
  }

 private:
  void fill(int64_t first, int64_t count) {
    constexpr int64_t kSome = 4;
    share_each(divide_up(count, kSome), [&](int64_t piece) {
      const int64_t last = std::min(count, (piece + 1) * kSome);
      for (int64_t i = piece * kSome; i < last; i++) {
        c_.kernels->input(input_patch(c_, x_, zeros_, first + i),
                          in_points_.data_ptr<float>() + i * in_row_, in_step_);
        c_.kernels->gradient(
            output_tile<const float>(c_, grad_, zeros_.data(), first + i),
            out_points_.data_ptr<float>() + i * out_row_, out_step_);
      }
    });
  }

  void add(int64_t count, bool fresh) {
    share_each(c_.sizes().points(), [&](int64_t point) {
      PanelProduct p{};
      p.rows = c_.in;
      p.depth = count;
      p.panels = panels_;
      p.left = in_points_.data_ptr<float>() + point * in_step_;
      p.left_row = 1;
      p.left_step = in_row_;
      p.right = out_points_.data_ptr<float>() + point * out_step_;
      p.right_panel = kPanel;
      p.right_step = out_row_;
      p.to = sums_.data_ptr<float>() + point * sum_step_;
      p.to_panel = c_.in * kPanel;
      p.to_row = kPanel;
      p.fresh = fresh;
      c_.kernels->multiply(p);
    });
  }

  void write(float *dw) {
    constexpr int64_t kSome = 16;
    const int64_t parts = divide_up(c_.in, kSome);
    share_each(panels_ * parts, [&](int64_t piece) {
      const int64_t panel = piece / parts, first = piece % parts * kSome;
      const int64_t count = std::min(kPanel, c_.out - panel * kPanel);
      for (int64_t i = first; i < std::min(c_.in, first + kSome); i++) {
        float taps[kTaps * kPanel];
        c_.kernels->taps(sums_.data_ptr<float>() + (panel * c_.in + i) * kPanel,
                         sum_step_, taps);
        for (int64_t o = 0; o < count; o++) {
          float *to = dw + ((panel * kPanel + o) * c_.in + i) * kTaps;
          for (int64_t t = 0; t < kTaps; t++) to[t] = taps[t * kPanel + o];
        }
      }
    });
  }

  const WinogradConv c_;
  const float *x_, *grad_;
  const std::vector<float> zeros_;
  const int64_t panels_, in_row_, out_row_, in_step_, out_step_, sum_step_;
  at::Tensor in_points_, out_points_, sums_;
};

}  // namespace

int64_t WinogradConv::tile_rows() const {
  return divide_up(out_height - out_top, sizes().tile);
}
int64_t WinogradConv::tile_columns() const {
  return divide_up(out_width - out_left, sizes().tile);
}
int64_t WinogradConv::tiles() const {
  return images * tile_rows() * tile_columns();
}

bool WinogradConv::pays() const {
  const int64_t points =
      sizes().points() * tile_rows() * tile_columns() *
      (in * divide_up(out, kPanel) * kPanel + sizes().cost * (in + out));
  return points < direct * in * out;
}

void winograd_forward(const WinogradConv &conv, const float *x,
                      const WinogradWeights &weights, const float *bias,
                      float *y) {
  Outputs(conv, x, weights, bias, y).run();
}

void winograd_weight_gradient(const WinogradConv &c, const float *x,
                              const float *grad, float *dw) {
  WeightSums(c, x, grad).run(dw);
}

}  // namespace spikedhs
