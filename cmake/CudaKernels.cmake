# Compiles ${spikedhs_kernels} into spikedhs and defines SPIKEDHS_CUDA_KERNELS, where
# there is an nvcc of the CUDA version that libtorch uses. Without it spikedhs works
# as well: on the GPU the composed operations take over.
#
# nvcc is called directly. CMake's own CUDA language would link a second CUDA runtime
# into the library and stop where it cannot build a program; all that is needed is
# an object file, whose few symbols the runtime beside libtorch has.
set(SPIKEDHS_CUDA_ARCHITECTURES "" CACHE STRING
  "Compute capabilities to compile for, such as \"80;90\"; empty: one for each generation from 70 to 90")
find_program(NVCC nvcc HINTS $ENV{CUDA_HOME}/bin $ENV{CUDA_PATH}/bin PATHS /usr/local/cuda/bin)

set(nvcc_lacks "")
if(NOT NVCC)
  set(nvcc_lacks "No nvcc was found")
else()
  execute_process(COMMAND ${NVCC} --version OUTPUT_VARIABLE nvcc_version ERROR_QUIET)
  string(REGEX MATCH "release ([0-9]+)\\.([0-9]+)" _ "${nvcc_version}")
  set(nvcc_version ${CMAKE_MATCH_1}.${CMAKE_MATCH_2})
  if(NOT CMAKE_MATCH_1 STREQUAL LIBTORCH_CUDA_MAJOR)
    set(nvcc_lacks "${NVCC} is of CUDA ${nvcc_version} and libtorch of CUDA ${LIBTORCH_CUDA_MAJOR}")
  endif()
endif()
if(nvcc_lacks)
  # Object files of an older nvcc serve newer CUDA runtimes, which keep the calls
  # that register and launch kernels.
  set(objects)
  foreach(source IN LISTS spikedhs_kernels)
    get_filename_component(name ${source} NAME)
    if(SPIKEDHS_CUDA_OBJECTS AND EXISTS ${SPIKEDHS_CUDA_OBJECTS}/${name}.o)
      list(APPEND objects ${SPIKEDHS_CUDA_OBJECTS}/${name}.o)
    endif()
  endforeach()
  list(LENGTH objects have)
  list(LENGTH spikedhs_kernels want)
  if(have EQUAL want)
    set_source_files_properties(${objects} PROPERTIES EXTERNAL_OBJECT TRUE)
    target_sources(spikedhs PRIVATE ${objects})
    target_compile_definitions(spikedhs PRIVATE SPIKEDHS_CUDA_KERNELS)
    message(STATUS "CUDA kernels: ${nvcc_lacks}; taken from ${SPIKEDHS_CUDA_OBJECTS}")
  else()
    message(WARNING "${nvcc_lacks}: built without the fused CUDA kernels, composed operations take over. Set CUDA_HOME to a toolkit of CUDA ${LIBTORCH_CUDA_MAJOR}.")
  endif()
  return()
endif()

# Code for the first of each generation runs on the others of it; PTX of the newest
# is compiled by the driver for GPUs that are newer still.
set(architectures ${SPIKEDHS_CUDA_ARCHITECTURES})
if(NOT architectures)
  execute_process(COMMAND ${NVCC} --list-gpu-arch OUTPUT_VARIABLE nvcc_knows ERROR_QUIET)
  foreach(generation 70 80 90)
    if(nvcc_knows MATCHES "compute_${generation}\n")
      list(APPEND architectures ${generation})
    endif()
  endforeach()
  if(NOT 70 IN_LIST architectures AND nvcc_knows MATCHES "compute_75\n") # CUDA 13
    list(PREPEND architectures 75)
  endif()
endif()
set(code)
foreach(architecture IN LISTS architectures)
  list(APPEND code -gencode arch=compute_${architecture},code=sm_${architecture})
endforeach()
list(GET architectures -1 newest)
list(APPEND code -gencode arch=compute_${newest},code=compute_${newest})

file(GLOB kernel_headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/cpp/src/*.h)
foreach(source IN LISTS spikedhs_kernels)
  get_filename_component(name ${source} NAME)
  set(object ${CMAKE_BINARY_DIR}/kernels/${name}.o)
  # The kernels include no header of libtorch and need not follow its C++ standard.
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/kernels
    COMMAND ${NVCC} -c ${source} -o ${object} -O3 -std=c++17 --threads 0 ${code}
            -Xcompiler -fPIC,-fvisibility=hidden
    DEPENDS ${source} ${kernel_headers}
    COMMENT "Compiling ${name} with nvcc ${nvcc_version}"
    VERBATIM)
  target_sources(spikedhs PRIVATE ${object})
endforeach()
target_compile_definitions(spikedhs PRIVATE SPIKEDHS_CUDA_KERNELS)
message(STATUS "CUDA kernels: nvcc ${nvcc_version}, compute capability ${architectures}")
