"""One analysis: what is checked before a network is loaded, what is written, what becomes of each recording."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brainscan.analysis.job import Job, Listener
from brainscan.analysis.lazy_detector import LazyDetector
from brainscan.analysis.options import AnalysisOptions
from brainscan.analysis.outcome import Outcome
from brainscan.analysis.task import OutputChoice, Target, Task
from brainscan.card import Card
from brainscan.detector import Detector
from brainscan.errors import ModelError, OutputError, UsageError
from brainscan.io.content import Content
from brainscan.io.event_formats import FORMATS, origin_of
from brainscan.io.outputs import write
from tests.edf_files import FakeEdf, eeg
from tests.stand_ins import LoudnessRunner, quick

OLD_WORDS = (
    "low trust: more than half of the electrodes are doubtful",
    "unusable throughout: T3",
    "amplitudes above 10 mV in C3: check units and electrodes",
    "hardly anything but mains in most channels: check the electrodes",
    "F7 44 times the others' amplitude throughout: wrong gain or bad electrode?",
)


@pytest.fixture
def night(tmp_path: Path) -> Path:
    """Return a recording of 20 s, beginning at 10 o'clock."""
    path = tmp_path / "night.edf"
    path.write_bytes(FakeEdf(eeg(n_records=20), 20, fields={"date": "01.02.20", "time": "10.00.00"}).data())
    return path


def _job(**options: object) -> Job:
    """Return a job whose detector takes everything for ictal."""
    detector = Detector(LoudnessRunner(half_uv=0.0), quick(min_duration_s=0.0))
    return Job(AnalysisOptions(**options), LazyDetector.ready(detector))  # type: ignore[arg-type]


def _unloadable() -> LazyDetector:
    def load() -> Detector:
        raise AssertionError("the network was loaded")

    ready = _job().model
    return LazyDetector(ready.card, ready.decision, load)


def _task(recording: Path, *names: str) -> Task:
    rows = [row for name in names for row in FORMATS.values() if name.endswith(row.suffixes or "?")]
    return Task(recording, tuple(Target(r, recording.parent / n) for r, n in zip(rows, names, strict=True)), "shown")


@pytest.fixture
def done(night: Path) -> Outcome:
    """Return what became of it: all was analysed, and nothing doubts it."""
    return _job().run(_task(night, "done.csv_bi"))


def test_results_are_written_and_named(night: Path, tmp_path: Path) -> None:
    task = _task(night, "a.csv_bi", "deep/a.json", "a.npz")
    outcome = _job().run(task)
    assert (outcome.status, outcome.file, outcome.outputs) == ("done", "shown", task.files)
    assert all(origin_of(file) is not None for file in task.files)
    assert outcome.detection is not None
    assert outcome.detection.events == outcome.events
    assert outcome.detection.probabilities == ()  # long ones; they are in the file
    assert outcome.analysed_s == 20.0


@pytest.mark.parametrize(
    ("content", "kind"), [(None, "io"), (b"", "header"), (b"NEURALCD" + bytes(300), "header"), (b"a text", "header")]
)
def test_an_input_that_cannot_be_used_loads_no_network(tmp_path: Path, content: bytes | None, kind: str) -> None:
    path = tmp_path / "x.edf"
    if content is not None:
        path.write_bytes(content)
    outcome = replace(_job(), model=_unloadable()).run(_task(path, "x.csv_bi"))
    assert outcome.status == "failed"
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.error.file) == (kind, "shown")


@pytest.mark.parametrize(
    "what", ["foreign", "recording", "input", "folder", "below a file", "other settings", "a part"]
)
def test_an_output_that_stands_in_the_way_loads_no_network(night: Path, tmp_path: Path, what: str) -> None:
    task, job = _task(night, "a.csv_bi"), _job()
    target = task.files[0]
    if what == "foreign":
        target.write_text("TERM,0,1,seiz,1\n", encoding="utf-8")
    elif what == "recording":
        target.write_bytes(night.read_bytes())
    elif what == "input":
        target.symlink_to(night)
    elif what == "folder":
        target.mkdir()
    elif what == "below a file":
        (tmp_path / "f").touch()
        task = replace(task, targets=(Target(FORMATS["csv_bi"], tmp_path / "f" / "a.csv_bi"),))
    elif what == "other settings":
        assert job.run(task).status == "done"
        job = _job(max_missing=2)
    else:
        assert job.run(task).status == "done"
        job = _job(start="5")
    before = target.read_bytes() if target.is_file() else b""
    outcome = replace(job, model=_unloadable()).run(task)
    assert outcome.status == "failed"
    assert isinstance(outcome.error, UsageError if what == "input" else OutputError)
    assert (target.read_bytes() if target.is_file() else b"") == before
    if what in {"other settings", "a part"}:
        assert ("max_missing 3 there, 2 now" if what == "other settings" else "start_s none there, 5 now") in str(
            outcome.error
        )
        assert replace(job, force=True).run(task).status == "done"


@pytest.mark.parametrize("force", [False, True])
def test_the_same_settings_replace_their_result(night: Path, force: bool) -> None:
    task = _task(night, "a.csv_bi", "a.npz")
    first = _job().run(task)
    before = [file.read_bytes() for file in task.files]
    again = replace(_job(), force=force).run(task)
    assert (again.status, again.warnings) == ("done", first.warnings)
    assert [file.read_bytes() for file in task.files] == before


def test_resumed_work_is_skipped_without_a_network(night: Path) -> None:
    task = _task(night, "a.csv_bi", "a.json")
    done = _job().run(task)
    skipped = replace(_job(), resume=True, model=_unloadable()).run(task)
    assert (skipped.status, skipped.outputs) == ("skipped", task.files)
    assert [(e.onset_s, e.offset_s) for e in skipped.events] == [(e.onset_s, e.offset_s) for e in done.events]


def test_resumed_work_makes_again_what_has_other_settings_and_says_so(night: Path) -> None:
    task = _task(night, "a.csv_bi", "a.json")
    _job().run(task)
    outcome = replace(_job(max_missing=2), resume=True).run(task)
    assert outcome.status == "done"
    assert "replaced, made with other settings: a.csv_bi, a.json" in outcome.warnings


def test_a_model_that_cannot_be_loaded_is_no_failure_of_a_recording(night: Path) -> None:
    def load() -> Detector:
        raise ModelError("is damaged", file="m.safetensors")

    job = replace(_job(), model=LazyDetector(Card(name="x", variant={}), quick(), load))
    with pytest.raises(ModelError):
        job.run(_task(night, "a.csv_bi"))


def test_a_stream_takes_what_has_no_file(night: Path, tmp_path: Path) -> None:
    stream = io.BytesIO()
    _job().run(_task(night, "a.csv_bi"))
    outcome = replace(_job(), stream=stream).run(Task(night, (Target(FORMATS["csv_bi"], None),), "night.edf"))
    assert stream.getvalue() == (tmp_path / "a.csv_bi").read_bytes()
    assert outcome.outputs == ()


def test_anonymous_work_names_no_recording(night: Path, tmp_path: Path) -> None:
    job = replace(_job(), anonymous=True)
    outcome = job.run(_task(night, "a.csv_bi", "a.json"))
    assert not [file for file in outcome.outputs if b"night" in file.read_bytes()]
    failed = job.run(_task(tmp_path / "night2.edf", "b.csv_bi"))
    assert "night" not in str(failed.error)


def test_what_was_understood_and_how_far_it_is(night: Path) -> None:
    notes: list[str] = []
    at: list[tuple[str, float, float]] = []
    job = replace(_job(start="10:00:05"), listener=Listener(lambda *args: at.append(args), notes.append))
    assert job.run(_task(night, "a.csv_bi")).status == "done"
    assert notes == ["shown: --start 10:00:05 is 2020-02-01 10:00:05 (5 s)"]
    assert at[0] == ("shown", 0.0, 20.0)
    assert at[-1] == ("shown", 20.0, 20.0)


def test_what_a_format_loses_is_among_the_warnings(night: Path) -> None:
    warnings = _job().run(_task(night, "a.tsv")).warnings
    assert any("cannot say that these are brainscan's own events" in text for text in warnings)


def test_a_skipped_outcome_that_is_damaged_is_made_again(night: Path) -> None:
    task = _task(night, "a.csv_bi")
    _job().run(task)
    file = task.files[0]
    file.write_text(file.read_text("ascii").replace("TERM,0.0000", "TERM,zero"), encoding="ascii")
    assert replace(_job(), resume=True).run(task).status == "done"
    assert Outcome.skipped("x", (file,)).events


# ---- how far a recording can be trusted -------------------------------------------------------------------------


def _written(folder: Path, done: Outcome, **changes: object) -> Outcome:
    """Return the outcome that is read back of a detection like the one of another outcome."""
    assert done.detection is not None
    path = folder / "again.csv_bi"
    write(Content.of(replace(done.detection, **changes)), path, FORMATS["csv_bi"])  # type: ignore[arg-type]
    return Outcome.skipped("x", (path,))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(warnings=st.lists(st.sampled_from([*OLD_WORDS, "quality poor"]) | st.text(), max_size=3), doubted=st.booleans())
def test_no_word_of_a_warning_decides_the_quality(done: Outcome, warnings: list[str], doubted: bool) -> None:
    read_back = _written(done.outputs[0].parent, done, warnings=tuple(warnings), doubted=doubted)
    assert read_back.quality == ("mixed" if doubted else "good")


@pytest.mark.parametrize(
    ("doubted", "analysed_s", "quality"), [(False, 20.0, "good"), (True, 20.0, "mixed"), (False, 9.0, "poor")]
)
def test_the_quality_is_read_back(done: Outcome, doubted: bool, analysed_s: float, quality: str) -> None:
    assert done.quality == "good"
    assert _written(done.outputs[0].parent, done, doubted=doubted, analysed_s=analysed_s).quality == quality


def test_the_quality_of_a_result_without_that_line_is_unknown(night: Path) -> None:
    """It was made by an earlier version; what it says of events holds, so it is not made again."""
    task = _task(night, "a.csv_bi")
    _job().run(task)
    file = task.files[0]
    text = file.read_text("ascii")
    file.write_text(text.replace("# brainscan: quality good\n", ""), encoding="ascii")
    skipped = replace(_job(), resume=True, model=_unloadable()).run(task)
    assert (skipped.status, skipped.quality) == ("skipped", "unknown")
    file.write_text(text.replace("quality good", "quality odd"), encoding="ascii")
    assert replace(_job(), resume=True).run(task).status == "done"
    assert file.read_text("ascii") == text


# ---- which files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "formats", "curves", "files"),
    [
        ("", (), None, ["a.csv_bi"]),
        ("", ("json", "csv_bi", "json"), None, ["a.json", "a.csv_bi"]),
        ("", ("mne_csv",), None, ["a-annot.csv"]),
        ("x.tsv", (), None, ["x.tsv"]),
        ("x", (), "p.npz", ["x", "p.npz"]),
        ("x", ("json",), "p.npz", ["x", "p.npz"]),
        ("out/", ("npz", "tse"), None, ["out/a.npz", "out/a.tse"]),
        ("out.json/", (), None, ["out.json/a.csv_bi"]),
        ("-", (), None, []),
        ("-", ("json",), "p.npz", ["p.npz"]),
    ],
)
def test_where_results_go(output: str, formats: tuple[str, ...], curves: str | None, files: list[str]) -> None:
    choice = OutputChoice(output, formats, None if curves is None else Path(curves))
    (task,) = choice.tasks([Path("data/a.edf")])
    assert [file.as_posix() for file in task.files] == files
    assert task.wants_curves == (curves is not None or "npz" in formats)


@pytest.mark.parametrize(
    ("output", "formats", "curves", "recordings"),
    [
        ("-", ("json", "csv_bi"), None, ["a.edf"]),
        ("-", (), None, ["a.edf", "b.edf"]),
        ("x.json", (), None, ["a.edf", "b.edf"]),
        ("x", ("json", "csv_bi"), None, ["a.edf"]),
        ("", (), "p.npz", ["a.edf", "b.edf"]),
        ("", (), None, ["a.edf", "x/a.edf"]),
        ("out/", (), None, ["a.edf", "a.bdf"]),
        ("", (), None, ["a.edf", "a.edf"]),
        ("", (), None, ["a.edf", "x/../a.edf"]),
        ("x.npz", ("npz",), "x.npz", ["a.edf"]),
        ("", (), "p.csv_bi", ["a.edf"]),
        ("", (), "p.edf", ["a.edf"]),
        ("x.edf", ("csv_bi",), None, ["a.edf"]),
        ("x.txt", (), None, ["a.edf"]),
        ("", ("edf",), None, ["a.edf", "x/a.edf"]),
        ("", ("xlsx",), None, ["a.edf"]),
    ],
)
def test_what_cannot_work_is_told_before_any_work(
    output: str, formats: tuple[str, ...], curves: str | None, recordings: list[str]
) -> None:
    with pytest.raises(UsageError):
        OutputChoice(output, formats, None if curves is None else Path(curves)).tasks([Path(r) for r in recordings])


def test_options_that_contradict_each_other() -> None:
    with pytest.raises(UsageError, match="sets both thresholds"):
        AnalysisOptions(on=0.5, operating_point="fa1")
    with pytest.raises(UsageError, match="off <= on"):
        LazyDetector.open(AnalysisOptions(on=0.5, off=0.6))
    with pytest.raises(ModelError, match="no operating point fa77"):
        LazyDetector.open(AnalysisOptions(operating_point="fa77"))
    with pytest.raises(ModelError, match="no such model"):
        LazyDetector.open(AnalysisOptions(model="absent.safetensors"))
