#!/bin/sh
# deps.sh install|require build|check
#
# install: installs the missing Debian packages of that group.
# require: only looks for the programs of that group; says what is missing and exits with 1.
set -eu

here=$(dirname "$0")

case "${1:-} ${2:-}" in
*" build")
    programs="cmake c++ go"
    # OpenBLAS replaces Debian's reference BLAS, which is some fifty times slower;
    # the data set is what the demo and its test train on.
    packages="cmake g++ libopenblas0-pthread dataset-fashion-mnist"
    "$here/libtorch.sh" >/dev/null 2>&1 || packages="$packages libtorch-dev"
    ;;
*" check")
    programs="clang-format"
    packages="clang-format"
    ;;
*)
    echo "usage: deps.sh install|require build|check" >&2
    exit 2
    ;;
esac

if [ "$1" = require ]; then
    for program in $programs; do
        command -v "$program" >/dev/null && continue
        case $program in
        go) echo "deps.sh: go is missing: install Go $(awk '$1 == "go" { print $2 }' "$here/../go.mod") or newer from https://go.dev/dl and put its bin folder in PATH." >&2 ;;
        clang-format) echo "deps.sh: clang-format is missing: run 'make deps-check'." >&2 ;;
        *) echo "deps.sh: $program is missing: run 'make deps'." >&2 ;;
        esac
        exit 1
    done
    exit 0
fi

if ! command -v apt-get >/dev/null; then
    echo "deps.sh: this system has no apt-get: install by its own means what these Debian packages hold: $packages." >&2
    exit 1
fi

missing=
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

root=
if [ "$(id -u)" != 0 ]; then root=sudo; fi
$root apt-get update
# shellcheck disable=SC2086 # a list of words
$root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
