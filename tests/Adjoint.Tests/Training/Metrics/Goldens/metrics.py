#!/usr/bin/env python3
"""Writes metrics.json: values of scikit-learn 1.2.1 over random samples with ties, weights and classes without samples.

Run with Debian's python3-sklearn: /usr/bin/python3 metrics.py > metrics.json. The tests read the file only. A value is
named after its row in MetricCases.cs; `logits` and `probabilities` are the same outputs before and after softmax or
sigmoid. Numbers are written so that they read back to the bit.
"""
import json
import warnings
import numpy as np
from sklearn import metrics as sk
from sklearn.preprocessing import label_binarize

warnings.filterwarnings("ignore")
random = np.random.RandomState(17)
AVERAGES = ["macro", "micro", "weighted"]
RATIOS = {"Precision": sk.precision_score, "Recall": sk.recall_score, "F1": sk.f1_score, "IoU": sk.jaccard_score}


def named(name, average):
    return f"{name}, {average}"


def ratios(y, decided, w):
    return {named(name, average): float(score(y, decided, average=average, sample_weight=w, zero_division=0))
            for name, score in RATIOS.items() for average in AVERAGES}


def areas(y, p, w):
    values = {}
    for average in AVERAGES:
        values[named("RocAuc", average)] = float(sk.roc_auc_score(y, p, average=average, sample_weight=w))
        values[named("PrAuc", average)] = float(sk.average_precision_score(y, p, average=average, sample_weight=w))
    return values


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def case(kind, outputs, probabilities, targets, weights, values):
    return {"kind": kind, "outputs": np.asarray(outputs).tolist(), "probabilities":
            None if probabilities is None else np.asarray(probabilities).tolist(),
            "targets": np.asarray(targets).tolist(), "weights": None if weights is None else weights.tolist(),
            "values": values}


def classes(n, c, weighted, present, step=None):
    x = random.randn(n, c) * 2 if step is None else np.round(random.randn(n, c) * 2 / step) * step
    y = random.randint(0, present, n)
    w = random.rand(n) * 2 if weighted else None
    # Of equal outputs the first: argmax of both.
    p, decided = softmax(x), x.argmax(axis=1)
    values = {"Accuracy": float(sk.accuracy_score(y, decided, sample_weight=w)), **ratios(y, decided, w),
              "LogLoss": float(sk.log_loss(y, p, labels=range(c), sample_weight=w))}
    if step is None:
        values["TopKAccuracy, 2"] = float(sk.top_k_accuracy_score(y, x, k=2, labels=range(c), sample_weight=w))
    if present == c and step is None:
        values.update(areas(label_binarize(y, classes=range(c)), p, w))
    return case("classes", x, p, y, w, values)


def binary(n, weighted):
    x = np.round(random.randn(n) * 4) / 2
    y = (random.rand(n) < 0.4).astype(int)
    w = random.rand(n) * 2 if weighted else None
    p, decided = 1 / (1 + np.exp(-x)), (x > 0).astype(int)
    values = {"Accuracy": float(sk.accuracy_score(y, decided, sample_weight=w)), **ratios(y, decided, w),
              "RocAuc": float(sk.roc_auc_score(y, p, sample_weight=w)),
              "PrAuc": float(sk.average_precision_score(y, p, sample_weight=w)),
              "LogLoss": float(sk.log_loss(y, p, sample_weight=w))}
    for name, score in RATIOS.items():
        values[named(name, "binary")] = float(score(y, decided, sample_weight=w, zero_division=0))
    return case("binary", x, p, y, w, values)


def labels(n, c, weighted, absent):
    x = np.round(random.randn(n, c) * 4) / 2
    y = (random.rand(n, c) < 0.4).astype(int)
    if absent:
        y[:, -1], x[:, -1] = 0, -1
    w = random.rand(n) * 2 if weighted else None
    p, decided = 1 / (1 + np.exp(-x)), (x > 0).astype(int)
    values = {"Accuracy": float(sk.accuracy_score(y, decided, sample_weight=w)), **ratios(y, decided, w)}
    if not absent:
        values.update(areas(y, p, w))
    return case("labels", x, p, y, w, values)


def numbers(n, k, weighted, constant):
    y = random.randn(n, k) * 3 + 1000
    x = y + random.randn(n, k)
    if constant:
        y[:, 0] = 0.5
    w = random.rand(n) * 2 if weighted else None
    return case("values", x, None, y, w, {
        "Mae": float(sk.mean_absolute_error(y, x, sample_weight=w)),
        "Rmse": float(sk.mean_squared_error(y, x, sample_weight=w, squared=False)),
        "R2": float(sk.r2_score(y, x, sample_weight=w))})


cases = [classes(40, 4, w, 4) for w in (False, True)] + [classes(30, 4, w, 2, 0.5) for w in (False, True)]
cases += [binary(40, w) for w in (False, True)]
cases += [labels(30, 3, w, absent) for w in (False, True) for absent in (False, True)]
cases += [numbers(20, k, w, constant) for w in (False, True) for k, constant in ((1, False), (3, False), (2, True))]
print("[\n" + ",\n".join(json.dumps(one) for one in cases) + "\n]")
