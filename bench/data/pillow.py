"""Reads photos as a careful Pillow program does: draft mode, middle cut out, Lanczos, one process a core.

Run by bench/data.ts: /usr/bin/python3 pillow.py FOLDER SIDE
"""
import multiprocessing
import os
import sys
import time

from PIL import Image, ImageOps

side = int(sys.argv[2])


def read(path):
    image = Image.open(path)
    image.draft("RGB", (side, side))
    image = ImageOps.exif_transpose(image).convert("RGB")
    return ImageOps.fit(image, (side, side), Image.LANCZOS).tobytes()


if __name__ == "__main__":
    paths = [os.path.join(root, name) for root, _, names in os.walk(sys.argv[1]) for name in names]
    start = time.perf_counter()
    with multiprocessing.Pool() as pool:
        pixels = pool.map(read, sorted(paths), chunksize=4)
    print(time.perf_counter() - start, len(pixels))
