"""``scan``: exit codes, messages and JSON; the scan itself is tested with `brainscan.scan`."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.brainscan.cli.conftest import Run, write_edf
from tests.stand_ins import save_tiny

_REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return two recordings in a tree."""
    folder = tmp_path / "archive"
    (folder / "b").mkdir(parents=True)
    write_edf(folder / "a.edf")
    write_edf(folder / "b" / "c.edf", duration_s=30)
    return folder


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.usefixtures("loud")
def test_all_done(run: Run, archive: Path, here: Path) -> None:
    ran = run("scan", archive, "-o", "out")
    assert ran.code == 0
    assert ran.out == "2 done, 0 skipped, 0 failed; 2 events in 0.03 h analysed\n"
    assert "[1/2] a.edf: done, 1 event in 60.0 s analysed" in ran.err
    assert (here / "out" / "b" / "c.csv_bi").exists()
    again = run("scan", archive, "-o", "out")
    assert again.out == "0 done, 2 skipped, 0 failed; 2 events in 0.03 h analysed\n"


@pytest.mark.usefixtures("loud")
def test_some_failed(run: Run, archive: Path, here: Path) -> None:
    (archive / "b" / "bad.edf").write_bytes(b"nothing")
    ran = run("scan", archive, "-o", "out")
    assert ran.code == 6
    assert "2 done, 0 skipped, 1 failed" in ran.out
    (row,) = [line for line in ran.out.splitlines() if "b/bad.edf" in line]
    assert " ".join(row.split()) == "b/bad.edf header not a known EEG recording (text)"
    assert ran.errors[0].startswith("error: b/bad.edf: ")
    assert _rows(here / "out" / "failures.csv")[0]["file"] == "b/bad.edf"


@pytest.mark.usefixtures("loud")
def test_json(run: Run, archive: Path, here: Path) -> None:
    document = run("scan", archive, "-o", "out", "--json").json
    assert [(r["file"], r["status"], len(r["events"])) for r in document["results"]] == [
        ("a.edf", "done", 1),
        ("b/c.edf", "done", 1),
    ]
    assert (document["done"], document["skipped"], document["failed"]) == (2, 0, 0)
    assert "error" not in document
    (archive / "bad.edf").write_bytes(b"nothing")
    ran = run("scan", archive, "-o", "out", "--json")
    assert ran.code == 6
    assert ran.json["error"]["kind"] == "header"
    assert set(ran.json["error"]) == {"kind", "message", "hint"}
    assert ran.json["failures"][0]["file"] == "bad.edf"
    assert {r["status"] for r in ran.json["results"]} == {"skipped"}
    assert ran.json["orphaned"] == []
    (archive / "a.edf").unlink()
    ran = run("scan", archive, "-o", "out", "--json")
    assert ran.json["orphaned"] == ["a.csv_bi"]
    (line,) = [text for text in ran.err.splitlines() if "a.csv_bi" in text]
    assert line.endswith("1 result is of a recording that is not there any more (a.csv_bi): left as it is")


@pytest.mark.usefixtures("loud")
def test_every_event_has_a_row_that_a_second_scan_leaves_as_it_was(run: Run, archive: Path, here: Path) -> None:
    assert run("scan", archive, "-o", "out").code == 0
    first = (here / "out" / "events.csv").read_bytes()
    rows = _rows(here / "out" / "events.csv")
    assert [row["file"] for row in rows] == ["a.edf", "b/c.edf"]
    told = json.loads(run("detect", archive / "a.edf", "-o", "-", "--format", "json").out)["events"][0]
    assert (rows[0]["clock"], rows[0]["side"], rows[0]["leading"].split()) == (
        *(told["clock"], told["side"], told["leading"]),
    )
    assert float(rows[0]["duration_s"]) == pytest.approx(told["offset_s"] - told["onset_s"], abs=1e-3)
    (here / "out" / "events.csv").unlink()
    assert run("scan", archive, "-o", "out").code == 0
    assert (here / "out" / "events.csv").read_bytes() == first


@pytest.mark.usefixtures("loud")
def test_detect_s_options_hold(run: Run, archive: Path, here: Path) -> None:
    ran = run("scan", archive, "-o", "out", "--on", "1", "--stop", "20", "--format", "json", "--probabilities", "-q")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    found = sorted(p.relative_to(here / "out").as_posix() for p in (here / "out").rglob("*.*"))
    made = ["a.csv_bi", "a.json", "a.npz", "b/c.csv_bi", "b/c.json", "b/c.npz"]
    assert found == [*made, "events.csv", "failures.csv", "index.html", "run.json", "summary.csv"]
    assert {row["analysed_s"] for row in _rows(here / "out" / "summary.csv")} == {"20.0000"}
    assert {row["events"] for row in _rows(here / "out" / "summary.csv")} == {"0"}


@pytest.mark.usefixtures("loud")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--format", "xlsx"], 2),
        (["--on", "2"], 2),
        (["--max-missing", "99"], 2),
        (["-o", "taken"], 5),
        (["--workers", "-1"], 2),
    ],
)
def test_what_cannot_work_says_so_at_once(run: Run, archive: Path, here: Path, arguments: list[str], code: int) -> None:
    (here / "taken").touch()
    ran = run("scan", archive, "-o", "out", *arguments)
    assert ran.code == code
    assert len(ran.errors) == 1
    assert not (here / "out").exists()


@pytest.mark.usefixtures("loud")
def test_an_absent_or_empty_archive(run: Run, here: Path) -> None:
    (here / "empty").mkdir()
    for folder, kind in (("absent", "io"), ("empty", "empty")):
        ran = run("scan", folder, "-o", "out", "--json")
        assert (ran.code, ran.json["error"]["kind"]) == (3, kind)


def _started(archive: Path, model: list[str]) -> subprocess.Popen[bytes]:
    """Scan in a process of its own."""
    command = [sys.executable, "-m", "brainscan", "scan", str(archive), "-o", "out", *model]
    environment = {"PYTHONPATH": f"{_REPOSITORY}:{_REPOSITORY / 'models'}", "PATH": "", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)


def test_a_terminated_scan_ends_as_an_interrupted_one(archive: Path, tmp_path: Path, here: Path) -> None:
    save_tiny(tmp_path / "tiny.safetensors")
    for i in range(40):
        write_edf(archive / f"more{i:02}.edf")
    with _started(archive, ["--model", str(tmp_path / "tiny.safetensors")]) as process:
        assert process.stderr is not None
        process.stderr.readline()  # the first recording is done
        process.send_signal(signal.SIGTERM)
        said = process.stderr.read()
    assert process.returncode == 130
    assert said.endswith(b"error: interrupted\n")
    assert b"Traceback" not in said
    written = {row["output"] for row in _rows(here / "out" / "summary.csv")}
    assert any(written)  # workers finish in any order
    assert len(written) < 42
    assert _rows(here / "out" / "failures.csv") == []
    assert not [p for p in (here / "out").rglob(".*") if p.is_file()]


def test_killed_in_the_middle_and_started_again(run: Run, archive: Path, tmp_path: Path, here: Path) -> None:
    save_tiny(tmp_path / "tiny.safetensors")
    for i in range(12):
        write_edf(archive / f"more{i:02}.edf")
    model = ["--model", str(tmp_path / "tiny.safetensors")]
    with _started(archive, model) as process:
        assert process.stderr is not None
        process.stderr.readline()  # the first recording is done
        process.send_signal(signal.SIGKILL)
    done = len(list((here / "out").rglob("*.csv_bi")))
    assert 1 <= done < 14
    ran = run("scan", archive, "-o", "out", *model)
    assert ran.code == 0
    skipped = int(ran.out.split(" skipped")[0].split()[-1])
    assert skipped >= done
    assert len(list((here / "out").rglob("*.csv_bi"))) == 14
    assert not [p for p in (here / "out").rglob(".*") if p.is_file()]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--workers", "2", "--cluster", "tcp://127.0.0.1:1"], "give one of them"),
        (["--tls-ca", "ca.pem"], "--cluster tls://HOST:PORT"),
        (["--cluster", "tcp://127.0.0.1:1", "--tls-ca", "ca.pem"], "--cluster tls://HOST:PORT"),
    ],
)
def test_what_contradicts_itself(run: Run, archive: Path, here: Path, arguments: list[str], hint: str) -> None:
    pytest.importorskip("distributed")
    ran = run("scan", archive, "-o", "out", *arguments)
    assert ran.code == 2
    assert hint in ran.errors[0]


def test_an_address_is_not_watched(run: Run, here: Path) -> None:
    ran = run("scan", "s3://ward/eeg", "-o", "out", "--watch")
    assert ran.code == 2
    assert "folders of this machine" in ran.errors[0]


@pytest.mark.parametrize(
    ("arguments", "extra", "absent"),
    [
        (("archive", "--cluster", "tcp://127.0.0.1:1"), "cluster", ("distributed",)),
        (("s3://archive/2026",), "remote", ("fsspec", "fsspec.core")),
        (("s3://archive/2026",), "remote", ("s3fs",)),
        (("sftp://ward/eeg",), "remote", ("paramiko",)),
        (("archive", "--format", "html"), "report", ("jinja2",)),
    ],
)
def test_without_its_extra_nothing_is_begun(
    run: Run,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    extra: str,
    absent: tuple[str, ...],
) -> None:
    (here / "archive").mkdir()
    write_edf(here / "archive" / "a.edf")
    for package in absent:
        monkeypatch.setitem(sys.modules, package, None)  # neither found nor imported
    ran = run("scan", *arguments, "-o", "out")
    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert f"needs the extra '{extra}'. hint: pip install \"brainscan[{extra}]\"" in ran.err
    assert not (here / "out").exists()
