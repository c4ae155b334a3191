"""`read`: any recording that we know, by its content."""

from __future__ import annotations

import os
from pathlib import Path

from brainscan.io.containers import container_of, read_head
from brainscan.io.edf import read_edf
from brainscan.recording import Recording


def read(path: str | os.PathLike[str]) -> Recording:
    """Open a recording; its samples are read when they are asked for.

    Parameters
    ----------
    path : path-like
        EDF, EDF+, BDF or BDF+; with the extra ``mne`` also BrainVision (.vhdr), FIF and EEGLAB (.set).

    Returns
    -------
    Recording

    Raises
    ------
    InputError
        The file cannot be used; the message says what it is or what was seen.

    Examples
    --------
    >>> recording = read("night.edf")  # doctest: +SKIP
    >>> recording.duration_s, recording.labels[:2]  # doctest: +SKIP
    (28800.0, ('EEG Fp1-Ref', 'EEG Fp2-Ref'))
    """
    place = Path(path)
    container = container_of(read_head(place), place.name)
    if container in ("EDF", "BDF"):
        return read_edf(place, container)
    from brainscan.io.mne_formats import read_with_mne

    return read_with_mne(place, container)
