"""What the channels of a recording carry, whatever their container: units settled by amplitudes.

Amplitudes come from stretches spread over all of the recording, which are read when they are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from brainscan.errors import InputError
from brainscan.recording import Channel, Recording, Segment
from brainscan.signal.calibration import Amplitudes, amplitude, settle
from brainscan.signal.labels import parse_all

N_STRETCHES = 9
STRETCH_S = 5.0

_AT_ONCE = 64  # channels; bounds memory in files that have thousands


def calibrated(recording: Recording) -> tuple[Channel, ...]:
    """Return the channels of a recording with their units settled.

    Parameters
    ----------
    recording : Recording
        Whose channels carry the factor that their unit states (1 where it is unknown), and whose reader obeys them.

    Returns
    -------
    tuple of Channel
        With the factor that holds, the amplitude that the stated one gives, and what was measured. None stays None.
    """
    channels = recording.channels
    named = [bool(label.first) for label in parse_all(recording.labels)]
    usable = [i for i, c in enumerate(channels) if c.uv_per_unit is not None]
    of_eeg = {channels[i].unit for i in usable if named[i]}
    # Channels that name no electrode follow those of their unit that do.
    asked = {i for i in usable if named[i] or channels[i].unit not in of_eeg}
    found = measured(recording, [i for i in usable if i in asked])
    rows = iter(range(len(found.peaks)))
    stated = found.rows([next(rows) if i in asked else None for i in usable])
    judged = np.array([named[i] for i in usable], dtype=np.bool_)
    factors = settle([channels[i].unit for i in usable], stated, judged)
    result = list(channels)
    for row, (i, factor, seen_uv) in enumerate(zip(usable, factors, stated.typical.tolist(), strict=True)):
        settled = replace(channels[i], uv_per_unit=factor, seen_uv=seen_uv or None)
        if i in asked and factor is not None:
            times = factor / (channels[i].uv_per_unit or 1.0)
            settled = replace(settled, stretches_uv=stated.of_row(row, times))
        result[i] = settled
    return tuple(result)


def measured(recording: Recording, channels: Sequence[int]) -> Amplitudes:
    """Measure channels over nine stretches of five seconds, evenly spread over what was recorded.

    The first block alone may be a calibration signal, zeros before the start, or a seizure.

    Returns
    -------
    Amplitudes
        In µV as the recording gives them.
    """
    spans = stretches(recording.segments)
    deviations = np.zeros((len(channels), len(spans)))
    peaks = np.zeros_like(deviations)
    for begin in range(0, len(channels), _AT_ONCE):
        part = list(channels[begin : begin + _AT_ONCE])
        rates = [recording.channels[channel].rate_hz for channel in part]
        for column, (segment, start_s, stop_s) in enumerate(spans):
            try:
                uv = recording.reader(part, segment, start_s, stop_s).uv
            except InputError:  # damaged there: whoever needs that part is told
                continue
            for rate_hz in dict.fromkeys(rates):
                rows = [row for row, own in enumerate(rates) if own == rate_hz]
                at = [begin + row for row in rows]
                block = np.stack([uv[row] for row in rows])
                deviations[at, column], peaks[at, column] = amplitude(block, float(rate_hz))
    return Amplitudes(deviations, peaks)


def amplitudes(recording: Recording, channels: Sequence[int]) -> Amplitudes:
    """Return how large some channels are, in µV: as measured when the recording was opened, else measured now."""
    n_stretches = len(stretches(recording.segments))
    held = {i: recording.channels[i].stretches_uv for i in channels}
    unseen = [i for i in channels if len(held[i] or ()) != n_stretches]
    found = measured(recording, unseen)
    held.update({i: found.of_row(row) for row, i in enumerate(unseen)})
    pairs = np.array([held[i] for i in channels], dtype=np.float64).reshape(len(channels), n_stretches, 2)
    return Amplitudes(pairs[:, :, 0], pairs[:, :, 1])


def stretches(segments: Sequence[Segment]) -> list[tuple[Segment, float, float]]:
    """Return the spans to look at: segment, first and last second on the recording's clock."""
    total_s = sum(segment.duration_s for segment in segments)
    n = min(N_STRETCHES, max(1, int(total_s // STRETCH_S)))
    middles = [(k + 0.5) * total_s / n for k in range(n)]
    spans: list[tuple[Segment, float, float]] = []
    passed_s = 0.0
    for segment in segments:
        while middles and middles[0] <= passed_s + segment.duration_s:
            middle_s = segment.start_s + middles.pop(0) - passed_s
            start_s = max(segment.start_s, min(middle_s - STRETCH_S / 2, segment.stop_s - STRETCH_S))
            spans.append((segment, start_s, min(start_s + STRETCH_S, segment.stop_s)))
        passed_s += segment.duration_s
    return spans
