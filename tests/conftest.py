"""Fixtures that several test packages use."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

# A busy machine is no defect: examples have no deadline (pytest's own timeout catches what hangs).
hypothesis.settings.register_profile("brainscan", deadline=None)
hypothesis.settings.load_profile("brainscan")

_REPOSITORY = Path(__file__).resolve().parents[1]


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in the last lines how many tests were skipped for want of shared data."""
    skipped = [r for r in terminalreporter.stats.get("skipped", []) if "BRAINSCAN_SHARED" in str(r.longrepr)]
    if skipped:
        terminalreporter.write_line(f"{len(skipped)} tests skipped: shared recordings absent")
