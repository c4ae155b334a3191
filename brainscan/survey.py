"""What a recording gives before a network sees it: the pipeline up to the verdict on each window, without torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from brainscan.card import Card
from brainscan.cohort import age_warning
from brainscan.detection import Detection, ElectrodeReport
from brainscan.examine import DetectOptions, Progress, examine, with_notes
from brainscan.io.plan import outline_plan
from brainscan.io.reading import as_recording
from brainscan.qeeg import Trends
from brainscan.recording import Recording

if TYPE_CHECKING:
    from mne.io import BaseRaw

FloatArray = NDArray[np.float32]


class NoNetwork:
    """Stands where the network would, and marks nothing.

    Parameters
    ----------
    card : Card
        Filter, window and decision that the stages follow.
    """

    batch_size = 1

    def __init__(self, card: Card) -> None:
        self.card = card

    def probabilities(self, windows: Sequence[FloatArray]) -> list[FloatArray]:
        """Return zeros for each sample of the windows."""
        return [np.zeros(window.shape[-1], dtype=np.float32) for window in windows]


def outline(recording: Recording, options: DetectOptions) -> Detection:
    """Say what the header gives of a recording whose labels lack too many electrodes; no sample is judged.

    Returns
    -------
    Detection
        Without events, verdicts and checksum: what is not missing counts as good.
    """
    plan = outline_plan(recording, options.channel_map)
    missing = set(plan.missing)
    return Detection(
        file=recording.name,
        format=recording.format,
        start=recording.start,
        duration_s=recording.duration_s,
        analysed_s=0.0,
        segments=recording.segments,
        events=(),
        unscored=((0.0, recording.duration_s),),
        electrodes=tuple(
            ElectrodeReport(s.name, "missing", "missing", "good", 0.0)
            if s.name in missing
            else ElectrodeReport(
                s.name, s.found, "derived" if s.found == "derived" else "recorded", "good", 0.0, s.labels
            )
            for s in plan.sources
        ),
        warnings=tuple(dict.fromkeys((*recording.warnings, *plan.warnings))),
        annotations=recording.annotations,
    )


def survey(
    recording: Recording,
    options: DetectOptions | None = None,
    card: Card | None = None,
    progress: Progress | None = None,
) -> Detection:
    """Say how each electrode is obtained and which spans could be scored, with the code that `Detector` runs.

    Parameters
    ----------
    recording : Recording
    options : DetectOptions, optional
    card : Card, optional
        Of the model in question; by default a card's own defaults.
    progress : callable, optional

    Returns
    -------
    Detection
        Without events and checksum. `analysed_s` is 0 where nothing can be scored.

    Raises
    ------
    InputError
        If the labels lack too many electrodes, or the recording cannot be read any more.
    """
    model = card or Card(name="none", variant={})
    unhashed = replace(recording, sha256=None)  # nothing here is written that would have to carry the checksum
    found = examine(NoNetwork(model), model.decision, unhashed, options or DetectOptions(), progress)
    return with_notes(found, age_warning(recording.age_years, card.provenance.trained)) if card else found


def trends(
    recording: Recording | str | os.PathLike[str] | BaseRaw,
    options: DetectOptions | None = None,
    progress: Progress | None = None,
) -> Trends:
    """Return the trends of a recording: aEEG, spectrogram, asymmetry, rhythmicity, suppression (docs/trends.md).

    No network is loaded; the samples go through the filter and the verdicts of a default card, as `Detector` has them.

    Parameters
    ----------
    recording : Recording, path-like or mne.io.Raw
    options : DetectOptions, optional
        Which part, which channels.
    progress : callable, optional
        Called with the seconds of the recording that are done.

    Returns
    -------
    Trends
        One column every four seconds.

    Raises
    ------
    TypeError
        If it is no recording.
    InputError
        If it cannot be read, or its labels lack too many electrodes.
    UsageError
        If the asked-for part lies outside the recording.

    Examples
    --------
    >>> import brainscan
    >>> found = brainscan.trends("examples/sample.edf")  # doctest: +SKIP
    >>> found.aeeg_uv[0, 1]  # median amplitude of the left side, every four seconds  # doctest: +SKIP
    """
    asked = replace(options or DetectOptions(), keep_trends=True)
    found = survey(as_recording(recording), asked, progress=progress).trends
    return Trends.joined([]) if found is None else found
