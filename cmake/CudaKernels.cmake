# Compiles ${spikedhs_kernels} into spikedhs and defines SPIKEDHS_CUDA_KERNELS, where
# libtorch has CUDA and the toolkit is there. Without them spikedhs works as well:
# on the GPU the composed operations take over.
# No function, since enable_language only works at file scope.
find_program(NVCC nvcc HINTS $ENV{CUDA_HOME}/bin $ENV{CUDA_PATH}/bin PATHS /usr/local/cuda/bin)
if(NVCC AND CUDA_INCLUDE_DIR)
  set(CMAKE_CUDA_COMPILER ${NVCC})
  if(NOT CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES all-major) # needs CMake 3.23; name them by hand below that
  endif()
  enable_language(CUDA)
  target_sources(spikedhs PRIVATE ${spikedhs_kernels})
  target_compile_definitions(spikedhs PRIVATE SPIKEDHS_CUDA_KERNELS)
  # The kernels take raw pointers and include no header of libtorch, so they
  # need not follow its C++ standard.
  set_target_properties(spikedhs PROPERTIES CUDA_STANDARD 17 CUDA_STANDARD_REQUIRED ON CUDA_VISIBILITY_PRESET hidden)
else()
  message(WARNING "libtorch has CUDA but the CUDA toolkit (nvcc and headers) was not found: built without the fused CUDA kernels.")
endif()
