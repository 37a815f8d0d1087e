"""torchvision's VisionTransformer and ConvNeXt with the weights of formula_weights.py, in float64.

Prints names and shapes of the states, and at most 20 logits: python3 vision_transformers.py --full >
vision_transformers.txt. Without --full, none of vit_b_16, which takes seconds.
"""
import sys

import torch
from torchvision import models
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.vision_transformer import VisionTransformer

sys.dont_write_bytecode = True
import formula_weights

torch.manual_seed(1)
# Without the initial values, which take longer than all else.
torch.nn.init.trunc_normal_ = lambda tensor, **_: tensor


def show(name, model, images, with_logits=True):
    for key, value in model.state_dict().items():
        print(f"{name}, state |", key, *value.shape)
    if not with_logits:
        return
    with torch.no_grad():
        formula_weights.fill(model)
        x = torch.from_numpy(formula_weights.input("images", images))
        logits = model.double().eval()(x.double())
    logits = logits.flatten()[::max(1, logits.numel() // 20)]
    print(f"{name}, logits |", " ".join(repr(value) for value in logits.tolist()))


stages = [CNBlockConfig(4, 8, 1), CNBlockConfig(8, None, 2)]
show("small convnext", ConvNeXt(stages, stochastic_depth_prob=0.2, num_classes=5), (2, 3, 20, 17))
show("small vit", VisionTransformer(12, 4, num_layers=2, num_heads=2, hidden_dim=8, mlp_dim=12, num_classes=5),
     (2, 3, 12, 12))
show("convnext_tiny", models.convnext_tiny(), (1, 3, 32, 40))
show("vit_b_16", models.vit_b_16(), (1, 3, 224, 224), "--full" in sys.argv)
