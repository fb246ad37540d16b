#!/bin/bash
# carry.sh: fills .carry/ with what a machine needs that has PyTorch and no Go (a GPU
# box): the Go binaries, which need the two shims alone, the sources of the shims, CUDA
# kernels included (NVRTC compiles them there), data, and SpikingJelly's wheel. There:
#   .carry/gpu.sh OUT SECONDS        does all that a GPU is wanted for, in one call
# or one by one:
#   .carry/build.sh                  builds the shims against that machine's PyTorch
#   .carry/bin/spikedhs ...          runs the program
#   .carry/test.sh [TEST FLAGS]      runs all tests; -test.run, -test.v and so on
# What is large lies in archives, which these scripts unpack (.carry/unpack.sh DIR), and
# all of it together fits 64 MiB.
#
# Shims that `make wheel` has built for a PyTorch with CUDA travel along, so that nothing
# is built there: TORCH=2.11 make wheel carry. $SPIKEDHS_DATA or ../shared/data may hold
# CIFAR-10.
set -euo pipefail
cd "$(dirname "$0")/.."
. build/env

limit=$((64 * 1024 * 1024))
die() {
    echo "carry.sh: $*" >&2
    exit 1
}
command -v xz >/dev/null || die "xz is missing: install xz-utils."

rm -rf .carry
mkdir -p .carry/gpu
scripts/shim-sources.sh .carry
cp scripts/gpu/{engine.sh,*.py} .carry/gpu/
cp scripts/gpu/{gpu,build,test,unpack}.sh .carry/
chmod +x .carry/*.sh

# -s -w: no symbol tables, to travel light. The rpath in the binaries leads
# from bin/ and test/ to ../lib/spikedhs, where the shims are put.
programs=build/carry/programs
rm -rf "$programs"
mkdir -p "$programs"/{bin,test}
go build -ldflags "-s -w -X main.version=${VERSION:-unknown}" -o "$programs/bin/spikedhs" ./cmd/spikedhs
# Only what reaches libtorch is worth testing on another machine.
module=$(go list -m)
go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}} {{join .Deps ","}},{{.ImportPath}},{{end}}' ./... |
    while read -r package dir deps; do
        case ",$deps" in *",$module/torch,"*) ;; *) continue ;; esac
        relative=${dir#"$PWD"/}
        go test -c -ldflags '-s -w' -o "$programs/test/${relative//\//_}.test" "$package"
        echo "$relative" >>"$programs/test/packages"
    done
for shims in build/wheel/shims/*-cuda-*; do
    [ -e "$shims/libspikedhs.so" ] || continue
    # Shims of other sources may take other arguments, which nothing would notice.
    if [ -n "$(find CMakeLists.txt cmake cpp -newer "$shims/libspikedhs.so" -print -quit)" ]; then
        echo "carry.sh: the shims for ${shims##*/} are older than their sources and stay here: run make wheel first" >&2
        continue
    fi
    install -D -t "$programs/shims/${shims##*/}" "$shims"/*.so
done
# One archive: the binaries are largely the same code, which the compressor sees once.
tar -C "$programs" -c . | xz -9 -T1 >.carry/programs.tar.xz

scripts/gpu/pack-data.sh build/carry/data
cp build/carry/data/data.tar.xz .carry/

# SpikingJelly is only compared with: without it the rest is worth as much.
if scripts/gpu/fetch-wheels.sh build/carry/wheels; then
    cp -R build/carry/wheels .carry/wheels
else
    echo "carry.sh: SpikingJelly's wheel could not be had, so nothing is compared with it there: see above" >&2
fi

size=$(du -sb --apparent-size .carry | cut -f 1)
tree=$(git ls-files -z | du -cb --files0-from=- | tail -n 1 | cut -f 1)
mib() { awk -v n="$1" 'BEGIN { printf "%.1f MiB", n / 1048576 }'; }
echo ".carry: $(mib "$size") of 64 ($(mib $((size + tree))) with the project's files); data: $(cat build/carry/data/summary)"
[ "$size" -le "$limit" ] || die "$(mib "$size") are more than the 64 MiB that travel: leave out shims (build/wheel/shims) or data."
