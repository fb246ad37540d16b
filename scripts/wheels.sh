#!/bin/bash
# wheels.sh VERSION...: shows that this works with the PyTorch that pip installs, one
# version after the other: a new environment with that PyTorch and what it depends on;
# both shims, of both kinds, built with its own CUDA headers alone (no toolkit, no CUDA_HOME), linked,
# and complete (ldd -r); doctor, and a device that is asked for and not there; then all
# tests of the CPU. Each finished row is a line of JSON in docs/results/wheels.jsonl, and
# a row that is there for the sources of now is not made again. `wheels.sh --table`
# prints them for docs/cuda.md.
#
# An environment takes up to 8 GB and is deleted after its row. WORK is where they lie,
# PYTHON what makes them. TESTS: arguments of go test, ./... by default.
set -euo pipefail
cd "$(dirname "$0")/.."
results=docs/results/wheels.jsonl

if [ "${1:-}" = --table ]; then
    exec python3 - "$results" <<'END'
import json, sys
rows = {}
for line in open(sys.argv[1]):
    row = json.loads(line)
    rows[tuple(int(n) for n in row["torch"].split("."))] = row  # the last one counts
print("| PyTorch | CUDA | C++ | ABI | Python | `ldd -r` | without a driver | tests passed | failed | skipped |")
print("|---|---|---|---|---|---|---|---|---|---|")
for version in sorted(rows):
    r = rows[version]
    print(f"| {r['torch']} | {r['cuda']} | {r['standard']} | {r['abi']} | {r['python']} | {r['ldd']} | {r['no_driver']} | {r['passed']} | {r['failed']} | {r['skipped']} |")
END
fi
[ $# -gt 0 ] || set -- 2.4.1 2.6.0 2.8.0 2.11.0 2.13.0 2.14.1 2.15.0

unset CUDA_HOME CUDA_PATH
python=${PYTHON:-python3}
work=${WORK:-$PWD/build/wheels}
mkdir -p "$work" docs/results
export SPIKEDHS_CACHE=$work/cache # kernels of before would hide that a compiler is not found
. build/env
sources=$(git ls-files -s -- '*.go' '*.cc' '*.h' '*.cu' CMakeLists.txt cmake go.sum | sha256sum | cut -c 1-12)

failed=0
for version; do
    if grep -qs "\"torch\": \"$version\".*\"sources\": \"$sources\".*\"failed\": 0" "$results"; then
        echo "PyTorch $version: done"
        continue
    fi
    venv=$work/venv
    rm -rf "$venv"
    "$python" -m venv "$venv"
    echo "PyTorch $version: installing"
    "$venv/bin/pip" install -q --disable-pip-version-check --no-cache-dir "torch==$version" numpy
    site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

    facts=$(LIBTORCH=$site/torch scripts/libtorch.sh)
    abi=$(sed -n 's/^cxx11_abi=//p' <<<"$facts")
    tag=${version%.*}-cuda-abi$abi
    shims=$PWD/build/wheel/shims/$tag # those that a wheel has, too
    ABI=$abi scripts/wheel/shims.sh "$site" "${shims%/*}"

    # ldd -r names every function that no library has. There is no driver here, and
    # none is needed: libtorch looks for it when it is asked for a device.
    run=(env "LD_LIBRARY_PATH=$shims:$site/torch/lib" "PYTHON=$venv/bin/python" "SPIKEDHS_PYTHON=$venv/bin/python")
    missing=$("${run[@]}" ldd -r "$shims"/*.so "${shims/-cuda-/-cpu-}"/*.so 2>&1 | grep -E 'undefined symbol|not found' || true)
    ldd=complete
    if [ -n "$missing" ]; then
        ldd="$(wc -l <<<"$missing") missing"
        echo "$missing" >&2
    fi

    # The one Go program, on this libtorch.
    "${run[@]}" bin/spikedhs doctor >"$work/doctor-$version.txt" 2>&1 || true
    grep -E 'libtorch|CUDA|NVRTC' "$work/doctor-$version.txt" || true
    no_driver=silent
    said=$("${run[@]}" bin/spikedhs bench infer --device cuda --seconds 0.1 --repeats 1 2>&1) || no_driver="refused, exit $?"
    echo "    --device cuda: $(tail -n 1 <<<"$said")"

    # All tests. Two-thread libraries on two cores: as make test does it.
    tested=$work/tests-$version.txt
    status=0
    "${run[@]}" BUILD_LOG="$work/test-$version.log" scripts/test.sh ${TESTS:-} >"$tested" 2>&1 || status=$?
    read -r passed failures skipped < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$tested" | tail -n 1)
    if [ "$status" != 0 ]; then
        failed=1
        grep -E '^ *--- FAIL|^FAIL' "$tested" >&2 || tail -n 20 "$tested" >&2
    fi
    printf '{"torch": "%s", "sources": "%s", "cuda": "%s", "standard": "%s", "abi": %s, "tag": "%s", "python": "%s", "build_s": %s, "ldd": "%s", "no_driver": "%s", "passed": %s, "failed": %s, "skipped": %s, "date": "%s"}\n' \
        "$version" "$sources" "$(sed -n "s/^cuda.*= '\([0-9.]*\)'.*/\1/p" "$site/torch/version.py")" \
        "$(sed -n 's/^standard=//p' <<<"$facts")" "$abi" "$tag" \
        "$("$venv/bin/python" -c 'import platform; print(platform.python_version())')" \
        "$(cat "$shims/seconds")" "$ldd" "$no_driver" "$passed" "$failures" "$skipped" "$(date +%F)" >>"$results"
    tail -n 1 "$results"
    rm -rf "$venv"
done
exit $failed
