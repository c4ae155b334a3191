"""What this machine does at best, for the other benchmarks to be held against: ``python benchmarks/machine.py``.

Rates of matrix products and convolutions of the sizes that V3 is made of, in float32 and bfloat16, and of memory
copied, each the best of several tries; of products and convolutions the better of all threads working on one, and of
each thread working on one of its own. The other benchmarks take their clocks, peaks and rates from here.
"""

from __future__ import annotations

import argparse
import ctypes
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch.nn import functional as F

from brainscan_models.linear import linear

TRY_S = 0.1
"""Time that the tries of one rate may take together, once there were enough of them."""
_TRIES = 3
_INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "bf16")


class Product(NamedTuple):
    """A matrix product (rows, inner) by (inner, columns)."""

    rows: int
    inner: int
    columns: int

    @property
    def operations(self) -> int:
        return 2 * self.rows * self.inner * self.columns


class Convolution(NamedTuple):
    """A convolution along the steps of (batch, inputs, rows, steps), or a transposed one."""

    batch: int
    inputs: int
    rows: int
    steps: int
    outputs: int
    kernel: int
    stride: int
    padding: int
    dilation: int
    transposed: bool

    @property
    def operations(self) -> int:
        if self.transposed:
            return 2 * self.batch * self.rows * self.steps * self.inputs * self.outputs * self.kernel
        steps = (self.steps + 2 * self.padding - self.dilation * (self.kernel - 1) - 1) // self.stride + 1
        return 2 * self.batch * self.rows * steps * self.inputs * self.outputs * self.kernel


def device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def describe() -> str:
    """Say what the figures were measured on, without the machine's name."""
    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    try:
        flags = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("flags")[2].partition("\n")[0].split())
    except OSError:
        flags = set()
    known = " ".join(name for name in _INSTRUCTIONS if name in flags)
    return f"{torch.get_num_threads()} threads{', ' if known else ''}{known}, torch {torch.__version__}"


def timed(call: Callable[[], object]) -> float:
    """Return the seconds that a call takes, on the GPU until it is done."""
    start = time.perf_counter()
    call()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def best(call: Callable[[], object], tries: int = _TRIES) -> float:
    """Return the seconds of the fastest of some calls, after one that does not count."""
    timed(call)
    took = [timed(call) for _ in range(tries)]
    while sum(took) < TRY_S:
        took.append(timed(call))
    return min(took)


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Let PyTorch use `n` threads; 0 leaves them as they are."""
    before = torch.get_num_threads()
    torch.set_num_threads(n or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def side_by_side_s(shape: Product | Convolution, dtype: torch.dtype) -> float:
    """Return the seconds that one of many such calls takes, all threads on one or one on each, as is faster."""
    measure: Callable[..., float] = product_s if isinstance(shape, Product) else convolution_s
    with threads(1):
        alone = measure(shape, dtype, 1)
    n = torch.get_num_threads()
    return alone if n == 1 else min(alone / n, measure(shape, dtype, n))


@cache
def product_s(shape: Product, dtype: torch.dtype, n_threads: int) -> float:
    """Return the seconds of a product, by the faster of PyTorch's two libraries, on the threads that are set."""
    x = torch.randn(shape.rows, shape.inner, device=device()).to(dtype)
    weight = torch.randn(shape.columns, shape.inner, device=device()).to(dtype)
    out = x.new_empty(shape.rows, shape.columns)
    with torch.inference_mode():
        return min(best(lambda: torch.mm(x, weight.T, out=out)), best(lambda: linear(x, weight)))


@cache
def convolution_s(shape: Convolution, dtype: torch.dtype, n_threads: int) -> float:
    """Return the seconds of a convolution on channels-last memory, on the threads that are set."""
    x = torch.randn(shape.batch, shape.inputs, shape.rows, shape.steps, device=device()).to(dtype)
    x = x.contiguous(memory_format=torch.channels_last)
    ends = (shape.inputs, shape.outputs) if shape.transposed else (shape.outputs, shape.inputs)
    weight = torch.randn(*ends, 1, shape.kernel, device=device()).to(dtype)
    weight = weight.contiguous(memory_format=torch.channels_last)
    along = {"stride": (1, shape.stride), "padding": (0, shape.padding), "dilation": (1, shape.dilation)}
    function = F.conv_transpose2d if shape.transposed else F.conv2d
    with torch.inference_mode():
        return best(lambda: function(x, weight, **along))


@cache
def copied_bytes_a_second() -> float:
    """Return how many bytes are read and written together when memory beyond the caches is copied."""
    source = torch.ones(64 << 20, device=device())
    target = torch.empty_like(source).fill_(0.0)
    return 2 * source.numel() * source.element_size() / best(lambda: target.copy_(source))


def forget_peak() -> int:
    """Begin to look for a new peak of memory; return what is held now, bytes."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return peak_bytes()


def peak_bytes() -> int:
    """Return the most that was held since `forget_peak` (elsewhere than on Linux: since the start)."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


PRODUCTS = {
    "bottleneck, in": Product(960, 512, 2096),
    "bottleneck, out": Product(960, 1024, 512),
    "nodes, in": Product(19 * 960, 64, 296),
    "edges, in": Product(171 * 960, 16, 88),
}
CONVOLUTIONS = {
    "encoder, first": Convolution(1, 19, 1, 15_360, 64, 7, 2, 3, 1, False),
    "encoder, last": Convolution(1, 512, 1, 960, 512, 7, 1, 3, 1, False),
    "decoder, first": Convolution(1, 512, 1, 960, 448, 4, 2, 1, 1, True),
    "decoder, last": Convolution(1, 38, 1, 15_360, 38, 5, 1, 2, 1, False),
}


def main() -> int:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    torch.set_num_threads(parser.parse_args().threads)
    print(f"{describe()}; memory copied at {copied_bytes_a_second() / 1e9:.0f} GB/s (read and written)\n")
    print("| of one V3 window | GFLOP | float32, GFLOP/s | bfloat16, GFLOP/s |\n|---|---:|---:|---:|")
    precisions = torch.float32, torch.bfloat16
    for name, shape in (PRODUCTS | CONVOLUTIONS).items():
        rates = (f"{shape.operations / side_by_side_s(shape, dtype) / 1e9:.0f}" for dtype in precisions)
        print(f"| {name} | {shape.operations / 1e9:.2f} | " + " | ".join(rates) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
