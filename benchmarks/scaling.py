"""The bottleneck is O(N): time and memory against window length, beside self-attention of equal parameters.

    python benchmarks/scaling.py [--seconds 15,30,60,120,240,480] [--repeats 3] [--threads 1] [--plot FILE]

Compared are V3's bottleneck (6 bidirectional Mamba-2 layers, width 512, 16 steps a second) and as many layers of
self-attention with a feed-forward part, as wide and with the same number of parameters (within 2 %), once with
PyTorch's fused attention, which never holds the scores, and once with the scores in memory. One window, float32, no
gradients. Every point is a process of its own; its memory is the peak above what the process held with the stack built
and the window drawn. On a GPU: the allocator's peak.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

RATE_HZ = 16
HEADS = 8
ENOUGH_S = 2.0
"""Short windows are run again until they took this long together: a busy machine then has its quiet moments, too."""
FORMS = {
    "mamba": "BiMamba2 (V3's bottleneck)",
    "fused": "self-attention, fused",
    "scores": "self-attention, scores in memory",
}
# Told apart by mark and dash as well as by colour: for print.
_LINES = {"mamba": ("#1f4e79", "o", "-"), "fused": ("#b8520a", "s", "--"), "scores": ("#6a6a6a", "^", ":")}


def attention_stack(width: int, n_layers: int, parameters: int) -> nn.Module:
    """Build layers of self-attention and feed-forward, the latter as wide as the parameters leave room for."""
    from torch import nn

    from brainscan_models.linear import Linear

    class Layer(nn.Module):
        def __init__(self, hidden: int) -> None:
            super().__init__()
            self.norm, self.qkv, self.out = nn.LayerNorm(width), Linear(width, 3 * width), Linear(width, width)
            self.feed = nn.Sequential(nn.LayerNorm(width), Linear(width, hidden), nn.GELU(), Linear(hidden, width))

        def forward(self, x: Tensor) -> Tensor:
            batch, steps, _ = x.shape
            heads = self.qkv(self.norm(x)).reshape(batch, steps, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
            mixed = nn.functional.scaled_dot_product_attention(*heads.unbind())
            x = x + self.out(mixed.transpose(1, 2).flatten(2))
            return x + self.feed(x)

    fixed = count(Layer(0))
    # A hidden unit has a row in, a bias, and a column out.
    return nn.Sequential(*(Layer(round((parameters / n_layers - fixed) / (2 * width + 1))) for _ in range(n_layers)))


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def stack_of(form: str) -> nn.Module:
    import torch

    from brainscan_models.bimamba import Stream
    from brainscan_models.registry import V3

    torch.manual_seed(0)
    mamba = Stream(V3.bottleneck)
    if form == "mamba":
        return mamba.eval()
    attention = attention_stack(V3.bottleneck.d_model, V3.bottleneck.layers, count(mamba)).eval()
    if abs(count(attention) / count(mamba) - 1) > 0.02:
        raise SystemExit(f"{count(attention)} parameters are not as many as {count(mamba)}")
    return attention


def point(form: str, seconds: int, repeats: int, threads: int) -> dict[str, float]:
    """Measure one stack at one length, in this process."""
    import torch
    from machine import device, forget_peak, peak_bytes, timed
    from torch.nn.attention import SDPBackend, sdpa_kernel

    torch.set_num_threads(threads)
    stack = stack_of(form).to(device())
    kernel: AbstractContextManager[Any] = sdpa_kernel(SDPBackend.MATH) if form == "scores" else nullcontext()
    with torch.inference_mode(), kernel:
        stack(torch.randn(1, RATE_HZ, 512, device=device()))
        x = torch.randn(1, seconds * RATE_HZ, 512, device=device())
        before = forget_peak()
        took = [timed(lambda: stack(x)) for _ in range(repeats)]
        while sum(took) < ENOUGH_S:
            took.append(timed(lambda: stack(x)))
        highest = peak_bytes()
    return {
        "seconds": min(took),
        "bytes": highest - before,
        "parameters": count(stack),
    }


def points(lengths: Sequence[int], repeats: int, threads: int) -> Iterator[tuple[str, int, dict[str, float]]]:
    """Measure every stack at every length, the stacks taking turns."""
    for seconds in lengths:
        for form in FORMS:
            command = [sys.executable, __file__, "point", form, str(seconds), str(repeats), str(threads)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            yield form, seconds, json.loads(done.stdout)


def plot(path: Path, measured: dict[str, list[tuple[int, float, float]]]) -> None:
    """Draw time and memory side by side, both axes logarithmic: a slope of one is O(N)."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style: Any = {"svg.hashsalt": "brainscan", "font.size": 9.0, "axes.spines.top": False, "axes.spines.right": False}
    with mpl.rc_context(style):
        figure = Figure(figsize=(7.2, 3.3), layout="constrained")
        for axes, column, label in zip(
            figure.subplots(1, 2), (1, 2), ("time, s a window", "memory, MB a window"), strict=True
        ):
            for form, rows in measured.items():
                colour, mark, dash = _LINES[form]
                lengths, values = [row[0] for row in rows], [row[column] for row in rows]
                axes.plot(lengths, values, color=colour, marker=mark, linestyle=dash, label=FORMS[form], markersize=4)
            axes.set_xscale("log", base=2)
            axes.set_yscale("log")
            axes.set_xticks(lengths, [str(length) for length in lengths])
            axes.minorticks_off()
            axes.grid(color="#dddddd", linewidth=0.6)
            axes.set_xlabel("length of the window, s")
            axes.set_ylabel(label)
        figure.legend(*figure.axes[0].get_legend_handles_labels(), frameon=False, loc="outside upper center", ncols=3)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None})


def main() -> int:
    """Print the table; draw it where asked."""
    if sys.argv[1:2] == ["point"]:
        form, *numbers = sys.argv[2:]
        print(json.dumps(point(form, *map(int, numbers))))
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", default="15,30,60,120,240,480", help="lengths of the window, ascending")
    parser.add_argument("--repeats", type=int, default=3, help="runs a point, at least; the fastest counts")
    parser.add_argument("--threads", type=int, default=1, help="one is disturbed least by other work")
    parser.add_argument("--plot", type=Path, help="write an SVG (needs matplotlib)")
    arguments = parser.parse_args()
    lengths = [int(word) for word in arguments.seconds.split(",")]
    measured: dict[str, list[tuple[int, float, float]]] = {form: [] for form in FORMS}
    parameters: dict[str, int] = {}
    for form, seconds, result in points(lengths, arguments.repeats, arguments.threads):
        measured[form].append((seconds, result["seconds"], result["bytes"] / 1e6))
        parameters[form] = int(result["parameters"])
    print(", ".join(f"{FORMS[form]}: {n:,} parameters" for form, n in parameters.items()), end="; ")
    print(f"threads: {arguments.threads}\n")
    print("| window | " + " | ".join(f"{name}: s | MB" for name in FORMS.values()) + " |")
    print("|---:|" + "---:|---:|" * len(FORMS))
    for i, seconds in enumerate(lengths):
        cells = (f"{rows[i][1]:.3f} | {rows[i][2]:.0f}" for rows in measured.values())
        print(f"| {seconds} s | " + " | ".join(cells) + " |")
    growth = {f: (r[-1][1] / r[0][1], max(r[-1][2], 1.0) / max(r[0][2], 1.0)) for f, r in measured.items()}
    print(f"\n{lengths[-1] / lengths[0]:g} times the length takes\n")
    for form, (in_time, in_memory) in growth.items():
        print(f"- {FORMS[form]}: {in_time:.0f} times the time, {in_memory:.0f} times the memory")
    if arguments.plot:
        plot(arguments.plot, measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
