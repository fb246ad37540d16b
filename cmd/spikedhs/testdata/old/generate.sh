#!/bin/bash
# generate.sh PROGRAM: fills files.tar.gz with files of that build: runs that were stopped in
# the middle, exported models, genotypes, and in expected/ what the build says of them. What
# lies here was made at 383d48b and stays: TestOldFiles reads it with every later program.
set -euo pipefail
PATH=$(cd "$(dirname "$1")" && pwd):$PATH # its command line is recorded
here=$(cd "$(dirname "$0")" && pwd)
scripts=$here/../../../../scripts
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export OMP_NUM_THREADS=1
python3 "$scripts/same.py" data data 4
rm -r data/pictures

image=(--set search.batch=5 --set train.width=2 --set train.epochs=3 --set train.batch=10
    --set train.auxiliary_weight=0.0)
stereo=(--set search.images=8 --set train.batch=2)
quietly() { spikedhs "$@" >/dev/null 2>log || { cat log >&2; exit 1; }; }

# Genotypes: found, on a path, of stereo.
quietly search --config data/image.toml "${image[@]}" --out whole
quietly search --config data/image.toml "${image[@]}" --out layers --set search.layer_search=true \
    --set network.downsample=nearest --set 'network.levels=[0, 0, 0]' --set 'network.stem_strides=[2]' --set search.trellis_levels=3
quietly data synth --scenes 4 --frames 3 --seed 3 --out scenes
quietly search --config data/stereo.toml "${stereo[@]}" --out stereo-whole
mkdir genotypes expected
cp whole/genotype.json genotypes/cells.json
cp layers/genotype.json genotypes/path.json
cp stereo-whole/genotype.json genotypes/stereo.json
cp "$here"/../../../../search/genotype/testdata/npy/{feature_mixed,matching}.npy genotypes/

# Runs that were stopped.
quietly search --config data/image.toml "${image[@]}" --out search --max-steps 6
quietly search --config data/stereo.toml "${stereo[@]}" --out stereo-search --max-steps 3 \
    --set stereo.matching_layers=1
quietly train --config data/image.toml "${image[@]}" --out image --genotype genotypes/cells.json --max-steps 9
quietly train --config data/event.toml "${image[@]}" --out event --genotype genotypes/path.json --max-steps 8
quietly train --config data/stereo.toml "${stereo[@]}" --out stereo --genotype genotypes/stereo.json --max-steps 3
for run in image event stereo; do quietly export --run $run; done

# Some 500 events of two cameras of 54x42 pixels, three steps of 50 ms.
python3 - <<'PYTHON'
import random
import struct

rng = random.Random(1)
with open("events.bin", "wb") as f:
    f.write(b"SDHSEV01" + struct.pack("<2H4x", 54, 42))
    for i in range(500):
        f.write(struct.pack("<qHHbBH", 300 * i, rng.randrange(54), rng.randrange(42), rng.choice((-1, 1)), i % 2, 0))
PYTHON

# What the build says of them.
for run in image event stereo; do spikedhs eval --run $run --json >expected/$run-eval.json 2>log; done
spikedhs infer --model image/model.pt --dataset fashion-mnist --data data/images --index 0-14 --json \
    >expected/image.json 2>log
spikedhs infer --model event/model.pt data/recordings/Test/*/*.bin --json >expected/event.json 2>log
quietly infer --model stereo/model.pt events.bin --out expected/window.npy
spikedhs stream --model stereo/model.pt --events events.bin --format raw 2>log | gzip -9n >expected/stream.raw.gz
for run in search stereo-search image event stereo; do
    cp -r $run resumed-$run
    verb=train
    case $run in *search) verb=search ;; esac
    spikedhs $verb --resume --out resumed-$run --json >expected/$run-resumed.json 2>log
done

rm data/*.toml
for run in search stereo-search image event stereo; do
    rm -rf $run/{events.*,*.svg,*.dot,*.html,pictures,evaluation.json}
done
tar --sort=name --mtime=2026-01-01 --owner=0 --group=0 --numeric-owner -c \
    data genotypes events.bin expected search stereo-search image event stereo | gzip -9n >"$here/files.tar.gz"
ls -l "$here/files.tar.gz"
