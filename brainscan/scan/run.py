"""Run the analysis over an archive; what is done already is skipped."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any

from brainscan.analysis.job import Listener as JobListener
from brainscan.analysis.lazy_detector import LazyDetector
from brainscan.analysis.options import AnalysisOptions
from brainscan.analysis.outcome import Outcome
from brainscan.corpora.table import is_eeg
from brainscan.errors import InputError, UsageError
from brainscan.examine import DetectOptions, provenance
from brainscan.io import event_formats
from brainscan.io.atomic import make_folder, remove_unfinished
from brainscan.io.containers import readable_names, unread
from brainscan.io.discover import Found, explore, joined
from brainscan.io.edf_annotations import holds_our_events
from brainscan.io.event_format import EventFormat
from brainscan.io.folder_lock import folder_lock
from brainscan.io.outputs import anonymous_name
from brainscan.io.remote import RemoteFolder
from brainscan.io.remote import shown as address
from brainscan.scan import bids
from brainscan.scan.dispatch import carry_out
from brainscan.scan.executor import Here, Start, Work
from brainscan.scan.index import Index
from brainscan.scan.ledger import Entry, Ledger
from brainscan.scan.listing import Listing
from brainscan.scan.plan import Plan
from brainscan.scan.tables import check_tables, write_record, write_tables
from brainscan.scan.watch import Watch, WatchConfig


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


def _ignore(text: str) -> None:
    return None


def _no_report(outcome: Outcome, number: int, total: int) -> None:
    return None


def _no_progress(file: str, at_s: float, duration_s: float) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears of a scan's course.

    Parameters
    ----------
    outcome : callable
        ``(outcome, number, total)`` after each recording.
    progress : callable
        ``(file, at_s, duration_s)`` within one.
    note : callable
        ``(text)``: what a user has to know of the archive as a whole.
    understood : callable
        ``(text)``: which moment a clock time was taken for.
    """

    outcome: Callable[[Outcome, int, int], None] = field(default=_no_report)
    progress: Callable[[str, float, float], None] = field(default=_no_progress)
    note: Callable[[str], None] = field(default=_ignore)
    understood: Callable[[str], None] = field(default=_ignore)


def scan(
    config: ScanConfig,
    options: AnalysisOptions,
    model: LazyDetector | None = None,
    listener: Listener | None = None,
    start: Start | None = None,
) -> Ledger:
    """Detect in every recording below a folder.

    Outputs lie in the same tree below `config.out`, beside ``summary.csv``, ``failures.csv`` and ``run.json``, which
    are written at the end, also of an interrupted run. What a user or a file can cause fails that recording alone.

    Parameters
    ----------
    config : ScanConfig
    options : AnalysisOptions
    model : LazyDetector, optional
        By default that of the options; loaded for the first recording that is not done.
    listener : Listener, optional
    start : callable, optional
        Makes the executor; by default this process does all, one recording after the other.

    Returns
    -------
    Ledger
        The outcomes, in the order of the files' names, then those of kinds that are not read.

    Raises
    ------
    InputError
        If the folder cannot be listed, or holds no recording that can be read.
    OutputError
        If the output folder cannot be made or written, its tables are somebody else's, or another scan writes there.
    ModelError, UsageError, MissingExtraError
        If the model or a format cannot be used, or a result would have the name of one of the scan's own files.
    """
    listener, rows = listener or Listener(), config.rows()
    model = model or LazyDetector.open(options)
    plan = Plan(config.folder, config.out, rows, config.if_events(), config.anonymous, config.source)
    run = _Run(config, plan, listener, _facts(options, model))
    more = run.more()
    try:
        run.begin(more)
        make_folder(config.out)
        with folder_lock(config.out):
            run.check_place()
            work = Work(options, config.anonymous, config.force, config.keep_patient, more.n_recordings)
            hears = JobListener(listener.progress, listener.understood)
            executor = start(work, hears) if start else Here(work.job(hears, model))
            try:
                carry_out(run.ledger, plan, executor, run.index.heard(run.ledger, listener.outcome), more)
                remove_unfinished(config.out)  # of workers that died while they wrote
            finally:
                more.close()
                run.end()
    finally:
        more.close()
    return run.ledger


class _Run:
    """What one scan has found and done so far, and where it says so."""

    def __init__(self, config: ScanConfig, plan: Plan, listener: Listener, facts: dict[str, Any]) -> None:
        self._config, self._plan, self._listener, self._facts = config, plan, listener, facts
        self._unread: list[tuple[PurePath, Outcome]] = []
        self.ledger = Ledger()
        self.index = Index(config.out, facts, anonymous=config.anonymous)

    def more(self) -> Listing | Watch:
        """Return what fills the ledger: a listing of the folder, or somebody who watches it."""
        config = self._config
        if config.watch is None:
            return Listing(_parts(config), self._plan, self.ledger, self._told)
        return Watch(config.folder, self.ledger, self._find, config.watch, self._listener.understood, self._tables)

    def begin(self, more: Listing | Watch) -> None:
        """Fill the ledger.

        Raises
        ------
        InputError
            If the folder cannot be listed, or holds no recording that can be read.
        """
        if isinstance(more, Watch):
            self._told(joined(tuple(_parts(self._config))))
            return
        more.begin()
        if not self.ledger.n_entered:
            raise _empty(self._config, self.index.notes)

    def check_place(self) -> None:
        """Refuse to replace what is somebody else's, and remove what a killed scan left.

        Raises
        ------
        OutputError
        """
        if not self._config.force:
            check_tables(self._config.out)
            if self._config.bids is not None:
                bids.check(self._config.bids)
            self.index.check()
        remove_unfinished(self._config.out)

    def end(self) -> None:
        """Write the tables, with what is not read."""
        for path, outcome in self._unread:
            self.ledger.record(path, outcome)
        self._tables()

    def _find(self) -> list[Entry]:
        return list(self._plan.entries(joined(tuple(_parts(self._config))).recordings))

    def _told(self, found: Found) -> None:
        """Hear of what is no task."""
        shown = _anonymous if self._config.anonymous else PurePath.as_posix
        notes = (*found.notes(shown), *_left_out(self._config, found.others, shown))
        for text in notes:
            self._listener.note(text)
        self.index.notes = notes
        self._unread = _unread(found, shown)

    def _tables(self) -> None:
        out = self._config.out
        write_tables(out, self.ledger)
        write_record(out, self._facts, self.ledger, self.index.notes)
        self.index.write(self.ledger, len(self.ledger))
        if self._config.bids is not None:
            bids.write(self._config.bids, out, self.ledger, self._facts, force=self._config.force)


def _parts(config: ScanConfig) -> Iterator[Found]:
    """Yield what lies in each folder; recordings that are left out stand among the other files."""
    if config.source:
        parts: Iterable[Found] = (Found(RemoteFolder(config.source).recordings()),)
    else:
        parts = explore(config.folder, config.out)
    for part in parts:
        kept = bids.recordings_of(part)[0].recordings if config.bids is not None else part.recordings
        kept = tuple(path for path in kept if is_eeg(path) and not _is_copy(config, path))
        held = frozenset(kept)
        yield replace(part, recordings=kept, others=tuple(path for path in part.recordings if path not in held))


def _left_out(config: ScanConfig, paths: Sequence[PurePath], shown: Callable[[PurePath], str]) -> Iterator[str]:
    """Yield what has to be said of recordings that are left out, a line for each reason."""
    if config.bids is not None:
        found, notes = bids.recordings_of(Found(tuple(paths)))
        yield from notes
        paths = found.recordings
    copies = [path for path in paths if _is_copy(config, path)]
    if copies:
        what = "1 file holds" if len(copies) == 1 else f"{len(copies)} files hold"
        yield f"{what} brainscan's own events, copies of recordings with them ({shown(copies[0])}): left out"
    signals = [path for path in paths if path not in set(copies)]
    if signals:
        what = "1 file is" if len(signals) == 1 else f"{len(signals)} files are"
        yield f"{what} of other signals than EEG, as BIDS' names tell ({shown(signals[0])}): left out"


def _is_copy(config: ScanConfig, path: PurePath) -> bool:
    """Say whether a recording is a copy that brainscan put its events into."""
    return not config.source and holds_our_events(config.folder / path)


def _facts(options: AnalysisOptions, model: LazyDetector) -> dict[str, Any]:
    """Return what makes every result; start and stop as they were typed, before any recording's clock."""
    chosen = DetectOptions(channel_map=options.channel_map, max_missing=options.max_missing)
    facts = provenance(model.card, model.decision, chosen)
    return {
        **{key: facts[key] for key in facts if key not in {"start_s", "stop_s"}},
        "start": options.start,
        "stop": options.stop,
    }


def _unread(found: Found, shown: Callable[[PurePath], str]) -> list[tuple[PurePath, Outcome]]:
    """Return the outcomes of recordings of kinds that are not read."""
    return [
        (path, Outcome(shown(path), "unread", warnings=(kind.name,), error=unread(kind, shown(path))))
        for path, kind in found.unread
    ]


def _empty(config: ScanConfig, notes: tuple[str, ...]) -> InputError:
    return InputError(
        "holds no recording that can be read" if notes else "holds no recording",
        kind="empty",
        file=address(config.source) if config.source else str(config.folder),
        hint="; ".join(notes) or readable_names(),
    )


def _anonymous(path: PurePath) -> str:
    return PurePath(*map(anonymous_name, path.parts)).as_posix()
