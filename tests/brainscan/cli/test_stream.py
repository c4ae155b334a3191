"""``brainscan stream``: lines while it goes on, the files of `detect` at the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.brainscan.cli.conftest import Ran, Run, write_edf
from tests.brainscan.live.growing import edf_of, say_count, signal
from tests.documents import check
from tests.stand_ins import save_tiny

_REPOSITORY = Path(__file__).resolve().parents[3]


def _lines(ran: Ran) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ran.out.splitlines()]


def test_a_finished_stream_leaves_the_files_of_detect(run: Run, edf: Path, here: Path, loud: None) -> None:
    formats = ("--format", "csv_bi", "--format", "json", "--format", "tsv", "--format", "npz", "--format", "edf")
    streamed = run("stream", edf, "-o", "streamed/", *formats, "--json")
    assert streamed.code == 0
    assert run("detect", edf, "-o", "detected/", *formats, "--json").code == 0
    for path in sorted((here / "detected").iterdir()):
        assert (here / "streamed" / path.name).read_bytes() == path.read_bytes(), path.name
    assert len(list((here / "streamed").iterdir())) == 5
    kinds = [line["kind"] for line in _lines(streamed)]
    assert (kinds[0], kinds[-3:]) == ("start", ["open", "close", "end"])
    assert _lines(streamed)[-1]["file"] == "night.edf"


def test_lines_for_people(run: Run, edf: Path, here: Path, loud: None) -> None:
    ran = run("stream", edf)
    assert ran.code == 0
    assert "an event opens within" in ran.out
    assert "seizure    onset 0:00:20.0" in ran.out
    assert "ended      onset 0:00:20.0" in ran.out
    assert "written: night.csv_bi" in ran.out
    assert run("stream", edf, "-q").out == ""
    assert "onset 0:00:20.0 (10:00:20)" in ran.out


def test_a_start_that_is_a_filler_is_no_clock(run: Run, here: Path, loud: None) -> None:
    edf = write_edf(here / "night.edf", date="01.01.85", time="00.00.00")
    for command in (["stream"], ["detect", "--force"]):
        ran = run(*command, edf)
        assert "0:00:20" in ran.out
        assert "00:00:20" not in ran.out
    (start,) = [line for line in run("info", edf).out.splitlines() if line.startswith("start")]
    assert start.split(maxsplit=1)[1] == "unknown: 1985-01-01 00:00:00 stands in the header for no date"
    told = run("detect", edf, "-o", "-", "--format", "json").json  # as the header has it, for programs
    assert told["start"] == "1985-01-01T00:00:00"


def test_a_growing_file_is_followed_to_its_end(run: Run, here: Path, loud: None) -> None:
    edf = edf_of(signal(90, [(20.0, 35.0), (60.0, 70.0)]))
    path = here / "night.edf"
    path.write_bytes(edf.header())

    def write() -> None:
        for i in range(edf.n_records):
            with path.open("ab") as stream:
                stream.write(edf.record(i))
            time.sleep(0.002)
        say_count(path, edf.n_records)()

    writer = threading.Thread(target=write)
    writer.start()
    ran = run("stream", path, "--follow", "--json", "--latency", "5", "-o", "out/")
    writer.join()
    assert ran.code == 0
    assert run("detect", path, "-o", "expected/").code == 0
    assert (here / "out" / "night.csv_bi").read_bytes() == (here / "expected" / "night.csv_bi").read_bytes()
    assert [line["kind"] for line in _lines(ran)].count("close") == 2


def test_others_are_told_once_also_after_a_restart(run: Run, edf: Path, here: Path, loud: None) -> None:
    tell = "import pathlib, sys; pathlib.Path('told').open('a').write(sys.stdin.read())"
    options = ("--on-event", f"'{sys.executable}' -c \"{tell}\"", "--state", "state", "--label", "bed 3", "--force")
    for _ in range(2):
        assert run("stream", edf, *options).code == 0
    told = [check(json.loads(line)) for line in (here / "told").read_text("utf-8").splitlines()]
    assert [(document["kind"], document["label"]) for document in told] == [("open", "bed 3"), ("close", "bed 3")]
    assert "night" not in (here / "told").read_text("utf-8")
    assert run("stream", edf, "--webhook", "ftp://x", "--force").code == 2
    assert run("stream", edf, "--on-event", "no-such-program", "--force").code == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("absent.edf",), 3),
        (("absent.edf", "--follow"), 3),
        (("-", "--follow"), 2),
        (("night.edf", "--json", "-o", "-"), 2),
        (("night.edf", "--on", "2"), 2),
        (("night.edf", "-o", "night.edf"), 2),
        (("night.edf", "--follow", "-o", "taken.csv_bi"), 5),
        (("night.edf", "-o", "taken.csv_bi"), 5),
        (("night.edf", "--latency", "-1"), 2),
        ((), 2),
        (("night.edf", "--lsl", "bed3"), 2),
        (("--lsl", "bed3", "--follow"), 2),
    ],
)
def test_what_cannot_work_is_refused_at_once(
    run: Run, here: Path, loud: None, arguments: tuple[str, ...], code: int
) -> None:
    write_edf(here / "night.edf")
    (here / "taken.csv_bi").write_text("somebody's truth", encoding="utf-8")
    ran = run("stream", *arguments)
    assert (ran.code, len(ran.errors)) == (code, 1)
    assert (here / "taken.csv_bi").read_text(encoding="utf-8") == "somebody's truth"


def test_lsl_without_its_extra_is_one_line(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mne_lsl", None)  # neither found nor imported
    ran = run("stream", "--lsl", "bed3")
    assert (ran.code, ran.err) == (2, "error: --lsl needs the extra 'lsl'. hint: pip install \"brainscan[lsl]\"\n")
    assert ran.out == ""
    assert list(here.iterdir()) == []


def _piped(here: Path, data: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process of its own, on a checkpoint of seconds."""
    save_tiny(here / "tiny.safetensors")
    sources = os.pathsep.join(str(_REPOSITORY / place) for place in (".", "models", "training"))
    return subprocess.run(
        [sys.executable, "-m", "brainscan", "stream", "-", "--model", "tiny.safetensors", *arguments],
        cwd=here,
        input=data,
        env={**os.environ, "PYTHONPATH": sources},
        capture_output=True,
        check=False,
    )


def test_samples_through_a_pipe(here: Path) -> None:
    frames = signal(70, [(20.0, 35.0)]).T.astype("<f4")
    labels = ["Fp1", "F3", "C3", "P3", "F7", "T3", "T5", "O1", "Fz", "Cz", "Pz", "Fp2", "F4", "C4", "P4", "F8", "T4"]
    header = {"brainscan": 1, "labels": [*labels, "T6", "O2"], "rate_hz": 100, "unit": "uV", "name": "bed3"}
    data = json.dumps(header).encode() + b"\n" + np.ascontiguousarray(frames).tobytes() + b"\x01\x02"
    done = _piped(here, data, "--json")
    assert done.returncode == 0, done.stderr
    *_, end = [check(json.loads(line)) for line in done.stdout.splitlines()]
    assert (end["kind"], end["duration_s"], end["analysed_s"], end["outputs"]) == ("end", 70.0, 70.0, ["bed3.csv_bi"])
    assert b"within a frame (2 bytes of 76)" in done.stderr
    assert (here / "bed3.csv_bi").exists()
    assert _piped(here, data).returncode == 5  # nothing says that the table is of the same samples
    assert b"copy of a recording" in _piped(here, data, "--format", "edf").stderr


def test_garbage_through_a_pipe_is_refused(here: Path) -> None:
    done = _piped(here, b"\x00\x01garbage\n" * 100)
    assert (done.returncode, done.stderr.count(b"error:")) == (3, 1)
    assert b"Traceback" not in done.stderr
