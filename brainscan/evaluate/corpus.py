"""Which recordings a corpus holds, whose they are, and where the truth about each lies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

from brainscan.errors import InputError
from brainscan.evaluate.index import Index, IndexRow, find_index
from brainscan.evaluate.references import ReferenceFolder, require_foreign
from brainscan.events import union
from brainscan.io.discover import find_recordings

Spans = tuple[tuple[float, float], ...]

_MANY = 5

# Names of well-known corpora (BIDS, TUSZ, CHB-MIT, Siena) carry the patient.
_PATIENT_IN_PATH = re.compile(r"^(sub-[A-Za-z0-9]+)(?=_|$)")
_PATIENT_IN_NAME = re.compile(r"^(?:(sub-[A-Za-z0-9]+)(?=_)|([a-z]{8})(?=_s\d+_t\d+)|(chb\d+)(?=_)|(PN\d+)(?=-))")


@dataclass(frozen=True, slots=True)
class CorpusConfig:
    """What to evaluate on.

    Parameters
    ----------
    folder : Path
    annotations : Path or None
        Where the annotations lie if not beside the recordings.
    groups, sources : tuple of str
        Only these, as the index names them; empty means all.
    exclude : tuple of str
        Patterns of relative paths or file names to leave out.
    out : Path or None
        Where outputs go; what lies there is no recording of the corpus.
    """

    folder: Path
    annotations: Path | None = None
    groups: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    out: Path | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One recording and where its truth is.

    Parameters
    ----------
    path : Path
    name : str
        Relative to the corpus, with forward slashes.
    reference : Path
        Annotation file; the recording itself where its own annotations are the truth.
    source : str
        Hospital, device or collection.
    subject : str
        Unique within the source.
    group, kind : str
        As the index says.
    scored : tuple of (float, float) or None
        Spans that the experts judged, seconds; None for the whole recording.
    """

    path: Path
    name: str
    reference: Path
    source: str
    subject: str
    group: str = ""
    kind: str = ""
    scored: Spans | None = None

    @property
    def patient(self) -> str:
        """Patient, unique in the corpus."""
        return f"{self.source}/{self.subject}" if self.source else self.subject

    def judged(self, duration_s: float) -> Spans:
        """Return the spans that the experts judged, within the recording."""
        if self.scored is None:
            return ((0.0, duration_s),)
        return union((max(0.0, a), min(b, duration_s)) for a, b in self.scored)


@dataclass(frozen=True, slots=True)
class Corpus:
    """The cases, and what was left out.

    Parameters
    ----------
    folder : Path
    cases : tuple of Case
        In order of name.
    n_excluded : int
        By pattern, or because the index says that nothing of it is scored.
    warnings : tuple of str
    recordings : tuple of str
        Names of all recordings, also of those that are no case: what a file belongs to is told among all of them.
    """

    folder: Path
    cases: tuple[Case, ...]
    n_excluded: int = 0
    warnings: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()


def read_corpus(config: CorpusConfig) -> Corpus:
    """Pair the recordings below a folder with their annotations.

    An ``index.csv`` in the folder or above it that lists recordings of the folder decides which belong to the
    corpus, and names group, source, subject and scored part. Without one every recording below the folder counts;
    whose it is, is told by names of known corpora (``sub-01``, ``chb01``, ``PN00``, Temple), else by its folder,
    else it is a patient of its own.

    Raises
    ------
    InputError
        If there is no recording, a listed one is missing, one has no annotation and is not excluded, or its
        annotation is brainscan's own unreviewed output.
    """
    folder = config.folder
    found = find_recordings(folder, config.out or folder)
    index, remarks = find_index(folder)
    names, rows, warnings = _listed(folder, found, index)
    chosen = [name for name in names if _wanted(rows.get(name), config)]
    kept = [name for name in chosen if not _excluded(name, rows.get(name), config.exclude)]
    if not kept:
        raise InputError("no recording to evaluate below it", kind="empty", file=str(folder), hint=_empty_hint(config))
    recordings = tuple(dict.fromkeys((*(path.as_posix() for path in found), *names)))
    references = ReferenceFolder(folder, kept, recordings, config.annotations)
    cases = _paired(folder, kept, rows, references)
    require_foreign(case.reference for case in cases if case.reference != case.path)
    told = (*remarks, *warnings, *references.warnings)
    return Corpus(folder, cases, len(chosen) - len(kept), told, recordings)


def _listed(
    folder: Path, found: Sequence[PurePath], index: Index | None
) -> tuple[list[str], Mapping[str, IndexRow], tuple[str, ...]]:
    """Return the names of the corpus' recordings, their rows in the index, and warnings."""
    names = [path.as_posix() for path in found]
    if index is None:
        return names, {}, ()
    rows = index.below(folder)
    missing = [name for name in rows if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"lists {len(missing)} recordings that are not there ({_few(missing)})", kind="io", file=index.path.name
        )
    unlisted = [name for name in names if name not in rows]
    warnings = (f"{len(unlisted)} recordings are not in {index.path.name} and left out",) if unlisted else ()
    return sorted(rows), rows, warnings


def _wanted(row: IndexRow | None, config: CorpusConfig) -> bool:
    group, source = (row.group, row.source) if row else ("", "")
    return (not config.groups or group in config.groups) and (not config.sources or source in config.sources)


def _excluded(name: str, row: IndexRow | None, patterns: Sequence[str]) -> bool:
    if row is not None and row.scored == ():
        return True
    return any(fnmatchcase(name, pattern) or fnmatchcase(PurePath(name).name, pattern) for pattern in patterns)


def _paired(
    folder: Path, names: Sequence[str], rows: Mapping[str, IndexRow], references: ReferenceFolder
) -> tuple[Case, ...]:
    cases, unpaired = [], []
    for name in names:
        reference = references.find(PurePath(name))
        if reference is None:
            unpaired.append(name)
            continue
        row = rows.get(name) or IndexRow(name)
        cases.append(
            Case(
                path=folder / name,
                name=name,
                reference=reference,
                source=row.source,
                subject=row.subject or subject_of(PurePath(name)),
                group=row.group,
                kind=row.kind,
                scored=row.scored,
            )
        )
    if unpaired:
        why = references.reason(PurePath(unpaired[0]))
        raise InputError(
            f"{len(unpaired)} of {len(names)} recordings have no annotation ({_few(unpaired)})"
            + (f"; the first: {why}" if why else ""),
            kind="io",
            file=str(folder),
            hint="name their folder with --annotations DIR, or leave them out with --exclude PATTERN",
        )
    return tuple(cases)


def subject_of(name: PurePath) -> str:
    """Return whose recording it is, by its path in the corpus.

    >>> [subject_of(PurePath(p)) for p in ("chb01/chb01_03.edf", "ward7/a.edf", "a.edf")]
    ['chb01', 'ward7', 'a']
    """
    for part in name.parts[:-1]:
        match = _PATIENT_IN_PATH.match(part)
        if match:
            return match[1]
    match = _PATIENT_IN_NAME.match(name.name)
    if match:
        return next(group for group in match.groups() if group)
    return name.parent.as_posix() if len(name.parts) > 1 else name.stem


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:_MANY]) + (" ..." if len(listed) > _MANY else "")


def _empty_hint(config: CorpusConfig) -> str:
    if config.groups or config.sources:
        return "--group and --source choose by the columns of index.csv"
    return "EDF, BDF and others are looked for"
