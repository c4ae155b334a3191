"""Pairs of event files: what fails, what stays out of which pool."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.errors import InputError
from brainscan.evaluate.score import ScoreReport, score_files
from brainscan.events import Annotation
from brainscan.io.csv_bi import format_csv_bi
from brainscan.io.event_pairs import FilePair, pair_files

Interval = tuple[float, float]


def written(path: Path, *seizures: Interval, duration_s: float = 600.0) -> Path:
    path.parent.mkdir(exist_ok=True)
    rows = [Annotation(a, b, "seiz") for a, b in seizures]
    path.write_text(format_csv_bi(rows, duration_s, path.name), encoding="utf-8")
    return path


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Return two folders of three recordings: one found, one missed with a false alarm, one quiet."""
    ref, hyp = tmp_path / "ref", tmp_path / "hyp"
    for name, truth, found in (
        ("a", [(100.0, 160.0)], [(110.0, 150.0)]),
        ("b", [(100.0, 160.0)], [(300.0, 320.0)]),
        ("c", [], []),
    ):
        written(ref / f"{name}.csv_bi", *truth)
        written(hyp / f"{name}.csv_bi", *found)
    return ref, hyp


def scored(folders: tuple[Path, Path]) -> ScoreReport:
    return score_files(pair_files(*folders).pairs)


def test_sound_pairs_have_no_failures(folders: tuple[Path, Path]) -> None:
    report = scored(folders)
    assert report.failures == report.szcore_only == ()
    assert report.nedc is not None
    seizure = report.nedc.ovlp.labels["seiz"]
    assert (seizure.targets, seizure.hits, seizure.false_alarms) == (2, 1, 1)
    document = report.as_mapping()
    assert set(document["timescoring"]["direct"]["event"]["per_file"]) == {"a.csv_bi", "b.csv_bi", "c.csv_bi"}
    assert document["timescoring"]["direct"]["event"]["pooled"]["refTrue"] == 2


def test_a_missing_hypothesis_stays_out_of_nedc_and_counts_as_nothing_for_szcore(folders: tuple[Path, Path]) -> None:
    (folders[1] / "a.csv_bi").unlink()
    report = scored(folders)
    assert [(f.file, f.facts["scorers"], f.error.message) for f in report.failures] == [
        ("a.csv_bi", ["nedc"], "hypothesis is missing (no file has its name)")
    ]
    assert report.nedc is not None
    assert report.nedc.ovlp.labels["seiz"].targets == 1
    assert report.szcore["direct"]["a.csv_bi"].event.sensitivity == 0.0


def test_an_unreadable_hypothesis_is_in_no_pool(folders: tuple[Path, Path]) -> None:
    (folders[1] / "a.csv_bi").write_text("rubbish", encoding="utf-8")
    report = scored(folders)
    assert [f.facts["scorers"] for f in report.failures] == [["nedc", "szcore"]]
    assert "a.csv_bi" not in report.szcore["direct"]


def test_durations_that_differ_fail_both_and_are_told_once(folders: tuple[Path, Path]) -> None:
    written(folders[1] / "a.csv_bi", (110.0, 150.0), duration_s=601.0)
    report = scored(folders)
    assert [(f.file, f.facts["scorers"]) for f in report.failures] == [("a.csv_bi", ["nedc", "szcore"])]
    assert "durations differ" in report.failures[0].error.message


def test_what_only_szcore_refuses_is_no_failure_of_nedc(folders: tuple[Path, Path]) -> None:
    for folder in folders:
        written(folder / "c.csv_bi", duration_s=0.25)
    report = scored(folders)
    assert report.failures == ()
    assert [f.file for f in report.szcore_only] == ["c.csv_bi"]


def test_strict_stops_at_the_first(folders: tuple[Path, Path]) -> None:
    (folders[1] / "b.csv_bi").unlink()
    with pytest.raises(InputError, match=r"b\.csv_bi: hypothesis is missing"):
        score_files(pair_files(*folders).pairs, strict=True)


def test_failed_pairs_do_not_change_the_others(folders: tuple[Path, Path]) -> None:
    alone = score_files(pair_files(*folders).pairs[1:])
    (folders[1] / "a.csv_bi").write_text("rubbish", encoding="utf-8")
    assert scored(folders).nedc == alone.nedc


def test_nothing_scorable_has_no_scores(tmp_path: Path) -> None:
    report = score_files([FilePair(tmp_path / "a", tmp_path / "b", "b")])
    assert report.nedc is None
    assert report.as_mapping()["timescoring"]["direct"]["event"]["pooled"] is None
    assert report.failures[0].error.message == "reference is missing"


def test_other_formats_are_scored_as_their_seizures(folders: tuple[Path, Path]) -> None:
    before = scored(folders).nedc
    for name, rows in (("a", "100 160 fnsz 1\n"), ("b", "100 160 gnsz 1\n"), ("c", "")):
        (folders[0] / f"{name}.csv_bi").unlink()
        text = f"version = tse_v1.0.0\n{rows}0 100 bckg 1\n160 600 bckg 1\n"
        (folders[0] / f"{name}.tse").write_text(text, encoding="utf-8")
    assert scored(folders).nedc == before


def test_results_of_another_recording_are_told(folders: tuple[Path, Path]) -> None:
    (folders[1] / "a.csv_bi").write_bytes((folders[1] / "b.csv_bi").read_bytes())
    assert scored(folders).remarks == {"a.csv_bi": ("a.csv_bi: made of another recording (b) than a.csv_bi (a)",)}


def test_rows_of_csv_bi_pass_as_they_stand(folders: tuple[Path, Path]) -> None:
    """Overlapping rows are an error for `convert`, and defined behaviour for the official scores."""
    path = folders[1] / "a.csv_bi"
    path.write_text(path.read_text(encoding="utf-8") + "TERM,110.0,140.0,seiz,1\n", encoding="utf-8")
    assert scored(folders).failures == ()
