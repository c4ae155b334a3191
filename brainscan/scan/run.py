"""Run the analysis over an archive; what is done already is skipped."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from brainscan.analysis.job import Listener as JobListener
from brainscan.analysis.lazy_detector import LazyDetector
from brainscan.analysis.options import AnalysisOptions
from brainscan.analysis.outcome import Outcome
from brainscan.examine import DetectOptions, provenance
from brainscan.io.atomic import make_folder, remove_unfinished
from brainscan.io.discover import Found, joined
from brainscan.io.folder_lock import folder_lock
from brainscan.scan import bids
from brainscan.scan.config import ScanConfig
from brainscan.scan.discover import possible_stems
from brainscan.scan.dispatch import carry_out
from brainscan.scan.executor import Here, Start, Work
from brainscan.scan.found import Look, left_out_of, notes_of, nothing_found, parts, unread_of
from brainscan.scan.index import Index
from brainscan.scan.ledger import Entry, Ledger
from brainscan.scan.listing import Listing
from brainscan.scan.orphans import orphans, told
from brainscan.scan.plan import Plan
from brainscan.scan.tables import check_tables, write_record, write_tables
from brainscan.scan.watch import Watch


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
    with closing(run.more) as more:
        run.begin()
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
                run.end()
    return run.ledger


class _Run:
    """What one scan has found and done so far, and where it says so."""

    def __init__(self, config: ScanConfig, plan: Plan, listener: Listener, facts: dict[str, Any]) -> None:
        self._config, self._plan, self._listener, self._facts = config, plan, listener, facts
        self._unread: list[tuple[PurePath, Outcome]] = []
        self._left_out: frozenset[PurePath] = frozenset()
        self._has_looked = False
        self._look = Look.again()
        self.ledger = Ledger()
        self.index = Index(config.out, facts, anonymous=config.anonymous)
        self.more = self._source()

    def _source(self) -> Listing | Watch:
        """Return what fills the ledger: a listing of the folder, or somebody who watches it."""
        config = self._config
        if config.watch is None:
            return Listing(parts(config), self._plan, self.ledger, self._told)
        return Watch(config.folder, self.ledger, self._find, config.watch, self._listener.understood, self._tables)

    def begin(self) -> None:
        """Fill the ledger.

        Raises
        ------
        InputError
            If the folder cannot be listed, or holds no recording that can be read.
        """
        if isinstance(self.more, Watch):
            self._told(joined(tuple(parts(self._config, self._look))))
            return
        self.more.begin()
        if not self.ledger.n_entered:
            raise nothing_found(self._config, self.index.notes)

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
        return list(self._plan.entries(joined(tuple(parts(self._config, self._look))).recordings))

    def _told(self, found: Found) -> None:
        """Hear of what is no task."""
        self.index.notes = notes_of(self._config, found)
        for text in self.index.notes:
            self._listener.note(text)
        self._unread = unread_of(self._config, found)
        self._left_out = left_out_of(self._config, found)

    def _tables(self) -> None:
        out = self._config.out
        if not self._has_looked:
            self._has_looked = True
            self._tell_orphans()
        write_tables(out, self.ledger)
        write_record(out, self._facts, self.ledger, self.index.notes)
        self.index.write(self.ledger, len(self.ledger))
        if self._config.bids is not None:
            bids.write(self._config.bids, out, self.ledger, self._facts, force=self._config.force)

    def _tell_orphans(self) -> None:
        """Look which results are of no recording any more, while the tables of the earlier scan are there."""
        there, anonymous = self.more.there(), self._config.anonymous
        found = orphans(
            self._config.out,
            self.ledger,
            lambda stem: stem in self._left_out or self.more.knows(stem),
            (stem for path in there for stem in possible_stems(path, anonymous=anonymous)),
        )
        self.ledger.orphaned = found
        if found:
            text = told(found)
            self.index.notes = (*self.index.notes, text)
            self._listener.note(text)


def _facts(options: AnalysisOptions, model: LazyDetector) -> dict[str, Any]:
    """Return what makes every result; times as they were typed, before any recording's clock, and no file's name."""
    chosen = DetectOptions(channel_map=options.channel_map, max_missing=options.max_missing)
    facts = provenance(model.card, model.decision, chosen)
    return {
        **{key: facts[key] for key in facts if key not in {"start_s", "stop_s", "quiet"}},
        "start": options.start,
        "stop": options.stop,
        "baseline": "a file" if options.baseline and Path(options.baseline).is_file() else options.baseline,
    }
