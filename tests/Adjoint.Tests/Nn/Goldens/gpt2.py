"""The forward pass of GPT-2 in NumPy (float64), written from Radford et al. 2019 and Vaswani et al. 2017.

Weights are those of formula_weights.py by their published names; matrices are (inputs, outputs) there. Prints names and
shapes of the state, then logits: python3 gpt2.py > gpt2.txt
"""
import math
import sys

import numpy as np

sys.dont_write_bytecode = True
import formula_weights

VOCABULARY, CONTEXT, WIDTH, HEADS, LAYERS, EPSILON = 11, 7, 8, 2, 2, 1e-3
N, T = 2, 6


def state():
    names = {"wte.weight": (VOCABULARY, WIDTH), "wpe.weight": (CONTEXT, WIDTH)}

    def norm(name):
        names[f"{name}.weight"] = (WIDTH,)
        names[f"{name}.bias"] = (WIDTH,)

    def affine(name, inputs, outputs):
        names[f"{name}.weight"] = (inputs, outputs)
        names[f"{name}.bias"] = (outputs,)

    for i in range(LAYERS):
        norm(f"h.{i}.ln_1")
        affine(f"h.{i}.attn.c_attn", WIDTH, 3 * WIDTH)
        affine(f"h.{i}.attn.c_proj", WIDTH, WIDTH)
        norm(f"h.{i}.ln_2")
        affine(f"h.{i}.mlp.c_fc", WIDTH, 4 * WIDTH)
        affine(f"h.{i}.mlp.c_proj", 4 * WIDTH, WIDTH)
    norm("ln_f")
    return {name: formula_weights.of(name, shape) for name, shape in names.items()}


WEIGHTS = {name: value.astype(np.float64) for name, value in state().items()}


def affine(x, name):
    return x @ WEIGHTS[f"{name}.weight"] + WEIGHTS[f"{name}.bias"]


def norm(x, name):
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + EPSILON) * WEIGHTS[f"{name}.weight"] + WEIGHTS[f"{name}.bias"]


def gelu(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))


def attention(x, name):
    query, key, value = np.split(affine(x, f"{name}.c_attn"), 3, axis=-1)
    result, d = np.zeros_like(x), WIDTH // HEADS
    for sample in range(x.shape[0]):
        for head in range(HEADS):
            part = slice(head * d, (head + 1) * d)
            for i in range(x.shape[1]):
                scores = key[sample, :i + 1, part] @ query[sample, i, part] / math.sqrt(d)
                weights = np.exp(scores - scores.max())
                result[sample, i, part] = weights / weights.sum() @ value[sample, :i + 1, part]
    return affine(result, f"{name}.c_proj")


def forward(tokens):
    x = WEIGHTS["wte.weight"][tokens] + WEIGHTS["wpe.weight"][:tokens.shape[1]]
    for i in range(LAYERS):
        x = x + attention(norm(x, f"h.{i}.ln_1"), f"h.{i}.attn")
        x = x + affine(gelu(affine(norm(x, f"h.{i}.ln_2"), f"h.{i}.mlp.c_fc")), f"h.{i}.mlp.c_proj")
    return norm(x, "ln_f") @ WEIGHTS["wte.weight"].T


for name, value in WEIGHTS.items():
    print("state |", name, *value.shape)
logits = forward(np.arange(N * T).reshape(N, T) ** 2 % VOCABULARY)
print("logits |", " ".join(repr(float(value)) for value in logits.ravel()))
