"""The generators of bench/sampling/cases.ts in PyTorch, forward alone: the peer, measured in the same run.

    /usr/bin/python3 bench/pytorch_sampling.py CASE THREADS SECONDS BATCHES

BATCHES: `1,64`. Prints one JSON line with the median of milliseconds a call, latents ready.
"""
import json
import statistics
import sys
import time

import torch

from pytorch_peer import peer_description
from pytorch_steps import CASES

CHUNK_SECONDS, WARM_UP_SECONDS = 0.02, 0.25


def time_calls(run, calls):
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


def measure(generator, latents, seconds):
    run = lambda: generator(latents)
    start, calls = time.perf_counter(), 0
    while calls < 2 or time.perf_counter() - start < WARM_UP_SECONDS:
        run()
        calls += 1
    calls = max(1, round(CHUNK_SECONDS * calls / (time.perf_counter() - start)))
    times, deadline = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < deadline:
        times.append(time_calls(run, calls))
    return statistics.median(times) * 1e3


def main(name, threads, seconds, batches):
    torch.set_num_threads(threads)
    generator, _, latent, _, _ = CASES[name]()
    generator.eval()
    with torch.inference_mode():
        speeds = [{"batch": batch, "bareMs": measure(generator, torch.randn(batch, latent), seconds)}
                  for batch in batches]
    print(json.dumps({"description": peer_description(), "speeds": speeds}))


if __name__ == "__main__":
    if len(sys.argv) != 5 or sys.argv[1] not in CASES:
        sys.exit(f"usage: pytorch_sampling.py {{{'|'.join(CASES)}}} THREADS SECONDS BATCHES")
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), [int(size) for size in sys.argv[4].split(",")])
