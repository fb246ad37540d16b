#!/bin/bash
# sysroot.sh DIR: makes in DIR what a program has to be linked with to run on machines
# older than this one: GNU libc 2.28 (RHEL 8) and the libstdc++ that came with it.
#   DIR/root             headers and start files of Debian 11's libc
#   DIR/lib              libm and libstdc++ without the symbols that are too new
#   DIR/toolchain.cmake  for CMake; DIR/cc, DIR/c++: the compilers for cgo
# The compiler is the one of this machine. Needs apt-get and its Debian mirror
# (or DEBIAN_MIRROR), no root, and binutils.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
dir=$(cd "$1" && pwd)

newest_glibc=2.28
newest_glibcxx=3.4.24 # that of GCC 8, less what RHEL 8 has besides
newest_cxxabi=1.3.11

# Debian's packages, by what they contain.
packages="
e7f7b45d9c5cfcf37609f0b6efd3c645272c812144703af89dfd32218fcb0fd3 libc6-dev 2.31-13+deb11u11
05f7264da867b37f4c5ce49266b558ea1e81e05a9464f623152fca70f3550282 libc6 2.31-13+deb11u11
e3be603bd12377bb90fcfb0f2048ca3a81c886e49d6f09945b82159d1c54f7b2 linux-libc-dev 5.10.223-1
5c155c58935870bf3b4bfe769116841c0d286a74f59eccfd5645693ac23f06b1 libstdc++6 10.2.1-6"

stamp=$( (echo "$packages" $newest_glibc $newest_glibcxx $newest_cxxabi; c++ -dumpfullversion; cat "$here/stub.awk") | sha256sum)
if [ "$(cat "$dir/done" 2>/dev/null)" = "$stamp" ]; then exit 0; fi
rm -rf "${dir:?}"/*

# An apt of its own, so that nothing of this machine's changes and no root is needed.
apt=$dir/apt
mkdir -p "$apt"/{lists/partial,cache/archives/partial,parts} "$dir/packages"
touch "$apt/status"
mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(SITE)' 'Origin: Debian' 'Label: Debian' 2>/dev/null | sed -n 1p)}
[ -n "$mirror" ] || { echo "sysroot.sh: this system's apt has no Debian: name a mirror with DEBIAN_MIRROR." >&2; exit 1; }
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bullseye main" >"$apt/sources"
options=(-qq -o "Dir::Etc::SourceList=$apt/sources" -o "Dir::Etc::SourceParts=$apt/parts" -o "Dir::State::Lists=$apt/lists"
    -o "Dir::Cache=$apt/cache" -o "Dir::State::status=$apt/status" -o APT::Sandbox::User=)
apt-get "${options[@]}" update
cd "$dir/packages"
while read -r hash name version; do
    [ -n "$hash" ] || continue
    apt-get "${options[@]}" download "$name=$version"
    echo "$hash  ${name}_${version}_amd64.deb" | sha256sum --quiet -c -
    dpkg-deb -x "${name}_${version}_amd64.deb" "$dir/root"
done <<<"$packages"
cd "$dir"
rm -rf "$apt" packages root/usr/share root/etc
find root -type l -lname '/*' | while read -r link; do # absolute ones would lead out of it
    ln -sfr "root$(readlink "$link")" "$link"
done

# stub FILE PREFIX=NEWEST...: a library with the name and the symbols of FILE, each
# in its newest version that is not too new, and with nothing behind them.
mkdir lib
stub() {
    local file=$1 name
    shift
    name=$(basename "$file")
    readelf --dyn-syms -W "$file" | awk -v "newest=$*" -v script="lib/$name.map" -f "$here/stub.awk" >"lib/$name.s"
    c++ -shared -nostdlib -Wl,-soname,"$name" -Wl,--version-script,"lib/$name.map" -o "lib/$name" "lib/$name.s"
    rm "lib/$name.s" "lib/$name.map"
}
stub root/lib/x86_64-linux-gnu/libm.so.6 GLIBC="$newest_glibc"
stub root/usr/lib/x86_64-linux-gnu/libstdc++.so.6 GLIBCXX="$newest_glibcxx" CXXABI="$newest_cxxabi"

# What the compiler's headers expect of a newer libstdc++, and libtorch does not bring
# along, comes from its archive and stays inside the library that is linked
# (--exclude-libs).
newer=$(c++ -print-file-name=libstdc++.a)
echo "INPUT($dir/lib/libm.so.6)" >lib/libm.so
echo "INPUT($dir/lib/libstdc++.so.6 $newer)" >lib/libstdc++.so

# -B: else GCC takes the start files of its own machine, which ask for its own libc.
libs=$dir/root/usr/lib/x86_64-linux-gnu
flags="-B$libs -L$dir/lib -L$libs -L$dir/root/lib/x86_64-linux-gnu"
cat >toolchain.cmake <<EOF
set(CMAKE_SYSROOT $dir/root)
set(CMAKE_SHARED_LINKER_FLAGS_INIT "$flags -Wl,--exclude-libs,libstdc++.a")
set(CMAKE_EXE_LINKER_FLAGS_INIT "$flags")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
EOF
for compiler in cc c++; do
    printf '#!/bin/sh\nexec %s --sysroot=%s %s "$@"\n' "$(command -v $compiler)" "$dir/root" "$flags" >$compiler
    chmod +x $compiler
done
echo "$stamp" >done
