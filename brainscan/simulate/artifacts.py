"""What resembles a seizure and is none: eyes, muscles, electrodes, movement, and normal or interictal patterns.

Each kind is a function that draws a piece at an amplitude as recorded; `artifact_piece` finds it by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from brainscan.electrodes import INDEX, N_ELECTRODES, POSITIONS
from brainscan.simulate.head import beside, directions, patch_field, skin_field
from brainscan.simulate.noise import Array, band_noise, bursts, taper, wander

Maker = Callable[[np.random.Generator, int, float], Array]

_EYES: Array = np.array((0.0, 1.0, -0.35))
_RIGHT_EYE: Array = np.array((0.55, 0.9, -0.2))
_LEFT_EYE: Array = _RIGHT_EYE * (-1.0, 1.0, 1.0)
_TEMPLES: tuple[Array, Array] = (np.array((-1.0, 0.35, 0.0)), np.array((1.0, 0.35, 0.0)))
_NECK: tuple[Array, Array] = (np.array((-0.5, -1.0, -0.2)), np.array((0.5, -1.0, -0.2)))


def artifact_piece(rng: np.random.Generator, kind: str, duration_s: float, rate_hz: float) -> NDArray[np.float32]:
    """Draw an artifact or benign pattern.

    Parameters
    ----------
    rng : Generator
    kind : str
        One of `ARTIFACTS` or `MORE`.
    duration_s : float
        Length of the piece, at least 0.3 s; it starts and ends at about zero.
    rate_hz : float
        Samples per second.

    Returns
    -------
    array of float32, shape (19, n_samples)
        Microvolts to add to a background.

    Raises
    ------
    ValueError
        For an unknown kind or a piece below 0.3 s.
    """
    if kind not in _ALL:
        raise ValueError(f"unknown artifact {kind!r}; there are {', '.join(_ALL)}")
    if duration_s < 0.3:
        raise ValueError(f"an artifact needs at least 0.3 s, got {duration_s} s")
    n_samples = round(duration_s * rate_hz)
    fade_s = min(0.3, duration_s / 6)
    piece = _ALL[kind](rng, n_samples, rate_hz) * taper(n_samples, rate_hz, fade_s, fade_s)
    return piece.astype(np.float32)


def blink_wave(t_s: Array, width_s: float) -> Array:
    """Return the potential of one closing and opening of the lids, peak 1 at `t_s` = 0."""
    wave: Array = np.exp(-0.5 * (t_s / width_s) ** 2) - 0.25 * np.exp(
        -0.5 * ((t_s - 2.5 * width_s) / (1.5 * width_s)) ** 2
    )
    return wave


def blink_field(rng: np.random.Generator) -> Array:
    """Return the field of the corneo-retinal potential on the scalp, largest at Fp1 and Fp2, shape (19,)."""
    field = skin_field(_EYES, rng.uniform(0.4, 0.55))
    scaled: Array = field / field.max()
    return scaled


def _blinks(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    t = np.arange(n) / rate_hz
    course = np.zeros(n)
    at_s = rng.uniform(0.1, 0.6)
    flutter = rng.uniform() < 0.3
    while at_s < n / rate_hz:
        course += rng.uniform(0.6, 1.2) * blink_wave(t - at_s, rng.uniform(0.06, 0.12))
        at_s += rng.uniform(0.2, 0.4) if flutter else rng.uniform(0.5, 4.0)
    return _outer(blink_field(rng) * np.exp(rng.uniform(np.log(40), np.log(200))), course)


def _eye_movement(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    """Draw steps between gaze positions (saccades), or slow rolling of drowsiness."""
    field = skin_field(_RIGHT_EYE, 0.45) - skin_field(_LEFT_EYE, 0.45)
    if rng.uniform() < 0.4:
        course = wander(rng, n, rate_hz, rng.uniform(1.0, 2.0))
    else:
        gaze = np.cumsum(rng.standard_normal(n) * (rng.uniform(size=n) < 2.0 / rate_hz))
        # the amplifier's high-pass brings each step back within about a second; a saccade takes 30 ms
        second, saccade = min(int(rate_hz), n), max(int(0.03 * rate_hz), 1)
        course = gaze - np.convolve(gaze, np.full(second, 1 / second), mode="same")
        course = np.convolve(course, np.full(saccade, 1 / saccade), mode="same")
    return _outer(field * rng.uniform(20, 80), course)


def _muscle(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    places = (*_TEMPLES, *_NECK, _EYES)
    activity = band_noise(rng, N_ELECTRODES, n, rate_hz, (18.0, 110.0))
    field = np.zeros(N_ELECTRODES)
    for place in places:
        field += float(rng.uniform() < 0.5) * rng.uniform(0.3, 1.0) * skin_field(place, rng.uniform(0.3, 0.5))
    field += rng.uniform(0.0, 0.1)
    course = np.exp(0.5 * wander(rng, n, rate_hz, 0.8))
    return activity * _outer(field * np.exp(rng.uniform(np.log(8), np.log(60))), course)


def _chewing(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    """Bursts of temporal muscle at 0.8 to 2 Hz, with the slow potential of the tongue and the jaw."""
    gate = bursts(rng, n, rate_hz, rng.uniform(0.8, 2.0), rng.uniform(0.15, 0.35))
    field = skin_field(_TEMPLES[0], 0.5) + rng.uniform(0.5, 1.0) * skin_field(_TEMPLES[1], 0.5)
    muscle = band_noise(rng, N_ELECTRODES, n, rate_hz, (18.0, 110.0)) * _outer(field, gate)
    tongue = _outer(skin_field(np.array((0.0, 0.6, -0.8)), 0.9), gate - gate.mean())
    piece: Array = np.exp(rng.uniform(np.log(15), np.log(90))) * (muscle + rng.uniform(0.0, 0.8) * tongue)
    return piece


def _mains(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    mains_hz = 50.0 if rng.uniform() < 0.5 else 60.0
    if mains_hz > 0.45 * rate_hz:
        return np.zeros((N_ELECTRODES, n))
    uv = np.exp(rng.normal(np.log(5.0), 0.8, N_ELECTRODES))
    return _outer(uv, np.sin(2 * np.pi * mains_hz * np.arange(n) / rate_hz + rng.uniform(0, 6.3)))


def _movement(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    """Head and cables move: slow swings at many electrodes, some jumps, some muscle."""
    swings = np.stack([wander(rng, n, rate_hz, rng.uniform(0.2, 0.8)) for _ in range(4)])
    mixing = rng.standard_normal((N_ELECTRODES, 4)) * np.exp(0.6 * rng.standard_normal((N_ELECTRODES, 1)))
    muscle = band_noise(rng, N_ELECTRODES, n, rate_hz, (18.0, 110.0)) * rng.uniform(0.0, 0.4)
    piece: Array = np.exp(rng.uniform(np.log(15), np.log(100))) * (0.5 * mixing @ swings + muscle)
    return piece


def _electrode_pop(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    """Steep steps with an exponential way back, at one electrode."""
    t = np.arange(n) / rate_hz
    course = np.zeros(n)
    at_s, every_s = rng.uniform(0.1, 0.5), rng.uniform(0.3, 3.0)
    while at_s < n / rate_hz:
        since = np.maximum(t - at_s, 0.0)
        course += rng.normal(1.0, 0.3) * (t >= at_s) * np.exp(-since / rng.uniform(0.1, 0.5))
        at_s += every_s * rng.uniform(0.5, 1.5)
    field = np.zeros(N_ELECTRODES)
    field[rng.integers(N_ELECTRODES)] = rng.choice((-1.0, 1.0)) * np.exp(rng.uniform(np.log(50), np.log(300)))
    return _outer(field, course)


def _sweat(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    drifts = np.stack([wander(rng, n, rate_hz, rng.uniform(1.0, 4.0)) for _ in range(3)])
    return rng.uniform(20, 80) * rng.standard_normal((N_ELECTRODES, 3)) @ drifts


def _patting(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    """Rocking, patting, tremor, toothbrush: a steady rhythm that does not evolve, over a whole region."""
    rhythm_hz = rng.uniform(2.0, 7.5)
    phase = 2 * np.pi * (rhythm_hz * np.arange(n) / rate_hz + 0.06 * wander(rng, n, rate_hz, 1.0))
    course = np.sin(phase) + rng.uniform(0, 0.6) * np.sin(2 * phase + rng.uniform(0, 6.3))
    field = skin_field(directions(rng, 1)[0], rng.uniform(0.4, 1.2)) * rng.choice((-1, 1), N_ELECTRODES, p=(0.2, 0.8))
    return _outer(field * rng.uniform(15, 80), course * np.exp(0.2 * wander(rng, n, rate_hz, 1.5)))


def _pulse_beat(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    """Heart: the ECG's dipole over the whole head, left against right."""
    t = np.arange(n) / rate_hz
    course = np.zeros(n)
    at_s, beat_s = rng.uniform(0.0, 0.5), rng.uniform(0.5, 1.1)
    while at_s < n / rate_hz:
        course += np.exp(-0.5 * ((t - at_s) / 0.012) ** 2) + 0.2 * np.exp(-0.5 * ((t - at_s - 0.25) / 0.05) ** 2)
        at_s += beat_s * rng.normal(1.0, 0.03)
    lead = np.array(POSITIONS) @ np.array((-0.7, 0.2, -0.6))
    return _outer(lead * rng.uniform(8, 30), course)


def _spindle(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    """Trains of 11 to 15 Hz over the vertex that wax and wane within a second or two."""
    t = np.arange(n) / rate_hz
    field = _under("Cz", rng, 0.4) + 0.6 * _under("Fz", rng, 0.4)
    course, at_s = np.zeros(n), rng.uniform(0.3, 1.0)
    while at_s < n / rate_hz:
        width_s = rng.uniform(0.25, 0.5)
        wave = np.sin(2 * np.pi * rng.uniform(11.0, 15.0) * t + rng.uniform(0, 6.3))
        course += wave * np.exp(-0.5 * ((t - at_s) / width_s) ** 2)
        at_s += rng.uniform(2.0, 8.0)
    return _outer(field * rng.uniform(10, 35), course)


def _k_complex(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    t = np.arange(n) / rate_hz - rng.uniform(0.3, 0.5) * n / rate_hz
    course = -np.exp(-0.5 * (t / 0.1) ** 2) + 0.8 * np.exp(-0.5 * ((t - 0.4) / 0.18) ** 2)
    field = _under("Fz", rng, 0.5) + _under("Cz", rng, 0.5)
    return _outer(field * rng.uniform(30, 100), course)


def _vertex_wave(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    t = np.arange(n) / rate_hz
    course, at_s = np.zeros(n), rng.uniform(0.2, 0.6)
    while at_s < n / rate_hz:
        course -= rng.uniform(0.5, 1.2) * np.exp(-0.5 * ((t - at_s) / 0.06) ** 2)
        at_s += rng.uniform(0.8, 4.0)
    return _outer(_under("Cz", rng, 0.3) * rng.uniform(30, 120), course)


def _spike(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    """Interictal spikes with their slow wave, at irregular intervals, from one patch of cortex."""
    field = patch_field(rng, directions(rng, 1)[0], rng.uniform(0.15, 0.35))
    return _outer(field * rng.uniform(30, 150), _discharges(rng, n, rate_hz, rng.uniform(1.0, 6.0), 0.5))


def _periodic(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    """Lateralised or generalised periodic discharges: 0.5 to 2 Hz, no evolution."""
    middle = directions(rng, 1)[0]
    field = patch_field(rng, middle, 0.4)
    for side in (1.0, -1.0) if rng.uniform() < 0.4 else (1.0,):
        field = field + 0.6 * patch_field(rng, beside(rng, middle * (side, 1.0, 1.0), 0.4), 0.4)
    return _outer(field * rng.uniform(15, 70), _discharges(rng, n, rate_hz, 1 / rng.uniform(0.5, 2.0), 0.06))


def _theta_train(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    """Rhythmic mid-temporal theta of drowsiness, or frontal midline theta: steady, then gone."""
    where = ("T3", "T4", "Fz")[int(rng.integers(3))]
    phase = 2 * np.pi * (rng.uniform(4.5, 7.0) * np.arange(n) / rate_hz + 0.05 * wander(rng, n, rate_hz, 0.7))
    course = np.cos(phase) + 0.35 * np.cos(2 * phase + 0.8)
    return _outer(_under(where, rng, 0.3) * rng.uniform(10, 45), course * np.exp(0.3 * wander(rng, n, rate_hz, 0.8)))


def _delta_run(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    """Frontal intermittent rhythmic delta, hyperventilation: bilateral 1.5 to 3.5 Hz."""
    phase = 2 * np.pi * (rng.uniform(1.5, 3.5) * np.arange(n) / rate_hz + 0.12 * wander(rng, n, rate_hz, 0.8))
    field = _under("F3", rng, 0.5) + _under("F4", rng, 0.5)
    return _outer(field * rng.uniform(15, 60), np.cos(phase) * np.exp(0.4 * wander(rng, n, rate_hz, 0.7)))


def _beta_spindles(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    """Fast activity of drugs and drowsiness: trains of 15 to 25 Hz over the front that wax and wane."""
    hz = rng.uniform(15.0, 25.0)
    phase = 2 * np.pi * (hz * np.arange(n) / rate_hz + 0.25 * wander(rng, n, rate_hz, 0.4))
    envelope = np.maximum(wander(rng, n, rate_hz, rng.uniform(0.5, 1.5)) + rng.uniform(0.0, 0.8), 0.0)
    field = _under("F3", rng, 0.6) + _under("F4", rng, 0.6) + rng.uniform(0.0, 0.6) * _under("Cz", rng, 0.6)
    return _outer(field * rng.uniform(8, 40), np.cos(phase) * envelope)


def _shaking(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    """Shake the head or the whole child: high voltage at 1.5 to 5 Hz, each electrode in its own shape."""
    rhythm_hz = rng.uniform(1.5, 5.0)
    cycles = rhythm_hz * np.arange(n) / rate_hz + 0.08 * wander(rng, n, rate_hz, 1.0)
    courses = np.stack(
        [
            np.cos(2 * np.pi * k * cycles + rng.uniform(0, 6.3)) * np.exp(0.4 * wander(rng, n, rate_hz, 0.7)) / k
            for k in (1, 1, 2, 3)
        ]
    )
    mixing = rng.standard_normal((N_ELECTRODES, len(courses))) * np.exp(0.5 * rng.standard_normal((N_ELECTRODES, 1)))
    shared = _outer(skin_field(directions(rng, 1)[0], rng.uniform(0.6, 1.5)), courses[0])
    jolts = rng.uniform(0.0, 0.4) * band_noise(rng, N_ELECTRODES, n, rate_hz, (10.0, 60.0))
    rms = np.exp(rng.uniform(np.log(40), np.log(300)))
    return np.asarray(rms * (0.5 * mixing @ courses + shared + jolts), dtype=np.float64)


def _torn(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    """Electrodes come loose together: steps of up to millivolts, each brought back by the high-pass."""
    count = int(rng.integers(2, 8))
    field = np.zeros(N_ELECTRODES)
    field[rng.choice(N_ELECTRODES, count, replace=False)] = rng.standard_normal(count)
    t, course = np.arange(n) / rate_hz, np.zeros(n)
    at_s = rng.uniform(0.1, 1.0)
    while at_s < n / rate_hz:
        since = np.maximum(t - at_s, 0.0)
        back_s = rng.uniform(0.05, 0.6)
        course += rng.standard_normal() * (t >= at_s) * np.exp(-since / back_s) * np.cos(since * rng.uniform(0.0, 6.0))
        at_s += rng.uniform(0.2, 2.5)
    return _outer(field * np.exp(rng.uniform(np.log(150), np.log(2000))), course)


def _lateral_delta(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    """Lateralised or generalised rhythmic delta (LRDA, GRDA): 0.7 to 3 Hz, steady in frequency and place."""
    phase = 2 * np.pi * (rng.uniform(0.7, 3.0) * np.arange(n) / rate_hz + 0.08 * wander(rng, n, rate_hz, 1.0))
    middle = directions(rng, 1)[0]
    field = patch_field(rng, middle, rng.uniform(0.4, 0.8))
    if rng.uniform() < 0.4:
        field = field + rng.uniform(0.7, 1.0) * patch_field(rng, middle * (-1.0, 1.0, 1.0), rng.uniform(0.4, 0.8))
    sharp = rng.uniform(0.0, 0.5) * np.cos(2 * phase + rng.uniform(0, 6.3))
    return _outer(field * rng.uniform(15, 90), (np.cos(phase) + sharp) * np.exp(0.25 * wander(rng, n, rate_hz, 1.5)))


def _triphasic(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    """Generalised triphasic waves at 1 to 2.5 Hz, with a lag from the front to the back."""
    t, total = np.arange(n) / rate_hz, np.zeros((N_ELECTRODES, n))
    every_s, lag_s = 1 / rng.uniform(1.0, 2.5), rng.uniform(0.0, 0.12)
    sizes = rng.uniform(0.7, 1.3, int(n / rate_hz / every_s * 1.6) + 2)
    beats = np.cumsum(every_s * rng.normal(1.0, 0.08, len(sizes)))
    for where, back, strength in (("Fz", 0.0, 1.0), ("Cz", 0.5, 0.8), ("Pz", 1.0, rng.uniform(0.2, 0.6))):
        course = np.zeros(n)
        for at_s, size in zip(beats, sizes, strict=True):
            x = t - at_s - back * lag_s
            near = slice(*np.searchsorted(x, (-0.5, 0.9)))
            shape = -0.4 * np.exp(-0.5 * ((x[near] + 0.09) / 0.035) ** 2) + np.exp(-0.5 * (x[near] / 0.06) ** 2)
            course[near] += size * (shape - 0.5 * np.exp(-0.5 * ((x[near] - 0.2) / 0.12) ** 2))
        total += _outer(strength * _under(where, rng, 0.8), course)
    return rng.uniform(25, 110) * total


def _discharges(rng: np.random.Generator, n: int, rate_hz: float, every_s: float, irregular: float) -> Array:
    t = np.arange(n) / rate_hz
    course, at_s = np.zeros(n), rng.uniform(0.2, 0.6)
    spike_s, wave_s, share = rng.uniform(0.015, 0.04), rng.uniform(0.08, 0.16), rng.uniform(0.2, 0.7)
    while at_s < n / rate_hz:
        size = rng.uniform(0.7, 1.3)
        course -= size * np.exp(-0.5 * ((t - at_s) / spike_s) ** 2)
        course += size * share * np.exp(-0.5 * ((t - at_s - 0.08 - wave_s) / wave_s) ** 2)
        at_s += max(every_s * rng.normal(1.0, irregular), 0.25)
    return course


def _under(electrode: str, rng: np.random.Generator, extent_rad: float) -> Array:
    middle = np.array(POSITIONS[INDEX[electrode]]) + rng.normal(0.0, 0.08, 3)
    return patch_field(rng, middle / np.linalg.norm(middle), extent_rad)


def _outer(field: Array, course: Array) -> Array:
    product: Array = field[:, None] * course
    return product


ARTIFACTS: Mapping[str, Maker] = MappingProxyType(
    {
        "blink": _blinks,
        "eye_movement": _eye_movement,
        "muscle": _muscle,
        "chewing": _chewing,
        "mains": _mains,
        "movement": _movement,
        "electrode_pop": _electrode_pop,
        "sweat": _sweat,
        "patting": _patting,
        "heart": _pulse_beat,
        "spindle": _spindle,
        "k_complex": _k_complex,
        "vertex_wave": _vertex_wave,
        "spike": _spike,
        "periodic": _periodic,
        "theta_train": _theta_train,
        "delta_run": _delta_run,
    }
)
"""What `simulate` draws from, and its maker."""

MORE: Mapping[str, Maker] = MappingProxyType(
    {
        "beta_spindles": _beta_spindles,
        "shaking": _shaking,
        "torn": _torn,
        "lateral_delta": _lateral_delta,
        "triphasic": _triphasic,
    }
)
"""Further kinds, which training draws, too; simulated recordings stay as they were."""

_ALL = {**ARTIFACTS, **MORE}
