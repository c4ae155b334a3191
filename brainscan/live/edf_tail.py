"""An EDF or BDF file that is followed while it is written."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from brainscan.errors import InputError
from brainscan.io import read
from brainscan.io.containers import read_head
from brainscan.io.edf_header import Signal
from brainscan.io.edf_reader import EdfReader
from brainscan.io.tal import IGNORED, record_onset, timeline
from brainscan.live.edf_growth import Clock, EdfGrowth
from brainscan.live.record_times import RecordRun, RecordTimes
from brainscan.live.source import STEP_S, Piece
from brainscan.recording import Recording, Samples, Segment

_TIME_TOLERANCE_S = 1e-3
_SET_BACK = (
    "warning: the recorder's clock was set back to before the recording's start: what follows is a new segment right"
    " behind the last"
)
_OTHER_TIMES = "its times differ from those of the finished file: run `brainscan detect` on that"


@dataclass(frozen=True, slots=True)
class Following:
    """How a growing file is followed.

    Parameters
    ----------
    poll_s : float
        From look to look, seconds.
    idle_s : float
        Without growth for so long, the recording has ended; 0 for never.
    clock : callable
        Seconds that only grow.
    """

    poll_s: float = 0.1
    idle_s: float = 300.0
    clock: Clock = time.monotonic


class EdfTail:
    """A source: an EDF or BDF file that grows.

    Parameters
    ----------
    path : Path
    following : Following
    stop : threading.Event
        Set by whoever wants the stream to end.
    say : callable
        Hears why it ended.
    """

    def __init__(self, path: Path, following: Following, stop: threading.Event, say: Callable[[str], None]) -> None:
        self._path = path
        self._following = following
        self._stop = stop
        self._say = say
        self._growth = EdfGrowth(path, following.idle_s, following.clock)
        self._recording: Recording | None = None
        self._segments: list[Segment] = []
        self._n_done = 0

    @property
    def over(self) -> bool:
        """Whether nothing will come beyond what is there."""
        return bool(self._growth.why_over) or self._stop.is_set()

    def open(self, at_least_s: float) -> Recording:
        """Wait for so many seconds of recording, or the end, and open the file.

        Raises
        ------
        InputError
            If it cannot be used.
        """
        read_head(self._path)
        self._growth.poll()
        while self._growth.held_s < at_least_s and not self.over:
            self._stop.wait(self._following.poll_s)
            self._growth.poll()
        self._recording = read(self._path)
        return self._recording

    def pieces(self, channels: Sequence[int]) -> Iterator[Piece]:
        """Yield its records from the first one on, and a piece without samples where time passed and none came."""
        assert self._recording is not None
        reader = self._recording.reader
        assert isinstance(reader, EdfReader)
        times, clock = self._times(reader)
        most = max(1, int(STEP_S / reader.header.record_s))
        while True:
            over = self.over  # asked before the look: what came before the end is taken
            self._growth.poll()
            while self._n_done < self._growth.n_records:
                count = min(self._growth.n_records - self._n_done, most)
                try:
                    onsets = _onsets(reader, clock, self._n_done, count)
                    after = copy(times)
                    read_runs = [(run, _samples(reader, channels, run)) for run in after.push(onsets)]
                except InputError:  # gone, perhaps for a while
                    break
                self._growth.poll()
                if self._growth.lost:  # what was read may be another recording's
                    break
                if after.n_set_back > times.n_set_back:
                    self._say(_SET_BACK)
                times, self._n_done = after, self._n_done + count
                for run, samples in read_runs:
                    yield self._piece(reader, run, samples)
                if self._stop.is_set():
                    break
            if over or self._growth.lost:
                break
            if not self.over:
                yield Piece(self._segments[-1] if self._segments else Segment(0.0, 0.0), None)
                self._stop.wait(self._following.poll_s)
        if not self._growth.lost:
            for run in times.finish():
                yield self._piece(reader, run, _samples(reader, channels, run))
        self._say(f"ended: {self._growth.why_over or 'stopped'}")

    def finished(self) -> Recording:
        """Return the finished file; what was handed on of it where it is gone, or goes on without us."""
        assert self._recording is not None
        try:
            whole = read(self._path) if not self._growth.lost else self._recording
        except InputError:
            whole = self._recording
        if not self._growth.lost and _same_times(whole.segments, self._segments):
            return whole
        parts = tuple(self._segments)
        warnings = whole.warnings
        if not self._growth.lost and _begin_otherwise(whole.segments, parts):
            warnings = (*(text for text in warnings if not text.startswith(IGNORED)), _OTHER_TIMES)
        return replace(
            whole,
            start=self._recording.start,
            segments=parts,
            duration_s=max(part.stop_s for part in parts),
            sha256=None,
            warnings=warnings,
        )

    def _times(self, reader: EdfReader) -> tuple[RecordTimes, Signal | None]:
        header = reader.header
        fastest = max(Fraction(signal.samples) / header.record_s for signal in reader.signals)
        tolerance_s = max(float(1 / fastest), _TIME_TOLERANCE_S)
        times = RecordTimes(float(header.record_s), tolerance_s)
        lists = [signal for signal in header.signals if signal.is_annotations and signal.samples]
        for signal in lists:
            onsets = np.array(_onsets(reader, signal, 0, reader.n_records))
            if np.isfinite(onsets).any():  # what the beginning shows to be no clock is none
                is_clock = timeline(onsets, float(header.record_s), tolerance_s).is_clock
                return times, signal if is_clock else None
        return times, None

    def _piece(self, reader: EdfReader, run: RecordRun, samples: Samples) -> Piece:
        record_s = reader.header.record_s
        segment = Segment(run.start_s, float((run.within + run.count) * record_s))
        if run.within:
            self._segments.pop()
        self._segments.append(segment)
        left = self._growth.n_records - run.first - run.count
        return Piece(segment, samples, float(left * record_s))


def _samples(reader: EdfReader, channels: Sequence[int], run: RecordRun) -> Samples:
    """Read the samples of some records."""
    part = Segment(0.0, float(run.count * reader.header.record_s))
    return replace(reader, segments=(part,), first_records=(run.first,))(channels, part, 0.0, part.duration_s)


def _onsets(reader: EdfReader, clock: Signal | None, first: int, count: int) -> list[float]:
    """Return when records start, from the signal that keeps the time; NaN where there is none."""
    if clock is None:
        return [float("nan")] * count
    return [record_onset(block) for block in reader.annotation_blocks(clock, count, first)]


def _begin_otherwise(finished: Sequence[Segment], followed: Sequence[Segment]) -> bool:
    """Whether segments begin at other times than those of the file, which may go on behind them."""
    pairs = zip(finished, followed, strict=False)
    return len(followed) > len(finished) or any(abs(a.start_s - b.start_s) >= _TIME_TOLERANCE_S for a, b in pairs)


def _same_times(segments: Sequence[Segment], others: Sequence[Segment]) -> bool:
    return len(segments) == len(others) and all(
        abs(a.start_s - b.start_s) < _TIME_TOLERANCE_S and abs(a.duration_s - b.duration_s) < _TIME_TOLERANCE_S
        for a, b in zip(segments, others, strict=True)
    )
