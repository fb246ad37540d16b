#!/bin/bash
# gpu.sh OUT SECONDS: everything that a GPU is wanted for, in one call: checks, CUDA tests,
# benchmarks beside PyTorch and SpikingJelly, a training, and its model loaded on the CPU.
# The machine needs PyTorch (PYTHON: the program, python3 by default), and cmake and g++
# where no shims for it were packed. Neither Go nor the network.
#
# It takes SECONDS at most (480 by default). Every stage has a limit, and one that fails
# or hangs takes nothing from the others. OUT gets summary.md, which is printed as well,
# and gpu-results.tar.gz with the output of all stages, below 16 MiB and without weights.
# Both are written anew after every stage.
#
#   --rehearse   small sizes, and Python on the CPU: for scripts/rehearse.sh
#   GPU_SHIMS    a folder with the two shims to take instead of packed or built ones
#   GPU_STAGES   the names of the stages to run, in order; all by default
set -uo pipefail
export HERE=${HERE:-$(cd "$(dirname "$0")" && pwd)}
. "$HERE/gpu/engine.sh"

# The stages, most valuable first: their share of the time that is left when their turn
# comes, and the seconds without which they are not begun. Shares say how long a stage may
# take where all goes badly; what it does not take is for those behind it.
stages=(
    "setup          300 10"
    "doctor          60  5"
    "tests          110 10"
    "lif             90 10"
    "bench-train    130 20"
    "training       120 20"
    "eval            25  5"
    "export          25  5"
    "cpu             30  5"
    "bench-large     90 20"
    "profile         30 10"
    "bench-search    70 20"
    "bench-infer     60 15"
    "stereo-train    55 15"
    "stereo-stream   50 15"
)

# What is measured, and how much of it in a rehearsal.
repeats=(--repeats 3 --seconds 0.5)
few=(--repeats 1 --seconds 0.02 --threads 1)
sizes() {
    local tiny="--width 2 --steps 2 --size 8"
    case ${REHEARSE:+small}-$1 in
    -lif) echo "--batch 128 --width 64 --steps 6 --size 64" ;;
    -bench-train) echo "--batch 50 --width 48" ;;
    -bench-large) echo "--batch 256 --width 48" ;;
    -bench-search) echo "--batch 50 --width 16" ;;
    -bench-infer) echo "--batch 256 --width 48" ;;
    -stereo-*) echo "--size full" ;;
    -profile) echo "--task train --batch 256 --width 48" ;;
    small-lif) echo "--batch 2 --width 8 --steps 6 --size 16" ;;
    small-bench-train) echo "--batch 2 $tiny" ;;
    small-bench-large) echo "--batch 4 $tiny" ;;
    small-bench-search) echo "--batch 2 --nodes 2 $tiny" ;;
    small-bench-infer) echo "--batch 4 $tiny" ;;
    small-stereo-*) echo "--size small" ;;
    small-profile) echo "--task train --batch 2 $tiny --threads 1" ;;
    esac
}

# ---- stages

# setup unpacks, takes shims for this PyTorch or builds them, and looks at the machine.
stage_setup() {
    local began=$SECONDS tag key value
    bash "$HERE/unpack.sh" "$WORK" || return 1
    echo "unpacked in $((SECONDS - began)) s"
    lay_data || return 1
    cp "$WORK/data/README" "$RESULTS/data.txt"
    PYTHON=$PYTHON sh "$HERE/scripts/libtorch.sh" >"$RESULTS/libtorch.txt" || return 1
    cat "$RESULTS/libtorch.txt"
    local -A torch=()
    while IFS='=' read -r key value; do torch[$key]=$value; done <"$RESULTS/libtorch.txt"
    tag=$(cut -d . -f 1,2 <<<"${torch[version]}")
    tag=$tag-$([ "${torch[cuda]}" = 1 ] && echo cuda || echo cpu)-abi${torch[cxx11_abi]}
    echo "${torch[lib]}" >"$WORK/libtorch"
    if [ -n "${GPU_SHIMS:-}" ]; then
        mkdir -p "$WORK/lib" && ln -sfn "$(cd "$GPU_SHIMS" && pwd)" "$WORK/lib/spikedhs"
        echo "given: $GPU_SHIMS" >"$RESULTS/shims.txt"
    elif prebuilt "$WORK/shims/$tag" || prebuilt "$HERE/shims/$tag"; then
        echo "prebuilt for $tag" >"$RESULTS/shims.txt"
    else
        echo "no shims for $tag were packed (or they do not load), so they are built"
        began=$SECONDS
        PYTHON=$PYTHON bash "$HERE/build.sh" "$WORK" || return 1
        echo "built in $((SECONDS - began)) s" >"$RESULTS/shims.txt"
    fi
    cat "$RESULTS/shims.txt"
    use_shims && spikedhs version
}

# prebuilt FOLDER: takes its shims if the program starts with them.
prebuilt() {
    [ -e "$1/libspikedhs.so" ] || return 1
    mkdir -p "$WORK/lib" && ln -sfn "$1" "$WORK/lib/spikedhs"
    (use_shims && spikedhs version) && return
    rm "$WORK/lib/spikedhs"
    return 1
}

# lay_data puts the packed images where the program reads them. CIFAR-10 must have all its
# files: each image is there five times.
lay_data() {
    local name to i
    name=$(cat "$WORK/data/name") || return 1
    to=$WORK/sets/$name
    mkdir -p "$to"
    if [ "$name" = cifar10 ]; then
        for i in 1 2 3 4 5; do
            ln -f "$WORK/data/cifar10/train.bin" "$to/data_batch_$i.bin"
            cat "$WORK/data/cifar10/test.bin"
        done >"$to/test_batch.bin"
        cp "$WORK/data/cifar10/batches.meta.txt" "$to/"
    else
        cp "$WORK/data/$name"/* "$to/"
    fi
}

# use_shims lets the program find libtorch; the shims lie in ../lib/spikedhs beside it.
use_shims() {
    export LD_LIBRARY_PATH
    LD_LIBRARY_PATH=$(cat "$WORK/libtorch" 2>/dev/null)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
}

spikedhs() { "$WORK/bin/spikedhs" "$@"; }

stage_doctor() {
    {
        if command -v nvidia-smi >/dev/null; then
            nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,power.limit --format=csv,noheader
        else
            echo "no nvidia-smi"
        fi
        lscpu | grep -E '^(Model name|CPU\(s\))'
        free -g | awk '/^Mem/ { print $2 " GiB of memory" }'
        "$PYTHON" -c 'import sys, torch
print("Python", sys.version.split()[0], "PyTorch", torch.__version__)
print("CUDA", torch.version.cuda, "cuDNN", torch.backends.cudnn.version())'
        uname -r
    } 2>&1 | tee -i "$RESULTS/machine.txt"
    use_shims
    spikedhs doctor --json | tee -i "$RESULTS/doctor.jsonl"
}

# The tests that a CUDA device is needed for. Of the kernels' tests those of a few numbers
# of time steps: every version is compiled before it runs.
stage_tests() {
    use_shims
    local failed=0
    [ -d "$HERE/../torch" ] || skip "the tests read files of the project, which is not beside $HERE"
    : >"$RESULTS/tests.tsv"
    run_tests torch 'CUDA|^TestRecord|Capability' || failed=1
    run_tests train 'Resident|Recorded|PrecisionOfDevices' || failed=1
    run_tests cmd/spikedhs/internal/doctor CUDA || failed=1
    local steps='1|5|6|9'
    [ -z "$REHEARSE" ] || steps=6
    run_tests spike "^TestCUDAKernels\$/^T=($steps)_" || failed=1
    [ -n "$REHEARSE" ] || run_tests spike '^TestFamiliesOnCUDA$' || failed=1
    return $failed
}

# run_tests PACKAGE PATTERN: package, pattern, passed, failed, skipped, seconds.
run_tests() {
    local log=$WORK/tests.out status began=$SECONDS
    (cd "$HERE/../$1" && "$WORK/test/${1//\//_}.test" -test.v -test.run "$2" -test.timeout 300s) >"$log" 2>&1
    status=$?
    grep -vE '^ *--- PASS|^=== ' "$log" | tail -n 200
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$(grep -c '^ *--- PASS' "$log")" "$(grep -c '^ *--- FAIL' "$log")" \
        "$(grep -c '^ *--- SKIP' "$log")" $((SECONDS - began)) | tee -ia "$RESULTS/tests.tsv"
    return $status
}

# A step of SpikingJelly's neuron: much of it is imported when it is first used.
TRIAL='import torch
from spikingjelly.activation_based import functional, layer, surrogate
functional.lif_multi_step(torch.zeros(2, 1), torch.zeros(1), 1.25, False, 0.5, 0.0, surrogate.ATan())'

# find_others says what to compare with: VS, and where that is not all, why (OTHERS).
find_others() {
    local reason site=$WORK/site wheel
    VS=() OTHERS=
    if ! reason=$("$PYTHON" -c 'import torch' 2>&1); then
        OTHERS="Python has no PyTorch: $(tail -n 1 <<<"$reason")"
        return
    fi
    VS=(python)
    mkdir -p "$site"
    for wheel in "$HERE"/wheels/*.whl; do
        [ -e "$wheel" ] && [ ! -e "$site/.$(basename "$wheel")" ] || continue
        "$PYTHON" -m zipfile -e "$wheel" "$site" && touch "$site/.$(basename "$wheel")"
    done
    export PYTHONPATH=$site${PYTHONPATH:+:$PYTHONPATH}
    if [ ! -d "$site/spikingjelly" ]; then
        OTHERS="SpikingJelly's wheel was not packed"
    elif reason=$("$PYTHON" -c "$TRIAL" 2>&1); then
        VS+=(spikingjelly)
    else
        OTHERS="SpikingJelly does not work with this PyTorch: $(tail -n 1 <<<"$reason")"
    fi
    [ -z "$OTHERS" ] || echo "$OTHERS" | tee -i "$RESULTS/others.txt"
}

# compare NAME TASK [SIDE...]: a benchmark of our side, eager and as graphs, beside those
# sides of VS that are named.
compare() {
    local name=$1 task=$2 sides=() side
    shift 2
    use_shims
    find_others
    for side in "$@"; do
        case " ${VS[*]} " in *" $side "*) sides+=("$side") ;; esac
    done
    # The soft limit comes before that of the stage, so that there are figures by then.
    local flags=(--device cuda --precision auto --graphs --python "$PYTHON" --json --most $((LIMIT * 6 / 10)))
    [ ${#sides[@]} = 0 ] || flags+=(--vs "$(IFS=,; echo "${sides[*]}")")
    if [ -n "$REHEARSE" ]; then flags+=(--python-device cpu "${few[@]}"); else flags+=("${repeats[@]}"); fi
    # shellcheck disable=SC2046 # flags and their values
    spikedhs bench "$task" $(sizes "$name") "${flags[@]}" | tee -ia "$RESULTS/$name.jsonl"
}

stage_bench-train() { compare bench-train train python spikingjelly; }
# Six networks of this size at once may not fit the device.
stage_bench-large() {
    LIMIT=$((LIMIT / 2))
    compare bench-large train python
    local status=$?
    find_others
    case " ${VS[*]} " in *" spikingjelly "*) compare bench-large train spikingjelly || status=$? ;; esac
    return $status
}
stage_bench-search() { compare bench-search search python; }
stage_bench-infer() { compare bench-infer infer python spikingjelly; }
stage_stereo-train() { compare stereo-train stereo-train python; }
stage_stereo-stream() { compare stereo-stream stereo-stream python; }

# lif: beside a copy, and where it can be had beside SpikingJelly's kernel.
stage_lif() {
    use_shims
    find_others
    local flags=(--device cuda --json)
    if [ -n "$REHEARSE" ]; then flags+=(--python-device cpu "${few[@]}"); else flags+=("${repeats[@]}"); fi
    case " ${VS[*]} " in *" spikingjelly "*) flags+=(--vs spikingjelly --python "$PYTHON") ;; esac
    # shellcheck disable=SC2046
    spikedhs bench lif $(sizes lif) "${flags[@]}" | tee -i "$RESULTS/lif.jsonl"
}

# The training takes what its limit allows, at the speed that was measured.
stage_training() {
    use_shims
    local name preset settings=()
    name=$(cat "$WORK/data/name")
    preset=$([ "$name" = cifar10 ] && echo cifar10-n3 || echo fashion-mnist)
    if [ -n "$REHEARSE" ]; then
        settings=(data.train_images=64 data.test_images=32 train.width=2 train.batch=16 train.epochs=2)
        settings+=(search.batch=2 run.threads=1)
    else
        mapfile -t settings < <("$PYTHON" "$HERE/gpu/summary.py" --plan "$LIMIT" "$RESULTS/bench-train.jsonl" "$name")
    fi
    printf '%s\n' "$preset" "${settings[@]}" | tee -i "$RESULTS/training.txt"
    rm -rf "$WORK/run"
    trap : INT # the program ends with a checkpoint, and what it has is kept
    spikedhs train --config "$preset" --genotype spikedhs-cla-n3 --device cuda --precision auto \
        --set data.path="$WORK/sets/$name" --set run.graphs=auto --set train.eval_every=1 "${settings[@]/#/--set=}" \
        --out "$WORK/run" --json >"$RESULTS/training.jsonl"
    local status=$?
    cp "$WORK"/run/{run.json,config.toml,evaluation.json} "$RESULTS/" 2>/dev/null
    cp "$WORK/run/metrics.jsonl" "$RESULTS/training-epochs.jsonl"
    cat "$RESULTS/training.jsonl"
    return $status
}

has_run() { [ -e "$WORK/run/checkpoints/last.safetensors" ] || skip "there is no trained network"; }

stage_eval() {
    use_shims
    has_run
    spikedhs eval --run "$WORK/run" --device cuda --json | tee -i "$RESULTS/eval.jsonl"
}

stage_export() {
    use_shims
    has_run
    local images=1000
    [ -z "$REHEARSE" ] || images=16
    spikedhs export --run "$WORK/run" --out "$WORK/model.pt" --check --check-images $images --device cuda --json |
        tee -i "$RESULTS/export.jsonl"
}

# cpu: the model from the GPU, loaded on the CPU by the program and by plain Python.
stage_cpu() {
    use_shims
    local name
    [ -e "$WORK/model.pt" ] || skip "there is no exported model"
    name=$(cat "$WORK/data/name")
    spikedhs infer --model "$WORK/model.pt" --dataset "$name" --dir "$WORK/sets/$name" --index 0-49 \
        --device cpu --json >"$RESULTS/infer.jsonl" || return 1
    "$PYTHON" "$HERE/gpu/load_model.py" "$WORK/model.pt" "$WORK/sets/$name" "$RESULTS/infer.jsonl" |
        tee -i "$RESULTS/cpu.jsonl"
}

stage_profile() {
    use_shims
    # shellcheck disable=SC2046
    spikedhs bench profile $(sizes profile) --device cuda --precision auto --repeats 3 --top 25 --json |
        tee -i "$RESULTS/profile.jsonl"
}

# Two that a test asks for by name.
stage_made-up-failure() { echo "this stage fails on purpose" && return 3; }
stage_made-up-hang() { sleep 86399; }

# ---- one stage, or all of them

if [ "${1:-}" = --stage ]; then
    trap 'exit 130' INT TERM
    "stage_$2"
    exit $?
fi

export REHEARSE=
if [ "${1:-}" = --rehearse ]; then
    REHEARSE=1
    shift
fi
if [ $# -lt 1 ] || ! [[ ${2:-480} =~ ^[1-9][0-9]*$ ]]; then
    echo "gpu.sh: usage: gpu.sh [--rehearse] OUT [SECONDS]" >&2
    exit 2
fi
mkdir -p "$1" || exit 1
OUT=$(cd "$1" && pwd)
total=${2:-480}
# What is kept free: to end a stage that hangs, and for the last archive.
export DEADLINE=$(($(date +%s) + total - (total > 60 ? 12 : total / 5)))
export PYTHON=${PYTHON:-python3} OUT
WORK=$(mktemp -d "${TMPDIR:-/tmp}/spikedhs-gpu.XXXXXX")
export WORK RESULTS=$WORK/results
trap 'rm -rf "$WORK"' EXIT
mkdir "$RESULTS"
# The kernels are compiled once, for all stages.
export SPIKEDHS_CACHE=$WORK/cache PYTHONUNBUFFERED=1
unset SPIKEDHS_DATA

wanted=()
for row in "${stages[@]}"; do
    [ -z "${GPU_STAGES:-}" ] && wanted+=("$row")
done
for name in ${GPU_STAGES:-}; do
    found="$name 8 1" # of a test
    for row in "${stages[@]}"; do
        case $row in "$name "*) found=$row ;; esac
    done
    wanted+=("$found")
done
run_stages "$HERE/gpu.sh" "${wanted[@]}"
echo
cat "$OUT/summary.md"
# A failed stage is a result too; the call as a whole fails where nothing could run.
cut -f 2 "$RESULTS/stages.tsv" | grep -qx ok
