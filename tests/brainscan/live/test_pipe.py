"""Samples through a pipe: its header, torn frames, a writer that is held up or goes away."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from brainscan.errors import InputError
from brainscan.live.pipe import PipeFeed, facts_of

HEADER = {"brainscan": 1, "labels": ["Fp1", "F3", "C3"], "rate_hz": 100, "unit": "uV"}


@pytest.fixture(scope="module")
def read_from() -> Iterator[list[int]]:
    """Hold the ends that were read from until the last test: a thread may still read, and numbers are given anew."""
    ends: list[int] = []
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture
def pipe(read_from: list[int]) -> tuple[int, int]:
    """Return both ends of a pipe; the one that is written to is the test's to close."""
    ends = os.pipe()
    read_from.append(ends[0])
    return ends


def _line(**changes: Any) -> bytes:
    said = {key: value for key, value in {**HEADER, **changes}.items() if value is not None}
    return json.dumps(said).encode() + b"\n"


def _frames(n: int, first: float = 0.0) -> np.ndarray:
    return (first + np.arange(3 * n, dtype=np.float32)).reshape(n, 3)


def _all(feed: PipeFeed) -> np.ndarray:
    found = []
    while not feed.why_over:
        found += [chunk.frames for chunk in feed.pull(0.2)]
    return np.concatenate(found) if found else np.zeros((0, 3), dtype=np.float32)


def test_frames_come_through_whatever_the_writes(pipe: tuple[int, int]) -> None:
    frames = _frames(1000)
    data = _line() + frames.astype("<f4").tobytes()

    def write() -> None:
        for at in range(0, len(data), 997):
            os.write(pipe[1], data[at : at + 997])
        os.close(pipe[1])

    threading.Thread(target=write).start()
    feed = PipeFeed(pipe[0], threading.Event())
    assert np.array_equal(_all(feed), frames)
    assert feed.why_over == "the pipe was closed"
    assert feed.backlog_s == 0.0


def test_a_torn_frame_is_left_out_and_said(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], _line() + _frames(10).tobytes() + b"12345")
    os.close(pipe[1])
    feed = PipeFeed(pipe[0], threading.Event())
    assert len(_all(feed)) == 10
    assert feed.why_over == "the pipe was closed within a frame (5 bytes of 12)"


def test_nothing_yet_is_nothing_yet(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], _line())
    feed = PipeFeed(pipe[0], threading.Event())
    assert list(feed.pull(0.01)) == []
    assert feed.why_over == ""
    os.write(pipe[1], _frames(1).tobytes())
    assert [len(chunk.frames) for chunk in feed.pull(0.05)] == [1]
    os.close(pipe[1])
    assert len(_all(feed)) == 0


def test_a_writer_is_held_up_rather_than_the_memory_filled(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brainscan.live.pipe._HELD_S", 1.0)
    data = _line() + _frames(100_000).tobytes()
    done = threading.Event()

    def write() -> None:
        at = 0
        while at < len(data):
            at += os.write(pipe[1], data[at : at + 4096])
        os.close(pipe[1])
        done.set()

    threading.Thread(target=write, daemon=True).start()
    feed = PipeFeed(pipe[0], threading.Event())
    assert not done.wait(0.3)
    assert feed.backlog_s < 300.0
    assert len(_all(feed)) == 100_000
    assert done.wait(5.0)


def test_a_stream_that_shall_end_does_not_wait_for_a_header(pipe: tuple[int, int]) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(InputError, match="nothing came"):
        PipeFeed(pipe[0], stop)
    os.close(pipe[1])


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "nothing came"),
        (b'{"brainscan": 1', "ended before its header was whole"),
        (b"\x00\xff\x12garbage\n", "no JSON"),
        (b"[1, 2]\n", 'no JSON object with "brainscan": 1'),
        (b"x" * 70_000, "longer than 65536 bytes"),
    ],
)
def test_garbage_is_refused(pipe: tuple[int, int], data: bytes, what: str) -> None:
    def write() -> None:
        with suppress(BrokenPipeError):  # whoever refuses what came first need not wait for the rest
            os.write(pipe[1], data[:60_000])
            os.write(pipe[1], data[60_000:])
        os.close(pipe[1])

    writer = threading.Thread(target=write)
    writer.start()
    with pytest.raises(InputError, match=what) as raised:
        PipeFeed(pipe[0], threading.Event())
    writer.join()  # it closes its end, whose number the next test's pipe may have had by then
    assert raised.value.kind in {"header", "empty"}


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"brainscan": 2}, "brainscan"),
        ({"labels": None}, "labels"),
        ({"labels": []}, "labels"),
        ({"labels": ["Fp1", 3]}, "labels"),
        ({"labels": ["E"] * 5000}, "5000"),
        ({"rate_hz": None}, "rate_hz"),
        ({"rate_hz": 0}, "rate_hz"),
        ({"rate_hz": -100}, "rate_hz"),
        ({"rate_hz": True}, "rate_hz"),
        ({"rate_hz": "1/0"}, "rate_hz"),
        ({"rate_hz": float("inf")}, "rate_hz"),
        ({"rate_hz": 1e9}, "rate_hz"),
        ({"unit": 5}, "unit"),
        ({"unit": ["uV"]}, "unit"),
        ({"start": "yesterday"}, "start"),
        ({"start": 12}, "start"),
        ({"start": "2026-03-02"}, "start"),
        ({"name": "../../x"}, "name"),
        ({"name": ".hidden"}, "name"),
        ({"name": ""}, "name"),
        ({"sampling": 3}, "unknown key 'sampling'"),
    ],
)
def test_headers_that_make_no_sense_are_refused(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(InputError, match=what) as raised:
        facts_of(_line(**changes))
    assert raised.value.exit_code == 3


def test_a_header_says_what_it_says() -> None:
    facts = facts_of(_line(rate_hz="1000/3", unit=["uV", "mV", "V"], start="2026-03-02T22:00:00+01:00", name="bed 3"))
    assert (facts.name, facts.rate_hz, facts.units) == ("bed 3", Fraction(1000, 3), ("uV", "mV", "V"))
    assert facts.start == datetime(2026, 3, 2, 22, 0, 0)
    assert facts.warnings[0].startswith('"start" has an offset from UTC (+01:00)')
    plain = facts_of(_line(unit=None, rate_hz=127.5))
    assert (plain.name, plain.start, plain.units, plain.rate_hz) == ("stream", None, ("uV",) * 3, Fraction(255, 2))
