# cpp/cpu: kernels for CPUs behind the operators of cpp/spike, and operators that are
# there only where these kernels are. cpp/README.md has the families.
file(GLOB cpu_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/cpp/cpu/*.cc)
set(cpu_kernels ${cpu_sources})
list(FILTER cpu_kernels INCLUDE REGEX "_kernels\\.cc$")
list(REMOVE_ITEM cpu_sources ${cpu_kernels})
add_library(spikedhs_cpu OBJECT ${cpu_sources})
spikedhs_options(spikedhs_cpu)
set_target_properties(spikedhs_cpu PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
# Those whose local names are also those of others, and that for one processor.
foreach(name lif_cpu spike_bits tiles_amx)
  set_source_files_properties(${CMAKE_SOURCE_DIR}/cpp/cpu/${name}.cc PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endforeach()
list(APPEND spikedhs_cpu_objects $<TARGET_OBJECTS:spikedhs_cpu>)

# The loops (*_kernels.cc) are compiled once for each instruction set and picked
# when the library is loaded (cpp/cpu/dispatch.h): one library is fast on every
# processor and runs on all. -ffp-contract=off: spikes do not depend on which.
# -fno-trapping-math: nobody reads the flags of floating-point exceptions, and
# keeping them exact forbids GCC to compare numbers that a condition might have
# skipped: without AVX-512's masks the backward loops then take one neuron at a time.
set(cpu_isas generic)
set(cpu_flags_generic "")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND cpu_isas avx2 avx512)
  set(cpu_flags_avx2 -mavx2 -mfma -mbmi -mbmi2 -mpopcnt)
  # -Wno-...uninitialized: GCC 12 warns falsely inside its own header.
  set(cpu_flags_avx512 ${cpu_flags_avx2} -Wno-maybe-uninitialized -Wno-uninitialized -mavx512f -mavx512bw -mavx512vl -mavx512dq -mprefer-vector-width=512)
  target_compile_definitions(spikedhs_cpu PRIVATE SPIKEDHS_X86_KERNELS)
endif()
foreach(isa IN LISTS cpu_isas)
  add_library(spikedhs_${isa} OBJECT ${cpu_kernels})
  target_include_directories(spikedhs_${isa} PRIVATE cpp/spike)
  target_compile_definitions(spikedhs_${isa} PRIVATE SPIKEDHS_ISA=${isa})
  target_compile_options(spikedhs_${isa} PRIVATE -O3 -Wall -Wextra -ffp-contract=off -fno-trapping-math ${cpu_flags_${isa}})
  set_target_properties(spikedhs_${isa} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  list(APPEND spikedhs_cpu_objects $<TARGET_OBJECTS:spikedhs_${isa}>)
endforeach()

# Tiles for matrix products, on processors that have them: in a file of their own,
# which shares no inline function with the rest.
include(CheckCXXCompilerFlag)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  check_cxx_compiler_flag(-mamx-bf16 SPIKEDHS_HAS_AMX_FLAG) # GCC 11, Clang 12
  if(SPIKEDHS_HAS_AMX_FLAG)
    set_source_files_properties(
      ${CMAKE_SOURCE_DIR}/cpp/cpu/tiles_amx.cc PROPERTIES
      COMPILE_DEFINITIONS SPIKEDHS_AMX_KERNELS
      COMPILE_OPTIONS "-O3;-mamx-tile;-mamx-bf16;-mavx512bf16;${cpu_flags_avx512}")
  endif()
endif()
