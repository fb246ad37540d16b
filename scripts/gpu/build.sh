#!/bin/bash
# build.sh [PREFIX]: builds the shims into PREFIX/lib/spikedhs; PREFIX is the folder of
# this file. LIBTORCH and PYTHON choose another libtorch.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
prefix=${1:-$here}
bash "$here/unpack.sh" "$prefix"
cmake -S "$here" -B "$prefix/build" -DGOTORCH_DIR="$here/gotorch" >"$prefix/cmake.log" 2>&1 || { cat "$prefix/cmake.log"; exit 1; }
grep '^-- libtorch' "$prefix/cmake.log"
grep -A 4 '^CMake Warning' "$prefix/cmake.log" || true
cmake --build "$prefix/build" --parallel "$(nproc)"
cmake --install "$prefix/build" --prefix "$prefix" >/dev/null
