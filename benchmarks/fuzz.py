"""Damage recordings at random and see that each is read or refused in one line: ``python benchmarks/fuzz.py``.

    python benchmarks/fuzz.py --cases 10000 --workers 2
    python benchmarks/fuzz.py --cases 1 --first 4711        # one case again; its seed was printed

Each case takes a recording (generated ones, and the folder of awkward ones where it is at hand), damages it, and
runs the whole pipeline but the network; every tenth goes through ``brainscan detect --json`` in the same process
(``--command info`` needs no weights). A crash is any exit code but 0 and 3, any exception that is no
`BrainscanError`, and a message of several lines; a hang takes longer than a minute; memory is limited to 2 GiB a
worker above what the program needs to start.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

from brainscan.electrodes import ELECTRODES
from brainscan.errors import InputError

_ROOT = Path(__file__).resolve().parents[1]
if str(_ROOT) not in sys.path:  # as a script, and in its workers: `tests.edf_files`
    sys.path.insert(0, str(_ROOT))

HANG_S = 60
MEMORY_BYTES = 2 << 30
COMMAND_EVERY = 10
_FIELDS = ((0, 8), (8, 80), (88, 80), (168, 8), (176, 8), (184, 8), (192, 44), (236, 8), (244, 8), (252, 4))
_SIGNAL_WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
_NASTY = (
    b"", b"0", b"-1", b"1", b"1e9", b"1e-9", b"nan", b"inf", b"-inf", b"99999999", b"-9999999", b"1000000", b"1,5",
    b"abc", b"\0" * 8, b"\xff" * 8, b"../../x", b"%s%n", b"\x1b[2J", b"0.000001", b"1E+400", b"EDF+D", b"BDF+C",
    b"24BIT", b"EDF Annotations", b"BDF Annotations", b"Fp1", b"A1", b"uV", b"V",
)  # fmt: skip


_BIPOLAR = [
    "FP1-F7", "F7-T7", "T7-P7", "P7-O1", "FP1-F3", "F3-C3", "C3-P3", "P3-O1", "FZ-CZ", "CZ-PZ", "FP2-F4", "F4-C4",
    "C4-P4", "P4-O2", "FP2-F8", "F8-T8", "T8-P8", "P8-O2", "T7-FT9", "FT9-FT10", "FT10-T8",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one case: ``read``, ``refused`` with its kind, or a problem."""

    seed: int
    outcome: str
    problem: str = ""
    seconds: float = 0.0


def generated(seed: int) -> bytes:
    """Return a small sound recording: EDF, EDF+C, EDF+D, BDF or BDF+, of one of several montages."""
    from tests.edf_files import FakeEdf, eeg

    rng = random.Random(seed)
    width = rng.choice((2, 2, 3))
    digital = ("-8388608", "8388607") if width == 3 else ("-32768", "32767")
    labels = rng.choice((list(ELECTRODES), [*(f"EEG {name}-REF" for name in ELECTRODES), "EKG", "SpO2"], _BIPOLAR))
    n_records = rng.choice((3, 12, 70))
    onsets, notes = None, {}
    kind = rng.choice(("", "+C", "+D"))
    if kind:
        gap_s = rng.choice((0, 0, 7)) if kind == "+D" else 0
        onsets = [f"+{t + gap_s * (t > n_records // 2)}" for t in range(n_records)]
        notes = {1: b"+1.5\x152\x14eyes closed\x14\0"}
    reserved = f"{'BDF' if width == 3 else 'EDF'}{kind}" if kind else ("24BIT" if width == 3 else "")
    signals = eeg(labels, n_records, rng.choice((100, 128, 200)), seed, digital=digital)
    return FakeEdf(signals, n_records, reserved=reserved, width=width, onsets=onsets, notes=notes).data()


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Return the bytes with one to three kinds of damage."""
    result = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        rng.choice(_DAMAGES)(result, rng)
    return bytes(result)


def _flip(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 4, 64))):
        if data:
            # Most of what can go wrong is decided in the header.
            at = rng.randrange(min(len(data), 8192) if rng.random() < 0.7 else len(data))
            data[at] = rng.randrange(256)


def _fill_field(data: bytearray, rng: random.Random) -> None:
    at, width = rng.choice(_FIELDS)
    data[at : at + width] = rng.choice(_NASTY)[:width].ljust(width)


def _fill_signal_field(data: bytearray, rng: random.Random) -> None:
    with contextlib.suppress(ValueError):
        n_signals = int(bytes(data[252:256]))
        if 0 < n_signals < 1000:
            column = rng.randrange(len(_SIGNAL_WIDTHS))
            width = _SIGNAL_WIDTHS[column]
            start = 256 + n_signals * sum(_SIGNAL_WIDTHS[:column])
            rows = range(n_signals) if rng.random() < 0.3 else [rng.randrange(n_signals)]
            value = rng.choice(_NASTY)[:width].ljust(width)
            for row in rows:
                data[start + row * width : start + (row + 1) * width] = value


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data) + 1) :]


def _remove(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    del data[at : at + rng.choice((1, 2, 255, 4096))]


def _insert(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.randbytes(rng.choice((1, 2, 3, 256, 5000)))


def _overwrite(data: bytearray, rng: random.Random) -> None:
    at, length = rng.randrange(len(data) + 1), rng.choice((16, 512, 20_000))
    filler = rng.choice((b"\0", b"\xff", b" ", b"\x14", b"+"))
    part = len(data[at : at + length])
    data[at : at + length] = filler * part if rng.random() < 0.6 else rng.randbytes(part)


def _stamp(data: bytearray, rng: random.Random) -> None:
    """Damage a time stamp: find one, and write another number."""
    found = data.find(b"\x14\x14", rng.randrange(len(data) + 1))
    if found > 0:
        number = rng.choice((b"+1e9", b"+999999999", b"-5", b"+0", b"+12.5", b"+3,5", b"+" + b"9" * 12, b"nan"))
        data[max(found - len(number), 0) : found] = number


def _convert(data: bytearray, rng: random.Random) -> None:
    """Send the bytes through a text conversion, as file transfers do."""
    if rng.random() < 0.5:
        data[:] = data.replace(b"\n", b"\r\n")
    else:
        data[:] = bytes(data).decode("latin-1").encode("utf-8")


_DAMAGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _flip, _fill_field, _fill_field, _fill_signal_field, _fill_signal_field, _cut, _remove, _insert, _overwrite, _stamp,
    _convert,
)  # fmt: skip


def case(seed: int, sources: Sequence[Path]) -> tuple[bytes, str]:
    """Return the damaged bytes of a case and the suffix of its file."""
    rng = random.Random(seed)
    if sources and rng.random() < 0.7:
        source = sources[rng.randrange(len(sources))]
        return damaged(source.read_bytes(), rng), source.suffix
    return damaged(generated(rng.randrange(64)), rng), rng.choice((".edf", ".bdf", ".EDF"))


def outcome_of(path: Path) -> str:
    """Run the pipeline without a network; return ``read`` or the kind of the refusal.

    Raises
    ------
    AssertionError
        If a refusal has several lines or another exit code than 3.
    """
    from brainscan.examine import nothing_scored
    from brainscan.io import read
    from brainscan.survey import survey

    try:
        detection = survey(read(path))
        if not detection.analysed_s:
            raise nothing_scored(detection)
    except InputError as error:
        _check(error.exit_code == 3, "exit code")
        _check("\n" not in str(error) and str(error).isprintable(), "one printable line")
        return f"refused: {error.kind}"
    _check(all(warning.isprintable() for warning in detection.warnings), "printable warnings")
    return "read"


def command_outcome(command: str, path: Path, out: Path) -> str:
    """Run ``brainscan detect`` or ``info`` in this process; return what became of it."""
    from brainscan.cli.main import main

    shown, told = io.StringIO(), io.StringIO()
    options = ["-q", "-o", str(out / "events.csv_bi"), "--force"] if command == "detect" else []
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(told):
        code = main([command, str(path), "--json", *options])
    _check(code in (0, 3), f"exit code {code}: {told.getvalue()[-2000:]}")
    if code == 3:
        lines = [line for line in told.getvalue().splitlines() if line.startswith("error:")]
        _check(len(lines) == 1, f"one line, not {told.getvalue()!r}")
    return f"{command}: {'read' if code == 0 else 'refused'}"


def _check(condition: bool, what: str) -> None:
    if not condition:
        raise AssertionError(what)


class Hang(BaseException):
    """No `Exception`, so that nothing between takes it for one of its own."""


def _hang(signum: int, frame: FrameType | None) -> None:
    raise Hang(f"longer than {HANG_S} s")


def run_case(seed: int, sources: Sequence[Path], command: str = "") -> Result:
    """Make a case in a folder of its own, run it (through a command if one is named), and look for stray files."""
    data, suffix = case(seed, sources)
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / f"case{suffix}", Path(folder) / "out"
        path.write_bytes(data)
        out.mkdir()
        begin = time.perf_counter()
        signal.signal(signal.SIGALRM, _hang)
        signal.alarm(HANG_S)
        before = Path.cwd()
        os.chdir(folder)
        try:
            outcome = command_outcome(command, path, out) if command else outcome_of(path)
        except (Exception, SystemExit, Hang):  # noqa: BLE001 - whatever escapes is the finding
            return Result(seed, "problem", traceback.format_exc()[-3000:], time.perf_counter() - begin)
        finally:
            signal.alarm(0)
            os.chdir(before)
        stray = [p.name for p in Path(folder).iterdir() if p not in (path, out)]
        return Result(seed, outcome, f"stray files {stray}" if stray else "", time.perf_counter() - begin)


def sources_at_hand() -> list[Path]:
    """Return the folder of awkward recordings, without the largest."""
    folder = Path(os.environ.get("BRAINSCAN_SHARED", _ROOT.parent / "shared")) / "edf-cases"
    kinds = {".edf", ".bdf", ".rec", ".vhdr", ".set", ".fif"}
    return sorted(p for p in folder.glob("*") if p.suffix.lower() in kinds and p.stat().st_size < 300_000)


def _run_many(command: str, seeds: Sequence[int]) -> tuple[list[Result], int]:
    sources = sources_at_hand()
    warnings.simplefilter("error", RuntimeWarning)  # numbers that overflow would be printed at the user
    run_case(0, (), command)  # loads what has to be loaded
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, hard))
    results = [run_case(seed, sources, "" if seed % COMMAND_EVERY else command) for seed in seeds]
    return results, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _chunks(first: int, count: int, size: int) -> Iterator[range]:
    for at in range(first, first + count, size):
        yield range(at, min(at + size, first + count))


def main() -> int:
    """Run the cases and print a table; return 1 if there was a problem."""
    parser = argparse.ArgumentParser(description="Damage recordings and see that each is read or refused in one line.")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=1, help="seed of the first case")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--command", choices=("detect", "info"), default="detect", help="what every tenth case runs")
    arguments = parser.parse_args()
    run = partial(_run_many, arguments.command)
    begin = time.perf_counter()
    results: list[Result] = []
    peak_kib = 0
    # Fresh processes now and then, so that one chunk's memory does not count for the next.
    with multiprocessing.get_context("spawn").Pool(arguments.workers, maxtasksperchild=4) as pool:
        for part, used_kib in pool.imap(run, _chunks(arguments.first, arguments.cases, 250)):
            results += part
            peak_kib = max(peak_kib, used_kib)
            print(f"{len(results)} cases, {sum(bool(r.problem) for r in results)} problems", file=sys.stderr)
    for result in results:
        if result.problem:
            print(f"seed {result.seed}: {result.outcome}\n{result.problem}")
    for outcome, count in sorted(Counter(r.outcome for r in results).items()):
        print(f"{count:6d}  {outcome}")
    slowest = max(results, key=lambda r: r.seconds)
    print(f"{len(sources_at_hand())} awkward recordings at hand")
    print(f"slowest {slowest.seconds:.1f} s (seed {slowest.seed}), peak memory {peak_kib / 1024:.0f} MiB a worker")
    print(
        f"{len(results)} cases in {time.perf_counter() - begin:.0f} s, {sum(bool(r.problem) for r in results)} problems"
    )
    return int(any(r.problem for r in results))


if __name__ == "__main__":
    sys.exit(main())
