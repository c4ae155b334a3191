"""Where an event file comes from: brainscan or not, from which input, with which model and settings.

Every format carries the same facts, so that nothing of other origin is overwritten and nothing is done twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainscan.io.csv_bi import COMMENT
from brainscan.mapping import to_mapping

REVIEWED = "reviewed"
"""A comment line ``# brainscan: reviewed`` turns an output of ours into a reference."""

_INPUT = "; input sha256 "
_MODEL = "; model sha256 "
_HEAD_BYTES = 1 << 20
_ABSENT = "none"
_SHORT = 12
_MOST = 5
_NOT_SETTINGS = frozenset({"brainscan", "model", "model_sha256"})


@dataclass(frozen=True, slots=True)
class Origin:
    """What made an event file.

    Parameters
    ----------
    sha256 : str
        Of the recording's bytes; empty where it was never a file.
    model : mapping
        The provenance of a `Detection`: version, model, checksum, settings.
    """

    sha256: str
    model: Mapping[str, Any]

    @property
    def deciding(self) -> dict[str, Any]:
        """What the events follow from: everything but names and versions."""
        plain = to_mapping(self.model)
        return {key: value for key, value in plain.items() if key not in {"brainscan", "model"}}

    def same_input(self, sha256: str) -> bool:
        """Whether the file was made from the recording with this checksum."""
        return bool(sha256) and self.sha256 == sha256

    def same_analysis(self, other: Origin) -> bool:
        """Whether the file was made from the same bytes with the same model and settings."""
        return self.same_input(other.sha256) and self.deciding == other.deciding

    def differences(self, other: Origin) -> tuple[str, ...]:
        """Return which settings differ, in a few words each: here, and in the other."""
        here, there = _flat(self.deciding), _flat(other.deciding)
        keys = [key for key in dict.fromkeys((*here, *there)) if here.get(key) != there.get(key)]
        unsaid = [key for key in keys if key not in here]
        if len(unsaid) > 1:  # a file that says nothing of its settings lacks all of them
            keys = [key for key in keys if key in here]
        told = [f"{key} {_shown(here.get(key))} there, {_shown(there.get(key))} now" for key in keys]
        if len(told) > _MOST:
            told[_MOST:] = [f"{len(told) - _MOST} more"]
        return (*told, f"{len(unsaid)} that it does not say") if len(unsaid) > 1 else tuple(told)

    def comment_lines(self) -> list[str]:
        """Return the lines that a CSV_bi carries."""
        settings = {key: value for key, value in to_mapping(self.model).items() if key not in _NOT_SETTINGS}
        text = json.dumps(settings, sort_keys=True)
        return [
            f"brainscan {self.model.get('brainscan', '')}{_INPUT}{self.sha256 or _ABSENT}",
            f"model {self.model.get('model', '')}{_MODEL}{self.model.get('model_sha256', '')}",
            # Comments have their blanks collapsed; a pair of blanks stands inside a string only.
            f"settings {text.replace('  ', ' ' + chr(92) + 'u0020')}",
        ]

    @classmethod
    def from_comments(cls, comments: Sequence[str]) -> Origin | None:
        """Read the lines of a CSV_bi; None where they are not ours, or not whole."""
        model: dict[str, Any] = {}
        sha256 = None
        for line in comments:
            word, _, rest = line.partition(" ")
            if word == "brainscan" and _INPUT in rest:
                model["brainscan"], _, sha256 = rest.partition(_INPUT)
            elif word == "model" and _MODEL in rest:
                model["model"], _, model["model_sha256"] = rest.rpartition(_MODEL)
            elif word == "settings":
                try:
                    model.update(json.loads(rest))
                except ValueError:
                    return None
        return None if sha256 is None else cls("" if sha256 == _ABSENT else sha256, model)


def is_reviewed(comments: Sequence[str]) -> bool:
    """Whether a person has looked at the events and says so."""
    return any(comment.split(" ")[0] == REVIEWED for comment in comments)


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with those of the decision beside the others."""
    decision = settings.get("decision")
    inner = decision if isinstance(decision, Mapping) else {}
    return {**{key: value for key, value in settings.items() if key != "decision"}, **inner}


def _shown(value: object) -> str:
    if value is None or value in ({}, ""):
        return "none"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}..."


def origin_in_comments(path: Path) -> Origin | None:
    """Return what made a file whose format has comment lines; None where brainscan did not or it cannot be read."""
    try:
        with path.open("rb") as stream:
            lines = stream.read(_HEAD_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return None
    return Origin.from_comments([line.removeprefix(COMMENT).strip() for line in lines if line.startswith(COMMENT)])
