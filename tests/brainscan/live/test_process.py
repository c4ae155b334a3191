"""Streams as processes of their own, that are interrupted, ended and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from brainscan.io.csv_bi import read_csv_bi
from tests.brainscan.live.growing import append, edf_of, loud_detector, say_count
from tests.brainscan.live.growing import signal as eeg
from tests.brainscan.live.receiver import Server, server
from tests.documents import check

__all__ = ["server"]

_REPOSITORY = Path(__file__).resolve().parents[3]
_STREAM = """
import sys
from brainscan.cli.main import main
from brainscan.detector import Detector
from tests.brainscan.live.growing import loud_detector

detector = loud_detector()
Detector.from_pretrained = classmethod(lambda cls, name, run=None: detector)
import brainscan.analysis.lazy_detector
brainscan.analysis.lazy_detector.card_of = lambda name: detector.card
sys.exit(main(["stream", *sys.argv[1:]]))
"""
_DURATION_S = 240


def _start(here: Path, *arguments: str) -> subprocess.Popen[str]:
    sources = os.pathsep.join(str(_REPOSITORY / place) for place in (".", "models", "training"))
    return subprocess.Popen(
        [sys.executable, "-c", _STREAM, "night.edf", "--follow", "--idle", "0", "--json", *arguments],
        cwd=here,
        env={**os.environ, "PYTHONPATH": sources, "no_proxy": "127.0.0.1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def _wait(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 120.0
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until, "not within time"
        time.sleep(0.02)


def _grown(here: Path, n_records: int) -> tuple[Path, bytes]:
    """Write the beginning of a recording, and return the rest of it."""
    edf = edf_of(eeg(_DURATION_S))
    path = here / "night.edf"
    path.write_bytes(edf.header() + b"".join(edf.record(i) for i in range(n_records)))
    return path, b"".join(edf.record(i) for i in range(n_records, edf.n_records))


def test_kill_and_restart_tell_nothing_twice(tmp_path: Path, server: Server) -> None:
    path, rest = _grown(tmp_path, 130)
    told = ("--webhook", server.url, "--state", "state", "--latency", "2")
    killed = _start(tmp_path, *told)

    def n_noted() -> int:
        return sum(path.read_text("utf-8").count('"done"') for path in (tmp_path / "state").glob("*.jsonl"))

    # The first burst from end to end, and another that is open; a kill before the note would send it again, same key.
    _wait(lambda: n_noted() >= 3 and n_noted() == len(server.got), killed)
    killed.kill()
    killed.communicate()
    assert not list(tmp_path.glob("*.csv_bi"))
    append(path, rest)()
    say_count(path, _DURATION_S)()
    again = _start(tmp_path, *told, "--idle", "1")
    out, err = again.communicate(timeout=120)
    assert again.returncode == 0, err
    expected = loud_detector().detect(path).events
    closed = [check(json.loads(line)) for line in out.splitlines() if '"kind": "close"' in line]
    assert [(c["onset_s"], c["offset_s"]) for c in closed] == [(e.onset_s, e.offset_s) for e in expected]
    assert len(server.names) == len(set(server.names))
    ended = [name.removesuffix(":close") for name in server.names if name.endswith(":close")]
    assert sorted(ended) == sorted(c["id"] for c in closed)
    assert {f"{name}:open" for name in ended} <= set(server.names)
    assert len(read_csv_bi(tmp_path / "night.csv_bi").annotations) > len(expected)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_a_stream_with_its_table_written(tmp_path: Path, number: signal.Signals) -> None:
    path, _ = _grown(tmp_path, 130)
    process = _start(tmp_path)
    assert process.stdout is not None
    while '"kind": "close"' not in process.stdout.readline():
        assert process.poll() is None, process.communicate()[1]
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err.count("error:")) == (130, 1)
    end = check(json.loads(out.splitlines()[-1]))
    assert (end["kind"], end["outputs"]) == ("end", ["night.csv_bi"])
    assert 60.0 < end["duration_s"] <= 130.0
    _grown(tmp_path, round(end["duration_s"]))  # no more than was read of it
    expected = loud_detector().detect(path).events
    assert expected
    assert [(e["onset_s"], e["offset_s"]) for e in end["events"]] == [(e.onset_s, e.offset_s) for e in expected]
    assert (tmp_path / "night.csv_bi").exists()
