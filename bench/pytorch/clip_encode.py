"""Embeddings of 16 pictures by the image tower of CLIP ViT-B/32, from pictures at hand. Needs torch==2.13.0.

Plain PyTorch, eager: see clip_model.py.
"""
import torch

from _round import serve
from clip_model import size_of, vit_b_32


def prepare(batch=16):
    model = vit_b_32()
    pictures = torch.rand(32, 3, 224, 224) * 2 - 1

    @torch.inference_mode()
    def step(index):
        return model(pictures[torch.randint(len(pictures), (batch,))])[0, 0].item()

    step.parameters = size_of(model)
    return step


if __name__ == "__main__":
    serve(prepare)
