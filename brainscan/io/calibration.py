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
from brainscan.signal.labels import clean, parse_all
from brainscan.signal.units import spelled, uv_per_unit

N_STRETCHES = 9
STRETCH_S = 5.0

_UNITS = {1e-3: "nV", 1.0: "uV", 1e3: "mV", 1e6: "V"}
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
        With the factor that holds, and with the amplitude that the stated one gives. None stays None.
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
    for i, factor, seen_uv in zip(usable, factors, stated.typical.tolist(), strict=True):
        result[i] = replace(channels[i], uv_per_unit=factor, seen_uv=seen_uv or None)
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


def unit_warnings(channels: Sequence[Channel]) -> list[str]:
    """Say of which channels the unit is not taken as it is stated, and by how much."""
    groups: dict[tuple[str, float], list[Channel]] = {}
    for channel in channels:
        if channel.uv_per_unit is not None and channel.uv_per_unit != uv_per_unit(channel.unit):
            groups.setdefault((channel.unit, channel.uv_per_unit), []).append(channel)
    warnings = []
    for (unit, factor), held in groups.items():
        stated = uv_per_unit(unit)
        names = ", ".join(clean(channel.label) for channel in held)
        taken = f"taken as {_UNITS.get(factor, f'{factor:g} uV')}"
        if stated is None:
            warnings.append(f"unit {unit!r} is unknown: {taken} in {names} (channels: {len(held)})")
            continue
        seen = float(np.median([channel.seen_uv or 0.0 for channel in held]))
        by = f"divided by {stated / factor:.0f}" if stated > factor else f"multiplied by {factor / stated:.0f}"
        warnings.append(
            f"unit {unit!r} would make {spelled(seen)} of {names}, which no scalp EEG has: {taken},"
            f" {by} (channels: {len(held)})"
        )
    return warnings


def unusable_amplitudes(recording: Recording, channels: Sequence[int]) -> list[str]:
    """Say which channels have a known unit and are not used because of the amplitudes that it gives."""
    held = [recording.channels[i] for i in channels]
    held = [c for c in held if c.uv_per_unit is None and c.seen_uv and uv_per_unit(c.unit) is not None]
    if not held:
        return []
    seen = float(np.median([channel.seen_uv or 0.0 for channel in held]))
    names = ", ".join(clean(channel.label) for channel in held)
    return [f"amplitudes of {spelled(seen)} in {names}: flat, or a wrong unit"]
