"""A GAN's step under PyTorch's DistributedDataParallel over Gloo: what measure_ranks.ts has, beside it.

    python3 bench/pytorch_ddp.py cifar-dcgan|mnist-mlp BATCH STEPS RANKS

One thread a rank; the whole batch is cut among the ranks. Rank 0 prints a JSON line.
"""
import json
import os
import sys
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pytorch_steps import CASES  # noqa: E402


def run(rank, ranks, name, batch, steps):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="29511")
    generator, discriminator, latent, shape, adam = CASES[name]()
    g_opt = torch.optim.Adam(generator.parameters(), **adam)
    d_opt = torch.optim.Adam(discriminator.parameters(), **adam)
    g, d = generator, discriminator
    if ranks > 1:
        dist.init_process_group("gloo", rank=rank, world_size=ranks)
        # Batch norm keeps the statistics of each rank, as ours does.
        g = DistributedDataParallel(generator, broadcast_buffers=False)
        d = DistributedDataParallel(discriminator, broadcast_buffers=False)
    own = batch // ranks
    real = torch.rand(own, *shape) * 2 - 1
    joined = name == "mnist-mlp"
    labels = torch.cat([torch.ones(own, 1), torch.zeros(own, 1)])

    def step():
        z = torch.randn(own, latent)
        with torch.no_grad():
            fake = generator(z)
        d_opt.zero_grad()
        if joined:
            d_loss = F.binary_cross_entropy_with_logits(d(torch.cat([real, fake])), labels)
        else:
            # One forward pass of the wrapper each time: its hooks expect one backward pass after it.
            both = d(torch.cat([real, fake]))
            d_loss = 0.5 * (F.softplus(-both[:own]).mean() + F.softplus(both[own:]).mean())
        d_loss.backward()
        d_opt.step()
        g_opt.zero_grad()
        # Through the bare module: the discriminator's gradients are not wanted here.
        g_loss = F.softplus(-discriminator(g(torch.randn(own, latent) if joined else z))).mean()
        g_loss.backward()
        g_opt.step()

    step(), step()
    times = []
    for _ in range(3):
        if ranks > 1:
            dist.barrier()
        start = time.perf_counter()
        for _ in range(steps):
            step()
        times.append((time.perf_counter() - start) * 1e3 / steps)
    if rank == 0:
        ms = min(times)
        print(json.dumps({
            "preset": name, "batch": batch, "engine": f"torch {torch.__version__}, gloo", "ranks": ranks,
            "stepMs": round(ms, 2), "imagesPerSecond": round(batch * 1000 / ms, 1),
        }), flush=True)
    if ranks > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    name, batch, steps, ranks = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    if ranks == 1:
        run(0, 1, name, batch, steps)
    else:
        mp.spawn(run, (ranks, name, batch, steps), nprocs=ranks)
