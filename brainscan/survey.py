"""What a recording gives before a network sees it: the pipeline up to the verdict on each window, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from brainscan.card import Card
from brainscan.detection import Detection
from brainscan.detector import DetectOptions, Progress, examine
from brainscan.recording import Recording

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
    card = card or Card(name="none", variant={})
    unhashed = replace(recording, sha256=None)  # nothing here is written that would have to carry the checksum
    return examine(NoNetwork(card), card.decision, unhashed, options or DetectOptions(), progress)
