"""What a channel label says: electrode, reference, prefix. Whole tokens, never substrings.

`parse` looks at one label alone; what only the whole file can tell (BioSemi sockets, depth shafts, digits typed
for letters) is settled by `parse_all`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from brainscan.electrodes import ELECTRODES, INDEX, SYNONYMS


def _ten_ten() -> dict[str, str]:
    """Return the 10-10 names beside the 19, and T1/T2, by their upper-case form."""
    names = ["Nz", "Fpz", "AFz", "FCz", "CPz", "POz", "Oz", "Iz", "T1", "T2"]
    for row, numbers in {
        "AF": range(1, 11), "F": range(1, 11), "FT": range(7, 11), "FC": range(1, 7), "C": (1, 2, 5, 6),
        "T": (9, 10), "TP": range(7, 11), "CP": range(1, 7), "P": (1, 2, *range(5, 7), 9, 10),
        "PO": range(1, 11), "O": (9, 10),
    }.items():  # fmt: skip
        names += [f"{row}{n}" for n in numbers]
    return {name.upper(): name for name in names if name not in INDEX}


CANONICAL: dict[str, str] = {
    **{name.upper(): name for name in ELECTRODES},
    **_ten_ten(),
    **{old.upper(): new for old, new in SYNONYMS.items()},
}
"""Upper-case token to the name used inside; synonyms lead to their one of the 19."""

EARS = frozenset({"A1", "A2", "M1", "M2", "TP9", "TP10"})
"""Single ear and mastoid electrodes that serve as a reference."""

_LINKED = "LE LER AA A1A2 A12 A1+A2 M1M2 M1+M2"
_AVERAGE = "AR AV AVG AVE AVERAGE MEAN CAR"
_COMMON = "REF G1 G2 GND CS2 ORG R0"
REFERENCES: dict[str, str] = {
    **dict.fromkeys(_COMMON.split(), "REF"),
    **dict.fromkeys(_LINKED.split(), "LE"),
    **dict.fromkeys(_AVERAGE.split(), "AVG"),
    **{ear: ear for ear in EARS},
}
"""Upper-case reference word to the node that it names."""

_PREFIX = re.compile(r"^(EEG|POL|SEEG)(?:[ _:\-]+(?=.)|(?=[A-Z]))")
_SEPARATORS = re.compile(r"\s*[-_:/]\s*|\s+")
# MNE writes labels that occur twice as T8-P8-0, T8-P8-1, and exports them so.
_RUNNING_NUMBER = re.compile(r"\d")
_ZERO_FOR_O = {"01": "O1", "02": "O2"}
_LETTER_NUMBER = re.compile(r"^([A-Z])(\d{1,3})$")
_SHAFT_RUN = 4
_ENOUGH_OTHERS = 10
_OLD_AND_NEW_NAMES = 7  # T1 .. T7: no cap has T3 and its synonym T7


@dataclass(frozen=True, slots=True)
class Label:
    """What one label says.

    Parameters
    ----------
    text : str
        The label, blanks and NULs collapsed.
    first, second : str
        Names of the two measured points: an electrode's or reference's canonical name. ``first`` is empty
        where the label names no electrode, ``second`` where none is given.
    prefix : str
        ``EEG``, ``POL``, ``SEEG`` or empty.
    plain : bool
        The label is the canonical name itself; only case and blanks may differ.
    zero_for_o : bool
        Digits stand where letters belong (``01``); accepted by `parse_all` only.
    """

    text: str
    first: str = ""
    second: str = ""
    prefix: str = ""
    plain: bool = False
    zero_for_o: bool = False


def clean(label: str) -> str:
    """Return the label with NULs and hard blanks as blanks, blanks collapsed and cut at the ends."""
    return " ".join(label.replace("\0", " ").replace("\u00a0", " ").split())


def parse(label: str) -> Label:
    """Read one label.

    Parameters
    ----------
    label : str
        As the file has it.

    Returns
    -------
    Label
        With empty `first` where it names no electrode.

    Examples
    --------
    >>> parse("EEG FP1-REF").first, parse("T4-A2").second, parse("SpO2").first
    ('Fp1', 'A2', '')
    """
    text = clean(label)
    body = text.upper().strip(" .")
    plain = text.upper() == body and body in CANONICAL and body not in _SYNONYM_TOKENS
    prefix = ""
    match = _PREFIX.match(body)
    if match:
        rest = body[match.end() :]
        glued = match.end() == len(match.group(1))
        # "EEGF3" loses its prefix only if an electrode follows directly; "EEGX" is a word of its own.
        if not glued or _SEPARATORS.split(rest)[0] in CANONICAL:
            prefix, body = match.group(1), rest.strip(" .")
    parts = _SEPARATORS.split(body)
    if len(parts) > 1 and _RUNNING_NUMBER.fullmatch(parts[-1]):
        parts.pop()
    if len(parts) > 2 or not all(parts):
        return Label(text, prefix=prefix)
    first = _node(parts[0])
    second = (REFERENCES.get(parts[1]) or _node(parts[1])) if len(parts) == 2 else ""
    if not first or (len(parts) == 2 and not second):
        return Label(text, prefix=prefix)
    zero = any(part in _ZERO_FOR_O for part in parts)
    return Label(text, first, second, prefix, plain and len(parts) == 1, zero)


_SYNONYM_TOKENS = frozenset(name.upper() for name in SYNONYMS)


def _node(token: str) -> str:
    token = _ZERO_FOR_O.get(token, token)
    return CANONICAL.get(token) or (token if token in EARS else "")


def names_plainly(label: str, electrode: str) -> bool:
    """Say whether a label holds this very name of an electrode, whatever stands before and behind it.

    >>> names_plainly("EEG FP1-REF", "Fp1"), names_plainly("EEG T7-REF", "T3")
    (True, False)
    """
    item = parse(label)
    return item.first == electrode and _token(item) == electrode.upper()


def parse_all(labels: Sequence[str]) -> tuple[Label, ...]:
    """Read all labels of a file and drop what the whole file shows to be something else.

    Contacts of depth shafts and BioSemi sockets (``C3`` in a run C1, C2 .. C8), ``POL`` channels beside ``EEG``
    electrodes, and ``01``, ``02`` where fewer than ten other electrodes are named lose their `first`.
    """
    found = [parse(label) for label in labels]
    shafts = _shafts(found)
    found = [_drop(item) if _on_shaft(item, shafts) else item for item in found]
    named = {item.first for item in found if item.prefix == "EEG" and item.first in INDEX}
    doubled = {item.first for item in found if item.prefix == "POL"} & named
    if len(named) >= _SHAFT_RUN or doubled:
        found = [_drop(item) if item.prefix == "POL" else item for item in found]
    others = {n for item in found if not item.zero_for_o for n in (item.first, item.second) if n in INDEX}
    if len(others) < _ENOUGH_OTHERS:
        found = [_drop(item) if item.zero_for_o else item for item in found]
    return tuple(found)


def _drop(item: Label) -> Label:
    return replace(item, first="", second="", plain=False, zero_for_o=False)


def _token(item: Label) -> str:
    """Return the label's first token without its prefix, upper case."""
    body = item.text.upper().strip(" .")
    if item.prefix:
        body = body[len(item.prefix) :].lstrip(" _:-")
    return _SEPARATORS.split(body)[0]


def _shafts(found: Sequence[Label]) -> frozenset[tuple[str, str]]:
    """Return prefixes and letters whose numbers show them to be sockets or shafts rather than 10-10 rows.

    A letter is one if its numbers run on without a hole from 1 beyond the 10-10 set (C1 .. C7, F1 .. F11).
    Where one is found, further rows whose numbers run 1, 2, 3, 4 and whose midline electrode is absent follow.
    (Not T, which has none: T1 .. T6 beside aux inputs X1 .. X8 is an ordinary recording.)
    Labels of another prefix are another family: ``EEG C3-Ref`` beside ``POL C1`` .. ``POL C10`` is an electrode.
    """
    numbers: dict[tuple[str, str], set[int]] = defaultdict(set)
    midline: set[tuple[str, str]] = set()
    for item in found:
        token = _token(item)
        match = _LETTER_NUMBER.match(token)
        if match:
            numbers[item.prefix, match.group(1)].add(int(match.group(2)))
        elif token in {"FZ", "CZ", "PZ", "OZ"}:
            midline.add((item.prefix, token[0]))
    runs = {family: _run_from_one(held) for family, held in numbers.items()}
    runs = {family: run for family, run in runs.items() if run >= _SHAFT_RUN}
    known = CANONICAL.keys() | EARS
    beyond = {
        (prefix, letter)
        for (prefix, letter), run in runs.items()
        if any(f"{letter}{n}" not in known for n in range(1, run + 1)) or (letter == "T" and run >= _OLD_AND_NEW_NAMES)
    }
    follow = {family for family in runs.keys() - midline if family[1] != "T"}
    return frozenset(beyond | follow) if beyond else frozenset()


def _run_from_one(held: set[int]) -> int:
    run = 0
    while run + 1 in held:
        run += 1
    return run


def _on_shaft(item: Label, shafts: frozenset[tuple[str, str]]) -> bool:
    match = _LETTER_NUMBER.match(_token(item))
    return match is not None and (item.prefix, match.group(1)) in shafts
