"""The table of corpora: how each is laid out, whose a recording is, and where the truth lies.

To add one: a row in `LAYOUTS`. Names are compared without regard to case, whatever folders lie above or between.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePath
from types import MappingProxyType
from typing import Literal

from brainscan.corpora.words import MONTAGE, is_date

LayoutName = Literal["bids", "tusz", "chbmit", "siena"]

SPLITS: Mapping[str, str] = MappingProxyType(
    {
        "train": "train",
        "training": "train",
        "dev": "dev",
        "val": "dev",
        "valid": "dev",
        "validation": "dev",
        "development": "dev",
        "eval": "eval",
        "evaluation": "eval",
        "test": "eval",
        "testing": "eval",
    }
)
"""Folders that say to which split a recording belongs, and that split's name in training."""


def _plain(patient: str) -> str:
    return patient


@dataclass(frozen=True, slots=True)
class Layout:
    """One corpus, or family of corpora.

    Parameters
    ----------
    name : str
        Also the source that training draws by; empty source: the folder's name.
    title, licence, truth : str
        For people; `truth` says where the annotations lie.
    folder : pattern
        A patient's folder, the whole name; the group ``patient`` names the patient.
    file : pattern
        Beginning of a recording's name that names its patient.
    below, within : pattern or None
        What the folder directly below the patient's and some folder of the path must be called for `folder` to
        count, where its own pattern is that of many other names.
    folder_first : bool
        The folder decides where folder and file name another patient.
    spelling : callable
        Brings a patient's name into the corpus' own spelling.
    aliases : mapping
        Patients who are another patient again.
    is_source : bool
        Whether training draws by this corpus' name; else by the folder's.
    """

    name: LayoutName
    title: str
    licence: str
    truth: str
    folder: re.Pattern[str]
    file: re.Pattern[str]
    below: re.Pattern[str] | None = None
    within: re.Pattern[str] | None = None
    folder_first: bool = False
    spelling: Callable[[str], str] = _plain
    aliases: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    is_source: bool = True

    def patients(self, name: PurePath) -> tuple[str, ...]:
        """Return the patients that a recording's path names, the one that decides first; none if it is not laid out so.

        Parameters
        ----------
        name : PurePath
            Relative to the folder of the corpus.
        """
        from_file = self.file.match(name.name)
        named = [from_file["patient"]] if from_file else []
        folders = self._folders(name.parts[:-1])
        found = [*folders, *named] if self.folder_first else [*named, *folders]
        return tuple(dict.fromkeys(self._known(patient) for patient in found))

    def _folders(self, folders: tuple[str, ...]) -> list[str]:
        """Return the patient that the deepest matching folder names: folders above hold corpora and wards."""
        if self.within is not None and not any(map(self.within.fullmatch, folders)):
            return []
        for number, part in reversed(list(enumerate(folders))):
            child = folders[number + 1] if number + 1 < len(folders) else ""
            match = self.folder.fullmatch(part)
            if match and not is_date(part) and (self.below is None or self.below.fullmatch(child)):
                return [match["patient"]]
        return []

    def _known(self, patient: str) -> str:
        spelt = self.spelling(patient)
        return self.aliases.get(spelt, spelt)


def _child(patient: str) -> str:
    return f"chb{int(re.sub(r'[^0-9]', '', patient)):02d}"


_TUSZ_SESSION = re.compile(r"s\d{2,3}(?:[_-]\d{4}(?:[_-]\d{1,2}){0,2})?", re.IGNORECASE)

LAYOUTS: tuple[Layout, ...] = (
    Layout(
        name="bids",
        title="BIDS-EEG, SeizeIT2",
        licence="",
        truth="*_events.tsv (HED-SCORE)",
        folder=re.compile(r"(?P<patient>sub-[A-Za-z0-9]+)(?:_.*)?", re.IGNORECASE),
        file=re.compile(r"(?P<patient>sub-[A-Za-z0-9]+)(?=_)", re.IGNORECASE),
        folder_first=True,
        spelling=lambda patient: "sub-" + patient[4:],
        is_source=False,
    ),
    # v1.5: SPLIT/MONTAGE/three digits/eight digits/SESSION/; v2: SPLIT/eight letters/SESSION/MONTAGE/.
    Layout(
        name="tusz",
        title="TUSZ v1.5 and v2",
        licence="TUH EEG terms (NEDC)",
        truth=".csv_bi, .csv, .tse_bi or .tse beside",
        folder=re.compile(r"(?P<patient>[a-z0-9]+)", re.IGNORECASE),
        file=re.compile(r"(?P<patient>\d{8}|[a-z]{8})(?=_s\d{2,3}_[at]\d{2,3}(?:\D|$))", re.IGNORECASE),
        below=_TUSZ_SESSION,
        within=MONTAGE,
        spelling=str.lower,
    ),
    Layout(
        name="chbmit",
        title="CHB-MIT",
        licence="ODC-By 1.0 (CHB-MIT 1.0.0, PhysioNet)",
        truth="chb01-summary.txt, else chb01_03.edf.seizures",
        folder=re.compile(r"(?P<patient>chb[-_]?\d{1,2})", re.IGNORECASE),
        file=re.compile(r"(?P<patient>chb\d{2})(?=[a-z]?[-_.+])", re.IGNORECASE),
        spelling=_child,
        # The same child, a year and a half later (the corpus' own notes).
        aliases=MappingProxyType({"chb21": "chb01"}),
    ),
    Layout(
        name="siena",
        title="Siena",
        licence="CC BY 4.0 (Siena Scalp EEG 1.0.0, PhysioNet)",
        truth="Seizures-list-PN00.txt",
        folder=re.compile(r"(?P<patient>PN\d{2})", re.IGNORECASE),
        file=re.compile(r"(?P<patient>PN\d{2})(?=[-_.])", re.IGNORECASE),
        spelling=str.upper,
    ),
)


@cache
def layout_of(name: PurePath) -> tuple[Layout, tuple[str, ...]] | None:
    """Return the corpus that a path fits and the patients it names; None if it fits none."""
    for layout in LAYOUTS:
        patients = layout.patients(name)
        if patients:
            return layout, patients
    return None


def where_truth_lies(layout: LayoutName | None) -> str:
    """Return where a corpus keeps its annotations, for a hint; empty for a folder of no known layout."""
    return next((f"{row.title} has them in {row.truth}" for row in LAYOUTS if row.name == layout), "")


_NO_EEG = re.compile(r"_(ecg|emg|eog|mov|motion|meg|nirs|physio|beh|bold|stim)$", re.IGNORECASE)
_COPIES = frozenset({"derivatives", "sourcedata"})


def is_eeg(name: PurePath) -> bool:
    """Whether BIDS' last word of a name leaves it an EEG: SeizeIT2 has an ECG, an EMG and a movement file beside each.

    >>> [is_eeg(PurePath(p)) for p in ("sub-1/eeg/sub-1_eeg.edf", "sub-1/emg/sub-1_emg.edf", "my_emg.edf")]
    [True, False, True]
    """
    return not (name.name.lower().startswith("sub-") and _NO_EEG.search(name.stem))


def is_copy(name: PurePath) -> bool:
    """Whether a path lies in BIDS' folders of what a data set was made from, or what was made from it."""
    return name.parts[0].lower() in _COPIES
