#!/bin/sh
# version.sh RELEASE: the version of this tree by PEP 440: RELEASE where HEAD has the
# tag vRELEASE and nothing was changed, else RELEASE+gCOMMIT, with .dirty where files differ.
release=$1
commit=$(git rev-parse --short HEAD 2>/dev/null) || { echo "$release+unknown"; exit 0; }
dirty=
git diff --quiet HEAD 2>/dev/null || dirty=.dirty
if [ -z "$dirty" ] && git tag --points-at HEAD | grep -qx "v$release"; then echo "$release"; else echo "$release+g$commit$dirty"; fi
