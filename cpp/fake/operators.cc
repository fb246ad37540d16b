// The operators of the fake device that the fallback cannot do: memory, views,
// copies between host and device, convolutions.
#include <ATen/native/Resize.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/resize_native.h>
#include <ATen/ops/view_native.h>
#include <torch/library.h>

#include "fake.h"

namespace spikedhs::fake {
namespace {

c10::Device device_of(optional<c10::Device> device) {
  return device.has_value() ? *device : c10::Device(c10::kPrivateUse1);
}

at::Tensor empty_memory_format(at::IntArrayRef sizes,
                               optional<at::ScalarType> type,
                               optional<at::Layout>,
                               optional<c10::Device> device, optional<bool>,
                               optional<c10::MemoryFormat> format) {
  return empty(sizes, type.value_or(at::kFloat), device_of(device),
               format.value_or(c10::MemoryFormat::Contiguous));
}

at::Tensor empty_with_strides(at::IntArrayRef sizes, at::IntArrayRef strides,
                              optional<at::ScalarType> type,
                              optional<at::Layout>,
                              optional<c10::Device> device, optional<bool>) {
  return empty_strided(sizes, strides, type.value_or(at::kFloat),
                       device_of(device));
}

// A copy does not pass a conversion or another layout over the bus: libtorch
// makes a copy on the device for it.
int64_t conversions(const at::Tensor &from, const at::Tensor &to) {
  const bool alike = from.scalar_type() == to.scalar_type() &&
                     from.strides() == to.strides() &&
                     from.is_non_overlapping_and_dense();
  return alike || from.numel() <= 1 ? 0 : 1;
}

at::Tensor copy_from(const at::Tensor &from, const at::Tensor &to,
                     bool non_blocking) {
  if (to.numel() == 0) return to;
  if (on_fake(from) && on_fake(to)) {
    check_stream_in_capture(to.device().index());
    count_operator("aten::copy_", 1);
  } else if (on_fake(to)) {
    const bool blocking = !non_blocking || !is_pinned(from);
    if (blocking)
      refuse_in_capture("copying from memory that is not page-locked");
    check_stream_in_capture(to.device().index());
    count_upload(blocking);
    if (const int64_t more = conversions(from, to))
      count_operator("aten::copy_", more);
  } else {
    const bool blocking = !non_blocking || !is_pinned(to);
    if (blocking) refuse_in_capture("reading from the device");
    check_stream_in_capture(from.device().index());
    count_read(blocking);
    if (const int64_t more = conversions(from, to))
      count_operator("aten::copy_", more);
  }
  perform([from, to] { host_view(to).copy_(host_view(from)); }, {to});
  return to;
}

at::Tensor copy_from_and_resize(const at::Tensor &from, const at::Tensor &to) {
  to.resize_(from.sizes());
  return copy_from(from, to, false);
}

// Floating point on the CPU as the device computes it: float16 in float32.
at::Tensor computable(const at::Tensor &t) {
  const at::Tensor host = host_view(t);
  return host.scalar_type() == at::kHalf ? host.to(at::kFloat) : host;
}

void copy_result(const at::Tensor &to, const at::Tensor &host) {
  host_view(to).copy_(host);
}

at::Tensor convolution(const at::Tensor &input, const at::Tensor &weight,
                       const optional<at::Tensor> &bias, at::IntArrayRef stride,
                       at::IntArrayRef padding, at::IntArrayRef dilation,
                       bool transposed, at::IntArrayRef output_padding,
                       int64_t groups) {
  const bool with_bias = bias.has_value() && bias->defined();
  for (const at::Tensor &other : {weight, with_bias ? *bias : weight}) {
    TORCH_CHECK(other.device() == input.device(), "convolution: tensors on ",
                input.device(), " and ", other.device());
  }
  check_stream_in_capture(input.device().index());
  const auto compute = [=, stride = stride.vec(), padding = padding.vec(),
                        dilation = dilation.vec(),
                        output_padding = output_padding.vec()] {
    return at::convolution(computable(input), computable(weight),
                           with_bias ? computable(*bias) : at::Tensor(), stride,
                           padding, dilation, transposed, output_padding,
                           groups);
  };
  at::Tensor out;
  perform(
      [=, &out, made = std::make_shared<at::Tensor>()] {
        const at::Tensor host = compute();
        if (!made->defined()) {
          *made = out = empty(host.sizes(), input.scalar_type(), input.device(),
                              convolution_format(input, weight));
        }
        copy_result(*made, host);
      },
      {});
  count_operator("aten::convolution",
                 launches_of_convolution(input, weight, with_bias));
  return out;
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_backward(
    const at::Tensor &grad, const at::Tensor &input, const at::Tensor &weight,
    at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation,
    bool transposed, at::IntArrayRef output_padding, int64_t groups,
    std::array<bool, 3> wanted) {
  TORCH_CHECK(
      grad.device() == input.device() && weight.device() == input.device(),
      "convolution_backward: tensors on ", input.device(), ", ", grad.device(),
      " and ", weight.device());
  check_stream_in_capture(input.device().index());
  using Three = std::array<at::Tensor, 3>;
  const auto made = std::make_shared<Three>();
  perform(
      [=, stride = stride.vec(), padding = padding.vec(),
       dilation = dilation.vec(), output_padding = output_padding.vec()] {
        const auto result = at::convolution_backward(
            computable(grad), computable(input), computable(weight),
            at::IntArrayRef(std::vector<int64_t>{grad.size(1)}), stride,
            padding, dilation, transposed, output_padding, groups, wanted);
        const Three host = {std::get<0>(result), std::get<1>(result),
                            std::get<2>(result)};
        // cuDNN gives both gradients the layout that it convolves in.
        const auto format = convolution_format(input, weight);
        for (size_t i = 0; i < host.size(); i++) {
          if (!wanted[i]) continue;
          if (!(*made)[i].defined()) {
            (*made)[i] =
                empty(host[i].sizes(), input.scalar_type(), input.device(),
                      i < 2 ? format : c10::MemoryFormat::Contiguous);
          }
          copy_result((*made)[i], host[i]);
        }
      },
      {});
  count_operator("aten::convolution_backward",
                 launches_of_convolution_backward(grad, input, weight, wanted));
  return {(*made)[0], (*made)[1], (*made)[2]};
}

}  // namespace
}  // namespace spikedhs::fake

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  namespace fake = spikedhs::fake;
  library.impl("empty.memory_format", &fake::empty_memory_format);
  library.impl("empty_strided", &fake::empty_with_strides);
  library.impl("_copy_from", &fake::copy_from);
  library.impl("_copy_from_and_resize", &fake::copy_from_and_resize);
  library.impl("as_strided", &at::native::as_strided_tensorimpl);
  library.impl("view", &at::native::view);
  library.impl("_reshape_alias", &at::native::_reshape_alias);
  library.impl("resize_", &at::native::resize_);
  library.impl("convolution_overrideable", &fake::convolution);
  library.impl("convolution_backward_overrideable",
               &fake::convolution_backward);
}
