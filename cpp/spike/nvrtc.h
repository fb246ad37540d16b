// NVRTC, NVIDIA's compiler as a library, loaded at run time. PyTorch's CUDA
// packages bring it along, so no toolkit is needed; without a GPU it compiles
// all the same. This library links to no part of CUDA and needs none of its
// headers.
#pragma once

#include <string>
#include <vector>

namespace spikedhs {

// What one compilation made.
struct Compiled {
  std::string image;                 // a cubin, or PTX for a GPU not yet known
  std::vector<std::string> lowered;  // the kernels' names in it
  std::string log;
};

class Nvrtc {
 public:
  // The library in use, looked for once: $SPIKEDHS_NVRTC and nothing else where
  // that is set; beside libtorch; in the system. Throws with a sentence.
  static const Nvrtc &get();

  // The library in one file.
  explicit Nvrtc(const std::string &path);

  // `--gpu-architecture` for a compute capability such as 90: code for it, or
  // for an earlier GPU of its generation; where this NVRTC knows none, PTX of
  // the newest that is older. Throws for a GPU older than all.
  std::string architecture(int capability) const;

  // Compiles a program of kernel_sources.h ("lif.cu"), the instances of its
  // kernels by their C++ names. Throws with the compiler's first error.
  Compiled compile(const std::string &program,
                   const std::vector<std::string> &instances,
                   const std::string &architecture,
                   const std::vector<std::string> &options) const;

  int version() const { return 100 * major_ + minor_; }  // 1209 is 12.9
  std::string text() const;                              // "12.9"
  const std::string &path() const { return path_; }

 private:
  struct Functions;
  std::string path_;
  int major_ = 0, minor_ = 0;
  std::vector<int> architectures_;  // in rising order
  const Functions *f_;              // never unloaded
};

// The files to try in turn; see Nvrtc::get.
std::vector<std::string> nvrtc_candidates();

}  // namespace spikedhs
