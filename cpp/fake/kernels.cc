// Our own operators on the fake device: the code of the CUDA kernels, emulated,
// or the composed operators as where the kernels cannot be compiled.
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include "fake.h"
#include "lif.h"

namespace spikedhs::fake {
namespace {

// Calls the operator `name` of the CPU on the same memory, as one launch.
template <const char *const *kName>
void emulated(const c10::OperatorHandle &op, torch::jit::Stack *stack) {
  const at::AutoDispatchBelowADInplaceOrView below;
  const size_t n = op.schema().arguments().size();
  const auto emulation =
      c10::Dispatcher::singleton().findSchemaOrThrow(*kName, "");
  std::vector<c10::IValue> arguments(stack->end() - static_cast<ptrdiff_t>(n),
                                     stack->end());
  stack->erase(stack->end() - static_cast<ptrdiff_t>(n), stack->end());
  const auto results = std::make_shared<std::vector<at::Tensor>>();
  c10::Device device(c10::kPrivateUse1, 0);
  for (const auto &a : arguments) {
    if (a.isTensor() && on_fake(a.toTensor())) device = a.toTensor().device();
  }
  for (const auto &a : arguments) {
    if (a.isTensor() && a.toTensor().defined() && a.toTensor().dim() > 0) {
      TORCH_CHECK(a.toTensor().device() == device, op.schema().name(),
                  ": tensors on ", device, " and ", a.toTensor().device());
    }
  }
  const c10::OptionalDeviceGuard guard(device);
  launch(op.schema().name().c_str() + sizeof("spikedhs::") - 1, [=] {
    torch::jit::Stack inner;
    for (const auto &a : arguments) {
      inner.push_back(a.isTensor() && a.toTensor().defined()
                          ? c10::IValue(host_view(a.toTensor()))
                          : a);
    }
    emulation.callBoxed(&inner);
    if (results->empty()) {
      for (const auto &r : inner) {
        const at::Tensor &t = r.toTensor();
        results->push_back(t.defined() ? empty_strided(t.sizes(), t.strides(),
                                                       t.scalar_type(), device)
                                       : t);
      }
    }
    for (size_t i = 0; i < inner.size(); i++) {
      if ((*results)[i].defined())
        host_view((*results)[i]).copy_(inner[i].toTensor());
    }
  });
  for (const auto &r : *results) stack->push_back(r);
}

constexpr const char *kLif = "spikedhs::lif_emulated";
constexpr const char *kLifBackward = "spikedhs::lif_backward_emulated";
constexpr const char *kVolume = "spikedhs::feature_volume_emulated";
constexpr const char *kVolumeBackward =
    "spikedhs::feature_volume_backward_emulated";
constexpr const char *kAugment = "spikedhs::augment";

}  // namespace
}  // namespace spikedhs::fake

TORCH_LIBRARY_IMPL(spikedhs, PrivateUse1, library) {
  using namespace spikedhs::fake;
  if (!kernels()) return;
  library.impl("lif",
               torch::CppFunction::makeFromBoxedFunction<&emulated<&kLif>>());
  library.impl(
      "lif_backward",
      torch::CppFunction::makeFromBoxedFunction<&emulated<&kLifBackward>>());
  library.impl(
      "feature_volume",
      torch::CppFunction::makeFromBoxedFunction<&emulated<&kVolume>>());
  library.impl(
      "feature_volume_backward",
      torch::CppFunction::makeFromBoxedFunction<&emulated<&kVolumeBackward>>());
  library.impl(
      "augment",
      torch::CppFunction::makeFromBoxedFunction<&emulated<&kAugment>>());
}
