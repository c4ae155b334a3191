"""From file to events: start-up, seconds per EEG-hour, memory, for each model, backend and precision.

    python benchmarks/performance.py [--full] [--ways default,native] [--repeats 3]

Every figure is that of ``brainscan detect`` as a process of its own, the fastest of some turns; the ways of running it
take turns, so that other work on the machine disturbs all alike. What an hour costs is marginal: the difference of the
two longest recordings, divided by their difference in length, so that start-up stands apart. ``--full`` adds 24 hours
(simulated once, minutes, and kept with the others in the git-ignored .cache/) and then counts from one hour on. V3 has
random weights here. Where time goes inside: ``benchmarks/stages.py``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from memory import Measured, simulated

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "benchmarks"
MINUTES = (1, 10, 60, 180)
A_DAY = 24 * 60
LIMIT_S = 2.5
"""Bar of v3-lite on two cores: marginal seconds per EEG-hour, and seconds of start-up."""


class Way(NamedTuple):
    """One way of running detect.

    Parameters
    ----------
    name : str
    model : str
        What ``--model`` gets; ``v3`` the random one.
    options : tuple of str
    minutes : int
        Longest recording.
    """

    name: str
    model: str
    options: tuple[str, ...]
    minutes: int


WAYS = (
    Way("default", "default", (), 180),
    Way("1-thread", "default", ("--threads", "1"), 60),
    Way("native", "default", ("--backend", "native"), 60),
    Way("native-1-thread", "default", ("--backend", "native", "--threads", "1"), 60),
    Way("before", "v3-hybrid", ("--backend", "native"), 60),  # the default before
    Way("bfloat16", "default", ("--backend", "native", "--precision", "bfloat16"), 60),
    Way("chunked", "default", ("--backend", "torch"), 60),
    Way("v3", "v3", (), 60),
    Way("v3-bfloat16", "v3", ("--precision", "bfloat16"), 60),
)

NATIVE = WAYS[2]


def run(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Measured | None:
    """Run ``brainscan`` as a process and return what it took; None if it cannot run here."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "brainscan", *arguments],
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    took_s = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    in_bytes = usage.ru_maxrss if sys.platform == "darwin" else usage.ru_maxrss * 1024
    return None if process.returncode else Measured(took_s, usage.ru_utime + usage.ru_stime, in_bytes / 1e9)


def detect(way: Way, minutes: int, environment: Mapping[str, str] | None = None) -> Measured | None:
    model = str(random_v3()) if way.model == "v3" else way.model
    recording, _ = simulated(minutes / 60.0, 256)
    with tempfile.TemporaryDirectory() as folder:
        target = str(Path(folder) / "events.json")
        command = ["detect", str(recording), "--format", "json", "-o", target, "--model", model, "-q", *way.options]
        return run(command, environment)


def random_v3() -> Path:
    """Return a V3 as it is drawn, at 60 windows an hour, made if it is not there yet."""
    path = CACHE / "v3-random.safetensors"
    if not path.exists():
        # In a process of its own: a child's peak memory is at least what its parent held when it began.
        subprocess.run([sys.executable, __file__, "write", str(path)], check=True)
    return path


def write_v3(path: Path) -> int:
    import torch

    from brainscan.card import Card, WindowConfig
    from brainscan.model.checkpoint import save
    from brainscan_models.registry import V3, build

    torch.manual_seed(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    window = WindowConfig(stride_s=60, taper_s=0.0)
    save(path, build(V3), Card(name="v3, random weights", variant=V3.to_mapping(), window=window))
    return 0


def fastest(runs: Sequence[Measured]) -> Measured:
    """Return the least time of some runs, and the most memory."""
    return Measured(
        min(run.wall_s for run in runs), min(run.processor_s for run in runs), max(run.resident_gb for run in runs)
    )


def start_up(repeats: int) -> None:
    """Print what is paid once: the help page, one minute of EEG, and kernels that have to be compiled."""
    shown = [took for _ in range(repeats) if (took := run(["--help"]))]
    warm = [took for _ in range(repeats + 1) if (took := detect(WAYS[0], 1))][1:]
    with tempfile.TemporaryDirectory() as home:
        places = {"XDG_CACHE_HOME": home, "LOCALAPPDATA": home}
        cold = detect(NATIVE, 1, places)
        compiled = detect(NATIVE, 1, places)
    if not (shown and warm and cold and compiled):
        raise SystemExit("brainscan does not run here: try `brainscan doctor`")
    one_minute = fastest(warm).wall_s
    print("| once | s | bar |\n|---|---:|---:|")
    print(f"| `brainscan --help` | {fastest(shown).wall_s:.2f} | 0.3 |")
    print(f"| `brainscan detect`, one minute of EEG | {one_minute:.2f} | {LIMIT_S} |")
    print(f"| kernels compiled, the first time on a machine | {cold.wall_s - compiled.wall_s:.1f} | |\n")


def turns(ways: Sequence[Way], lengths: Mapping[str, Sequence[int]], repeats: int) -> dict[tuple[str, int], Measured]:
    """Run every way on its recordings and return the fastest run of each."""
    runs: dict[tuple[str, int], list[Measured]] = {}
    for _ in range(repeats):
        for minutes in sorted({m for chosen in lengths.values() for m in chosen}):
            for way in ways:
                if minutes in lengths[way.name] and (took := detect(way, minutes)):
                    runs.setdefault((way.name, minutes), []).append(took)
    return {key: fastest(several) for key, several in runs.items()}


def show(ways: Sequence[Way], lengths: Mapping[str, Sequence[int]], repeats: int) -> None:
    """Print the table of all ways."""
    columns = sorted({m for chosen in lengths.values() for m in chosen})
    found = turns(ways, lengths, repeats)
    names = " | ".join(f"{m} min, s" if m < A_DAY else "24 h, s" for m in columns)
    print(f"| way | {names} | s an EEG-hour | processor s an EEG-hour | peak, GB |")
    print("|---|" + "---:|" * (len(columns) + 3))
    for way in ways:
        own = [m for m in columns if (way.name, m) in found]
        title = f"{way.name}: `{' '.join(('--model', way.model, *way.options))}`"
        if len(own) < 2:
            print(f"| {title} | cannot run here |" + " |" * (len(columns) + 2))
            continue
        below, last = 60 if own[-1] == A_DAY else own[-2], own[-1]
        short, long, hours = found[way.name, below], found[way.name, last], (last - below) / 60.0
        cells = [f"{found[way.name, m].wall_s:.2f}" if m in own else "" for m in columns]
        cells += [
            f"{(long.wall_s - short.wall_s) / hours:.2f}",
            f"{(long.processor_s - short.processor_s) / hours:.2f}",
        ]
        peak = max(found[way.name, m].resident_gb for m in own)
        print(f"| {title} | {' | '.join(cells)} | {peak:.2f} |")
    print(f"\nbar of the default: {LIMIT_S} s an EEG-hour; the best of {repeats} turns")


def main() -> int:
    """Print the tables."""
    if sys.argv[1:2] == ["write"]:
        return write_v3(Path(sys.argv[2]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="24 hours, too")
    parser.add_argument("--ways", default=",".join(way.name for way in WAYS))
    parser.add_argument("--repeats", type=int, default=3, help="turns; the fastest counts")
    arguments = parser.parse_args()
    chosen = [way for way in WAYS if way.name in arguments.ways.split(",")]
    lengths = {way.name: [m for m in MINUTES if m <= way.minutes] for way in chosen}
    if arguments.full and WAYS[0].name in lengths:
        lengths[WAYS[0].name].append(A_DAY)
    for minutes in {m for several in lengths.values() for m in several}:
        simulated(minutes / 60.0, 256)
    start_up(arguments.repeats)
    show(chosen, lengths, arguments.repeats)
    return 0


if __name__ == "__main__":
    sys.exit(main())
