#!/usr/bin/env python3
"""Writes special_points.json: values and gradients of PyTorch 1.13 at 0, -0, NaN, infinities, ties, huge and tiny
numbers.

Run with Debian's python3-torch: /usr/bin/python3 special_points.py > special_points.json. The tests read the file only.
The incoming gradient of the i-th element of a result is 1 + i mod 3. Numbers are written so that they read back to the
bit.
"""
import json
import torch
import torch.nn.functional as F

NAN, INF = float("nan"), float("inf")


def points(dtype):
    huge, tiny = (3e38, 1e-40) if dtype == torch.float32 else (1.5e308, 1e-310)
    return [NAN, -INF, -huge, -1e4, -88.5, -17, -2, -1, -0.5, -1e-5, -tiny, -0.0, 0.0, tiny, 1e-5, 0.5, 1, 2, 17, 88.5,
        1e4,
            huge, INF]


def pairs(dtype):
    huge, tiny = (1e30, 1e-40) if dtype == torch.float32 else (1e200, 1e-310)
    few = [NAN, -INF, -huge, -2, -0.5, -0.0, 0.0, tiny, 0.5, 1, 3, huge, INF]
    return [a for a in few for _ in few], few * len(few)


def rows(dtype):
    huge, tiny = (3e38, 1e-40) if dtype == torch.float32 else (1.5e308, 1e-310)
    return [[0, 0, 0, 0], [-0.0, 0, -0.0, 0], [1, 3, 3, 2], [NAN, 1, 2, 3], [1, NAN, NAN, 3], [INF, 1, 2, 3], [INF, 1,
        INF, 3],
            [-INF, 1, 2, 3], [-INF, -INF, -INF, -INF], [INF, -INF, 0, 1], [huge, huge, 0, 1], [huge, -huge, 0, 1],
            [tiny, tiny, tiny, tiny], [tiny, 0, 1, 2], [1e4, 1e4, 1e4, 1e4], [1e8, 1e8, 1e8, 1e8], [-1e8, 1e8, 0, 1],
            [5, 5, 5, 5]]


UNARY = {
    "Negate": lambda x: -x, "Affine": lambda x: 2 - x * 3, "Scaled": lambda x: x * 2, "Shifted": lambda x: x + 1,
    "DivideByNumber": lambda x: x / 3, "Abs": torch.abs, "Sign": torch.sign, "Clamp": lambda x: x.clamp(-1, 1),
    "Exp": torch.exp, "Log": torch.log, "Log1p": torch.log1p, "Sqrt": torch.sqrt, "Square": torch.square, "Sin":
    torch.sin,
    "Cos": torch.cos, "Tanh": torch.tanh, "Sigmoid": torch.sigmoid, "Relu": torch.relu,
    "LeakyRelu": lambda x: F.leaky_relu(x, 0.1), "Elu": F.elu, "Gelu": F.gelu,
    "GeluTanh": lambda x: F.gelu(x, approximate="tanh"), "NormalCdf": torch.special.ndtr, "Erf": torch.erf, "Silu":
        F.silu,
    "Relu6": F.relu6, "HardSigmoid": F.hardsigmoid, "HardSwish": F.hardswish,
    "Softplus": F.softplus, "Reciprocal": lambda x: 1 / x,
    **{f"Power {p:g}": (lambda p: lambda x: x.pow(p))(p) for p in (0, 1, 2, 3, 4, 7, -1, -2, -3, 0.5, -0.5, 1.5, 100)},
}
BINARY = {
    "Add": torch.add, "Subtract": torch.sub, "Multiply": torch.mul, "Divide": torch.div, "PowerOfTensors": torch.pow,
    "Minimum": torch.minimum, "Maximum": torch.maximum, "Where": lambda a, b: torch.where(a > 0, a, b),
    "Mse": lambda a, b: F.mse_loss(a, b, reduction="none"), "L1": lambda a, b: F.l1_loss(a, b, reduction="none"),
    "Huber": lambda a, b: F.huber_loss(a, b, reduction="none"),
}
ROWS = {
    "Sum": lambda x: x.sum(1), "CumSum": lambda x: x.cumsum(1), "Mean": lambda x: x.mean(1), "Var": lambda x: x.var(1),
    "Var of the count": lambda x: x.var(1, correction=4), "LogSumExp": lambda x: x.logsumexp(1),
    "Max": lambda x: x.amax(1), "Min": lambda x: x.amin(1), "Max of all": lambda x: torch.stack([r.max() for r in x]),
    "Min of all": lambda x: torch.stack([r.min() for r in x]), "Softmax": lambda x: x.softmax(1),
    "LogSoftmax": lambda x: x.log_softmax(1), "LayerNorm": lambda x: F.layer_norm(x, (4,)),
    "GroupNorm": lambda x: F.group_norm(x.reshape(-1, 2, 2), 1).reshape(-1, 4),
    "InstanceNorm": lambda x: F.instance_norm(x.unsqueeze(1)).squeeze(1),
    # By its formula: PyTorch 1.13 has none.
    "RmsNorm": lambda x: x / (x.square().mean(1, keepdim=True) + 1e-6).sqrt(),
    "MaxPool2d": lambda x: F.max_pool2d(x.reshape(-1, 1, 2, 2), 2),
    "AvgPool2d": lambda x: F.avg_pool2d(x.reshape(-1, 1, 2, 2), 2),
    "CrossEntropy": lambda x: F.cross_entropy(x, torch.zeros(len(x), dtype=torch.int64), reduction="none"),
    "CrossEntropy, smoothed": lambda x: F.cross_entropy(
        x, torch.ones(len(x), dtype=torch.int64), reduction="none", label_smoothing=0.2),
    "Nll": lambda x: F.nll_loss(x.log_softmax(1), torch.zeros(len(x), dtype=torch.int64), reduction="none"),
    "BceWithLogits": lambda x: F.binary_cross_entropy_with_logits(x, torch.tensor([0, 1, 0.25, 1.0],
        dtype=x.dtype).expand_as(x),
                                                                 reduction="none"),
    "MatMul": lambda x: x @ torch.tensor([[1.0, 0], [0, 1], [-1, 2], [0.5, -1]], dtype=x.dtype),
}


# Where an op has kinks that are not among the points of all.
KINKS = {"Relu6": [5.5, 6, 6.5], "HardSigmoid": [-3, 3, 3.5], "HardSwish": [-3, 3, 3.5]}


def numbers(tensor, dtype):
    text = (lambda v: f"{v:.9g}") if dtype == torch.float32 else (lambda v: f"{v:.17g}")
    return " ".join(text(v) for v in tensor.flatten().tolist())


def case(name, dtype, function, inputs):
    leaves = [torch.tensor(values, dtype=dtype, requires_grad=True) for values in inputs]
    y = function(*leaves)
    weights = torch.tensor([1.0 + i % 3 for i in range(y.numel())], dtype=dtype).reshape(y.shape)
    gradients = torch.autograd.grad(y, leaves, weights)
    return {"op": name, "type": str(dtype)[6:], "x": [numbers(leaf.detach(), dtype) for leaf in leaves],
            "y": numbers(y.detach(), dtype), "dx": [numbers(g, dtype) for g in gradients]}


def main():
    cases = []
    for dtype in (torch.float32, torch.float64):
        cases += [case(name, dtype, function, [points(dtype) + KINKS.get(name, [])]) for name, function
                  in UNARY.items()]
        cases += [case(name, dtype, function, pairs(dtype)) for name, function in BINARY.items()]
        cases += [case(name, dtype, function, [rows(dtype)]) for name, function in ROWS.items()]
    print("[\n" + ",\n".join(json.dumps(one) for one in cases) + "\n]")


main()
