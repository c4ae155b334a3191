"""Training steps and V3, each form of the scan beside the others, on the GPU where there is one.

    python benchmarks/steps.py [--full] [--repeats 3] [--threads N]

Steps: those of ``brainscan train`` (loss, backward, clipped gradients, AdamW, averaged weights) on windows of noise,
beside the forward pass and loss with gradients switched on, for the profiles ``cpu`` (v3-lite) and ``rtx4090`` (V3).
V3: seconds a window at inference with the eigenvectors of every step (N = 1) and of every fifth. Peak memory is what
came on top of network and windows. The forms take turns; the fastest counts, inf is out of memory. On a GPU batches
are 4 and 64, and ``mamba_ssm``'s kernels stand beside chunked PyTorch. On a CPU V3's batch is 1, and ``--full`` adds
its chunked form.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from machine import describe, device, forget_peak, peak_bytes, timed

from brainscan.card import Card
from brainscan.events import RATE_HZ
from brainscan.model.inference import RunConfig, WindowRunner
from brainscan_models.registry import V3, build
from brainscan_models.ssd import available, use_backend
from brainscan_training.batches import Batch
from brainscan_training.config import TrainConfig
from brainscan_training.profiles import build_config, read_profile, with_settings
from brainscan_training.run import make_fabric
from brainscan_training.step import Stepper

WINDOW_S = 60
BAR_FORWARDS = 3.0
CHOSEN = {"native": "native", "chunked": "torch", "mamba_ssm": "auto"}
"""The scan's forms, and what ``--backend`` calls them."""


class Row(NamedTuple):
    """What is measured together: a title, and calls that take turns with those of the other rows."""

    title: str
    calls: tuple[Callable[[], object], ...]


def scans() -> tuple[str, ...]:
    """Return the forms of the scan to compare here, the fastest first."""
    usable = {report.name for report in available() if report.usable}
    fast = "mamba_ssm" if device() == "cuda" else "native"
    return tuple(name for name in (fast, "chunked") if name in usable)


def measured(rows: Sequence[Row], repeats: int) -> Iterator[tuple[Row, list[float], float]]:
    """Yield each row with the seconds of its calls, the fastest of some turns, and the bytes of the last call."""
    seconds = [[float("inf")] * len(row.calls) for row in rows]
    peaks = [0.0] * len(rows)
    for turn in range(repeats + 1):
        for i, row in enumerate(rows):
            for k, call in enumerate(row.calls):
                held = forget_peak()
                try:
                    took = timed(call)
                except torch.cuda.OutOfMemoryError:
                    torch.cuda.empty_cache()
                    continue
                peaks[i] = float(peak_bytes() - held)
                if turn:  # the first one fetches kernels and memory
                    seconds[i][k] = min(seconds[i][k], took)
    yield from zip(rows, seconds, peaks, strict=True)


def config_of(profile: str, batch: int) -> TrainConfig:
    settings = (f"batch_size={batch}", "micro_batch_size=0")
    config = build_config(with_settings(read_profile(profile), settings))
    return build_config({**config.to_mapping(), "device": device()})


def noise(n: int) -> Batch:
    generator = torch.Generator().manual_seed(0)
    ictal = (torch.rand(n, WINDOW_S, generator=generator) < 0.3).float()
    uv = 30.0 * torch.randn(n, 19, WINDOW_S * RATE_HZ, generator=generator)
    return Batch(uv, ictal, torch.ones_like(ictal), torch.full((n, 19), float("nan")), ((),) * n)


def step_row(profile: str, batch: int, scan: str) -> Row:
    """Make the forward pass and the step of a profile with one form of the scan."""
    config = config_of(profile, batch)
    torch.manual_seed(0)
    stepper = Stepper(make_fabric(config), build(config.network_config()), config)
    windows = noise(batch)

    def forward() -> object:
        with use_backend(scan):
            return stepper.loss_again(windows, 1)

    def step() -> object:
        with use_backend(scan):
            return stepper.step(windows, 1, 1e-4)

    return Row(f"{profile} | {batch} | {scan}", (forward, step))


def show_steps(profile: str, batches: Sequence[int], names: Sequence[str], repeats: int) -> None:
    """Print the table of training steps of a profile."""
    for batch in batches:
        fast_s = 0.0
        for row, (forward_s, step_s), peak in measured([step_row(profile, batch, n) for n in names], repeats):
            fast_s = fast_s or step_s
            print(
                f"| {row.title} | {forward_s:.3f} | {step_s:.3f} | {step_s / forward_s:.2f} | {step_s / fast_s:.1f} |"
                f" {peak / 1e9:.1f} |",
                flush=True,
            )


def inference_row(batch: int, scan: str, pe_every: int, precision: str) -> Row:
    """Make V3's pass over a batch of windows with one form of the scan."""
    torch.manual_seed(0)
    network = build(V3)
    network.pe_every = pe_every
    run = RunConfig(device=device(), batch_size=batch, backend=CHOSEN[scan], precision=precision)
    runner = WindowRunner(network, Card(name="v3", variant=V3.to_mapping()), run)
    random = np.random.default_rng(0)
    windows = [(30.0 * random.standard_normal((19, WINDOW_S * RATE_HZ))).astype(np.float32) for _ in range(batch)]
    return Row(f"{batch} | {scan} | {precision} | {pe_every}", (lambda: runner.probabilities(windows),))


def show_inference(batches: Sequence[int], names: Sequence[str], repeats: int) -> None:
    """Print the table of V3's passes."""
    for batch in batches:
        rows = [
            inference_row(batch, name, pe_every, precision)
            for name in names
            for precision in ("float32", "bfloat16")
            for pe_every in (5, 1)
        ]
        for row, (took_s,), peak in measured(rows, repeats):
            a_window = took_s / batch
            print(f"| {row.title} | {a_window:.4f} | {60 / a_window / 3600:.3f} | {peak / 1e9:.2f} |", flush=True)


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="V3 in chunked PyTorch on a CPU, too")
    parser.add_argument("--repeats", type=int, default=3, help="turns; the fastest counts")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    on_gpu = device() == "cuda"
    of_v3 = scans() if on_gpu or arguments.full else scans()[:1]
    print(f"{describe()}\n")
    print("| profile | windows | scan | forward, s | step, s | step / forward | of the first | peak, GB |")
    print("|---|---:|---|---:|---:|---:|---:|---:|")
    show_steps("cpu", (10,), scans(), arguments.repeats)
    show_steps("rtx4090", (4, 64) if on_gpu else (1,), of_v3, arguments.repeats)
    print(f"\nbar: a step of v3-lite takes at most {BAR_FORWARDS:g} forwards\n")
    print("| V3: windows | scan | precision | LPE every | s a window | EEG-hours a second | peak, GB |")
    print("|---:|---|---|---:|---:|---:|---:|")
    show_inference((4, 64) if on_gpu else (1,), of_v3, arguments.repeats)
    return 0


if __name__ == "__main__":
    sys.exit(main())
