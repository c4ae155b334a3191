"""What an evaluation writes, and what it refuses to overwrite."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from brainscan.errors import OutputError
from brainscan.evaluate import files
from brainscan.evaluate.evaluation import Evaluation
from brainscan.evaluate.files import FILES, REPORT, check_folder, write_results
from brainscan.scoring.operating_points import THRESHOLDS
from tests.brainscan.evaluate.conftest import case_of, figures, judged


def evaluation() -> Evaluation:
    """Return a day of one patient and an hour of another, one found, one missed, one alarm."""
    day = judged([(100.0, 160.0)], [(110.0, 150.0, 0.9), (500.0, 520.0, 0.7)], 86_400.0, case=case_of("p1"))
    return figures(day, judged([(100.0, 130.0)], [], case=case_of("p2")), targets=(1.0, 0.1))


def write(folder: Path, monkeypatch: pytest.MonkeyPatch, *, report: bool = False) -> dict[str, Any]:
    monkeypatch.setattr(files, "is_available", lambda: report)
    found = evaluation()
    metrics = {**found.as_mapping(), "excluded": 0}
    assert write_results(folder, metrics, found) is report
    return metrics


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_events_tell_every_seizure_and_every_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, monkeypatch)
    rows = [row for row in table(tmp_path / "events.csv") if row["operating_point"] == "default"]
    assert [(r["kind"], r["subject"], r["found"], r["latency_s"], r["offset_error_s"]) for r in rows] == [
        ("seizure", "p1", "1", "10.0000", "-10.0000"),
        ("seizure", "p2", "0", "", ""),
        ("false_alarm", "p1", "", "", ""),
    ]
    assert (rows[2]["onset_s"], rows[2]["duration_s"], rows[2]["confidence"]) == ("500.0000", "20.0000", "0.7000")


def test_a_seizure_cut_by_the_recording_has_no_latency_or_no_offset_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "is_available", lambda: False)
    events = [(4.0, 30.0, 0.9), (3560.0, 3600.0, 0.9)]
    found = figures(judged([(0.0, 25.0), (3550.0, 3600.0)], events), targets=(1.0,))
    write_results(tmp_path, {**found.as_mapping(), "excluded": 0}, found)
    rows = [row for row in table(tmp_path / "events.csv") if row["operating_point"] == "default"]
    assert [(r["found"], r["detected_onset_s"], r["latency_s"], r["offset_error_s"]) for r in rows] == [
        ("1", "4.0000", "", "5.0000"),
        ("1", "3560.0000", "10.0000", ""),
    ]


def test_every_reachable_point_has_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, monkeypatch)
    rows = table(tmp_path / "events.csv")
    assert list(dict.fromkeys(row["operating_point"] for row in rows)) == ["default", "fa1", "fa0.1"]
    assert sum(row["kind"] == "seizure" for row in rows) == 6


def test_tables_agree_with_the_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = write(tmp_path, monkeypatch)
    document = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert document["seizures"] == metrics["seizures"] == 2
    froc = table(tmp_path / "froc.csv")
    assert [float(row["threshold"]) for row in froc] == pytest.approx(THRESHOLDS)
    assert [int(row["false_alarms"]) for row in froc] == metrics["froc"]["false_alarms"]
    assert [row["subject"] for row in table(tmp_path / "patients.csv")] == ["p1", "p2"]


def test_without_a_report_nothing_is_read_again_and_an_old_one_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("pictures cost time, and nobody sees these")

    monkeypatch.setattr(files, "pictures", never)
    (tmp_path / REPORT).write_text("of another run", encoding="utf-8")
    write(tmp_path, monkeypatch)
    assert not (tmp_path / REPORT).exists()


def test_a_report_survives_that_the_recordings_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("jinja2")
    write(tmp_path, monkeypatch, report=True)
    page = (tmp_path / REPORT).read_text(encoding="utf-8")
    assert page.count("No picture: ") == 2
    assert {path.name for path in tmp_path.iterdir()} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_what_others_wrote_is_not_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("{}", encoding="utf-8")
    with pytest.raises(OutputError, match=name):
        check_folder(tmp_path, force=False)
    check_folder(tmp_path, force=True)


def test_our_own_results_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, monkeypatch)
    check_folder(tmp_path, force=False)
    check_folder(tmp_path / "new" / "folder", force=False)
    assert (tmp_path / "new" / "folder").is_dir()
