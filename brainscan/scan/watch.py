"""A folder that is looked at again and again: what is new and whole enters the ledger."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from brainscan.analysis.outcome import Outcome
from brainscan.errors import BrainscanError, InputError
from brainscan.io.growing import State, held_by, is_whole, state_of
from brainscan.scan.ledger import Entry, Ledger

_SLICE_S = 0.5
_ATTEMPTS = 3
"""Of a recording that cannot be read or whose results cannot be written: a share may have been away."""


@dataclass(frozen=True, slots=True)
class WatchConfig:
    """How a folder is watched.

    Parameters
    ----------
    every_s : float
        Between two looks.
    settle_s : float
        A file is taken once nothing of it has changed for so long.
    abandoned_s : float
        One that is not whole by its header is taken as it is after so long without a change: its recorder stopped.
    """

    every_s: float = 10.0
    settle_s: float = 30.0
    abandoned_s: float = 3600.0


@dataclass(slots=True)
class _Seen:
    """What is known of one file: its state, since when, and whether it was taken in that state.

    Times are of the monotonic clock: neither ours nor the file system's clock, which may jump, decides anything.
    """

    state: State
    since_s: float
    taken: bool = False


class Watch:
    """Looks at a folder, and enters in the ledger what has come and is whole.

    Parameters
    ----------
    folder : Path
    ledger : Ledger
    find : callable
        Returns the entries of all recordings that are in the folder.
    config : WatchConfig
    note : callable
        Hears what the user has to know.
    idle : callable
        Called when all that has come is done, and something was.
    """

    def __init__(
        self,
        folder: Path,
        ledger: Ledger,
        find: Callable[[], list[Entry]],
        config: WatchConfig,
        note: Callable[[str], None],
        idle: Callable[[], None],
    ) -> None:
        self._folder, self._ledger, self._find = folder, ledger, find
        self._config, self._note, self._idle = config, note, idle
        self._seen: dict[PurePath, _Seen] = {}
        self._attempts: Counter[tuple[PurePath, State]] = Counter()
        self._next_look_s = float("-inf")
        self._gone = False
        self._paths: dict[PurePath, PurePath] | None = None  # by their outputs' stems; None: nobody has looked
        self._said: set[PurePath] = set()
        self._n_told = 0

    def __call__(self, *, idle: bool) -> bool:
        """Look if it is time to, else rest a moment if nobody works.

        Returns
        -------
        bool
            True: more may come at any time.
        """
        now = time.monotonic()
        if now >= self._next_look_s:
            self.look(now)
            self._next_look_s = time.monotonic() + self._config.every_s
        elif idle:
            self._tell()
            time.sleep(min(_SLICE_S, self._next_look_s - now))
        return True

    @property
    def n_recordings(self) -> None:
        """Nobody knows how many there will be."""

    def close(self) -> None:
        """Look no more."""

    def knows(self, stem: PurePath) -> bool:
        """Say whether there is a recording whose outputs have this path, or may be: while the folder is away."""
        return self._gone or self._paths is None or stem in self._paths

    def there(self) -> Iterator[PurePath]:
        """Yield the recordings that the last look found."""
        return iter((self._paths or {}).values())

    def ended(self, path: PurePath, outcome: Outcome) -> None:
        """Hear of an outcome: what failed because a file or folder was away is taken again later."""
        seen = self._seen.get(path)
        if seen is None or outcome.error is None or outcome.error.kind not in {"io", "output"}:
            return
        self._attempts[path, seen.state] += 1
        if self._attempts[path, seen.state] < _ATTEMPTS:
            seen.taken, seen.since_s = False, time.monotonic()

    def look(self, now: float) -> None:
        """Look once.

        Parameters
        ----------
        now : float
            Of the monotonic clock, seconds.
        """
        try:
            entries = self._find()
        except InputError as error:
            if not self._gone:
                self._note(f"{error.file}: {error.message}: waiting for it to come back")
            self._gone = True
            return
        if self._gone:
            self._note(f"{self._folder} is back")
            self._gone = False
        self._paths = {entry.stem: entry.path for entry in entries}
        for entry in entries:
            if self._is_ripe(entry, now):
                self._seen[entry.path].taken = True
                self._ledger.enter(entry)

    def _is_ripe(self, entry: Entry, now: float) -> bool:
        path = self._folder / entry.path
        state, seen = state_of(path), self._seen.get(entry.path)
        if state is None:
            return False
        if seen is None or seen.state != state:
            self._seen[entry.path] = _Seen(state, now)
            return False
        quiet_s = now - seen.since_s
        if seen.taken or quiet_s < self._config.settle_s:
            return False
        if holder := held_by(path):
            self._say_once(entry.path, f"is in use ({holder} is beside it): left until it is not")
            return False
        if is_whole(path):
            return True
        if quiet_s < self._config.abandoned_s:
            self._say_once(entry.path, "is not whole yet, by its header: left until it is")
            return False
        return True

    def _say_once(self, path: PurePath, text: str) -> None:
        if path not in self._said:
            self._said.add(path)
            self._note(f"{path.as_posix()} {text}")

    def _tell(self) -> None:
        """Bring the tables up to date, if they can be written."""
        if self._n_told == self._ledger.n_recorded:
            return
        try:
            self._idle()
        except BrainscanError as error:
            self._note(f"{error.message}: tried again later")
        else:
            self._n_told = self._ledger.n_recorded
