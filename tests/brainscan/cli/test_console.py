"""What the terminal shows of many warnings."""

from __future__ import annotations

from datetime import datetime

import pytest

from brainscan.cli import console


@pytest.mark.parametrize(
    ("texts", "lines"),
    [
        ([], []),
        (["a.edf: gaps: 1"], ["a.edf: gaps: 1"]),
        (["a.edf: x", "b.edf: x", "c/d.edf: x"], ["a.edf: x (and 2 more files)"]),
        (["a.edf: a.tsv: x: y", "b.edf: b.tsv: x: y"], ["a.edf: a.tsv: x: y (and 1 more file)"]),
        (["a.edf: x", "a.edf: y"], ["a.edf: x", "a.edf: y"]),
        (["3 recordings are left out: a", "patients: 2"], ["3 recordings are left out: a", "patients: 2"]),
    ],
)
def test_what_files_share_is_told_once(capsys: pytest.CaptureFixture[str], texts: list[str], lines: list[str]) -> None:
    console.set_quiet(False)
    console.warnings(texts)
    assert capsys.readouterr().err.splitlines() == [f"warning: {line}" for line in lines]


def test_more_than_a_screen_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    console.set_quiet(False)
    console.warnings(f"{k}.edf: warning {k}" for k in range(50))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "warning: 30 further kinds of warnings; --json tells all"


def test_a_time_of_the_day_is_rounded_as_the_elapsed_time_beside_it() -> None:
    assert console.elapsed(80.996) == "0:01:21.0"
    assert console.clock_time(datetime(2024, 5, 3, 23, 1, 20, 996000)) == "23:01:21"
    assert console.clock_time(datetime(2024, 5, 3, 23, 59, 59, 600000), "%Y-%m-%d %H:%M:%S") == "2024-05-04 00:00:00"
