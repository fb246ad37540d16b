#!/bin/bash
# Runs every test binary in its package's folder, as go test does: one line a package.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bash "$here/unpack.sh" "$here" || exit 1
failed=0
while read -r package; do
    cd "$here/../$package" || exit 1 # the tests read their testdata
    if "$here/test/${package//\//_}.test" "$@"; then echo "ok   $package"; else echo "FAIL $package"; failed=1; fi
done <"$here/test/packages"
exit $failed
