#!/bin/bash
# test.sh [GO TEST ARGUMENTS]: runs the tests (./... by default) and prints what
# `go test` would: one line a package and the output of what failed. At the end
# come the skipped tests with their reasons, and the counts, subtests included.
# The exit status is that of go test; test.log in the build folder keeps everything.
# BUILD is that folder, build by default; BUILD_LOG another file.
set -euo pipefail
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build}
. "$BUILD/env"

# -p 1: every test process runs libtorch with one thread per core, and OpenMP's
#   threads spin while they wait, so two such processes stop each other.
# -count=1: Go's cache does not see the shims, so a cached result may be stale.
go test -v -p 1 -count=1 -timeout 25m "${@:-./...}" 2>&1 | tee "${BUILD_LOG:-$BUILD/test.log}" | awk '
    # The lines of a test are collected under its name until its result is known.
    /^=== (RUN|CONT|NAME|PAUSE) / { test = $3; next }
    /^ *--- (PASS|FAIL|SKIP): / {
        count[$2]++
        if ($2 == "FAIL:") accused = 1
        if ($2 == "FAIL:") printf "%s%s\n", lines[$3], $0
        if ($2 == "SKIP:") skips[++skipped] = $3 reason(lines[$3])
        delete lines[$3]
        test = ""
        fflush()
        next
    }
    /^(PASS|FAIL)$/ || /^exit status / { next }
    /^(ok|FAIL|\?|---)[ \t]/ || /^\t.*coverage: / {
        if ($1 == "FAIL") {
            # What is left belongs to a test that never ended: a panic, the time limit.
            for (name in lines) printf "%s", lines[name]
            if (!accused) count["FAIL:"]++ # no test could be blamed: it did not build, say
        }
        split("", lines)
        accused = 0
        test = ""
        print
        fflush()
        next
    }
    { lines[test] = lines[test] $0 "\n" }

    function reason(text) {
        gsub(/[ \n\t]+/, " ", text)
        sub(/ $/, "", text)
        return text == "" ? "" : ":" text
    }
    END {
        for (name in lines) printf "%s", lines[name]
        for (i = 1; i <= skipped; i++) print "skipped " skips[i]
        printf "%d passed, %d failed, %d skipped\n", count["PASS:"], count["FAIL:"], skipped
    }'
