"""From labels and measures to the plan of a recording: which channels make the 19, and what is to be said of them.

Nothing is read here: `brainscan.io.plan` measures, and turns a refusal into an error that names the file.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from brainscan.caps import CapFigures, cap_of, expectation, is_enough
from brainscan.electrodes import ELECTRODES, LEFT, N_ELECTRODES, RIGHT
from brainscan.events import BoolArray
from brainscan.recording import Channel
from brainscan.signal import montage
from brainscan.signal.calibration import BURST_UV, Amplitudes, tenfold
from brainscan.signal.derivations import Wiring
from brainscan.signal.labels import clean
from brainscan.signal.montage import ElectrodePlan
from brainscan.signal.units import IMPLAUSIBLE_UV, PLAUSIBLE_UV, mains_share, robust_deviation, spelled, uv_per_unit
from brainscan.signal.unknown_labels import mapping_hint

MIN_RATE_HZ = 32.0
"""Slower channels cannot carry what the network looks at, and are left out."""
MAX_RATE_HZ = 65_536.0
"""Nothing is sampled faster: a header that says so is damaged."""
LOW_RATE_HZ = 100.0

_UNITS = {1e-3: "nV", 1.0: "uV", 1e3: "mV", 1e6: "V"}
_LOOP_UV = 5.0
_LOOP_SHARE = 0.1
_MAINS_SHARE = 0.95
_SAME_SHARE = 0.02
_NEAR = 0.01  # amplitudes of copies, in which rounding alone differs: a share of them, or µV
_SAME_UV = 0.3  # of two channels that hold the same; what one reference brings into all may be far larger than the EEG
_SHOWN_LABELS = 40
_MOST_MISSING = N_ELECTRODES - 4  # what a user may allow

_NO_CAPS: Mapping[str, CapFigures] = MappingProxyType({})

Block = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """What was read of the channels that labels name, all that a plan is judged by.

    Parameters
    ----------
    blocks : mapping of int to array of float64
        First seconds of each channel, µV, at its own rate.
    amplitudes : Amplitudes
        Over all of the recording, µV; rows in the order of `blocks`.
    """

    blocks: Mapping[int, Block]
    amplitudes: Amplitudes

    @property
    def flat(self) -> frozenset[int]:
        """Channels whose first seconds do not move."""
        return frozenset(c for c, block in self.blocks.items() if not block.size or not np.ptp(block) > 0)

    def amplitudes_of(self, channels: Sequence[int]) -> Amplitudes:
        """Return the amplitudes of some of the channels, in their order."""
        row = {channel: at for at, channel in enumerate(self.blocks)}
        return self.amplitudes.rows([row[channel] for channel in channels])


class RefusalError(ValueError):
    """A recording cannot be used: why, and what to do.

    Parameters
    ----------
    message, hint : str
    kind : {"electrodes", "calibration"}
    """

    def __init__(self, message: str, *, kind: Literal["electrodes", "calibration"], hint: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.hint = hint


def usable(channels: Sequence[Channel]) -> frozenset[int]:
    """Return the channels that can be used at all: calibrated, neither far too slow nor impossibly fast."""
    return frozenset(
        i for i, c in enumerate(channels) if c.uv_per_unit is not None and MIN_RATE_HZ <= c.rate_hz <= MAX_RATE_HZ
    )


def planned(
    channels: Sequence[Channel],
    wiring: Wiring,
    measures: Measures,
    max_missing: int,
    caps: Mapping[str, CapFigures] = _NO_CAPS,
) -> ElectrodePlan:
    """Return the plan of a recording, with everything that is to be said of it.

    Parameters
    ----------
    channels : sequence of Channel
        Of the recording.
    wiring : Wiring
        What their labels say.
    measures : Measures
        Of the channels of `wiring` that are `usable`.
    max_missing : int
        Up to this many of the 19 may be missing.
    caps : mapping of name to CapFigures
        What the model was measured with: with a cap of these that finds enough, more may be missing.

    Raises
    ------
    RefusalError
        More electrodes are missing, or amplitudes show that nothing was recorded or units are wrong.
    """
    excluded = frozenset(range(len(channels))) - usable(channels)
    flat = measures.flat
    plan = montage.arranged(wiring, excluded, flat)
    # What labels alone would give is another matter only where some of theirs cannot be used.
    by_label = montage.arranged(wiring) if excluded.intersection(wiring.channels) else plan
    cap = cap_of([name for name in ELECTRODES if name not in plan.missing], bipolar=plan.bipolar)
    expected = expectation(cap, caps) if cap is not None else ""
    if len(plan.missing) > max_missing and (cap is None or not is_enough(cap, caps)):
        raise _refusal(channels, plan, by_label, expected)
    used = [channels[i] for i in plan.channels]
    live = [c for c in plan.channels if c not in flat]
    alike = _alike(live, measures)
    if alike and len(alike[0]) == len(live):
        raise RefusalError(
            f"all channels hold the same signal: nothing was recorded between electrodes ({_listed(channels, live)})",
            kind="calibration",
            hint="export it again, with the electrodes' own signals",
        )
    unused = _unusable_amplitudes([channels[i] for i in by_label.channels])
    mains = _mains_warnings(used, [measures.blocks[c] for c in plan.channels])
    amplitudes = _amplitude_warnings(used, measures.amplitudes_of(plan.channels))
    warnings = [
        *plan.warnings,
        *_missing_warnings(plan),
        *([expected] if expected else []),
        *unused,
        *_unit_warnings(used),
        *_rate_warnings(used),
        *_double_warnings(channels, plan, measures),
        *(f"{_listed(channels, c)} hold the same signal: bridged electrodes, or copies of one channel" for c in alike),
        *mains,
        *_loop_warnings(plan, [measures.blocks[c] for c in plan.channels]),
        *amplitudes,
    ]
    doubted = bool(unused or mains or amplitudes)
    return replace(plan, warnings=tuple(dict.fromkeys(warnings)), doubted=doubted)


def _refusal(channels: Sequence[Channel], plan: ElectrodePlan, by_label: ElectrodePlan, expected: str) -> RefusalError:
    names = " ".join(plan.missing)
    count = f"{len(plan.missing)} of the {N_ELECTRODES} electrodes are missing"
    if len(by_label.missing) < len(plan.missing):
        seen = _unusable_amplitudes([channels[i] for i in by_label.channels])
        return RefusalError(
            f"{count}: {names} have labels but no usable calibration or rate" + "".join(f"; {text}" for text in seen),
            kind="calibration",
            hint="export it again with physical units",
        )
    labels = ", ".join(channel.label or "(blank)" for channel in channels[:_SHOWN_LABELS])
    one_sided = any(set(side) <= set(plan.missing) for side in (LEFT, RIGHT))
    allowed = len(plan.missing) <= _MOST_MISSING and not one_sided
    allow = f", or allow them with --max-missing {len(plan.missing)}" if allowed else ""
    more = f" and {len(channels) - _SHOWN_LABELS} more" if len(channels) > _SHOWN_LABELS else ""
    return RefusalError(
        f"{count}: {names} (labels: {labels}{more})" + (f"; too few are left: {expected}" if expected else ""),
        kind="electrodes",
        hint=mapping_hint([channel.label for channel in channels]) + allow,
    )


def _missing_warnings(plan: ElectrodePlan) -> list[str]:
    return [f"{' '.join(plan.missing)} missing: interpolated from the others"] if plan.missing else []


def _rate_warnings(used: Sequence[Channel]) -> list[str]:
    slowest = min((channel.rate_hz for channel in used), default=None)
    if slowest is None or slowest >= LOW_RATE_HZ:
        return []
    return [f"sampled at {float(slowest):g} Hz only: fast rhythms are lost"]


def _double_warnings(channels: Sequence[Channel], plan: ElectrodePlan, measures: Measures) -> list[str]:
    return [
        f"{name} is there twice with different data: channel {used + 1} ({channels[used].label}) is used,"
        f" channel {spare + 1} ({channels[spare].label}) is not"
        for name, used, spare in plan.duplicates
        if not any(_is_copy(measures.blocks[used], sign * measures.blocks[spare], math.inf) for sign in (1.0, -1.0))
    ]


def _alike(live: Sequence[int], measures: Measures) -> list[list[int]]:
    """Return groups of channels that hold the same signal all along, the largest first."""
    found = measures.amplitudes_of(live)
    groups: list[list[int]] = []  # rows of `live`
    for row, channel in enumerate(live):
        like = _near(found, [group[0] for group in groups], row)  # for all at once; samples are compared of few
        for group in itertools.compress(groups, like):
            if _is_copy(measures.blocks[live[group[0]]], measures.blocks[channel], _SAME_UV):
                group.append(row)
                break
        else:
            groups.append([row])
    return sorted(([live[row] for row in group] for group in groups if len(group) > 1), key=lambda g: -len(g))


def _near(found: Amplitudes, others: Sequence[int], row: int) -> BoolArray:
    """Whether each of some rows is as large as another one in every stretch."""
    deviations, peaks = found.stretches, found.peaks
    near = np.isclose(deviations[others], deviations[row], rtol=_NEAR, atol=_NEAR, equal_nan=True)
    near &= np.isclose(peaks[others], peaks[row], rtol=_NEAR, atol=_SAME_UV, equal_nan=True)
    alike: BoolArray = near.all(axis=1)
    return alike


def _is_copy(first: Block, second: Block, most_uv: float) -> bool:
    """Whether two channels differ by an offset and rounding alone: by so many µV at most, where both have values."""
    if len(first) != len(second):
        return False
    finite = np.isfinite(first) & np.isfinite(second)
    if not finite.any():
        return False
    allowed = min(_SAME_SHARE * max(float(np.std(first[finite])), 1e-3), most_uv)
    return bool(np.std(first[finite] - second[finite]) <= allowed)


def _listed(channels: Sequence[Channel], chosen: Sequence[int]) -> str:
    return " ".join(clean(channels[c].label) for c in chosen)


def _unit_warnings(channels: Sequence[Channel]) -> list[str]:
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


def _unusable_amplitudes(named: Sequence[Channel]) -> list[str]:
    """Say which channels have a known unit and are not used because of the amplitudes that it gives."""
    held = [c for c in named if c.uv_per_unit is None and c.seen_uv and uv_per_unit(c.unit) is not None]
    if not held:
        return []
    seen = float(np.median([channel.seen_uv or 0.0 for channel in held]))
    names = ", ".join(clean(channel.label) for channel in held)
    return [f"amplitudes of {spelled(seen)} in {names}: flat, or a wrong unit"]


def _amplitude_warnings(used: Sequence[Channel], found: Amplitudes) -> list[str]:
    """Judge stretches of the whole recording: what no scalp EEG can be, and a channel of another gain.

    Raises
    ------
    RefusalError
        Kind ``calibration``: nothing but an amplifier's noise, or an EEG in a unit a thousand times too small.
    """
    typical = found.typical
    labels = [clean(channel.label) for channel in used]
    warnings = []
    large = [label for label, uv in zip(labels, typical, strict=True) if uv > IMPLAUSIBLE_UV]
    if large:
        warnings.append(f"amplitudes above 10 mV in {', '.join(large)}: check units and electrodes")
    live = typical[typical > 0]
    middle = float(np.median(live)) if live.size else PLAUSIBLE_UV[0]
    if middle < PLAUSIBLE_UV[0] and np.median(found.peaks[typical > 0].max(axis=1)) <= BURST_UV:
        raise RefusalError(
            f"amplitudes of {spelled(middle)} in most channels: no electrode was connected, or the unit is wrong",
            kind="calibration",
            hint="export it again with physical units",
        )
    if not PLAUSIBLE_UV[0] <= middle <= PLAUSIBLE_UV[1]:
        what = "artifact throughout" if middle > PLAUSIBLE_UV[1] else "a suppressed EEG"
        power = next((p for p in (-3, 3, -6, 6) if PLAUSIBLE_UV[0] <= middle * 10.0**p <= PLAUSIBLE_UV[1]), None)
        plausible = "" if power is None else f" (times {10.0**power:g} they were those of a scalp EEG)"
        warnings.append(f"amplitudes of {spelled(middle)} in most channels: {what}, or wrong units{plausible}")
    odd = []
    for row, times in tenfold(found):
        odd.append(f"{labels[row]} {times:.2g} times" if times > 1 else f"{labels[row]} 1/{1 / times:.2g} of")
    if odd:
        warnings.append(f"{', '.join(odd)} the others' amplitude throughout: wrong gain or bad electrode?")
    return warnings


def _mains_warnings(used: Sequence[Channel], blocks: Sequence[Block]) -> list[str]:
    shares = [mains_share(block, float(channel.rate_hz)) for channel, block in zip(used, blocks, strict=True)]
    if not shares or np.median(shares) <= _MAINS_SHARE:
        return []
    return ["hardly anything but mains in most channels: check the electrodes"]


def _loop_warnings(plan: ElectrodePlan, blocks: Sequence[Block]) -> list[str]:
    if len({len(block) for block in blocks}) != 1:
        return []
    values = np.stack(blocks)
    residual_uv, derivation = montage.loop_residual(plan, values)
    typical_uv = float(np.median(robust_deviation(values)))
    if residual_uv <= max(_LOOP_UV, _LOOP_SHARE * typical_uv):
        return []
    return [f"derivations contradict each other by {residual_uv:.3g} uV, most at {derivation}: mislabelled?"]
