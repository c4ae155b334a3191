"""``detect``: outputs, exit codes, JSON, and what it never does."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from brainscan.electrodes import ELECTRODES
from brainscan.io.outputs import anonymous_name
from tests.brainscan.cli.conftest import Run, write_edf

pytestmark = pytest.mark.usefixtures("loud")


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _rows(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.splitlines() if line.startswith("TERM")]


def test_default_output_is_a_csv_bi_here_and_a_table_on_stdout(run: Run, edf: Path, here: Path) -> None:
    ran = run("detect", edf)
    assert ran.code == 0
    assert _files(here) == ["night.csv_bi"]
    lines = ran.out.splitlines()
    assert lines[0] == "night.edf: 1 event in 60.0 s analysed"
    number, onset, clock, duration, confidence, side = lines[3].split()
    assert side == "left"  # the first half of the electrodes
    assert (number, clock[:6]) == ("1", "10:00:")
    assert onset.startswith(("0:00:19", "0:00:20"))
    assert float(duration) == pytest.approx(15.0, abs=1.0)
    assert 0.5 < float(confidence) <= 1.0
    assert "\x1b" not in ran.out + ran.err


def test_csv_bi_tiles_the_recording(run: Run, edf: Path, here: Path) -> None:
    run("detect", edf)
    text = (here / "night.csv_bi").read_text("ascii")
    rows = _rows(text)
    assert "# duration = 60.0000 secs\n" in text
    assert rows[0][1] == "0.0000"
    assert rows[-1][2] == "60.0000"
    assert all(a[2] == b[1] for a, b in itertools.pairwise(rows))
    assert [row[3] for row in rows] == ["bckg", "seiz", "bckg"]


@pytest.mark.parametrize("target", ["out/", "sub/folder/"])
def test_several_recordings_and_formats_into_a_folder(run: Run, edf: Path, here: Path, target: str) -> None:
    second = write_edf(edf.parent / "day.edf")
    assert run("detect", edf, second, "--format", "csv_bi", "--format", "json", "-o", target).code == 0
    assert _files(here / target) == ["day.csv_bi", "day.json", "night.csv_bi", "night.json"]
    assert json.loads((here / target / "day.json").read_text("utf-8"))["file"] == "day.edf"


def test_an_existing_folder_needs_no_slash(run: Run, edf: Path, here: Path) -> None:
    (here / "out").mkdir()
    assert run("detect", edf, "-o", "out").code == 0
    assert _files(here / "out") == ["night.csv_bi"]


def test_a_named_file(run: Run, edf: Path, here: Path) -> None:
    assert run("detect", edf, "-o", "my.txt", "--format", "csv_bi").code == 0
    assert (here / "my.txt").read_text("ascii").startswith("# version = csv_v1.0.0\n")


@pytest.mark.parametrize(("name", "begins"), [("e.json", "{"), ("E.JSON", "{"), ("e.csv_bi", "#"), ("e", "#")])
def test_without_a_format_the_suffix_says_which(run: Run, edf: Path, here: Path, name: str, begins: str) -> None:
    ran = run("detect", edf, "-o", name, "--json")
    assert ran.code == 0
    assert (here / name).read_text("utf-8")[0] == begins


def test_a_folder_s_name_says_no_format(run: Run, edf: Path, here: Path) -> None:
    assert run("detect", edf, "-o", "results.json/").code == 0
    assert _files(here / "results.json") == ["night.csv_bi"]


@pytest.mark.parametrize("name", ["csv_bi", "json"])
def test_stdout_holds_the_result_alone(run: Run, edf: Path, here: Path, name: str) -> None:
    ran = run("detect", edf, "-o", "-", "--format", name)
    assert ran.code == 0
    assert _files(here) == []
    run("detect", edf, "-o", "x", "--format", name)
    assert ran.out == (here / "x").read_text("utf-8")


def test_json_prints_one_document_and_writes_the_files(run: Run, edf: Path, here: Path) -> None:
    ran = run("detect", edf, "--json")
    assert ran.code == 0
    (result,) = ran.json["results"]
    assert {"file", "duration_s", "analysed_s", "events", "unscored", "warnings"} <= set(result)
    assert result["file"] == "night.edf"
    assert (result["duration_s"], result["analysed_s"], result["unscored"]) == (60.0, 60.0, [])
    assert {"onset_s", "offset_s", "confidence"} <= set(result["events"][0])
    assert _files(here) == ["night.csv_bi"]


def test_quiet_prints_nothing(run: Run, edf: Path, here: Path) -> None:
    short = write_edf(edf.parent / "short.edf", duration_s=5)
    ran = run("detect", edf, short, "-q", "-o", "out/")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_warnings_go_to_stderr(run: Run, edf: Path, here: Path) -> None:
    short = write_edf(edf.parent / "short.edf", duration_s=5)
    ran = run("detect", short)
    assert ran.code == 0
    assert ran.err.startswith("warning: short.edf: ")
    assert "warning" not in ran.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--json", "-o", "-"], "both claim stdout"),
        (["--format", "xlsx"], "no such format: xlsx"),
        (["--format", "json", "-o", "both.csv_bi"], "both.csv_bi names csv_bi, --format says json"),
        (["--format", "csv_bi", "-o", "j.json"], "j.json names json, --format says csv_bi"),
        (["--format", "csv_bi", "--format", "json", "-o", "-"], "one output, not 2"),
        (["--format", "csv_bi", "--format", "json", "-o", "one.txt"], "one file for 2 outputs"),
        (["--probabilities", "p.npz", "-o", "p.npz"], "would both write"),
        (["--trends", "t.txt"], "--trends writes an .npz, and t.txt is no name of one"),
        ([""], "an empty path was given"),
        (["--max-missing", "40"], "--max-missing 40 is out of range. hint: it takes whole numbers, 0 to 15"),
        (["--batch-size", "0"], "--batch-size 0 is out of range. hint: it takes whole numbers, at least 1"),
        (["--threads", "-3"], "--threads -3 is out of range. hint: it takes whole numbers, at least 0"),
        (["--on", "0.5", "--off", "0.6"], "off <= on"),
        (["--off", "0.9"], "off <= on"),
        (["--on", "1.5"], "thresholds"),
        (["--channel-map", "nonsense"], "NAME=ELECTRODE"),
        (["--start", "noon"], "--start noon is not a time"),
        (["--start", "-5"], "not a time"),
        (["--start", "25:00"], "--start 25:00 is not a time"),
        (["--start", "1:2:3:4"], "not a time"),
        (["--start", "nan"], "not a time"),
        (["--start", "50", "--stop", "40"], "stop must lie behind start, got --start 50 --stop 40"),
        (["--start", "70"], "nothing recorded from 70 s on"),
        (["--start", "12:00"], "nothing recorded from 12:00 (7200 s) on (the recording has 60 s)"),
        (["--start", "10:00:30", "--stop", "10:00:10"], "stop must lie behind start"),
        (["--stop", "09:30"], "--stop 09:30 does not lie within the recording (2024-02-01 10:00:00 to"),
        (["--channel-map", "Fp1=Q7"], "Q7"),
    ],
)
def test_what_cannot_work_is_exit_2_and_writes_nothing(
    run: Run, edf: Path, here: Path, arguments: list[str], message: str
) -> None:
    ran = run("detect", edf, *arguments)
    assert ran.code == 2
    assert len(ran.errors) == 1
    assert message in ran.errors[0]
    assert _files(here) == []


def test_what_was_written_is_said(run: Run, edf: Path, here: Path) -> None:
    assert run("detect", edf, "--probabilities", "p.npz").out.endswith("written: night.csv_bi, p.npz\n")
    assert run("detect", edf, "--json").json["results"][0]["outputs"] == ["night.csv_bi"]


def test_an_absent_file_is_answered_without_torch(here: Path) -> None:
    program = (
        "import sys\nfrom brainscan.cli.main import main\n"
        "print(main(['detect', 'absent.edf']), 'torch' in sys.modules, 'onnxruntime' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "False", "False"]


@pytest.mark.parametrize(
    ("content", "kind"), [(None, "io"), (b"", "header"), (b"\x1f\x8b zipped", "header"), (b"0       ", "header")]
)
def test_inputs_that_cannot_be_used(run: Run, here: Path, content: bytes | None, kind: str) -> None:
    if content is not None:
        (here / "bad.edf").write_bytes(content)
    ran = run("detect", "bad.edf", "--json")
    assert ran.code == 3
    assert ran.json["error"]["kind"] == kind
    assert ran.errors[0].startswith("error: bad.edf: ")
    assert "hint: " in ran.errors[0]


def test_a_folder_is_for_scan(run: Run, here: Path) -> None:
    (here / "nights").mkdir()
    ran = run("detect", "nights")
    assert ran.code == 3
    assert "`brainscan scan nights -o OUT`" in ran.errors[0]


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_an_event_file_is_no_recording(run: Run, edf: Path, here: Path, force: list[str]) -> None:
    run("detect", edf)
    before = (here / "night.csv_bi").read_bytes()
    ran = run("detect", "night.csv_bi", *force)
    assert ran.code == 3
    assert ran.errors[0].startswith("error: night.csv_bi: an event file, no recording")
    assert (here / "night.csv_bi").read_bytes() == before


@pytest.mark.parametrize(
    "text", ["version = tse_v1.0.0\n", "onset\tduration\teventType\n", "onset,duration,description\n"]
)
def test_event_files_of_others_are_named_too(run: Run, here: Path, text: str) -> None:
    (here / "x").write_text(text, encoding="ascii")
    assert "an event file, no recording" in run("detect", "x").errors[0]


def test_missing_electrodes_are_named(run: Run, edf: Path, here: Path) -> None:
    few = write_edf(edf.parent / "few.edf", labels=("E1", "E2", "E3", "E4", *ELECTRODES[4:]))
    ran = run("detect", few)
    assert ran.code == 3
    assert "Fp1 F3 C3 P3" in ran.errors[0]
    assert run("detect", few, "--max-missing", "4").code == 0
    mapping = "E1=Fp1,E2=F3,E3=C3,E4=P3"
    assert run("detect", few, "--channel-map", mapping, "--max-missing", "0", "-o", "x").code == 0


def test_some_failed_and_the_others_are_done(run: Run, edf: Path, here: Path) -> None:
    (here / "bad.edf").write_bytes(b"nothing")
    ran = run("detect", "bad.edf", edf)
    assert ran.code == 6
    assert (here / "night.csv_bi").exists()
    assert any(line.startswith("bad.edf") for line in ran.out.splitlines())
    assert "1 of 2 recordings failed" in ran.errors[-1]


def test_some_failed_with_json(run: Run, edf: Path, here: Path) -> None:
    (here / "bad.edf").write_bytes(b"nothing")
    ran = run("detect", "bad.edf", edf, "--json")
    assert ran.code == 6
    assert [result["file"] for result in ran.json["results"]] == ["night.edf"]
    assert ran.json["error"]["kind"] == "header"
    assert [failure["file"] for failure in ran.json["failures"]] == ["bad.edf"]


def test_thresholds(run: Run, edf: Path, here: Path) -> None:
    documents = {
        on: run("detect", edf, "--json", "--force", *(["--on", on] if on else [])).json["results"][0]
        for on in ("", "0", "1")
    }
    assert [len(documents[on]["events"]) for on in ("", "0", "1")] == [1, 1, 0]
    assert documents["0"]["events"][0]["offset_s"] == pytest.approx(60.0)
    assert documents["1"]["model"]["decision"]["leave"] == pytest.approx(0.92)


def test_probabilities_file(run: Run, edf: Path, here: Path) -> None:
    assert run("detect", edf, "--probabilities", "p.npz", "--stop", "30").code == 0
    with np.load(here / "p.npz", allow_pickle=False) as held:
        assert held["rate_hz"] == 256
        assert held["segment_start_s"].tolist() == [0.0]
        assert held["segment_samples"].tolist() == [30 * 256]
        assert held["probability"].shape == (30 * 256,)
        assert held["probability"].dtype == np.float32


def test_anonymous_names(run: Run, edf: Path, here: Path) -> None:
    (here / "bad.edf").write_bytes(b"nothing")
    ran = run("detect", edf, "bad.edf", "--anonymous-names", "--json")
    stem = anonymous_name("night.edf")
    assert set(_files(here)) == {"bad.edf", f"{stem}.csv_bi"}
    assert "night" not in (here / f"{stem}.csv_bi").read_text("ascii")
    assert "night" not in ran.out
    assert "bad.edf" not in ran.out


def test_no_patient_field_leaves_the_header(run: Run, edf: Path, here: Path) -> None:
    named = write_edf(
        edf.parent / "named.edf",
        patient="MCH-0234567 F 02-MAY-1951 Haagse_Harry",
        recording="Startdate 02-MAR-2002 EMG561 BK/JOP Sony_MNC",
    )
    texts = [run("detect", named, "--format", "csv_bi", "--format", "json", "-o", "out/", "--json", "-v")]
    texts.append(run("info", named, "--json", "-v"))
    texts.append(run("info", named))
    seen = "".join(ran.out + ran.err for ran in texts)
    seen += "".join(path.read_text("utf-8") for path in (here / "out").iterdir())
    assert not [w for w in ("0234567", "1951", "Haagse", "Harry", "EMG561", "JOP", "Sony") if w in seen]


def test_verbose_says_what_is_used(run: Run, edf: Path, here: Path) -> None:
    said = run("detect", edf, "-v", "--device", "cpu", "--threads", "1").err
    assert "model loudness (000000000000), device cpu (1 thread), backend loudness, float32\n" in said
    assert "thresholds on 0.6, off 0.4 (the card's defaults)\n" in said
    assert "device auto" not in run("detect", edf, "-v").err
    assert "thresholds on 0.7, off 0.62 (as given)\n" in run("detect", edf, "-v", "--on", "0.7", "--force").err


def test_burden_is_told_on_the_terminal_and_in_json(run: Run, loud: None, here: Path, tmp_path: Path) -> None:
    edf = write_edf(tmp_path / "b.edf", duration_s=60)
    ran = run("detect", edf)
    assert "burden: 0.3 min marked as seizure, the longest 15." in ran.out
    (result,) = run("detect", edf, "--json").json["results"]
    burden = result["burden"]
    (event,) = result["events"]
    assert sum(burden["by_hour"].values()) == pytest.approx((event["offset_s"] - event["onset_s"]) / 60.0, abs=1e-3)
    assert list(burden["by_hour"]) == ["2024-02-01T10:00"]
    assert burden["seizures_per_24h"] == pytest.approx(1440.0)
    assert burden["rests_on_less_than_24h"] is True
    assert burden["flags"] == []
    part = run("detect", edf, "--stop", "40", "-o", "part.csv_bi")
    assert "not scored: 20.0 s, in which a seizure would not have been seen" in part.out
