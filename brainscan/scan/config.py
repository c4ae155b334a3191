"""What a scan is asked for: which folder, what is written, and where."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from brainscan.errors import UsageError
from brainscan.io import event_formats
from brainscan.io.event_format import EventFormat
from brainscan.scan.watch import WatchConfig


@dataclass(frozen=True, slots=True)
class ScanConfig:
    """What to scan, and what to write.

    Parameters
    ----------
    folder, out : Path
    formats : tuple of str
        Names in `brainscan.io.event_formats.FORMATS` that say what made a file; ``csv_bi`` is written in any case.
    curves : bool
        Write the probability curves beside it.
    anonymous : bool
        Outputs carry hashes instead of names.
    force : bool
        Overwrite what brainscan did not write, and do again what is done.
    keep_patient : bool
        Copies of recordings say whose they are.
    pages : bool
        Write a page for each recording with events, where jinja2 is installed; among the formats ``html`` asks for
        one in any case.
    watch : WatchConfig or None
        Go on as files arrive, until interrupted.
    source : str
        Address of a remote folder instead of `folder`.
    bids : Path or None
        The folder is a BIDS data set, whose events go into this derivative as well (`brainscan.scan.bids`).
    """

    folder: Path
    out: Path
    formats: tuple[str, ...] = ("csv_bi",)
    curves: bool = False
    anonymous: bool = False
    force: bool = False
    keep_patient: bool = False
    pages: bool = True
    watch: WatchConfig | None = None
    source: str = ""
    bids: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises
        ------
        UsageError
        """
        if self.source and self.watch is not None:
            raise UsageError("--watch is for folders of this machine", hint="scan the address from time to time")
        if self.bids is not None and (self.source or self.watch is not None or self.anonymous):
            raise UsageError("--bids is for a data set of this machine, as it stands and under its own names")

    def if_events(self) -> tuple[EventFormat, ...]:
        """Return the formats that are written only where there are events."""
        page = event_formats.FORMATS["html"]
        wanted = self.pages and page not in self.rows() and importlib.util.find_spec(page.module) is not None
        return (page,) if wanted else ()

    def rows(self) -> tuple[EventFormat, ...]:
        """Return each format to write, the CSV_bi first, from which an earlier run is read back.

        Raises
        ------
        UsageError
            If one does not exist, or does not say what made a file: no scan could see that it is done.
        MissingExtraError
            If one needs a package that is not installed.
        """
        more = (*(("npz",) if self.curves else ()), *(("json",) if self.bids else ()))
        names = dict.fromkeys(("csv_bi", *self.formats, *more))
        rows = tuple(event_formats.named(name, "--format", event_formats.resumable()) for name in names)
        for row in rows:
            row.require()
        return rows
