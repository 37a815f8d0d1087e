#!/usr/bin/env python3
"""Writes numpy_files.txt: files of NumPy 1.24, one a line: name, what the array holds, and the file's bytes in base64.

Run with Debian's python3-numpy: /usr/bin/python3 numpy_files.py > numpy_files.txt. The tests read the file only.
"""
import base64
import io
import numpy as np


def show(name, values, data):
    print(name, values, base64.b64encode(data).decode())


def npy(name, x, version=None):
    file = io.BytesIO()
    np.lib.format.write_array(file, x, version=version)
    values = ",".join(repr(float(v)) if x.dtype.kind == "f" else str(int(v)) for v in x.ravel(order="C"))
    shape = "x".join(str(size) for size in x.shape)
    show(name, f"{shape or 'scalar'}:{values}", file.getvalue())


def npz(name, save):
    file = io.BytesIO()
    save(file, first=np.arange(6, dtype="<f4").reshape(2, 3), second=np.array([1, -1, 2**40]), truth=np.array(True))
    show(name, "archive", file.getvalue())


for kind in ["<f2", "<f4", "<f8", ">f2", ">f4", ">f8"]:
    npy(kind, np.array([[0, -0.0, 1.5], [-2.25, 65504, np.inf]], dtype=kind))
for kind in ["|u1", "<i4", "<i8", ">i4", ">i8", "|i1", "<i2", ">i2", "<u2", "<u4", "<u8", ">u8"]:
    info = np.iinfo(kind)
    npy(kind, np.array([info.min, 0, 1, 100, min(info.max, 2**63 - 1)], dtype=kind))
npy("|b1", np.array([[True], [False]]))
npy("fortran2", np.asfortranarray(np.arange(6, dtype="<i4").reshape(2, 3)))
npy("fortran3", np.asfortranarray(np.arange(24, dtype=">i8").reshape(2, 3, 4)))
npy("scalar", np.array(7.5))
npy("empty", np.zeros((0, 3), dtype="<f4"))
npy("version2", np.array([1, 2], dtype="<f4"), (2, 0))
npy("version3", np.array([1, 2], dtype="<f4"), (3, 0))
for name, x in [("objects", np.array([{}], dtype=object)), ("texts", np.array(["ab"])), ("bytes", np.array([b"ab"])),
                ("dates", np.array(["2020-01-01"], dtype="<M8[D]")), ("complex", np.array([1j])),
                ("extended", np.array([1], dtype=np.longdouble)), ("raw", np.array([b"ab"], dtype="V2")),
                ("structured", np.array([(1, 2.0)], dtype=[("x", "<i4"), ("y", "<f8")]))]:
    file = io.BytesIO()
    np.save(file, x)
    show(name, "refused", file.getvalue())
npz("stored", np.savez)
npz("deflated", np.savez_compressed)
