"""Time the forms of the scan side by side: ``python benchmarks/kernels.py [--threads N] [--repeats N]``.

For every shape in use: milliseconds of the scan and of the mixer (everything of a Mamba-2 block between its two
projections), forward and forward with backward, the scan's arithmetic and traffic per second, and by how much the
forms differ. The forms take turns, and the best of all turns counts: other work on the machine then disturbs all
alike. On a GPU the same table is printed with what runs there.

Arithmetic is counted as 5 operations per element of the state and 3 per feature in each step, traffic as what must be
read and written once. Compile times are those of a process that finds no machine code kept, and of one that does.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from brainscan_models.ssd import available, choose, mixer, ssd

Call = Callable[[], object]


class Shape(NamedTuple):
    name: str
    batch: int
    length: int
    heads: int
    headdim: int
    d_state: int

    @property
    def operations(self) -> int:
        features = self.heads * self.headdim
        return self.batch * self.length * features * (5 * self.d_state + 3)

    @property
    def bytes_moved(self) -> int:
        numbers_a_step = 2 * self.heads * self.headdim + self.heads + 2 * self.d_state
        return 4 * self.batch * self.length * numbers_a_step


SHAPES = (
    Shape("v3 bottleneck", 2, 960, 16, 64, 16),
    Shape("v3 node", 19, 960, 16, 8, 16),
    Shape("v3 edge", 171, 960, 8, 4, 8),
    Shape("lite node", 19, 240, 12, 8, 16),
    Shape("lite edge, 4 Hz", 171, 240, 4, 4, 8),
    Shape("lite edge, 1 Hz", 171, 60, 4, 4, 8),
)
FIRST_CALL = """
import time
import torch
from brainscan_models.ssd import mixer
start = time.perf_counter()
a = torch.randn
y = mixer(a(1, 40, 88).requires_grad_(), a(48, 1, 4), a(48), a(8), a(8), a(8), a(32), headdim=4, d_state=8)
forward = time.perf_counter()
y.sum().backward()
print(forward - start, time.perf_counter() - forward)
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=7, help="turns of every form")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    for report in available():
        print(f"{report.name:10} {'yes' if report.usable else 'no ':3} {report.detail}")
    print(f"\n{torch.get_num_threads()} threads, {_copy_rate(device):.0f} GB/s copied by this machine; ms, best of")
    print(f"{options.repeats} turns; f: forward, f+b: forward and backward\n")
    columns = ("scan f", 8), ("f+b", 8), ("GFLOP/s", 9), ("GB/s", 6), ("mixer f", 9), ("f+b", 8), ("differs", 10)
    print(f"{'shape':16}{'form':10}" + "".join(f"{name:>{width}}" for name, width in columns))
    for shape in SHAPES:
        _measure(shape, device, options.repeats)
    for name, seconds in zip(("nothing kept", "code kept"), _first_calls(), strict=True):
        print(f"first call, {name}: forward {seconds[0]:.2f} s, backward {seconds[1]:.2f} s")


def _measure(shape: Shape, device: str, repeats: int) -> None:
    """Print a line for each form."""
    scan_arguments, mixer_arguments = _draw(shape, device)
    forms = [choose(scan_arguments[0]), "chunked"]
    sizes = {"headdim": shape.headdim, "d_state": shape.d_state}
    calls: dict[str, list[Call]] = {}
    for form in forms:
        scan, whole = partial(ssd, backend=form), partial(mixer, **sizes, backend=form)
        calls[form] = [
            *(partial(scan, *scan_arguments), _step(scan, scan_arguments)),
            *(partial(whole, *mixer_arguments), _step(whole, mixer_arguments)),
        ]
    best = {form: [float("inf")] * 4 for form in forms}
    for turn in range(repeats + 1):
        for form in forms:
            for i, call in enumerate(calls[form]):
                seconds = _time(call, device)
                if turn:  # the first one compiles and fetches memory
                    best[form][i] = min(best[form][i], seconds)
    reference = ssd(*scan_arguments, backend="chunked")
    for form in forms:
        scan_s, scan_step_s, mixer_s, mixer_step_s = best[form]
        differs = (ssd(*scan_arguments, backend=form) - reference).abs().max() / reference.abs().max()
        print(
            f"{shape.name:16}{form:10}{scan_s * 1e3:8.2f}{scan_step_s * 1e3:8.2f}{shape.operations / scan_s / 1e9:9.1f}"
            f"{shape.bytes_moved / scan_s / 1e9:6.1f}{mixer_s * 1e3:9.2f}{mixer_step_s * 1e3:8.2f}{differs:10.1e}"
        )


def _draw(shape: Shape, device: str) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Draw arguments of the scan and of the mixer."""
    random = torch.Generator(device).manual_seed(0)

    def normal(*size: int) -> torch.Tensor:
        return torch.randn(*size, generator=random, device=device)

    _, batch, length, heads, headdim, d_state = shape
    channels = heads * headdim + 2 * d_state
    dt = 0.1 * torch.rand(batch, length, heads, generator=random, device=device)
    rate = 1 + 15 * torch.rand(heads, generator=random, device=device)
    into, out_of = normal(batch, length, d_state), normal(batch, length, d_state)
    zxbcdt = normal(batch, length, channels + heads * headdim + heads)
    weights = [0.3 * normal(channels, 1, 4), normal(channels), normal(heads) - 4]
    return (
        [normal(batch, length, heads, headdim), dt, -rate, into, out_of, normal(heads)],
        [zxbcdt, *weights, rate.log(), normal(heads), normal(heads * headdim)],
    )


def _step(function: Callable[..., torch.Tensor], arguments: list[torch.Tensor]) -> Call:
    """Make a forward and a backward pass."""
    leaves = [argument.clone().requires_grad_() for argument in arguments]
    upstream = torch.ones_like(function(*leaves))
    return lambda: torch.autograd.grad(function(*leaves), leaves, upstream)


def _time(call: Call, device: str) -> float:
    start = time.perf_counter()
    call()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _copy_rate(device: str) -> float:
    """Measure how many GB/s are read and written together when memory is copied."""
    source = torch.ones(16 << 20, device=device)
    target = torch.empty_like(source).fill_(0.0)
    seconds = min(_time(lambda: target.copy_(source), device) for _ in range(10))
    return 2 * source.numel() * source.element_size() / seconds / 1e9


def _first_calls() -> list[tuple[float, float]]:
    """Time the first call of a process that has to compile, and of the next one."""
    models = Path(__file__).resolve().parents[1] / "models"
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "HOME": home, "XDG_CACHE_HOME": home, "PYTHONPATH": str(models)}
        command = [sys.executable, "-c", FIRST_CALL]
        outputs = [
            subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
            for _ in range(2)
        ]
    return [(float(forward), float(backward)) for forward, backward in outputs]


if __name__ == "__main__":
    main()
