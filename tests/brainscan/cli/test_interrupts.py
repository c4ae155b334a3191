"""Ctrl-C is one line and exit 130 from the first import on; an import that it falls into is not torn apart."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from brainscan.cli.entry import end_at_once
from brainscan.cli.interrupts import interruptible
from tests.brainscan.cli.conftest import write_edf
from tests.stand_ins import save_tiny

_REPOSITORY = Path(__file__).resolve().parents[3]

_LAUNCHER = """
import atexit, signal, sys
moment, handler = sys.argv[1:3]
del sys.argv[1:3]

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == moment:
            signal.raise_signal(signal.SIGINT)

if moment == "the end":
    atexit.register(signal.raise_signal, signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
signal.signal(signal.SIGINT, getattr(signal, handler))
from brainscan.cli.entry import main
sys.exit(main())
"""


def _ended(folder: Path, moment: str, handler: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command that is interrupted as it imports a module for the first time, or at the end of the process."""
    environment = {"PYTHONPATH": f"{_REPOSITORY}:{_REPOSITORY / 'models'}", "PATH": "", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", _LAUNCHER, moment, handler, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)


@pytest.mark.parametrize(
    ("arguments", "moment"),
    [
        (["--help"], "brainscan.cli.main"),
        (["--help"], "difflib"),
        (["detect", "--help"], "typer"),
        (["detect", "x.edf"], "brainscan.cli.detect"),
        (["detect", "EDF"], "numpy"),
        (["detect", "EDF"], "numpy.linalg"),
        (["detect", "EDF"], "onnxruntime"),
        (["scan", "data", "-o", "out"], "sqlite3"),
    ],
)
def test_an_interrupt_within_an_import(tmp_path: Path, edf: Path, arguments: list[str], moment: str) -> None:
    if moment == "onnxruntime":
        pytest.importorskip(moment)
    before = sorted(tmp_path.rglob("*"))
    ended = _ended(tmp_path, moment, "default_int_handler", *(str(edf) if a == "EDF" else a for a in arguments))
    assert (ended.returncode, ended.stderr) == (130, "error: interrupted\n")
    assert sorted(tmp_path.rglob("*")) == before


def test_an_interrupt_as_the_process_ends(tmp_path: Path) -> None:
    ended = _ended(tmp_path, "the end", "default_int_handler", "--version")
    assert (ended.returncode, ended.stderr) == (130, "error: interrupted\n")
    assert ended.stdout.startswith("brainscan ")


def test_an_interrupt_that_is_ignored_from_outside_stays_so(tmp_path: Path) -> None:
    ended = _ended(tmp_path, "difflib", "SIG_IGN", "--version")
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder whose modules can be imported, and are forgotten."""
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("interrupted", None)


_ONCE = "import signal\nsignal.raise_signal(signal.{name})\n"


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_import_ends_before_it_is_heard(modules: Path, name: str) -> None:
    (modules / "interrupted.py").write_text(_ONCE.format(name=name) + "ENDED = True\n", "utf-8")
    with pytest.raises(KeyboardInterrupt), interruptible():
        importlib.import_module("interrupted")
    assert sys.modules["interrupted"].ENDED


def test_a_second_interrupt_does_not_wait(modules: Path) -> None:
    (modules / "interrupted.py").write_text(_ONCE.format(name="SIGINT") * 2, "utf-8")
    with pytest.raises(KeyboardInterrupt), interruptible():
        importlib.import_module("interrupted")
    assert "interrupted" not in sys.modules


def test_what_follows_an_import_is_not_begun(modules: Path) -> None:
    (modules / "interrupted.py").write_text(_ONCE.format(name="SIGINT") + "ENDED = True\n", "utf-8")
    begun = []
    tracer = sys.gettrace()

    def command() -> None:
        begun.append(importlib.import_module("interrupted"))

    with pytest.raises(KeyboardInterrupt), interruptible():
        command()
    assert sys.modules["interrupted"].ENDED
    assert begun == []
    assert sys.gettrace() is tracer


def _somebody_s(_number: int, _frame: object) -> None:
    return None


@pytest.mark.parametrize(
    ("number", "handler", "replaced"),
    [
        (signal.SIGINT, signal.default_int_handler, True),
        (signal.SIGINT, end_at_once, True),
        (signal.SIGINT, signal.SIG_IGN, False),
        (signal.SIGTERM, signal.SIG_DFL, True),
        (signal.SIGTERM, _somebody_s, False),
    ],
)
def test_a_handler_that_somebody_chose_stays(number: int, handler: signal.Handlers, replaced: bool) -> None:
    before = signal.signal(number, handler)
    try:
        with interruptible():
            assert (signal.getsignal(number) is not handler) is replaced
        assert signal.getsignal(number) is handler
    finally:
        signal.signal(number, before)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="this system does not list the children of a process")
def test_an_interrupt_to_all_while_workers_start(tmp_path: Path) -> None:
    """As a terminal sends it: workers that are still importing stay silent, and are not waited for."""
    save_tiny(tmp_path / "tiny.safetensors")
    (tmp_path / "archive").mkdir()
    for name in ("a.edf", "b.edf"):
        write_edf(tmp_path / "archive" / name)
    environment = {"PYTHONPATH": f"{_REPOSITORY}:{_REPOSITORY / 'models'}", "PATH": "", "OMP_NUM_THREADS": "1"}
    model = ["--model", str(tmp_path / "tiny.safetensors"), "--workers", "2"]
    command = [sys.executable, "-c", _LAUNCHER, "never", "default_int_handler", "scan", "archive", "-o", "out", *model]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path, env=environment, start_new_session=True
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    with process:
        while process.poll() is None and not (status := _of_a_worker(children.read_text("ascii").split())):
            time.sleep(0.002)
        os.killpg(process.pid, signal.SIGINT)
        out, said = process.communicate()
    assert (process.returncode, out, said) == (130, b"", b"error: interrupted\n")
    masks = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("SigBlk", "SigIgn"))]
    assert any(mask >> (signal.SIGINT - 1) & 1 for mask in masks)  # deaf from its first moment on


def _of_a_worker(pids: list[str]) -> str:
    """Return the status of the first of these processes that is a worker; empty if none is."""
    for pid in pids:
        with suppress(OSError):
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return Path(f"/proc/{pid}/status").read_text("utf-8")
    return ""
