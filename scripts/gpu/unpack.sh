#!/bin/bash
# unpack.sh DIR: unpacks the archives beside this file into DIR, unless they lie there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
for file in "$here"/programs.tar.* "$here"/data.tar.*; do
    mark=$1/.$(basename "$file")
    [ -e "$file" ] && [ ! -e "$mark" ] || continue
    # Not every machine has xz; Python can do it, at half the speed.
    tar -xf "$file" -C "$1" 2>/dev/null ||
        "${PYTHON:-python3}" -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$file" "$1"
    touch "$mark"
done
