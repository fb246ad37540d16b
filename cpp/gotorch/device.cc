// gotorch makes a device of the names "cpu" and "cuda" and panics at every
// other one, so no second GPU and no "cuda:0" could be named. The sources of
// gotorch are compiled unchanged, but with this function under another name.
#include "cgotorch/device.h"

#include <string>

#include "../spike/accelerator.h"

#undef Torch_Device
extern "C" const char *Torch_Device(const char *name, Device *device) {
  try {
    const torch::Device named{std::string(name)};
    *device = new torch::Device(
        spikedhs::device_type_of(static_cast<int>(named.type())),
        named.index());
  } catch (const std::exception &e) {
    return exception_str(e.what());
  }
  return nullptr;
}
