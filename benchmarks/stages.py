"""Where the time goes, stage by stage, beside what this machine does at best.

    python benchmarks/stages.py [--models v3-lite,v3] [--precisions float32,bfloat16] [--threads N] [--repeats 3]

One table a model and precision: read, preprocess and post on a simulated hour, the parts of the network on a batch of
windows. GFLOP/s counts convolutions, matrix products and the scans' recurrence. "machine's" is the rate at which this
machine runs the part's own products and convolutions, of one window, in a tight loop, in the same precision; the
roofline is the time of these, plus that of reading and writing once what the part's scans read and write, at the rate
of a copy.
Parts take wall time: where windows run beside each other it is shared out as their threads spent it. Reading and
preprocessing may run beside the network, so the stages' sum is no less than the time from file to events
(``benchmarks/performance.py``). V3 has random weights here; its hour has 60 windows, v3-lite's what its card says.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from machine import Convolution, Product, copied_bytes_a_second, describe, side_by_side_s, timed
from memory import simulated
from torch import nn

from brainscan.card import Card, WindowConfig
from brainscan.decision.curve import DecisionCurve
from brainscan.decision.postprocess import Decision
from brainscan.decision.stitch import Stitcher
from brainscan.examine import BLOCK_S
from brainscan.io import read
from brainscan.io.plan import open_plan
from brainscan.model.checkpoint import load
from brainscan.model.inference import RunConfig, WindowRunner
from brainscan.signal.windows import PipelineConfig, Window, WindowStream
from brainscan_models import inventory
from brainscan_models.config import NetworkConfig, StreamConfig
from brainscan_models.network import Network
from brainscan_models.registry import V3, build

Operation = Product | Convolution
PARTS = {
    "encoder": "TCN",
    "bottleneck": "bottleneck",
    "to_nodes": "to nodes",
    "nodes": "node stream",
    "edges": "edge stream",
    "pe": "LPE",
    "graph": "GNN",
    "from_nodes": "from nodes",
    "decoder": "decoder",
    "head": "head",
}
BAR = 1.5
RATES = {torch.float32: (120e9, 200e9), torch.bfloat16: (400e9, 420e9)}
"""Operations a second of products and of convolutions, the reference rates of docs/definitions.md: what two cores
get from PyTorch's own `linear`, whose float32 products run at less than half of the processor's rate."""
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def model_of(name: str) -> tuple[Network, Card]:
    """Return a network and its card; V3 as drawn, at 60 windows an hour."""
    if name == "v3":
        torch.manual_seed(0)
        return build(V3), Card(name="v3", variant=V3.to_mapping(), window=WindowConfig(stride_s=60, taper_s=0.0))
    checkpoint = load(name)
    return checkpoint.network, checkpoint.card


def pipeline_s(card: Card) -> dict[str, float]:
    """Return the seconds that the stages round the network take for one hour of EEG."""
    recording = read(simulated(1.0, 256)[0])
    plan = open_plan(recording)
    (segment,) = recording.segments
    began = time.perf_counter()
    starts = np.arange(0.0, segment.stop_s, BLOCK_S).tolist()
    blocks = [recording.read(plan.channels, s, min(s + BLOCK_S, segment.stop_s), segment) for s in starts]
    read_s = time.perf_counter() - began
    stream = WindowStream(
        plan, [recording.channels[c].rate_hz for c in plan.channels], PipelineConfig(card.filter, card.window)
    )
    began = time.perf_counter()
    windows = [window for block in blocks for window in stream.push(block)] + stream.finish()
    preprocess_s = time.perf_counter() - began
    return {"read": read_s, "preprocess": preprocess_s, "post": _post_s(windows, card)}


def _post_s(windows: list[Window], card: Card) -> float:
    curves = np.random.default_rng(0).random((len(windows), card.window.n_samples), dtype=np.float32)
    stitcher, shown = Stitcher(card.window), DecisionCurve(card.decision)
    decision = Decision(card.decision, 0.0, card.confidence_map)
    began = time.perf_counter()
    for window, curve in zip(windows, curves, strict=True):
        decision.push(*shown.push(stitcher.add(window.start, curve, window.n_valid, window.absent)))
    decision.push(*shown.push(stitcher.finish()))
    decision.push(*shown.finish())
    decision.finish()
    return time.perf_counter() - began


class Clocks:
    """Seconds that each part of a network takes, over all threads."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.threads: set[int] = set()
        self._lock, self._starts = threading.Lock(), threading.local()

    @contextmanager
    def on(self, network: Network) -> Iterator[None]:
        """Time the parts and the positional encoding of a network."""
        handles = []
        for name in PARTS:
            part = getattr(network, name, None)
            if isinstance(part, nn.Module):
                handles.append(part.register_forward_pre_hook(lambda *_, name=name: self._start(name)))
                handles.append(part.register_forward_hook(lambda *_, name=name: self._stop(name)))
        plain_pe = network.pe

        def pe(adjacency: torch.Tensor) -> torch.Tensor:
            self._start("pe")
            vectors = plain_pe(adjacency)
            self._stop("pe")
            return vectors

        network.pe = pe  # type: ignore[method-assign]
        try:
            yield
        finally:
            del network.pe  # the class has its own
            for handle in handles:
                handle.remove()

    def _start(self, name: str) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        setattr(self._starts, name, time.perf_counter())

    def _stop(self, name: str) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        took = time.perf_counter() - getattr(self._starts, name)
        with self._lock:
            self.seconds[name] += took
            self.threads.add(threading.get_ident())


def parts_s(runner: WindowRunner, windows: list[np.ndarray], repeats: int) -> tuple[dict[str, float], float]:
    """Return the seconds a window of each part and of the whole: the fastest of some runs."""
    runs = []
    for _ in range(repeats + 1):  # the first one fetches kernels and memory
        clocks = Clocks()
        with clocks.on(runner.folded):
            took = timed(lambda: runner.probabilities(windows))
        share = len(clocks.threads) * len(windows)
        runs.append((took / len(windows), {name: s / share for name, s in clocks.seconds.items()}))
    took, seconds = min(runs[1:], key=lambda run: run[0])
    return seconds, took


def operations(config: NetworkConfig) -> dict[str, Counter[Operation]]:
    """Return every product and convolution of each part, and how often it occurs in a window."""
    torch.manual_seed(0)
    network = build(config).eval()
    steps = inventory.WINDOW_SAMPLES // config.encoder.stride
    graph_steps = steps // (config.graph.stride if config.graph else 1)
    rows = {
        "bottleneck": steps * trunks(config),
        "to_nodes": steps,
        "nodes": steps * config.n_electrodes,
        "edges": graph_steps * config.pairs,
        "graph": graph_steps * config.n_electrodes,
        "from_nodes": steps,
    }
    found: dict[str, Counter[Operation]] = {name: Counter() for name in PARTS}
    handles = []
    for name, module in ((n, m) for n in found if isinstance(p := getattr(network, n), nn.Module) for m in p.modules()):
        if isinstance(module, nn.Linear):
            found[name][Product(rows[name], module.in_features, module.out_features)] += 1
        elif isinstance(module, nn.Conv1d | nn.ConvTranspose1d):
            handles.append(module.register_forward_hook(_noting(found[name])))
    with torch.inference_mode():
        network(torch.zeros(1, config.n_electrodes, inventory.WINDOW_SAMPLES))
    for handle in handles:
        handle.remove()
    return found


def _noting(counts: Counter[Operation]) -> Callable[..., None]:
    """Make a hook that counts what a convolution is called with."""

    def note(module: Any, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        x = inputs[0]
        _, channels, *between, steps = x.shape
        rows = between[0] if between else 1
        (kernel,), (stride,), (padding,), (dilation,) = (
            *(module.kernel_size, module.stride, module.padding, module.dilation),
        )
        if kernel == 1:
            counts[Product(rows * output.shape[-1], channels, module.out_channels)] += 1
            return
        transposed = isinstance(module, nn.ConvTranspose1d)
        sizes = (1, channels, rows, steps, module.out_channels, kernel, stride, padding, dilation, transposed)
        counts[Convolution(*sizes)] += 1

    return note


def products_s(counts: Counter[Operation], dtype: torch.dtype) -> tuple[float, int]:
    """Return the seconds that this machine takes for products and convolutions, and their operations."""
    seconds = sum(count * side_by_side_s(shape, dtype) for shape, count in counts.items())
    return seconds, sum(count * shape.operations for shape, count in counts.items())


def specified_s(counts: Counter[Operation], dtype: torch.dtype) -> float:
    """Return the seconds of products and convolutions at the specification's rates."""
    of_products, of_convolutions = RATES[dtype]
    return sum(
        count * shape.operations / (of_products if isinstance(shape, Product) else of_convolutions)
        for shape, count in counts.items()
    )


def scan_bytes(config: NetworkConfig, dtype: torch.dtype) -> dict[str, int]:
    """Return what the scans of each stream read and write once for a window."""
    steps = inventory.WINDOW_SAMPLES // config.encoder.stride

    def traffic(stream: StreamConfig, rows: int) -> int:
        numbers = 3 * stream.d_inner + 2 * stream.d_state + stream.heads
        return 2 * stream.layers * rows * numbers * dtype.itemsize

    table = {
        "bottleneck": traffic(config.bottleneck, steps * trunks(config)),
        "nodes": traffic(config.nodes, steps * config.n_electrodes),
    }
    if config.edges is not None and config.graph is not None:
        table["edges"] = traffic(config.edges, steps // config.graph.stride * config.pairs)
    return table


def trunks(config: NetworkConfig) -> int:
    """Return how many sequences of a window the bottleneck sees: one where something mixes the electrodes."""
    return config.n_electrodes if config.encoder.shared and config.mixer is None else 1


def show(name: str, precision: str, batch: int, threads: int, repeats: int) -> None:
    """Print the table of one model at one precision."""
    network, card = model_of(name)
    config, dtype = network.config, PRECISIONS[precision]
    runner = WindowRunner(network, card, RunConfig(batch_size=batch, threads=threads, precision=precision))
    random = np.random.default_rng(0)
    windows = [(30.0 * random.standard_normal((19, card.window.n_samples))).astype(np.float32) for _ in range(batch)]
    parts, whole = parts_s(runner, windows, repeats)
    an_hour = 3600 // card.window.stride_s
    flops, traffic = inventory.flops(config), scan_bytes(config, dtype)
    print(f"\n{name}, {precision}, batch {batch}, {an_hour} windows an hour\n")
    print("| stage | ms a window | s an EEG-hour | GFLOP | GFLOP/s | machine's | roofline, ms | times roofline |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for stage, seconds in pipeline_s(card).items():
        print(f"| {stage} | {seconds / an_hour * 1e3:.2f} | {seconds:.2f} | | | | | |")
    roofline = specified = 0.0
    for part, counts in operations(config).items():
        if part not in parts:
            continue
        took, products, amount = parts[part], *products_s(counts, dtype)
        moved_s = traffic.get(part, 0) / copied_bytes_a_second()
        ideal = products + moved_s
        roofline += ideal
        specified += specified_s(counts, dtype) + moved_s
        cells = [f"{took * 1e3:.2f}", f"{took * an_hour:.2f}"]
        if part in flops:
            cells += [f"{flops[part] / 1e9:.3f}", f"{flops[part] / took / 1e9:.0f}", f"{amount / products / 1e9:.0f}"]
            cells += [f"{ideal * 1e3:.2f}", f"{took / ideal:.2f}"]
        print(f"| {PARTS[part]} | {' | '.join(cells)} |" + " |" * (7 - len(cells)))
    rest = whole - sum(parts.values())
    print(f"| amplitude, adjacency, the rest | {rest * 1e3:.2f} | {rest * an_hour:.2f} | | | | | |")
    total = sum(flops.values())
    print(
        f"| network | {whole * 1e3:.2f} | {whole * an_hour:.2f} | {total / 1e9:.3f} | {total / whole / 1e9:.0f} | |"
        f" {roofline * 1e3:.2f} | {whole / roofline:.2f} |"
    )
    if name == "v3":
        print(f"\nv3 takes {whole / roofline:.2f} times its roofline at this machine's rates,", end=" ")
        print(f"{whole / specified:.2f} times that at the reference rates (bar {BAR:g})")


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="v3-lite,v3")
    parser.add_argument("--precisions", default="float32,bfloat16")
    parser.add_argument("--threads", type=int, default=0, help="0: as many as brainscan takes itself")
    parser.add_argument("--batch", type=int, default=0, help="windows; 0: 8, and 4 for v3")
    parser.add_argument("--repeats", type=int, default=3, help="runs; the fastest counts")
    arguments = parser.parse_args()
    print(describe())
    for name in arguments.models.split(","):
        for precision in arguments.precisions.split(","):
            batch = arguments.batch or (4 if name == "v3" else 8)
            show(name, precision, batch, arguments.threads, arguments.repeats)
    return 0


if __name__ == "__main__":
    sys.exit(main())
