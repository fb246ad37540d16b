#!/bin/bash
# carry.sh: fills .carry/ with what a machine needs that has PyTorch, CMake and a
# C++ compiler but no Go: the Go binaries, which need the two shims alone, and the
# sources of the shims, CUDA kernels included (NVRTC compiles them there). There:
#   .carry/build.sh                  builds the shims against that machine's PyTorch
#   .carry/bin/spikedhs ...          runs the program
#   .carry/test.sh [TEST FLAGS]      runs all tests; -test.run, -test.v and so on
set -euo pipefail
cd "$(dirname "$0")/.."
. build/env

rm -rf .carry
mkdir -p .carry/{bin,test,scripts,gotorch}
gotorch=$(go list -m -f '{{.Dir}}' github.com/wangkuiyi/gotorch)
install -m 644 -D -t .carry/gotorch/cgotorch "$gotorch"/cgotorch/*.{cc,h}
cp -R CMakeLists.txt cmake cpp .carry/
cp scripts/libtorch.sh .carry/scripts/

# -s -w: no symbol tables, to travel light. The rpath in the binaries leads
# from bin/ and test/ to ../lib/spikedhs, where build.sh puts the shims.
go build -ldflags "-s -w -X main.version=${VERSION:-unknown}" -o .carry/bin/spikedhs ./cmd/spikedhs
# Only what reaches libtorch is worth testing on another machine.
module=$(go list -m)
go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}} {{join .Deps ","}},{{.ImportPath}},{{end}}' ./... |
    while read -r package dir deps; do
        case ",$deps" in *",$module/torch,"*) ;; *) continue ;; esac
        relative=${dir#"$PWD"/}
        go test -c -ldflags '-s -w' -o ".carry/test/${relative//\//_}.test" "$package"
        echo "$relative" >>.carry/test/packages
    done

cat >.carry/build.sh <<'END'
#!/bin/bash
# Builds the shims into lib/spikedhs. LIBTORCH and PYTHON choose another libtorch.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cmake -S "$here" -B "$here/build" -DGOTORCH_DIR="$here/gotorch" >"$here/cmake.log" 2>&1 || { cat "$here/cmake.log"; exit 1; }
grep '^-- libtorch' "$here/cmake.log"
grep -A 4 '^CMake Warning' "$here/cmake.log" || true
cmake --build "$here/build" --parallel
cmake --install "$here/build" --prefix "$here" >/dev/null
END

cat >.carry/test.sh <<'END'
#!/bin/bash
# Runs every test binary in its package's folder, as go test does: one line a package.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
failed=0
while read -r package; do
    cd "$here/../$package" || exit 1 # the tests read their testdata
    if "$here/test/${package//\//_}.test" "$@"; then echo "ok   $package"; else echo "FAIL $package"; failed=1; fi
done <"$here/test/packages"
exit $failed
END
chmod +x .carry/*.sh
du -sh .carry | cut -f 1
