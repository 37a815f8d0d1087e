#!/usr/bin/env python3
"""Writes attention.txt: attention and its gradients in float64, by NumPy and the definition (Vaswani et al. 2017).

Run: /usr/bin/python3 attention.py > attention.txt. A line is: case; outputs; gradients of queries, keys,
values. Element i of an input is sin(0.7 i + phase): queries (2, 4, 3, 5), phase 1; keys (2, 2, 4, 5), phase 2;
values (2, 2, 4, 3), phase 3; gradient of the outputs, phase 4. Where PyTorch is installed, its
softmax(QKᵀ)V must give the same.
"""
import numpy as np

N, H, G, T, S, D, E = 2, 4, 2, 3, 4, 5, 3
HIDDEN = -np.inf


def numbers(shape, phase):
    return np.sin(0.7 * np.arange(np.prod(shape)) + phase).reshape(shape)


def cases():
    n, h, i, j = np.ogrid[:N, :H, :T, :S]
    zero = np.zeros((N, H, T, S))
    yield "plain", zero, D ** -0.5
    yield "scale", zero, 0.9
    yield "causal", np.where(j <= i + S - T, zero, HIDDEN), D ** -0.5
    yield "mask", np.where((i + j) % 3 != 0, zero, HIDDEN), D ** -0.5
    yield "bias", np.sin(n + 2.0 * h + 3.0 * i + 5.0 * j), D ** -0.5
    yield "alibi", zero - 2.0 ** -(h + 1.0) * abs(i + S - T - j), D ** -0.5
    yield "lengths", np.where(j < np.array([3, 1]).reshape(N, 1, 1, 1), zero, HIDDEN), D ** -0.5


def attention(q, k, v, g, bias, scale):
    """Every head of keys repeated for those that read it; the sums over them give its gradient."""
    k, v = (np.repeat(x, H // G, axis=1) for x in (k, v))
    scores = scale * np.einsum("nhid,nhjd->nhij", q, k) + bias
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    above = np.einsum("nhie,nhje->nhij", g, v)
    slopes = weights * (above - (weights * above).sum(-1, keepdims=True))
    dk = scale * np.einsum("nhij,nhid->nhjd", slopes, q)
    dv = np.einsum("nhij,nhie->nhje", weights, g)
    dk, dv = (x.reshape(N, G, H // G, S, -1).sum(2) for x in (dk, dv))
    return weights @ v, scale * slopes @ k, dk, dv


def by_pytorch(q, k, v, g, bias, scale):
    import torch

    q, k, v = leaves = [torch.tensor(x, requires_grad=True) for x in (q, k, v)]
    k, v = (x.repeat_interleave(H // G, dim=1) for x in (k, v))
    y = torch.softmax(scale * q @ k.transpose(2, 3) + torch.tensor(bias), -1) @ v
    y.backward(torch.tensor(g))
    return [y.detach().numpy(), *(x.grad.numpy() for x in leaves)]


def main():
    q, k, v = numbers((N, H, T, D), 1), numbers((N, G, S, D), 2), numbers((N, G, S, E), 3)
    g = numbers((N, H, T, E), 4)
    for name, bias, scale in cases():
        results = attention(q, k, v, g, bias, scale)
        try:
            for ours, theirs in zip(results, by_pytorch(q, k, v, g, bias, scale)):
                np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-13)
        except ImportError:
            pass
        print(name, *(" ".join(f"{x:.15g}" for x in result.flatten()) for result in results), sep=" | ")


main()
