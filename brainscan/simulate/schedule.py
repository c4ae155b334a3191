"""What happens when in a simulated recording: states, seizures, artifacts; all in seconds, at no rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brainscan.simulate.background import State
from brainscan.simulate.seizures import Pattern, draw_pattern

MIN_SEIZURE_S = 8.0
MAX_SEIZURE_S = 180.0
MARGIN_S = 10.0
"""From the start to the first seizure, between seizures, and from the last one to the end, at least."""

# Median and logarithmic spread of durations, and their limits, seconds.
_DURATIONS: dict[Pattern, tuple[float, float, float, float]] = {
    "rhythmic": (35.0, 0.65, MIN_SEIZURE_S, MAX_SEIZURE_S),
    "low_voltage_fast": (40.0, 0.6, MIN_SEIZURE_S, MAX_SEIZURE_S),
    "spike_rhythm": (30.0, 0.65, MIN_SEIZURE_S, MAX_SEIZURE_S),
    "spike_wave": (12.0, 0.35, MIN_SEIZURE_S, 40.0),
    "tonic_clonic": (60.0, 0.35, 30.0, MAX_SEIZURE_S),
    "decremental": (13.0, 0.4, MIN_SEIZURE_S, 40.0),
}

# Episodes a minute, shortest and longest in seconds, and the states in which they occur.
_WAKE: tuple[State, ...] = ("open", "closed")
_ANY: tuple[State, ...] = ("open", "closed", "drowsy", "sleep")
_ARTIFACTS: dict[str, tuple[float, float, float, tuple[State, ...]]] = {
    "blink": (1.0, 1.0, 8.0, ("open",)),
    "eye_movement": (0.6, 2.0, 12.0, ("open", "drowsy")),
    "muscle": (0.5, 1.0, 20.0, _WAKE),
    "chewing": (0.08, 5.0, 40.0, ("open",)),
    "movement": (0.15, 1.0, 8.0, _ANY),
    "electrode_pop": (0.08, 2.0, 20.0, _ANY),
    "sweat": (0.03, 20.0, 60.0, _ANY),
    "patting": (0.05, 5.0, 40.0, _WAKE),
    "heart": (0.03, 20.0, 60.0, _ANY),
    "spindle": (1.5, 2.0, 10.0, ("sleep",)),
    "k_complex": (1.0, 1.5, 2.5, ("sleep",)),
    "vertex_wave": (0.8, 1.5, 8.0, ("drowsy", "sleep")),
    "spike": (0.15, 1.0, 20.0, _ANY),
    "periodic": (0.02, 10.0, 60.0, _ANY),
    "theta_train": (0.08, 3.0, 20.0, ("drowsy", "closed")),
    "delta_run": (0.04, 3.0, 15.0, _WAKE),
}

_STATE_S: dict[State, tuple[float, float]] = {
    "open": (15.0, 120.0),
    "closed": (15.0, 120.0),
    "drowsy": (20.0, 120.0),
    "sleep": (180.0, 1800.0),
}
_NEXT: dict[State, tuple[tuple[State, float], ...]] = {
    "open": (("closed", 0.9), ("drowsy", 0.1)),
    "closed": (("open", 0.7), ("drowsy", 0.3)),
    "drowsy": (("closed", 0.3), ("open", 0.35), ("sleep", 0.35)),
    "sleep": (("drowsy", 0.6), ("open", 0.4)),
}


@dataclass(frozen=True, slots=True)
class Planned:
    """Something of a kind that begins at a time; its piece is drawn from its own seed when it is needed.

    Parameters
    ----------
    onset_s, duration_s : float
    kind : str
        An artifact's name or a seizure's pattern.
    number : int
        Its place in the plan, from which its generator is seeded.
    after_s : float
        Post-ictal seconds that follow; 0 for artifacts.
    """

    onset_s: float
    duration_s: float
    kind: str
    number: int
    after_s: float = 0.0

    @property
    def stop_s(self) -> float:
        """End of everything that belongs to it, seconds."""
        return self.onset_s + self.duration_s + self.after_s


def plan_seizures(
    rng: np.random.Generator, duration_s: float, n_seizures: int, generalised: float
) -> tuple[Planned, ...]:
    """Draw patterns, durations and onsets.

    Parameters
    ----------
    rng : Generator
    duration_s : float
        Of the recording.
    n_seizures : int
    generalised : float
        Share of generalised seizures, 0..1.

    Raises
    ------
    ValueError
        If so many seizures of at least 8 s have no room.
    """
    if n_seizures == 0:
        return ()
    patterns = [draw_pattern(rng, generalised) for _ in range(n_seizures)]
    lengths = np.array([_duration(rng, pattern) for pattern in patterns])
    room_s = duration_s - MARGIN_S * (n_seizures + 1)
    if room_s < MIN_SEIZURE_S * n_seizures:
        raise ValueError(
            f"{n_seizures} seizures of at least {MIN_SEIZURE_S:g} s, {MARGIN_S:g} s apart, "
            f"have no room in {duration_s:g} s"
        )
    excess = max(lengths.sum() - max(0.6 * room_s, MIN_SEIZURE_S * n_seizures), 0.0)
    spare = lengths - MIN_SEIZURE_S
    if excess > 0:
        lengths = lengths - spare * (excess / spare.sum())
    lengths = np.round(lengths, 2)
    gaps = np.sort(rng.uniform(0.0, max(room_s - lengths.sum(), 0.0), n_seizures))
    onsets = np.round(
        gaps + np.concatenate(([0.0], np.cumsum(lengths[:-1]))) + MARGIN_S * np.arange(1, n_seizures + 1), 2
    )
    planned = []
    for number, (onset_s, length_s, pattern) in enumerate(zip(onsets, lengths, patterns, strict=True)):
        next_s = onsets[number + 1] if number + 1 < n_seizures else duration_s
        longest_s = {"tonic_clonic": 120.0, "spike_wave": 3.0}.get(pattern, 45.0)
        after_s = min(rng.uniform(0.2, 1.0) * longest_s, next_s - onset_s - length_s - 2.0)
        planned.append(Planned(float(onset_s), float(length_s), pattern, number, round(float(after_s), 2)))
    return tuple(planned)


def plan_states(rng: np.random.Generator, duration_s: float) -> tuple[tuple[float, State], ...]:
    """Draw the times at which each state begins; the first one at 0."""
    at_s, state = 0.0, _ANY[int(rng.integers(3))]
    planned = []
    while at_s < duration_s:
        planned.append((at_s, state))
        at_s += rng.uniform(*_STATE_S[state])
        names, weights = zip(*_NEXT[state], strict=True)
        state = names[int(rng.choice(len(names), p=weights))]
    return tuple(planned)


def state_at(states: tuple[tuple[float, State], ...], at_s: float) -> State:
    """Return the state of a moment."""
    starts = [start_s for start_s, _ in states]
    return states[max(int(np.searchsorted(starts, at_s, side="right")) - 1, 0)][1]


def plan_artifacts(
    rng: np.random.Generator,
    duration_s: float,
    states: tuple[tuple[float, State], ...],
    seizures: tuple[Planned, ...],
    rate: float,
) -> tuple[Planned, ...]:
    """Draw artifacts and benign patterns, sorted by onset.

    Parameters
    ----------
    rng : Generator
    duration_s : float
        Of the recording; episodes that would outlast it are left out.
    states : tuple of (start_s, state)
        Most kinds occur in some states only.
    seizures : tuple of Planned
        Artifacts are more frequent in them.
    rate : float
        Factor on how often they occur; 0 for none.
    """
    drawn = _ictal_artifacts(rng, seizures, rate)
    for kind, (per_minute, shortest_s, longest_s, where) in _ARTIFACTS.items():
        # people differ: some blink a lot, some never move
        habit = float(np.exp(0.7 * rng.standard_normal()))
        n = int(rng.poisson(per_minute * habit * rate * duration_s / 60.0))
        onsets = np.round(rng.uniform(0.0, duration_s, n), 2)
        lengths = np.round(np.exp(rng.uniform(np.log(shortest_s), np.log(longest_s), n)), 2)
        drawn += [
            (float(onset_s), float(length_s), kind)
            for onset_s, length_s in zip(onsets, lengths, strict=True)
            if onset_s + length_s <= duration_s and state_at(states, onset_s) in where
        ]
    return tuple(Planned(onset_s, length_s, kind, n) for n, (onset_s, length_s, kind) in enumerate(sorted(drawn)))


def _ictal_artifacts(
    rng: np.random.Generator, seizures: tuple[Planned, ...], rate: float
) -> list[tuple[float, float, str]]:
    """Draw onset, length and kind of artifacts during seizures: people move, blink and tense."""
    drawn = []
    for seizure in seizures:
        for kind, share in (("muscle", 0.5), ("blink", 0.35), ("movement", 0.3), ("eye_movement", 0.2)):
            if rng.uniform() < min(share * rate, 1.0) and seizure.kind != "spike_wave":
                length_s = round(seizure.duration_s * rng.uniform(0.1, 0.7), 2)
                onset_s = round(seizure.onset_s + rng.uniform(0.0, seizure.duration_s - length_s), 2)
                drawn.append((onset_s, length_s, kind))
    return drawn


def _duration(rng: np.random.Generator, pattern: Pattern) -> float:
    median_s, spread, shortest_s, longest_s = _DURATIONS[pattern]
    return float(np.clip(np.exp(rng.normal(np.log(median_s), spread)), shortest_s, longest_s))
