"""One update of a small CLIP, 64 pictures and captions, gathered and drawn included. Needs torch==2.13.0.

Plain PyTorch of open_clip's shape (see clip_model.py), its loss, and its limits of the temperature; AdamW with its
defaults.
"""
import math

import torch
import torch.nn.functional as F

from _round import serve
from clip_model import CLIP, TextTower, VisionTower, size_of

BATCH, SIZE, VOCABULARY, CONTEXT = 64, 48, 1000, 16
START, END = VOCABULARY - 2, VOCABULARY - 1


def captions():
    words = torch.randint(1, START, (BATCH, CONTEXT))
    place, length = torch.arange(CONTEXT), torch.randint(1, CONTEXT - 1, (BATCH, 1))
    words[:, 0] = START
    return words.where(place <= length, torch.where(place == length + 1, END, 0))


def prepare():
    model = CLIP(VisionTower(SIZE, 8, 128, 4, 4, 128), TextTower(VOCABULARY, CONTEXT, 128, 4, 4, 128))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.1)
    pictures = torch.rand(512, 3, SIZE, SIZE) * 2 - 1
    targets = torch.arange(BATCH)

    def step(index):
        logits = model(pictures[torch.randint(len(pictures), (BATCH,))], captions())
        loss = (F.cross_entropy(logits, targets) + F.cross_entropy(logits.T, targets)) / 2
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        return loss.item()

    step.parameters = size_of(model)
    return step


serve(prepare)
