"""What a scan has to do and what became of it: in a private database on disk, so that a million recordings fit."""

from __future__ import annotations

import os
import pickle
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from brainscan.analysis.outcome import Outcome

_FETCHED: Final = 256
_TABLE = """
CREATE TABLE recording
(number INTEGER PRIMARY KEY, place BLOB UNIQUE, stem BLOB, bytes INTEGER, outcome BLOB, last INTEGER)
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A recording that waits.

    Parameters
    ----------
    path : PurePath
        Relative to the scanned folder.
    stem : PurePath
        Path of its outputs without suffix, relative to the output folder.
    n_bytes : int
        Its size as it was listed; 0 where unknown.
    """

    path: PurePath
    stem: PurePath
    n_bytes: int = 0


class Ledger:
    """Every recording of a scan: entered as it is found, taken in that order, and its outcome once there is one.

    Iterating gives the outcomes by path, those of recordings that are not read after the others. The listing of a
    folder may enter from another thread than the one that takes and records.

    Attributes
    ----------
    orphaned : tuple of str
        Results in the output folder that are of no recording any more, relative to it.
    """

    def __init__(self) -> None:
        # No name: a temporary file of SQLite's own, which the system removes whatever happens to us.
        self._data = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._lock = threading.Lock()
        self._data.execute("PRAGMA journal_mode = OFF")
        self._data.execute(_TABLE)
        self._data.execute("CREATE INDEX stems ON recording (stem)")
        self._number, self._taken = 1, 0
        self._counts: Counter[str] = Counter()
        self.n_entered = 0
        self.n_recorded = 0  # counts every time
        self.bytes_entered = 0
        self.bytes_ended = 0
        self.events = 0
        self.analysed_s = 0.0
        self.orphaned: tuple[str, ...] = ()

    def enter(self, entry: Entry) -> None:
        """Add a recording that is to be analysed; one that is known already waits again, without its outcome."""
        self.enter_all((entry,))

    def enter_all(self, entries: Iterable[Entry]) -> None:
        """Add recordings, all or none; see `enter`."""
        listed = tuple(entries)
        with self._lock:
            self._data.execute("BEGIN")
            for entry in listed:
                self._enter(entry)
            self._data.execute("COMMIT")

    def _enter(self, entry: Entry) -> None:
        place = _place(entry.path)
        before = self._data.execute(
            "DELETE FROM recording WHERE place = ? RETURNING bytes, outcome", (place,)
        ).fetchall()
        self._data.execute(
            "INSERT INTO recording (number, place, stem, bytes, last) VALUES (?, ?, ?, ?, 0)",
            (self._number, place, os.fsencode(entry.stem), entry.n_bytes),
        )
        self._number += 1
        self.n_entered += 1
        self.bytes_entered += entry.n_bytes
        for n_bytes, data in before:
            self.n_entered -= 1
            self.bytes_entered -= n_bytes
            if data is not None:
                self._count(pickle.loads(data), n_bytes, -1)

    def has_stem(self, stem: PurePath) -> bool:
        """Say whether the outputs of some recording have this path."""
        with self._lock:
            row = self._data.execute("SELECT 1 FROM recording WHERE stem = ? LIMIT 1", (os.fsencode(stem),)).fetchone()
        return row is not None

    def paths(self) -> Iterator[PurePath]:
        """Yield every recording that was entered."""
        last = 0
        while True:
            with self._lock:
                rows = self._data.execute(
                    "SELECT number, place FROM recording WHERE number > ? AND stem IS NOT NULL"
                    f" ORDER BY number LIMIT {_FETCHED}",
                    (last,),
                ).fetchall()
            if not rows:
                return
            last = rows[-1][0]
            for _, place in rows:
                yield _path(place)

    def has_result(self, stem: PurePath) -> bool:
        """Say whether the recording whose outputs have this path was analysed, in this run or before."""
        with self._lock:
            rows = self._data.execute(
                "SELECT outcome FROM recording WHERE stem = ? AND outcome IS NOT NULL", (os.fsencode(stem),)
            ).fetchall()
        return any(pickle.loads(data).status in {"done", "skipped"} for (data,) in rows)

    def take(self) -> Entry | None:
        """Return the next recording that nobody has taken; None if there is none for now."""
        with self._lock:
            row = self._data.execute(
                "SELECT number, place, stem, bytes FROM recording WHERE number > ? AND outcome IS NULL"
                " ORDER BY number LIMIT 1",
                (self._taken,),
            ).fetchone()
        if row is None:
            return None
        self._taken = row[0]
        return _entry(row[1:])

    @property
    def waits(self) -> bool:
        """Whether there is a recording that nobody has taken."""
        with self._lock:
            row = self._data.execute(
                "SELECT 1 FROM recording WHERE number > ? AND outcome IS NULL LIMIT 1", (self._taken,)
            ).fetchone()
        return row is not None

    def entry(self, path: PurePath) -> Entry:
        """Return what is known of a recording that was entered."""
        with self._lock:
            row = self._data.execute("SELECT place, stem, bytes FROM recording WHERE place = ?", (_place(path),))
            return _entry(row.fetchone())

    def record(self, path: PurePath, outcome: Outcome) -> None:
        """Keep what became of a recording; one that was not entered is among the last."""
        data = pickle.dumps(outcome)
        with self._lock:
            found = self._data.execute(
                "UPDATE recording SET outcome = ? WHERE place = ? RETURNING bytes", (data, _place(path))
            ).fetchone()
            if found is None:
                self._data.execute(
                    "INSERT INTO recording (number, place, outcome, last) VALUES (?, ?, ?, 1)",
                    (self._number, _place(path), data),
                )
                self._number += 1
            self._count(outcome, found[0] if found else 0, 1)
            self.n_recorded += 1

    def _count(self, outcome: Outcome, n_bytes: int, sign: int) -> None:
        self._counts[outcome.status] += sign
        self.bytes_ended += sign * n_bytes
        self.events += sign * len(outcome.events)
        self.analysed_s += sign * outcome.analysed_s

    def __len__(self) -> int:
        """Return how many outcomes there are."""
        return self._counts.total()

    def __iter__(self) -> Iterator[Outcome]:
        """Yield the outcomes, by path."""
        at: tuple[int, bytes] = (-1, b"")
        while True:
            with self._lock:
                rows = self._data.execute(
                    "SELECT last, place, outcome FROM recording WHERE outcome IS NOT NULL AND (last, place) > (?, ?)"
                    f" ORDER BY last, place LIMIT {_FETCHED}",
                    at,
                ).fetchall()
            if not rows:
                return
            for last, place, data in rows:
                at = (last, place)
                outcome = pickle.loads(data)
                assert isinstance(outcome, Outcome)
                yield outcome

    @property
    def counts(self) -> dict[str, int]:
        """How many recordings ended how."""
        return {status: self._counts[status] for status in ("done", "skipped", "failed", "unread")}


def _entry(row: tuple[bytes, bytes, int]) -> Entry:
    return Entry(_path(row[0]), PurePath(os.fsdecode(row[1])), row[2])


def _place(path: PurePath) -> bytes:
    """Return a key whose order is that of paths: by their parts."""
    return b"\0".join(map(os.fsencode, path.parts))


def _path(place: bytes) -> PurePath:
    return PurePath(*(os.fsdecode(part) for part in place.split(b"\0")))
