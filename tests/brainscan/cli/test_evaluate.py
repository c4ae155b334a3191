"""``brainscan evaluate`` from the command line: JSON form, exit codes, what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from brainscan.events import RATE_HZ, Annotation
from brainscan.io.csv_bi import format_csv_bi
from tests.brainscan.cli.conftest import Run, write_edf
from tests.stand_ins import save_tiny

FIXED = {"hours", "patients", "seizures", "recordings", "operating_points", "failures"}
POINT = {
    *("target_fa_per_24h", "reachable", "threshold", "fa_per_24h"),
    *("false_alarms", "sensitivity", "sensitivity_ci95", "detected"),
}


def annotate(
    path: Path, *seizures: tuple[float, float], confidence: float = 1.0, comments: tuple[str, ...] = ()
) -> None:
    rows = [Annotation(a, b, "seiz", confidence) for a, b in seizures]
    path.write_text(format_csv_bi(rows, 60.0, path.name, comments), encoding="utf-8")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Return a folder with two patients, one recording each, one with a seizure."""
    root = tmp_path / "corpus"
    for patient, seizures in (("p1", [(20.0, 35.0)]), ("p2", [])):
        (root / patient).mkdir(parents=True)
        write_edf(root / patient / f"{patient}_night.edf")
        annotate(root / patient / f"{patient}_night.csv_bi", *seizures)
    return root


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """Return what another detector found: the seizure, and an alarm that it is less sure of."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    annotate(folder / "p1_night.csv_bi", (22.0, 30.0), confidence=0.9)
    annotate(folder / "p2_night.csv_bi", (5.0, 15.0), confidence=0.4)
    return folder


def test_the_fixed_json_form(run: Run, corpus: Path, theirs: Path, here: Path) -> None:
    found = run("evaluate", corpus, "--hypotheses", theirs, "--fa", "5,1,5.0", "--json")
    assert found.code == 0
    document = found.json
    assert set(document) >= FIXED
    assert (document["patients"], document["seizures"], document["recordings"], document["failures"]) == (2, 1, 2, [])
    assert document["hours"] == pytest.approx(120.0 / 3600.0)
    points = document["operating_points"]
    assert [point["target_fa_per_24h"] for point in points] == [1.0, 5.0]
    assert all(set(point) >= POINT for point in points)
    # The surer event alone stays from 0.41 on; the grid is in hundredths.
    assert points[0]["threshold"] == pytest.approx(0.41)
    assert (points[0]["detected"], points[0]["sensitivity"], points[0]["false_alarms"]) == (1, 1.0, 0)


def test_an_hour_is_not_dressed_up_as_a_rate(run: Run, corpus: Path, theirs: Path, here: Path) -> None:
    found = run("evaluate", corpus, "--hypotheses", theirs)
    assert found.code == 0
    assert "0 in 2.0 min" in found.out
    assert "2 patients" in found.out
    assert "too few for a rate" in found.out


def test_probability_files_are_decided_at_every_threshold(run: Run, corpus: Path, tmp_path: Path, here: Path) -> None:
    folder = tmp_path / "curves"
    folder.mkdir()
    for name, span in (("p1_night", slice(20 * RATE_HZ, 35 * RATE_HZ)), ("p2_night", slice(0, 0))):
        curve = np.full(60 * RATE_HZ, 0.02, dtype=np.float32)
        curve[span] = 0.97
        np.savez(
            folder / f"{name}.npz", rate_hz=256, segment_start_s=[0.0], segment_samples=[len(curve)], probability=curve
        )
    document = run("evaluate", corpus, "--hypotheses", folder, "--pieces", "10", "--fa", "1", "--json").json
    (point,) = document["operating_points"]
    assert (point["detected"], point["false_alarms"]) == (1, 0)


def test_a_model_is_run_once_and_kept(run: Run, corpus: Path, tmp_path: Path, here: Path) -> None:
    save_tiny(tmp_path / "tiny.safetensors")
    arguments = ("evaluate", corpus, "--model", tmp_path / "tiny.safetensors", "--cache", tmp_path / "cache", "--json")
    first = run(*arguments)
    entries = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    second = run(*arguments, "--fa", "3")
    assert (first.code, second.code) == (0, 0)
    assert entries
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()} == entries
    assert second.json["froc"] == first.json["froc"]


def test_what_fails_is_listed_and_the_rest_is_done(run: Run, corpus: Path, theirs: Path, here: Path) -> None:
    (theirs / "p2_night.csv_bi").unlink()
    found = run("evaluate", corpus, "--hypotheses", theirs, "--json")
    assert found.code == 6
    assert found.json["recordings"] == 1
    assert [failure["file"] for failure in found.json["failures"]] == ["p2/p2_night.edf"]
    assert found.json["error"]["kind"] == "partial"


def test_no_labels_no_score(run: Run, corpus: Path, theirs: Path, here: Path) -> None:
    (corpus / "p2" / "p2_night.csv_bi").unlink()
    refused = run("evaluate", corpus, "--hypotheses", theirs)
    assert refused.code == 3
    assert "have no annotation" in refused.err
    assert run("evaluate", corpus, "--hypotheses", theirs, "--exclude", "p2_*").code == 0


def test_our_own_output_is_no_truth_unless_reviewed(run: Run, corpus: Path, theirs: Path, here: Path) -> None:
    ours = f"brainscan 1.0; input sha256 {'0' * 64}"
    annotate(corpus / "p2" / "p2_night.csv_bi", (5.0, 15.0), comments=(ours,))
    refused = run("evaluate", corpus, "--hypotheses", theirs)
    assert refused.code == 3
    assert "own output" in refused.err
    annotate(corpus / "p2" / "p2_night.csv_bi", (5.0, 15.0), comments=(ours, "reviewed"))
    assert run("evaluate", corpus, "--hypotheses", theirs, "--json").json["seizures"] == 2


def test_an_index_restricts_to_what_was_judged(run: Run, corpus: Path, theirs: Path, here: Path) -> None:
    rows = "p1/p1_night.edf,dev,s,x,0-30\np2/p2_night.edf,train,s,y,all\n"
    (corpus / "index.csv").write_text(f"file,group,source,subject,scored\n{rows}", encoding="utf-8")
    document = run("evaluate", corpus, "--hypotheses", theirs, "--group", "dev", "--json").json
    assert (document["recordings"], document["patients"]) == (1, 1)
    assert document["hours"] == pytest.approx(30.0 / 3600.0)


@pytest.mark.parametrize("wrong", [("--fa", "0"), ("--fa", "often"), ("--scorer", "f1"), ("--pieces", "0")])
def test_wrong_usage_is_exit_2(run: Run, corpus: Path, theirs: Path, here: Path, wrong: tuple[str, str]) -> None:
    found = run("evaluate", corpus, "--hypotheses", theirs, *wrong)
    assert found.code == 2
    assert len(found.errors) == 1


@pytest.mark.parametrize("scorer", ["ovlp", "szcore", "taes"])
def test_every_scorer_has_the_same_form(run: Run, corpus: Path, theirs: Path, here: Path, scorer: str) -> None:
    document = run("evaluate", corpus, "--hypotheses", theirs, "--scorer", scorer, "--json").json
    assert set(document) >= FIXED
    assert document["scorer"] == scorer


def test_results_are_written_beside_the_tables(run: Run, corpus: Path, theirs: Path, here: Path) -> None:
    found = run("evaluate", corpus, "--hypotheses", theirs, "-o", here / "out", "--json")
    assert found.code == 0
    assert json.loads((here / "out" / "metrics.json").read_text(encoding="utf-8"))["seizures"] == 1
    with (here / "out" / "events.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["operating_point"] == "fa10"]
    assert [(row["kind"], row["found"], row["latency_s"]) for row in rows] == [("seizure", "1", "2.0000")]


def test_a_report_is_written_or_said_to_need_its_extra(
    run: Run, corpus: Path, theirs: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("jinja2")
    command = ("evaluate", corpus, "--hypotheses", theirs, "-o", here / "out")
    assert run(*command).code == 0
    page = (here / "out" / "report.html").read_text(encoding="utf-8")
    assert "research use, not a medical device" in page
    assert "p2/p2_night.edf" in page  # its false alarm
    monkeypatch.setattr("brainscan.report.page.NEEDS", ("no_such_package",))
    without = run(*command)
    assert without.code == 0
    assert "report.html needs the extra 'report': pip install \"brainscan[report]\"" in without.err
    assert sorted(path.name for path in (here / "out").iterdir() if path.is_file()) == [
        *("events.csv", "froc.csv", "metrics.json", "patients.csv")
    ]


def test_a_threshold_fitted_elsewhere_is_applied_frozen(run: Run, corpus: Path, theirs: Path, here: Path) -> None:
    """On the patient with the seizure alone every threshold is silent; the other's alarm decides where it is fitted."""
    assert run("evaluate", corpus, "--hypotheses", theirs, "-o", here / "both", "--fa", "1").code == 0
    alone = ("evaluate", corpus / "p1", "--hypotheses", theirs, "--fa", "1", "--json")
    free, frozen = run(*alone).json, run(*alone, "--fit-on", here / "both").json
    assert free["operating_points"][0]["threshold"] == pytest.approx(0.01)
    assert frozen["operating_points"][0]["threshold"] == pytest.approx(0.41)
    assert frozen["operating_points"][0]["detected"] == 1


def test_two_detectors_are_compared_on_the_same_patients(
    run: Run, corpus: Path, theirs: Path, tmp_path: Path, here: Path
) -> None:
    blind = tmp_path / "blind"
    blind.mkdir()
    for name in ("p1_night", "p2_night"):
        annotate(blind / f"{name}.csv_bi")
    command = ("evaluate", corpus, "--hypotheses", theirs, "--compare", blind)
    found = run(*command, "--json")
    assert found.code == 0
    assert found.json["comparison"]["names"] == ["theirs", "blind"]
    shown = run(*command).out
    assert "blind - theirs (95 %)" in shown
    assert "the events of blind have no graded confidence" in shown


def test_events_without_confidence_have_no_threshold(run: Run, corpus: Path, theirs: Path, here: Path) -> None:
    annotate(theirs / "p1_night.csv_bi", (22.0, 30.0))
    annotate(theirs / "p2_night.csv_bi")
    shown = run("evaluate", corpus, "--hypotheses", theirs).out
    assert shown.count("as given") == 4
    assert "0.01" not in shown


@pytest.fixture
def namesakes(tmp_path: Path) -> Path:
    """Return two patients whose recordings have one name, and truths that differ."""
    root = tmp_path / "rec"
    for patient, seizure in (("p1", (20.0, 35.0)), ("p2", (5.0, 15.0))):
        (root / patient).mkdir(parents=True)
        write_edf(root / patient / "EEG.edf")
        (tmp_path / "ref" / patient).mkdir(parents=True)
        annotate(tmp_path / "ref" / patient / "EEG.csv_bi", seizure)
    return root


@pytest.mark.parametrize("owner", ["p1", "p2"])
@pytest.mark.parametrize("layout", ["mirrored", "flat", "deeper"])
def test_nobody_is_judged_by_a_namesakes_file(
    run: Run, namesakes: Path, tmp_path: Path, here: Path, owner: str, layout: str
) -> None:
    folder = tmp_path / "hyp" / {"mirrored": owner, "flat": "", "deeper": f"run/{owner}"}[layout]
    folder.mkdir(parents=True)
    annotate(folder / "EEG.csv_bi", (20.0, 35.0) if owner == "p1" else (5.0, 15.0))
    found = run("evaluate", namesakes, "--annotations", tmp_path / "ref", "--hypotheses", tmp_path / "hyp", "--json")
    if layout != "mirrored":
        assert found.code == 3
        return
    assert found.code == 6
    other = {"p1": "p2", "p2": "p1"}[owner]
    assert [failure["file"] for failure in found.json["failures"]] == [f"{other}/EEG.edf"]
    default = found.json["default"]
    assert (found.json["seizures"], default["detected"], default["false_alarms"]) == (1, 1, 0)


def test_nobody_has_a_namesakes_truth(run: Run, namesakes: Path, tmp_path: Path, here: Path) -> None:
    (tmp_path / "ref" / "p2" / "EEG.csv_bi").unlink()
    refused = run("evaluate", namesakes, "--annotations", tmp_path / "ref", "--hypotheses", tmp_path / "ref")
    assert refused.code == 3
    assert "p2/EEG.edf" in refused.err
    left_out = ("--exclude", "p1/*")
    assert run("evaluate", namesakes, *left_out, "--annotations", tmp_path / "ref", "--hypotheses", "ref").code == 3


def test_both_namesakes_stand_in_the_tables(run: Run, namesakes: Path, tmp_path: Path, here: Path) -> None:
    arguments = ("--annotations", tmp_path / "ref", "--hypotheses", tmp_path / "ref", "-o", tmp_path / "out")
    assert run("evaluate", namesakes, *arguments, "--json").json["recordings"] == 2
    with (tmp_path / "out" / "events.csv").open(encoding="utf-8") as stream:
        assert {row["file"] for row in csv.DictReader(stream)} == {"p1/EEG.edf", "p2/EEG.edf"}


def test_a_late_alarm_does_not_leave_the_pool(run: Run, corpus: Path, theirs: Path, here: Path) -> None:
    path = theirs / "p2_night.csv_bi"
    path.write_text(path.read_text("utf-8").replace("TERM,15.0000,60.0000,bckg", "TERM,55.0000,60.0040,seiz"), "utf-8")
    found = run("evaluate", corpus, "--hypotheses", theirs)
    assert found.code == 0
    assert "warning: events of hypotheses changed (p2/p2_night.edf): cut to the recording: 1" in found.err
    document = run("evaluate", corpus, "--hypotheses", theirs, "--json").json
    assert (document["recordings"], document["default"]["false_alarms"]) == (2, 2)
    assert "p2/p2_night.edf: the hypothesis' events were changed: cut to the recording: 1" in document["warnings"]


def test_percent_is_no_confidence(run: Run, corpus: Path, theirs: Path, here: Path) -> None:
    annotate(theirs / "p2_night.csv_bi", (5.0, 15.0), confidence=85.0)
    found = run("evaluate", corpus, "--hypotheses", theirs, "--json")
    assert found.code == 6
    (failure,) = found.json["failures"]
    assert "confidence 85 of the event at 5 s is outside 0..1" in failure["message"]


@pytest.mark.parametrize("text", ["file;scored\n{};all\n{};none\n", "File\tScored\n{}\tall\n{}\tnone\n"])
def test_an_index_in_another_dialect_counts_all_the_same(
    run: Run, corpus: Path, theirs: Path, here: Path, text: str
) -> None:
    (corpus / "index.csv").write_text(text.format("p1/p1_night.edf", "p2/p2_night.edf"), encoding="utf-8")
    document = run("evaluate", corpus, "--hypotheses", theirs, "--json").json
    assert (document["recordings"], document["excluded"]) == (1, 1)


def test_an_index_that_tells_no_files_is_refused(run: Run, corpus: Path, theirs: Path, here: Path) -> None:
    (corpus / "index.csv").write_text("number;subject\n1;x\n", encoding="utf-8")
    refused = run("evaluate", corpus, "--hypotheses", theirs)
    assert refused.code == 3
    assert "no column tells the files (columns: number, subject)" in refused.err


@pytest.mark.parametrize(
    ("content", "way_out"),
    [
        ("/annex/objects/MD5E-s1--a.edf\n", "git annex get"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n", "git lfs pull"),
    ],
)
def test_a_recording_that_is_not_fetched_is_told_with_its_way_out(
    run: Run, corpus: Path, theirs: Path, here: Path, content: str, way_out: str
) -> None:
    (corpus / "p9").mkdir()
    (corpus / "p9" / "x.edf").write_text(content, encoding="utf-8")
    for folder in (corpus / "p9", theirs):
        annotate(folder / "x.csv_bi", (20.0, 30.0))
    ran = run("evaluate", corpus, "--hypotheses", theirs, "--fa", "10")
    assert ran.code == 6
    assert "content is not fetched" in ran.out
    assert way_out in ran.errors[-1]
