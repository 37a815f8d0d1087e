#!/usr/bin/env python3
"""Writes rotary.txt: rotary position embeddings in float64, by NumPy and the paper's formula (Su et al. 2021, eq. 34).

Run: /usr/bin/python3 rotary.py > rotary.txt. A line is: layout, base, width; positions; values. Inputs are
sin(0.7 i + 1) for the i-th element. Angles are computed in extended precision and reduced there.
"""
import numpy as np


def rotary(x, positions, theta, interleaved):
    """The complex numbers of the pairs, multiplied by exp(i p theta^(-2k/d))."""
    d = x.shape[-1]
    k = np.arange(d // 2, dtype=np.longdouble)
    angles = positions[:, None].astype(np.longdouble) * np.longdouble(theta) ** (-2 * k / d)
    rotation = np.exp(1j * angles)
    pairs = x[:, 0::2] + 1j * x[:, 1::2] if interleaved else x[:, : d // 2] + 1j * x[:, d // 2:]
    turned = pairs * rotation
    if interleaved:
        return np.stack([turned.real, turned.imag], -1).reshape(x.shape)
    return np.concatenate([turned.real, turned.imag], -1)


def main():
    positions = np.array([0, 1, 2, 17, 4095, 131071, 1000000, -3])
    for interleaved in (False, True):
        for theta, d in ((10000, 2), (10000, 6), (500000, 8)):
            x = np.sin(0.7 * np.arange(len(positions) * d) + 1).reshape(len(positions), d)
            y = rotary(x, positions, theta, interleaved)
            print("interleaved" if interleaved else "halves", theta, d, "|", " ".join(str(p) for p in positions), "|",
                  " ".join(f"{v:.15g}" for v in y.astype(np.float64).flatten()))


main()
