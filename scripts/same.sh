#!/bin/bash
# same.sh OLD [NEW]: shows that two builds compute the same. OLD and NEW are commits or
# programs; without NEW this working tree is built. For moves of code that must change
# no result: run it before and after, name the commit before the move as OLD.
#
# Each build does the same small runs with the same seed, on the CPU, on one thread:
# search, training (cut and resumed), evaluation, export and inference of images, in
# float32 and bfloat16; a training with a search of surrogates, a search of layers, other
# kinds of networks; recordings of events; stereo from made scenes to a stream. What they
# leave is compared byte by byte: records of metrics.jsonl without the wall object,
# tensors of all checkpoints, genotypes (whatever the version of their files), logits of
# the exported models (in PyTorch, if $PYTHON or python3 has it, and through `infer`),
# disparities. Stereo's evaluation may differ by 1e-4 px of mean disparity error, nothing
# else may. Fields that only NEW has are named and allowed.
#
# Prints a table, exits with 1 at a difference. A commit costs a build (half a minute with
# a warm ccache, else minutes); the runs cost half a minute on one core. Both are kept by
# commit in SAME_DIR (default: spikedhs-same in the temporary folder), not done again, and
# go when you remove it.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 1 ] && [ $# -le 2 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$PWD
place=${SAME_DIR:-${TMPDIR:-/tmp}/spikedhs-same}
mkdir -p "$place"
place=$(cd "$place" && pwd)
python=${PYTHON:-}
for p in "$python" python3 /usr/bin/python3; do
    if [ -n "$p" ] && (cd /; "$p" -c 'import torch; torch.jit') 2>/dev/null; then python=$p; break; fi
done
python=${python:-python3}
export OMP_NUM_THREADS=1
if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi

# build COMMIT: builds a commit in a folder of its own and prints where the program is.
build() {
    local folder=$place/$1/source
    if [ ! -x "$folder/bin/spikedhs" ]; then
        echo "building $1" >&2
        rm -rf "$folder"
        mkdir -p "$folder"
        git archive "$1" | tar -x -C "$folder"
        CCACHE_BASEDIR=$folder CCACHE_NOHASHDIR=1 make -C "$folder" build >"$place/$1/build.log" 2>&1 ||
            { tail -n 20 "$place/$1/build.log" >&2; return 1; }
    fi
    echo "$folder/bin/spikedhs"
}

# results PROGRAM|COMMIT|"": does the runs, unless this commit did them, and prints their folder.
results() {
    local program commit="" out
    if [ -z "$1" ]; then
        make build >"$place/build.log" 2>&1 || { tail -n 20 "$place/build.log" >&2; return 1; }
        program=$here/bin/spikedhs
    elif [ -f "$1" ]; then
        program=$(realpath "$1")
    else
        commit=$(git rev-parse --verify --quiet "$1^{commit}") ||
            { echo "same.sh: $1 is no commit and no program" >&2; return 1; }
        mkdir -p "$place/$commit"
        exec 9>"$place/$commit/lock" # two calls at once share what one of them makes
        flock 9
        program=$(build "$commit") || return 1
    fi
    runs=$(cat scripts/same.sh scripts/same.py | sha256sum | cut -c 1-8) # other runs, other results
    out=${commit:+$place/$commit/results-$runs}
    out=${out:-$(mktemp -d "$place/results.XXXX")}
    if [ ! -e "$out/done" ]; then
        rm -rf "$out"
        mkdir -p "$out"
        echo "running $program" >&2
        (cd "$out" && runs "$program") 9>&- || return 1
        touch "$out/done"
    fi
    echo "$out"
}

# step NAME ARGUMENTS...: one command; its JSON goes to NAME.json, its words to logs/NAME.
step() {
    local name=$1
    shift
    "$program" "$@" --json >"$name.json" 2>"logs/$name" ||
        { echo "same.sh: $name failed in $PWD: spikedhs $*" >&2; tail -n 3 "logs/$name" >&2; exit 1; }
}

# runs PROGRAM: all runs, in the working folder.
runs() {
    program=$1
    local name
    mkdir logs
    "$python" "$here/scripts/same.py" data data || exit 1
    # Images: the whole way in float32, then in bfloat16 with the published cells.
    step search search --config data/image.toml --out image-search
    step cut train --config data/image.toml --out image --genotype image-search/genotype.json --max-steps 11
    step train train --out image --resume
    step eval eval --run image
    step export export --run image --check --check-images 60
    step infer infer --model image/model.pt --dataset fashion-mnist --data data/images --index 0-59
    step search-bfloat16 search --config data/image.toml --out bfloat16-search --precision bfloat16 \
        --set search.epochs=3
    step train-bfloat16 train --config data/image.toml --out bfloat16 --precision bfloat16 --genotype spikedhs-cla-n3 \
        --set train.epochs=1
    step export-bfloat16 export --run bfloat16
    # Surrogates, layers, other kinds of networks.
    step train-dgs train --config data/image.toml --out dgs --genotype image-search/genotype.json \
        --set 'dgs.layers=["auto"]'
    step search-layers search --config data/image.toml --out layers-search --set search.layer_search=true \
        --set network.downsample=nearest --set 'network.levels=[0, 0, 0]' --set 'network.stem_strides=[2]' \
        --set search.trellis_levels=3
    step train-layers train --config data/image.toml --out layers --genotype layers-search/genotype.json \
        --set train.epochs=1
    step export-layers export --run layers
    step train-other train --config data/image.toml --out other --genotype spikedhs-cla-n3 --set train.epochs=1 \
        --set network.bn=per-step --set network.head=lif --set train.mixing=spike --set network.surrogate=arctan \
        --set 'network.stem_strides=[1, 2]'
    step export-other export --run other
    step train-relu train --config data/image.toml --out relu --genotype spikedhs-cla-n3 --set train.epochs=1 \
        --set network.activation=relu --set network.steps=1
    step random search --config data/image.toml --out drawn --random 4
    step train-pictures train --config data/image.toml --out pictures --genotype spikedhs-cla-n3 --set train.epochs=1 \
        --set data.name=image-folder --set data.path=data/pictures --set data.pad=0 --set data.size=16
    # Recordings of events.
    step search-events search --config data/event.toml --out event-search --set data.stack=counts
    step train-events train --config data/event.toml --out event --genotype event-search/genotype.json \
        --set data.stack=ternary --set data.events=count
    step eval-events eval --run event
    step export-events export --run event
    step infer-events infer --model event/model.pt data/recordings/Test/*/*.bin
    # Stereo.
    step synth data synth --scenes 4 --frames 4 --seed 3 --out scenes
    step stereo-search search --config data/stereo.toml --out stereo-search
    step stereo-cut train --config data/stereo.toml --out stereo --genotype stereo-search/genotype.json --max-steps 3
    step stereo-train train --out stereo --resume
    step stereo-dgs train --config data/stereo.toml --out stereo-bfloat16 --precision bfloat16 --set train.epochs=1 \
        --set 'dgs.layers=["auto"]'
    step stereo-eval eval --run stereo
    step stereo-export export --run stereo --check
    name=$(cd scenes && ls -d scene* | tail -n 1)
    step stereo-infer infer --model stereo/model.pt "scenes/$name" --out stereo/maps --format npy
    step stereo-stream stream --model stereo/model.pt --events "scenes/$name" --out stereo/stream --format npy
}

old=$(results "$1")
new=$(results "${2:-}")
"$python" "$here/scripts/same.py" compare "$old" "$new" || { echo "see $old and $new"; exit 1; }
for out in "$old" "$new"; do
    case $out in *-????????) ;; *) rm -rf "$out" ;; esac # those of programs
done
