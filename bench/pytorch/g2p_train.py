"""One training step of a Transformer from letters to phones, batches by length. Needs torch==2.13.0.

nn.Transformer with embeddings, sinusoidal positions and a tied output projection; Adam in its fused form, which is the
fastest here.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from _round import serve

PAD, START, END, SPECIAL, LETTERS, PHONES = 0, 1, 2, 3, 27, 39
C, H, L, HIDDEN, MAX_LENGTH = 256, 4, 3, 1024, 128
TOKENS = 3072
LENGTHS = (8, 12)


def sinusoidal(length, dim):
    position = torch.arange(length).unsqueeze(1)
    angle = position * torch.exp(torch.arange(0, dim, 2) * (-math.log(10000.0) / dim))
    return torch.stack((angle.sin(), angle.cos()), dim=2).view(length, dim)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.source_embedding = nn.Embedding(SPECIAL + LETTERS, C)
        self.target_embedding = nn.Embedding(SPECIAL + PHONES, C)
        nn.init.normal_(self.source_embedding.weight, std=C**-0.5)
        nn.init.normal_(self.target_embedding.weight, std=C**-0.5)
        self.dropout = nn.Dropout(0.1)
        self.transformer = nn.Transformer(C, H, L, L, HIDDEN, dropout=0.1, batch_first=True, norm_first=True)
        self.output = nn.Linear(C, SPECIAL + PHONES)
        self.output.weight = self.target_embedding.weight
        nn.init.zeros_(self.output.bias)
        self.register_buffer("positions", sinusoidal(MAX_LENGTH, C), persistent=False)
        causal = nn.Transformer.generate_square_subsequent_mask(MAX_LENGTH, dtype=torch.bool)
        self.register_buffer("causal", causal, persistent=False)

    def embed(self, table, tokens, position=0):
        x = table(tokens) * math.sqrt(C) + self.positions[position : position + tokens.size(1)]
        return self.dropout(x)

    def forward(self, source, target):
        padding, length = source == PAD, target.size(1)
        y = self.transformer(
            self.embed(self.source_embedding, source),
            self.embed(self.target_embedding, target),
            tgt_mask=self.causal[:length, :length],
            tgt_is_causal=True,
            src_key_padding_mask=padding,
            memory_key_padding_mask=padding,
        )
        return self.output(y)


def words(count, low, high):
    """Words of random letters, with one to three phones fewer than letters."""

    def word(length):
        phones = max(1, length - torch.randint(1, 4, ()).item())
        source = torch.randint(SPECIAL, SPECIAL + LETTERS, (length,))
        return source, torch.randint(SPECIAL, SPECIAL + PHONES, (phones,))

    return [word(length) for length in torch.randint(low, high + 1, (count,)).tolist()]


def batches(pairs):
    """Batches of words of like length, as soon as they are full."""
    start, end = torch.tensor([START]), torch.tensor([END])
    while True:
        waiting = {length: [] for length in LENGTHS}
        for i in torch.randperm(len(pairs)).tolist():
            source, target = pairs[i]
            length = next(n for n in LENGTHS if max(len(source), len(target) + 1) <= n)
            waiting[length].append((source, torch.cat((start, target, end))))
            if len(waiting[length]) < TOKENS // length:
                continue
            sources = torch.full((len(waiting[length]), length), PAD)
            targets = torch.full((len(waiting[length]), length + 1), PAD)
            for row, (source, target) in enumerate(waiting[length]):
                sources[row, : len(source)], targets[row, : len(target)] = source, target
            waiting[length] = []
            yield sources, targets


def prepare():
    model = Model().train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-9, fused=True)
    data = batches(words(20_000, 3, 12))

    def step(index):
        source, target = next(data)
        logits = model(source, target[:, :-1])
        expected = target[:, 1:].reshape(-1)
        loss = F.cross_entropy(logits.flatten(0, 1), expected, ignore_index=PAD, label_smoothing=0.1)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


if __name__ == "__main__":
    serve(prepare)
