"""What the peer computes with: its version, its BLAS, how fast it multiplies. Imported by the scripts beside it.

A PyTorch over the reference BLAS multiplies some 25 times slower than over OpenBLAS: every ratio to it would
flatter us, so it is refused.
"""
import os
import re
import sys
import time

import torch

SIDE, ROUNDS = 1024, 5
# The rate tells what a BLAS without a known name is: one product of 1024 x 1024 matrices in the reference BLAS
# takes 0.7 s (3 GFLOP/s) on a core of 2023. A known one may be that slow too, on a machine that is busy.
REFERENCE_GFLOPS = 8
OPTIMIZED = re.compile(r"openblas|mkl|blis|atlas|accelerate|armpl|nvpl|eigen", re.IGNORECASE)


def blas_library():
    """The BLAS that PyTorch uses: the one it was built with, or the file that it has loaded."""
    built = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    if built and built[1] != "generic":
        return built[1]
    torch.ones(64, 64) @ torch.ones(64, 64)
    with open("/proc/self/maps") as maps:
        files = {os.path.realpath(line.split()[-1]) for line in maps if "libblas.so" in line}
    return min(files, default="an unknown BLAS")


def matmul_gflops():
    """The best rate of float32 products of 1024 x 1024 matrices, in GFLOP/s."""
    a, b = torch.randn(SIDE, SIDE), torch.randn(SIDE, SIDE)
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2 * SIDE ** 3 / best / 1e9


def peer_description():
    """One line on the peer. Ends the program where its BLAS is the reference one."""
    blas, rate = blas_library(), matmul_gflops()
    per_core = rate / torch.get_num_threads()
    if not OPTIMIZED.search(blas) and ("/blas/libblas" in blas or per_core < REFERENCE_GFLOPS):
        sys.exit(
            f"Error: this PyTorch multiplies at {rate:.1f} GFLOP/s with {blas}, a reference BLAS: it is no "
            "peer to compare with; install libopenblas0 (Debian: apt-get install libopenblas0)")
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    return (f"PyTorch {torch.__version__}, {device}, {torch.get_num_threads()} threads, "
            f"{'/'.join(blas.split('/')[-2:])}, products of 1024 x 1024 at {rate:.0f} GFLOP/s")
