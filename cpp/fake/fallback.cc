// Every operator of the fake device: a check, a count, and the CPU's operator
// on the same memory.
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include <set>

#include "call.h"

namespace spikedhs::fake {
namespace {

// Operators whose results have a shape that the processor has to wait for.
const std::set<std::string> waits = {
    "aten::nonzero",           "aten::masked_select", "aten::_unique2",
    "aten::unique_dim",        "aten::bincount",      "aten::repeat_interleave",
    "aten::unique_consecutive"};

// Whether the processor waits for the device in this call.
bool reads_back(const Call &call, const c10::FunctionSchema &schema) {
  if (waits.count(schema.name()) != 0) return true;
  if (schema.name() == "aten::index" || schema.name() == "aten::index_put_") {
    bool mask = false;  // is turned into indices by nonzero
    for (const IValue &element : call.arguments()[1].toListRef()) {
      each_tensor(element, [&](const at::Tensor &t) {
        mask = mask || t.scalar_type() == at::kBool ||
               t.scalar_type() == at::kByte;
      });
    }
    return mask;
  }
  for (const c10::Argument &r : schema.returns()) {  // such as item
    if (r.type()->kind() != c10::TypeKind::TensorType &&
        r.type()->kind() != c10::TypeKind::ListType) {
      return true;
    }
  }
  return false;
}

void fallback(const c10::OperatorHandle &op, torch::jit::Stack *stack) {
  const at::AutoDispatchBelowADInplaceOrView below;
  const auto &schema = op.schema();
  const size_t n = schema.arguments().size();
  auto call = std::make_shared<Call>(
      op, std::vector<IValue>(stack->end() - static_cast<ptrdiff_t>(n),
                              stack->end()));
  stack->erase(stack->end() - static_cast<ptrdiff_t>(n), stack->end());
  const int device = call->device();
  check_stream_in_capture(device);
  if (reads_back(*call, schema)) {
    refuse_in_capture("reading from the device");
    count_read(/*blocking=*/true);
  }
  bool slow = false;
  const int64_t launches = launches_of(schema.name(), call->arguments(), &slow);
  TORCH_CHECK(
      launches >= 0, schema.name(),
      " is not in the table of launches: add it to cpp/fake/launches.cc");
  if (slow) count_slow_foreach(schema.name());
  const c10::OptionalDeviceGuard guard(
      c10::Device(c10::kPrivateUse1, static_cast<c10::DeviceIndex>(device)));
  perform(
      [call] {
        const at::AutoDispatchBelowADInplaceOrView below_again;
        call->run();
      },
      call->written());
  count_operator(schema.name(), launches);
  for (const IValue &result : call->results()) stack->push_back(result);
  if (is_capturing()) call->settle();
}

}  // namespace

at::Tensor host_view(const at::Tensor &t) {
  if (!on_fake(t)) return t;
  const c10::Storage owner = t.storage();
  return at::from_blob(
      t.data_ptr(), t.sizes(), t.strides(), [owner](void *) {},
      at::TensorOptions().dtype(t.dtype()));
}

void launch(const char *name, const std::function<void()> &emulation) {
  check_stream_in_capture(current_device());
  perform(emulation, {});
  count_operator(std::string("spikedhs::") + name, 1);
}

}  // namespace spikedhs::fake

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) {
  library.fallback(
      torch::CppFunction::makeFromBoxedFunction<&spikedhs::fake::fallback>());
}

TORCH_LIBRARY_IMPL(_, AutogradPrivateUse1, library) {
  library.fallback(torch::CppFunction::makeFallthrough());
}
