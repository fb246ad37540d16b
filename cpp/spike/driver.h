// The CUDA driver, loaded at run time: what loads and launches compiled
// kernels. Declared here as far as it is used, so that no header of CUDA is
// needed.
#pragma once

#include <cstddef>
#include <string>

namespace spikedhs {

struct Driver {
  using Context = void *;
  using Module = void *;
  using Function = void *;
  using Stream = void *;

  // Looked for once; throws with a sentence where there is none.
  static const Driver &get();

  // The newest version of CUDA that the driver knows, such as 12090, also of a
  // driver that finds no GPU. 0 where there is no driver.
  static int newest_cuda();

  // Throws unless the result of a call is success.
  void check(int result, const char *what) const;

  int (*device)(int *, int ordinal);
  int (*name)(char *, int size, int device);
  int (*attribute)(int *, int attribute, int device);
  int (*retain)(Context *, int device);
  int (*push)(Context);
  int (*pop)(Context *);
  int (*load)(Module *, const void *image);
  int (*function)(Function *, Module, const char *name);
  int (*launch)(Function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                unsigned block_x, unsigned block_y, unsigned block_z,
                unsigned shared, Stream, void **parameters, void **extra);
  int (*capturing)(Stream, int *status);  // cuStreamIsCapturing
  int (*error_text)(int, const char **);

 private:
  Driver();
};

}  // namespace spikedhs
