"""Hypotheses on disk, so that nothing is detected twice: keyed by the recording's bytes, the model and the settings.

An entry is two files: the curves (``.npy``, mapped rather than read) and events, facts and spans (``.npz``), which is
written last and so marks the entry as whole. No file name of a recording is kept.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from brainscan._version import __version__
from brainscan.errors import InputError, OutputError
from brainscan.evaluate.hypothesis import Hypothesis
from brainscan.evaluate.sweep import Sweep
from brainscan.events import Event, Probabilities
from brainscan.io.atomic import atomic_write, make_folder, remove_unfinished, write_bytes
from brainscan.io.checksums import noted_sha256
from brainscan.io.user_cache import user_cache
from brainscan.scoring.operating_points import THRESHOLDS

FORMAT = 1
"""Raised whenever the same recording and model give other entries."""

DAMAGE = (OSError, EOFError, ValueError, KeyError, TypeError, IndexError, AttributeError, zipfile.BadZipFile)
"""What reading a file of ours can raise when something else wrote to it."""

_COLUMNS = ("index", "onset_s", "offset_s", "confidence")
_KEY_LENGTH = 32


def default_folder() -> Path:
    """Return where a user's hypotheses are kept."""
    return user_cache("evaluate")


@dataclass(frozen=True, slots=True)
class Cache:
    """The entries of one model with one set of settings.

    Parameters
    ----------
    folder : Path
    settings : str
        Digest of everything but the recording, see `settings_key`.
    """

    folder: Path
    settings: str

    @classmethod
    def open(cls, folder: Path, settings: Mapping[str, Any]) -> Cache:
        """Make the folder and remove what a killed run left unfinished.

        Raises
        ------
        OutputError
            If the folder cannot be made or written.
        """
        make_folder(folder)
        if not os.access(folder, os.W_OK):
            raise OutputError("the cache cannot be written", file=str(folder), hint="choose another with --cache DIR")
        remove_unfinished(folder)
        return cls(folder, settings_key(settings))

    @property
    def empty(self) -> bool:
        """Whether there is no entry at all, so that no recording need be read to look for its own."""
        return next(self.folder.glob(f"*-{self.settings}.npz"), None) is None

    def load(self, recording: Path) -> Hypothesis | None:
        """Return the entry of a recording, None if there is none (or a damaged one, which is made again)."""
        try:
            base = self._base(noted_sha256(recording, self.folder))
        except InputError:
            return None
        try:
            # Opened here: numpy leaves a damaged archive open.
            with base.with_suffix(".npz").open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
                facts = json.loads(str(arrays["facts"]))
                sweep = Sweep(*(arrays[name] for name in _COLUMNS))
            values = np.load(base.with_suffix(".npy"), mmap_mode="r", allow_pickle=False)
            return _hypothesis(facts, sweep, values)
        except DAMAGE:
            return None

    def store(self, recording: Path, hypothesis: Hypothesis) -> None:
        """Keep the hypothesis of a recording.

        Raises
        ------
        OutputError
            If that is not possible.
        """
        base = self._base(noted_sha256(recording, self.folder))
        values = [np.asarray(curve.values, dtype=np.float32) for curve in hypothesis.curves]
        curves = io.BytesIO()  # into a file numpy writes past Python, and a full disk has no name
        np.save(curves, np.concatenate(values) if values else np.zeros(0, dtype=np.float32))
        with atomic_write(base.with_suffix(".npy")) as stream:
            stream.write(curves.getbuffer())
        buffer = io.BytesIO()
        columns = {name: getattr(hypothesis.sweep, name) for name in _COLUMNS}
        np.savez(buffer, facts=np.array(json.dumps(_facts(hypothesis))), **columns)
        write_bytes(base.with_suffix(".npz"), buffer.getvalue())

    def _base(self, sha256: str) -> Path:
        return self.folder / f"{sha256[:_KEY_LENGTH]}-{self.settings}"


def settings_key(settings: Mapping[str, Any]) -> str:
    """Return a digest of everything that an entry follows from, besides the recording."""
    facts = {"format": FORMAT, "brainscan": __version__, "grid": list(THRESHOLDS), **settings}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode("utf-8")).hexdigest()[:16]


def _facts(hypothesis: Hypothesis) -> dict[str, Any]:
    return {
        "duration_s": hypothesis.duration_s,
        "start": None if hypothesis.start is None else hypothesis.start.isoformat(),
        "analysed": [list(span) for span in hypothesis.analysed],
        "segments": [[curve.start_s, len(curve.values)] for curve in hypothesis.curves],
        "events": [[e.onset_s, e.offset_s, e.confidence, e.prolonged] for e in hypothesis.events],
        "warnings": list(hypothesis.warnings),
    }


def _hypothesis(facts: Mapping[str, Any], sweep: Sweep, values: np.ndarray[Any, np.dtype[np.float32]]) -> Hypothesis:
    curves, at = [], 0
    for start_s, n_samples in facts["segments"]:
        curves.append(Probabilities(float(start_s), values[at : at + n_samples]))
        at += n_samples
    if at != len(values):
        raise ValueError(f"the curves have {len(values)} samples, the segments {at}")
    return Hypothesis(
        duration_s=float(facts["duration_s"]),
        start=None if facts["start"] is None else datetime.fromisoformat(facts["start"]),
        analysed=tuple((float(a), float(b)) for a, b in facts["analysed"]),
        sweep=sweep,
        events=tuple(Event(a, b, confidence, bool(prolonged)) for a, b, confidence, prolonged in facts["events"]),
        curves=tuple(curves),
        warnings=tuple(facts["warnings"]),
    )
