// TorchScript: compile source text over named buffers, save, load, call.
#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/passes/tensorexpr_fuser.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/script.h>

#include <memory>
#include <string>
#include <vector>

#include "accelerator.h"
#include "guard.h"

using spikedhs::guarded;
using spikedhs::unwrap;
using spikedhs::wrap;

namespace {
// Freezing removes the methods that forward no longer calls, but libtorch's
// error messages still read their names, so it is told to keep them.
torch::jit::Module frozen(const torch::jit::Module &module) {
  std::vector<std::string> names;
  for (const auto &method : module.get_methods()) {
    if (method.name() != "forward") names.push_back(method.name());
  }
  return torch::jit::freeze(module, names);
}

// An archive is read where there is no such device as it was written on, and
// every reader takes the order of memory that it finds: both are made plain.
at::Tensor portable(const at::Tensor &t) {
  return t.detach().to(at::kCPU).contiguous();
}

// Module::to changes tensors in place, which not every type of device allows.
void move_tensors(const torch::jit::Module &module, c10::Device device) {
  for (torch::jit::Module part : module.modules()) {
    for (const auto &attribute : part.named_attributes(/*recurse=*/false)) {
      if (!attribute.value.isTensor()) continue;
      part.setattr(attribute.name, attribute.value.toTensor().to(device));
    }
  }
}
}  // namespace

char *sd_script_save(const char *path, const char *class_name,
                     const char *source, const char *const *names,
                     const uint64_t *tensors, int64_t n,
                     const char *const *extra_names,
                     const char *const *extra_texts, int64_t extras) {
  return guarded([&] {
    auto unit = std::make_shared<torch::jit::CompilationUnit>();
    torch::jit::Module module(std::string("__torch__.spikedhs.") + class_name,
                              unit);
    // Python's module.training and torch.jit.freeze look for it.
    module.register_attribute("training", c10::BoolType::get(), false);
    for (int64_t i = 0; i < n; i++) {
      module.register_buffer(
          names[i], portable(unwrap(reinterpret_cast<sd_tensor>(tensors[i]))));
    }
    module.define(source);
    torch::jit::ExtraFilesMap files;
    for (int64_t i = 0; i < extras; i++) files[extra_names[i]] = extra_texts[i];
    module.eval();
    module.save(path, files);
  });
}

char *sd_script_load(const char *path, int type, int index, int freeze,
                     sd_module *out) {
  return guarded([&] {
    // Where libtorch was built with LLVM, its fuser inlines the membranes of
    // all steps into each other, which takes time exponential in T.
    torch::jit::setTensorExprFuserEnabled(false);
    const c10::Device device(spikedhs::device_type_of(type),
                             static_cast<c10::DeviceIndex>(index));
    // Reading straight to a device is for the types that the reader knows.
    auto module = std::make_unique<torch::jit::Module>(
        torch::jit::load(path, c10::Device(c10::kCPU)));
    if (!device.is_cpu()) move_tensors(*module, device);
    module->eval();
    if (freeze != 0) *module = frozen(*module);
    *out = module.release();
  });
}

char *sd_script_extra(const char *path, const char *name, char **text) {
  return guarded([&] {
    torch::jit::ExtraFilesMap files{{name, ""}};
    torch::jit::load(path, c10::Device(c10::kCPU), files);
    *text = spikedhs::copy_text(files[name]);
  });
}

char *sd_script_tensor(sd_module module, const char *name, sd_tensor *out) {
  return guarded([&] {
    const auto *m = static_cast<torch::jit::Module *>(module);
    TORCH_CHECK(m->hasattr(name), "the module has no attribute ", name);
    const auto value = m->attr(name);
    TORCH_CHECK(value.isTensor(), "attribute ", name, " is no tensor");
    *out = wrap(value.toTensor());
  });
}

char *sd_script_call(sd_module module, const char *method,
                     const uint64_t *inputs, int64_t n, sd_tensor *out) {
  return guarded([&] {
    c10::AutoGradMode no_gradient(false);
    std::vector<c10::IValue> values;
    for (int64_t i = 0; i < n; i++) {
      values.emplace_back(unwrap(reinterpret_cast<sd_tensor>(inputs[i])));
    }
    const auto result = static_cast<torch::jit::Module *>(module)->get_method(
        method)(std::move(values));
    *out = wrap(result.toTensor());
  });
}

void sd_script_free(sd_module module) {
  delete static_cast<torch::jit::Module *>(module);
}
