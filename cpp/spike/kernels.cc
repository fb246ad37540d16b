// What is asked of the kernels from outside: whether they run, and how they
// compile for any GPU.
#include <chrono>
#include <cstdlib>
#include <memory>
#include <vector>

#include "guard.h"
#include "instance_names.h"
#include "kernel_cache.h"
#include "launch.h"
#include "lif_launch.h"

namespace spikedhs {
namespace {

// What a compilation is asked for; see sd_kernels_compile.
struct Matrix {
  std::vector<int> steps, families;
  std::vector<Element> elements;
};

void add_lif(const Matrix &m, std::vector<std::string> *names) {
  for (const Element e : m.elements) {
    const int lanes = static_cast<int>(kPackBytes) / bytes_of(e);
    const auto add = [&](int64_t steps, bool packs) {
      const LifVersion forward = lif_forward_version(steps, lanes, packs);
      names->push_back(lif_forward_instance(forward, e).name);
      const LifVersion backward = lif_backward_version(steps, lanes, packs);
      for (const int family : m.families) {
        names->push_back(lif_backward_instance(backward, family, e).name);
      }
    };
    bool long_done = false;  // all T that are not compiled in are one version
    for (const int steps : m.steps) {
      const bool is_long = steps > kLifMostSteps;
      if (!is_long || !long_done) add(steps, true);
      long_done = long_done || is_long;
    }
    add(1, false);
  }
}

void add_indexed(const Matrix &m, std::vector<std::string> *names) {
  for (const Element e : m.elements) {
    for (const char *arguments :
         {"VolumeForward", "VolumeBackward", "DepthForward", "DepthBackward"}) {
      for (const bool wide : {false, true}) {
        for (const int lanes : {kWideLanes, 1}) {
          names->push_back(indexed_instance(arguments, lanes, wide, e).name);
        }
      }
    }
  }
}

// The number that stands before a word in a text from `at` on.
int number_before(const std::string &text, size_t at, const char *word) {
  const size_t end = text.find(word, at);
  TORCH_CHECK(end != std::string::npos, "NVRTC's log says nothing of ", word);
  const size_t begin = text.find_last_not_of("0123456789", end - 2);
  return std::atoi(text.c_str() + begin + 1);
}

// Lines of one program's instances, from the assembler's report in the log.
std::string compiled_lines(const Nvrtc &nvrtc, const std::string &program,
                           const std::vector<std::string> &names,
                           int capability) {
  const std::string architecture = nvrtc.architecture(capability);
  TORCH_CHECK(architecture.compare(0, 3, "sm_") == 0, "NVRTC ", nvrtc.text(),
              " does not know compute capability ", capability,
              ": it makes PTX, whose registers are the driver's affair");
  const auto begin = std::chrono::steady_clock::now();
  const Compiled compiled = nvrtc.compile(
      program, names, architecture, {"--std=c++17", "--ptxas-options=-v"});
  const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  std::string lines;
  for (size_t i = 0; i < names.size(); i++) {
    const size_t at =
        compiled.log.find("properties for " + compiled.lowered[i]);
    TORCH_CHECK(at != std::string::npos, "NVRTC's log lacks ", names[i]);
    const int spilled = number_before(compiled.log, at, "bytes spill stores") +
                        number_before(compiled.log, at, "bytes spill loads");
    lines += program + "\t" + names[i] + "\t" +
             std::to_string(number_before(compiled.log, at, "registers")) +
             "\t" + std::to_string(spilled) + "\n";
  }
  return lines + program + "\t\t" + std::to_string(time.count()) + "\t" +
         std::to_string(names.size()) + "\n";
}

}  // namespace
}  // namespace spikedhs

using spikedhs::copy_text;
using spikedhs::guarded;
using spikedhs::Nvrtc;

char *sd_kernels_missing(int index, char **reason) {
  return guarded([&] {
    *reason = copy_text(spikedhs::kernels_missing(c10::Device(
        spikedhs::kAccelerator, static_cast<c10::DeviceIndex>(index))));
  });
}

char *sd_kernels_folder(void) {
  return copy_text(spikedhs::kernel_cache_folder());
}

char *sd_kernels_compile(const char *nvrtc, int capability, const int *steps,
                         int steps_count, const int *families,
                         int families_count, const int *elements,
                         int elements_count, char **table) {
  return guarded([&] {
    spikedhs::Matrix m;
    m.steps.assign(steps, steps + steps_count);
    m.families.assign(families, families + families_count);
    for (int i = 0; i < elements_count; i++) {
      m.elements.push_back(static_cast<spikedhs::Element>(elements[i]));
    }
    const Nvrtc *compiler = nvrtc == nullptr ? &Nvrtc::get() : nullptr;
    const std::unique_ptr<const Nvrtc> own(
        compiler == nullptr ? new Nvrtc(nvrtc) : nullptr);
    if (compiler == nullptr) compiler = own.get();
    std::vector<std::string> lif, indexed;
    spikedhs::add_lif(m, &lif);
    spikedhs::add_indexed(m, &indexed);
    const auto compiled = [&](const char *program,
                              const std::vector<std::string> &names) {
      return spikedhs::compiled_lines(*compiler, program, names, capability);
    };
    *table =
        copy_text(compiled("lif.cu", lif) + compiled("indexed.cu", indexed) +
                  compiled("augment.cu", {spikedhs::augment_instance().name}));
  });
}

char *sd_kernels_cached(int capability, int64_t *bytes, char **name) {
  return guarded([&] {
    const spikedhs::Instance first = spikedhs::augment_instance();
    const Nvrtc &nvrtc = Nvrtc::get();
    const spikedhs::Kernel kernel = spikedhs::cached_kernel(
        nvrtc, first.program, first.name, nvrtc.architecture(capability));
    *bytes = static_cast<int64_t>(kernel.image.size());
    *name = copy_text(kernel.lowered);
  });
}
