#!/usr/bin/env python3
"""Writes promotion.txt: the type of a result by PyTorch, for every pair of types and every kind of operand.

Run with Debian's python3-torch: /usr/bin/python3 promotion.py > promotion.txt. The test reads the file, and where this
PyTorch is installed compares what the script writes. A line is the operands and the result: "types" are bare
(promote_types), "axes" a tensor with axes, "none" one without, "int" and "float" plain numbers (result_type).
"""
import itertools
import torch

TYPES = ["bool", "uint8", "int32", "int64", "bfloat16", "float16", "float32", "float64"]


def name(dtype):
    return str(dtype)[6:]


def tensor(kind, dtype):
    return torch.zeros([2] if kind == "axes" else [], dtype=getattr(torch, dtype))


def main():
    for a, b in itertools.product(TYPES, TYPES):
        print("types", a, b, name(torch.promote_types(getattr(torch, a), getattr(torch, b))))
    for a, b, x, y in itertools.product(["axes", "none"], ["axes", "none"], TYPES, TYPES):
        print(f"{a}:{x} {b}:{y}", name(torch.result_type(tensor(a, x), tensor(b, y))))
    for kind, number, x in itertools.product(["axes", "none"], ["int", "float"], TYPES):
        print(f"{kind}:{x} {number}", name(torch.result_type(tensor(kind, x), 3 if number == "int" else 0.5)))
    # result_type takes two: those with axes are promoted among themselves first, as it does.
    for x, y, z in itertools.product(TYPES, TYPES, TYPES):
        both = torch.zeros([2], dtype=torch.promote_types(getattr(torch, x), getattr(torch, y)))
        print(f"axes:{x} axes:{y} none:{z}", name(torch.result_type(both, tensor("none", z))))


main()
