#!/bin/bash
# shim-sources.sh DIR: copies into DIR all that building the shims takes where there is
# no Go: `cmake -S DIR -DGOTORCH_DIR=DIR/gotorch`. The fake device stays behind.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$1
gotorch=$(go list -m -f '{{.Dir}}' github.com/wangkuiyi/gotorch)
mkdir -p "$dir/scripts"
cp -R CMakeLists.txt cmake cpp "$dir/"
rm -r "$dir/cpp/fake"
cp scripts/libtorch.sh "$dir/scripts/"
install -m 644 -D -t "$dir/gotorch/cgotorch" "$gotorch"/cgotorch/*.{cc,h}
install -m 644 "$gotorch/LICENSE" "$dir/gotorch/"
