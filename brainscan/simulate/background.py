"""The EEG between seizures: 1/f activity, rhythms by region, state and age.

A `Subject` is drawn once a recording, a `State` every `TILE_S` seconds; within a tile everything is a
Gaussian process in the frequency domain, so that one inverse transform makes all rhythms of 19 electrodes.
Rhythms wax and wane by themselves: noise of a band of 1 to 2 Hz has an envelope that changes within a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from brainscan.electrodes import INDEX, N_ELECTRODES, POSITIONS
from brainscan.simulate.head import patch_fields, source_covariance, spread_directions
from brainscan.simulate.noise import Array, complex_normal

State = Literal["open", "closed", "drowsy", "sleep"]
Age = Literal["any", "adult", "child"]
STATES: tuple[State, ...] = ("open", "closed", "drowsy", "sleep")

N_CORTICAL_SOURCES = 400
LOCAL_RADIUS = 0.76
WIDE_RADIUS = 0.35
"""A shallow and a deep shell of sources; their mixture has the inter-electrode correlations of recordings."""

_POSTERIOR = ("O1", "O2", "P3", "P4")
_CENTRAL = ("C3", "C4")
_FRONTAL = ("F3", "F4", "Fz")
_TEMPORAL = ("T3", "T4")

# Gain of each rhythm by state, awake with eyes open being 1: alpha blocks when the eyes open, slows and
# disperses with drowsiness while theta rises; sleep brings delta (Niedermeyer's Electroencephalography,
# 7th ed., chapters 7 to 9 describe the course; the numbers are ours).
_GAINS: dict[State, dict[str, float]] = {
    "open": {"delta": 1.0, "theta": 1.0, "alpha": 1.0, "mu": 1.0, "beta": 1.0, "muscle": 1.0},
    "closed": {"delta": 0.9, "theta": 1.0, "alpha": 2.6, "mu": 1.0, "beta": 0.9, "muscle": 0.7},
    "drowsy": {"delta": 1.3, "theta": 2.0, "alpha": 0.8, "mu": 0.7, "beta": 1.0, "muscle": 0.5},
    "sleep": {"delta": 5.0, "theta": 1.6, "alpha": 0.4, "mu": 0.4, "beta": 0.7, "muscle": 0.3},
}


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """Whose EEG it is: what stays the same through a recording.

    Parameters
    ----------
    child : bool
        Children: higher amplitude, slower alpha.
    amplitude_uv : float
        RMS of the 1/f activity between 1 and 30 Hz, mean over electrodes, common average.
    exponent : float
        The power falls with frequency to this power.
    alpha_hz : float
        Posterior rhythm.
    rhythms : dict
        RMS of delta, theta, alpha, mu and beta as a share of `amplitude_uv`, eyes open.
    noise_uv : float
        RMS of amplifier and muscle noise, 0 to 100 Hz, per electrode independent.
    spatial : array, shape (19, 19)
        Factor of the covariance of the 1/f activity, mean variance 1.
    fields : dict of arrays, shape (19, n_sources) each
        Of each rhythm's sources; mean variance over the electrodes 1.
    sensor_gain : array, shape (19,)
        What impedances make of each electrode.
    """

    child: bool
    amplitude_uv: float
    exponent: float
    alpha_hz: float
    rhythms: dict[str, float]
    noise_uv: float
    spatial: Array
    fields: dict[str, Array]
    sensor_gain: Array

    def rms_uv(self, electrodes: NDArray[np.bool_]) -> float:
        """Return the RMS of the background over some electrodes, 1 to 30 Hz, awake with eyes open."""
        power = np.sum(self.spatial**2, axis=1)
        for name, share in self.rhythms.items():
            power = power + share**2 * np.sum(self.fields[name] ** 2, axis=1)
        return self.amplitude_uv * float(np.sqrt(np.mean(power[electrodes])))


def draw_subject(rng: np.random.Generator, age: Age = "any") -> Subject:
    """Draw a subject; the spread is that of the recordings in eeg/train (`benchmarks/simulator.py`)."""
    child = bool(rng.uniform() < 0.5) if age == "any" else age == "child"
    amplitude_uv = float(np.exp(rng.normal(np.log(18.0 if child else 4.2), 0.4)))
    rhythms = {
        "delta": rng.uniform(0.1, 0.5),
        "theta": rng.uniform(0.1, 0.35),
        "alpha": float(np.exp(rng.normal(np.log(0.25), 0.5))),
        "mu": rng.uniform(0.03, 0.2),
        "beta": rng.uniform(0.15, 0.45),
    }
    covariance = _covariance(rng)
    # a Cholesky factor is unique, eigenvectors have signs that differ between libraries
    spatial = np.asarray(np.linalg.cholesky(covariance + 1e-6 * np.eye(N_ELECTRODES)), dtype=np.float64)
    return Subject(
        child=child,
        amplitude_uv=amplitude_uv,
        exponent=rng.uniform(1.3, 2.1) if child else rng.uniform(1.0, 1.8),
        alpha_hz=rng.uniform(7.5, 9.5) if child else rng.uniform(8.5, 11.5),
        rhythms=rhythms,
        noise_uv=float(np.exp(rng.normal(np.log(0.16 * amplitude_uv + 0.8), 0.5))),
        spatial=spatial,
        fields={
            "delta": _fields(rng, (*_FRONTAL, "Pz", *_TEMPORAL)),
            "theta": _fields(rng, ("Fz", "Cz", *_TEMPORAL)),
            "alpha": _fields(rng, _POSTERIOR),
            "mu": _fields(rng, _CENTRAL),
            "beta": _fields(rng, (*_FRONTAL, *_CENTRAL)),
        },
        sensor_gain=np.exp(0.06 * rng.standard_normal(N_ELECTRODES)),
    )


def tile(rng: np.random.Generator, subject: Subject, state: State, n_samples: int, rate_hz: float) -> Array:
    """Draw a stretch of background in one state, without blinks or other events.

    Returns
    -------
    array, shape (19, n_samples)
        Microvolts.
    """
    frequency = np.asarray(np.fft.rfftfreq(n_samples, 1 / rate_hz), dtype=np.float64)
    step_hz = rate_hz / n_samples
    gains = _GAINS[state]
    # a tile's own liveliness: rhythms come in trains of seconds
    lively = dict(zip(gains, np.exp(0.3 * rng.standard_normal(len(gains))), strict=True))

    density = _one_over_f(frequency, subject.exponent)
    density *= subject.amplitude_uv**2
    amplitude = np.sqrt(density * step_hz / 2) * n_samples
    spectrum = subject.spatial @ (complex_normal(rng, (N_ELECTRODES, len(frequency))) * amplitude)

    for name, (centre_hz, width_hz) in _bands(subject, state).items():
        shape = np.exp(-0.5 * ((frequency - centre_hz) / width_hz) ** 2)
        bins = np.flatnonzero(shape > 1e-3)
        fields = subject.fields[name]
        rms_uv = subject.amplitude_uv * subject.rhythms[name] * gains[name] * lively[name]
        level = rms_uv * np.sqrt(shape[bins] / shape[bins].sum() / 2) * n_samples
        spectrum[:, bins] += fields @ (complex_normal(rng, (fields.shape[1], len(bins))) * level)

    flat = np.flatnonzero(frequency <= 100.0)
    level = subject.noise_uv * (0.5 + 0.5 * gains["muscle"]) * np.sqrt(step_hz / 100.0 / 2) * n_samples
    spectrum[:, flat] += complex_normal(rng, (N_ELECTRODES, len(flat))) * level
    spectrum *= subject.sensor_gain[:, None]
    spectrum[:, 0] = 0.0
    uv: Array = np.fft.irfft(spectrum, n_samples, axis=1)
    return uv


def background_piece(
    rng: np.random.Generator, duration_s: float, rate_hz: float, state: State | None = None, age: Age = "any"
) -> NDArray[np.float32]:
    """Draw background of a new subject in one state, for composing training windows.

    Parameters
    ----------
    rng : Generator
    duration_s : float
        A few seconds to some minutes.
    rate_hz : float
    state : {"open", "closed", "drowsy", "sleep"}, optional
        Drawn if absent.
    age : {"any", "adult", "child"}

    Returns
    -------
    array of float32, shape (19, n_samples)
        Microvolts, electrodes in the order of `ELECTRODES`.
    """
    subject = draw_subject(rng, age)
    if state is None:
        state = STATES[int(rng.integers(len(STATES)))]
    n_samples = round(duration_s * rate_hz)
    return tile(rng, subject, state, n_samples + n_samples % 2, rate_hz)[:, :n_samples].astype(np.float32)


def _covariance(rng: np.random.Generator) -> Array:
    """Draw the covariance of the 1/f activity: local sources, and wide ones whose share differs by person."""
    outward = spread_directions(N_CORTICAL_SOURCES)
    local = np.exp(0.5 * rng.standard_normal(N_CORTICAL_SOURCES) + outward @ rng.normal(0.0, 0.6, 3))
    wide = np.exp(outward @ rng.normal(0.0, 0.8, 3))
    share = rng.uniform(0.0, 0.8)
    mixed: Array = (1.0 - share) * source_covariance(local, LOCAL_RADIUS) + share * source_covariance(wide, WIDE_RADIUS)
    return mixed


def _bands(subject: Subject, state: State) -> dict[str, tuple[float, float]]:
    """Return centre and width in Hz of each rhythm."""
    slowing = {"open": 1.0, "closed": 1.0, "drowsy": 0.88, "sleep": 0.8}[state]
    return {
        "delta": (1.6, 0.7),
        "theta": (5.6 if not subject.child else 4.8, 0.9),
        "alpha": (subject.alpha_hz * slowing, 0.7),
        "mu": (subject.alpha_hz * 1.03, 0.8),
        "beta": (19.0, 4.0),
    }


def _one_over_f(frequency: Array, exponent: float) -> Array:
    """Return a 1/f density, flat below half a hertz, whose integral from 1 to 30 Hz is 1."""
    knee_hz = 0.5
    density = (frequency**2 + knee_hz**2) ** (-exponent / 2)
    inside = (frequency >= 1.0) & (frequency <= 30.0)
    scaled: Array = density / (density[inside].sum() * (frequency[1] - frequency[0]))
    return scaled


def _fields(rng: np.random.Generator, electrodes: tuple[str, ...]) -> Array:
    """Return the fields of sources under some electrodes, each moved a little, mean variance 1."""
    under = np.array([POSITIONS[INDEX[name]] for name in electrodes])
    under += rng.normal(0.0, 0.12, under.shape)
    fields = patch_fields(rng, under / np.linalg.norm(under, axis=1, keepdims=True), 0.2)
    fields *= np.exp(0.3 * rng.standard_normal(len(electrodes)))
    scaled: Array = fields * np.sqrt(N_ELECTRODES / np.sum(fields**2))
    return scaled
