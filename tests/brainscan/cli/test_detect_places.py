"""``detect``: what it writes where, what it replaces and what it never does; copies of the recording among it."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.io.edf_annotations import read_edf_annotations
from tests.brainscan.cli.conftest import Run, write_edf

pytestmark = pytest.mark.usefixtures("loud")


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("output", ["", "out/", "one.txt"])
def test_two_inputs_for_one_name_fail_before_any_work(run: Run, edf: Path, here: Path, output: str) -> None:
    (edf.parent / "b").mkdir()
    other = write_edf(edf.parent / "b" / "night.edf")
    ran = run("detect", edf, other, *(["-o", output] if output else []))
    assert ran.code == 2
    assert _files(here) == []


def test_one_input_twice_is_a_mistake(run: Run, edf: Path, here: Path) -> None:
    assert run("detect", edf, edf).code == 2


def test_part_of_a_night_does_not_replace_the_whole(run: Run, edf: Path, here: Path) -> None:
    run("detect", edf, "--format", "json", "--format", "csv_bi")
    before = {path.name: path.read_bytes() for path in here.iterdir()}
    ran = run("detect", edf, "--start", "10:00:10", "--stop", "40")
    assert ran.code == 5
    assert "with other settings (start_s none there, 10 now; stop_s none there, 40 now)" in ran.errors[0]
    assert {path.name: path.read_bytes() for path in here.iterdir()} == before
    assert run("detect", edf, "--start", "10:00:10", "--stop", "40", "--force").code == 0
    assert (here / "night.csv_bi").read_bytes() != before["night.csv_bi"]


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("night_events.tsv", "onset\tduration\teventType"),
        ("n.tse", "version = tse_v1.0.0"),
        ("n.csv", "# version = csv_v1.0.0"),
        ("n-annot.csv", "onset,duration,description"),
        ("n.JSON", "{"),
    ],
)
def test_a_suffix_is_honoured(run: Run, edf: Path, here: Path, name: str, first: str) -> None:
    assert run("detect", edf, "-o", name).code == 0
    assert (here / name).read_text("utf-8").startswith(first)


@pytest.mark.parametrize("name", ["n.txt", "n.vhdr", "n.xlsx", "n-summary.txt", "n.pdf"])
def test_a_suffix_that_means_nothing_here_is_refused(run: Run, edf: Path, here: Path, name: str) -> None:
    ran = run("detect", edf, "-o", name, "--force")
    assert ran.code == 2
    assert ".csv_bi" in ran.errors[0] or "csv_bi" in ran.errors[0]
    assert _files(here) == []


def test_probabilities_of_two_recordings_have_no_one_file(run: Run, edf: Path, here: Path) -> None:
    other = write_edf(edf.parent / "day.edf")
    assert run("detect", edf, other, "--probabilities", "p.npz").code == 2


def test_a_recording_is_never_the_output(run: Run, edf: Path, here: Path) -> None:
    before = edf.read_bytes()
    ran = run("detect", edf, "-o", edf, "--force")
    assert ran.code == 2
    assert edf.read_bytes() == before


def test_foreign_files_are_kept_without_force(run: Run, edf: Path, here: Path) -> None:
    truth = "# version = csv_v1.0.0\n# duration = 60.0 secs\nTERM,0.0,60.0,bckg,1.0\n"
    (here / "night.csv_bi").write_text(truth, encoding="ascii")
    ran = run("detect", edf, "--json")
    assert ran.code == 5
    assert ran.json["error"]["kind"] == "output"
    assert (here / "night.csv_bi").read_text("ascii") == truth
    assert run("detect", edf, "--force").code == 0
    assert (here / "night.csv_bi").read_text("ascii") != truth


def test_own_results_for_the_same_recording_and_settings_are_replaced(run: Run, edf: Path, here: Path) -> None:
    assert run("detect", edf, "--probabilities", "p.npz").code == 0
    assert run("detect", edf, "--probabilities", "p.npz").code == 0
    write_edf(edf, duration_s=30)
    assert run("detect", edf).code == 5
    assert run("detect", edf, "-o", "x.csv_bi", "--probabilities", "p.npz").code == 5
    assert _files(here) == ["night.csv_bi", "p.npz"]


def test_outputs_that_cannot_be_written(run: Run, edf: Path, here: Path) -> None:
    (here / "file").touch()
    for target in ("file/", "file/x.csv_bi"):
        ran = run("detect", edf, "-o", target)
        assert ran.code == 5, target
        assert len(ran.errors) == 1


def test_a_copy_beside_the_recording_carries_its_events(run: Run, edf: Path, here: Path, loud: None) -> None:
    before = edf.read_bytes()
    events = run("detect", edf, "--format", "edf", "--format", "edf-annotations", "--json").json["results"][0]["events"]
    copy, alone = here / "night-brainscan.edf", here / "night-annotations.edf"
    for path in (copy, alone):
        held = read_edf_annotations(path)
        assert [(round(e["onset_s"], 4), round(e["confidence"], 4)) for e in events] == [
            (row.onset_s, row.confidence) for row in held.annotations
        ]
    assert run("info", copy, "--json").json["duration_s"] == 60.0
    assert edf.read_bytes() == before
    assert run("score", copy, alone, "--json").code == 0


def test_only_a_copy_of_this_recording_is_made_again(run: Run, edf: Path, here: Path, loud: None) -> None:
    other = write_edf(here / "other.edf", duration_s=50)
    assert run("detect", edf, "-o", "x.edf").code == 0
    first = (here / "x.edf").read_bytes()
    assert run("detect", edf, "-o", "x.edf").code == 0
    assert (here / "x.edf").read_bytes() == first
    assert "other settings" in run("detect", edf, "-o", "x.edf", "--stop", "30").errors[0]
    for arguments in (("detect", other, "-o", "x.edf"), ("detect", edf, "-o", "other.edf")):
        refused = run(*arguments, "--force")
        assert (refused.code, "never overwritten" in refused.errors[0]) == (5, True)
    assert run("detect", edf, "-o", edf, "--force").code == 2
    assert run("detect", edf, "-o", "x.edf", "--stop", "30", "--force").code == 0
    assert "holds brainscan's events already" in run("detect", "x.edf", "-o", "y.edf").errors[0]
    assert run("detect", edf, "-o", "y.bdf").code == 5
    assert not (here / "y.bdf").exists()


def test_a_scan_writes_copies_and_skips_them(run: Run, edf: Path, here: Path, loud: None) -> None:
    command = ("scan", edf.parent, "-o", "out", "--format", "edf")
    assert run(*command).code == 0
    assert (here / "out" / "night-brainscan.edf").exists()
    assert "1 skipped" in run(*command).out
    (here / "out" / "night-brainscan.edf").unlink()
    assert "1 done" in run(*command).out
