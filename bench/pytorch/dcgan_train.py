"""One DCGAN training step, batch 64, 32x32x1: data generation included. Needs torch==2.13.0."""
import torch
import torch.nn as nn

from _round import serve


def block(conv, channels):
    return [conv, nn.BatchNorm2d(channels)]


def prepare():
    G = nn.Sequential(
        *block(nn.ConvTranspose2d(100, 256, 4, 1, 0, bias=False), 256), nn.ReLU(),
        *block(nn.ConvTranspose2d(256, 128, 4, 2, 1, bias=False), 128), nn.ReLU(),
        *block(nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False), 64), nn.ReLU(),
        nn.ConvTranspose2d(64, 1, 4, 2, 1, bias=False), nn.Tanh())
    D = nn.Sequential(
        nn.Conv2d(1, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2),
        *block(nn.Conv2d(64, 128, 4, 2, 1, bias=False), 128), nn.LeakyReLU(0.2),
        *block(nn.Conv2d(128, 256, 4, 2, 1, bias=False), 256), nn.LeakyReLU(0.2),
        nn.Conv2d(256, 1, 4, 1, 0, bias=False))
    for p in list(G.parameters()) + list(D.parameters()):
        if p.dim() == 4:
            nn.init.normal_(p, 0, 0.02)
    opt_g = torch.optim.Adam(G.parameters(), lr=2e-4, betas=(0.5, 0.999))
    opt_d = torch.optim.Adam(D.parameters(), lr=2e-4, betas=(0.5, 0.999))
    bce = nn.functional.binary_cross_entropy_with_logits

    def step(index):
        real = torch.rand(64, 1, 32, 32) * 2 - 1
        z = torch.randn(64, 100, 1, 1)
        fake = G(z)
        real_logits, fake_logits = D(real).view(-1), D(fake.detach()).view(-1)
        loss_d = bce(real_logits, torch.ones(64)) + bce(fake_logits, torch.zeros(64))
        opt_d.zero_grad(set_to_none=True)
        loss_d.backward()
        opt_d.step()
        loss_g = bce(D(fake).view(-1), torch.ones(64))
        opt_g.zero_grad(set_to_none=True)
        loss_g.backward()
        opt_g.step()
        return loss_d.item() + loss_g.item()

    return step


serve(prepare)
