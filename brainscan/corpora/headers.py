"""Which "patients" are one person by their headers: compared in memory, never shown, stored or logged."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path, PurePath

from brainscan.io.edf_header import text_of

_FIELD = slice(8, 88)  # local patient identification, EDF and BDF alike

# What de-identified headers hold in place of a person.
_NOBODY = re.compile(
    r"x+|anonym\w*|anon|deidentified|de|identified|unknown|none|null|nan|na|n|a|no|name|noname|patient|pat|patientname"
    r"|patientid|subject|subj|id|test|eeg|edf|bdf|male|female|m|f|w|man|woman|unspecified|undefined|empty|default|age"
    r"|years?|y|sex|gender|birthdate|dob|simulated|hidden|removed|private|not|available|given|first|last|surname"
    r"|lastname|firstname|code|study|recording|child|adult|normal|control|0+"
)
_DATE = re.compile(r"\d{1,4}[-./](?:\d{1,2}|[a-z]{3})[-./]\d{1,4}")


def people(folder: Path, patients: Mapping[PurePath, str]) -> tuple[tuple[str, ...], ...]:
    """Return groups of patients whose recordings' headers hold the same person.

    Parameters
    ----------
    folder : Path
    patients : mapping of PurePath to str
        Patient of each recording, by its path relative to the folder.

    Returns
    -------
    tuple of tuple of str
        Disjoint; each of two patients at least, sorted.
    """
    if len(set(patients.values())) < 2:
        return ()
    holders: dict[str, set[str]] = defaultdict(set)
    for name, patient in patients.items():
        for key in _keys(folder / name):
            holders[key].add(patient)
    groups: list[set[str]] = []
    for same in holders.values():
        if len(same) < 2:
            continue
        joined = set(same).union(*(group for group in groups if group & same))
        groups = [*(group for group in groups if not group & same), joined]
    return tuple(sorted(tuple(sorted(group)) for group in groups))


def _keys(path: Path) -> frozenset[str]:
    """Return what identifies the person that a header holds; nothing where it is no EDF or BDF, or names nobody."""
    try:
        with path.open("rb") as stream:
            head = stream.read(256)
    except OSError:
        return frozenset()
    is_edf = len(head) == 256 and (head[:8].strip(b" \0") == b"0" or head.startswith(b"\xffBIOSEMI"))
    return keys_of(text_of(head[_FIELD])) if is_edf else frozenset()


def keys_of(field: str) -> frozenset[str]:
    """Return what identifies a person in a patient field.

    All of it but sex and age; in EDF+ by themselves also the code, which may stay while the name is left out, and the
    name with the date of birth, which may stay while each visit has a code. What holds but placeholders, or a date
    alone, identifies nobody.

    Examples
    --------
    >>> sorted(keys_of("MCH-0234567 F 02-MAY-1951 Haagse_Harry"))
    ['02-may-1951 0234567 haagse harry mch', '02-may-1951 haagse harry', '0234567 mch']
    >>> keys_of("X F X X"), keys_of("Anonymous"), keys_of("")
    (frozenset(), frozenset(), frozenset())
    """
    parts = field.casefold().split()
    keys = {_key(parts)}
    if len(parts) >= 4 and parts[1] in {"m", "f", "x"}:
        code, birth, name = parts[0], parts[2], parts[3]
        keys |= {_key([code])} if re.search(r"\d", code) else set()
        keys |= {_key([birth, name])} if _DATE.fullmatch(birth) else set()
    return frozenset(keys - {""})


def _key(parts: list[str]) -> str:
    """Return the parts of a field in one spelling; empty if they name nobody."""
    dates = [part for part in parts if _DATE.fullmatch(part)]
    words = [
        word
        for part in parts
        if part not in dates and ":" not in part
        for word in re.split(r"[\W_]+", part)
        if word and not _NOBODY.fullmatch(word)
    ]
    if not any(len(word) > 2 or word.isdigit() for word in words):
        return ""
    return " ".join(sorted({*words, *dates}))
