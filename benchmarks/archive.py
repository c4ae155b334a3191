"""An archive through ``brainscan scan``: what interruptions leave, throughput, memory of a worker, cost of a file.

    python benchmarks/archive.py [--parts resume,throughput,memory,small,listing,cluster]

- ``resume``: 200 simulated recordings, 20 of them damaged in different ways. One undisturbed scan; then on one worker,
  on two, and on a cluster of two, a scan that is killed (kill -9) three times at random moments, by turns the command
  alone and with its workers, and started again. Every file of the output folders is compared.
- ``throughput``: hours on 1 worker of 1 thread, 2 workers of 1, 1 worker of 2, and 1 worker held to one processor, by
  turns; minutes on a machine at rest.
- ``memory``: the largest resident memory of a worker over a recording of 1 h and of 24 h, which is that hour repeated.
- ``small``: many files of ten seconds; what a file costs beside its EEG.
- ``listing``: when the work begins in an archive of a million files, and the memory of the command meanwhile.
- ``cluster``: the time that a worker's death costs, all outputs counted.

Workers of the cluster are processes of this machine (extra ``cluster``). Exits with 1 where outputs differ.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, repeat
from pathlib import Path

_CACHE = Path(__file__).resolve().parents[1] / ".cache" / "benchmarks" / "archive"
_SEED = 3_100_000
_KILLS = 3
_SEIZURES_AN_HOUR = 4
_POLL_S = 0.02
_HELD = "1 x 1 on one processor"


def simulate(path: Path, seconds: int, seed: int, *, seizures: int = 0, times: int = 1) -> None:
    """Write a recording, so many times over, unless it is there."""
    from brainscan.electrodes import ELECTRODES
    from brainscan.io.edf_writer import EdfHeader, electrode_labels, write_edf
    from brainscan.simulate import PAGE_S, SimulationConfig
    from brainscan.simulate import simulate as plan

    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        simulation = plan(
            SimulationConfig(seconds, seizures or (max(1, seconds // 7200) if seconds >= 60 else 0), seed)
        )
        blocks = chain.from_iterable(repeat(list(simulation.blocks(PAGE_S)), times))
        write_edf(path, EdfHeader(electrode_labels(ELECTRODES), 256), blocks)


def _header(data: bytes, at: int, text: str) -> bytes:
    return data[:at] + text.encode("ascii") + data[at + len(text) :]


DAMAGES: tuple[Callable[[bytes], bytes], ...] = (
    lambda data: b"",
    lambda data: data[:100],
    lambda data: data[:2000],
    lambda data: data[: len(data) // 2],
    lambda data: data[: len(data) // 2 + 1],
    lambda data: data + b"\0" * 777,
    lambda data: b"a text " * 500,
    lambda data: bytes(range(256)) * 100,
    lambda data: _header(data, 236, "-1      "),
    lambda data: _header(data, 236, "9" * 8),
    lambda data: _header(data, 252, "0   "),
    lambda data: _header(data, 252, "9999"),
    lambda data: _header(data, 244, "0       "),
    lambda data: _header(data, 184, "1       "),
    lambda data: data[:5376] + b"\0" * (len(data) - 5376),
    lambda data: data[:5376] + b"\xff\x7f" * ((len(data) - 5376) // 2),
    lambda data: data.replace(b"EEG ", b"odd ").replace(b"Fp", b"Qq"),
    lambda data: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    lambda data: b"\x1f\x8b" + data[2:],
    lambda data: data[256:],
)
"""Twenty ways in which a recording may arrive."""


def archive(n: int, seconds: int) -> Path:
    """Return a folder of simulated recordings in a tree, every tenth damaged, each in another way."""
    folder = _CACHE / f"{n}-of-{seconds}s"
    for number in range(n):
        path = folder / f"ward{number % 7}" / f"rec{number:05}.edf"
        whole = folder / f".whole{number % 40}.edf"
        simulate(whole, seconds, _SEED + number % 40)
        if path.exists():
            continue
        path.parent.mkdir(exist_ok=True)
        data = whole.read_bytes()
        data = _header(data, 8, f"X X X {number:05}")  # no two files alike
        if number % (n // len(DAMAGES)) == 3:
            data = DAMAGES[number // (n // len(DAMAGES))](data)
        path.write_bytes(data)
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    """Return everything in a folder."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def start(folder: Path, out: Path, *options: str) -> subprocess.Popen[bytes]:
    """Start a scan in a session of its own."""
    command = [sys.executable, "-m", "brainscan", "scan", str(folder), "-o", str(out), "-q", *options]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)


def timed(folder: Path, out: Path, *options: str) -> tuple[float, float]:
    """Scan to the end; return the seconds it took, and those of processors, of its workers, too."""
    began = time.perf_counter()
    process = start(folder, out, *options)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 6}:
        raise SystemExit(f"the scan ended with {process.returncode}")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime


def scanned(folder: Path, out: Path, *options: str) -> float:
    """Scan to the end and return the seconds it took."""
    return timed(folder, out, *options)[0]


def fresh(name: str) -> Path:
    """Return an absent output folder."""
    out = _CACHE / "out" / name
    shutil.rmtree(out, ignore_errors=True)
    return out


def n_outputs(out: Path) -> int:
    """Return how many recordings have results."""
    return sum(1 for _ in out.rglob("*.csv_bi"))


def killed_scan(folder: Path, out: Path, options: Sequence[str], rng: random.Random, total: int) -> list[int]:
    """Kill a scan three times once it has done a random share, then let it end; return what was done at each kill."""
    seen = []
    marks = sorted(rng.sample(range(5, total - 5), _KILLS))
    for turn, mark in enumerate(marks):
        process = start(folder, out, *options)
        while n_outputs(out) < mark and process.poll() is None:
            time.sleep(_POLL_S)
        time.sleep(rng.random() * 0.05)
        if turn % 2:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
        seen.append(n_outputs(out))
    scanned(folder, out, *options)
    return seen


@contextmanager
def cluster(n_workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Start a scheduler and workers; yield its address and the workers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "dask"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [*dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    running = [subprocess.Popen(command, env=environment, **quiet)]  # type: ignore[call-overload]
    try:
        while True:
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.1)
        command = [*dask, "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        workers = [subprocess.Popen(command, env=environment, **quiet) for _ in range(n_workers)]  # type: ignore[call-overload]
        running += workers
        yield address, workers
    finally:
        for process in running:
            process.kill()
            process.wait()


def resume(n: int, seconds: int) -> bool:
    """Compare interrupted scans with one that was not."""
    folder, rng = archive(n, seconds), random.Random(7)
    whole = fresh("undisturbed")
    scanned(folder, whole, "--workers", "1")
    expected = files_of(whole)
    done = n_outputs(whole)
    print(
        f"{n} recordings of {seconds} s, {len(DAMAGES)} damaged: {done} done, {n - done} failed, {len(expected)} files"
    )
    same = True
    with cluster(2) as (address, _):
        for name, options in {
            "1 worker": ["--workers", "1"],
            "2 workers": ["--workers", "2"],
            "cluster of 2": ["--cluster", address],
        }.items():
            out = fresh(name.replace(" ", "-"))
            at = killed_scan(folder, out, options, rng, done)
            found = files_of(out)
            differ = sorted(key for key in {*found, *expected} if found.get(key) != expected.get(key))
            verdict = f"DIFFER: {', '.join(differ[:5])}" if differ else "identical byte for byte"
            print(f"{name}: killed at {', '.join(map(str, at))} results; {len(found)} files, {verdict}", flush=True)
            same = same and not differ
    return same


def throughput(n: int, seconds: int, rounds: int) -> None:
    """Time divisions of two processors by turns, each the best of its turns."""
    folder = _CACHE / f"throughput-{n}-of-{seconds}s"
    for number in range(n):
        whole = folder / f".whole{number % 4}.edf"
        simulate(whole, seconds, _SEED + 500 + number % 4)
        (folder / f"rec{number}.edf").write_bytes(_header(whole.read_bytes(), 8, f"X X X {number:05}"))
    hours = n * seconds / 3600.0
    ways = {"1 x 1": (1, 1), "2 x 1": (2, 1), "1 x 2": (1, 2), _HELD: (1, 1)}
    best = dict.fromkeys(ways, (float("inf"), float("inf")))
    starts = dict.fromkeys(ways, (float("inf"), float("inf")))
    for _ in range(rounds):
        for name, (workers, threads) in ways.items():
            options = ["--workers", str(workers), "--threads", str(threads), "--no-pages"]
            with _held(name == _HELD):
                starts[name] = _least(starts[name], timed(_short(workers), fresh("throughput"), *options))
                best[name] = _least(best[name], timed(folder, fresh("throughput"), *options))
    print(f"{hours:.1f} h in {n} recordings; workers x threads, best of {rounds}, load {os.getloadavg()[0]:.1f}:")
    one_s = best["1 x 1"][0] - starts["1 x 1"][0]
    for name, (wall, processor) in best.items():
        start_s = starts[name][0]
        print(
            f"  {name}: {wall:.1f} s, of which {start_s:.1f} s to start; {hours / wall * 3600:.0f} times real time,"
            f" {best['1 x 1'][0] / wall:.2f} of 1 x 1, {one_s / (wall - start_s):.2f} once it has started,"
            f" {best[_HELD][0] / wall:.2f} of one processor;"
            f" {(processor - starts[name][1]) / hours:.2f} s of processor an hour"
        )


@contextmanager
def _held(held: bool) -> Iterator[None]:
    """Hold this process and its children to one processor: a worker of one thread reads ahead in a second one."""
    all_of_them = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(all_of_them)} if held else all_of_them)
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_of_them)


def _short(n: int) -> Path:
    """Return a folder of as many short recordings as there are workers to start."""
    folder = _CACHE / f"short-{n}"
    for number in range(n):
        simulate(folder / f"{number}.edf", 10, _SEED + 950 + number)
    return folder


def _least(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return min(one[0], other[0]), min(one[1], other[1])


def memory(hours: Sequence[int]) -> None:
    """Print the largest memory of the one worker of a scan."""
    for n_hours in hours:
        folder = _CACHE / f"night-{n_hours}h"
        simulate(folder / "night.edf", 3600, _SEED + 900, seizures=_SEIZURES_AN_HOUR, times=n_hours)
        out = fresh("memory")
        process, peak, own = start(folder, out, "--workers", "1"), 0, 0
        while process.poll() is None:
            peak = max([peak, *map(_peak_bytes, _children(process.pid))])
            own = max(own, _peak_bytes(process.pid))
            time.sleep(0.2)
        page = sum(path.stat().st_size for path in out.glob("night.html")) / 1e6
        print(
            f"{n_hours} h, a page of {page:.1f} MB: at most {peak / 1e9:.2f} GB in the worker,"
            f" {own / 1e9:.2f} GB in the command",
            flush=True,
        )


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    return []


def _peak_bytes(pid: int) -> int:
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/status").read_text("utf-8").partition("VmHWM:")[2].split()[0]) * 1024
    return 0


def small(n: int) -> None:
    """Print what a short file costs on one worker, and again when it is done already."""
    folder = _CACHE / f"small-{n}"
    whole = _CACHE / ".ten.edf"
    simulate(whole, 10, _SEED + 950)
    data = whole.read_bytes()
    for number in range(n):
        path = folder / f"{number // 1000:03}" / f"{number:06}.edf"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_header(data, 8, f"X X X {number:06}"))
    one = _CACHE / "one"
    simulate(one / "ten.edf", 10, _SEED + 950)
    out = fresh("small")
    alone = timed(one, fresh("one"), "--workers", "1")
    first, again = timed(folder, out, "--workers", "1"), timed(folder, out, "--workers", "1")
    print(f"{n} files of 10 s on one worker (load {os.getloadavg()[0]:.1f}); a scan of one takes {alone[0]:.1f} s")
    for what, took in {"new": first, "done already": again}.items():
        each = [1e3 * (whole - one) / (n - 1) for whole, one in zip(took, alone, strict=True)]
        print(f"  {what}: {each[0]:.1f} ms a file, {each[1]:.1f} ms of processor")


def listing(n: int) -> None:
    """Print what listing an archive of (empty) files costs, and what the command holds of it."""
    from brainscan.io.discover import explore
    from brainscan.io.event_formats import FORMATS
    from brainscan.scan.ledger import Ledger
    from brainscan.scan.listing import Listing
    from brainscan.scan.plan import Plan

    folder = _CACHE / f"empty-{n}"
    for number in range(n):
        path = folder / f"{number // 1000:04}" / f"{number:07}.edf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    ledger = Ledger()
    plan = Plan(folder, _CACHE / "out", (FORMATS["csv_bi"],))
    more = Listing(explore(folder, _CACHE / "out"), plan, ledger, lambda found: None)
    began, held = time.process_time(), _held_bytes()
    more.begin()
    print(f"work begins with {ledger.n_entered} of {n} listed, {time.process_time() - began:.2f} s of processor")
    told = n // 5
    while more(idle=True) or ledger.n_entered >= told:
        if ledger.n_entered >= told:
            took, grown = time.process_time() - began, (_held_bytes() - held) / 1e6
            print(f"  {ledger.n_entered}: {took:.1f} s of processor, memory grown by {grown:.1f} MB", flush=True)
            told = max(told + n // 5, ledger.n_entered + 1)


def _held_bytes() -> int:
    text = Path("/proc/self/status").read_text("utf-8")
    return int(text.partition("VmRSS:")[2].split()[0]) * 1024


def killed_worker(n: int, seconds: int) -> None:
    """Print what the death of one of two workers costs a cluster's scan."""
    folder = archive(n, seconds)
    with cluster(2) as (address, _):
        scanned(folder, fresh("warm"), "--cluster", address)
        whole = scanned(folder, fresh("cluster"), "--cluster", address)
    with cluster(2) as (address, workers):
        scanned(folder, fresh("warm"), "--cluster", address)
        out, began = fresh("cluster"), time.perf_counter()
        process = start(folder, out, "--cluster", address)
        while n_outputs(out) < n // 2 and process.poll() is None:
            time.sleep(_POLL_S)
        workers[0].kill()
        process.wait()
        took = time.perf_counter() - began
    rows = [line.split(",")[0] for line in (out / "summary.csv").read_text("utf-8").splitlines()[1:]]
    print(f"cluster of 2: {whole:.1f} s; with one worker killed at half: {took:.1f} s")
    print(f"  {n_outputs(out)} results, {len(rows)} rows of {n} recordings, {len(rows) - len(set(rows))} of them twice")


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default="resume,throughput,memory,small,listing,cluster")
    parser.add_argument("--recordings", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--long", type=int, default=1800, help="seconds of a recording for throughput")
    parser.add_argument("--listed", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hours", default="1,24")
    arguments = parser.parse_args()
    _CACHE.mkdir(parents=True, exist_ok=True)
    same = True
    for part in arguments.parts.split(","):
        if part == "resume":
            same = resume(arguments.recordings, arguments.seconds)
        elif part == "throughput":
            throughput(16, arguments.long, arguments.rounds)
        elif part == "memory":
            memory([int(hours) for hours in arguments.hours.split(",")])
        elif part == "small":
            small(arguments.small)
        elif part == "listing":
            listing(arguments.listed)
        elif part == "cluster":
            killed_worker(arguments.recordings, arguments.seconds)
        else:
            parser.error(f"no such part: {part}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
