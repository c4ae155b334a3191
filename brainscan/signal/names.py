"""The vocabulary of channel labels: electrodes, ears, reference words; and labels as plain text.

`brainscan.signal.labels` reads labels with it.
"""

from __future__ import annotations

import re
import unicodedata

from brainscan.electrodes import ELECTRODES, INDEX, SYNONYMS
from brainscan.signal.units import uv_per_unit


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

SYNONYM_TOKENS = frozenset(name.upper() for name in SYNONYMS)

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

ZERO_FOR_O = {"01": "O1", "02": "O2"}

PREFIX = re.compile(r"^(EEG|POL|SEEG)(?:[ _:.\-/]+(?=.)|(?=[A-Z]))")
SEPARATORS = re.compile(r"\s+(?:VS\.?|MINUS)\s+|\s*[-_:/\\|>.,;~=]+\s*|\s+")
"""What stands between the two points of a derivation, or before a reference."""

# What looks like a hyphen or an arrow and is another letter of Unicode.
_HYPHENS = dict.fromkeys(
    map(ord, "\u00ad\u02d7\u058a\u05be\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u207b\u208b\u2212\u2500\u2796"
             "\u2192\u21d2\u2794\u2e3a\u2e3b\u30fc\ufe58\ufe63\uff0d\uff70\u00b7\u2022\u2219\u22c5\u00af"),
    "-",
)  # fmt: skip
_BRACKETED = re.compile(r"[\s\-_,/]*[\[({<]\s*(?:in\s+)?([^\[\](){}<>]*?)\s*[\])}>]?$", re.IGNORECASE)
_BEHIND = re.compile(r"[\s,/_\-]+(?:in\s+)?([^\s,/_\-]+)$", re.IGNORECASE)


def clean(label: str) -> str:
    """Return the label with NULs and hard blanks as blanks, blanks collapsed and cut at the ends."""
    return " ".join(label.replace("\0", " ").replace("\u00a0", " ").split())


def plain_text(label: str) -> str:
    """Return a label in upper case, with plain hyphens and blanks, and without a voltage's unit at its end.

    >>> plain_text("Fp1\u2013F7 [\u00b5V]"), plain_text("EEG Cz (uV)"), plain_text("Fp1 (A1+A2)/2")
    ('FP1-F7', 'EEG CZ', 'FP1 (A1+A2)/2')
    """
    text = label.translate(_HYPHENS)
    # Letters in other widths (full-width F) are the same letters; marks without width are nothing.
    text = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    text = clean(text.translate(_HYPHENS))
    for pattern, but in ((_BRACKETED, ""), (_BEHIND, "V")):
        found = pattern.search(text)
        if found and found.start() and uv_per_unit(found.group(1)) is not None and found.group(1).upper() != but:
            text = text[: found.start()]
            break
    return text.upper().strip(" .")


def starts_with_electrode(body: str) -> str:
    """Return the electrode's or ear's token with which a body begins, or an empty string.

    >>> starts_with_electrode("FP1-G19"), starts_with_electrode("CZ1"), starts_with_electrode("T3REF")
    ('FP1', '', 'T3')
    """
    found = _HEAD.match(body)
    return found.group() if found and found.group() in _POINTS else ""


_HEAD = re.compile(r"[A-Z]{1,2}(?:Z(?!\d)|\d{1,2}(?!\d))")
_POINTS = CANONICAL.keys() | EARS


def joined_pair(body: str) -> tuple[str, str] | None:
    """Return the two points of a derivation that is written without a separator, None if it is none or ambiguous.

    >>> joined_pair("FP1F7"), joined_pair("FC3"), joined_pair("C3P")
    (('FP1', 'F7'), None, None)
    """
    if body in _POINTS or body in REFERENCES:
        return None
    cuts = [(body[:i], body[i:]) for i in range(2, len(body) - 1)]
    pairs = [(a, b) for a, b in cuts if a in _POINTS and b in _POINTS]
    return pairs[0] if len(pairs) == 1 else None
