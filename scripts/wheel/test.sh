#!/bin/bash
# test.sh WHEEL: the tests of the wheel's Python half; then what a user does: a new
# environment with a PyTorch that the wheel has shims for, pip install of the wheel, a
# search of two steps, training, export, and the model in Python. Nothing of this tree
# is used, and no compiler. TORCH=VERSION takes that PyTorch; empty: the newest that the
# wheel has shims for. KEEP=1 keeps the environment (8 GB).
set -euo pipefail
wheel=$(realpath "$1")
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}

(cd scripts/wheel/test && "$python" -m unittest discover) # not from here, where torch/ is a package of Go

newest=$("$python" -m zipfile -l "$wheel" | sed -n 's|^spikedhs/shims/\([0-9.]*\)-cuda-.*|\1|p' | sort -uV | tail -n 1)
torch=${TORCH:-$newest}
[ "$(tr -cd . <<<"$torch" | wc -c)" != 1 ] || torch="$torch.*"
place=$(mktemp -d)
trap '[ -n "${KEEP:-}" ] || rm -rf "$place"' EXIT
"$python" -m venv "$place/venv"
"$place/venv/bin/pip" install -q --disable-pip-version-check "torch==$torch" numpy
"$place/venv/bin/pip" install -q --disable-pip-version-check "$wheel"

# A user's shell: no Go, no variables of a build, another folder.
mkdir "$place/home" "$place/work"
cd "$place/work"
user() { env -i HOME="$place/home" PATH="$place/venv/bin:/usr/bin:/bin" TERM=dumb "$@"; }
say() { printf '\n$ %s\n' "$*"; user "$@"; }

say spikedhs version
say spikedhs doctor || true # a CUDA build without a GPU is a warning, other machines may have more
# Two steps of each kind: 50 images for the weights, 50 for alpha, in batches of 25.
set_=(--set search.images=100 --set search.epochs=1 --set search.warmup_epochs=0 --set search.batch=25 --set data.test_images=100)
say spikedhs search --config fashion-mnist-demo "${set_[@]}" --out search
say spikedhs train --config fashion-mnist-demo "${set_[@]}" --set train.epochs=1 --set data.train_images=100 --genotype search/genotype.json --out run
say spikedhs eval --run run
say spikedhs export --run run --check
say python -m spikedhs genotype show search/genotype.json
cat >model.py <<'END'
import torch
import spikedhs

print(spikedhs.__version__)
model = spikedhs.load("run/model.pt")
logits = model(torch.rand(2, 1, 28, 28))
assert logits.shape == (2, 10), logits.shape
assert len(model.classes) == 10, model.classes
print(model.predict(torch.rand(1, 1, 28, 28)))
END
say python model.py

# What cannot work says so in one line and ends with 2.
refused() {
    local said status=0
    said=$("$@" 2>&1) || status=$?
    if [ "$status" != 2 ] || [ "$(wc -l <<<"$said")" != 1 ]; then
        printf 'test.sh: wanted one line and exit 2, got %s:\n%s\n' "$status" "$said" >&2
        exit 1
    fi
    printf '\n%s\n' "$said"
}
mv "$place/venv" "$place/moved" # a moved environment goes on working, as long as its Python does
say "$place/moved/bin/spikedhs" version
mv "$place"/moved/lib/python*/site-packages/torch "$place/torch"
refused user "$place/moved/bin/spikedhs" version # no PyTorch
echo
echo "1 passed, 0 failed"
