#!/bin/bash
# unpack.sh DIR: unpacks the archives beside this file into DIR, unless they lie there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
for archive in programs data; do
    file=$here/$archive.tar.xz
    [ ! -e "$1/.$archive" ] && [ -e "$file" ] || continue
    # Not every machine has xz; Python can do it, at half the speed.
    tar -xJf "$file" -C "$1" 2>/dev/null ||
        "${PYTHON:-python3}" -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$file" "$1"
    touch "$1/.$archive"
done
