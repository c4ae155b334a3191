"""Seizure by seizure and alarm by alarm: what was found at one threshold, when, and what was not there.

Found means overlapped, whatever the scorer: rows are for looking at recordings, not for the figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainscan.corpora.references import Seizure
from brainscan.evaluate.counts import Judged
from brainscan.events import Event, extent

DURATION_BINS_S = (0.0, 10.0, 30.0, 60.0, 120.0, 300.0, math.inf)
"""Lengths of seizures that are told apart."""

EDGE_S = 1.0
"""A seizure that begins so near the start of what is known may have begun before."""


@dataclass(frozen=True, slots=True, eq=False)
class SeizureRow:
    """One annotated seizure and the events that overlap it."""

    recording: Judged
    seizure: Seizure
    events: tuple[Event, ...]

    @property
    def found(self) -> bool:
        """Whether any event overlaps it."""
        return bool(self.events)

    @property
    def begins_inside(self) -> bool:
        """Whether time before its onset was analysed and judged: else no latency can be measured."""
        return self._is_inside(self.seizure.onset_s - EDGE_S, self.seizure.onset_s)

    @property
    def ends_inside(self) -> bool:
        """Whether time behind its offset was analysed and judged: else no offset error can be measured."""
        return self._is_inside(self.seizure.offset_s, self.seizure.offset_s + EDGE_S)

    def _is_inside(self, start_s: float, stop_s: float) -> bool:
        return any(first <= start_s and stop_s <= last for first, last in self.recording.scored)

    @property
    def latency_s(self) -> float:
        """First event's onset behind the seizure's; negative where it came early, NaN where there is none."""
        return self.events[0].onset_s - self.seizure.onset_s if self.events else math.nan

    @property
    def offset_error_s(self) -> float:
        """Last event's offset behind the seizure's; NaN where there is none."""
        return self.events[-1].offset_s - self.seizure.offset_s if self.events else math.nan


@dataclass(frozen=True, slots=True, eq=False)
class AlarmRow:
    """One event, or the judged part of it, that overlaps no seizure."""

    recording: Judged
    event: Event


@dataclass(frozen=True, slots=True)
class Rows:
    """What one threshold does to every recording."""

    seizures: tuple[SeizureRow, ...]
    alarms: tuple[AlarmRow, ...]


Chooser = Callable[[Judged], Iterable[Event]]
"""Events of a recording at some threshold."""


def rows_at(recordings: Sequence[Judged], chosen: Chooser) -> Rows:
    """Return the rows of all recordings at one threshold."""
    seizures: list[SeizureRow] = []
    alarms: list[AlarmRow] = []
    for recording in recordings:
        found = ((event, extent((event.onset_s, event.offset_s), recording.judged)) for event in chosen(recording))
        events = sorted(Event(*at, event.confidence) for event, at in found if at is not None)
        used: set[Event] = set()
        for seizure in recording.seizures:
            hits = tuple(e for e in events if e.onset_s < seizure.offset_s and e.offset_s > seizure.onset_s)
            used.update(hits)
            seizures.append(SeizureRow(recording, seizure, hits))
        alarms += [AlarmRow(recording, event) for event in events if event not in used]
    return Rows(tuple(seizures), tuple(alarms))


def by_type(rows: Rows) -> dict[str, dict[str, int]]:
    """Return how many seizures of each type were found."""
    return _grouped(rows.seizures, lambda row: row.seizure.label)


def by_duration(rows: Rows) -> dict[str, dict[str, int]]:
    """Return how many seizures of each length were found, by `DURATION_BINS_S`."""
    return dict(
        sorted(
            _grouped(rows.seizures, lambda row: _bin_of(row.seizure.duration_s)).items(),
            key=lambda item: _BIN_NAMES.index(item[0]),
        )
    )


def by_patient(recordings: Sequence[Judged], rows: Rows) -> list[dict[str, Any]]:
    """Return hours, seizures, finds and alarms of each patient, sources in order."""
    table: dict[str, dict[str, Any]] = {}
    for recording in recordings:
        entry = table.setdefault(
            recording.case.patient,
            {
                "source": recording.case.source,
                "subject": recording.case.subject,
                "recordings": 0,
                "hours": 0.0,
                "seizures": 0,
                "found": 0,
                "false_alarms": 0,
            },
        )
        entry["recordings"] += 1
        entry["hours"] += recording.scored_s / 3600.0
    for row in rows.seizures:
        entry = table[row.recording.case.patient]
        entry["seizures"] += 1
        entry["found"] += row.found
    for alarm in rows.alarms:
        table[alarm.recording.case.patient]["false_alarms"] += 1
    return [table[patient] for patient in sorted(table)]


def timing(rows: Rows) -> dict[str, Any]:
    """Return median and quartiles of latency and offset error over the seizures that were found.

    Clips that begin at a seizure's onset say nothing about latency, nor those that end with it about the offset;
    such seizures are counted in ``onset_at_start`` and ``offset_at_end`` and are in neither figure.
    """
    found = [row for row in rows.seizures if row.found]
    return {
        "found": len(found),
        "latency_s": quartiles(latencies_s(rows)),
        "offset_error_s": quartiles([row.offset_error_s for row in found if row.ends_inside]),
        "onset_at_start": sum(not row.begins_inside for row in found),
        "offset_at_end": sum(not row.ends_inside for row in found),
    }


def latencies_s(rows: Rows) -> list[float]:
    """Return the latency of each seizure that was found and whose onset can be told."""
    return [row.latency_s for row in rows.seizures if row.found and row.begins_inside]


def quartiles(values: Sequence[float]) -> list[float] | None:
    """Return the 25th, 50th and 75th percentile; None without any value."""
    if not values:
        return None
    numbers: NDArray[np.float64] = np.percentile(np.array(values), (25, 50, 75))
    return [float(number) for number in numbers]


def _grouped(rows: Iterable[SeizureRow], key: Callable[[SeizureRow], str]) -> dict[str, dict[str, int]]:
    groups: dict[str, dict[str, int]] = {}
    for row in rows:
        group = groups.setdefault(key(row), {"seizures": 0, "found": 0})
        group["seizures"] += 1
        group["found"] += row.found
    return dict(sorted(groups.items()))


_BIN_NAMES = tuple(
    f"{low:g} s or more" if math.isinf(high) else f"{low:g} to {high:g} s" for low, high in pairwise(DURATION_BINS_S)
)


def _bin_of(duration_s: float) -> str:
    return _BIN_NAMES[max(0, int(np.searchsorted(DURATION_BINS_S, duration_s, side="right")) - 1)]
