"""CLIP in plain PyTorch: open_clip's layers, sizes and computation, without its dependencies. Needs torch==2.13.0.

Attention by scaled_dot_product_attention, queries, keys and values from one product, as nn.MultiheadAttention does it.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Attention(nn.Module):
    def __init__(self, dim, heads, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.in_proj, self.out_proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = self.in_proj(x).view(B, T, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.out_proj(y.transpose(1, 2).reshape(B, T, C))


class Block(nn.Module):
    def __init__(self, dim, heads, activation, causal):
        super().__init__()
        self.ln_1, self.attn, self.ln_2 = nn.LayerNorm(dim), Attention(dim, heads, causal), nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), activation(), nn.Linear(4 * dim, dim))

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


def blocks(layers, *args):
    return nn.Sequential(*(Block(*args) for _ in range(layers)))


class VisionTower(nn.Module):
    """[batch, 3, size, size] -> [batch, embed_dim]."""

    def __init__(self, size, patch, dim, layers, heads, embed_dim, activation=nn.GELU):
        super().__init__()
        self.conv1 = nn.Conv2d(3, dim, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(dim**-0.5 * torch.randn(dim))
        self.positional_embedding = nn.Parameter(dim**-0.5 * torch.randn((size // patch) ** 2 + 1, dim))
        self.ln_pre, self.ln_post = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.transformer = blocks(layers, dim, heads, activation, False)
        self.proj = nn.Parameter(dim**-0.5 * torch.randn(dim, embed_dim))

    def forward(self, pixels):
        x = self.conv1(pixels).flatten(2).transpose(1, 2)
        first = self.class_embedding.expand(x.shape[0], 1, -1)
        x = self.ln_pre(torch.cat([first, x], 1) + self.positional_embedding)
        return self.ln_post(self.transformer(x)[:, 0]) @ self.proj


class TextTower(nn.Module):
    """int64 [batch, context] -> [batch, embed_dim], read at the last id, which ends each text."""

    def __init__(self, vocabulary, context, dim, layers, heads, embed_dim):
        super().__init__()
        self.token_embedding = nn.Embedding(vocabulary, dim)
        self.positional_embedding = nn.Parameter(0.01 * torch.randn(context, dim))
        self.transformer = blocks(layers, dim, heads, nn.GELU, True)
        self.ln_final = nn.LayerNorm(dim)
        self.text_projection = nn.Parameter(dim**-0.5 * torch.randn(dim, embed_dim))
        nn.init.normal_(self.token_embedding.weight, std=0.02)

    def forward(self, tokens):
        x = self.ln_final(self.transformer(self.token_embedding(tokens) + self.positional_embedding))
        return x[torch.arange(len(x)), tokens.argmax(1)] @ self.text_projection


class CLIP(nn.Module):
    def __init__(self, visual, text):
        super().__init__()
        self.visual, self.text = visual, text
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def forward(self, pixels, tokens):
        image, text = F.normalize(self.visual(pixels), dim=1), F.normalize(self.text(tokens), dim=1)
        return self.logit_scale.exp() * image @ text.T


def vit_b_32():
    """The image tower of OpenAI's ViT-B/32: 87.8 million numbers, random here."""
    return VisionTower(224, 32, 768, 12, 12, 512, QuickGELU).eval().requires_grad_(False)


def size_of(model):
    return sum(p.numel() for p in model.parameters())
