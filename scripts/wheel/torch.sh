#!/bin/bash
# torch.sh VERSION DIR: unpacks a PyTorch of pip into DIR, as site-packages would hold
# it, without its dependencies (gigabytes) but with the CUDA headers that it was built
# with: all that building the shims needs. VERSION is 2.11, 2.6.0 or, empty, the newest.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=${1:+==$1}
[ "$(tr -cd . <<<"$version" | wc -c)" != 1 ] || version="$version.*"
dir=$2

# Any Python's wheel has the same libraries; 3.12 is one that all releases from 2.4 on have.
fetch() { python3 -m pip download -q --disable-pip-version-check --only-binary :all: --python-version 3.12 -d "$dir/wheels" "$@"; }

rm -rf "$dir"
mkdir -p "$dir/wheels" "$dir/site"
fetch --no-deps "torch$version"
python3 -m zipfile -e "$dir"/wheels/torch-*.whl "$dir/site"
rm "$dir"/wheels/*
cuda=$(sed -n "s/^cuda.*= '\([0-9.]*\)'.*/\1/p" "$dir/site/torch/version.py")
if [ -n "$cuda" ]; then
    # Up to CUDA 12 the version is pinned by torch; later by the package cuda-toolkit.
    # crt/ is a package of its own from CUDA 13 on, and in that of the compiler before:
    # needed where c10's headers are for more than the CUDA runtime's interface.
    pinned=$(sed -n 's/^Requires-Dist: nvidia-cuda-runtime\(-cu12\)\{0,1\} *(\{0,1\}\(==[0-9.*]*\).*/nvidia-cuda-runtime\1\2/p' "$dir"/site/torch-*.dist-info/METADATA)
    case $pinned in
    *-cu12==*)
        fetch --no-deps "$pinned"
        if grep -q 'include <cuda_runtime\.h>' "$dir"/site/torch/include/c10/cuda/*.h; then fetch --no-deps "nvidia-cuda-nvcc-cu12==$cuda.*"; fi
        ;;
    *) fetch --no-deps "nvidia-cuda-runtime==$cuda.*" "nvidia-cuda-crt==$cuda.*" ;;
    esac
    for wheel in "$dir"/wheels/*.whl; do python3 -m zipfile -e "$wheel" "$dir/site"; done
fi
rm -r "$dir/wheels"
