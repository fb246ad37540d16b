#!/bin/bash
# shims.sh SITE DIR: builds the shims for the PyTorch in the site-packages SITE, to run
# on old systems, into DIR/TAG: TAG is the minor version, cuda or cpu, and the flag of
# the C++ ABI, such as 2.15-cuda-abi1. A CUDA build gives both kinds, since its headers
# are those of the same version without CUDA. ABI=0 or 1 builds for a PyTorch that was
# compiled the other way; whether it fits is then known where the program starts.
set -euo pipefail
site=$(cd "$1" && pwd)
mkdir -p "$2"
dir=$(cd "$2" && pwd)
cd "$(dirname "$0")/../.."
root=$PWD/build/wheel
jobs=${JOBS:-$(nproc)}

# Old libc where it can be had; else this machine's, and the wheel's tag says so.
# Messages name source files as they are called here, not where they lay.
options=(-DSPIKEDHS_BOTH_KINDS=ON -DCMAKE_SKIP_RPATH=ON "-DCMAKE_CXX_FLAGS=-ffile-prefix-map=$PWD/=")
if scripts/wheel/sysroot.sh "$root/sysroot" 2>"$root/sysroot.log"; then
    options+=(-DCMAKE_TOOLCHAIN_FILE="$root/sysroot/toolchain.cmake")
else
    rm -rf "$root/sysroot"
    echo "shims.sh: no libc of an older Debian ($(tail -n 1 "$root/sysroot.log")): what is built needs one as new as this machine's." >&2
fi
# Half of the objects know nothing of libtorch: a compiler cache keeps them for the next version.
if command -v ccache >/dev/null; then options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi

facts=$(LIBTORCH=$site/torch scripts/libtorch.sh)
fact() { sed -n "s/^$1=//p" <<<"$facts"; }
abi=${ABI:-$(fact cxx11_abi)}
version=$(fact version)
minor=${version%.*}

# What the shims are made of: the same again is not built again.
made_of=$( (echo "$facts" | grep -v -e ^include -e ^lib -e ^found_by; echo "$abi"; cat "$root/sysroot/done" 2>/dev/null
    find CMakeLists.txt cmake cpp scripts/wheel/shims.sh go.sum -type f -print0 | sort -z | xargs -0 sha256sum) | sha256sum)
tags=("$minor-cpu-abi$abi")
if [ "$(fact cuda)" = 1 ]; then tags+=("$minor-cuda-abi$abi"); fi
if [ "$(cat "$dir/${tags[-1]}/made-of" 2>/dev/null)" = "$made_of" ]; then exit 0; fi

began=$SECONDS
build=$root/cmake-$minor-abi$abi
rm -rf "$build" "${tags[@]/#/$dir/}"
mkdir -p "$build"
CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 cmake -S . -B "$build" -G 'Unix Makefiles' "${options[@]}" -DLIBTORCH="$site/torch" -DLIBTORCH_ABI="$abi" \
    >"$build.log" 2>&1 || { cat "$build.log" >&2; exit 1; }
grep '^-- libtorch' "$build.log"
if grep -q '^CMake Warning' "$build.log"; then # CUDA would be left out
    sed -n '/^CMake Warning/,/^$/p' "$build.log" >&2
    exit 1
fi
CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 cmake --build "$build" --parallel "$jobs" >>"$build.log" 2>&1 || { tail -n 40 "$build.log" >&2; exit 1; }
if grep -n 'warning:' "$build.log"; then echo "shims.sh: the compiler warned (above)." >&2; fi

for tag in "${tags[@]}"; do
    case $tag in
    *-cuda-*) from=lib ;;
    *) from=lib-cpu; [ "$(fact cuda)" = 1 ] || from=lib ;;
    esac
    mkdir -p "$dir/$tag"
    for shim in cgotorch spikedhs; do
        strip --strip-unneeded -o "$dir/$tag/lib$shim.so" "$build/$from/lib$shim.so"
    done
    scripts/wheel/needs.sh "$dir/$tag"
    echo "$version" >"$dir/$tag/torch"
    echo $((SECONDS - began)) >"$dir/$tag/seconds"
    echo "$made_of" >"$dir/$tag/made-of"
done
rm -r "$build"
