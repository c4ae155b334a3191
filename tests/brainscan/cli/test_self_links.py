"""A link that leads to itself, as input and as output: one line and its exit code, or another file in its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.brainscan.cli.conftest import Run, write_edf


@pytest.fixture
def loop(tmp_path: Path) -> Path:
    """Return a link to itself, with the suffix of a recording."""
    link = tmp_path / "loop.edf"
    link.symlink_to(link)
    return link


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("info",), 3),
        (("detect",), 3),
        (("convert", "-o", "-", "--to", "csv_bi"), 3),
        (("score", "other.csv_bi"), 3),
        (("scan", "-o", "out"), 3),
        (("evaluate",), 3),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else str(value),
)
def test_as_an_input(run: Run, here: Path, loop: Path, arguments: tuple[str, ...], code: int) -> None:
    command, *rest = arguments
    ran = run(command, loop, *rest)
    assert ran.code == code
    assert len(ran.errors) == 1
    assert "loop.edf" in ran.errors[0]


def test_among_others_in_a_folder(run: Run, here: Path, loop: Path) -> None:
    write_edf(loop.parent / "sound.edf")
    ran = run("scan", loop.parent, "-o", here / "out")
    assert ran.code == 6
    assert len([line for line in ran.errors if "loop.edf" in line]) == 1


def test_as_an_output(run: Run, here: Path, tmp_path: Path) -> None:
    night = write_edf(tmp_path / "night.edf")
    link = tmp_path / "events.csv_bi"
    link.symlink_to(link)
    ran = run("detect", night, "-o", link)
    assert ran.code == 0
    assert link.read_text(encoding="utf-8").startswith("# version = csv_v1.0.0")


def test_as_both_outputs_of_a_simulation(run: Run, loop: Path) -> None:
    ran = run("simulate", "-o", loop, "--annotations", loop, "--duration", 60, "--seizures", 0, "--seed", 3)
    assert (ran.code, ran.errors) == (2, ["error: recording and annotations would be the same file"])
