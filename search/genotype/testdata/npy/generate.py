"""Writes the .npy files of this folder with NumPy itself: python3 generate.py"""

import io
import pathlib

import numpy as np

FEATURE = [[1, 1], [0, 1], [3, 2], [2, 1], [7, 1], [8, 1]]
MATCHING = [[0, 1], [1, 2], [4, 2], [3, 2], [8, 1], [6, 1]]
# The feature cell with its nodes mixed; rows of one node keep their order.
MIXED = [[7, 1], [3, 2], [1, 1], [8, 1], [0, 1], [2, 1]]


def write(name, array, version=(1, 0)):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=version)
    (pathlib.Path(__file__).parent / f"{name}.npy").write_bytes(buffer.getvalue())


for dtype in ["i1", "u1", "<i2", ">u2", "<i4", ">i4", "<u4", "<i8", ">i8", ">u8", "<f4", "<f8", ">f8"]:
    label = dtype.replace("<", "le_").replace(">", "be_")
    write(f"feature_{label}", np.array(FEATURE, dtype=dtype))
write("feature_fortran", np.asfortranarray(np.array(FEATURE, dtype=np.int64)))
write("feature_v2", np.array(FEATURE, dtype=np.int64), version=(2, 0))
write("feature_v3", np.array(FEATURE, dtype=np.int64), version=(3, 0))
write("feature_mixed", np.array(MIXED, dtype=np.int64))
write("matching", np.array(MATCHING, dtype=np.int64))

write("bad_object", np.array(FEATURE, dtype=object))
write("bad_structured", np.array([(1, 1), (0, 1)], dtype=[("edge", "<i8"), ("op", "<i8")]))
write("bad_bool", np.array(FEATURE, dtype=bool))
write("bad_complex", np.array(FEATURE, dtype=np.complex128))
write("bad_shape_flat", np.array(FEATURE, dtype=np.int64).reshape(-1))
write("bad_shape_columns", np.array(FEATURE, dtype=np.int64).T.copy())
write("bad_shape_odd", np.array(FEATURE[:5], dtype=np.int64))
write("bad_shape_scalar", np.array(3, dtype=np.int64))
write("bad_shape_long", np.zeros((18, 2), dtype=np.int64))
write("bad_fraction", np.array(FEATURE, dtype=np.float64) + 0.5)
write("bad_nan", np.full((6, 2), np.nan))
write("bad_edge", np.array(FEATURE[:5] + [[9, 1]], dtype=np.int64))
write("bad_op", np.array(FEATURE[:5] + [[8, 3]], dtype=np.int64))
write("bad_negative", np.array(FEATURE[:5] + [[-1, 1]], dtype=np.int64))
write("bad_huge", np.array(FEATURE[:5] + [[2**64 - 1, 1]], dtype=np.uint64))
write("bad_duplicate", np.array(FEATURE[:5] + [[7, 2]], dtype=np.int64))
write("bad_balance", np.array(FEATURE[:5] + [[4, 1]], dtype=np.int64))
