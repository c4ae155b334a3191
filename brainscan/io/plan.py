"""`open_plan`: which channels make the 19, from labels and measures; `brainscan.signal.judging` decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from brainscan.caps import CapFigures
from brainscan.errors import InputError, UsageError
from brainscan.io.calibration import amplitudes
from brainscan.recording import Recording
from brainscan.signal import montage
from brainscan.signal.derivations import wiring_of
from brainscan.signal.judging import Measures, RefusalError, planned, usable
from brainscan.signal.montage import ElectrodePlan

FIRST_BLOCK_S = 10.0


def open_plan(
    recording: Recording,
    channel_map: Mapping[str, str] | None = None,
    max_missing: int = 3,
    caps: Mapping[str, CapFigures] | None = None,
) -> ElectrodePlan:
    """Find the 19 electrodes of a recording, or say why that cannot be done.

    Labels are read once, and so are the first seconds of the channels that they name.

    Parameters
    ----------
    recording : Recording
    channel_map : mapping of str to str, optional
        Label in the file to electrode.
    max_missing : int
        Up to this many of the 19 may be missing.
    caps : mapping of name to CapFigures, optional
        Of a model's card: with a cap of these more may be missing.

    Returns
    -------
    ElectrodePlan
        Its warnings tell of missing, duplicate, uncalibrated and doubtful channels.

    Raises
    ------
    InputError
        Kind ``electrodes`` or ``calibration``: more than `max_missing` electrodes are missing, or amplitudes are
        none that an EEG has.
    UsageError
        The channel map names something that is no electrode.
    """
    try:
        wiring = wiring_of(recording.labels, channel_map)
    except ValueError as problem:
        raise UsageError(str(problem), hint="--channel-map NAME=ELECTRODE, for example 'E9=Fp1,E22=Fp2'") from problem
    held = usable(recording.channels)
    measures = measure(recording, [channel for channel in wiring.channels if channel in held])
    try:
        return planned(recording.channels, wiring, measures, max_missing, caps or {})
    except RefusalError as refusal:
        raise InputError(str(refusal), kind=refusal.kind, file=recording.name, hint=refusal.hint) from None


def outline_plan(recording: Recording, channel_map: Mapping[str, str] | None = None) -> ElectrodePlan:
    """Return what labels and calibrations give, however little: to show what `open_plan` refuses.

    Raises
    ------
    ValueError
        The channel map names something that is no electrode.
    """
    excluded = frozenset(range(len(recording.channels))) - usable(recording.channels)
    return montage.plan(recording.labels, channel_map=channel_map, excluded=excluded)


def measure(recording: Recording, channels: Sequence[int]) -> Measures:
    """Measure some channels: their first seconds are read here, stretches of the rest when it was opened.

    Raises
    ------
    InputError
        If the recording cannot be read any more.
    """
    segment = recording.segments[0]
    stop_s = segment.start_s + min(FIRST_BLOCK_S, segment.duration_s)
    blocks = recording.read(channels, segment.start_s, stop_s, segment).uv
    return Measures(dict(zip(channels, blocks, strict=True)), amplitudes(recording, channels))
