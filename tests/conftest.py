"""Fixtures that several test packages use."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import hypothesis
import pytest

from tests import costs, documents
from tests.children import unmeasured
from tests.once import made_once
from tests.stand_ins import Exported, save_small

# A busy machine is no defect: examples have no deadline (pytest's own timeout catches what hangs). Each run draws
# others, so that a few a run are many a week; `--hypothesis-profile=long` draws many at once.
hypothesis.settings.register_profile("brainscan", deadline=None, max_examples=50)
hypothesis.settings.register_profile("long", deadline=None, max_examples=2000)
hypothesis.settings.load_profile("brainscan")

_REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--costs", type=int, default=0, metavar="N", help="list the N tests of most processor time")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(costs.Plugin(config))
    documents.install()
    # Of the thousand compiled convolutions that torch keeps by default, the tests' many shapes would fill each.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
    if (
        "PYTEST_XDIST_WORKER" in os.environ
    ):  # as many workers as cores: a second thread in each would only be in the way
        os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the logical cores that this process may use; with psutil there, pytest-xdist takes the physical ones."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Give back at the end of a module what its networks held; glibc keeps freed memory unless it is told."""
    if nextitem is not None and nextitem.path != item.path:
        costs.keeper.release()


def shared_folder() -> Path:
    """Return where the development recordings and cases lie (it may not exist)."""
    return Path(os.environ.get("BRAINSCAN_SHARED", _REPOSITORY.parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of shared recordings and cases, or skip."""
    folder = shared_folder()
    if not folder.is_dir():
        pytest.skip("shared recordings absent (set BRAINSCAN_SHARED)")
    return folder


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Return a small checkpoint and its ONNX export, made once by the command in a process of its own."""
    if find_spec("onnxruntime") is None or find_spec("onnxscript") is None:  # imported by the command
        pytest.skip("needs the extra onnx")
    folder = made_once(tmp_path_factory, "onnx", _export_small)
    return Exported(
        folder / "small.safetensors",
        folder / "exported",
        (folder / "out.txt").read_text(encoding="utf-8"),
        (folder / "err.txt").read_text(encoding="utf-8"),
    )


def _export_small(folder: Path) -> None:
    save_small(folder / "small.safetensors")
    sources = os.pathsep.join(str(_REPOSITORY / place) for place in (".", "models", "training"))
    done = subprocess.run(
        [sys.executable, "-m", "brainscan", "export", "small.safetensors", "--onnx", "exported/"],
        cwd=folder,
        env={**unmeasured(), "PYTHONPATH": sources},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (folder / "out.txt").write_text(done.stdout, encoding="utf-8")
    (folder / "err.txt").write_text(done.stderr, encoding="utf-8")


@pytest.fixture
def quick_export(
    exported: Exported, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], int]:
    """Let an export copy the graphs of `exported` instead of tracing; keep exports in a folder of the test.

    Returns a function that says how often graphs were asked for.
    """
    calls = []

    def copied(_network: object, _card: object, folder: Path) -> object:
        from brainscan.model.onnx_folder import AFTER, BEFORE, read_export

        calls.append(folder)
        for name in (BEFORE, AFTER):
            (folder / name).write_bytes((exported.folder / name).read_bytes())
        return read_export(exported.folder)[0].graphs

    monkeypatch.setattr("brainscan.model.onnx_export.write_graphs", copied)
    caches = tmp_path_factory.mktemp("caches")
    monkeypatch.setattr("brainscan.model.runner.user_cache", lambda name: caches / name)
    return lambda: len(calls)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in the last lines how many tests were skipped for want of shared data."""
    skipped = [r for r in terminalreporter.stats.get("skipped", []) if "BRAINSCAN_SHARED" in str(r.longrepr)]
    if skipped:
        terminalreporter.write_line(f"{len(skipped)} tests skipped: shared recordings absent")
