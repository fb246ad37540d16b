# Targets `libtorch_headers` (to compile with), `libtorch` and `libtorch_cpu` (to link
# to: all of it, and what works without CUDA), and LIBTORCH_{FOUND_BY,INCLUDE,LIB,VERSION,STANDARD,CXX11_ABI,CUDA},
# from scripts/libtorch.sh. Asked anew at each configure, so that another LIBTORCH
# or another Python takes effect without a clean build.
set(LIBTORCH "" CACHE PATH "Folder of the libtorch to use; empty: as in the environment")
set(libtorch_env)
if(LIBTORCH)
  set(libtorch_env LIBTORCH=${LIBTORCH})
endif()
execute_process(
  COMMAND ${CMAKE_COMMAND} -E env ${libtorch_env} ${CMAKE_SOURCE_DIR}/scripts/libtorch.sh
  OUTPUT_VARIABLE libtorch_facts ERROR_VARIABLE libtorch_error RESULT_VARIABLE libtorch_rc)
if(libtorch_rc)
  message(FATAL_ERROR "${libtorch_error}")
endif()
string(REGEX MATCHALL "[^\n]+" libtorch_facts "${libtorch_facts}")
foreach(fact IN LISTS libtorch_facts)
  string(REGEX MATCH "^([a-z0-9_]+)=(.*)$" _ "${fact}")
  string(TOUPPER ${CMAKE_MATCH_1} key)
  set(LIBTORCH_${key} "${CMAKE_MATCH_2}")
endforeach()
set(LIBTORCH_ABI "" CACHE STRING "Flag of the C++ ABI, 0 or 1; empty: that of libtorch")
if(NOT LIBTORCH_ABI STREQUAL "")
  set(LIBTORCH_CXX11_ABI ${LIBTORCH_ABI})
endif()
message(STATUS "libtorch ${LIBTORCH_VERSION} (found by: ${LIBTORCH_FOUND_BY}) in ${LIBTORCH_LIB}, C++${LIBTORCH_STANDARD}, CUDA ${LIBTORCH_CUDA}")

find_package(Threads REQUIRED)
add_library(libtorch_headers INTERFACE)
target_include_directories(libtorch_headers SYSTEM INTERFACE ${LIBTORCH_INCLUDE} ${LIBTORCH_INCLUDE}/torch/csrc/api/include)
target_compile_definitions(libtorch_headers INTERFACE _GLIBCXX_USE_CXX11_ABI=${LIBTORCH_CXX11_ABI})
add_library(libtorch_cpu INTERFACE)
target_link_libraries(libtorch_cpu INTERFACE ${LIBTORCH_LIB}/libtorch_cpu.so ${LIBTORCH_LIB}/libc10.so Threads::Threads)
add_library(libtorch INTERFACE)
target_link_libraries(libtorch INTERFACE ${LIBTORCH_LIB}/libtorch.so libtorch_cpu)

if(LIBTORCH_CUDA)
  # libtorch_cuda registers its kernels when it is loaded and nobody calls it by
  # name: a linker told --as-needed would drop it and CUDA would look absent.
  target_link_libraries(libtorch INTERFACE -Wl,--no-as-needed,${LIBTORCH_LIB}/libtorch_cuda.so,${LIBTORCH_LIB}/libc10_cuda.so,--as-needed)

  # The major version of the CUDA runtime that libtorch brings along.
  set(LIBTORCH_CUDA_MAJOR "")
  file(STRINGS ${LIBTORCH_LIB}/libc10_cuda.so cudart REGEX "libcudart.*\\.so\\.[0-9]+" LIMIT_COUNT 1)
  if(cudart MATCHES "libcudart.*\\.so\\.([0-9]+)")
    set(LIBTORCH_CUDA_MAJOR ${CMAKE_MATCH_1})
  endif()

  # c10's CUDA headers include the toolkit's. Those of the wheel fit its libtorch:
  # PyTorch's packages bring them beside torch (nvidia/cuda_runtime up to CUDA 12,
  # nvidia/cu13 from 13 on). A toolkit's come after. Nothing of this is cached, since
  # another Python may stand behind the next configure.
  set(packages ${LIBTORCH_LIB}/../..) # of Python, where libtorch is a wheel's
  file(GLOB wheel_includes ${packages}/nvidia/*/include)
  # Where PyTorch was up- or downgraded, pip leaves the packages of the CUDA before: the
  # headers of libtorch's own major version come first.
  set(cuda_include "")
  set(cuda_headers_major "")
  foreach(folder IN LISTS wheel_includes ITEMS $ENV{CUDA_HOME}/include $ENV{CUDA_PATH}/include /usr/local/cuda/include)
    if(NOT cuda_headers_major STREQUAL LIBTORCH_CUDA_MAJOR AND EXISTS ${folder}/cuda_runtime_api.h AND EXISTS ${folder}/cuda.h)
      file(STRINGS ${folder}/cuda_runtime_api.h cuda_headers REGEX "define +CUDART_VERSION +[0-9]+" LIMIT_COUNT 1)
      string(REGEX MATCH "([0-9]+)[0-9][0-9][0-9]$" _ "${cuda_headers}")
      if(NOT cuda_include OR CMAKE_MATCH_1 STREQUAL LIBTORCH_CUDA_MAJOR)
        set(cuda_include ${folder})
        set(cuda_headers_major "${CMAKE_MATCH_1}")
      endif()
    endif()
  endforeach()
  set(cuda_headers_compile OFF)
  if(cuda_include)
    set(cuda_includes ${cuda_include})
    # Their folder crt is in another package: of pip's compiler, or of Triton, which every
    # CUDA wheel depends on. Up to PyTorch 2.8 ours will do.
    if(NOT EXISTS ${cuda_include}/crt/host_config.h)
      foreach(folder IN LISTS wheel_includes ITEMS ${packages}/triton/backends/nvidia/include $ENV{CUDA_HOME}/include ${CMAKE_SOURCE_DIR}/cmake/cuda)
        if(NOT folder STREQUAL cuda_include AND EXISTS ${folder}/crt/host_defines.h)
          list(APPEND cuda_includes ${folder})
          break()
        endif()
      endforeach()
    endif()
    target_include_directories(libtorch_headers SYSTEM INTERFACE ${cuda_includes})
    include(CheckCXXSourceCompiles)
    # c10's header is what needs crt/ whole from PyTorch 2.9 on, whatever the CUDA.
    set(CMAKE_REQUIRED_INCLUDES ${LIBTORCH_INCLUDE} ${cuda_includes})
    set(CMAKE_REQUIRED_FLAGS -std=c++${LIBTORCH_STANDARD})
    set(CMAKE_REQUIRED_QUIET ON)
    unset(CUDA_HEADERS_COMPILE CACHE)
    check_cxx_source_compiles("#include <cuda.h>\n#include <c10/cuda/CUDAStream.h>\nint main() { return 0; }" CUDA_HEADERS_COMPILE)
    set(cuda_headers_compile ${CUDA_HEADERS_COMPILE})
    unset(CUDA_HEADERS_COMPILE CACHE)
    unset(CMAKE_REQUIRED_INCLUDES)
    unset(CMAKE_REQUIRED_FLAGS)
    message(STATUS "CUDA headers: ${cuda_includes}")
  endif()

  # LIBTORCH_CUDA_CODE: whether our own code may call the CUDA runtime (graphs,
  # memory, capability, the current stream that kernels are launched on).
  set(LIBTORCH_CUDA_CODE OFF)
  set(left_out "built without CUDA kernels and graphs")
  if(NOT cuda_include)
    message(WARNING "libtorch has CUDA but its headers (cuda.h, cuda_runtime_api.h) were not found: ${left_out}. Install pip's package of the CUDA runtime that this libtorch depends on, or set CUDA_HOME to a toolkit of CUDA ${LIBTORCH_CUDA_MAJOR}.")
  elseif(NOT cuda_headers_compile)
    message(WARNING "The CUDA headers in ${cuda_include} do not compile: ${left_out}. Their folder crt comes with Triton, or with pip's nvidia-cuda-crt (CUDA 12: nvidia-cuda-nvcc-cu12); or set CUDA_HOME to a toolkit of CUDA ${LIBTORCH_CUDA_MAJOR}.")
  elseif(NOT cuda_headers_major STREQUAL LIBTORCH_CUDA_MAJOR)
    message(WARNING "The CUDA headers in ${cuda_include} are of CUDA ${cuda_headers_major} and libtorch of CUDA ${LIBTORCH_CUDA_MAJOR}: ${left_out}. Set CUDA_HOME to a toolkit of CUDA ${LIBTORCH_CUDA_MAJOR}.")
  else()
    set(LIBTORCH_CUDA_CODE ON)
  endif()
endif()
