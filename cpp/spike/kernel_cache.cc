#include "kernel_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "kernel_sources.h"

namespace spikedhs {
namespace {

// FNV-1a, of 64 bits. Entries are told apart by two of them with other
// beginnings and by their description, which is compared whole.
constexpr uint64_t kHashStart = 0xcbf29ce484222325u;

uint64_t hash(const std::string &text, uint64_t start = kHashStart) {
  uint64_t h = start;
  for (const char c : text) {
    h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  return h;
}

std::string hex(uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(number));
  return text;
}

// Of all device code: a program may include any header.
const std::string &sources_hash() {
  static const std::string text = [] {
    uint64_t one = kHashStart, two = ~kHashStart;
    for (int i = 0; i < kKernelSourceCount; i++) {
      for (const char *part :
           {kKernelSources[i].name, kKernelSources[i].text}) {
        one = hash(part, one), two = hash(part, two);
      }
    }
    return hex(one) + hex(two);
  }();
  return text;
}

const std::vector<std::string> &options() {
  static const std::vector<std::string> list{"--std=c++17"};
  return list;
}

// All that the image depends on, as one line.
std::string description(const Nvrtc &nvrtc, const std::string &program,
                        const std::string &instance,
                        const std::string &architecture) {
  std::string text = "spikedhs kernel 1; sources " + sources_hash() +
                     "; NVRTC " + nvrtc.text() + "; " + architecture + ";";
  for (const std::string &option : options()) text += " " + option;
  return text + "; " + program + "; " + instance + "\n";
}

bool exists(const std::string &folder) {
  struct stat facts;
  return stat(folder.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
}

// Makes a folder and those above it.
bool make_folder(const std::string &folder) {
  if (exists(folder)) return true;
  const size_t slash = folder.rfind('/');
  if (slash != std::string::npos && slash > 0) {
    if (!make_folder(folder.substr(0, slash))) return false;
  }
  return mkdir(folder.c_str(), 0700) == 0 || exists(folder);
}

// An entry is the description, then the rest as lengths and bytes, then the
// checksum of all before it.
std::string packed(const std::string &description, const Kernel &kernel) {
  std::string text = description + std::to_string(kernel.lowered.size()) + " " +
                     std::to_string(kernel.image.size()) + "\n" +
                     kernel.lowered + kernel.image;
  return text + hex(hash(text));
}

bool unpack(const std::string &text, const std::string &description,
            Kernel *kernel) {
  constexpr size_t kSum = 16;
  if (text.size() < description.size() + kSum ||
      text.compare(0, description.size(), description) != 0) {
    return false;
  }
  const std::string body = text.substr(0, text.size() - kSum);
  if (hex(hash(body)) != text.substr(body.size())) return false;
  size_t name = 0, image = 0;
  int used = 0;
  if (std::sscanf(body.c_str() + description.size(), "%zu %zu%n", &name, &image,
                  &used) != 2) {
    return false;
  }
  const size_t begin = description.size() + used + 1;
  if (begin + name + image != body.size()) return false;
  kernel->lowered = body.substr(begin, name);
  kernel->image = body.substr(begin + name);
  return true;
}

bool read_file(const std::string &path, std::string *text) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  char buffer[1 << 16];
  ssize_t n = 0;
  while ((n = read(file, buffer, sizeof buffer)) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    text->append(buffer, n);
  }
  close(file);
  return n == 0;
}

bool write_all(int file, const std::string &text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t n = write(file, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += n;
  }
  return true;
}

// Writes beside the place and renames: readers see a whole entry or none. Of
// two processes the last one's stays; both are the same.
void keep(const std::string &path, const std::string &text) {
  static std::atomic<int> count{0};
  const std::string part = path + "." + std::to_string(getpid()) + "." +
                           std::to_string(count++) + ".part";
  const int file =
      open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return;
  const bool whole = write_all(file, text);
  const bool closed = close(file) == 0;  // where a network's quota is told
  if (!whole || !closed || rename(part.c_str(), path.c_str()) != 0) {
    unlink(part.c_str());
  }
}

std::string set_folder(const char *name) {
  const char *value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

std::string kernel_cache_folder() {
  std::string folder = set_folder("SPIKEDHS_CACHE");
  if (folder.empty()) {
    folder = set_folder("XDG_CACHE_HOME");
    if (folder.empty()) {
      folder = set_folder("HOME");
      if (folder.empty()) return "";
      folder += "/.cache";
    }
    folder += "/spikedhs";
  }
  return folder + "/kernels";
}

Kernel cached_kernel(const Nvrtc &nvrtc, const std::string &program,
                     const std::string &instance,
                     const std::string &architecture) {
  const std::string what = description(nvrtc, program, instance, architecture);
  const std::string folder = kernel_cache_folder();
  const std::string path =
      folder + "/" + hex(hash(what)) + hex(hash(what, ~kHashStart)) + ".kernel";
  Kernel kernel;
  std::string entry;
  if (!folder.empty() && read_file(path, &entry) &&
      unpack(entry, what, &kernel)) {
    return kernel;
  }
  Compiled compiled =
      nvrtc.compile(program, {instance}, architecture, options());
  kernel.image = std::move(compiled.image);
  kernel.lowered = std::move(compiled.lowered[0]);
  if (!folder.empty() && make_folder(folder)) keep(path, packed(what, kernel));
  return kernel;
}

}  // namespace spikedhs
