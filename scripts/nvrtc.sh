#!/bin/bash
# nvrtc.sh: fetches the compiler of CUDA 12 and that of CUDA 13, as PyTorch's CUDA
# packages bring them along, into build/nvrtc (150 MB). With them the tests compile
# every kernel for every architecture on a machine without a GPU. Needs pip.
#   eval "$(scripts/nvrtc.sh)"      sets SPIKEDHS_NVRTC_12 and SPIKEDHS_NVRTC_13
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$PWD/build/nvrtc
mkdir -p "$folder"

# fetch MAJOR PACKAGE: unpacks the package unless it is there.
fetch() {
    if [ ! -e "$folder/$1/done" ]; then
        rm -rf "${folder:?}/$1"
        mkdir "$folder/$1"
        python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary :all: -d "$folder/$1" "$2" >&2
        (cd "$folder/$1" && python3 -m zipfile -e ./*.whl . && rm -- *.whl && touch done)
    fi
    echo "export SPIKEDHS_NVRTC_$1='$(find "$folder/$1" -name "libnvrtc.so.$1")'"
}

fetch 12 nvidia-cuda-nvrtc-cu12==12.9.86
fetch 13 nvidia-cuda-nvrtc==13.5.37
