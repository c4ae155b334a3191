"""Notes of technicians as truth, from the command line: `convert` and `evaluate` follow one rule."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainscan.electrodes import ELECTRODES
from brainscan.events import Annotation
from brainscan.io.csv_bi import format_csv_bi
from tests.brainscan.cli.conftest import RATE_HZ, Run
from tests.edf_files import FakeEdf, FakeSignal
from tests.stand_ins import noise

DURATION_S = 60
Written = tuple[float, float, str]


def write_noted(path: Path, *notes: Written) -> Path:
    """Write an EDF+ of a minute with notes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digital = np.clip(np.round(noise(DURATION_S, RATE_HZ) * 10.0), -32768, 32767).astype(np.int64)
    signals = [FakeSignal(label, row, RATE_HZ) for label, row in zip(ELECTRODES, digital, strict=True)]
    entries = {
        int(onset): f"+{onset}\x15{duration}\x14{text}\x14".encode() + b"\x00" for onset, duration, text in notes
    }
    onsets = [f"+{k}" for k in range(DURATION_S)]
    path.write_bytes(FakeEdf(signals, DURATION_S, reserved="EDF+C", onsets=onsets, notes=entries).data())
    return path


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """Return another detector's two events in the recording ``a``: no model is needed to evaluate them."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    rows = [Annotation(10, 14, "seiz"), Annotation(31, 34, "seiz")]
    (folder / "a.csv_bi").write_text(format_csv_bi(rows, 60.0, "a"), encoding="utf-8")
    return folder


BOTH = ("10.0000,15.0000,seiz", "30.0000,35.0000,seiz")


@pytest.mark.parametrize(
    "notes",
    [
        [(10, 5, "seizure"), (30, 5, "Seizure 2")],
        [(10, 5, "seizure@@T3"), (30, 5, "Seizure 2@@F8")],
        [(10, 5, "Focal seizure"), (30, 5, "GTCS")],
        [(10, 5, "Anfall"), (30, 5, "Crise")],
        [(10, 0, "EEG onset"), (11, 0, "Clinical onset"), (15, 0, "EEG end"), (30, 5, "sz2")],
        [(10, 0, "seizure start"), (15, 0, "seizure end"), (20, 0, "no seizure"), (30, 5, "sz")],
    ],
)
def test_what_is_understood_is_the_truth_everywhere(
    run: Run, tmp_path: Path, theirs: Path, here: Path, notes: list[Written]
) -> None:
    edf = write_noted(tmp_path / "c" / "a.edf", *notes)
    ran = run("convert", edf, "-o", "-", "--to", "csv_bi")
    assert ran.code == 0
    assert all(f"TERM,{row}" in ran.out for row in BOTH)
    found = run("evaluate", tmp_path / "c", "--hypotheses", theirs, "--json")
    assert found.code == 0
    assert (found.json["seizures"], found.json["default"]["detected"], found.json["default"]["false_alarms"]) == (
        2,
        2,
        0,
    )


@pytest.mark.parametrize(
    ("notes", "named"),
    [
        ([(10, 5, "seizure"), (30, 5, "Crisis parcial vista")], "'Crisis parcial vista' at 30 s"),
        ([(10, 5, "seizure"), (30, 5, "seizure?")], "'seizure?' at 30 s"),
        ([(10, 5, "seizure"), (30, 0, "aura")], "'aura' at 30 s"),
        ([(10, 5, "seizure"), (30, 0, "Seizure 2")], "'Seizure 2' at 30 s has no duration"),
        ([(10, 5, "seizure"), (30, 0, "EEG onset")], "'EEG onset' at 30 s has no end"),
        ([(30, 5, "pt seizing")], "'pt seizing' at 30 s"),
    ],
)
def test_what_is_not_understood_is_named_and_no_truth_anywhere(
    run: Run, tmp_path: Path, theirs: Path, here: Path, notes: list[Written], named: str
) -> None:
    edf = write_noted(tmp_path / "c" / "a.edf", *notes)
    for allowed in ((), ("--allow-none",)):
        ran = run("convert", edf, "-o", here / "x.csv_bi", *allowed)
        assert ran.code == 3
        assert named in ran.errors[0]
        assert not (here / "x.csv_bi").exists()
    found = run("evaluate", tmp_path / "c", "--hypotheses", theirs)
    assert found.code == 3
    assert named in found.errors[0]
    assert "no annotation" not in found.err


def test_nothing_recognised_is_no_seizure_only_if_asked_for(run: Run, tmp_path: Path, theirs: Path, here: Path) -> None:
    edf = write_noted(tmp_path / "c" / "a.edf", (1, 0, "eyes open"), (9, 0, "HV"))
    ran = run("convert", edf, "-o", "-", "--to", "csv_bi")
    assert (ran.code, ran.out) == (3, "")
    assert "passed over: 2" in ran.errors[0]
    assert "--allow-none" in ran.errors[0]
    ran = run("convert", edf, "-o", "-", "--to", "csv_bi", "--allow-none")
    assert ran.code == 0
    assert "TERM,0.0000,60.0000,bckg" in ran.out
    assert "have no annotation" in run("evaluate", tmp_path / "c", "--hypotheses", theirs).err


def test_channels_go_into_a_table_that_has_them(run: Run, tmp_path: Path, here: Path) -> None:
    edf = write_noted(tmp_path / "a.edf", (10, 5, "seizure@@T3"), (30, 5, "Seizure 2@@F8"))
    ran = run("convert", edf, "-o", "-", "--to", "tsv")
    assert [line.split("\t")[4] for line in ran.out.splitlines()[1:]] == ["T3", "F8"]
    assert "holds no channels" not in ran.err
    told = run("convert", edf, "-o", "-", "--to", "csv_bi").err
    assert "csv_bi holds no channels: what was marked on F8, T3 counts for all" in told


HEAD = "onset\tduration\teventType\n"


@pytest.mark.parametrize(
    ("name", "text", "seizures", "warned"),
    [
        ("a_events.tsv", f"{HEAD}10\t5\tsz\n12\t9\timpd\n30\t5\tsz\n", 2, "passed over: impd (1)"),
        ("a_events.tsv", f"{HEAD.replace('eventType', 'trial_type')}10\t5\tseizure\n30\t5\tGTCS\n", 2, "'GTCS'"),
        ("a_events.tsv", f"{HEAD}10\t5\tsz\n12\t4\tsz\n30\t5\tsz\n", 2, "two readers?"),
        (
            "a.csv",
            "onset,duration,description\n10,5,sz\n30,31,sz\n",
            2,
            "cut at the recording's end (60 s): 30 s .. 61 s",
        ),
        ("a.tse", "version = tse_v1.0.0\n0 10 bckg 1\n10 15 seiz 1\n30 64 seiz 1\n", 2, "cut at the recording's end"),
    ],
)
def test_what_was_decided_about_a_reference_is_told_on_the_terminal_and_in_json(
    run: Run, tmp_path: Path, theirs: Path, here: Path, name: str, text: str, seizures: int, warned: str
) -> None:
    write_noted(tmp_path / "c" / "a.edf")
    (tmp_path / "c" / name).write_text(text, encoding="utf-8")
    (theirs / "a.csv_bi").write_text(format_csv_bi([Annotation(10, 14, "seiz")], 60.0, "a"), encoding="utf-8")
    found = run("evaluate", tmp_path / "c", "--hypotheses", theirs)
    assert found.code == 0
    (line,) = [line for line in found.err.splitlines() if warned in line]
    assert line.startswith(f"warning: a.edf: {name}: ")
    document = run("evaluate", tmp_path / "c", "--hypotheses", theirs, "--json").json
    assert document["seizures"] == seizures
    assert any(warned in text for text in document["warnings"])


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a_events.tsv", "onset\tduration\tvalue\n10\t5\t1\n", "no column 'eventType' or 'trial_type'"),
        ("a_events.tsv", "time;what\n10;seizure\n", "in no annotation format that we know"),
        ("a_events.tsv", f"{HEAD}12\t9\timpd\n", "names no seizure and no background"),
        ("a_events.tsv", f"{HEAD}10\t5\tsz\n70\t5\tsz\n", "line 3: event starts after the recording"),
        ("a_events.tsv", f"{HEAD}10\t5\tpossible seizure\n", "line 2: 'possible seizure' at 10 s"),
        ("a.csv", "when;how long;what\n10;5;sz\n", "in no annotation format that we know"),
        ("a.tse", "0 10 bckg 1\n", "in no annotation format that we know"),
        ("a.csv_bi", "", "in no annotation format that we know"),
    ],
)
@pytest.mark.parametrize("apart", [False, True])
def test_what_lies_there_and_cannot_be_used_is_not_called_absent(
    run: Run, tmp_path: Path, theirs: Path, here: Path, name: str, text: str, why: str, apart: bool
) -> None:
    write_noted(tmp_path / "c" / "a.edf")
    folder = tmp_path / ("truth" if apart else "c")
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    found = run("evaluate", tmp_path / "c", "--hypotheses", theirs, *(("--annotations", folder) if apart else ()))
    assert found.code == 3
    assert name in found.errors[0]
    assert why in found.errors[0]
    assert "no annotation (" not in found.err
