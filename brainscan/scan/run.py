"""Run the analysis over an archive; what is done already is skipped."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
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
from brainscan.io.discover import Found, search
from brainscan.io.event_format import EventFormat
from brainscan.io.folder_lock import folder_lock
from brainscan.io.outputs import anonymous_name
from brainscan.io.remote import RemoteFolder
from brainscan.io.remote import shown as address
from brainscan.scan.dispatch import carry_out
from brainscan.scan.executor import Here, Start, Work
from brainscan.scan.index import Index
from brainscan.scan.ledger import Ledger
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

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises
        ------
        UsageError
        """
        if self.source and self.watch is not None:
            raise UsageError("--watch is for folders of this machine", hint="scan the address from time to time")

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
        names = dict.fromkeys(("csv_bi", *self.formats, *(("npz",) if self.curves else ())))
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
    ledger = Ledger()
    found, notes = _found(config)
    if not found.recordings and config.watch is None:
        raise _empty(config, notes)
    for text in notes:
        listener.note(text)
    index = Index(config.out, _facts(options, model), notes, anonymous=config.anonymous)
    entries = list(plan.entries(found.recordings))
    make_folder(config.out)
    with folder_lock(config.out):
        if not config.force:
            check_tables(config.out)
            index.check()
        remove_unfinished(config.out)
        work = Work(options, config.anonymous, config.force, config.keep_patient)
        hears = JobListener(listener.progress, listener.understood)
        executor = start(work, hears) if start else Here(work.job(hears, model))

        def tables() -> None:
            write_tables(config.out, ledger)
            write_record(config.out, _facts(options, model), ledger, notes)
            index.write(ledger, len(ledger))

        watch = None
        if config.watch is None:
            for entry in entries:
                ledger.enter(entry)
        else:
            watch = Watch(
                config.folder,
                ledger,
                lambda: list(plan.entries(_found(config)[0].recordings)),
                config.watch,
                listener.understood,
                tables,
            )
        try:
            carry_out(ledger, plan, executor, index.heard(ledger, listener.outcome), watch)
        finally:
            for path, outcome in _unread(config, found):
                ledger.record(path, outcome)
            tables()
    return ledger


def _found(config: ScanConfig) -> tuple[Found, tuple[str, ...]]:
    """Return what to scan, without what by its name is no EEG, and what has to be said of the archive."""
    shown = _anonymous if config.anonymous else PurePath.as_posix
    found = Found(RemoteFolder(config.source).recordings()) if config.source else search(config.folder, config.out)
    notes = found.notes(shown)
    others = [path for path in found.recordings if not is_eeg(path)]
    if not others:
        return found, notes
    n = len(others)
    what = "1 file is" if n == 1 else f"{n} files are"
    note = f"{what} of other signals than EEG, as BIDS' names tell ({shown(others[0])}): left out"
    return replace(found, recordings=tuple(filter(is_eeg, found.recordings))), (*notes, note)


def _facts(options: AnalysisOptions, model: LazyDetector) -> dict[str, Any]:
    """Return what makes every result; start and stop as they were typed, before any recording's clock."""
    chosen = DetectOptions(channel_map=options.channel_map, max_missing=options.max_missing)
    facts = provenance(model.card, model.decision, chosen)
    return {
        **{key: facts[key] for key in facts if key not in {"start_s", "stop_s"}},
        "start": options.start,
        "stop": options.stop,
    }


def _unread(config: ScanConfig, found: Found) -> list[tuple[PurePath, Outcome]]:
    """Return the outcomes of recordings of kinds that are not read."""
    shown = _anonymous if config.anonymous else PurePath.as_posix
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
