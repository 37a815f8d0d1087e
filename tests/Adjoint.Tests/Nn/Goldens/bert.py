"""The forward pass of BERT in NumPy (float64), written from Devlin et al. 2018 and Vaswani et al. 2017.

Weights are those of formula_weights.py by their published names. Prints names and shapes of the state, then hidden
and pooled states: python3 bert.py > bert.txt
"""
import math
import sys

import numpy as np

sys.dont_write_bytecode = True
import formula_weights

VOCABULARY, CONTEXT, TYPES, WIDTH, HEADS, LAYERS, INNER = 11, 7, 2, 8, 2, 2, 12
N, T = 2, 5


def state():
    names = {
        "embeddings.word_embeddings.weight": (VOCABULARY, WIDTH),
        "embeddings.position_embeddings.weight": (CONTEXT, WIDTH),
        "embeddings.token_type_embeddings.weight": (TYPES, WIDTH),
        "embeddings.LayerNorm.weight": (WIDTH,),
        "embeddings.LayerNorm.bias": (WIDTH,),
    }

    def affine(name, inputs, outputs):
        names[f"{name}.weight"] = (outputs, inputs)
        names[f"{name}.bias"] = (outputs,)

    def norm(name):
        names[f"{name}.weight"] = (WIDTH,)
        names[f"{name}.bias"] = (WIDTH,)

    for i in range(LAYERS):
        layer = f"encoder.layer.{i}"
        for part in ("query", "key", "value"):
            affine(f"{layer}.attention.self.{part}", WIDTH, WIDTH)
        affine(f"{layer}.attention.output.dense", WIDTH, WIDTH)
        norm(f"{layer}.attention.output.LayerNorm")
        affine(f"{layer}.intermediate.dense", WIDTH, INNER)
        affine(f"{layer}.output.dense", INNER, WIDTH)
        norm(f"{layer}.output.LayerNorm")
    affine("pooler.dense", WIDTH, WIDTH)
    return {name: formula_weights.of(name, shape) for name, shape in names.items()}


WEIGHTS = {name: value.astype(np.float64) for name, value in state().items()}


def affine(x, name):
    return x @ WEIGHTS[f"{name}.weight"].T + WEIGHTS[f"{name}.bias"]


def norm(x, name):
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-12) * WEIGHTS[f"{name}.weight"] + WEIGHTS[f"{name}.bias"]


def gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def attention(x, name, lengths):
    query, key, value = (affine(x, f"{name}.{part}") for part in ("query", "key", "value"))
    result, d = np.zeros_like(x), WIDTH // HEADS
    for sample, length in enumerate(lengths):
        for head in range(HEADS):
            part = slice(head * d, (head + 1) * d)
            scores = query[sample, :, part] @ key[sample, :length, part].T / math.sqrt(d)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            weights /= weights.sum(-1, keepdims=True)
            result[sample, :, part] = weights @ value[sample, :length, part]
    return result


def forward(tokens, types, lengths):
    embeddings = [WEIGHTS[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")]
    x = norm(embeddings[0][tokens] + embeddings[1][:tokens.shape[1]] + embeddings[2][types], "embeddings.LayerNorm")
    for i in range(LAYERS):
        layer = f"encoder.layer.{i}"
        y = affine(attention(x, f"{layer}.attention.self", lengths), f"{layer}.attention.output.dense")
        x = norm(x + y, f"{layer}.attention.output.LayerNorm")
        y = affine(gelu(affine(x, f"{layer}.intermediate.dense")), f"{layer}.output.dense")
        x = norm(x + y, f"{layer}.output.LayerNorm")
    return x, np.tanh(affine(x[:, 0], "pooler.dense"))


def show(name, values):
    print(name, "|", " ".join(repr(float(value)) for value in values.ravel()))


for name, value in WEIGHTS.items():
    print("state |", name, *value.shape)
tokens = np.arange(N * T).reshape(N, T) ** 2 % VOCABULARY
types = (np.arange(N * T).reshape(N, T) % T > 2).astype(int)
for case, arguments in {
    "plain": (tokens, np.zeros_like(tokens), [T, T]),
    "segments and padding": (tokens, types, [T, 3]),
}.items():
    hidden, pooled = forward(*arguments)
    show(f"{case}, hidden", hidden)
    show(f"{case}, pooled", pooled)
