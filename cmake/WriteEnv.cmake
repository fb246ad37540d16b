# Writes build/env, which a shell sources before it runs go, and build/libtorch.json.

# Go's build cache looks at the files of a package, not at headers elsewhere. The
# hash in CGO_CFLAGS makes it compile again when the C ABI has changed.
set(abi "")
foreach(header IN LISTS spikedhs_headers)
  file(SHA256 ${header} hash)
  string(APPEND abi ${hash})
endforeach()
string(SHA256 abi "${abi}")
string(SUBSTRING ${abi} 0 16 abi)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${spikedhs_headers})

# gotorch's own flags name libtorch, so the linker has to find it; --as-needed then
# drops it again. What the shims themselves lack is their own business, a CUDA
# driver for one (--allow-shlib-undefined). The first rpath is for an installed
# program (PREFIX/bin and PREFIX/lib/spikedhs), the second for one that runs here.
string(JOIN " " ldflags
  "-O2 -Wl,--as-needed -Wl,--allow-shlib-undefined"
  "-L${CMAKE_BINARY_DIR}/lib -L${LIBTORCH_LIB}"
  "-Wl,-rpath,$ORIGIN/../lib/spikedhs -Wl,-rpath,${CMAKE_BINARY_DIR}/lib")

file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/env @ONLY CONTENT [[
# Made by CMake. After `. build/env` in the project's folder, go build, go test,
# go vet and go run work as usual.
export CGO_ENABLED=1
export CGO_CFLAGS='-O2 -I@CMAKE_SOURCE_DIR@/cpp/include -DSPIKEDHS_ABI=@abi@'
export CGO_LDFLAGS='@ldflags@'
]])

set(cuda_json false)
if(LIBTORCH_CUDA)
  set(cuda_json true)
endif()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/libtorch.json @ONLY CONTENT [[
{"version": "@LIBTORCH_VERSION@", "dir": "@LIBTORCH_LIB@", "found_by": "@LIBTORCH_FOUND_BY@", "cuda": @cuda_json@, "cxx_standard": @CMAKE_CXX_STANDARD@}
]])
