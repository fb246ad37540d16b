#!/bin/bash
# roots.sh SUITE TORCH WHEEL: tries a wheel as a user without privileges does, in a
# bare Debian (bookworm or trixie: the base system, Python with venv, certificates; no
# compiler, no CMake, no Go): from `pip install` to a trained demo, and the model in
# Python. TORCH is the version of PyTorch, with == of pip. Prints the commands, what
# they say and how long they take.
#
# SHORT=1   a demo of a few steps in place of the whole one
# STEPS=... which steps, of "torch wheel doctor data demo load bench"; all by default
# ROOTS     the folder of the bases, which are kept, and of the root, which is removed
#           at the end; by default /tmp/roots
#
# Needs root, debootstrap, and Debian's dataset-fashion-mnist, which a server on
# loopback gives out in its published form. The network is that of this machine, and so
# are pip's settings in /etc/pip.conf and the certificates.
set -euo pipefail
usage="usage: roots.sh bookworm|trixie TORCH_VERSION WHEEL"
suite=${1:?$usage} torch=${2:?$usage} wheel=$(realpath "${3:?$usage}")
here=$(cd "$(dirname "$0")" && pwd)
roots=${ROOTS:-/tmp/roots}
base=$roots/$suite.tar
steps=" ${STEPS:-torch wheel doctor data demo load bench} "

die() {
    echo "roots.sh: $*" >&2
    exit 1
}

[ "$(id -u)" = 0 ] || die "it makes a root: run it as root."
[ -f "$wheel" ] || die "$wheel is no file: make wheel makes one."
command -v debootstrap >/dev/null || die "debootstrap is missing: run apt install debootstrap."
mkdir -p "$roots"

# ---- The base, made once.
if [ ! -e "$base" ]; then
    fresh=$(mktemp -d "$roots/base.XXXXXX")
    trap 'rm -rf --one-file-system "$fresh"' EXIT
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$suite" "$fresh" \
        >"$roots/$suite.log" 2>&1 ||
        { tail -n 5 "$roots/$suite.log" >&2; die "debootstrap $suite failed; $roots/$suite.log has all of it."; }
    rm -rf "$fresh/var/cache/apt" "$fresh/var/lib/apt/lists"
    tar -C "$fresh" -cf "$base.part" .
    mv "$base.part" "$base"
    rm -rf --one-file-system "$fresh"
fi

# ---- The root, and what is taken away again whatever happens. All mounts are made in
# a namespace of their own, with its processes, and go with it.
root=$(mktemp -d "$roots/root.XXXXXX")
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf --one-file-system "$root"
}
trap finish EXIT
trap 'exit 130' INT TERM
tar -C "$root" -xf "$base"
chmod 755 "$root"
chroot "$root" useradd --create-home --shell /bin/bash user
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
[ ! -e /etc/pip.conf ] || cp /etc/pip.conf "$root/etc/pip.conf"
install -m 644 "$wheel" "$root/home/user/"

address=$roots/address.$$
python3 "$here/mirror.py" >"$address" &
server=$!
for _ in $(seq 100); do [ -s "$address" ] || sleep 0.1; done
mirror=$(cat "$address")
rm -f "$address"
[ -n "$mirror" ] || die "the server of the data did not start."

# ---- What the user does. Lines are said and run; \$mirror and the like are the shell's.
script=$root/home/user/try.sh
cat >"$script" <<'END'
set -uo pipefail
cd
# run LINES COMMAND: shows a command, the last LINES of what it says, and its time.
run() {
    echo "\$ $2"
    local began=$SECONDS code=0
    eval "$2" >said 2>&1 </dev/null || code=$?
    tail -n "$1" said | cut -c 1-400
    echo "  -- exit $code, $((SECONDS - began)) s"
    [ "$code" = "${WANT:-0}" ] || { [ "$1" -ge 40 ] || tail -n 40 said; exit 1; }
}
wanted() { case $STEPS in *" $1 "*) ;; *) return 1 ;; esac }

echo "# $(. /etc/os-release && echo "$PRETTY_NAME"), $(python3 --version), $(getconf GNU_LIBC_VERSION), user $(id -un)"
for program in gcc g++ cc c++ cmake make ninja go sudo; do
    if command -v "$program" >/dev/null; then echo "$program is here: this root is not bare"; exit 1; fi
done
run 1 "python3 -m venv v"
export PATH=$HOME/v/bin:$PATH
if wanted wheel; then
    run 1 "pip install ./$WHEEL"
    echo "  -- wheel $(du -h "$WHEEL" | cut -f 1), unpacked $(du -sh v/lib/python3*/site-packages/spikedhs | cut -f 1)"
    if wanted torch; then WANT=2 run 5 "spikedhs doctor"; fi # without PyTorch: what brings it
fi
if wanted torch; then
    run 1 "pip install torch==$TORCH"
    echo "  -- environment $(du -sh v | cut -f 1)"
fi
if wanted doctor; then
    run 60 "spikedhs version"
    run 60 "spikedhs doctor"
fi
# A folder that is named torch or spikedhs is not in the way.
mkdir -p work/torch work/spikedhs && cd work
if wanted data; then
    WANT=2 run 5 "spikedhs demo"
    run 1 "spikedhs data fetch fashion-mnist --base-url $MIRROR"
fi
if wanted demo; then run 40 "spikedhs demo $SETTINGS"; fi
if wanted load; then
    run 10 "python -c 'import spikedhs; print(spikedhs.__version__, spikedhs.program)'"
    run 10 "python -c 'import spikedhs, torch; print(spikedhs.load(\"runs/demo/model.pt\")(torch.rand(2, 1, 28, 28)).shape)'"
fi
# Workers are the program once more, and Python has its own libraries.
if wanted bench; then
    run 12 "spikedhs bench train --vs python --batch 2 --width 4 --steps 2 --size 16 --repeats 1 --seconds 0.2"
fi
END
settings=
if [ -n "${SHORT:-}" ]; then
    settings="--set data.train_images=2000 --set data.test_images=1000 --set search.images=400"
    settings="$settings --set search.epochs=2 --set train.epochs=1"
fi

export root suite
status=0
unshare --mount --pid --fork --kill-child --propagation private bash -euc '
    mount -t proc proc "$root/proc"
    for device in null zero full random urandom tty; do
        touch "$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    mkdir -p "$root/dev/shm"
    mount -t tmpfs tmpfs "$root/dev/shm"
    exec chroot --userspec=user:user "$root" env -i HOME=/home/user USER=user LANG=C.UTF-8 PATH=/usr/bin:/bin \
        PIP_DISABLE_PIP_VERSION_CHECK=1 "$@"
' - STEPS="$steps" MIRROR="$mirror" TORCH="$torch" WHEEL="${wheel##*/}" SETTINGS="$settings" bash /home/user/try.sh || status=$?
[ "$status" = 0 ] || die "the trial of ${wheel##*/} with PyTorch $torch on $suite failed ($status)."
