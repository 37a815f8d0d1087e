"""Weights by a formula of name and index, as FormulaWeights.cs has them. For the scripts beside this one."""
import math

import numpy


def noise(name, count):
    start = 2166136261
    for byte in name.encode():
        start = (start ^ byte) * 16777619 % 2**32
    x = (numpy.arange(count, dtype=numpy.uint64) + numpy.uint64(start)).astype(numpy.uint32)
    x = (x ^ x >> numpy.uint32(16)) * numpy.uint32(0x7feb352d)
    x = (x ^ x >> numpy.uint32(15)) * numpy.uint32(0x846ca68b)
    return (x ^ x >> numpy.uint32(16)) / 2147483648.0 - 1


def of(name, shape):
    values = noise(name, math.prod(shape))
    if len(shape) >= 2:
        scale, shift = math.sqrt(6.0 * shape[0] / values.size), 0
    elif name.endswith("running_var"):
        scale, shift = 0.5, 1
    elif name.endswith("weight"):
        scale, shift = 0.2, 1
    else:
        scale, shift = 0.1, 0
    return (scale * values + shift).astype(numpy.float32).reshape(shape)


def input(name, shape):
    return noise(name, math.prod(shape)).astype(numpy.float32).reshape(shape)


def fill(model):
    """Fills a network of torch; what counts batches stays."""
    import torch
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.from_numpy(of(name, tuple(value.shape))))
    return model
