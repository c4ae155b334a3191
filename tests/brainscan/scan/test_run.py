"""A scan: results in the same tree, what is done is skipped, failures are told, an end in the middle is no harm."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from brainscan.analysis.lazy_detector import LazyDetector
from brainscan.analysis.options import AnalysisOptions
from brainscan.analysis.outcome import Outcome
from brainscan.card import Card
from brainscan.detector import Detector
from brainscan.errors import InputError, OutputError, UsageError
from brainscan.io import atomic
from brainscan.scan.config import ScanConfig
from brainscan.scan.run import Listener
from brainscan.scan.run import scan as run_scan
from brainscan.scan.tables import EVENTS, FAILURES, INDEX, RUN, SUMMARY
from tests.edf_files import FakeEdf, eeg
from tests.stand_ins import LoudnessRunner, quick


@pytest.fixture
def detector() -> Detector:
    """Return a detector for which everything is ictal."""
    return Detector(LoudnessRunner(half_uv=0.0), quick(min_duration_s=0.0))


@pytest.fixture
def config(tmp_path: Path) -> ScanConfig:
    """Return a scan of three sound recordings and a broken one."""
    folder = tmp_path / "archive"
    (folder / "a" / "b").mkdir(parents=True)
    for seconds, name in enumerate(("one.edf", "a/two.edf", "a/b/three.edf"), 12):
        (folder / name).write_bytes(FakeEdf(eeg(n_records=seconds), seconds).data())
    (folder / "a" / "broken.edf").write_bytes(b"nothing")
    return ScanConfig(folder, tmp_path / "out", pages=False)


_options = AnalysisOptions()


def scan(
    config: ScanConfig, detector: Detector, options: AnalysisOptions, listener: Listener | None = None
) -> tuple[Outcome, ...]:
    return run_scan(config, options, LazyDetector.ready(detector), listener)


def _status(outcomes: tuple[Outcome, ...]) -> dict[str, str]:
    return {outcome.file: outcome.status for outcome in outcomes}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _tree(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_one_csv_bi_a_recording_in_the_same_tree(config: ScanConfig, detector: Detector) -> None:
    outcomes = scan(config, detector, _options)
    assert _status(outcomes) == {
        "a/b/three.edf": "done",
        "a/broken.edf": "failed",
        "a/two.edf": "done",
        "one.edf": "done",
    }
    assert _tree(config.out) == [
        "a/b/three.csv_bi",
        "a/two.csv_bi",
        EVENTS,
        FAILURES,
        INDEX,
        "one.csv_bi",
        RUN,
        SUMMARY,
    ]
    summary = {row["file"]: row for row in _rows(config.out / SUMMARY)}
    assert summary["one.edf"]["output"] == "one.csv_bi"
    assert summary["one.edf"]["duration_s"] == summary["one.edf"]["analysed_s"] == "12.0000"
    assert summary["one.edf"]["events"] == "1"
    assert summary["a/broken.edf"]["status"] == "failed"
    (failure,) = _rows(config.out / FAILURES)
    assert (failure["file"], failure["kind"]) == ("a/broken.edf", "header")
    assert failure["message"]
    assert failure["hint"]


def test_what_is_done_is_skipped_and_told_alike(config: ScanConfig, detector: Detector) -> None:
    first = scan(config, detector, _options)
    again = scan(config, detector, _options)
    assert _status(again) == {f: s.replace("done", "skipped") for f, s in _status(first).items()}
    for a, b in zip(first, again, strict=True):
        assert (b.duration_s, b.analysed_s, b.unscored, b.warnings, b.quality) == (
            a.duration_s, a.analysed_s, a.unscored, a.warnings, a.quality
        )  # fmt: skip
        assert [(e.onset_s, e.offset_s) for e in b.events] == [(e.onset_s, e.offset_s) for e in a.events]


@pytest.mark.parametrize("change", ["model", "threshold", "option", "deleted", "damaged", "forced"])
def test_done_means_same_model_and_settings(config: ScanConfig, detector: Detector, change: str) -> None:
    scan(config, detector, _options)
    options = _options
    if change == "model":
        detector = Detector(LoudnessRunner(Card(name="x", variant={}, sha256="1" * 64)), detector.decision)
    elif change == "threshold":
        detector = detector.with_decision(quick(enter=0.5, min_duration_s=0.0))
    elif change == "option":
        options = AnalysisOptions(max_missing=2)
    elif change == "deleted":
        (config.out / "one.csv_bi").unlink()
    elif change == "damaged":
        path = config.out / "one.csv_bi"
        path.write_text(path.read_text("utf-8").replace("TERM,0.0000", "TERM,zero"), encoding="utf-8")
    elif change == "forced":
        config = replace(config, force=True)
    assert _status(scan(config, detector, options))["one.edf"] == "done"


def test_results_of_another_recording_of_that_name_are_kept(config: ScanConfig, detector: Detector) -> None:
    scan(config, detector, _options)
    before = (config.out / "one.csv_bi").read_bytes()
    (config.folder / "one.edf").write_bytes(FakeEdf(eeg(n_records=15), 15).data())
    outcome = next(o for o in scan(config, detector, _options) if o.file == "one.edf")
    assert isinstance(outcome.error, OutputError)
    assert (config.out / "one.csv_bi").read_bytes() == before
    assert _status(scan(replace(config, force=True), detector, _options))["one.edf"] == "done"


def test_every_asked_for_format_must_be_there(config: ScanConfig, detector: Detector) -> None:
    scan(config, detector, _options)
    more = replace(config, formats=("json",), curves=True)
    assert _status(scan(more, detector, _options))["one.edf"] == "done"
    assert {"one.csv_bi", "one.json", "one.npz"} <= set(_tree(config.out))
    assert _status(scan(more, detector, _options))["one.edf"] == "skipped"


def test_an_interrupted_scan_goes_on_where_it_stopped(config: ScanConfig, detector: Detector) -> None:
    def interrupt(outcome: Outcome, number: int, total: int) -> None:
        if number == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(config, detector, _options, Listener(outcome=interrupt))
    assert len(_rows(config.out / SUMMARY)) == 3
    left = config.out / "a" / f"{atomic.TEMPORARY_PREFIX}0123{atomic.TEMPORARY_SUFFIX}"
    left.write_bytes(b"half a file")
    assert _status(scan(config, detector, _options)) == {
        "a/b/three.edf": "done",  # the last: a folder's own files come first
        "a/broken.edf": "failed",
        "a/two.edf": "skipped",
        "one.edf": "skipped",
    }
    assert not left.exists()


def test_results_may_lie_beside_the_recordings_but_never_replace_the_truth(
    config: ScanConfig, detector: Detector
) -> None:
    truth = config.folder / "one.csv_bi"
    truth.write_text("# version = csv_v1.0.0\n# duration = 12.0 secs\n", encoding="utf-8")
    outcomes = scan(replace(config, out=config.folder), detector, _options)
    failed = {o.file: o.error for o in outcomes if o.error is not None}
    assert set(failed) == {"a/broken.edf", "one.edf"}
    assert isinstance(failed["one.edf"], OutputError)
    assert "duration = 12.0 secs" in truth.read_text("utf-8")
    assert (config.folder / "a" / "two.csv_bi").exists()


def test_tables_of_others_are_not_replaced(config: ScanConfig, detector: Detector) -> None:
    config.out.mkdir()
    (config.out / SUMMARY).write_text("my,own\n", encoding="utf-8")
    with pytest.raises(OutputError, match="not written by a scan"):
        scan(config, detector, _options)
    assert _tree(config.out) == [SUMMARY]
    scan(replace(config, force=True), detector, _options)
    assert len(_rows(config.out / SUMMARY)) == 4


@pytest.mark.parametrize(
    ("name", "form"), [("run.edf", "json"), ("summary.edf", "tusz_csv"), ("failures.edf", "tusz_csv")]
)
def test_no_result_takes_the_name_of_the_scan_s_own_files(
    config: ScanConfig, detector: Detector, name: str, form: str
) -> None:
    (config.folder / name).write_bytes((config.folder / "one.edf").read_bytes())
    with pytest.raises(UsageError, match="which the scan writes for itself"):
        scan(replace(config, formats=(form,)), detector, _options)
    assert not config.out.exists()
    assert scan(config, detector, _options)


def test_results_of_other_settings_are_made_again_and_it_is_said(config: ScanConfig, detector: Detector) -> None:
    scan(config, detector, _options)
    outcomes = scan(config, detector, AnalysisOptions(max_missing=2))
    assert {o.warnings[-1] for o in outcomes if o.status == "done"} == {
        f"replaced, made with other settings: {name}.csv_bi" for name in ("one", "two", "three")
    }


def test_a_finished_scan_loads_no_network(config: ScanConfig, detector: Detector) -> None:
    scan(config, detector, _options)

    def load() -> Detector:
        raise AssertionError("the network was loaded")

    again = run_scan(config, _options, LazyDetector(detector.card, detector.decision, load))
    assert set(_status(again).values()) == {"skipped", "failed"}


def test_anonymous_results_name_no_file(config: ScanConfig, detector: Detector) -> None:
    anonymous = replace(config, anonymous=True, formats=("csv_bi", "json"))
    scan(anonymous, detector, _options)
    for path in config.out.rglob("*"):
        for word in ("two", "three", "broken"):
            assert word not in path.name
            assert path.is_dir() or word.encode() not in path.read_bytes()
    assert set(_status(scan(anonymous, detector, _options)).values()) == {"skipped", "failed"}


def test_json_form_of_an_outcome_is_that_of_detect(config: ScanConfig, detector: Detector) -> None:
    scan(replace(config, formats=("json",)), detector, _options)
    outcome = next(o for o in scan(config, detector, _options) if o.file == "one.edf")
    mapping = json.loads(json.dumps(outcome.as_mapping(config.out)))
    assert {"file", "duration_s", "analysed_s", "events", "unscored", "warnings"} <= set(mapping)
    assert mapping["events"][0]["offset_s"] == pytest.approx(12.0)


def test_a_folder_without_recordings(tmp_path: Path, detector: Detector) -> None:
    (tmp_path / "archive").mkdir()
    with pytest.raises(InputError, match="holds no recording") as caught:
        scan(ScanConfig(tmp_path / "archive", tmp_path / "out"), detector, _options)
    assert caught.value.kind == "empty"
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_cannot_be_made(config: ScanConfig, detector: Detector) -> None:
    config.out.touch()
    with pytest.raises(OutputError, match="folder cannot be made"):
        scan(config, detector, _options)


def test_progress_names_the_recording(config: ScanConfig, detector: Detector) -> None:
    seen: list[tuple[str, float, float]] = []
    scan(config, detector, _options, Listener(progress=lambda *args: seen.append(args)))
    assert ("one.edf", 0.0, 12.0) in seen
    assert ("one.edf", 12.0, 12.0) in seen


def test_links_are_followed_told_and_failures_of_them_named(config: ScanConfig, detector: Detector) -> None:
    away = config.folder.parent / "disk"
    away.mkdir()
    (away / "four.edf").write_bytes(FakeEdf(eeg(n_records=15), 15).data())
    (config.folder / "linked").symlink_to("../disk")
    (config.folder / "again.edf").symlink_to("one.edf")
    (config.folder / "a" / "back").symlink_to("..")
    (config.folder / "unplugged").symlink_to("../nowhere")
    (config.folder / "pointer.edf").write_text("/annex/objects/MD5E-s1--one.edf\n", encoding="utf-8")
    for anonymous in (False, True):
        notes: list[str] = []
        chosen = replace(config, anonymous=anonymous, out=config.out / str(anonymous))
        outcomes = scan(chosen, detector, _options, Listener(note=notes.append))
        assert [outcome.status for outcome in outcomes].count("done") == 4
        errors = [str(outcome.error) for outcome in outcomes if outcome.error is not None]
        assert len(errors) == 3
        assert sum("git annex get" in text for text in errors) == 1
        assert sum("a link to something that is not there" in text for text in errors) == 1
        assert len(notes) == 2
        assert any("one.edf" in text for text in (*notes, *errors)) == (not anonymous)
    assert (config.out / "False" / "linked" / "four.csv_bi").exists()


def test_what_bids_calls_no_eeg_is_left_out_and_counted(tmp_path: Path, detector: Detector) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    for name in ("sub-1_task-sz_eeg", "sub-1_task-sz_ecg", "sub-1_task-sz_emg", "my_ecg"):
        (folder / f"{name}.edf").write_bytes(FakeEdf(eeg(n_records=12), 12).data())
    heard: list[str] = []
    outcomes = scan(ScanConfig(folder, tmp_path / "out"), detector, _options, Listener(note=heard.append))
    assert _status(outcomes) == {"my_ecg.edf": "done", "sub-1_task-sz_eeg.edf": "done"}
    assert heard == ["2 files are of other signals than EEG, as BIDS' names tell (sub-1_task-sz_ecg.edf): left out"]
    assert json.loads((tmp_path / "out" / RUN).read_text(encoding="utf-8"))["warnings"] == heard


def test_a_folder_of_other_signals_alone_says_so(tmp_path: Path, detector: Detector) -> None:
    (tmp_path / "sub-1_task-sz_emg.edf").write_bytes(FakeEdf(eeg(n_records=12), 12).data())
    with pytest.raises(InputError, match="holds no recording that can be read") as caught:
        scan(ScanConfig(tmp_path, tmp_path / "out"), detector, _options)
    assert "1 file is of other signals than EEG" in caught.value.hint
