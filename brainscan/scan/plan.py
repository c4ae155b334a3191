"""What a scan will write for which recording."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath

from brainscan.analysis.task import Target, Task
from brainscan.errors import UsageError
from brainscan.io.event_format import EventFormat
from brainscan.scan.discover import output_stems
from brainscan.scan.ledger import Entry
from brainscan.scan.tables import OWN_FILES


@dataclass(frozen=True, slots=True)
class Plan:
    """From where to where, and in which formats.

    Parameters
    ----------
    folder, out : Path
    rows : tuple of EventFormat
    if_events : tuple of EventFormat
        Formats that are written only where there are events.
    anonymous : bool
        Outputs and messages carry hashes instead of names.
    source : str
        Address of a remote folder instead of `folder`.
    """

    folder: Path
    out: Path
    rows: tuple[EventFormat, ...]
    if_events: tuple[EventFormat, ...] = ()
    anonymous: bool = False
    source: str = ""

    def entries(
        self, recordings: Sequence[PurePath], taken: Callable[[PurePath], bool] = lambda stem: False
    ) -> Iterator[Entry]:
        """Yield what a ledger keeps of recordings that were found.

        Parameters
        ----------
        recordings : sequence of PurePath
            All of a folder, so that names which would clash are seen.
        taken : callable
            ``(stem)``: whether a recording that was found before has it.

        Raises
        ------
        UsageError
            If a result would have the name of one of the scan's own files.
        """
        for path, stem in output_stems(recordings, anonymous=self.anonymous).items():
            entry = Entry(path, path if taken(stem) else stem, self._n_bytes(path))
            self._check(entry)
            yield entry

    def task(self, entry: Entry) -> Task:
        """Return the task that an entry stands for."""
        path, own = self._path(entry), {self.out / name for name in OWN_FILES}
        places = {row: self.out / f"{entry.stem}{row.new_suffix(path)}" for row in (*self.rows, *self.if_events)}
        return Task(
            path=path,
            targets=tuple(
                Target(row, place, if_events=row in self.if_events)
                for row, place in places.items()
                if row in self.rows or place not in own
            ),
            shown=(entry.stem if self.anonymous else entry.path).as_posix(),
            source=self.source,
        )

    def _path(self, entry: Entry) -> Path:
        return Path(entry.path) if self.source else self.folder / entry.path

    def _n_bytes(self, path: PurePath) -> int:
        if self.source:
            return 0
        with suppress(OSError):
            return (self.folder / path).stat().st_size
        return 0

    def _check(self, entry: Entry) -> None:
        if entry.stem.parent != PurePath():
            return
        task = self.task(entry)
        if taken := {self.out / name for name in OWN_FILES} & set(task.files):
            raise UsageError(
                f"its result would be {taken.pop().name}, which the scan writes for itself",
                file=task.shown,
                hint="rename the recording, leave out the --format, or give --anonymous-names",
            )
