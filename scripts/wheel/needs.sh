#!/bin/bash
# needs.sh DIR|FILE...: checks what programs and libraries need: no CUDA runtime of one
# version and no OpenMP library by name. With --tag it prints the oldest manylinux tag
# that all of them run on, by the versions of the symbols that they ask of libc and
# libstdc++ (PEP 600).
set -euo pipefail
tag=
if [ "$1" = --tag ]; then
    tag=yes
    shift
fi
mapfile -t files < <(find "$@" -type f \( -name '*.so' -o -perm -u+x \))
[ "${#files[@]}" -gt 0 ] || { echo "needs.sh: no library in $*" >&2; exit 1; }

for file in "${files[@]}"; do
    needed=$(readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
    if wrong=$(grep -E '^lib(cudart|cuda|nvrtc|gomp|omp|iomp5)\b' <<<"$needed"); then
        echo "needs.sh: $file is linked to $wrong, which belongs to one CUDA version or one OpenMP library." >&2
        exit 1
    fi
    if readelf -d "$file" | grep -qE '\((RPATH|RUNPATH)\)'; then
        echo "needs.sh: $file carries a path of the machine that built it." >&2
        exit 1
    fi
done
[ -n "$tag" ] || exit 0

# versions NAME: the newest version of NAME that one of the files asks for
versions() { for file in "${files[@]}"; do readelf -V "$file"; done | grep -oE "Name: $1_[0-9.]+" | sed "s/.*_//" | sort -uV | tail -n 1; }
glibc=$(versions GLIBC)
glibcxx=$(versions GLIBCXX)
echo "GLIBC $glibc, GLIBCXX $glibcxx, CXXABI $(versions CXXABI)" >&2
# libstdc++ of GCC 8 came with libc 2.28, and PyTorch itself asks for no less. A newer
# libstdc++ is of a distribution with a newer libc: of Debian 12's, say.
oldest=2.28
newest() { printf '%s\n' "$@" | sort -V | tail -n 1; }
if [ "$(newest "$glibcxx" 3.4.24)" != 3.4.24 ]; then oldest=2.31; fi
if [ "$(newest "$glibcxx" 3.4.28)" != 3.4.28 ]; then oldest=2.36; fi
if [ "$(newest "$glibcxx" 3.4.30)" != 3.4.30 ]; then oldest=2.41; fi
echo "manylinux_$(newest "$glibc" "$oldest" | tr . _)"
