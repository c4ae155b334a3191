"""Whose each recording is, and in which split: by the table of corpora, else by what folders and files are called.

A guess errs towards fewer patients: sessions of one patient counted as several make intervals too narrow, and let
training be validated on people that it has seen. What was guessed is said.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Literal

from brainscan.corpora.headers import people
from brainscan.corpora.table import SPLITS, LayoutName, layout_of
from brainscan.corpora.words import is_patient, kind_of, patient_of_stem, split_tail

Rule = Literal["layout", "folder", "session", "deep", "root", "file", "alone"]

_FEW = 4
INDEX_HINT = "an index.csv (columns file, subject) can say otherwise"


@dataclass(frozen=True, slots=True)
class Place:
    """What a recording's path says.

    Parameters
    ----------
    patient : str
        Unique within the corpus.
    group : str
        The corpus' own split as its folder is called; empty where there is none.
    layout : str or None
        Corpus of the table that the path fits.
    source, licence : str
        As the table has them; empty where it does not.
    rule : str
        How the patient was told: ``layout``; ``folder``, its only folder; ``session``, folders of sessions below the
        patient's; ``deep``, the outermost of several folders; ``root``, all folders are sessions; ``file``, its name;
        ``alone``, nothing says whose it is.
    """

    patient: str
    group: str = ""
    layout: LayoutName | None = None
    source: str = ""
    licence: str = ""
    rule: Rule = "layout"

    @property
    def split(self) -> str:
        """The split's name in training."""
        return SPLITS.get(self.group.lower(), "")


@dataclass(frozen=True, slots=True)
class Placement:
    """The places of all recordings below a folder, by name, and what a user has to know."""

    places: Mapping[PurePath, Place]
    warnings: tuple[str, ...] = ()


def place(folder: Path, names: Sequence[PurePath], *, headers: bool = True) -> Placement:
    """Tell whose the recordings of a folder are.

    Parameters
    ----------
    folder : Path
    names : sequence of PurePath
        Recordings, relative to it.
    headers : bool
        Also compare the patient fields of their headers, in memory: people that paths count twice are counted once
        where paths were guessed at, and named in a warning in any case.
    """
    root = Path(os.path.realpath(folder)).name
    places = {name: _place(name, root) for name in names}
    places = _by_file_names(places)
    places = _one_spelling(places)
    places = _within_split(_own_splits(places), folder)
    warnings = [*_conflicts(names), *_guesses(places)]
    if headers:
        places, more = _compared(folder, places)
        warnings += more
    return Placement(places, tuple(warnings))


def patient_of(name: PurePath) -> str:
    """Return whose recording it is by its path alone.

    >>> [patient_of(PurePath(p)) for p in ("chb21/chb21_19.edf", "P001/2019/rec.edf", "ward7/a.edf", "a.edf")]
    ['chb01', 'P001', 'ward7', 'a']
    """
    return _place(name, "").patient


def _place(name: PurePath, root: str) -> Place:
    group, folders = _split_of(name.parts[:-1])
    known = layout_of(name)
    if known is not None:
        layout, patients = known
        return Place(patients[0], group, layout.name, layout.name if layout.is_source else "", layout.licence)
    patient, rule = _by_folders(folders, root, name.stem)
    if patient is None:
        return Place(name.with_suffix("").as_posix(), group, rule="alone")
    return Place(patient, group, rule=rule)


def _split_of(folders: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the split that a path names above its patient, and the other folders."""
    for number, part in enumerate(folders):
        if part.lower() in SPLITS:
            return part, (*folders[:number], *folders[number + 1 :])
        if kind_of(part) == "patient":
            break
    return "", folders


def _by_folders(folders: tuple[str, ...], root: str, stem: str) -> tuple[str | None, Rule]:
    """Return the patient that folders name; None if none does."""
    kinds = [(part, kind_of(part)) for part in folders if kind_of(part) != "neither"]
    if not kinds:
        return None, "alone"
    codes = [number for number, (_, kind) in enumerate(kinds) if kind == "patient"]
    sessions = [number for number, (_, kind) in enumerate(kinds) if kind == "session"]
    others = [part for part, kind in kinds if kind != "session"]
    if not others:
        # S001/S001R01.edf: the file says that the folder is no session.
        told = patient_of_stem(stem)
        if told is not None and told[0].lower() == kinds[0][0].lower():
            return told[0], "folder"
        return root or folders[0], "root"
    if codes:
        above = [part for part, kind in kinds[: codes[0] + 1] if kind != "session"]
        return "/".join(above), "session" if sessions or len(kinds) > codes[0] + 1 else "folder"
    before = [part for part, _ in kinds[: sessions[0]]] if sessions else []
    if before:
        return "/".join(before), "session"
    head = split_tail(others[0])
    if head is not None and (is_patient(head[0]) or not head[1].isdigit()):
        return head[0], "session"
    return others[0], "folder" if len(others) == 1 else "deep"


def _by_file_names(places: Mapping[PurePath, Place]) -> dict[PurePath, Place]:
    """Let file names tell patients where folders do not: in no folder at all, or in one of several patients."""
    together: dict[str, list[PurePath]] = defaultdict(list)
    for name, found in places.items():
        if found.rule == "alone":
            together[""].append(name)
        elif found.rule == "folder" and not is_patient(PurePath(found.patient).name):
            together[found.patient].append(name)
    result = dict(places)
    for folder, names in together.items():
        told = {name: told for name in names if (told := patient_of_stem(name.stem)) is not None}
        codes = {patient.casefold() for patient, is_code in told.values() if is_code}
        heads = {patient.casefold() for patient, _ in told.values()}
        for name, (patient, is_code) in told.items():
            if is_code and (not folder or len(codes) > 1):
                result[name] = replace(places[name], patient="/".join(filter(None, (folder, patient))), rule="file")
            elif not is_code and not folder and len(heads) > 1:
                result[name] = replace(places[name], patient=patient, rule="file")
    return result


def _one_spelling(places: Mapping[PurePath, Place]) -> dict[PurePath, Place]:
    """Give patients whose names differ in case only the name that comes first."""
    first: dict[str, str] = {}
    return {
        name: replace(found, patient=first.setdefault(found.patient.casefold(), found.patient))
        for name, found in places.items()
    }


def _own_splits(places: Mapping[PurePath, Place]) -> dict[PurePath, Place]:
    """Keep splits where the corpus is known to have some, or there is more than one: ``test`` alone is any folder."""
    splits = {found.split for found in places.values() if found.split}
    own = len(splits) > 1 or any(found.layout == "tusz" for found in places.values())
    return dict(places) if own else {name: replace(found, group="") for name, found in places.items()}


def _within_split(places: dict[PurePath, Place], folder: Path) -> dict[PurePath, Place]:
    """Keep the split of a folder that is itself one: what a corpus holds back is not to be trained on.

    Its training part is a corpus like any other, of which some patients may be held out.
    """
    here = Path(os.path.realpath(folder))
    if SPLITS.get(here.name.lower(), "train") == "train":
        return places
    trained = [name for name, split in SPLITS.items() if split == "train"]
    beside = any(
        (here.parent / spelt(name)).is_dir() for name in trained for spelt in (str.lower, str.title, str.upper)
    )
    return {
        name: replace(found, group=here.name) if not found.group and (beside or found.layout == "tusz") else found
        for name, found in places.items()
    }


def _conflicts(names: Iterable[PurePath]) -> list[str]:
    odd = [(name, known[1]) for name in names if (known := layout_of(name)) is not None and len(known[1]) > 1]
    if not odd:
        return []
    name, patients = odd[0]
    what = "a recording is" if len(odd) == 1 else f"{len(odd)} recordings are"
    return [f"patients: {what} named after another patient than the folder ({name}: counted as {patients[0]})"]


def _guesses(places: Mapping[PurePath, Place]) -> list[str]:
    """Return one line that says what was guessed; none where nothing was."""
    if len(places) < 2:
        return []
    by_rule: dict[Rule, dict[str, set[PurePath]]] = defaultdict(lambda: defaultdict(set))
    for name, found in places.items():
        by_rule[found.rule][found.patient].add(name)
    parts = [
        *_sessions(by_rule["session"], by_rule["folder"]),
        *_deep(by_rule["deep"]),
        *_root(by_rule["root"]),
        *_files(by_rule["file"]),
        *_alone(by_rule["alone"]),
    ]
    return [f"patients: {'; '.join(parts)}; {INDEX_HINT}"] if parts else []


def _sessions(patients: Mapping[str, set[PurePath]], single: Mapping[str, set[PurePath]]) -> list[str]:
    folders = {patient: sorted({name.parent for name in names}) for patient, names in patients.items()}
    several = {patient: found for patient, found in folders.items() if len(found) > 1}
    if not several:
        return []
    everywhere = {name.parent for names in (*patients.values(), *single.values()) for name in names}
    patient, found = max(several.items(), key=lambda item: len(item[1]))
    if len(several) == 1:
        whose = f"one ({patient}: {_few(map(str, found))})"
    else:
        whose = f"{len(several)} patients (such as {patient}: {_few(map(str, found))})"
    k = sum(map(len, several.values()))
    return [f"{len(everywhere)} folders, of which {k} look like sessions of {whose}"]


def _deep(patients: Mapping[str, set[PurePath]]) -> list[str]:
    names = sorted(name for found in patients.values() for name in found)
    if not names:
        return []
    inner = len({name.parent for name in names})
    return [
        f"{_count(len(names), 'recording')} in a tree of folders that fits no known layout ({names[0]}): the outermost"
        f" folder is taken for the patient, which makes {len(patients)}; were it the innermost, {inner}"
    ]


def _root(patients: Mapping[str, set[PurePath]]) -> list[str]:
    names = sorted(name for found in patients.values() for name in found)
    folders = sorted({name.parts[0] for name in names})
    if len(folders) < 2:
        return []
    return [f"{len(folders)} folders look like sessions ({_few(folders)}) and none is a patient's: counted as one"]


def _files(patients: Mapping[str, set[PurePath]]) -> list[str]:
    n = sum(map(len, patients.values()))
    if n == len(patients):
        listed = _few(sorted(patients))
        return [f"the names of {n} recordings are taken for those of as many patients ({listed})"] if n else []
    patient, names = max(patients.items(), key=lambda item: len(item[1]))
    return [
        f"the names of {n} recordings are taken for those of {_count(len(patients), 'patient')} (such as {patient}:"
        f" {_few(sorted(name.name for name in names))})"
    ]


def _alone(patients: Mapping[str, set[PurePath]]) -> list[str]:
    if len(patients) < 2:
        return []
    listed = _few(sorted(patients))
    return [f"nothing says whose {len(patients)} recordings are ({listed}): each is counted as a patient of its own"]


def _compared(folder: Path, places: Mapping[PurePath, Place]) -> tuple[dict[PurePath, Place], list[str]]:
    """Join guessed patients whom the headers know as one person, and say so; only say it of known corpora."""
    result = dict(places)
    warnings = []
    for same in people(folder, {name: found.patient for name, found in places.items()}):
        guessed = all(found.rule != "layout" for found in places.values() if found.patient in same)
        shown = _few(same)
        if guessed:
            result |= {name: replace(found, patient=same[0]) for name, found in result.items() if found.patient in same}
            warnings.append(
                f"patients: the headers of {shown} hold the same patient: counted as one; if the recorder writes that"
                f" for everybody, {INDEX_HINT}"
            )
        elif len(same) < len({found.patient for found in places.values()}) or len(same) == 2:
            warnings.append(f"patients: the headers of {shown} hold the same patient; they are counted as {len(same)}")
    return result, warnings


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:_FEW]) + (f" and {len(listed) - _FEW} more" if len(listed) > _FEW else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
