"""The 19 electrodes as text, laid out as on a head seen from above."""

from __future__ import annotations

from collections.abc import Sequence

from brainscan.detection import ElectrodeReport
from brainscan.signal.labels import names_plainly

_ROWS = (
    ("", "Fp1", "", "Fp2", ""),
    ("F7", "F3", "Fz", "F4", "F8"),
    ("T3", "C3", "Cz", "C4", "T4"),
    ("T5", "P3", "Pz", "P4", "T6"),
    ("", "O1", "", "O2", ""),
)
_CELL = 8
_MARKS = {"renamed": "r", "derived": "d", "interpolated": "i", "missing": "x", "doubtful": "?", "unusable": "!"}
_MEANINGS = {
    "renamed": "under another name",
    "derived": "derived from other channels",
    "interpolated": "interpolated",
    "missing": "missing",
    "doubtful": "unusable in more than a tenth of the windows",
    "unusable": "unusable in more than half of the windows",
}


def head_map(electrodes: Sequence[ElectrodeReport]) -> str:
    """Return a map of the 19, nose up, each with marks for how it is obtained, and a legend of those used.

    An electrode without mark is recorded under its own name, with whatever prefix and reference, and good throughout.
    """
    words = {e.name: _words(e) for e in electrodes}
    width = _CELL * 5
    lines = ["nose".center(width).rstrip()]
    for row in _ROWS:
        cells = (_cell(name, words[name]) if name else "" for name in row)
        lines.append("".join(cell.center(_CELL) for cell in cells).rstrip())
    used = [word for word in _MARKS if any(word in held for held in words.values())]
    legend = [f"  {_MARKS[word]}  {_MEANINGS[word]}" for word in used]
    return "\n".join([*lines, *([""] if legend else []), *legend])


def found(report: ElectrodeReport) -> str:
    """Return how an electrode was found, for people: ``EEG Fp1-Ref`` is no other name for Fp1, as T7 is for T3."""
    plain = bool(report.channels) and all(names_plainly(label, report.name) for label in report.channels)
    return "present" if report.found == "renamed" and plain else report.found


def _words(report: ElectrodeReport) -> tuple[str, ...]:
    obtained = report.how if report.how != "recorded" else found(report)
    return tuple(word for word in (obtained, report.quality) if word in _MARKS)


def _cell(name: str, words: tuple[str, ...]) -> str:
    marks = "".join(_MARKS[word] for word in words)
    return f"{name} {marks}" if marks else name
