#include "nvrtc.h"

#include <c10/util/Exception.h>
#include <dlfcn.h>

#include <algorithm>

#include "kernel_sources.h"

namespace spikedhs {
namespace {

using Program = void *;

// NVRTC has none of the system's headers; what device code needs of them is
// built in but for these names.
constexpr const char *kStdint =
    "typedef signed char int8_t; typedef unsigned char uint8_t; "
    "typedef short int16_t; typedef unsigned short uint16_t; "
    "typedef int int32_t; typedef unsigned int uint32_t; "
    "typedef long int64_t; typedef unsigned long uint64_t;\n";

bool is_header(const std::string &name) {
  return name.size() > 2 && name.compare(name.size() - 2, 2, ".h") == 0;
}

// The lines of a log up to the first error and its place.
std::string first_error(const std::string &log) {
  const size_t at = log.find("error");
  if (at == std::string::npos) return log.substr(0, 200);
  const size_t begin = log.rfind('\n', at) + 1;
  return log.substr(begin, log.find('\n', at) - begin);
}

}  // namespace

// NVRTC's C interface; a result of 0 is success.
struct Nvrtc::Functions {
  int (*version)(int *major, int *minor);
  int (*architecture_count)(int *count);
  int (*architectures)(int *list);
  int (*create)(Program *, const char *source, const char *name, int headers,
                const char *const *texts, const char *const *names);
  int (*destroy)(Program *);
  int (*add_name)(Program, const char *expression);
  int (*compile)(Program, int options, const char *const *list);
  int (*lowered)(Program, const char *expression, const char **name);
  int (*log_size)(Program, size_t *);
  int (*log)(Program, char *);
  int (*cubin_size)(Program, size_t *);
  int (*cubin)(Program, char *);
  int (*ptx_size)(Program, size_t *);
  int (*ptx)(Program, char *);
  const char *(*error_text)(int);

  void check(int result, const char *what) const {
    TORCH_CHECK(result == 0, "NVRTC: ", what, ": ", error_text(result));
  }

  std::string read(Program program, int (*size_of)(Program, size_t *),
                   int (*get)(Program, char *), const char *what) const {
    size_t size = 0;
    check(size_of(program, &size), what);
    std::string text(size, '\0');
    if (size > 0) check(get(program, &text[0]), what);
    return text;
  }
};

Nvrtc::Nvrtc(const std::string &path) : path_(path) {
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  TORCH_CHECK(library != nullptr, dlerror());
  auto f = new Functions;
  const auto find = [&](auto *function, const char *name) {
    void *symbol = dlsym(library, name);
    TORCH_CHECK(symbol != nullptr, path, " has no ", name);
    *function = reinterpret_cast<std::decay_t<decltype(*function)>>(symbol);
  };
  find(&f->version, "nvrtcVersion");
  find(&f->architecture_count, "nvrtcGetNumSupportedArchs");
  find(&f->architectures, "nvrtcGetSupportedArchs");
  find(&f->create, "nvrtcCreateProgram");
  find(&f->destroy, "nvrtcDestroyProgram");
  find(&f->add_name, "nvrtcAddNameExpression");
  find(&f->compile, "nvrtcCompileProgram");
  find(&f->lowered, "nvrtcGetLoweredName");
  find(&f->log_size, "nvrtcGetProgramLogSize");
  find(&f->log, "nvrtcGetProgramLog");
  find(&f->cubin_size, "nvrtcGetCUBINSize");
  find(&f->cubin, "nvrtcGetCUBIN");
  find(&f->ptx_size, "nvrtcGetPTXSize");
  find(&f->ptx, "nvrtcGetPTX");
  find(&f->error_text, "nvrtcGetErrorString");
  f_ = f;
  f_->check(f_->version(&major_, &minor_), "version");
  int count = 0;
  f_->check(f_->architecture_count(&count), "architectures");
  architectures_.resize(count);
  f_->check(f_->architectures(architectures_.data()), "architectures");
  std::sort(architectures_.begin(), architectures_.end());
  Dl_info where;
  if (dladdr(reinterpret_cast<void *>(f_->version), &where) != 0) {
    path_ = where.dli_fname;
  }
}

std::string Nvrtc::text() const {
  return std::to_string(major_) + "." + std::to_string(minor_);
}

std::string Nvrtc::architecture(int capability) const {
  const auto above = std::upper_bound(architectures_.begin(),
                                      architectures_.end(), capability);
  TORCH_CHECK(above != architectures_.begin(), "NVRTC ", text(),
              " compiles for no GPU as old as this one, whose compute "
              "capability is ",
              capability);
  const int nearest = *(above - 1);
  // Code runs on later GPUs of its generation, PTX on all later ones.
  const char *kind = nearest / 10 == capability / 10 ? "sm_" : "compute_";
  return kind + std::to_string(nearest);
}

Compiled Nvrtc::compile(const std::string &program,
                        const std::vector<std::string> &instances,
                        const std::string &architecture,
                        const std::vector<std::string> &options) const {
  const char *source = nullptr;
  std::vector<const char *> texts{kStdint, "", ""};
  std::vector<const char *> names{"stdint.h", "string.h", "math.h"};
  for (int i = 0; i < kKernelSourceCount; i++) {
    const KernelSource &s = kKernelSources[i];
    if (program == s.name) source = s.text;
    if (!is_header(s.name)) continue;
    texts.push_back(s.text);
    names.push_back(s.name);
  }
  TORCH_CHECK(source != nullptr, "there is no device code ", program);
  Program handle = nullptr;
  f_->check(
      f_->create(&handle, source, program.c_str(),
                 static_cast<int>(texts.size()), texts.data(), names.data()),
      program.c_str());
  struct Owner {
    const Functions *f;
    Program *handle;
    ~Owner() { f->destroy(handle); }
  } const owner{f_, &handle};
  for (const std::string &name : instances) {
    f_->check(f_->add_name(handle, name.c_str()), name.c_str());
  }
  const std::string gpu = "--gpu-architecture=" + architecture;
  std::vector<const char *> list{gpu.c_str()};
  for (const std::string &option : options) list.push_back(option.c_str());
  const int result =
      f_->compile(handle, static_cast<int>(list.size()), list.data());
  Compiled out;
  out.log = f_->read(handle, f_->log_size, f_->log, "log");
  TORCH_CHECK(result == 0, "NVRTC ", text(), ": ", program, " for ",
              architecture, ": ", f_->error_text(result), ": ",
              first_error(out.log));
  for (const std::string &name : instances) {
    const char *lowered = nullptr;
    f_->check(f_->lowered(handle, name.c_str(), &lowered), name.c_str());
    out.lowered.emplace_back(lowered);
  }
  const bool real = architecture.compare(0, 3, "sm_") == 0;
  out.image = real ? f_->read(handle, f_->cubin_size, f_->cubin, "cubin")
                   : f_->read(handle, f_->ptx_size, f_->ptx, "PTX");
  return out;
}

}  // namespace spikedhs
