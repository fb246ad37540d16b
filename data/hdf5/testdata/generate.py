# Writes the files of this folder: python3 generate.py FOLDER. Each array NAME of a file
# is written as FOLDER/FILE.NAME.npy too, with / as -. Needs h5py and NumPy.
import sys
import numpy as np
import h5py

folder = sys.argv[1] + "/"
rng = np.random.RandomState(1)


def done(name):
    with h5py.File(folder + name + ".h5", "r") as f:
        f.visititems(lambda path, d: np.save(folder + name + "." + path.replace("/", "-"), d[()])
                     if isinstance(d, h5py.Dataset) else None)


def fill(f):
    for t in "<f4 >f4 <f8 >f8 <i1 <i2 >i2 <i4 <i8 >i8 <u1 <u2 <u4 <u8".split():
        f["types/" + {"<": "l", ">": "b"}[t[0]] + t[1:]] = (rng.randn(5, 3) * 50).astype(t)
    f["davis/left/scalar"] = np.float64(2.5)
    f["empty"] = np.zeros((0, 4))
    many = rng.randint(0, 3, (70, 13, 5)).astype("f8")
    filters = {
        "plain": dict(), "lzf": dict(compression="lzf"), "gzip": dict(compression="gzip", compression_opts=4),
        "shuffle": dict(shuffle=True, compression="lzf"), "fletcher": dict(fletcher32=True),
        "all": dict(shuffle=True, compression="gzip", fletcher32=True), "lzfsum": dict(compression="lzf", fletcher32=True),
    }
    for name, kw in filters.items():
        f.create_dataset("chunks/" + name, data=many, chunks=(8, 5, 5), **kw)
    # Noise does not compress: LZF leaves such chunks as they are and sets the mask.
    noise = rng.randint(0, 256, (300, 4)).astype("u1")
    noise[100:] = 7
    f.create_dataset("chunks/noise", data=noise, chunks=(50, 4), compression="lzf")
    odd = f.create_dataset("chunks/odd", data=rng.randint(0, 9, (9, 3)).astype("u1"), chunks=(3, 3), fletcher32=True)
    assert odd.fletcher32
    d = f.create_dataset("chunks/holes", (100, 6), "f4", chunks=(10, 4), fillvalue=-1.5)
    d[35:48, 2:5] = 3
    f.create_dataset("holes", (3, 2), "i2", fillvalue=9)
    f.create_dataset("chunks/many", data=np.arange(3000, dtype="i8"), chunks=(3,), maxshape=(None,))


with h5py.File(folder + "default.h5", "w") as f:
    fill(f)
    for i in range(60):  # more names than a leaf of the tree holds
        f["names/array_%02d" % i] = np.arange(i % 3 + 1)
    f["soft"] = h5py.SoftLink("/empty")
    f["text"] = "no number"
    f["pairs"] = np.zeros(3, [("a", "f4"), ("b", "i4")])
    f["half"] = np.zeros(3, "f2")
done("default")

with h5py.File(folder + "block.h5", "w", userblock_size=1024) as f:
    fill(f)
done("block")

# New object headers and links; only indices of chunks that this version reads.
with h5py.File(folder + "latest.h5", "w", libver="latest") as f:
    f["davis/left/events"] = rng.randn(20, 4)
    f.create_dataset("one", data=rng.randint(0, 5, (6, 4)).astype("f4"), chunks=(6, 4), compression="gzip")
    f.create_dataset("bare", data=rng.randint(0, 5, (6, 4)).astype("f4"), chunks=(6, 4))
done("latest")
with h5py.File(folder + "new.h5", "w", libver="latest") as f:
    f.create_dataset("many", data=rng.randn(60, 4), chunks=(6, 4))
    for i in range(20):
        f["names/%d" % i] = i
