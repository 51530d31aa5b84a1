# SPDX-License-Identifier: Apache-2.0
"""Writes the .npy files of this folder (NumPy 2): the same numbers in every form that NpyFeatures reads."""
import numpy as np
from numpy.lib import format

x = np.array([[0.0, 1.0, -2.5], [65504.0, 0.125, -6.103515625e-05]])
for name, kind in [("f2", "<f2"), ("f4", "<f4"), ("f8", "<f8"), ("f4-big", ">f4"), ("f8-big", ">f8"), ("f2-big", ">f2")]:
    np.save(f"{name}.npy", x.astype(kind))
for version in [(2, 0), (3, 0)]:
    with open(f"f4-v{version[0]}.npy", "wb") as file:
        format.write_array(file, x.astype("<f4"), version=version)
np.save("fortran.npy", np.asfortranarray(x.astype("<f4")))
np.save("one-axis.npy", x[0].astype("<f4"))
np.save("three-axes.npy", x.astype("<f4").reshape(2, 3, 1))
np.save("no-examples.npy", np.zeros((0, 3), "<f4"))
np.save("no-features.npy", np.zeros((3, 0), "<f4"))
np.save("integers.npy", x.astype("<i4"))
np.save("complex.npy", x.astype("<c8"))
np.save("structured.npy", np.zeros(2, dtype=[("a", "<f4"), ("b", "<f4")]))

for kind in ["i1", "i2", "i4", "i8"]:
    low = np.iinfo(kind).min
    np.save(f"labels-{kind}.npy", np.array([low, 7], "<" + kind))
for kind in ["u1", "u2", "u4", "u8"]:
    high = np.iinfo(kind).max
    np.save(f"labels-{kind}.npy", np.array([high, 7], "<" + kind))
np.save("labels-i4-big.npy", np.array([-5, 7], ">i4"))
np.save("labels-f4.npy", np.array([1, 2], "<f4"))
np.save("labels-two-axes.npy", np.array([[1, 2]], "<i4"))
