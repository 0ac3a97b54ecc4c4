"""The DCGAN tutorial of PyTorch's documentation on any small images, by the clock: the peer of
`deno task reproduce images`.

    /usr/bin/python3 bench/tutorial_images.py PIXELS.npy FOLDER MINUTES MARKS SAMPLES SEED

Networks, weights, losses, optimizers and the order of updates are the tutorial's: 100 latents, 64 channels beside
the image, batch 128, Adam 2e-4 with beta1 0.5. Its networks halve 64 pixels four times; for smaller images they
have fewer levels, down to 3 to 7 pixels. At each mark SAMPLES images go to FOLDER as uint8 .npy, drawn as the
tutorial draws its own, and `marks.jsonl` says when; drawing and saving do not count as time. SIGINT and SIGTERM
save the state and end with 130; the same command goes on from there.
"""
import json
import os
import signal
import sys
import time

import numpy as np
import torch
from torch import nn

from pytorch_peer import peer_description

LATENT, WIDTH, MAX_FACTOR, BATCH = 100, 64, 8, 128
SIGNALS = []


def growth(height, width):
    """The pixels that G starts from, and how often they double: as the preset `dcgan` has it."""
    doublings = 0
    while height % 2 == 0 and width % 2 == 0 and min(height, width) // 2 >= 3:
        height, width, doublings = height // 2, width // 2, doublings + 1
    return (height, width), doublings


def networks(height, width, channels):
    base, doublings = growth(height, width)
    sizes = [WIDTH * min(MAX_FACTOR, 2 ** (doublings - 1 - i)) for i in range(doublings)]
    g = [nn.ConvTranspose2d(LATENT, sizes[0], base, 1, 0, bias=False), nn.BatchNorm2d(sizes[0]), nn.ReLU(True)]
    for before, after in zip(sizes, sizes[1:]):
        g += [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(True)]
    g += [nn.ConvTranspose2d(sizes[-1], channels, 4, 2, 1, bias=False), nn.Tanh()]
    d = [nn.Conv2d(channels, WIDTH, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)]
    for after, before in zip(sizes[-2::-1], sizes[:0:-1]):
        d += [nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after),
              nn.LeakyReLU(0.2, inplace=True)]
    d += [nn.Conv2d(sizes[0], 1, base, 1, 0, bias=False), nn.Sigmoid(), nn.Flatten(0)]
    return nn.Sequential(*g), nn.Sequential(*d)


def start_weights(layer):
    name = type(layer).__name__
    if "Conv" in name:
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif "BatchNorm" in name:
        nn.init.normal_(layer.weight, 1.0, 0.02)
        nn.init.zeros_(layer.bias)


class Run:
    """What a stopped run goes on from."""

    def __init__(self, pixels, seed):
        torch.manual_seed(seed)
        self.pixels = pixels
        self.g, self.d = networks(*pixels.shape[1:])
        self.g.apply(start_weights), self.d.apply(start_weights)
        self.g_opt, self.d_opt = (
            torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (self.g, self.d))
        self.order, self.steps, self.images, self.seconds, self.marks = [], 0, 0, 0.0, []

    PARTS = ("g", "d", "g_opt", "d_opt")
    VALUES = ("order", "steps", "images", "seconds", "marks")

    def save(self, path):
        state = {name: getattr(self, name).state_dict() for name in self.PARTS}
        state |= {name: getattr(self, name) for name in self.VALUES}
        torch.save(state | {"random": torch.get_rng_state()}, path + ".part")
        os.replace(path + ".part", path)

    def load(self, path):
        state = torch.load(path, weights_only=False)
        for name in self.PARTS:
            getattr(self, name).load_state_dict(state[name])
        for name in self.VALUES:
            setattr(self, name, state[name])
        torch.set_rng_state(state["random"])

    def batch(self):
        if len(self.order) == 0:
            self.order = torch.randperm(len(self.pixels))
        indices, self.order = self.order[:BATCH], self.order[BATCH:]
        bytes_ = torch.from_numpy(self.pixels[indices.numpy()])
        return bytes_.permute(0, 3, 1, 2).float().div(127.5).sub(1).contiguous()

    def step(self):
        """The tutorial's loop: D on reals, D on fakes, then G on the same fakes."""
        bce, real = nn.BCELoss(), self.batch()
        count = len(real)
        one, zero = torch.ones(count), torch.zeros(count)
        self.d.zero_grad()
        bce(self.d(real), one).backward()
        fake = self.g(torch.randn(count, LATENT, 1, 1))
        bce(self.d(fake.detach()), zero).backward()
        self.d_opt.step()
        self.g.zero_grad()
        bce(self.d(fake), one).backward()
        self.g_opt.step()
        self.steps, self.images = self.steps + 1, self.images + count

    def sample(self, count):
        """From latents of its own, so that drawing changes nothing; batch norm as in the tutorial's grids."""
        own, parts = torch.Generator().manual_seed(12345), []
        buffers = {name: value.clone() for name, value in self.g.named_buffers()}
        with torch.no_grad():
            while sum(map(len, parts)) < count:
                parts.append(self.g(torch.randn(BATCH, LATENT, 1, 1, generator=own)))
            for name, value in self.g.named_buffers():
                value.copy_(buffers[name])
        values = torch.cat(parts)[:count].add(1).mul(127.5).round().clamp(0, 255)
        return values.to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def description():
    """The peer with a thread for each core that it may use, as ganforge has them: by itself it takes fewer."""
    torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    return peer_description()


def write_npy(path, array):
    with open(path + ".part", "wb") as file:
        np.save(file, array)
    os.replace(path + ".part", path)


def main(pixels_file, folder, minutes, marks, samples, seed):
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda number, _: SIGNALS.append(number))
    print(description(), flush=True)
    os.makedirs(folder, exist_ok=True)
    state_file = os.path.join(folder, "state.pt")
    run = Run(np.load(pixels_file), seed)
    if os.path.exists(state_file):
        run.load(state_file)
    for mark in range(len(run.marks) + 1, marks + 1):
        if SIGNALS:  # one that came while samples were drawn; the state of the last mark is whole
            return 130
        until, last = 60 * minutes * mark / marks, time.perf_counter()
        while run.seconds < until:
            run.step()
            now = time.perf_counter()
            run.seconds, last = run.seconds + now - last, now
            if SIGNALS:
                run.save(state_file)
                return 130
        name = f"samples-{mark:03}.npy"
        write_npy(os.path.join(folder, name), run.sample(samples))
        run.marks.append(dict(file=name, seconds=run.seconds, steps=run.steps, images=run.images))
        run.save(state_file)
        with open(os.path.join(folder, "marks.jsonl.part"), "w") as file:
            file.writelines(json.dumps(line) + "\n" for line in run.marks)
        os.replace(os.path.join(folder, "marks.jsonl.part"), os.path.join(folder, "marks.jsonl"))
        print(f"mark {mark} of {marks}: {run.steps} steps, {run.seconds:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 7:
        sys.exit("usage: tutorial_images.py PIXELS.npy FOLDER MINUTES MARKS SAMPLES SEED")
    words = sys.argv[1:]
    sys.exit(main(words[0], words[1], float(words[2]), int(words[3]), int(words[4]), int(words[5])))
