"""What a channel label says: electrode, reference, prefix. Whole tokens, never substrings.

`parse` looks at one label alone; what only the whole file can tell (BioSemi sockets, depth shafts, digits typed
for letters) is settled by `parse_all`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from brainscan.electrodes import INDEX
from brainscan.signal.conventions import joined, shared_words, uncut, without_numbers
from brainscan.signal.names import (
    CANONICAL,
    EARS,
    PREFIX,
    REFERENCES,
    SEPARATORS,
    SYNONYM_TOKENS,
    ZERO_FOR_O,
    clean,
    plain_text,
    starts_with_electrode,
)

# MNE writes labels that occur twice as T8-P8-0, T8-P8-1, and exports them so; others count all channels.
_RUNNING_NUMBER = re.compile(r"\d+")
_LETTER_NUMBER = re.compile(r"^([A-Z])(\d{1,3})$")
_SHAFT_RUN = 4
_ENOUGH_OTHERS = 10
_ENOUGH_NAMED = 16  # of the 19: what else the labels could mean is not asked
_OLD_AND_NEW_NAMES = 7  # T1 .. T7: no cap has T3 and its synonym T7


__all__ = ["CANONICAL", "EARS", "REFERENCES", "Label", "clean", "names_plainly", "parse", "parse_all"]


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
    token : str
        What stands at the place of the first point, upper case.
    guess : str
        What was guessed to read it, for a warning.
    """

    text: str
    first: str = ""
    second: str = ""
    prefix: str = ""
    plain: bool = False
    zero_for_o: bool = False
    token: str = ""
    guess: str = ""


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
    return replace(_read(plain_text(label), text), plain=_is_plain(text))


def _is_plain(text: str) -> bool:
    return text.upper() in CANONICAL and text.upper() not in SYNONYM_TOKENS


def _read(body: str, text: str) -> Label:
    """Read a label's plain text."""
    prefix = ""
    match = PREFIX.match(body)
    if match:
        rest = body[match.end() :]
        glued = match.end() == len(match.group(1))
        # "EEGF3" loses its prefix only if an electrode follows directly; "EEGX" is a word of its own.
        if not glued or SEPARATORS.split(rest)[0] in CANONICAL:
            prefix, body = match.group(1), rest.strip(" .")
    parts = SEPARATORS.split(body)
    nothing = Label(text, prefix=prefix, token=parts[0])
    numbered = len(parts) > 2 or (len(parts) == 2 and len(parts[-1]) == 1)
    if numbered and _RUNNING_NUMBER.fullmatch(parts[-1]) and parts[-1] not in ZERO_FOR_O:
        parts.pop()
    if len(parts) > 2 or not all(parts):
        return nothing
    first = _node(parts[0])
    second = (REFERENCES.get(parts[1]) or _node(parts[1])) if len(parts) == 2 else ""
    if not first or (len(parts) == 2 and not second):
        return nothing
    return replace(nothing, first=first, second=second, zero_for_o=any(part in ZERO_FOR_O for part in parts))


def _node(token: str) -> str:
    token = ZERO_FOR_O.get(token, token)
    return CANONICAL.get(token) or (token if token in EARS else "")


def names_plainly(label: str, electrode: str) -> bool:
    """Say whether a label holds this very name of an electrode, whatever stands before and behind it.

    >>> names_plainly("EEG FP1-REF", "Fp1"), names_plainly("EEG T7-REF", "T3")
    (True, False)
    """
    item = parse(label)
    # Behind the name may stand a reference that only the whole file explains.
    token = item.token if item.first else starts_with_electrode(item.token)
    return token == electrode.upper()


def parse_all(labels: Sequence[str]) -> tuple[Label, ...]:
    """Read all labels of a file and drop what the whole file shows to be something else.

    Contacts of depth shafts and BioSemi sockets (``C3`` in a run C1, C2 .. C8), ``POL`` channels beside ``EEG``
    electrodes, and ``01``, ``02`` where fewer than ten other electrodes are named lose their `first`. Running
    numbers, a word that sixteen electrodes share and derivations without a separator are understood.
    """
    found = _by_conventions(labels)
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


def _by_conventions(labels: Sequence[str]) -> list[Label]:
    """Read each label as the whole file shows that it is meant."""
    texts = [clean(label) for label in labels]
    bodies = without_numbers(uncut([plain_text(label) for label in labels]))
    found = [replace(_read(body, text), plain=_is_plain(text)) for body, text in zip(bodies, texts, strict=True)]
    for convention in (shared_words, joined):
        readable = [bool(item.first) for item in found]
        named = {n for item in found for n in (item.first, item.second) if n in INDEX}
        if len(named) >= _ENOUGH_NAMED:
            break
        for i, form in enumerate(convention(bodies, readable)):
            if form.text != bodies[i] and (item := _read(form.text, texts[i])).first:
                found[i] = replace(item, guess=form.guess)
                if form.is_turned:
                    found[i] = replace(found[i], first=item.second, second=item.first)
    return found


def _drop(item: Label) -> Label:
    return replace(item, first="", second="", plain=False, zero_for_o=False, guess="")


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
        token = item.token
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
    match = _LETTER_NUMBER.match(item.token)
    return match is not None and (item.prefix, match.group(1)) in shafts
