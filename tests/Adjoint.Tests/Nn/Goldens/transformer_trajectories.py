"""Training of transformers in PyTorch (1.13), float64:
python3 transformer_trajectories.py > transformer_trajectories.txt

Each line: the run, 50 losses, and the sums over all parameters, in the order of their names, of v[i]^2 cos(0.7 i)^2 and
of v[i]^2: the gradient of the keys' bias is 0 but for rounding, which AdamW divides by its own size. All values
that go in are sines of their position, so that none is stored.
"""
import math
import torch
from torch import nn
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
STEPS, COUNT, LENGTH, WIDTH, HEADS, LAYERS, VOCABULARY = 50, 3, 6, 8, 2, 2, 7


def sines(shape, phase, scale):
    count = math.prod(shape)
    return torch.tensor([scale * math.sin(1.7 * i + phase) for i in range(count)]).reshape(shape)


def named(model):
    return sorted(model.named_parameters())


def fill(model):
    with torch.no_grad():
        for index, (name, parameter) in enumerate(named(model)):
            values = sines(parameter.shape, 0.3 * index + 0.1, 0.4)
            parameter.copy_(values + 1 if "norm" in name and name.endswith("weight") else values)


class Gpt(nn.Module):
    """The layers of GPT-2: pre-norm, causal, learned positions, output weights tied to those of the tokens."""

    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(VOCABULARY, WIDTH)
        self.positions = nn.Embedding(LENGTH, WIDTH)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(WIDTH, HEADS, 2 * WIDTH, 0, "gelu", batch_first=True, norm_first=True)
            for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.positions.weight
        later = torch.full((LENGTH, LENGTH), -math.inf).triu(1)
        for layer in self.layers:
            x = layer(x, src_mask=later)
        return F.linear(self.norm(x), self.tokens.weight)


def encoder():
    layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 2 * WIDTH, 0, batch_first=True)
    model = nn.TransformerEncoder(layer, LAYERS)
    x, target = sines((COUNT, LENGTH, WIDTH), 0.2, 1), sines((COUNT, LENGTH, WIDTH), 0.9, 1)
    lengths = torch.tensor([6, 3, 1])
    is_padding = torch.arange(LENGTH) >= lengths[:, None]

    def loss():
        errors = ((model(x, src_key_padding_mask=is_padding) - target) ** 2).mean(2)
        return errors.masked_fill(is_padding, 0).sum() / lengths.sum()

    return model, loss


def gpt():
    model = Gpt()
    tokens = torch.tensor([(i * i + i // 5) % VOCABULARY for i in range(COUNT * LENGTH)]).reshape(COUNT, LENGTH)
    labels = torch.tensor([-100 if i % 6 == 4 else (i * i + 3) % VOCABULARY for i in range(COUNT * LENGTH)])
    return model, lambda: F.cross_entropy(model(tokens).flatten(0, 1), labels)


def run(name, build, optimizer):
    model, loss_of = build()
    fill(model)
    model.train()
    steps = optimizer(model.parameters())
    losses = []
    for _ in range(STEPS):
        steps.zero_grad()
        loss = loss_of()
        loss.backward()
        steps.step()
        losses.append(loss.item())
    values = [v for _, parameter in named(model) for v in parameter.detach().flatten().tolist()]
    sums = sum((v * math.cos(0.7 * i)) ** 2 for i, v in enumerate(values)), sum(v * v for v in values)
    print(name, *map(repr, losses + list(sums)))


for name, build in ("encoder", encoder), ("gpt", gpt):
    run(name + " AdamW", build, lambda parameters: torch.optim.AdamW(parameters, 0.01, weight_decay=0.1))
    run(name + " Sgd", build, lambda parameters: torch.optim.SGD(parameters, 0.05, momentum=0.9))
