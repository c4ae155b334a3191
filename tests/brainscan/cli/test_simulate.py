from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.cli.main import main
from brainscan.electrodes import ELECTRODES
from brainscan.io.csv_bi import read_csv_bi
from brainscan.io.reading import read
from brainscan.simulate import SimulationConfig, simulate
from tests.brainscan.cli.conftest import Run

SMALL = ["simulate", "--duration", "90", "--seizures", "1", "--seed", "3000007", "--rate", "128"]


def test_recording_and_truth_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edf, truth = tmp_path / "a.edf", tmp_path / "a.csv_bi"
    assert main([*SMALL, "-o", str(edf), "--annotations", str(truth)]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "90 s, 1 seizure (seed 3000007)" in err
    recording = read(edf)
    assert recording.labels == tuple(f"EEG {name}" for name in ELECTRODES)
    assert recording.duration_s == 90.0
    expected = simulate(SimulationConfig(90, 1, 3_000_007, rate_hz=128)).truth[0]
    seizures = [row for row in read_csv_bi(truth).annotations if row.label == "seiz"]
    assert [(row.onset_s, row.offset_s) for row in seizures] == [(expected.onset_s, expected.offset_s)]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.edf", "b.edf"):
        assert main([*SMALL, "-q", "-o", str(tmp_path / name)]) == 0
    assert (tmp_path / "a.edf").read_bytes() == (tmp_path / "b.edf").read_bytes()


@pytest.mark.parametrize("existing", ["a.edf", "a.csv_bi"])
def test_nothing_is_overwritten_without_force(
    tmp_path: Path, existing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / existing).write_text("mine")
    arguments = [*SMALL, "-o", str(tmp_path / "a.edf"), "--annotations", str(tmp_path / "a.csv_bi")]
    assert main(arguments) == 5
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / existing).read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1
    assert main([*arguments, "--force"]) == 0
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--duration", "1.5"], "whole seconds"),
        (["--duration", "0"], "whole seconds"),
        (["--seizures", "40"], "have no room"),
        (["--seizures", "-1"], "--seizures"),
        (["--rate", "20"], "--rate"),
    ],
)
def test_wrong_usage_is_exit_2(
    tmp_path: Path, change: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SMALL, "-o", str(tmp_path / "a.edf"), *change]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_one_file_for_both_is_exit_2(tmp_path: Path) -> None:
    assert main([*SMALL, "-o", str(tmp_path / "a.edf"), "--annotations", str(tmp_path / "a.edf")]) == 2


def test_a_folder_that_cannot_be_made_is_exit_5(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert main([*SMALL, "-o", str(tmp_path / "file" / "a.edf")]) == 5


@pytest.mark.parametrize("duration", ["nan", "inf", "1e12", "0", "-1", "60.5"])
def test_a_duration_that_nobody_means_is_refused(run: Run, here: Path, duration: str) -> None:
    ran = run("simulate", "-o", "x.edf", "--duration", duration)
    assert ran.code == 2
    assert "--duration must be whole seconds" in ran.errors[0]
    assert not list(here.iterdir())
