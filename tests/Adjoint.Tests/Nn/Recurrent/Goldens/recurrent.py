"""Recurrent layers of PyTorch (1.13), float64: python3 recurrent.py > recurrent.txt

Each line: case, tensor, and three sums over its elements v[i] in row-major order: sum v[i] cos(0.7 i),
sum v[i] sin(1.1 i + 0.5), sum v[i]. All values that go in are sines of their position, so that none is stored.
"""
import math
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.set_default_dtype(torch.float64)
COUNT, STEPS, INPUTS, WIDTH = 3, 5, 3, 4


def sines(shape, phase, scale=0.5):
    count = math.prod(shape)
    return torch.tensor([scale * math.sin(1.7 * i + phase) for i in range(count)]).reshape(shape)


def build(kind, layers, both, bias=True, projection=0, relu=False):
    options = dict(num_layers=layers, bidirectional=both, bias=bias, batch_first=True)
    if kind == "lstm":
        net = torch.nn.LSTM(INPUTS, WIDTH, proj_size=projection, **options)
    elif kind == "gru":
        net = torch.nn.GRU(INPUTS, WIDTH, **options)
    else:
        net = torch.nn.RNN(INPUTS, WIDTH, nonlinearity="relu" if relu else "tanh", **options)
    with torch.no_grad():
        for index, parameter in enumerate(net.parameters()):
            parameter.copy_(sines(parameter.shape, 0.3 * index + 0.1))
    return net


def show(case, name, tensor):
    values = tensor.detach().flatten().tolist()
    print(case, name,
          repr(sum(v * math.cos(0.7 * i) for i, v in enumerate(values))),
          repr(sum(v * math.sin(1.1 * i + 0.5) for i, v in enumerate(values))),
          repr(sum(values)))


def run(net, x, state, lengths):
    if lengths is None:
        return net(x, state)
    packed = pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    outputs, state = net(packed, state)
    return pad_packed_sequence(outputs, batch_first=True, total_length=x.shape[1])[0], state


def once(case, kind, layers=1, both=False, lengths=None, **options):
    net = build(kind, layers, both, **options)
    rows = layers * (2 if both else 1)
    width = options.get("projection") or WIDTH
    x = sines((COUNT, STEPS, INPUTS), 0.2, 1.5).requires_grad_()
    hidden = sines((rows, COUNT, width), 0.4).requires_grad_()
    state = [hidden]
    if kind == "lstm":
        state.append(sines((rows, COUNT, WIDTH), 0.6).requires_grad_())
    outputs, last = run(net, x, tuple(state) if kind == "lstm" else hidden, lengths)
    last = list(last) if kind == "lstm" else [last]
    loss = (outputs * sines(outputs.shape, 0.9, 1)).sum()
    for index, tensor in enumerate(last):
        loss = loss + (tensor * sines(tensor.shape, 1.1 + index, 1)).sum()
    loss.backward()
    show(case, "outputs", outputs)
    for index, tensor in enumerate(last):
        show(case, f"last.{index}", tensor)
    show(case, "x.grad", x.grad)
    for index, tensor in enumerate(state):
        show(case, f"state.{index}.grad", tensor.grad)
    for name, parameter in net.named_parameters():
        show(case, f"{name}.grad", parameter.grad)


def train(case, kind, optimizer):
    net = build(kind, 2, True)
    x = sines((COUNT, STEPS, INPUTS), 0.2, 1.5)
    steps = optimizer(net.parameters())
    for step in range(50):
        outputs, _ = run(net, x, None, [5, 2, 3])
        loss = ((outputs - sines(outputs.shape, 0.9, 0.8)) ** 2).mean()
        steps.zero_grad()
        loss.backward()
        steps.step()
        print(case, f"loss.{step}", repr(loss.item()))
    for name, parameter in net.named_parameters():
        show(case, name, parameter)


once("rnn", "rnn")
once("rnn-relu", "rnn", relu=True, layers=2)
once("rnn-both-lengths", "rnn", layers=2, both=True, lengths=[5, 2, 3])
once("gru", "gru")
once("gru-no-bias", "gru", bias=False)
once("gru-both-lengths", "gru", layers=2, both=True, lengths=[1, 5, 4])
once("lstm", "lstm")
once("lstm-no-bias", "lstm", bias=False, layers=2)
once("lstm-both-lengths", "lstm", layers=2, both=True, lengths=[3, 5, 1])
once("lstm-projection", "lstm", projection=2)
once("lstm-projection-both-lengths", "lstm", layers=2, both=True, projection=3, lengths=[5, 2, 3])
for kind in ("lstm", "gru"):
    train(f"{kind}-sgd", kind, lambda parameters: torch.optim.SGD(parameters, lr=0.2, momentum=0.9))
    train(f"{kind}-adam", kind, lambda parameters: torch.optim.Adam(parameters, lr=0.02))
