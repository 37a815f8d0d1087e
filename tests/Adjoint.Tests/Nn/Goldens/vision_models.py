"""torchvision's convolutional networks with the weights of formula_weights.py.

python3 vision_models.py --full > vision_models.txt prints a digest of names and shapes of each state (parameters, then
buffers), and up to 20 logits in float64. Without --full, logits of the small networks alone, which take seconds.
python3 vision_models.py --names NETWORK prints the names themselves.
python3 vision_models.py --save FOLDER NETWORK… writes state dictionaries, in both formats and layouts;
--check FOLDER NETWORK… loads FOLDER/NETWORK.back.pt strictly, without code, and compares every bit.
"""
import hashlib
import sys

import torch
from torchvision import models

sys.dont_write_bytecode = True
import formula_weights

# Without the initial values, which take longer than all else.
for name in ("normal_", "trunc_normal_", "uniform_", "kaiming_normal_", "kaiming_uniform_", "xavier_uniform_"):
    setattr(torch.nn.init, name, lambda tensor, *_, **__: tensor)

SMALL = ["resnet18", "squeezenet1_0", "squeezenet1_1", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "mobilenet_v2",
         "mobilenet_v3_small", "mobilenet_v3_large", "efficientnet_b0"]
LARGE = ["resnet34", "resnet50", "resnet101", "resnet152", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0", "vgg11",
         "vgg13_bn", "vgg16", "vgg19_bn"]
NAMES_ONLY = ["vgg11_bn", "vgg13", "vgg16_bn", "vgg19"]
# Where torch.save writes the format before the zip files, and where weights lie with channels last.
OLD_FORMAT = {"mobilenet_v2", "resnet34", "vit_b_16"}
CHANNELS_LAST = {"mobilenet_v3_small", "resnet18", "convnext_tiny"}


def names(model):
    return [f"{key} {tuple(value.shape)}" for key, value in [*model.named_parameters(), *model.named_buffers()]
            if not key.endswith("num_batches_tracked")]


def images(name):
    size = 224 if name == "vit_b_16" else 64
    return torch.from_numpy(formula_weights.input("images", (2, 3, size, size)))


def logits(name, model):
    with torch.no_grad():
        y = model.double().eval()(images(name).double()).flatten()
    return " ".join(repr(value) for value in y[::max(1, y.numel() // 20)].tolist())


def filled(name):
    model = getattr(models, name)()
    with torch.no_grad():
        return formula_weights.fill(model)


def state(name):
    lines = names(getattr(models, name)())
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
    print(f"{name}, state | {len(lines)} {digest}", flush=True)


def training(name):
    model = filled(name).double().train()
    x, labels = images(name).double(), torch.tensor([3, 998])
    loss = torch.nn.functional.cross_entropy(model(x), labels)
    loss.backward()
    norm = sum(p.grad.square().sum() for p in model.parameters()).sqrt()
    with torch.no_grad():
        for p in model.parameters():
            p -= 0.01 * p.grad
        after = torch.nn.functional.cross_entropy(model.eval()(x), labels)
    sums = [sum(b.sum() for key, b in model.named_buffers() if key.endswith(end)) for end in ("mean", "var")]
    print(f"{name}, training |", " ".join(repr(v.item()) for v in [loss, norm, *sums, after]), flush=True)


def save(folder, name):
    model = filled(name)
    if name in CHANNELS_LAST:
        model = model.to(memory_format=torch.channels_last)
    torch.save(model.state_dict(), f"{folder}/{name}.pt", _use_new_zipfile_serialization=name not in OLD_FORMAT)
    print(f"{name}, logits |", logits(name, model), flush=True)


def check(folder, name):
    model = getattr(models, name)()
    model.load_state_dict(torch.load(f"{folder}/{name}.back.pt", weights_only=True), strict=True)
    expected = formula_weights.fill(getattr(models, name)()).state_dict()
    same = all(torch.equal(value, expected[key]) for key, value in model.state_dict().items())
    print(f"{name}, back |", "equal" if same else "different", flush=True)


def main(mode="", *arguments):
    if mode == "--names":
        print("\n".join(names(getattr(models, arguments[0])())))
    elif mode in ("--save", "--check"):
        for name in arguments[1:]:
            (save if mode == "--save" else check)(arguments[0], name)
    else:
        for name in SMALL + LARGE + NAMES_ONLY:
            state(name)
        for name in SMALL + (LARGE if mode == "--full" else []):
            print(f"{name}, logits |", logits(name, filled(name)), flush=True)
        training("shufflenet_v2_x0_5")


with torch.no_grad() if "--check" in sys.argv else torch.enable_grad():
    main(*sys.argv[1:])
