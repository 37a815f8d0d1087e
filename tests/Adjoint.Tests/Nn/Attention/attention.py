#!/usr/bin/env python3
"""Writes attention.txt: values and gradients of PyTorch 1.13's attention modules in float64.

Run with Debian's python3-torch: /usr/bin/python3 attention.py > attention.txt. A line is: case; output; gradients of
the inputs, one after another; for each parameter its name and sum of gradient[i] cos(i). The k-th parameter is
0.5 sin(0.7 i + k), plus 1 where it is a norm's weight; the k-th input is sin(0.7 i + k + 1). The incoming gradient of
the output's i-th element is cos(0.3 i). Masks are PyTorch's: true is masked out.
"""
import math
import torch
from torch import nn

torch.set_default_dtype(torch.float64)
N, T, S, WIDTH, HEADS, INNER = 2, 3, 5, 8, 2, 12
CAUSAL = torch.triu(torch.ones(T, T, dtype=torch.bool), 1)
# Of 3 or 5 positions, the first sample has fewer.
SELF_PADDING = torch.tensor([[False, False, True], [False, False, False]])
MEMORY_PADDING = torch.tensor([[False, False, False, True, True], [False, False, False, False, False]])
CROSS = torch.tensor([[False, True, False, False, True], [True, False, False, False, False],
                      [False, False, True, False, True]])
FLOATING = torch.sin(torch.arange(T * T) * 1.3).reshape(T, T)


def fill(module):
    for k, (name, p) in enumerate(module.named_parameters()):
        values = 0.5 * torch.sin(0.7 * torch.arange(p.numel()) + k).reshape(p.shape)
        p.data = values + (1 if name.split(".")[-2:-1] and name.split(".")[-2].startswith("norm")
                           and name.endswith("weight") else 0)
    return module


def wave(seed, *shape):
    return torch.sin(0.7 * torch.arange(math.prod(shape)) + seed).reshape(shape).requires_grad_()


def show(numbers):
    return " ".join(f"{v:.15g}" for v in numbers)


def case(name, module, call, *shapes):
    fill(module)
    inputs = [wave(k + 1, *shape) for k, shape in enumerate(shapes)]
    y = call(module, *inputs)
    y.backward(torch.cos(0.3 * torch.arange(y.numel())).reshape(y.shape))
    gradients = torch.cat([x.grad.flatten() for x in inputs])
    sums = [f"{n} {torch.sum(p.grad.flatten() * torch.cos(torch.arange(p.numel()))).item():.15g}"
            for n, p in module.named_parameters() if p.grad is not None]
    print(name, show(y.flatten().tolist()), show(gradients.tolist()), "; ".join(sums), sep=" | ")


def attention(**options):
    return nn.MultiheadAttention(WIDTH, HEADS, batch_first=True, **options)


def layer(kind, **options):
    return kind(WIDTH, HEADS, INNER, dropout=0, batch_first=True, **options)


def main():
    x, memory = (N, T, WIDTH), (N, S, WIDTH)
    case("attention", attention(), lambda m, x: m(x, x, x)[0], x)
    case("attention, causal, without bias", attention(bias=False),
         lambda m, x: m(x, x, x, attn_mask=CAUSAL)[0], x)
    case("attention, cross, masked and padded", attention(),
         lambda m, q, k, v: m(q, k, v, attn_mask=CROSS, key_padding_mask=MEMORY_PADDING)[0], x, memory, memory)
    case("attention, of one memory", attention(), lambda m, q, k: m(q, k, k)[0], x, memory)
    case("attention, floating mask", attention(), lambda m, x: m(x, x, x, attn_mask=FLOATING)[0], x)
    case("attention, weights", attention(),
         lambda m, q, k: m(q, k, k, attn_mask=CROSS, average_attn_weights=False)[1], x, memory)
    encoder, decoder = nn.TransformerEncoderLayer, nn.TransformerDecoderLayer
    case("encoder layer", layer(encoder), lambda m, x: m(x), x)
    case("encoder layer, pre-norm, gelu, causal", layer(encoder, norm_first=True, activation="gelu"),
         lambda m, x: m(x, src_mask=CAUSAL), x)
    case("encoder layer, padded", layer(encoder), lambda m, x: m(x, src_key_padding_mask=SELF_PADDING), x)
    case("decoder layer", layer(decoder), lambda m, x, y: m(x, y, tgt_mask=CAUSAL), x, memory)
    case("decoder layer, pre-norm, gelu, padded", layer(decoder, norm_first=True, activation="gelu"),
         lambda m, x, y: m(x, y, tgt_mask=CAUSAL, tgt_key_padding_mask=SELF_PADDING, memory_mask=CROSS,
                           memory_key_padding_mask=MEMORY_PADDING), x, memory)
    case("encoder", nn.TransformerEncoder(layer(encoder, norm_first=True), 2, nn.LayerNorm(WIDTH)),
         lambda m, x: m(x, mask=CAUSAL), x)
    case("decoder", nn.TransformerDecoder(layer(decoder), 2), lambda m, x, y: m(x, y, tgt_mask=CAUSAL), x, memory)


main()
