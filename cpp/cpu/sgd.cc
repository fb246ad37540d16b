// A step of stochastic gradient descent of many parameters on the CPU. Their
// numbers and those of their momenta and gradients go through memory once;
// libtorch's operators, one after the other, take them through it thirteen
// times.
#include "sgd.h"

#include <ATen/ATen.h>
#include <torch/library.h>

#include <vector>

#include "dispatch.h"
#include "sgd_kernels.h"
#include "share.h"

namespace spikedhs {

SPIKEDHS_DISPATCH(SgdKernel, sgd)

namespace {

bool is_plain(const at::Tensor &t) {
  return t.device().is_cpu() && t.scalar_type() == at::kFloat &&
         t.is_contiguous();
}

void sgd_step(at::TensorList values, at::TensorList momenta,
              at::TensorList gradients, double momentum, double decay,
              double rate) {
  check_sgd(values, momenta, gradients);
  constexpr int64_t kPiece = 1 << 14;  // numbers
  struct Piece {
    const float *g;
    float *m, *w;
    int64_t size;
  };
  const SgdKernel kernel = wanted(Kernels::sgd) ? sgd() : nullptr;
  std::vector<at::Tensor> kept;
  std::vector<Piece> pieces;
  for (size_t i = 0; i < values.size(); i++) {
    const at::Tensor &w = values[i], &m = momenta[i], &g = gradients[i];
    const at::Tensor dense = g.contiguous();
    if (kernel == nullptr || !is_plain(w) || !is_plain(m) || !is_plain(dense)) {
      sgd_composed(w, m, g, momentum, decay, rate);
      continue;
    }
    kept.push_back(dense);
    for (int64_t at = 0; at < w.numel(); at += kPiece) {
      pieces.push_back({dense.data_ptr<float>() + at, m.data_ptr<float>() + at,
                        w.data_ptr<float>() + at,
                        std::min(kPiece, w.numel() - at)});
    }
    for (const at::Tensor &changed : {w, m}) {
      changed.unsafeGetTensorImpl()->bump_version();
    }
  }
  const SgdConstants constants{static_cast<float>(momentum),
                               static_cast<float>(decay),
                               static_cast<float>(rate)};
  share_each(static_cast<int64_t>(pieces.size()), [&](int64_t i) {
    const Piece &p = pieces[i];
    kernel(constants, p.size, p.g, p.m, p.w);
  });
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_IMPL(spikedhs, CPU, m) {
  m.impl("sgd_step", &spikedhs::sgd_step);
}
