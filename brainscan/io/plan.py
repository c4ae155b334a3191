"""`open_plan`: which channels make the 19, settled from the header and the first block.

Here a recording is refused whose labels or calibrations cannot give the electrodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from brainscan.electrodes import N_ELECTRODES
from brainscan.errors import InputError, UsageError
from brainscan.io.calibration import measured, unit_warnings, unusable_amplitudes
from brainscan.recording import Recording
from brainscan.signal import montage
from brainscan.signal.calibration import BURST_UV, Amplitudes, tenfold
from brainscan.signal.labels import clean
from brainscan.signal.montage import ElectrodePlan
from brainscan.signal.units import IMPLAUSIBLE_UV, PLAUSIBLE_UV, mains_share, robust_deviation, spelled

FIRST_BLOCK_S = 10.0
MIN_RATE_HZ = 32.0
"""Slower channels cannot carry what the network looks at, and are left out."""
MAX_RATE_HZ = 65_536.0
"""Nothing is sampled faster: a header that says so is damaged."""
LOW_RATE_HZ = 100.0

_LOOP_UV = 5.0
_LOOP_SHARE = 0.1
_MAINS_SHARE = 0.95
_SAME_SHARE = 0.02
_SHOWN_LABELS = 40
_MOST_MISSING = N_ELECTRODES - 4  # what a user may allow


def open_plan(
    recording: Recording, channel_map: Mapping[str, str] | None = None, max_missing: int = 3
) -> ElectrodePlan:
    """Find the 19 electrodes of a recording, or say why that cannot be done.

    Parameters
    ----------
    recording : Recording
    channel_map : mapping of str to str, optional
        Label in the file to electrode.
    max_missing : int
        Up to this many of the 19 may be missing.

    Returns
    -------
    ElectrodePlan
        Its warnings tell of missing, duplicate, uncalibrated and doubtful channels.

    Raises
    ------
    InputError
        Kind ``electrodes`` or ``calibration``: more than `max_missing` electrodes are missing.
    UsageError
        The channel map names something that is no electrode.
    """
    try:
        by_label = montage.plan(recording.labels, channel_map=channel_map)
        excluded = _excluded(recording)
        dead = _dead(recording, by_label, excluded)
        plan = montage.plan(recording.labels, channel_map=channel_map, excluded=excluded, dead=dead)
    except ValueError as problem:
        raise UsageError(str(problem), hint="--channel-map NAME=ELECTRODE, for example 'E9=Fp1,E22=Fp2'") from problem
    if len(plan.missing) > max_missing:
        raise _refusal(recording, plan, by_label)
    warnings = list(plan.warnings)
    warnings += _missing_warnings(plan)
    warnings += unusable_amplitudes(recording, by_label.channels)
    warnings += unit_warnings([recording.channels[i] for i in plan.channels])
    warnings += _rate_warnings(recording, plan)
    warnings += _block_warnings(recording, plan)
    warnings += _amplitude_warnings(recording, plan, measured(recording, plan.channels))
    return montage.with_warnings(plan, tuple(dict.fromkeys(warnings)))


def outline_plan(recording: Recording, channel_map: Mapping[str, str] | None = None) -> ElectrodePlan:
    """Return what labels and calibrations give, however little: to show what `open_plan` refuses.

    Raises
    ------
    ValueError
        The channel map names something that is no electrode.
    """
    return montage.plan(recording.labels, channel_map=channel_map, excluded=_excluded(recording))


def _excluded(recording: Recording) -> frozenset[int]:
    """Return channels that cannot be used: no calibration, far too slow, or impossibly fast."""
    return frozenset(
        i
        for i, c in enumerate(recording.channels)
        if c.uv_per_unit is None or not MIN_RATE_HZ <= c.rate_hz <= MAX_RATE_HZ
    )


def first_block(recording: Recording, channels: Sequence[int]) -> tuple[NDArray[np.float64], ...]:
    """Return the first seconds of some channels, each at its own rate."""
    segment = recording.segments[0]
    stop_s = segment.start_s + min(FIRST_BLOCK_S, segment.duration_s)
    return recording.read(channels, segment.start_s, stop_s, segment).uv


def _dead(recording: Recording, by_label: ElectrodePlan, excluded: frozenset[int]) -> frozenset[int]:
    """Return flat channels among duplicates, so that a live one is taken instead."""
    asked = sorted({c for _, used, spare in by_label.duplicates for c in (used, spare)} - excluded)
    if not asked:
        return frozenset()
    blocks = first_block(recording, asked)
    return frozenset(c for c, block in zip(asked, blocks, strict=True) if not np.ptp(block) > 0)


def _refusal(recording: Recording, plan: ElectrodePlan, by_label: ElectrodePlan) -> InputError:
    names = " ".join(plan.missing)
    count = f"{len(plan.missing)} of the {N_ELECTRODES} electrodes are missing"
    if len(by_label.missing) < len(plan.missing):
        seen = unusable_amplitudes(recording, by_label.channels)
        return InputError(
            f"{count}: {names} have labels but no usable calibration or rate" + "".join(f"; {text}" for text in seen),
            kind="calibration",
            file=recording.name,
            hint="export it again with physical units",
        )
    labels = ", ".join(label or "(blank)" for label in recording.labels[:_SHOWN_LABELS])
    allow = f", or allow them with --max-missing {len(plan.missing)}" if len(plan.missing) <= _MOST_MISSING else ""
    more = f" and {len(recording.labels) - _SHOWN_LABELS} more" if len(recording.labels) > _SHOWN_LABELS else ""
    return InputError(
        f"{count}: {names} (labels: {labels}{more})",
        kind="electrodes",
        file=recording.name,
        hint=f"map other names with --channel-map NAME=ELECTRODE{allow}",
    )


def _missing_warnings(plan: ElectrodePlan) -> list[str]:
    return [f"{' '.join(plan.missing)} missing: interpolated from the others"] if plan.missing else []


def _rate_warnings(recording: Recording, plan: ElectrodePlan) -> list[str]:
    slowest = min((recording.channels[i].rate_hz for i in plan.channels), default=None)
    if slowest is None or slowest >= LOW_RATE_HZ:
        return []
    return [f"sampled at {float(slowest):g} Hz only: fast rhythms are lost"]


def _block_warnings(recording: Recording, plan: ElectrodePlan) -> list[str]:
    """Judge the first block: duplicates that differ, loops that do not close."""
    channels = [*plan.channels, *(spare for _, _, spare in plan.duplicates)]
    blocks = dict(zip(channels, first_block(recording, channels), strict=True))
    warnings = [
        f"{name} is there twice with different data: channel {used + 1} ({recording.labels[used]}) is used,"
        f" channel {spare + 1} ({recording.labels[spare]}) is not"
        for name, used, spare in plan.duplicates
        if not _same(blocks[used], blocks[spare])
    ]
    warnings += _mains_warnings(recording, plan, [blocks[c] for c in plan.channels])
    return warnings + _loop_warnings(plan, [blocks[c] for c in plan.channels])


def _amplitude_warnings(recording: Recording, plan: ElectrodePlan, found: Amplitudes) -> list[str]:
    """Judge stretches of the whole recording: what no scalp EEG can be, and a channel of another gain.

    Raises
    ------
    InputError
        Kind ``calibration``: nothing but an amplifier's noise, or an EEG in a unit a thousand times too small.
    """
    typical = found.typical
    labels = [clean(recording.labels[c]) for c in plan.channels]
    warnings = []
    large = [label for label, uv in zip(labels, typical, strict=True) if uv > IMPLAUSIBLE_UV]
    if large:
        warnings.append(f"amplitudes above 10 mV in {', '.join(large)}: check units and electrodes")
    live = typical[typical > 0]
    middle = float(np.median(live)) if live.size else PLAUSIBLE_UV[0]
    if middle < PLAUSIBLE_UV[0] and np.median(found.peaks[typical > 0].max(axis=1)) <= BURST_UV:
        raise InputError(
            f"amplitudes of {spelled(middle)} in most channels: no electrode was connected, or the unit is wrong",
            kind="calibration",
            file=recording.name,
            hint="export it again with physical units",
        )
    if not PLAUSIBLE_UV[0] <= middle <= PLAUSIBLE_UV[1]:
        what = "artifact throughout" if middle > PLAUSIBLE_UV[1] else "a suppressed EEG"
        warnings.append(f"amplitudes of {spelled(middle)} in most channels: {what}, or wrong units")
    odd = []
    for row, times in tenfold(found):
        odd.append(f"{labels[row]} {times:.2g} times" if times > 1 else f"{labels[row]} 1/{1 / times:.2g} of")
    if odd:
        warnings.append(f"{', '.join(odd)} the others' amplitude throughout: wrong gain or bad electrode?")
    return warnings


def _same(first: NDArray[np.float64], second: NDArray[np.float64]) -> bool:
    """Whether two channels hold the same signal, possibly with the other sign, but for rounding."""
    if len(first) != len(second):
        return False
    first, second = (np.nan_to_num(x - np.nanmean(x)) if np.isfinite(x).any() else x for x in (first, second))
    allowed = _SAME_SHARE * max(float(np.std(first)), 1e-3)
    return bool(min(np.std(first - second), np.std(first + second)) <= allowed)


def _mains_warnings(recording: Recording, plan: ElectrodePlan, blocks: Sequence[NDArray[np.float64]]) -> list[str]:
    shares = [
        mains_share(block, float(recording.channels[c].rate_hz)) for c, block in zip(plan.channels, blocks, strict=True)
    ]
    if not shares or np.median(shares) <= _MAINS_SHARE:
        return []
    return ["hardly anything but mains in most channels: check the electrodes"]


def _loop_warnings(plan: ElectrodePlan, blocks: Sequence[NDArray[np.float64]]) -> list[str]:
    if len({len(block) for block in blocks}) != 1:
        return []
    values = np.stack(blocks)
    residual_uv, derivation = montage.loop_residual(plan, values)
    typical_uv = float(np.median(robust_deviation(values)))
    if residual_uv <= max(_LOOP_UV, _LOOP_SHARE * typical_uv):
        return []
    return [f"derivations contradict each other by {residual_uv:.3g} uV, most at {derivation}: mislabelled?"]
