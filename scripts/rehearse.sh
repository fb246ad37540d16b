#!/bin/bash
# rehearse.sh [--short] [OUT]: runs the GPU day (.carry/gpu.sh) here, on the fake device of
# make test-device, with small sizes and Python on the CPU, and checks what came of it:
# every stage ran, the archive is small and without weights, what fails or hangs is told
# and stops nothing else, and the time was kept.
#
# It takes the pack of make carry and at most 8 minutes; --short takes a pack of its own,
# some of the stages and less than a minute. OUT keeps the results. BUILD is the folder of
# the fake device's build, build/device by default.
set -euo pipefail
cd "$(dirname "$0")/.."
short=
if [ "${1:-}" = --short ]; then
    short=1
    shift
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
out=${1:-$work/out}
shims=$PWD/${BUILD:-build/device}/lib
problems=0

problem() {
    echo "rehearse.sh: $*" >&2
    problems=1
}

[ -e "$shims/libspikedhs.so" ] || { echo "rehearse.sh: no fake device: run make test-device first." >&2; exit 1; }
# The Python whose PyTorch the fake device was built for.
found_by=$(sed -n 's/.*"found_by": "\([^"]*\)".*/\1/p' "${BUILD:-build/device}/libtorch.json")
if [ -z "${PYTHON:-}" ] && command -v "$found_by" >/dev/null; then export PYTHON=$found_by; fi
if ! "${PYTHON:-python3}" -c 'import torch' 2>/dev/null; then
    echo "rehearse.sh: skipped: ${PYTHON:-python3} has no PyTorch; name one that has with PYTHON"
    exit 0
fi
export OMP_NUM_THREADS=1 GPU_SHIMS=$shims # tiny tensors: threads would only wait for each other

# small_pack FOLDER: a pack with the program and images of one colour, made in seconds.
small_pack() {
    mkdir -p "$1/gpu" "$1/scripts" "$work/programs/bin" "$work/images/data/cifar10"
    cp scripts/gpu/{engine.sh,*.py} "$1/gpu/"
    cp scripts/gpu/{gpu,unpack}.sh "$1/"
    cp scripts/libtorch.sh "$1/scripts/"
    (. build/device/env && go build -o "$work/programs/bin/spikedhs" ./cmd/spikedhs)
    tar -C "$work/programs" -c . | gzip -1 >"$1/programs.tar.gz"
    head -c $((10000 * 3073)) /dev/zero >"$work/images/data/cifar10/train.bin"
    head -c $((2000 * 3073)) /dev/zero >"$work/images/data/cifar10/test.bin"
    printf '%s\n' a b c d e f g h i j >"$work/images/data/cifar10/batches.meta.txt"
    echo cifar10 >"$work/images/data/name"
    echo "images of one colour" >"$work/images/data/README"
    tar -C "$work/images" -c data | gzip -1 >"$1/data.tar.gz"
}

# expect OUT STAGE STATUS...: its row must have one of these.
expect() {
    local file=$1 stage=$2 status
    shift 2
    status=$(tar -xzOf "$file/gpu-results.tar.gz" results/stages.tsv | awk -F '\t' -v n="$stage" '$1 == n { print $2 }')
    case "|$(IFS='|'; echo "$*")|" in
    *"|$status|"*) ;;
    *)
        problem "stage $stage: ${status:-no row}, want one of: $*"
        tar -xzOf "$file/gpu-results.tar.gz" "results/$stage.log" 2>/dev/null | tail -n 5 | cut -c 1-300 >&2 || true
        ;;
    esac
}

# run PACK SECONDS OUT: a call within its time, whose results can be sent.
run() {
    local began=$SECONDS
    bash "$1/gpu.sh" --rehearse "$3" "$2" >"$work/log" 2>&1 || true
    local took=$((SECONDS - began))
    [ "$took" -le "$2" ] || problem "it took $took of $2 s"
    if [ ! -e "$3/gpu-results.tar.gz" ]; then
        problem "no archive; it ended with: $(tail -n 1 "$work/log")"
        exit 1
    fi
    local bytes
    bytes=$(stat -c %s "$3/gpu-results.tar.gz")
    [ "$bytes" -lt $((16 * 1024 * 1024)) ] || problem "the archive has $bytes bytes"
    tar -tzf "$3/gpu-results.tar.gz" >"$work/members"
    ! grep -E '\.(safetensors|pt|pth|bin|onnx)$' "$work/members" || problem "the archive has weights: see above"
    [ "$(find "$3" -type f | wc -l)" = 2 ] || problem "$3 has more than two files"
    cmp -s <(tail -c "$(stat -c %s "$3/summary.md")" "$work/log") "$3/summary.md" || problem "the summary is not the end of the output"
    [ "$(stat -c %s "$3/summary.md")" -lt 8000 ] || problem "the summary has $(stat -c %s "$3/summary.md") bytes"
    echo "took $took of $2 s, the archive has $bytes bytes"
}

# figure OUT FILE PATTERN: what a stage found.
figure() {
    tar -xzOf "$1/gpu-results.tar.gz" "results/$2" >"$work/figure" 2>/dev/null || true
    grep -qE "$3" "$work/figure" || problem "$2 has no $3"
}

if [ -n "$short" ]; then
    pack=$work/carry
    small_pack "$pack"
    stages="setup doctor bench-train training eval export cpu profile"
    GPU_STAGES="setup doctor made-up-failure made-up-hang ${stages#setup doctor }" run "$pack" 150 "$out"
    expect "$out" made-up-failure "failed (3)"
    expect "$out" made-up-hang stopped
    # Nothing but what hangs: the time is kept all the same.
    GPU_STAGES="made-up-hang made-up-failure training" run "$pack" 24 "$work/late"
    expect "$work/late" made-up-hang stopped
    expect "$work/late" made-up-failure "failed (3)"
    expect "$work/late" training "not run"
    # How long a training is planned for: epochs of the whole set, or fewer images.
    echo '{"impl": "spikedhs-graphs", "rate_per_s": 3000}' >"$work/rates"
    planned=$("${PYTHON:-python3}" scripts/gpu/summary.py --plan 80 "$work/rates" cifar10)
    [ "$planned" = train.epochs=2 ] || problem "a training of 80 s at 3,000 images/s is planned as $planned"
    echo '{"impl": "spikedhs", "rate_per_s": 300}' >"$work/rates"
    planned=$("${PYTHON:-python3}" scripts/gpu/summary.py --plan 80 "$work/rates" cifar10 | tr '\n' ' ')
    [ "$planned" = "train.epochs=1 data.train_images=14625 " ] || problem "one at 300 images/s as $planned"
    ! pgrep -f "sleep 86399" >/dev/null || problem "what hung is still there"
else
    [ -e .carry/gpu.sh ] || { echo "rehearse.sh: no pack: run make carry first." >&2; exit 1; }
    run "$PWD/.carry" 480 "$out"
    stages=$(sed -n '/^stages=(/,/^)/s/^ *"\([a-z-]*\) .*/\1/p' .carry/gpu.sh)
    figure "$out" lif.jsonl '"share_of_copy"'
    for name in bench-large bench-search bench-infer stereo-train stereo-stream; do
        figure "$out" "$name.jsonl" '"impl":"spikedhs-graphs".*"samples"'
    done
    figure "$out" tests.tsv '^spike.*[1-9]'
fi
for stage in $stages; do expect "$out" "$stage" ok; done
figure "$out" bench-train.jsonl '"impl":"spikedhs-graphs".*"samples"'
figure "$out" training-epochs.jsonl '"test_top1"'
figure "$out" eval.jsonl '"top1"'
figure "$out" export.jsonl '"max_difference"'
figure "$out" cpu.jsonl '"same_class"'
figure "$out" profile.jsonl '"device_ms"'
[ -n "$short" ] || cat "$out/summary.md"
if [ $problems != 0 ]; then exit 1; fi
echo "rehearsed: $(wc -w <<<"$stages" | tr -d ' ') stages"
