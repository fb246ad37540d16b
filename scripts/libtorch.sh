#!/bin/sh
# Finds the libtorch to build against and prints what CMakeLists.txt needs to
# know about it, one key=value a line. Where there is none that can be used, it
# prints one sentence that says what to do and exits with 1.
#
# The order is: the folder in $LIBTORCH; the PyTorch of $PYTHON, of the python3
# in PATH, of /usr/bin/python3; the system's own (libtorch-dev).
#
# Torch's own CMake package is not used: with a CUDA build of libtorch it
# refuses to load where the CUDA toolkit is not installed, though linking a few
# shared libraries needs no toolkit.
set -eu

oldest=1.13

die() {
    echo "libtorch.sh: $*" >&2
    exit 1
}

# probe INCLUDE LIB: does this pair of folders hold headers and libraries?
probe() {
    [ -e "$1/torch/csrc/api/include/torch/version.h" ] && [ -e "$2/libtorch_cpu.so" ] && [ -e "$2/libc10.so" ]
}

# version INCLUDE: newer releases keep the numbers in torch/headeronly.
version() {
    cat "$1/torch/csrc/api/include/torch/version.h" "$1/torch/headeronly/version.h" 2>/dev/null |
        awk '$2 ~ /^TORCH_VERSION_(MAJOR|MINOR|PATCH)$/ && $3 ~ /^[0-9]+$/ { v[$2] = $3 }
             END { printf "%d.%d.%d", v["TORCH_VERSION_MAJOR"], v["TORCH_VERSION_MINOR"], v["TORCH_VERSION_PATCH"] }'
}

# standard INCLUDE: the C++ standard the headers ask for with their #error, but
# at least 17, which the shim itself is written in.
standard() {
    if grep -q '__cplusplus < 202002L' "$1/torch/csrc/api/include/torch/all.h"; then echo 20; else echo 17; fi
}

# cxx11_abi LIB: 1 when c10's own symbols use the new std::string. The library
# itself is asked, since no file that describes it is present in every build.
cxx11_abi() {
    if LC_ALL=C grep -aq '_ZNK\{0,1\}3c10[A-Za-z0-9_]*__cxx11' "$1/libc10.so"; then echo 1; else echo 0; fi
}

# report HOW INCLUDE LIB
report() {
    include=$(cd "$2" && pwd)
    lib=$(cd "$3" && pwd)
    v=$(version "$include")
    if [ "$(printf '%s\n%s\n' "$oldest" "$v" | sort -V | head -n 1)" != "$oldest" ]; then
        die "libtorch $v in $lib is too old: $oldest or newer is needed, so install one or set LIBTORCH to its folder."
    fi
    cuda=0
    [ ! -e "$lib/libtorch_cuda.so" ] || cuda=1
    printf '%s\n' "found_by=$1" "include=$include" "lib=$lib" "version=$v" "standard=$(standard "$include")" \
        "cxx11_abi=$(cxx11_abi "$lib")" "cuda=$cuda"
    exit 0
}

if [ -n "${LIBTORCH:-}" ]; then
    probe "$LIBTORCH/include" "$LIBTORCH/lib" ||
        die "LIBTORCH=$LIBTORCH holds no libtorch (include/ and lib/ with libtorch_cpu.so): correct it or unset it."
    report LIBTORCH "$LIBTORCH/include" "$LIBTORCH/lib"
fi

# find_spec locates the package without importing it: quick, and it works where
# an import would fail on a missing driver. Debian's python3-torch links to the
# system's libtorch and has no headers until libtorch-dev is there too.
for python in "${PYTHON:-}" python3 /usr/bin/python3; do
    [ -n "$python" ] || continue
    root=$("$python" -c 'import importlib.util as u; print(u.find_spec("torch").submodule_search_locations[0])' 2>/dev/null) || continue
    if probe "$root/include" "$root/lib"; then
        report "$python" "$root/include" "$root/lib"
    fi
done

multiarch=$(${CC:-cc} -print-multiarch 2>/dev/null || true)
for prefix in /usr/local /usr; do
    for lib in "lib/$multiarch" lib64 lib; do
        if probe "$prefix/include" "$prefix/$lib"; then
            report system "$prefix/include" "$prefix/$lib"
        fi
    done
done

die "no libtorch found: run 'make deps', or install PyTorch for python3, or set LIBTORCH to the folder of an unpacked libtorch ($oldest or newer)."
