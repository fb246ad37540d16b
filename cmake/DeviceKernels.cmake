# The device code (cpp/spike/*.cu and the headers that it includes) travels inside
# libspikedhs as text: NVRTC compiles what runs when it first runs, on the user's
# machine. Nothing of CUDA is needed here.
file(GLOB device_programs RELATIVE ${CMAKE_SOURCE_DIR}/cpp/spike CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/cpp/spike/*.cu)
set(device_sources surrogate.h lif_step.h pack.h lif_thread.h volume_element.h augment_pixel.h depth_element.h ${device_programs})
set(device_files ${device_sources})
list(TRANSFORM device_files PREPEND ${CMAKE_SOURCE_DIR}/cpp/spike/)
string(JOIN " " device_names ${device_sources})
set(kernel_sources ${CMAKE_BINARY_DIR}/kernel_sources.cc)
add_custom_command(
  OUTPUT ${kernel_sources}
  COMMAND ${CMAKE_COMMAND} -DFOLDER=${CMAKE_SOURCE_DIR}/cpp/spike "-DNAMES=${device_names}" -DOUTPUT=${kernel_sources}
          -P ${CMAKE_SOURCE_DIR}/cmake/EmbedSources.cmake
  DEPENDS ${device_files} ${CMAKE_SOURCE_DIR}/cmake/EmbedSources.cmake
  COMMENT "Embedding the device code"
  VERBATIM)
target_sources(spikedhs_objects PRIVATE ${kernel_sources})
