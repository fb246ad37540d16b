// One call of an operator on the fake device; see fallback.cc.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/empty.h>

#include "fake.h"

namespace spikedhs::fake {

using c10::IValue;

// Applies `visit` to each tensor in a value.
template <typename Visit>
void each_tensor(const IValue &value, const Visit &visit) {
  if (value.isTensor()) {
    if (value.toTensor().defined()) visit(value.toTensor());
  } else if (value.isTensorList()) {
    for (const at::Tensor &t : value.toTensorVector()) {
      if (t.defined()) visit(t);
    }
  } else if (value.isList()) {
    for (const IValue &element : value.toListRef()) each_tensor(element, visit);
  }
}

inline bool writes(const c10::Argument &a) {
  return a.alias_info() != nullptr && a.alias_info()->isWrite();
}

// One call of an operator. It can be done again (perform), on the same memory.
class Call {
 public:
  Call(const c10::OperatorHandle &op, std::vector<IValue> arguments)
      : op_(op), arguments_(std::move(arguments)) {}

  const std::string &name() const { return op_.schema().name(); }
  const std::vector<IValue> &arguments() const { return arguments_; }

  // Fails where one call has tensors of several devices. Numbers that lie on
  // the CPU, tensors without dimensions, are allowed, as on CUDA.
  int device() const {
    c10::optional<c10::Device> device;
    for (const IValue &a : arguments_) {
      each_tensor(a, [&](const at::Tensor &t) {
        if (on_fake(t)) {
          TORCH_CHECK(!device || *device == t.device(), name(), ": tensors on ",
                      *device, " and ", t.device());
          device = t.device();
        }
      });
    }
    for (const IValue &a : arguments_) {
      each_tensor(a, [&](const at::Tensor &t) {
        TORCH_CHECK(!device || on_fake(t) || t.dim() == 0, name(),
                    ": tensors on ", *device, " and ", t.device());
      });
    }
    return device ? device->index() : current_device();
  }

  std::vector<at::Tensor> written() const {
    std::vector<at::Tensor> list;
    for (size_t i = 0; i < arguments_.size(); i++) {
      if (!writes(op_.schema().arguments()[i])) continue;
      each_tensor(arguments_[i],
                  [&](const at::Tensor &t) { list.push_back(t); });
    }
    // The running mean and variance, which this schema does not mark.
    if (name() == "aten::native_batch_norm") {
      for (size_t i = 3; i <= 4; i++) {
        each_tensor(arguments_[i],
                    [&](const at::Tensor &t) { list.push_back(t); });
      }
    }
    return list;
  }

  // Does the work. The first time it makes the results, later it fills them.
  void run() {
    torch::jit::Stack stack;
    std::vector<std::pair<at::Tensor, at::Tensor>> copies;  // fake, host
    for (size_t i = 0; i < arguments_.size(); i++) {
      stack.push_back(
          to_host(arguments_[i], op_.schema().arguments()[i], &copies));
    }
    // libtorch 1.13 reads the results of operators with several of them after
    // it has dropped the arguments that they are.
    const torch::jit::Stack alive = stack;
    op_.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), &stack);
    for (auto &[on_device, host] : copies) {
      if (on_device.sizes() != host.sizes()) on_device.resize_(host.sizes());
      host_view(on_device).copy_(host);
    }
    const auto &returns = op_.schema().returns();
    const bool first = results_.empty();
    for (size_t i = 0; i < returns.size(); i++) {
      if (first) {
        results_.push_back(writes(returns[i]) ? argument_behind(returns[i])
                                              : make_result(stack[i], i));
      }
      if (!writes(returns[i])) fill(results_[i], stack[i]);
    }
  }

  const std::vector<IValue> &results() const { return results_; }

  // Forgets what later operators may change of its tensors in place, such as
  // their shape: a recorded call goes on with memory and shapes as they are.
  void settle() {
    for (IValue &a : arguments_) a = settled(a);
    for (IValue &r : results_) r = settled(r);
  }

 private:
  static at::Tensor settled(const at::Tensor &t) {
    if (!on_fake(t)) return t;
    return at::native::as_strided_tensorimpl(t, t.sizes(), t.strides(),
                                             t.storage_offset());
  }

  static IValue settled(const IValue &value) {
    if (value.isTensor()) return settled(value.toTensor());
    if (!value.isTensorList()) return value;
    c10::List<at::Tensor> list;
    for (const at::Tensor &t : value.toTensorVector()) {
      list.push_back(settled(t));
    }
    return list;
  }

  static bool is_half(const at::Tensor &t) {
    return on_fake(t) && t.scalar_type() == at::kHalf;
  }

  // float16 is computed in float32 and rounded: the CPU lacks most of it.
  bool computes_half() const {
    bool half = false;
    for (const IValue &a : arguments_) {
      each_tensor(a, [&](const at::Tensor &t) { half = half || is_half(t); });
    }
    return half;
  }

  at::Tensor host_tensor(
      const at::Tensor &t, bool written,
      std::vector<std::pair<at::Tensor, at::Tensor>> *copies) const {
    if (!on_fake(t)) return t;
    if (written && t.numel() == 0) {  // a result whose size is not known yet
      const auto type = is_half(t) ? at::kFloat : t.scalar_type();
      at::Tensor host = at::empty({0}, at::TensorOptions().dtype(type));
      copies->emplace_back(t, host);
      return host;
    }
    if (!is_half(t)) return host_view(t);
    at::Tensor host = host_view(t).to(at::kFloat);
    if (written) copies->emplace_back(t, host);
    return host;
  }

  IValue to_host(const IValue &value, const c10::Argument &argument,
                 std::vector<std::pair<at::Tensor, at::Tensor>> *copies) const {
    const bool written = writes(argument);
    if (value.isTensor()) {
      const at::Tensor &t = value.toTensor();
      return t.defined() ? host_tensor(t, written, copies) : t;
    }
    if (value.isTensorList()) {
      c10::List<at::Tensor> list;
      for (const at::Tensor &t : value.toTensorVector()) {
        list.push_back(host_tensor(t, written, copies));
      }
      return list;
    }
    if (value.isList() &&
        value.toList().elementType()->kind() == c10::TypeKind::OptionalType) {
      c10::List<optional<at::Tensor>> list;
      for (const IValue &element : value.toListRef()) {
        if (element.isTensor() && element.toTensor().defined()) {
          list.push_back(host_tensor(element.toTensor(), written, copies));
        } else {
          list.push_back(optional<at::Tensor>());
        }
      }
      return list;
    }
    if (value.isDevice()) return c10::Device(c10::kCPU);
    if (argument.name() == "dtype" && value.isInt() &&
        value.toInt() == static_cast<int64_t>(at::kHalf)) {
      return static_cast<int64_t>(at::kFloat);
    }
    return value;
  }

  // The argument that a result is by another name.
  IValue argument_behind(const c10::Argument &result) const {
    const auto &set = result.alias_info()->beforeSets();
    for (size_t i = 0; i < arguments_.size(); i++) {
      const c10::Argument &a = op_.schema().arguments()[i];
      if (a.alias_info() != nullptr && a.alias_info()->beforeSets() == set) {
        return arguments_[i];
      }
    }
    TORCH_CHECK(false, name(), ": a result is no argument");
  }

  at::ScalarType result_type(const at::Tensor &host, size_t i) const {
    if (host.scalar_type() != at::kFloat || !computes_half()) {
      return host.scalar_type();
    }
    // Statistics of a normalisation are float32.
    const bool norm = name() == "aten::native_batch_norm" ||
                      name() == "aten::native_batch_norm_backward";
    return norm && i > 0 ? at::kFloat : at::kHalf;
  }

  at::Tensor make_tensor(const at::Tensor &host, size_t i) const {
    if (!host.defined()) return host;
    const c10::Device place(c10::kPrivateUse1,
                            static_cast<c10::DeviceIndex>(device()));
    if (host.is_non_overlapping_and_dense()) {
      return empty_strided(host.sizes(), host.strides(), result_type(host, i),
                           place);
    }
    return empty(host.sizes(), result_type(host, i), place);
  }

  IValue make_result(const IValue &host, size_t i) const {
    const auto *alias = op_.schema().returns()[i].alias_info();
    TORCH_CHECK(alias == nullptr, name(),
                ": the fake device does not know this view");
    if (host.isTensor()) return make_tensor(host.toTensor(), i);
    if (host.isTensorList()) {
      c10::List<at::Tensor> list;
      for (const at::Tensor &t : host.toTensorVector()) {
        list.push_back(make_tensor(t, i));
      }
      return list;
    }
    return host;
  }

  static void fill(const IValue &result, const IValue &host) {
    if (result.isTensor()) {
      if (result.toTensor().defined()) {
        host_view(result.toTensor()).copy_(host.toTensor());
      }
    } else if (result.isTensorList()) {
      const auto to = result.toTensorVector(), from = host.toTensorVector();
      for (size_t i = 0; i < to.size(); i++) host_view(to[i]).copy_(from[i]);
    }
  }

  c10::OperatorHandle op_;
  std::vector<IValue> arguments_, results_;
};

}  // namespace spikedhs::fake
