"""A file that is followed while it is written: torn records, counts, gaps, and what can happen to it meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from brainscan.errors import InputError
from brainscan.io import read
from brainscan.live.edf_tail import EdfTail, Following
from brainscan.live.source import Piece
from brainscan.recording import Recording
from tests.brainscan.live.growing import RATE_HZ, Grower, append, edf_of, say_count, signal
from tests.edf_files import FakeEdf

Step = Callable[[], object]


def _followed(
    path: Path, steps: Sequence[Step], *, at_least_s: float = 1.0, idle_s: float = 0.0
) -> tuple[list[Piece], Recording, list[str]]:
    """Follow a file to which things happen, one each time that the follower waits."""
    grower, said = Grower(steps), list[str]()
    following = Following(0.5, idle_s, grower.clock)
    tail = EdfTail(path, following, cast("threading.Event", grower), said.append)
    tail.open(at_least_s)
    pieces = [piece for piece in tail.pieces(range(19)) if piece.samples is not None]
    return pieces, tail.finished(), said


def _values(pieces: Sequence[Piece]) -> np.ndarray:
    return np.concatenate([np.stack(piece.samples.uv) for piece in pieces if piece.samples], axis=1)


def _whole(path: Path) -> np.ndarray:
    recording = read(path)
    parts = [np.stack(recording.read(range(19), s.start_s, s.stop_s, s).uv) for s in recording.segments]
    return np.concatenate(parts, axis=1)


def _cut_up(edf: FakeEdf, path: Path, sizes: Sequence[int]) -> list[Step]:
    """Write the header and return what appends the records in pieces of so many bytes, then says the count."""
    path.write_bytes(edf.header())
    data = b"".join(edf.record(i) for i in range(edf.n_records))
    steps, at = [], 0
    for size in sizes:
        steps.append(append(path, data[at : at + size]))
        at += size
    return [*steps, append(path, data[at:]), say_count(path, edf.n_records)]


@pytest.mark.parametrize("sizes", [(1, 3799, 3801, 50_000), (3800,) * 5, ()])
def test_torn_records_are_waited_for_and_all_is_handed_on_once(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    path = tmp_path / "night.edf"
    pieces, finished, said = _followed(path, _cut_up(edf_of(signal(30, [])), path, sizes))
    assert np.array_equal(_values(pieces), _whole(path))
    assert [piece.segment.stop_s for piece in pieces] == sorted({piece.segment.stop_s for piece in pieces})
    assert finished.duration_s == 30.0
    assert finished.sha256 is not None
    assert finished.warnings == read(path).warnings
    assert said == ["ended: its header says that it is whole"]


def test_gaps_begin_segments_as_in_the_finished_file(tmp_path: Path) -> None:
    path = tmp_path / "night.edf"
    onsets = [f"+{i + (25 if i >= 12 else 0) + (300 if i == 20 else 0)}" for i in range(30)]  # the last: one damaged
    edf = edf_of(signal(30, []), onsets)
    pieces, finished, _ = _followed(path, _cut_up(edf, path, (2000, 30_000, 21_000)))
    assert np.array_equal(_values(pieces), _whole(path))
    spans = [(s.start_s, s.stop_s) for s in finished.segments]
    assert spans == [(s.start_s, s.stop_s) for s in read(path).segments] == [(0.0, 12.0), (37.0, 55.0)]
    assert {piece.segment.start_s for piece in pieces} == {0.0, 37.0}


def test_a_clock_set_back_before_the_start_begins_a_segment_behind_the_last(tmp_path: Path) -> None:
    path = tmp_path / "night.edf"
    edf = edf_of(signal(30, []), [f"+{i}" if i < 12 else f"{i - 60}" for i in range(30)])
    pieces, finished, said = _followed(path, _cut_up(edf, path, (2000, 30_000, 21_000)))
    assert np.array_equal(_values(pieces), _whole(path))
    assert [(s.start_s, s.stop_s) for s in finished.segments] == [(0.0, 12.0), (12.0, 30.0)]
    assert sum("set back" in text for text in said) == 1
    assert any("times differ from those of the finished file" in text for text in finished.warnings)


@pytest.mark.parametrize(
    "onsets", [[i // 2 for i in range(30)], [i + (40_000_000 if i > 12 else 0) for i in range(30)]]
)
def test_times_that_are_no_clock_are_none_here_too(tmp_path: Path, onsets: list[int]) -> None:
    path = tmp_path / "night.edf"
    edf = edf_of(signal(30, []), [f"+{onset}" for onset in onsets])
    _, finished, _ = _followed(path, _cut_up(edf, path, (50_000, 21_000)), at_least_s=10.0)
    assert [(s.start_s, s.stop_s) for s in finished.segments] == [(0.0, 30.0)]
    assert finished.warnings == read(path).warnings


def test_a_count_that_grows_is_believed_and_says_nothing_of_the_end(tmp_path: Path) -> None:
    path = tmp_path / "night.edf"
    edf = edf_of(signal(30, []), n_records=10)
    path.write_bytes(edf.header() + b"".join(edf.record(i) for i in range(12)))
    more = b"".join(edf.record(i) for i in range(12, 30))
    steps = [append(path, more), say_count(path, 20), lambda: None, say_count(path, 30)]
    pieces, finished, said = _followed(path, steps, idle_s=60.0)
    assert [round(piece.segment.stop_s) for piece in pieces] == list(range(2, 31, 2))  # two seconds at a time
    assert finished.duration_s == 30.0
    assert said == ["ended: stopped"]


def test_a_file_that_stands_still_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "night.edf"
    edf = edf_of(signal(30, []))
    path.write_bytes(edf.header() + b"".join(edf.record(i) for i in range(9)))
    pauses: list[Step] = [lambda: None] * 10
    more = append(path, b"".join(edf.record(i) for i in range(9, 30)) + b"torn")
    pieces, finished, said = _followed(path, [*pauses, more, *pauses, *pauses, *pauses], idle_s=8.0)
    assert pieces[-1].segment.stop_s == 30.0
    assert finished.duration_s == 30.0
    assert said == ["ended: nothing came for 8 s"]


def test_a_count_known_from_the_beginning_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "night.edf"
    edf = edf_of(signal(30, []), n_records=30)
    path.write_bytes(edf.header() + edf.record(0))
    more = append(path, b"".join(edf.record(i) for i in range(1, 30)))
    pieces, _, said = _followed(path, [lambda: None, more, *[lambda: None] * 5])
    assert pieces[-1].segment.stop_s == 30.0
    assert said == ["ended: its header says that it is whole"]


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[: 256 * 20 + 3800 * 5]), "shorter"),
        (
            lambda path: path.write_bytes(path.read_bytes().replace(b"10.00.00", b"11.00.00", 1) * 2),
            "another recording",
        ),
        (lambda path: path.unlink(), "nothing came for 8 s"),
    ],
    ids=["truncated", "rotated", "deleted"],
)
def test_what_was_read_of_a_lost_file_is_kept(tmp_path: Path, act: Callable[[Path], object], why: str) -> None:
    path = tmp_path / "night.edf"
    edf = edf_of(signal(30, []))
    path.write_bytes(edf.header() + b"".join(edf.record(i) for i in range(20)))
    before = _whole(path)
    pieces, finished, said = _followed(path, [lambda: act(path), *[lambda: None] * 30], idle_s=8.0)
    assert np.array_equal(_values(pieces), before)
    assert finished.duration_s == 20.0
    assert finished.sha256 is None
    assert why in said[0]


def test_a_share_may_come_back(tmp_path: Path) -> None:
    path, aside = tmp_path / "night.edf", tmp_path / "aside"
    edf = edf_of(signal(30, []))
    path.write_bytes(edf.header() + b"".join(edf.record(i) for i in range(20)))
    rest = b"".join(edf.record(i) for i in range(20, 30))
    steps: list[Step] = [
        lambda: path.rename(aside),
        append(aside, rest),
        lambda: None,
        lambda: aside.rename(path),
        say_count(path, 30),
    ]
    pieces, finished, _ = _followed(path, steps, idle_s=60.0)
    assert np.array_equal(_values(pieces), _whole(path))
    assert finished.sha256 is not None


def test_a_header_that_is_not_whole_yet_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "night.edf"
    edf = edf_of(signal(5, []), n_records=5)
    data = edf.data()
    path.write_bytes(b"")
    steps = [
        append(path, data[:100]),
        append(path, data[100:300]),
        append(path, data[300:9000]),
        append(path, data[9000:]),
    ]
    pieces, _, _ = _followed(path, steps, at_least_s=5.0)
    assert pieces[-1].segment.stop_s == 5.0


@pytest.mark.parametrize("data", [b"PK\x03\x04" + b"x" * 600, b"0       " + b"\x07" * 600, b"hello, world\n" * 90])
def test_garbage_is_refused_at_once(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "night.edf"
    path.write_bytes(data)
    with pytest.raises(InputError) as raised:
        _followed(path, [])
    assert raised.value.kind == "header"


def test_what_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        _followed(tmp_path / "absent.edf", [])


def test_stopping_keeps_what_was_read_and_claims_no_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "night.edf"
    edf = edf_of(signal(30, []))
    path.write_bytes(edf.header() + b"".join(edf.record(i) for i in range(10)))
    pieces, finished, said = _followed(path, [])
    append(path, edf.record(10))()
    assert (pieces[-1].segment.stop_s, finished.duration_s) == (10.0, 10.0)
    assert said == ["ended: stopped"]


def test_bdf_too(tmp_path: Path) -> None:
    path = tmp_path / "night.bdf"
    edf = edf_of(signal(8, []))
    signals = [type(s)(s.label, s.values, RATE_HZ, digital=("-8388608", "8388607")) for s in edf.signals]
    path_edf = FakeEdf(signals, 8, width=3, fields={"n_records": -1})
    pieces, finished, _ = _followed(path, _cut_up(path_edf, path, (100, 12_000)))
    assert np.array_equal(_values(pieces), _whole(path))
    assert finished.format == "BDF"
