"""Where the truth about a recording lies, and what it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath

from brainscan.errors import InputError
from brainscan.io.annotation_file import BACKGROUND, SEIZURE, AnnotationFile, is_seizure
from brainscan.io.annotations import SIMULATED, Format, RecordingFacts, read_annotations, sniff
from brainscan.io.belonging import same_name
from brainscan.io.chbmit import recordings_of_summary
from brainscan.io.containers import recording_suffixes
from brainscan.io.csv_bi import COMMENT
from brainscan.io.discover import files_below
from brainscan.io.edf_annotations import read_edf_annotations, remarks_in
from brainscan.io.event_formats import origin_of, references
from brainscan.io.origin import REVIEWED, is_reviewed
from brainscan.io.pairing import TEMPLE, bare_name, few, match
from brainscan.io.siena import listed_name, recordings_of_list

_BINARY = "wfdb"
_TABLES = TEMPLE | {".tsv"}
_HEAD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, order=True)
class Seizure:
    """One annotated seizure; `label` is its type where the annotation tells it, else ``seiz``."""

    onset_s: float
    offset_s: float
    label: str = SEIZURE

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.offset_s - self.onset_s


@dataclass(frozen=True, slots=True)
class Reference:
    """The truth about one recording.

    Parameters
    ----------
    seizures : tuple of Seizure
        Disjoint, sorted: the union over channels.
    simulated : bool
    warnings : tuple of str
    """

    seizures: tuple[Seizure, ...]
    simulated: bool = False
    warnings: tuple[str, ...] = ()


class ReferenceFolder:
    """Finds the annotation of each recording of a corpus.

    In this order: a file of the recording's name, as `brainscan.io.pairing` has it; a list of many recordings (CHB-MIT
    summary, Siena list) that names it; CHB-MIT's ``.seizures`` beside it; the recording's own annotations, where they
    speak of seizures.

    Parameters
    ----------
    corpus : Path
    recordings : sequence of str
        Whose annotations are asked for, relative to the corpus.
    others : sequence of str
        Further recordings of the corpus: a name that one of them has too tells nothing.
    annotations : Path or None
        Where annotations lie if not beside the recordings.

    Raises
    ------
    InputError
        If the folder of annotations does not exist.
    """

    def __init__(
        self, corpus: Path, recordings: Sequence[str], others: Sequence[str] = (), annotations: Path | None = None
    ) -> None:
        if annotations is not None and not annotations.is_dir():
            raise InputError("is no folder", kind="io", file=str(annotations), hint="--annotations takes a folder")
        self._corpus, self._root = corpus, annotations or corpus
        self._unread: dict[PurePath, InputError] = {}
        apart = annotations is not None
        asked, everyone = ([PurePath(name) for name in names] for names in (recordings, (*recordings, *others)))
        files, texts = self._files(set(map(bare_name, everyone)), apart=apart)
        self._formats = files
        preferred = [row.name for row in references() if row.name != _BINARY]

        def preference(file: PurePath) -> int:
            return preferred.index(files[file] or preferred[-1])

        usable = [file for file, kind in files.items() if kind in preferred or file in self._unread]
        binary = [file for file, kind in files.items() if kind == _BINARY]
        self._match = match(asked, usable, preference, others=everyone, root=self._root, anywhere=apart)
        self._binary = match(asked, binary, others=everyone, root=self._root, anywhere=False).mates
        waiting = set(asked) - set(self._match.mates)
        self._lists = [found for file in texts if (found := _list_of(self._root, file)) is not None] if waiting else []
        self._listed = _told_by(self._lists, waiting, everyone)

    def _files(self, known: Collection[str], *, apart: bool) -> tuple[dict[PurePath, Format | None], list[PurePath]]:
        """Return the formats of the files that are called as recordings are, and all texts."""
        formats: dict[PurePath, Format | None] = {}
        texts = []
        for path in files_below(self._root):
            file = PurePath(path.relative_to(self._root))
            if not apart and path.suffix.lower() in recording_suffixes():
                continue
            if path.suffix.lower() == ".txt":
                texts.append(file)
            if bare_name(file) in known:
                try:
                    formats[file] = sniff(path)
                except InputError as problem:
                    formats[file] = None
                    if path.suffix.lower() in _TABLES:
                        self._unread[file] = problem
        return formats, texts

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was guessed or passed over."""
        return self._match.warnings(one_truth=TEMPLE)

    def find(self, name: PurePath) -> Path | None:
        """Return the annotation of the recording at a path relative to the corpus; None if there is none.

        Raises
        ------
        InputError
            If there is one that cannot be read, or whose content is not here.
        """
        for found in (self._match.mates, self._listed, self._binary):
            if name in found:
                if found[name] in self._unread:
                    raise self._unread[found[name]]
                return self._root / found[name]
        return self._own(name)

    def unknown(self, name: PurePath) -> tuple[PurePath, ...]:
        """Return the tables at a recording's place and of its name that are in no format that we know."""
        return tuple(
            file
            for file, kind in self._formats.items()
            if kind is None and file.suffix.lower() in _TABLES and file.parent == name.parent
            if bare_name(file) == bare_name(name)
        )

    def reason(self, name: PurePath) -> str:
        """Return why a recording has no annotation."""
        unknown = self.unknown(name)
        if unknown:
            return f"{few(unknown)} is in no annotation format that we know"
        listing = [listing.file for listing in self._lists if listing.entry_of(name) is not None]
        if listing:
            return f"{few(listing)} names {name.name}, and cannot be told to mean this one"
        return self._match.reasons.get(name, "")

    def _own(self, name: PurePath) -> Path | None:
        """Return the recording if its own notes are about seizures; also where they cannot be used, which is told."""
        path = self._corpus / name
        try:
            return path if sniff(path) == "edf" and not read_edf_annotations(path).says_nothing else None
        except InputError as problem:
            return None if problem.kind == "empty" or not path.is_file() else path  # told when it is read


@dataclass(frozen=True, slots=True)
class _List:
    """A list of the seizures of many recordings, and the names in it."""

    file: PurePath
    kind: Format
    entries: tuple[str, ...]

    def entry_of(self, recording: PurePath) -> str | None:
        """Return under which name it tells about a recording of that file name."""
        if self.kind == "siena":
            return listed_name(recording.name, self.entries)
        return recording.name if recording.name in self.entries else None

    def beside(self, recording: PurePath) -> bool:
        """Say whether it lies in the (mirrored) folder of a recording."""
        return self.file.parent == recording.parent

    def above(self, recording: PurePath) -> bool:
        """Say whether it lies in a folder above a recording's."""
        return self.file.parent in recording.parents[1:]


def _told_by(
    lists: Sequence[_List], waiting: Collection[PurePath], everyone: Iterable[PurePath]
) -> dict[PurePath, PurePath]:
    """Return the list that tells about each recording that waits for its annotation.

    A list names recordings without their folders: those it means lie beside it, else below it; else it has to be the
    only one that has a name, and the recording the only one of that name.
    """
    names = tuple(dict.fromkeys(everyone))
    chosen: dict[PurePath, _List] = {}
    for near in (_List.beside, _List.above, None):
        if len(chosen) == len(waiting):
            break
        told = {(listing.file, entry) for name, listing in chosen.items() if (entry := listing.entry_of(name))}
        claims = [
            (name, listing, entry)
            for name in names
            for listing in lists
            if near is None or near(listing, name)
            if (entry := listing.entry_of(name)) is not None and (listing.file, entry) not in told
        ]
        exact = {(listing.file, entry) for name, listing, entry in claims if name.name == entry}
        # A name that differs by one of Siena's slips stands back behind the one that does not.
        claims = [c for c in claims if c[0].name == c[2] or (c[1].file, c[2]) not in exact]
        holders = Counter((listing.file, entry) for _, listing, entry in claims)
        lists_of = Counter(name for name, *_ in claims)
        for name, listing, entry in claims:
            if lists_of[name] == holders[listing.file, entry] == 1 and name in waiting:
                chosen.setdefault(name, listing)
    return {name: listing.file for name, listing in chosen.items()}


def read_reference(
    path: Path, recording: str, duration_s: float | None = None, start: datetime | None = None
) -> Reference:
    """Read the seizures of one recording.

    Parameters
    ----------
    path : Path
    recording : str
        File name of the recording, for lists of many.
    duration_s : float or None
        Of the recording; it stands above what the annotation says.
    start : datetime or None
        Of the recording, for formats of clock times.

    Raises
    ------
    InputError
        If the annotation cannot be used, or has a seizure outside the recording; the line is named.
    """
    file = read_annotations(path, facts=RecordingFacts(recording, duration_s, start))
    simulated = any(comment.startswith(SIMULATED) for comment in file.comments)
    told = file.warnings if path.name == recording else tuple(f"{path.name}: {text}" for text in file.warnings)
    if not same_name(file.recording, recording):
        told += (f"{path.name}: made of another recording ({file.recording})",)
    return Reference(tuple(_seizures(file)), simulated, told)


def _seizures(file: AnnotationFile) -> Iterator[Seizure]:
    end_s = float("inf") if file.duration_s is None else file.duration_s
    for onset_s, offset_s in file.seizures:
        rows = (a for a in file.annotations if a.onset_s < offset_s and a.offset_s > onset_s and is_seizure(a.label))
        types = {row.label for row in rows} - {SEIZURE, BACKGROUND}
        # Formats that round times may pass the recording's end by as much.
        yield Seizure(onset_s, min(offset_s, end_s), types.pop() if len(types) == 1 else SEIZURE)


def require_foreign(paths: Iterable[Path]) -> None:
    """Refuse what brainscan wrote itself, unless somebody marked it as reviewed.

    Raises
    ------
    InputError
        Naming the first such file and how many there are.
    """
    ours = [path for path in dict.fromkeys(paths) if origin_of(path) is not None and not _reviewed(path)]
    if ours:
        more = f" (and {len(ours) - 1} more)" if len(ours) > 1 else ""
        raise InputError(
            f"is brainscan's own output, no annotation{more}",
            kind="header",
            file=str(ours[0]),
            hint=f"add the line '{COMMENT} {REVIEWED}' (in an EDF: an annotation 'brainscan: {REVIEWED}') to a file "
            "that an expert has checked, or use --annotations DIR",
        )


def _reviewed(path: Path) -> bool:
    if sniff(path) == "edf":
        return is_reviewed(remarks_in(path))
    with path.open("rb") as stream:
        lines = stream.read(_HEAD_BYTES).decode("utf-8", "replace").splitlines()
    return is_reviewed([line.removeprefix(COMMENT).strip() for line in lines if line.startswith(COMMENT)])


def _list_of(root: Path, file: PurePath) -> _List | None:
    name = sniff(root / file)
    if name == "chbmit":
        return _List(file, name, recordings_of_summary(root / file))
    return _List(file, name, recordings_of_list(root / file)) if name == "siena" else None
