"""`Card`: everything that a checkpoint decides, as frozen configurations with strict mappings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Literal

from brainscan.electrodes import ELECTRODES
from brainscan.events import RATE_HZ
from brainscan.familiarity import Familiarity
from brainscan.mapping import from_mapping, to_mapping
from brainscan.offered import MIN_SENSITIVITY, SIMULATED_PREFIX, OperatingPoint, in_order
from brainscan.provenance import Provenance

FORMAT_VERSION = 2
Localisation = Literal["signal"]
"""What tells where an event begins: measures of the signal. No network was trained to say it so far."""


@dataclass(frozen=True, slots=True)
class FilterConfig:
    """The linear-phase FIR filter that each used channel passes at 256 Hz.

    Parameters
    ----------
    high_pass_hz, low_pass_hz : float
        Half-amplitude (-6 dB) corners; a low_pass of 0 means none.
    notch_hz : float
        Mains frequency to remove, with its harmonics below the low-pass; 0 means none.
    transition_hz : float
        Width of the high-pass' transition band; decides the filter's length and thus the look-ahead.
    """

    high_pass_hz: float = 0.5
    low_pass_hz: float = 45.0
    notch_hz: float = 0.0
    transition_hz: float = 0.6

    def __post_init__(self) -> None:
        if not 0.0 < self.high_pass_hz < RATE_HZ / 2:
            raise ValueError(f"high_pass_hz must be within 0..{RATE_HZ / 2}, got {self.high_pass_hz}")
        if self.low_pass_hz and not self.high_pass_hz < self.low_pass_hz < RATE_HZ / 2:
            raise ValueError(f"low_pass_hz must lie above high_pass_hz and below {RATE_HZ / 2}, got {self.low_pass_hz}")
        if not 0.0 <= self.notch_hz < RATE_HZ / 2:
            raise ValueError(f"notch_hz must be within 0..{RATE_HZ / 2}, got {self.notch_hz}")
        if self.transition_hz <= 0.0:
            raise ValueError(f"transition_hz must be positive, got {self.transition_hz}")


@dataclass(frozen=True, slots=True)
class WindowConfig:
    """Windows on a fixed grid from each segment's start.

    Parameters
    ----------
    duration_s : int
        Length of a window, seconds.
    stride_s : int
        From window to window, whole seconds.
    taper_s : float
        Overlapping windows are combined by a taper that rises over this many seconds at either end.
    """

    duration_s: int = 60
    stride_s: int = 30
    taper_s: float = 30.0

    def __post_init__(self) -> None:
        if not 0 < self.stride_s <= self.duration_s:
            raise ValueError(f"stride_s must be within 1..{self.duration_s}, got {self.stride_s}")
        if not 0.0 <= self.taper_s <= self.duration_s / 2:
            raise ValueError(f"taper_s must be within 0..{self.duration_s / 2}, got {self.taper_s}")

    @property
    def n_samples(self) -> int:
        """Samples of a window at 256 Hz."""
        return self.duration_s * RATE_HZ

    @property
    def stride(self) -> int:
        """Samples from window to window at 256 Hz."""
        return self.stride_s * RATE_HZ


@dataclass(frozen=True, slots=True)
class AmplitudeConfig:
    """From µV to what the network sees: re-centring within groups, fixed scale, soft limit.

    Parameters
    ----------
    scale_uv : float
        Microvolts that become 1 before the limiter.
    limiter : {"asinh", "tanh"}
        Soft limit.
    gain : float
        Factor behind the limiter.
    centre : {"all", "lateral", "hemispheres"}
        Groups of electrodes whose mean is taken off once more: none beyond the montage's own; the 16 lateral ones
        and the midline apart; left, right and midline apart. The last makes every montage of the field (common
        average, ears, double banana) the same input.
    """

    scale_uv: float = 60.0
    limiter: Literal["asinh", "tanh"] = "asinh"
    gain: float = 2.0
    centre: Literal["all", "lateral", "hemispheres"] = "all"

    def __post_init__(self) -> None:
        if self.scale_uv <= 0.0 or self.gain <= 0.0:
            raise ValueError(f"scale_uv and gain must be positive, got {self.scale_uv} and {self.gain}")


@dataclass(frozen=True, slots=True)
class BaselineConfig:
    """What a recording is like all the time, taken off its averaged logits (`brainscan.decision.baseline`).

    Parameters
    ----------
    trailing_s : float
        How far back the baseline looks, seconds; 0: nothing is taken off.
    quantile : float
        Of the curve in that time, 0..1.
    quiet : float
        The probability that this quantile has in calm recordings; only what lies above is taken off.
    most : float
        The most that is taken off, logits.
    """

    trailing_s: float = 0.0
    quantile: float = 0.5
    quiet: float = 0.05
    most: float = 4.0

    def __post_init__(self) -> None:
        if min(self.trailing_s, self.most) < 0.0 or not 0.0 <= self.quantile <= 1.0 or not 0.0 < self.quiet < 1.0:
            raise ValueError("trailing_s and most must not be negative; quantile lies within 0..1, quiet between")


@dataclass(frozen=True, slots=True)
class PostictalConfig:
    """How much more evidence an event needs soon after another one: what follows a seizure is slow and large, too.

    Parameters
    ----------
    within_s : float
        How long after the end of a reported event, seconds; 0: no event needs more.
    logits : float
        How far above the threshold an event that begins in that time must rise once, logits.
    """

    within_s: float = 0.0
    logits: float = 0.0

    def __post_init__(self) -> None:
        if min(self.within_s, self.logits) < 0.0:
            raise ValueError("within_s and logits must not be negative")


@dataclass(frozen=True, slots=True)
class DecisionConfig:
    """From probabilities to events (docs/definitions.md).

    Parameters
    ----------
    enter, leave : float
        Hysteresis: ictal at ``>= enter``, until ``< leave``; ``0 <= leave <= enter <= 1``.
    average_s : float
        Centred moving average of the logits before the thresholds, seconds; 0 means none.
    opening, closing : int
        Ictal runs shorter than `opening` samples go; gaps shorter than `closing` samples are filled. Odd.
    merge_gap_s : float
        Events this close or closer become one.
    min_duration_s : float
        Shorter events are dropped.
    prolonged_s : float
        From this length on an event is flagged; never cut.
    onset_dwell, offset_dwell : int
        Samples that the probability must stay above `enter`, or below `leave`, before the state changes
        (the published detector's dwell); the event begins and ends where that run begins.
    baseline : BaselineConfig
        What is taken off the averaged logits.
    postictal : PostictalConfig
        What an event must show soon after another.
    """

    enter: float = 0.86
    leave: float = 0.78
    average_s: float = 12.0
    opening: int = 11
    closing: int = 31
    merge_gap_s: float = 2.0
    min_duration_s: float = 8.0
    prolonged_s: float = 300.0
    onset_dwell: int = 0
    offset_dwell: int = 0
    baseline: BaselineConfig = BaselineConfig()
    postictal: PostictalConfig = PostictalConfig()

    def __post_init__(self) -> None:
        if not 0.0 <= self.leave <= self.enter <= 1.0:
            raise ValueError(f"thresholds need 0 <= off <= on <= 1, got on {self.enter} and off {self.leave}")
        if min(self.opening, self.closing) < 1 or self.opening % 2 == 0 or self.closing % 2 == 0:
            raise ValueError(f"opening and closing must be odd and positive, got {self.opening} and {self.closing}")
        times = (self.average_s, self.merge_gap_s, self.min_duration_s, self.onset_dwell, self.offset_dwell)
        if min(times) < 0:
            raise ValueError("times and dwells must not be negative")

    def with_thresholds(self, enter: float | None, leave: float | None) -> DecisionConfig:
        """Return the decision with other thresholds; `enter` alone sets ``leave = max(0, enter - 0.08)``.

        Raises
        ------
        ValueError
            If the thresholds are out of order.
        """
        if enter is None and leave is None:
            return self
        new_enter = self.enter if enter is None else enter
        if leave is None:
            return replace(self, enter=new_enter, leave=max(0.0, round(new_enter - 0.08, 10)))
        return replace(self, enter=new_enter, leave=leave)


@dataclass(frozen=True, slots=True)
class Card:
    """Everything that a checkpoint decides.

    Parameters
    ----------
    name : str
    variant : mapping
        The network's configuration as a plain mapping (`brainscan_models.config` builds it again).
    logit_shift, logit_scale : float
        ``logit -> (logit - shift) * scale`` places the default operating point at the default thresholds.
    confidence_map : tuple of (float, float)
        Knots of a monotone map from mean probability to confidence; empty means identity.
    operating_points : mapping of name to OperatingPoint
        ``fa1``, ``fa5``, ``fa10``, or with the prefix ``sim-`` where they rest on simulation.
    familiarity : Familiarity or None
        What the background that it was trained on is like; None where nobody measured it.
    localisation : str
        What tells where an event begins; cards that do not say it mean the signal.
    sha256 : str
        Over the sorted tensors and the card without this field.
    """

    name: str
    variant: Mapping[str, Any]
    format_version: int = FORMAT_VERSION
    electrodes: tuple[str, ...] = ELECTRODES
    rate_hz: int = RATE_HZ
    filter: FilterConfig = FilterConfig()
    window: WindowConfig = WindowConfig()
    amplitude: AmplitudeConfig = AmplitudeConfig()
    decision: DecisionConfig = DecisionConfig()
    logit_shift: float = 0.0
    logit_scale: float = 1.0
    confidence_map: tuple[tuple[float, float], ...] = ()
    operating_points: Mapping[str, OperatingPoint] = field(default_factory=lambda: MappingProxyType({}))
    familiarity: Familiarity | None = None
    localisation: Localisation = "signal"
    provenance: Provenance = field(default_factory=Provenance)
    sha256: str = ""

    def __post_init__(self) -> None:
        if self.electrodes != ELECTRODES:
            raise ValueError("the card's electrodes are not the 19 in the product's order")
        if self.rate_hz != RATE_HZ:
            raise ValueError(f"the card's rate must be {RATE_HZ} Hz, got {self.rate_hz}")
        if self.logit_scale <= 0.0:
            raise ValueError(f"logit_scale must be positive, got {self.logit_scale}")
        knots = self.confidence_map
        if any(b[0] <= a[0] or b[1] < a[1] for a, b in pairwise(knots)):
            raise ValueError("confidence_map must be strictly rising in its first and monotone in its second value")

    def at_operating_point(self, name: str) -> tuple[DecisionConfig, str]:
        """Return the decision at an operating point, and a warning where it rests on simulation only.

        Parameters
        ----------
        name : str
            ``fa1``, ``fa5``, ``fa10``: the point of real recordings, else that of simulation. ``sim-fa1`` asks for
            the latter alone, and takes it although it may find next to nothing.

        Raises
        ------
        KeyError
            If the card has no such point.
        ValueError
            If the point finds too little to be offered by its plain name (`OperatingPoint.finds_enough`).
        """
        full = self._full(name)
        point, warning = self.operating_points[full], ""
        if full.startswith(SIMULATED_PREFIX):
            warning = (
                f"{full} rests on {_hours(point.hours)} of simulation, where it finds {point.sensitivity:.0%} of the"
                f" seizures: expect other shares and another rate than {point.target_fa_per_24h:g} false alarms in 24 h"
                " of real recordings"
            )
        if not point.finds_enough and not name.startswith(SIMULATED_PREFIX):
            raise ValueError(
                f"{full} finds {point.found} in {_hours(point.hours)} of {point.source}; a point has to find"
                f" {MIN_SENSITIVITY:.0%} at least, by the lower end of that interval, to be offered as {name}"
            )
        return replace(self.decision, enter=point.enter, leave=point.leave), warning

    @property
    def offered(self) -> dict[str, OperatingPoint]:
        """The operating points that a plain name stands for, by that name, those of real recordings first."""
        names = dict.fromkeys(full.removeprefix(SIMULATED_PREFIX) for full in in_order(self.operating_points))
        points = {name: self.operating_points[self._full(name)] for name in names}
        return {name: point for name, point in points.items() if point.finds_enough}

    def _full(self, name: str) -> str:
        return name if name in self.operating_points else f"{SIMULATED_PREFIX}{name}"

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Read a card; unknown keys and versions are errors.

        Raises
        ------
        ValueError
            If the text is no JSON object, or not a card of this format version.
        """
        return _of_json(text)

    def to_json(self) -> str:
        """Return the card as JSON with sorted keys."""
        return json.dumps(to_mapping(self), sort_keys=True, ensure_ascii=False)

    def to_mapping(self) -> dict[str, Any]:
        """Return the card as plain dicts, lists and scalars."""
        mapping: dict[str, Any] = to_mapping(self)
        return mapping


@lru_cache(maxsize=8)
def _of_json(text: str) -> Card:
    """Read a card, once: what opens a model asks for the checkpoint's and its graphs' again and again."""
    data = json.loads(text)
    if not isinstance(data, dict):
        raise ValueError("the card is not a JSON object")
    version = data.get("format_version")
    if version == 1:
        data = _of_version_1(data)
    elif version != FORMAT_VERSION:
        raise ValueError(f"card format version {version!r}; this brainscan reads versions 1 and {FORMAT_VERSION}")
    card = from_mapping(Card, data)
    return replace(card, operating_points=in_order(card.operating_points))  # the file has them by their letters


def _of_version_1(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a card of version 1 as one of version 2.

    Version 1 had a range of ages, 1 to 120 years on every card, that nobody had trained or tested; it knew no cohorts.
    """
    provenance = data.get("provenance", {})
    if isinstance(provenance, Mapping):
        provenance = {key: value for key, value in provenance.items() if key != "age_years"}
    return {**data, "format_version": FORMAT_VERSION, "provenance": provenance}


def _hours(hours: float) -> str:
    """Return hours for a sentence; a few minutes are not 0 h."""
    return f"{hours * 60.0:.1f} min" if hours < 1.0 else f"{hours:.1f} h" if hours < 10.0 else f"{hours:.0f} h"
