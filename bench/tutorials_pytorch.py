"""What PyTorch reaches with the recipes of the two 1-D presets: the same networks, losses, optimizers,
order of updates and number of steps as `mixture-1d` and `uniform-to-normal`.

    /usr/bin/python3 bench/tutorials_pytorch.py [SEEDS]      # Debian's python3-torch

Prints for each seed the Jensen-Shannon divergence (nats) of 100,000 samples against the density, over the
same 100 bins as report.md. docs/REPRODUCTION.md holds the figures beside ours.
"""
import math
import sys

import torch
from torch import nn

BINS, SAMPLES = 100, 100_000


def normal_mass(mean, sigma, edges):
    cdf = 0.5 * (1 + torch.erf((edges - mean) / (sigma * math.sqrt(2))))
    return cdf[1:] - cdf[:-1]


def jsd(samples, components, low, high):
    """As src/metrics: shares of the bins, with all that is outside as one bin more."""
    edges = torch.linspace(low, high, BINS + 1, dtype=torch.float64)
    data = sum(w * normal_mass(m, s, edges) for w, m, s in components)
    data = torch.cat([data, 1 - data.sum().reshape(1)])
    counts = torch.histc(samples.double(), BINS, low, high)
    counts = torch.cat([counts, (len(samples) - counts.sum()).reshape(1)])
    generated = counts / len(samples)
    middle = (data + generated) / 2
    kl = lambda p: torch.where(p > 0, p * torch.log(p / middle), torch.zeros_like(p)).sum()
    return float((kl(data) + kl(generated)) / 2)


def mixture_1d(seed):
    torch.manual_seed(seed)
    g = nn.Sequential(nn.Linear(1, 3), nn.ReLU(), nn.Linear(3, 1))
    d = nn.Linear(1, 1)
    g_opt, d_opt = (torch.optim.SGD(m.parameters(), lr=0.01) for m in (g, d))
    bce = nn.BCEWithLogitsLoss()
    side = torch.where(torch.rand(100_000, 1) < 0.5, -2.0, 2.0)
    data = side + 0.5 * torch.randn(100_000, 1)
    one, zero = torch.ones(64, 1), torch.zeros(64, 1)
    for _ in range(50):
        order = torch.randperm(len(data))
        for i in range(0, len(data) - 63, 64):
            fake = g(torch.randn(64, 1))
            g_opt.zero_grad()
            bce(d(fake), one).backward()
            g_opt.step()
            d_opt.zero_grad()
            ((bce(d(fake.detach()), zero) + bce(d(data[order[i:i + 64]]), one)) / 2).backward()
            d_opt.step()
    with torch.no_grad():
        samples = g(torch.randn(SAMPLES, 1))[:, 0]
    return jsd(samples, [(0.5, -2, 0.5), (0.5, 2, 0.5)], -4.5, 4.5)


def uniform_to_normal(seed):
    torch.manual_seed(seed)
    g = nn.Sequential(nn.Linear(10, 1), nn.LeakyReLU(0.01))
    d = nn.Linear(1, 1)
    g_opt = torch.optim.SGD(g.parameters(), lr=0.01)
    d_opt = torch.optim.Adam(d.parameters(), lr=0.01)
    bce = nn.BCEWithLogitsLoss()
    data = torch.randn(100_000, 1)
    labels = torch.cat([torch.ones(128, 1), torch.zeros(128, 1)])
    for _ in range(5):
        order = torch.randperm(len(data))
        for i in range(0, len(data) - 127, 128):
            with torch.no_grad():
                fake = g(torch.rand(128, 10))
            d_opt.zero_grad()
            bce(d(torch.cat([data[order[i:i + 128]], fake])), labels).backward()
            d_opt.step()
            g_opt.zero_grad()
            (-nn.functional.softplus(d(g(torch.rand(128, 10))))).mean().backward()  # log(1 - D(G(z)))
            g_opt.step()
    with torch.no_grad():
        samples = g(torch.rand(SAMPLES, 10))[:, 0]
    return jsd(samples, [(1, 0, 1)], -5, 5)


def main(seeds):
    torch.set_num_threads(1)
    for name, run in (("uniform-to-normal", uniform_to_normal), ("mixture-1d", mixture_1d)):
        values = [run(seed) for seed in range(seeds)]
        print(f"{name}: JSD {', '.join(f'{v:.4f}' for v in values)}; least {min(values):.4f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
