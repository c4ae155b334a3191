"""Where the truth about a recording lies, and what it says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath

from brainscan.errors import InputError
from brainscan.io.annotation_file import BACKGROUND, SEIZURE, AnnotationFile, is_seizure
from brainscan.io.annotations import REVIEWED, SIMULATED, Format, RecordingFacts, read_annotations, sniff
from brainscan.io.chbmit import recordings_of_summary
from brainscan.io.csv_bi import COMMENT
from brainscan.io.discover import SUFFIXES as RECORDING_SUFFIXES
from brainscan.io.edf_annotations import read_edf_annotations
from brainscan.io.origin import origin_of
from brainscan.io.siena import listed_name, recordings_of_list

# The per-channel file of the Temple corpora tells the seizure types that its CSV_bi does not.
_PREFERENCE: tuple[Format, ...] = ("tusz_csv", "csv_bi", "tse", "tsv", "mne_csv", "edf")
_ENDINGS = ("_events", "_eeg", "_ieeg")
_TABLES = (".csv_bi", ".csv", ".tse", ".tse_bi", ".tsv")
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

    In this order: a file of the same name (BIDS: ``_events`` for ``_eeg``) in the mirrored folder; the only file of
    that name anywhere below the folder of annotations; a list of many recordings (CHB-MIT summary, Siena list) that
    names it; the recording's own annotations, where they speak of seizures; a table of that name that is not
    understood, so that it is named and not called absent.

    Parameters
    ----------
    corpus : Path
    annotations : Path or None
        Where annotations lie if not beside the recordings.

    Raises
    ------
    InputError
        If the folder of annotations does not exist.
    """

    def __init__(self, corpus: Path, annotations: Path | None = None) -> None:
        if annotations is not None and not annotations.is_dir():
            raise InputError("is no folder", kind="io", file=str(annotations), hint="--annotations takes a folder")
        self._corpus = corpus
        self._apart = annotations is not None
        self._root = annotations or corpus
        self._by_place: dict[tuple[PurePath, str], list[Path]] = defaultdict(list)
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        self._texts: list[Path] = []
        self._lists: list[tuple[Path, Format, tuple[str, ...]]] | None = None
        for path in files_below(self._root):
            if not self._apart and path.suffix.lower() in RECORDING_SUFFIXES:
                continue
            if path.suffix.lower() == ".txt":
                self._texts.append(path)
            for key in {stem_of(path), path.stem}:
                self._by_place[path.relative_to(self._root).parent, key].append(path)
                self._by_name[key].append(path)

    def find(self, name: PurePath) -> Path | None:
        """Return the annotation of the recording at a path relative to the corpus; None if there is none."""
        keys = (stem_of(name), name.name)
        for key in keys:
            best = _best(self._by_place.get((name.parent, key), []))
            if best is not None:
                return best
        if self._apart:
            known = [path for path in self._by_name.get(keys[0], []) if sniff(path) is not None]
            if len({path.parent for path in known}) == 1:
                return _best(known)
        return self._listed(name) or self._own(name) or self._unknown(name)

    def _listed(self, name: PurePath) -> Path | None:
        if self._lists is None:
            self._lists = [found for path in self._texts if (found := _list_of(path)) is not None]
        holders = [
            path
            for path, kind, names in self._lists
            if (listed_name(name.name, names) is not None if kind == "siena" else name.name in names)
        ]
        near = [path for path in holders if path.relative_to(self._root).parent == name.parent]
        chosen = near or holders
        return chosen[0] if len(chosen) == 1 else None

    def _own(self, name: PurePath) -> Path | None:
        """Return the recording if its own notes are about seizures; also where they cannot be used, which is told."""
        path = self._corpus / name
        try:
            return path if sniff(path) == "edf" and not read_edf_annotations(path).says_nothing else None
        except InputError as problem:
            return None if problem.kind == "empty" or not path.is_file() else path  # told when it is read

    def _unknown(self, name: PurePath) -> Path | None:
        """Return a file that lies where the annotation would: what is wrong with it is told when it is read."""
        key = stem_of(name)
        found = [path for path in self._by_place.get((name.parent, key), []) if path.suffix.lower() in _TABLES]
        if not found and self._apart:
            found = [path for path in self._by_name.get(key, []) if path.suffix.lower() in _TABLES]
        return found[0] if len({path.parent for path in found}) == 1 else None


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
            hint=f"add the line '{COMMENT} {REVIEWED}' to a file that an expert has checked, or use --annotations DIR",
        )


def _reviewed(path: Path) -> bool:
    with path.open("rb") as stream:
        lines = stream.read(_HEAD_BYTES).decode("utf-8", "replace").splitlines()
    comments = (line.removeprefix(COMMENT).strip() for line in lines if line.startswith(COMMENT))
    return any(comment.split(" ")[0] == REVIEWED for comment in comments)


def stem_of(path: PurePath) -> str:
    """Return a file's name without suffix and without BIDS' last word, which annotations and recordings differ in."""
    stem = path.stem
    for ending in _ENDINGS:
        stem = stem.removesuffix(ending)
    return stem


def files_below(root: Path) -> Iterator[Path]:
    """Yield the files below a folder in order of name, none that is hidden or in a hidden folder."""
    for path in sorted(root.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        if not hidden and path.is_file():
            yield path


def _best(paths: Iterable[Path]) -> Path | None:
    formats = {path: sniff(path) for path in paths}
    known = [path for path, name in formats.items() if name in _PREFERENCE]
    return min(known, key=lambda path: _PREFERENCE.index(formats[path] or "edf"), default=None)


def _list_of(path: Path) -> tuple[Path, Format, tuple[str, ...]] | None:
    name = sniff(path)
    if name == "chbmit":
        return path, name, recordings_of_summary(path)
    return (path, name, recordings_of_list(path)) if name == "siena" else None
