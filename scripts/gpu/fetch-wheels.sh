#!/bin/bash
# fetch-wheels.sh DIR: fetches SpikingJelly's wheel, and the one package that it needs
# and machines with PyTorch lack, into DIR, unless they lie there. Needs pip.
set -euo pipefail
[ ! -e "$1/done" ] || exit 0
rm -rf "$1"
mkdir -p "$1"
printf '%s\n' \
    'spikingjelly==2.0.0 --hash=sha256:dee753bade33e8dca62e88fd4ba6e3c89e6bc56c6fdd9c8c151d5680222edac1' \
    'loguru==0.7.3 --hash=sha256:31a33c10c8e1e10422bfd431aeb5d351c7cf7fa671e3c4df004162264b28220c' >"$1/requirements.txt"
# Of any Python: it is not used here. Both are pure Python.
timeout 120 "${PYTHON:-python3}" -m pip download -q --disable-pip-version-check --retries 1 --no-deps \
    --only-binary :all: --python-version 3.12 --require-hashes -r "$1/requirements.txt" -d "$1"
touch "$1/done"
