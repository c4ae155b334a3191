"""Seizure potentials: rhythms that evolve in frequency, amplitude, shape and field.

A piece is the seizure alone, to be added to a background that is multiplied by `background_gain` first (that
is how decrements and post-ictal suppression come about). Patterns and their course follow the descriptions in
Niedermeyer's Electroencephalography (7th ed., chapters on focal and generalised seizures); the numbers are
ours, their spread is checked against recordings in `benchmarks/simulator.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from brainscan.simulate.head import directions, patch_fields
from brainscan.simulate.noise import Array, band_noise, bursts, outer, smooth_step, taper, wander
from brainscan.simulate.postictal import postictal
from brainscan.simulate.sources import Source, bilateral_sources, focal_sources

SeizureType = Literal["focal", "generalised"]
Pattern = Literal[
    "rhythmic", "low_voltage_fast", "spike_rhythm", "spike_wave", "tonic_clonic", "decremental", "slow_evolving"
]
PATTERNS: tuple[Pattern, ...] = get_args(Pattern)
FOCAL: tuple[Pattern, ...] = ("rhythmic", "low_voltage_fast", "spike_rhythm", "slow_evolving")
"""The last is intensive care's; a seizure whose pattern is drawn has one of the others."""

DECREMENT = 0.3
"""Decremental seizures have lower amplitude than others; what stands out is the background's fall."""

TAKES_PART = 0.3
"""An electrode takes part if its RMS is at least this share of the strongest electrode's."""


@dataclass(frozen=True, slots=True, eq=False)
class SeizurePiece:
    """A seizure without its background.

    Parameters
    ----------
    uv : array of float32, shape (19, n_samples)
        Potentials of the seizure, common average taken off; after `ictal_s` comes post-ictal slowing.
    background_gain : array of float32, shape (19, n_samples)
        What to multiply the background by, 0..1.
    electrodes : array of bool, shape (19,)
        Which electrodes take part.
    type : {"focal", "generalised"}
    pattern : str
        One of `PATTERNS`.
    ictal_s : float
        Length of the seizure proper.
    rms_uv : float
        RMS of the ictal part over the electrodes that take part.
    origin : tuple of float or None
        Unit vector to where a focal one begins, axes as in `brainscan.electrodes`; None of a generalised one.
    crosses : bool
        A focal one reaches the other hemisphere.
    """

    uv: NDArray[np.float32]
    background_gain: NDArray[np.float32]
    electrodes: NDArray[np.bool_]
    type: SeizureType
    pattern: Pattern
    ictal_s: float
    rms_uv: float
    origin: tuple[float, float, float] | None = None
    crosses: bool = False

    def scaled(self, rms_uv: float) -> SeizurePiece:
        """Return the same seizure at another amplitude."""
        factor = np.float32(rms_uv / self.rms_uv)
        return replace(self, uv=self.uv * factor, rms_uv=rms_uv)


@dataclass(frozen=True, slots=True)
class _Clock:
    """Samples of a piece: the ictal ones and those after."""

    n_ictal: int
    n_samples: int
    rate_hz: float

    @property
    def ictal_s(self) -> float:
        return self.n_ictal / self.rate_hz

    @property
    def course(self) -> Array:
        """Share of the seizure that has passed, 0..1, shape (n_ictal,)."""
        return (np.arange(self.n_ictal) + 0.5) / self.n_ictal


class _Ictal(NamedTuple):
    """Potentials and the share of background that is lost, shape (19, n_ictal) each; of focal ones the sources."""

    uv: Array
    depth: Array
    sources: Sequence[Source] = ()

    @property
    def origin(self) -> tuple[float, float, float] | None:
        return tuple(self.sources[0].middle.tolist()) if self.sources else None

    @property
    def crosses(self) -> bool:
        sides = {np.sign(source.middle[0]) for source in self.sources}
        return len(sides) > 1


def draw_pattern(rng: np.random.Generator, generalised: float = 0.3) -> Pattern:
    """Draw a pattern; `generalised` is the share of generalised seizures, 0..1."""
    if rng.uniform() < generalised:
        return ("spike_wave", "tonic_clonic", "decremental")[int(rng.choice(3, p=(0.4, 0.35, 0.25)))]
    return FOCAL[int(rng.choice(3, p=(0.55, 0.25, 0.2)))]


def seizure_piece(
    rng: np.random.Generator,
    duration_s: float,
    rate_hz: float,
    pattern: Pattern | None = None,
    postictal_s: float = 0.0,
) -> SeizurePiece:
    """Draw a seizure.

    Parameters
    ----------
    rng : Generator
        Draws everything: place, pattern, course, amplitude (15 to 80 µV RMS, decremental ones less).
    duration_s : float
        From onset to offset, at least 2 s.
    rate_hz : float
        Samples per second, at least 64.
    pattern : str, optional
        One of `PATTERNS`; drawn if absent.
    postictal_s : float
        Seconds of post-ictal suppression and slowing to add after the offset.

    Raises
    ------
    ValueError
        If the seizure is shorter than 2 s or the rate below 64 Hz.
    """
    if duration_s < 2.0 or rate_hz < 64.0:
        raise ValueError(f"a seizure needs at least 2 s and 64 Hz, got {duration_s} s at {rate_hz} Hz")
    pattern = pattern if pattern is not None else draw_pattern(rng)
    n_ictal = round(duration_s * rate_hz)
    clock = _Clock(n_ictal, n_ictal + round(postictal_s * rate_hz), rate_hz)
    drawn = _ictal(rng, clock, pattern)
    ictal, depth = drawn.uv, drawn.depth
    ictal -= ictal.mean(axis=0)
    per_electrode = np.sqrt(np.mean(ictal**2, axis=1))
    part = per_electrode >= TAKES_PART * per_electrode.max()
    rms = float(np.sqrt(np.mean(ictal[part] ** 2)))
    amplitude_uv = float(np.exp(rng.uniform(np.log(15.0), np.log(80.0))))
    if pattern == "decremental":
        amplitude_uv *= DECREMENT
    suppression = rng.uniform(0.5, 0.9) if pattern == "tonic_clonic" else rng.uniform(0.1, 0.6)
    spread = np.minimum(per_electrode / per_electrode.max() / TAKES_PART, 1.0)
    after, recovery = postictal(rng, clock.n_samples - n_ictal, rate_hz, ictal, (depth[:, -1], suppression * spread))
    uv = np.concatenate((ictal, after), axis=1) * (amplitude_uv / rms)
    gain = np.concatenate((1.0 - depth, recovery), axis=1)
    return SeizurePiece(
        uv=uv.astype(np.float32),
        background_gain=gain.astype(np.float32),
        electrodes=part,
        type="focal" if pattern in FOCAL else "generalised",
        pattern=pattern,
        ictal_s=clock.ictal_s,
        rms_uv=amplitude_uv,
        origin=drawn.origin,
        crosses=drawn.crosses,
    )


def _ictal(rng: np.random.Generator, clock: _Clock, pattern: Pattern) -> _Ictal:
    if pattern == "spike_wave":
        return _spike_wave(rng, clock)
    if pattern == "tonic_clonic":
        return _tonic_clonic(rng, clock)
    if pattern == "decremental":
        return _decremental(rng, clock)
    if pattern == "slow_evolving":
        return _slow_evolving(rng, clock)
    return _focal(rng, clock, pattern)


def _focal(rng: np.random.Generator, clock: _Clock, pattern: Pattern) -> _Ictal:
    """Rhythm that begins in one place, slows, grows, sharpens and spreads."""
    sources = focal_sources(rng)
    course = clock.course
    from_hz, to_hz = {
        "rhythmic": (rng.uniform(4.0, 12.0), rng.uniform(1.8, 4.0)),
        "low_voltage_fast": (rng.uniform(14.0, 26.0), rng.uniform(2.5, 5.0)),
        "spike_rhythm": (rng.uniform(2.0, 6.0), rng.uniform(1.2, 3.0)),
    }[pattern]
    bend = rng.uniform(0.3, 0.7) if pattern == "low_voltage_fast" else rng.uniform(0.6, 1.5)
    frequency = _frequency(rng, clock, from_hz, min(to_hz, from_hz), bend)
    # amplitude grows as the rhythm slows; the first seconds are often the smallest
    start = {"rhythmic": rng.uniform(0.3, 0.8), "low_voltage_fast": rng.uniform(0.12, 0.35), "spike_rhythm": 0.7}
    grown_at = rng.uniform(0.15, 0.6)
    envelope = start[pattern] + (1 - start[pattern]) * smooth_step(course / grown_at)
    envelope *= _breathing(rng, clock) * _ending(rng, clock)
    sharpness = (rng.uniform(0.1, 2.0), rng.uniform(0.5, 5.0))
    if pattern == "spike_rhythm":
        sharpness = (rng.uniform(5.0, 15.0), rng.uniform(5.0, 20.0))
    ictal = _project(rng, clock, sources, frequency, envelope, sharpness)
    depth = np.zeros_like(ictal)
    if rng.uniform() < (0.8 if pattern == "low_voltage_fast" else 0.25):
        lost = rng.uniform(0.3, 0.75) * (1 - smooth_step((course - 0.15) / 0.2)) * smooth_step(course * clock.ictal_s)
        reach = np.abs(sources[0].field) if rng.uniform() < 0.5 else np.ones(len(ictal))
        depth += outer(np.minimum(1.5 * reach, 1.0), lost)
    return _Ictal(ictal, depth, sources)


def _spike_wave(rng: np.random.Generator, clock: _Clock) -> _Ictal:
    frequency = _frequency(rng, clock, rng.uniform(2.8, 4.2), rng.uniform(2.2, 2.8), 1.0, unrest=0.02)
    sources = bilateral_sources(rng, front=rng.uniform(0.4, 0.9))
    envelope = taper(clock.n_ictal, clock.rate_hz, 0.4, 0.3) * np.exp(
        0.12 * wander(rng, clock.n_ictal, clock.rate_hz, 1.5)
    )
    spike = rng.uniform(0.5, 1.2)
    ictal = np.zeros((len(sources[0].field), clock.n_ictal))
    phase = _phase(rng, clock, frequency)
    for source in sources:
        wave = _pulse(phase - source.lag - 1.6, 1.0)
        ictal += outer(source.strength * source.field, wave - spike * _pulse(phase - source.lag, 25.0))
    ictal *= envelope
    return _Ictal(ictal, np.broadcast_to(0.3 * envelope, ictal.shape))


def _tonic_clonic(rng: np.random.Generator, clock: _Clock) -> _Ictal:
    """Low-voltage fast onset, recruiting rhythm that slows and grows, clonic bursts ever further apart."""
    course, rate_hz = clock.course, clock.rate_hz
    clonic_at = rng.uniform(0.4, 0.65)
    frequency = _frequency(rng, clock, rng.uniform(12.0, 22.0), rng.uniform(3.0, 5.0), rng.uniform(0.5, 0.9))
    sources = bilateral_sources(rng, front=rng.uniform(0.2, 0.8))
    tonic = (0.25 + 0.75 * smooth_step(course / (0.8 * clonic_at))) * (1 - smooth_step((course - clonic_at) / 0.05))
    ictal = _project(rng, clock, sources, frequency, tonic, (0.5, 4.0))

    jerks = _frequency(rng, clock, rng.uniform(3.0, 5.0), rng.uniform(0.8, 1.5), 1.5)
    gate = smooth_step((course - clonic_at) / 0.05) * _ending(rng, clock)
    jerk_phase = _phase(rng, clock, jerks)
    for source in sources:
        discharge = _pulse(jerk_phase, 12.0) + 0.8 * _pulse(jerk_phase - 1.5, 1.0)
        ictal += outer(source.strength * source.field, 1.3 * gate * discharge)
    # muscle over the temples: continuous in the tonic phase, with the jerks in the clonic one
    pull = tonic + gate * np.exp(6.0 * (np.cos(jerk_phase) - 1.0))
    muscle = band_noise(rng, len(ictal), clock.n_ictal, rate_hz, (20.0, 100.0)) * pull
    ictal += rng.uniform(0.15, 0.6) * muscle * np.exp(0.3 * rng.standard_normal((len(ictal), 1)))
    return _Ictal(ictal, np.broadcast_to(rng.uniform(0.4, 0.8) * smooth_step(course * clock.ictal_s), ictal.shape))


def _decremental(rng: np.random.Generator, clock: _Clock) -> _Ictal:
    """One high slow wave, then the amplitude falls and low-voltage fast activity remains (tonic, spasm)."""
    t = np.arange(clock.n_ictal) / clock.rate_hz
    sources = bilateral_sources(rng, front=rng.uniform(0.2, 0.8))
    frequency = _frequency(rng, clock, rng.uniform(15.0, 25.0), rng.uniform(9.0, 14.0), 1.0, unrest=0.15)
    envelope = rng.uniform(0.25, 0.6) * _breathing(rng, clock) * taper(clock.n_ictal, clock.rate_hz, 1.0, 0.8)
    ictal = _project(rng, clock, sources, frequency, envelope, (0.1, 0.5))
    width_s = rng.uniform(0.25, 0.6)
    slow = np.exp(-0.5 * ((t - 2 * width_s) / (0.5 * width_s)) ** 2)
    slow -= 0.5 * np.exp(-0.5 * ((t - 4 * width_s) / width_s) ** 2)
    for source in sources:
        ictal += outer(source.strength * source.field, rng.uniform(2.5, 5.0) * slow)
    depth = rng.uniform(0.5, 0.85) * smooth_step(t / 0.8) * smooth_step((clock.ictal_s - t) / 2.0)
    return _Ictal(ictal, np.broadcast_to(depth, ictal.shape))


def _slow_evolving(rng: np.random.Generator, clock: _Clock) -> _Ictal:
    """Discharges or delta of a wide field that quicken, spread and slow down again, as in intensive care.

    Evolution after the ACNS' terminology (Hirsch et al., J Clin Neurophysiol 2021;38:1): at least two changes of
    frequency, shape or place in one direction, between 0.5 and 4 Hz or above.
    """
    sources = [
        replace(source, strength=source.strength, from_share=min(source.from_share, 0.4))
        for source in focal_sources(rng)
    ]
    fields = patch_fields(rng, directions(rng, 1), rng.uniform(0.5, 0.9))
    diffuse = Source(fields[:, 0], rng.uniform(0.2, 0.7), 0.0, rng.normal(0.0, 0.3), sources[0].middle)
    sources.append(diffuse)
    low, high = rng.uniform(0.8, 2.0), rng.uniform(2.2, 5.5)
    top = rng.uniform(0.25, 0.7)
    course = clock.course
    rise, fall = smooth_step(course / top), smooth_step((course - top) / (1.0 - top))
    hz = low * (high / low) ** (rise * (1.0 - rng.uniform(0.3, 1.0) * fall))
    frequency = hz * np.exp(rng.uniform(0.03, 0.12) * wander(rng, clock.n_ictal, clock.rate_hz, 0.8))
    envelope = rng.uniform(0.4, 0.9) + (1.0 - rng.uniform(0.4, 0.9)) * rise
    envelope = envelope * _breathing(rng, clock) * _ending(rng, clock)
    sharp = rng.uniform() < 0.5
    sharpness = (rng.uniform(3.0, 14.0), rng.uniform(1.0, 8.0)) if sharp else (rng.uniform(0.1, 1.5), 1.0)
    ictal = _project(rng, clock, sources, frequency, envelope, sharpness)
    return _Ictal(ictal, np.zeros_like(ictal), sources)


def _project(
    rng: np.random.Generator,
    clock: _Clock,
    sources: list[Source],
    frequency: Array,
    envelope: Array,
    sharpness: tuple[float, float],
) -> Array:
    """Let each source join when the seizure reaches it; return potentials, shape (19, n_ictal)."""
    course = clock.course
    phase = _phase(rng, clock, frequency)
    regularity, loose_s = rng.uniform(0.3, 1.0), rng.uniform(0.15, 0.6)
    fields = np.stack([source.strength * source.field for source in sources], axis=1)
    rows = np.empty((len(sources), clock.n_ictal))
    for i, source in enumerate(sources):
        local = phase - source.lag + 0.35 * wander(rng, clock.n_ictal, clock.rate_hz, 2.0)
        early, late = (_pulse(local, k) for k in sharpness)
        # scalp rhythms are seldom clean: the rest is noise of a narrow band that follows the same frequency
        even, odd = (wander(rng, clock.n_ictal, clock.rate_hz, loose_s) for _ in range(2))
        loose = even * np.cos(local) + odd * np.sin(local)
        rows[i] = regularity * (early + (late - early) * course) + (1.0 - regularity) * loose
        if source.from_share > 0:
            rows[i] *= smooth_step((course - source.from_share) / 0.15)
    slow = band_noise(rng, len(sources), clock.n_ictal, clock.rate_hz, (1.0, 8.0))
    fast = band_noise(rng, len(sources), clock.n_ictal, clock.rate_hz, (8.0, 30.0))
    rows += rng.uniform(0.05, 0.5) * slow + rng.uniform(0.0, 0.3) * fast
    joined: Array = fields @ (rows * envelope)
    # irregular activity all over the head goes along with most seizures
    diffuse = patch_fields(rng, directions(rng, 6), 0.5)
    noise = band_noise(rng, 6, clock.n_ictal, clock.rate_hz, (1.0, rng.uniform(6.0, 20.0)))
    joined += rng.uniform(0.0, 0.3) * diffuse @ (noise * envelope)
    return joined


def _frequency(
    rng: np.random.Generator, clock: _Clock, from_hz: float, to_hz: float, bend: float, unrest: float = 0.06
) -> Array:
    """Return a course of frequency in Hz, shape (n_ictal,); `bend` below 1 leaves the start early."""
    drift = clock.course**bend
    exact = np.log(from_hz) + drift * np.log(to_hz / from_hz)
    course: Array = np.exp(exact + unrest * wander(rng, clock.n_ictal, clock.rate_hz, 0.7))
    return course


def _phase(rng: np.random.Generator, clock: _Clock, frequency: Array) -> Array:
    phase: Array = np.cumsum(frequency) * (2 * np.pi / clock.rate_hz) + rng.uniform(0.0, 2 * np.pi)
    return phase


def _pulse(phase: Array, sharpness: float) -> Array:
    """Return a periodic wave of unit RMS: a sinusoid at sharpness 0, spikes at 10 and more (von Mises)."""
    wave = np.exp(sharpness * (np.cos(phase + 0.3 * np.sin(phase)) - 1.0)) if sharpness > 0.05 else np.cos(phase)
    wave = wave - wave.mean()
    unit: Array = wave / np.sqrt(np.mean(wave**2) + 1e-12)
    return unit


def _breathing(rng: np.random.Generator, clock: _Clock) -> Array:
    course: Array = np.exp(rng.uniform(0.1, 0.35) * wander(rng, clock.n_ictal, clock.rate_hz, 1.2))
    return course


def _ending(rng: np.random.Generator, clock: _Clock) -> Array:
    """Return an envelope 0..1: a quick start, and an end that is abrupt, fading or in bursts."""
    envelope = taper(clock.n_ictal, clock.rate_hz, 0.5, 0.25)
    how = rng.uniform()
    if how < 0.35:
        envelope *= 1.0 - 0.7 * smooth_step((clock.course - 0.7) / 0.3)
    elif how < 0.6 and clock.ictal_s > 15:
        late = smooth_step((clock.course - rng.uniform(0.65, 0.85)) / 0.05)
        gates = bursts(rng, clock.n_ictal, clock.rate_hz, rng.uniform(0.4, 0.8), 0.9)
        envelope *= 1.0 - late * (1.0 - gates)
    return envelope
