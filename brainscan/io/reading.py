"""`read`: any recording that we know, by its content."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from brainscan.io.containers import open_recording
from brainscan.recording import Recording

if TYPE_CHECKING:
    from mne.io import BaseRaw


def read(path: str | os.PathLike[str]) -> Recording:
    """Open a recording; its samples are read when they are asked for.

    Parameters
    ----------
    path : path-like
        EDF, EDF+, BDF or BDF+; with the extra ``mne`` also what MNE reads as EEG: BrainVision, FIF, EEGLAB, Nihon
        Kohden, Persyst, Nicolet, EGI, Neuroscan, ANT Neuro, GDF, Neuroelectrics, Curry and others (docs/reading.md).

    Returns
    -------
    Recording

    Raises
    ------
    TypeError
        `path` is no path.
    InputError
        The file cannot be used; the message says what it is or what was seen.

    Examples
    --------
    >>> recording = read("night.edf")  # doctest: +SKIP
    >>> recording.duration_s, recording.labels[:2]  # doctest: +SKIP
    (28800.0, ('EEG Fp1-Ref', 'EEG Fp2-Ref'))
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"read takes a path (str or pathlib.Path), got {type(path).__name__}")
    return open_recording(Path(path))


def as_recording(recording: Recording | str | os.PathLike[str] | BaseRaw) -> Recording:
    """Return a recording whatever of the three it is given as: itself, its path, or MNE's ``Raw``.

    Raises
    ------
    TypeError
        If it is none of these.
    InputError
        As `read`.
    """
    if isinstance(recording, Recording):
        return recording
    if isinstance(recording, (str, os.PathLike)):
        return read(recording)
    # Whoever holds a Raw has imported MNE.
    mne_io = sys.modules.get("mne.io")
    if mne_io is not None and isinstance(recording, mne_io.BaseRaw):
        from brainscan.io.mne_raw import from_raw

        return from_raw(recording)
    raise TypeError(
        "a recording is a brainscan.Recording, a path (str or pathlib.Path) or an mne.io.Raw,"
        f" got {type(recording).__name__}"
    )
