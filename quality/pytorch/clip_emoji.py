"""Trains open_clip's CLIP on what clip-emoji-export wrote, by open_clip's loss, and prints its recall as JSON.

    python quality/pytorch/clip_emoji.py FOLDER

Needs torch==2.13.0, open_clip_torch==3.3.0, numpy. The architecture, the batches, the order of them, the optimizer and
the schedule are those of the run; first weights and patch dropout are PyTorch's own, by the run's seed.
"""
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from open_clip.loss import ClipLoss
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg

MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073])
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711])
HEAD = 32

folder = Path(sys.argv[1])
config = json.loads((folder / "config.json").read_text())
size, batch, steps, context = (config[name] for name in ("size", "batch", "steps", "contextLength"))
torch.manual_seed(config["seed"])


def pictures(values):
    x = torch.from_numpy(np.array(values)).float() / 255
    return ((x - MEAN) / STD).permute(0, 3, 1, 2)


def ints(name, *shape):
    return torch.from_numpy(np.fromfile(folder / name, np.int32).reshape(shape)).long()


dim = config["dim"]
model = CLIP(
    config["embedDim"],
    CLIPVisionCfg(
        layers=config["layers"],
        width=dim,
        head_width=HEAD,
        patch_size=config["patch"],
        image_size=size,
        patch_dropout=config["patchDropout"],
    ),
    CLIPTextCfg(
        context_length=context,
        vocab_size=config["vocabSize"],
        width=dim,
        heads=dim // HEAD,
        layers=config["textLayers"],
        pool_type="eos",
        eos_id=config["endToken"],
    ),
)
# As open_clip's training: what is no matrix does not decay.
decays = [p for p in model.parameters() if p.ndim >= 2]
others = [p for p in model.parameters() if p.ndim < 2]
optimizer = torch.optim.AdamW(
    [{"params": decays, "weight_decay": config["weightDecay"]}, {"params": others, "weight_decay": 0.0}],
    lr=config["lr"],
    betas=(0.9, 0.98),
    eps=1e-6,
)
warmup = min(config["warmup"], steps - 1)


def rate(step):
    if step < warmup:
        return config["lr"] * step / warmup
    return config["lr"] * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2


pixels = np.memmap(folder / "pixels.u8", np.uint8, "r", shape=(steps, batch, size, size, 3))
tokens = ints("tokens.i32", steps, batch, context)
loss_of = ClipLoss()
start = time.time()
for step in range(steps):
    for group in optimizer.param_groups:
        group["lr"] = rate(step)
    loss = loss_of(*model(pictures(pixels[step]), tokens[step]))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    with torch.no_grad():
        model.logit_scale.clamp_(0, math.log(100))
seconds = time.time() - start


def ranks(scores, right):
    """Places of the right answers, from 1; of equal scores the wrong ones come first."""
    own = scores.gather(1, right[:, None])
    return (scores >= own).sum(1)


@torch.no_grad()
def recall(name, styles):
    model.eval()
    names = ints(f"{name}.names.i32", -1, context)
    texts = F.normalize(model.encode_text(names), dim=-1)
    found = {"textToImage": [], "imageToText": []}
    for style in styles:
        own = ints(f"{name}.{style}.i32", -1)
        images = np.fromfile(folder / f"{name}.{style}.u8", np.uint8).reshape(-1, size, size, 3)
        parts = [model.encode_image(pictures(part)) for part in np.array_split(images, 16)]
        embedded = F.normalize(torch.cat(parts), dim=-1)
        cosines = texts @ embedded.T
        found["textToImage"].append(ranks(cosines[own], torch.arange(len(own))))
        found["imageToText"].append(ranks(cosines.T, own))
    return {
        way: {f"at{k}": (torch.cat(all_) <= k).float().mean().item() for k in (1, 5, 10)}
        for way, all_ in found.items()
    }


result = {
    "loss": loss.item(),
    "seconds": seconds,
    "parameters": sum(p.numel() for p in model.parameters()),
    "recall": {name: recall(name, styles) for name, styles in config["tests"].items()},
}
print(json.dumps(result))
