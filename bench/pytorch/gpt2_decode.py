"""Greedy generation by GPT-2 with 124 million random weights: one token a step. Needs torch==2.13.0.

Keys and values are kept in caches of a fixed length, written in place: as fast here as torch.cat.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from _round import serve

V, T, C, L, H = 50257, 1024, 768, 12, 12
PROMPT, GENERATED, LENGTH = 128, 64, 256


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_attn, self.c_proj = nn.Linear(C, 3 * C), nn.Linear(C, C)
        self.keys, self.values = torch.zeros(1, H, LENGTH, C // H), torch.zeros(1, H, LENGTH, C // H)

    def forward(self, x, position):
        B, T, C = x.size()
        q, k, v = (p.view(B, T, H, C // H).transpose(1, 2) for p in self.c_attn(x).split(C, dim=2))
        end = position + T
        self.keys[:, :, position:end], self.values[:, :, position:end] = k, v
        keys, values = self.keys[:, :, :end], self.values[:, :, :end]
        y = F.scaled_dot_product_attention(q, keys, values, is_causal=T > 1)
        return self.c_proj(y.transpose(1, 2).contiguous().view(B, T, C))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1, self.attn, self.ln_2 = nn.LayerNorm(C), Attention(), nn.LayerNorm(C)
        self.mlp = nn.Sequential(nn.Linear(C, 4 * C), nn.GELU("tanh"), nn.Linear(4 * C, C))

    def forward(self, x, position):
        x = x + self.attn(self.ln_1(x), position)
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(V, C), nn.Embedding(T, C)
        self.h, self.ln_f = nn.ModuleList([Block() for _ in range(L)]), nn.LayerNorm(C)
        self.lm_head = nn.Linear(C, V, bias=False)
        self.lm_head.weight = self.wte.weight
        for name, p in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(p)
            elif p.dim() == 2:
                nn.init.normal_(p, 0, 0.02)

    def forward(self, ids, position):
        x = self.wte(ids) + self.wpe(torch.arange(position, position + ids.size(1)))
        for block in self.h:
            x = block(x, position)
        return self.lm_head(self.ln_f(x[:, -1:]))


@torch.inference_mode()
def prepare():
    model = GPT().eval()
    first = model(torch.randint(V, (1, PROMPT)), 0).argmax(-1)
    token = first

    @torch.inference_mode()
    def step(index):
        nonlocal token
        at = index % GENERATED
        if at == 0:
            token = first
        token = model(token, PROMPT + at).argmax(-1)
        return token.item()

    return step


serve(prepare)
