#!/usr/bin/env python3
"""Writes bfloat16.txt: values of PyTorch 1.13 in bfloat16, on the CPU.

Run with Debian's python3-torch: /usr/bin/python3 bfloat16.py > bfloat16.txt. The tests read the file only. A line is
the op, then its value row-major; its inputs are sin(0.7 * i + k) * scale for the i-th element of the k-th one, from
1 on, rounded to bfloat16: see wave. No matmul: this build adds its terms up in bfloat16 (linear in float32).
"""
import torch
import torch.nn.functional as F


def wave(k, *shape, scale=1.0):
    count = 1
    for size in shape:
        count *= size
    return (torch.sin(0.7 * torch.arange(count, dtype=torch.float64) + k) * scale).reshape(shape).to(torch.bfloat16)


def positive(k, *shape):
    return (wave(k, *shape).double().abs() + 0.25).to(torch.bfloat16)


x, y = wave(1, 40, scale=3), wave(2, 40)
ROWS = {
    "add": lambda: x + y,
    "multiply": lambda: x * y,
    "divide": lambda: x / positive(3, 40),
    "number / x": lambda: 0.3 / positive(3, 40),
    "number * x": lambda: x * 0.1,
    "x / number": lambda: x / 0.3,
    "number - x": lambda: 0.1 - x,
    "pow": lambda: positive(3, 40) ** 2.3,
    "exp": lambda: x.exp(),
    "log": lambda: positive(3, 40).log(),
    "sqrt": lambda: positive(3, 40).sqrt(),
    "sin": lambda: x.sin(),
    "tanh": lambda: x.tanh(),
    "sigmoid": lambda: x.sigmoid(),
    "gelu": lambda: F.gelu(x),
    "silu": lambda: F.silu(x),
    "clamp": lambda: x.clamp(-0.3, 0.3),
    "sum": lambda: wave(1, 4, 300, scale=3).sum(1),
    "mean": lambda: wave(1, 4, 300, scale=3).mean(1),
    "sum of ones": lambda: torch.ones(10000, dtype=torch.bfloat16).sum(),
    "max": lambda: wave(1, 4, 30).max(1).values,
    "softmax": lambda: wave(1, 4, 10, scale=3).softmax(1),
    "log_softmax": lambda: wave(1, 4, 10, scale=3).log_softmax(1),
    "linear": lambda: F.linear(wave(1, 5, 70), wave(2, 3, 70), wave(3, 3)),
    "conv2d": lambda: F.conv2d(wave(1, 1, 3, 6, 5), wave(2, 2, 3, 3, 3), wave(3, 2), padding=1),
    "max_pool2d": lambda: F.max_pool2d(wave(1, 1, 2, 6, 4), 2),
    "layer_norm": lambda: F.layer_norm(wave(1, 4, 30), (30,), wave(2, 30), wave(3, 30)),
    "cumsum": lambda: wave(1, 4, 30).cumsum(1),
}
for name, call in ROWS.items():
    values = call().to(torch.float64).flatten().tolist()
    print(name + "\t" + " ".join(repr(value) for value in values))
