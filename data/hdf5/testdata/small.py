# Writes the seeds of the fuzz test beside this file. Needs h5py and NumPy.
import os
import numpy as np
import h5py

folder = os.path.dirname(os.path.abspath(__file__)) + "/"
for name, kw in ("small", {}), ("smallnew", {"libver": "latest"}):
    with h5py.File(folder + name + ".h5", "w", **kw) as f:
        f["a/b"] = np.arange(6.0).reshape(3, 2)
        f.create_dataset("c", data=np.zeros((8, 3), "f4"), chunks=(8, 3), compression="gzip", shuffle=True, fletcher32=True)
        if not kw:
            f.create_dataset("d", data=np.zeros((9, 2), "i8"), chunks=(4, 2), compression="lzf")
