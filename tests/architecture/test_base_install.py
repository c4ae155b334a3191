"""The base install has no PyTorch and no compiled kernels: what works there is run here as if neither were, and
as if this were a system that forks no process."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from brainscan.cli.table import COMMANDS
from brainscan.model.extras import PACKAGES
from tests.children import unmeasured

_REPOSITORY = Path(__file__).resolve().parents[2]
_NOT_ON_WINDOWS = {
    "os": ("fork", "geteuid", "getuid", "killpg", "register_at_fork", "sched_getaffinity", "setsid", "sysconf"),
    "signal": ("SIGALRM", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGUSR1"),
}
_ABSENT = (
    "torch",
    "numba",
    "llvmlite",
    "safetensors",
    "onnx",
    "onnxscript",
    "lightning",
    "grp",
    "pwd",
    "resource",
    "termios",
)

_PROGRAM = """
import json, os, signal, sys
for module, names in {foreign!r}.items():
    for name in names:
        if hasattr(sys.modules[module], name):
            delattr(sys.modules[module], name)
sys.modules.update(dict.fromkeys({absent!r}))  # neither found nor imported
sys.path[:0] = {sources!r}
from brainscan.cli.main import main
codes = [main(arguments) for arguments in {commands!r}]
loaded = [name for name in {absent!r} if sys.modules[name] is not None]
print("ENDED", json.dumps([codes, loaded]))
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """What commands came to in a process without PyTorch."""

    codes: list[int]
    loaded: list[str]
    out: str
    err: str


def _without_torch(folder: Path, *commands: list[str]) -> Ran:
    sources = [str(_REPOSITORY / place) for place in (".", "models", "training")]
    program = _PROGRAM.format(absent=_ABSENT, foreign=_NOT_ON_WINDOWS, sources=sources, commands=list(commands))
    home = folder.with_name(f"{folder.name}-home")
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**{name: value for name, value in unmeasured().items() if "CACHE" not in name}, "HOME": str(home)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert "ENDED" in done.stdout, done.stderr
    # Its makers' builds keep an identifier of the device in the home, and report under it.
    assert [path for path in home.rglob("*") if "onnxruntime" in path.name] == []
    out, _, ended = done.stdout.rpartition("ENDED")
    return Ran(*json.loads(ended), out, done.stderr)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Path]:
    """Return what the commands that need no PyTorch came to, and the folder they worked in."""
    folder = tmp_path_factory.mktemp("base")
    return _without_torch(
        folder,
        ["simulate", "-o", "a.edf", "--duration", "180", "--seizures", "1", "--seed", "4", "--annotations", "a.csv_bi"],
        ["info", "a.edf"],
        ["info", "default"],
        ["detect", "a.edf", "-v", "-o", "found.csv_bi"],
        ["scan", ".", "-o", "scanned"],
        ["score", "a.csv_bi", "found.csv_bi"],
        ["convert", "found.csv_bi", "-o", "found.tsv"],
        ["evaluate", ".", "--cache", "kept", "-o", "figures"],
        ["report", "a.edf", "found.csv_bi", "-o", "page.html"],
        ["doctor"],
    ), folder


def test_what_needs_no_torch_runs_without(used: tuple[Ran, Path]) -> None:
    ran, folder = used
    assert ran.codes == [0] * len(ran.codes), ran.err
    assert ran.loaded == []
    assert "backend onnx" in ran.err
    for name in ("found.csv_bi", "found.tsv", "page.html"):
        assert (folder / name).stat().st_size > 0


def test_doctor_says_what_is_not_there_and_passes(used: tuple[Ran, Path]) -> None:
    out = used[0].out
    assert "auto: usable, onnx on cpu" in out
    assert "native: not usable, PyTorch is not installed" in out
    assert 'pip install "brainscan[torch]"' in out
    assert "passed: logits within" in out


def test_what_needs_torch_says_what_brings_it(tmp_path: Path) -> None:
    sample = str(_REPOSITORY / "examples" / "sample.edf")
    asked = {
        "onnx": ["export", "default", "--onnx", "out"],
        "train": ["train", "--profile", "smoke", "--data", "simulation", "-o", "run"],
        "torch": ["detect", sample, "--backend", "native"],
    }
    ran = _without_torch(
        tmp_path,
        *asked.values(),
        ["detect", sample, "--device", "cuda"],
        ["detect", sample, "--model", "v3-lite"],
        ["detect", sample, "--precision", "bfloat16"],
    )
    assert ran.codes == [2] * 6
    errors = ran.err.splitlines()
    for extra, line in zip([*asked, *["torch"] * 3], errors, strict=True):
        assert f'pip install "brainscan[{extra}]"' in line
    assert list(tmp_path.iterdir()) == []


def test_pip_brings_none_of_it() -> None:
    project = tomllib.loads((_REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {Requirement(text).name for text in project["dependencies"]}
    assert "onnxruntime" in named
    assert named.isdisjoint({"torch", "numba", "safetensors", "onnx"})
    extras = project["optional-dependencies"]
    brought = {extra: {Requirement(text).name for text in texts} for extra, texts in extras.items()}
    assert {"torch", "numba", "safetensors"} <= brought["torch"]
    # What computes with torch brings it with its kernels, not bare.
    for extra in ("train", "graph", "gpu", "onnx"):
        assert "brainscan[torch]" in extras[extra]


def test_a_command_needs_what_its_extra_brings() -> None:
    for command in COMMANDS:
        assert set(command.needs) <= {*PACKAGES.get(command.extra, ()), *PACKAGES["torch"]}
