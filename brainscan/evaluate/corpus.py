"""The cases of an evaluation: recordings of a corpus, each with whose it is and where the truth about it lies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

from brainscan.corpora.members import Member, find_members, with_patients
from brainscan.corpora.references import ReferenceFolder, require_foreign
from brainscan.corpora.table import SPLITS, where_truth_lies
from brainscan.errors import InputError
from brainscan.events import Spans, union

_MANY = 5


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
        Names of all recordings below the folder, also of those that are no case: what a file belongs to is told among
        all of them.
    """

    folder: Path
    cases: tuple[Case, ...]
    n_excluded: int = 0
    warnings: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()


def read_corpus(config: CorpusConfig) -> Corpus:
    """Pair the recordings below a folder with their annotations.

    Which they are, and whose, says `find_members`.

    Raises
    ------
    InputError
        If there is no recording, a listed one is missing, one has no annotation and is not excluded, or its
        annotation is brainscan's own unreviewed output.
    """
    folder = config.folder
    found = find_members(folder, config.out)
    if found.absent:
        n = len(found.absent)
        raise InputError(f"lists {n} recordings that are not there ({_few(found.absent)})", kind="io", file=found.index)
    chosen = [m for m in sorted(found.members, key=lambda m: m.name) if _wanted(m, config)]
    kept = [member for member in chosen if not _excluded(member, config.exclude)]
    if not kept:
        raise InputError("no recording to evaluate below it", kind="empty", file=str(folder), hint=_empty_hint(config))
    members, warnings = with_patients(folder, kept)
    references = ReferenceFolder(folder, [m.name for m in members], found.recordings, config.annotations)
    cases = _paired(folder, members, references)
    require_foreign(case.reference for case in cases if case.reference != case.path)
    warnings = (*found.warnings, *warnings, *references.warnings, *_about_splits(members, config))
    return Corpus(folder, cases, len(chosen) - len(kept), warnings, found.recordings)


def _wanted(member: Member, config: CorpusConfig) -> bool:
    in_group = not config.groups or member.group in config.groups or (member.split or member.group) in config.groups
    return in_group and (not config.sources or member.row.source in config.sources)


def _excluded(member: Member, patterns: Sequence[str]) -> bool:
    if member.row.scored == ():
        return True
    name = member.name
    return any(fnmatchcase(name, pattern) or fnmatchcase(PurePath(name).name, pattern) for pattern in patterns)


def _paired(folder: Path, members: Sequence[Member], references: ReferenceFolder) -> tuple[Case, ...]:
    cases, unpaired = [], []
    for member in members:
        reference = references.find(PurePath(member.name))
        if reference is None:
            unpaired.append(member.name)
            continue
        cases.append(
            Case(
                path=folder / member.name,
                name=member.name,
                reference=reference,
                source=member.row.source,
                subject=member.subject,
                group=member.group,
                kind=member.row.kind,
                scored=member.row.scored,
            )
        )
    if unpaired:
        why = references.reason(PurePath(unpaired[0]))
        # What lies there and cannot be read is not called absent.
        usable = " that can be used" if any(references.unknown(PurePath(name)) for name in unpaired) else ""
        raise InputError(
            f"{len(unpaired)} of {len(members)} recordings have no annotation{usable} ({_few(unpaired)})"
            + (f"; the first: {why}" if why else ""),
            kind="io",
            file=str(folder),
            hint=_ways_out(members, unpaired[0]),
        )
    return tuple(cases)


def _ways_out(members: Sequence[Member], unpaired: str) -> str:
    """Return what to do about a recording without annotation; where its corpus has it, if that is known."""
    places = [member.place for member in members if member.name == unpaired and member.place is not None]
    known = [where_truth_lies(place.layout) for place in places if place.layout is not None]
    return "; ".join([*known, "name their folder with --annotations DIR, or leave them out with --exclude PATTERN"])


def _about_splits(members: Sequence[Member], config: CorpusConfig) -> Iterator[str]:
    """Say what a corpus' own splits mean for its figures; those of an index are the user's."""
    own = [member for member in members if member.place is not None and member.place.group]
    counts = Counter(member.group for member in own)
    if len(counts) > 1 and not config.groups:
        listed = ", ".join(f"{group}: {n}" for group, n in sorted(counts.items()))
        yield f"the corpus has splits ({listed} recordings) and all are evaluated; --group NAME chooses"
    splits: dict[str, str] = {}
    for member in own:
        other = splits.setdefault(member.subject, member.group)
        if SPLITS.get(other.lower()) != SPLITS.get(member.group.lower()):
            yield f"patient {member.subject} is in the splits {other} and {member.group}"
            return


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:_MANY]) + (" ..." if len(listed) > _MANY else "")


def _empty_hint(config: CorpusConfig) -> str:
    if config.groups or config.sources:
        return "--group and --source choose by the columns of index.csv, --group also by a corpus' own splits"
    return "EDF, BDF and others are looked for"
