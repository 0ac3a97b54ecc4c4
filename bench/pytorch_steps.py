"""The steps of bench/step_cases.ts and bench/model_cases.ts in PyTorch: the peer, measured in the same run.

    /usr/bin/python3 bench/pytorch_steps.py CASE BATCH SECONDS [THREADS]

Prints one JSON line with the median of milliseconds a step. On a GPU, `--tf32` lets matrix products use
TensorFloat-32.
"""
import json
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

from pytorch_models import MODELS
from pytorch_peer import peer_description


class Maxout(nn.Module):
    def __init__(self, inputs, units, pieces):
        super().__init__()
        self.linear, self.units, self.pieces = nn.Linear(inputs, units * pieces), units, pieces

    def forward(self, x):
        return self.linear(x).reshape(len(x), self.units, self.pieces).amax(2)


def ring_2d():
    hidden = []
    for inputs in (2, 400, 400, 400):
        hidden += [nn.Linear(inputs, 400, bias=False), nn.BatchNorm1d(400), nn.ReLU()]
    g = nn.Sequential(*hidden, nn.Linear(400, 2))
    d = nn.Sequential(Maxout(2, 200, 5), Maxout(200, 200, 5), Maxout(200, 200, 5), nn.Linear(200, 1))
    return g, d, 2, (2,), dict(lr=1e-4, betas=(0.8, 0.999))


def mnist_mlp():
    g = nn.Sequential(
        nn.Linear(100, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU(),
        nn.Linear(512, 1024), nn.ReLU(), nn.Linear(1024, 784), nn.Tanh())
    d = nn.Sequential(
        nn.Linear(784, 1024), nn.ReLU(), nn.Dropout(0.3), nn.Linear(1024, 512), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(512, 256), nn.ReLU(), nn.Dropout(0.3), nn.Linear(256, 1))
    return g, d, 100, (784,), dict(lr=1e-4)


def cifar_dcgan():
    def up(inputs, outputs):
        return [nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1),
                nn.BatchNorm2d(outputs, momentum=0.78), nn.ReLU()]

    def block(inputs, outputs, stride, momentum, slope, pad=False):
        layers = [nn.Conv2d(inputs, outputs, 3, stride, 1)]
        layers += [nn.ZeroPad2d((0, 1, 0, 1))] if pad else []
        layers += [nn.BatchNorm2d(outputs, momentum=momentum)] if momentum else []
        return layers + [nn.LeakyReLU(slope), nn.Dropout(0.25)]
    g = nn.Sequential(
        nn.Linear(100, 128 * 8 * 8), nn.ReLU(), nn.Unflatten(1, (128, 8, 8)),
        *up(128, 128), *up(128, 64), nn.Conv2d(64, 3, 3, padding=1), nn.Tanh())
    d = nn.Sequential(
        *block(3, 32, 2, None, 0.2), *block(32, 64, 2, 0.82, 0.25, pad=True), *block(64, 128, 2, 0.82, 0.2),
        *block(128, 256, 1, 0.8, 0.25), nn.Flatten(), nn.Linear(256 * 5 * 5, 1))
    return g, d, 100, (3, 32, 32), dict(lr=2e-4, betas=(0.5, 0.999))


def wgan_gp_conv():
    def up(inputs, outputs):
        return [nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1)]
    g = nn.Sequential(
        nn.Linear(100, 128 * 8 * 8), nn.ReLU(), nn.Unflatten(1, (128, 8, 8)),
        *up(128, 64), nn.ReLU(), *up(64, 3), nn.Tanh())
    layers = []
    for inputs, outputs in ((3, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(inputs, outputs, 3, 2, 1), nn.LeakyReLU(0.2)]
    d = nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * 4 * 4, 1))
    return g, d, 100, (3, 32, 32), dict(lr=1e-4, betas=(0.5, 0.9))


CASES = {"ring-2d": ring_2d, "mnist-mlp": mnist_mlp, "cifar-dcgan": cifar_dcgan, "wgan-gp-conv": wgan_gp_conv}


def make_step(name, batch, device):
    if name in MODELS:
        return MODELS[name](batch, device)
    g, d, latent, shape, adam = CASES[name]()
    g.to(device), d.to(device)
    g_opt, d_opt = torch.optim.Adam(g.parameters(), **adam), torch.optim.Adam(d.parameters(), **adam)
    data = torch.rand(batch * 8, *shape, device=device) * 2 - 1
    joined = name == "mnist-mlp"
    scale = 0.5 if name in ("mnist-mlp", "cifar-dcgan") else 1
    shared = name == "cifar-dcgan"
    labels = torch.cat([torch.ones(batch, 1), torch.zeros(batch, 1)]).to(device)

    def step(i):
        real = data[(i % 8) * batch:(i % 8 + 1) * batch]
        z = torch.randn(batch, latent, device=device)
        with torch.no_grad():
            fake = g(z)
        d_opt.zero_grad()
        if name == "wgan-gp-conv":
            share = torch.rand(batch, 1, 1, 1, device=device)
            between = (share * real + (1 - share) * fake).requires_grad_()
            gradient, = torch.autograd.grad(d(between).sum(), between, create_graph=True)
            penalty = ((gradient.flatten(1).square().sum(1) + 1e-12).sqrt() - 1).square().mean()
            d_loss = d(fake).mean() - d(real).mean() + 10 * penalty
        elif joined:
            d_loss = F.binary_cross_entropy_with_logits(d(torch.cat([real, fake])), labels)
        else:
            d_loss = scale * (F.softplus(-d(real)).mean() + F.softplus(d(fake)).mean())
        d_loss.backward()
        d_opt.step()
        g_opt.zero_grad()
        logits = d(g(z if shared else torch.randn(batch, latent, device=device)))
        g_loss = -logits.mean() if name == "wgan-gp-conv" else F.softplus(-logits).mean()
        g_loss.backward()
        g_opt.step()
        return d_loss, g_loss
    return step


def main(name, batch, seconds, threads):
    torch.set_num_threads(threads)
    if "--tf32" in sys.argv:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    elif torch.cuda.is_available():
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    step = make_step(name, batch, device)

    def call(first, count):
        start = time.perf_counter()
        for i in range(first, first + count):
            losses = step(i)
        [float(loss) for loss in losses]  # waits for the device
        return (time.perf_counter() - start) * 1e3 / count

    call(0, 3)
    per_call = max(1, min(1024, round(300 / call(3, 1))))
    times, deadline, done = [], time.perf_counter() + seconds, 4
    while len(times) < 3 or (time.perf_counter() < deadline and len(times) < 200):
        times.append(call(done, per_call))
        done += per_call
    print(json.dumps({
        "case": name, "batch": batch, "engine": "pytorch",
        "description": peer_description(),
        "msPerStep": statistics.median(times), "least": min(times), "calls": len(times),
        "stepsPerCall": per_call}))


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    if len(words) < 3 or words[0] not in {**CASES, **MODELS}:
        sys.exit(f"usage: pytorch_steps.py {{{'|'.join({**CASES, **MODELS})}}} BATCH SECONDS [THREADS]")
    main(words[0], int(words[1]), float(words[2]), int(words[3]) if len(words) > 3 else 2)
