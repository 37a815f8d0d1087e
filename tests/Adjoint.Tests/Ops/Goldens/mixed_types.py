#!/usr/bin/env python3
"""Writes mixed_types.txt: type and values of ops on operands of every two types, by PyTorch.

Run with Debian's python3-torch: /usr/bin/python3 mixed_types.py > mixed_types.txt. The test reads the file, and where
this PyTorch is installed compares what the script writes. A line is the op, its operands ("axes" a tensor of 7 and 3 on
the left, 2 and 1 on the right, "none" the first of them without axes, "int" the number 2, "float" 2.5), and the type of
the result with its values, or "refused".
"""
import itertools
import torch

TYPES = ["bool", "uint8", "int32", "int64", "bfloat16", "float16", "float32", "float64"]
OPS = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "floor": lambda x, y: torch.div(x, y, rounding_mode="floor"),
    "remainder": torch.remainder,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "pow": torch.pow,
    "equal": torch.eq,
    "less": torch.lt,
    "and": lambda x, y: x & y,
    "or": lambda x, y: x | y,
    "xor": lambda x, y: x ^ y,
    "where": lambda x, y: torch.where(torch.tensor([True, False]), x, y),
    "concat": lambda x, y: torch.cat([x, y]),
}
REVERSED = {"add", "sub", "mul", "div"}
NUMBERS = {"int": 2, "float": 2.5}


def operand(text, values):
    kind, _, dtype = text.partition(":")
    if kind in NUMBERS:
        return NUMBERS[kind]
    return torch.tensor(values if kind == "axes" else values[0], dtype=getattr(torch, dtype))


def main():
    tensors = [f"{kind}:{dtype}" for kind in ("axes", "none") for dtype in TYPES]
    for op, call in OPS.items():
        pairs = list(itertools.product(tensors, tensors))
        if op not in ("maximum", "minimum", "concat", "where"):
            pairs += itertools.product(tensors, NUMBERS)
        if op in REVERSED:
            pairs += itertools.product(NUMBERS, tensors)
        if op == "concat":
            pairs = [(x, y) for x, y in pairs if "axes" in x and "axes" in y]
        for x, y in pairs:
            try:
                z = call(operand(x, [7, 3]), operand(y, [2, 1]))
                values = " ".join(f"{float(value):.9g}" for value in z.reshape(-1).tolist())
                print(op, x, y, str(z.dtype)[6:], values)
            except (RuntimeError, TypeError):
                print(op, x, y, "refused")


main()
