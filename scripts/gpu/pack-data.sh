#!/bin/bash
# pack-data.sh DIR: packs 10,000 training and 2,000 test images into DIR/data.tar.xz,
# unless it lies there: of CIFAR-10, where $SPIKEDHS_DATA or ../shared/data has it, else
# of Fashion-MNIST (Debian: dataset-fashion-mnist). DIR/summary says which.
#
# CIFAR-10 must have 50,000 and 10,000 images to be read: gpu.sh lays its first 10,000
# and 2,000 out five times over.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$1
[ ! -e "$out/data.tar.xz" ] || exit 0
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

find_cifar() {
    local dir
    for dir in "${SPIKEDHS_DATA:-}" ../shared/data; do
        [ -n "$dir" ] || continue
        for place in "$dir" "$dir/cifar10"; do
            if [ -e "$place/cifar-10-binary.tar.gz" ]; then
                tar -xzf "$place/cifar-10-binary.tar.gz" -C "$work" cifar-10-batches-bin
                echo "$work/cifar-10-batches-bin"
                return
            elif [ -e "$place/cifar-10-batches-bin/test_batch.bin" ]; then
                echo "$place/cifar-10-batches-bin"
                return
            fi
        done
    done
}

# first N FILE BYTES SKIP: SKIP bytes and N records of BYTES.
first() { head -c $(($1 * $3 + $4)) "$2"; }

folder=$(find_cifar)
fashion=/usr/share/datasets/fashion-mnist
if [ -n "$folder" ]; then
    name=cifar10 title="CIFAR-10"
    to=$work/data/$name
    mkdir -p "$to"
    first 10000 "$folder/data_batch_1.bin" 3073 0 >"$to/train.bin"
    first 2000 "$folder/test_batch.bin" 3073 0 >"$to/test.bin"
    cp "$folder/batches.meta.txt" "$to/"
elif [ -e "$fashion/train-images-idx3-ubyte.gz" ]; then
    name=fashion-mnist title="Fashion-MNIST"
    to=$work/data/$name
    mkdir -p "$to"
    # header AXES COUNT: the beginning of an IDX file for so many images.
    header() { printf "\\0\\0\\10\\$1\\0\\0\\$(printf %o $(($2 / 256)))\\$(printf %o $(($2 % 256)))"; }
    for part in "train 10000" "t10k 2000"; do
        read -r prefix count <<<"$part"
        for kind in "images 3 784 16" "labels 1 1 8"; do
            read -r what axes bytes skip <<<"$kind"
            gzip -dc "$fashion/$prefix-$what-idx$axes-ubyte.gz" >"$work/whole"
            first "$count" "$work/whole" "$bytes" "$skip" >"$work/part"
            {
                header "$axes" "$count"
                tail -c +9 "$work/part" # the sizes of an image, and the images
            } >"$to/$prefix-$what-idx$axes-ubyte"
        done
    done
else
    echo "pack-data.sh: neither CIFAR-10 (set SPIKEDHS_DATA to its folder) nor Fashion-MNIST (apt install dataset-fashion-mnist) is here." >&2
    exit 1
fi
echo "$name" >"$work/data/name"
echo "$title, the first 10,000 training and 2,000 test images" >"$work/data/README"
cp "$work/data/README" "$out/summary"
# Neighbouring bytes of an image are alike: their differences are smaller.
tar -C "$work" -c data | xz --delta=dist=1 --lzma2=preset=6 >"$out/data.tar.xz.part"
mv "$out/data.tar.xz.part" "$out/data.tar.xz"
