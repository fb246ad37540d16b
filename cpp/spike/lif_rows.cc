#include "lif_rows.h"

#include <ATen/ATen.h>

#include <numeric>
#include <vector>

#include "lif_launch.h"

namespace spikedhs {
namespace {

// Dimensions from the innermost to the outermost in memory.
std::vector<int64_t> inner_first(int64_t dims, bool channels_last) {
  std::vector<int64_t> order(dims);
  std::iota(order.rbegin(), order.rend(), 0);
  if (channels_last) {  // N, spatial dimensions, C
    order.pop_back();
    order.erase(order.end() - 1);
    order.push_back(0);
    order.insert(order.begin(), 1);
  }
  return order;
}

// Whether the memory of t is rows, and which; all neighbours: row 0.
bool find_rows(const at::Tensor &t, at::MemoryFormat format, LifRows *rows) {
  rows->row = rows->pitch = 0;
  int64_t size = 1, stride = 1;  // of what is within the next dimension
  const bool last = lif_format(t, format) != at::MemoryFormat::Contiguous;
  for (const int64_t d : inner_first(t.dim(), last)) {
    if (t.size(d) == 1) continue;
    if (t.stride(d) != stride) {
      if (rows->row != 0 || t.stride(d) < size) return false;
      rows->row = size;
      stride = rows->pitch = t.stride(d);
    }
    stride *= t.size(d);
    size *= t.size(d);
  }
  return true;
}

}  // namespace

LifInput lif_dense_input(const at::Tensor &t, at::MemoryFormat format,
                         int64_t steps) {
  const at::Tensor dense = lif_dense(t, format);
  return {dense, {0, 0, dense.numel() / steps}};
}

LifInput lif_rows_input(const at::Tensor &t, at::MemoryFormat format,
                        int64_t steps) {
  LifRows rows;
  const int lanes = static_cast<int>(kPackBytes / t.element_size());
  if (t.numel() == 0 || !find_rows(t, format, &rows) || rows.row == 0 ||
      !lif_packs(rows, lanes) || !lif_aligned(t.data_ptr())) {
    return lif_dense_input(t, format, steps);
  }
  // Whole rows are in a step: what lies between two steps is a row's end.
  rows.step = t.numel() / steps / rows.row * rows.pitch;
  return {t, rows};
}

at::Tensor lif_empty_like(const LifInput &input, at::MemoryFormat format) {
  const at::Tensor &t = input.tensor;
  if (input.rows.row == 0) return at::empty_like(t);
  return at::empty(t.sizes(), t.options().memory_format(lif_format(t, format)));
}

}  // namespace spikedhs
