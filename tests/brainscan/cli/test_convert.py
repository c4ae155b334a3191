"""``brainscan convert`` as people call it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainscan.cli.main import main
from brainscan.corpora.references import read_reference
from brainscan.io.csv_bi import format_csv_bi
from brainscan.io.event_formats import origin_of
from brainscan.io.origin import Origin
from tests.brainscan.cli.conftest import write_edf

TSE = "version = tse_v1.0.0\n\n0.0 10.0 bckg 1.0\n10.0 20.5 fnsz 0.9\n20.5 60.0 bckg 1.0\n"


def run(capsysbinary: pytest.CaptureFixture[bytes], *arguments: object) -> tuple[int, bytes, str]:
    code = main(["convert", *map(str, arguments)])
    out, err = capsysbinary.readouterr()
    return code, out, err.decode()


@pytest.fixture
def tse(tmp_path: Path) -> Path:
    target = tmp_path / "night.tse"
    target.write_text(TSE, encoding="utf-8")
    return target


def test_the_suffix_chooses_the_format(tse: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    target = tse.parent / "made" / "night.csv_bi"  # the folder is made, as `detect` does
    code, out, err = run(capsysbinary, tse, "-o", target)
    assert (code, out) == (0, b"")
    assert "night.csv_bi: 1 seizure\n" in err
    lines = target.read_text(encoding="ascii").splitlines()
    assert "# bname = night" in lines
    assert "TERM,10.0000,20.5000,seiz,0.9000" in lines
    assert not any("brainscan:" in line for line in lines)  # a converted truth is no output of ours


def test_stdout_needs_a_format(tse: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(capsysbinary, tse, "-o", "-")[0] == 2
    code, out, _ = run(capsysbinary, tse, "-o", "-", "--to", "tsv")
    assert code == 0
    assert out.splitlines()[1].startswith(b"10.0000\t10.5000\tsz\t0.9000")


@pytest.mark.parametrize("option", ["--from", "--to"])
def test_a_format_that_does_not_exist_is_named(
    tse: Path, capsysbinary: pytest.CaptureFixture[bytes], option: str
) -> None:
    code, _, err = run(capsysbinary, tse, "-o", "x.csv_bi", option, "xls")
    assert code == 2
    assert "xls" in err
    assert "tse, tusz_csv" in err


def test_nothing_is_overwritten_without_force(tse: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    target = tse.with_suffix(".tsv")
    target.write_text("the truth", encoding="utf-8")
    assert run(capsysbinary, tse, "-o", target)[0] == 5
    assert target.read_text(encoding="utf-8") == "the truth"
    assert run(capsysbinary, tse, "-o", target, "--force")[0] == 0
    assert target.read_text(encoding="utf-8").startswith("onset\t")


def test_a_missing_duration_is_asked_for(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    marks = tmp_path / "marks.csv"
    marks.write_text("onset,duration,description\n10,5,seizure\n", encoding="utf-8")
    code, _, err = run(capsysbinary, marks, "-o", tmp_path / "marks.csv_bi")
    assert code == 3
    assert "--duration" in err
    code, _, err = run(capsysbinary, marks, "-o", tmp_path / "marks.csv_bi", "--duration", "60")
    assert code == 0
    assert "warning: marks.csv" in err
    assert "# duration = 60.0000 secs" in (tmp_path / "marks.csv_bi").read_text(encoding="ascii")


@pytest.mark.parametrize("duration", ["0", "-5", "nan", "inf"])
def test_a_duration_that_is_none_is_refused(
    tse: Path, capsysbinary: pytest.CaptureFixture[bytes], duration: str
) -> None:
    assert run(capsysbinary, tse, "-o", "x.tsv", "--duration", duration)[0] == 2


def test_the_recording_gives_duration_and_start(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    edfio = pytest.importorskip("edfio")
    import datetime as dt

    recording = tmp_path / "rec.edf"
    signal = edfio.EdfSignal(np.sin(np.arange(60 * 100)), 100, label="EEG Fp1", physical_dimension="uV")
    start = {"recording": edfio.Recording(startdate=dt.date(2020, 5, 6)), "starttime": dt.time(7, 8, 9)}
    edfio.Edf([signal], **start).write(recording)
    marks = tmp_path / "marks.csv"
    marks.write_text("onset,duration,description\n2020-05-06 07:08:19,5,seizure\n", encoding="utf-8")
    code, out, _ = run(capsysbinary, marks, "-o", "-", "--to", "tsv", "--recording", recording)
    assert code == 0
    assert out.splitlines()[1] == b"10.0000\t5.0000\tsz\t1.0000\tn/a\t2020-05-06 07:08:09\t60.0000"


def test_a_list_of_several_recordings_asks_which(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    summary = tmp_path / "chb-summary.txt"
    part = "File Name: {0}.edf\nFile Start Time: 10:00:00\nFile End Time: 11:00:00\nNumber of Seizures in File: {1}\n"
    seizure = "Seizure Start Time: 130 seconds\nSeizure End Time: 212 seconds\n"
    summary.write_text(part.format("one", 0) + part.format("two", 1) + seizure, encoding="utf-8")
    code, _, err = run(capsysbinary, summary, "-o", tmp_path / "x.tse")
    assert code == 2
    assert "one.edf, two.edf" in err
    assert run(capsysbinary, summary, "-o", tmp_path / "x.tse", "--recording", "two.edf")[0] == 0
    assert "130.0000 212.0000 seiz" in (tmp_path / "x.tse").read_text(encoding="utf-8")


def test_a_wrong_label_names_the_line(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    wrong = tmp_path / "x.tse"
    wrong.write_text(TSE.replace("fnsz", "wave"), encoding="utf-8")
    code, _, err = run(capsysbinary, wrong, "-o", tmp_path / "x.tsv")
    assert code == 3
    assert "x.tse: line 4: unknown label 'wave'" in err
    assert not (tmp_path / "x.tsv").exists()


def test_overlapping_csv_bi_rows_are_an_error_here(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    wrong = tmp_path / "x.csv_bi"
    head = "# version = csv_v1.0.0\n# duration = 100.0 secs\n"
    wrong.write_text(f"{head}TERM,10,20,seiz,1\nTERM,15,30,seiz,1\n", encoding="utf-8")
    code, _, err = run(capsysbinary, wrong, "-o", tmp_path / "x.tsv")
    assert code == 3
    assert "line 4: event 15 s .. 30 s overlaps the one of line 3" in err


def test_our_own_remarks_stay_with_a_copy(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    made = tmp_path / "x.csv_bi"
    head = "# version = csv_v1.0.0\n# duration = 100.0 secs\n# brainscan: input sha256 00\n"
    made.write_text(f"{head}TERM,10,20,seiz,1\n", encoding="utf-8")
    code, out, _ = run(capsysbinary, made, "-o", "-", "--to", "csv_bi")
    assert code == 0
    assert b"# brainscan: input sha256 00\n" in out


_OURS = "brainscan 0.1; input sha256 00"
_TRUTH = "simulated truth, seed 7"


def _noted(folder: Path, *comments: str, confidence: float = 0.9) -> Path:
    made = folder / "x.csv_bi"
    head = "# version = csv_v1.0.0\n# duration = 100.0 secs\n"
    notes = "".join(f"# brainscan: {comment}\n" for comment in comments)
    made.write_text(f"{head}{notes}TERM,10,20,seiz,{confidence}\n", encoding="utf-8")
    return made


@pytest.mark.parametrize("target", ["tse", "tusz_csv", "csv_bi", "edf-annotations"])
@pytest.mark.parametrize("comment", [_OURS, _TRUTH])
def test_who_wrote_the_events_goes_with_them(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], target: str, comment: str
) -> None:
    made = _noted(tmp_path, comment)
    there = tmp_path / "there"
    code, _, err = run(capsysbinary, made, "-o", there, "--to", target)
    assert (code, "warning" in err) == (0, False)
    code, out, _ = run(capsysbinary, there, "-o", "-", "--to", "csv_bi", "--from", target.removesuffix("-annotations"))
    assert code == 0
    assert f"# brainscan: {comment}\n".encode() in out
    assert (origin_of(there) is not None) == (comment == _OURS)
    assert read_reference(there, "x.edf").simulated == (comment == _TRUTH)


@pytest.mark.parametrize("target", ["tsv", "mne_csv", "chbmit", "siena"])
@pytest.mark.parametrize(("comment", "told"), [(_OURS, "brainscan's own events"), (_TRUTH, "truth is simulated")])
def test_where_it_cannot_be_said_a_warning_tells(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], target: str, comment: str, told: str
) -> None:
    code, _, err = run(capsysbinary, _noted(tmp_path, comment, confidence=1.0), "-o", tmp_path / "y", "--to", target)
    assert code == 0
    (warning,) = [line for line in err.splitlines() if line.startswith("warning: ")]
    assert told in warning
    assert "an expert's" in warning


def test_a_reviewed_file_is_an_expert_s(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    made = _noted(tmp_path, _OURS, "reviewed by a reader", confidence=1.0)
    assert "warning" not in run(capsysbinary, made, "-o", tmp_path / "y", "--to", "tsv")[2]


@pytest.mark.parametrize(
    ("target", "lost"), [("edf-annotations", False), ("mne_csv", True), ("tsv", False), ("tse", False)]
)
def test_lost_confidence_is_told_once(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], target: str, lost: bool
) -> None:
    err = run(capsysbinary, _noted(tmp_path), "-o", tmp_path / "y", "--to", target)[2]
    assert err.count("holds no confidence") == lost


@pytest.mark.parametrize("target", ["chbmit", "siena"])
@pytest.mark.parametrize(
    ("name", "recording"),
    [("x.csv_bi", "x.edf"), ("sub-1_events.csv_bi", "sub-1.edf"), ("night.BDF.csv_bi", "night.BDF")],
)
def test_a_list_names_the_recording_and_not_the_file_of_its_events(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], target: str, name: str, recording: str
) -> None:
    events = _noted(tmp_path, confidence=1.0).rename(tmp_path / name)
    code, out, err = run(capsysbinary, events, "-o", "-", "--to", target)
    assert code == 0
    assert f"File name: {recording}\n".lower() in out.decode().lower()
    assert f"this one as {recording} (--recording gives another)" in err
    (tmp_path / "list.txt").write_bytes(out)
    other = "siena" if target == "chbmit" else "chbmit"
    assert f": {recording}\n" in run(capsysbinary, tmp_path / "list.txt", "-o", "-", "--to", other)[1].decode()
    code, out, err = run(capsysbinary, events, "-o", "-", "--to", target, "--recording", "chb01_03.edf")
    assert b": chb01_03.edf\n" in out
    assert "--recording" not in err


@pytest.mark.parametrize("target", ["chbmit", "siena"])
def test_a_name_forges_no_line_of_a_list(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], target: str
) -> None:
    forged = "x.edf\nNumber of Seizures in File: 0"
    code, out, err = run(capsysbinary, _noted(tmp_path), "-o", "-", "--to", target, "--recording", forged)
    assert (code, out) == (5, b"")
    assert "cannot hold the name" in err


def test_events_of_another_recording_are_not_converted_as_this_one_s(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    recording = write_edf(tmp_path / "p2.edf", duration_s=60)
    events = tmp_path / "p1.csv_bi"
    events.write_text(format_csv_bi([], 60.0, "p1.edf", Origin("a" * 64, {}).comment_lines()), encoding="utf-8")
    code, _, err = run(capsysbinary, events, "-o", tmp_path / "x.tsv", "--recording", recording)
    assert (code, (tmp_path / "x.tsv").exists()) == (2, False)
    assert "p1.csv_bi is of another recording (SHA-256 aaaaaaaaaaaa" in err
    events.write_text(format_csv_bi([], 60.0, "p1.edf"), encoding="utf-8")
    code, _, err = run(capsysbinary, events, "-o", tmp_path / "x.tsv", "--recording", recording)
    assert code == 0
    assert "p1.csv_bi: made of another recording (p1)" in err


def test_a_start_that_has_no_place_is_told(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    events = tmp_path / "x_events.tsv"
    head = "onset\tduration\teventType\tdateTime\trecordingDuration"
    events.write_text(f"{head}\n5\t7\tsz\t2020-01-01 10:00:00\t60\n", encoding="utf-8")
    _, _, err = run(capsysbinary, events, "-o", tmp_path / "x.tse")
    assert "tse holds no date: that the recording starts at 2020-01-01 10:00:00 is left out" in err
    assert "date" not in run(capsysbinary, events, "-o", tmp_path / "x-annot.csv")[2]
