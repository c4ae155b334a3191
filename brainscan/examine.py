"""A recording through every stage, whatever gives the probabilities: what `Detector` and `survey` share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from brainscan._version import __version__
from brainscan.card import Card, DecisionConfig
from brainscan.decision import room, words
from brainscan.detection import Detection
from brainscan.electrodes import ELECTRODES
from brainscan.errors import InputError, UsageError
from brainscan.events import RATE_HZ, Event, Probabilities, complement, union
from brainscan.familiarity import Compared, unfamiliar_share
from brainscan.io.plan import open_plan
from brainscan.mapping import from_mapping, to_mapping
from brainscan.placing import pipeline, placed
from brainscan.qeeg import Trends
from brainscan.quiet import Quiet, set_against
from brainscan.recording import Recording, Samples, Segment
from brainscan.session import UNUSABLE, Runner, Session, SessionConfig, Tally
from brainscan.signal.montage import ElectrodePlan

Progress = Callable[[float], None]
"""Called with the seconds of the recording that are done."""

SHORT_RECORDING_S = 10.0
BLOCK_S = 60.0


@dataclass(frozen=True, slots=True)
class DetectOptions:
    """What a user may choose for one run.

    Parameters
    ----------
    start_s, stop_s : float or None
        Part of the recording to analyse, on its own clock; the rest is unscored.
    channel_map : mapping of str to str or None
        Label in the file to electrode.
    max_missing : int
        Up to this many unusable electrodes are interpolated, 0..15.
    keep_probabilities : bool
        Put the curves into the detection.
    place : bool
        Say of each event where it begins; the samples around it are read once more for that.
    keep_trends : bool
        Put the trends into it.
    quiet : Quiet or None
        A stretch without a seizure that the decision is set against.
    remarks : tuple of str
        What had to be guessed to make these options of what a user said; the first of the detection's warnings.
    """

    start_s: float | None = None
    stop_s: float | None = None
    channel_map: Mapping[str, str] | None = None
    max_missing: int = 3
    keep_probabilities: bool = False
    place: bool = True
    keep_trends: bool = False
    quiet: Quiet | None = None
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.max_missing <= len(ELECTRODES) - 4:
            raise ValueError(f"max_missing must be within 0..{len(ELECTRODES) - 4}, got {self.max_missing}")
        if self.start_s is not None and self.stop_s is not None and self.stop_s <= self.start_s:
            raise ValueError(f"stop must lie behind start, got {self.start_s} s and {self.stop_s} s")


def examine(
    runner: Runner,
    decision: DecisionConfig,
    recording: Recording,
    options: DetectOptions,
    progress: Progress | None = None,
) -> Detection:
    """Pass a recording through every stage, whether or not anything of it can be scored.

    Raises
    ------
    InputError
        If its labels lack too many electrodes, or it cannot be read any more.
    UsageError
        If the asked-for part lies outside the recording.
    """
    asked, (decision, said) = decision, _against_quiet(runner, decision, recording, options)
    options = replace(options, remarks=(*options.remarks, said))
    parts = _asked_for(recording, options)
    least_s = room.room_s(decision) if len(recording.segments) > 1 else 0.0
    plan = open_plan(recording, options.channel_map, options.max_missing, runner.card.provenance.caps)
    kept = options.keep_probabilities
    config = SessionConfig(decision, allowed_missing(plan, options), kept, beside=True, trends=options.keep_trends)
    findings = Findings(runner.card, asked, options)
    with ThreadPoolExecutor(max_workers=1) as hashing:
        sha256 = hashing.submit(recording.sha256) if recording.sha256 else None
        for home, segment in parts:
            if segment.duration_s < least_s:
                findings.leave_out(segment)
                continue
            session = Session(runner, plan, rates_of(recording, plan), config, segment.start_s)
            with closing(session):
                for at_s, samples in _blocks(recording, plan, home, segment):
                    findings.events += session.push(samples)
                    if progress:
                        progress(at_s)
                findings.events += session.finish()
            findings.add(session, segment)
        checksum = sha256.result() if sha256 else ""
    return findings.detection(recording, plan, checksum)


def _against_quiet(
    runner: Runner, decision: DecisionConfig, recording: Recording, options: DetectOptions
) -> tuple[DecisionConfig, str]:
    """Return the decision set against the stretch that is known to be quiet, and what to say of it."""
    quiet = options.quiet
    if quiet is None:
        return decision, ""
    whose = quiet.recording or recording
    if quiet.stop_s > whose.duration_s:
        raise UsageError(
            f"the quiet stretch ends at {quiet.stop_s:g} s, behind the end of the recording ({whose.duration_s:g} s)",
            file=whose.name,
            hint="--baseline takes FROM-TO within the recording, or another recording",
        )
    alone = DetectOptions(
        quiet.start_s, quiet.stop_s, options.channel_map, options.max_missing, keep_probabilities=True, place=False
    )
    return set_against(decision, examine(runner, decision, whose, alone).probabilities)


class Findings:
    """What the sessions of a recording's segments came to, for whoever fed them.

    Parameters
    ----------
    card : Card
    decision : DecisionConfig
    options : DetectOptions
    """

    def __init__(self, card: Card, decision: DecisionConfig, options: DetectOptions) -> None:
        self.events: list[Event] = []
        self._card, self._decision, self._options = card, decision, options
        self._tally = Tally()
        self._scored: list[tuple[float, float]] = []
        self._cramped: list[tuple[float, float]] = []
        self._curves: list[Probabilities] = []
        self._trends: list[Trends] = []
        self._compared: list[Compared] = []
        self._lowered_s = 0.0
        self._left_out = 0

    def add(self, session: Session, segment: Segment) -> None:
        """Take over what a finished session of a segment knows beside its events."""
        self._tally.merge(session.tally)
        self._compared += session.compared
        self._lowered_s += session.lowered_s
        self._left_out += session.left_out
        for span in _to_the_end(session.scored, segment):
            # What holes leave between them is as short as a segment may be; a lone short recording counts.
            roomy = span[1] - span[0] >= self._decision.min_duration_s
            whole = span == (segment.start_s, segment.stop_s)
            (self._scored if roomy or whole else self._cramped).append(span)
        if self._options.keep_probabilities:
            self._curves.append(session.probabilities)
        if self._options.keep_trends:
            self._trends.append(session.trends())

    def leave_out(self, segment: Segment) -> None:
        """Count a segment beside a gap in which no event has room."""
        self._cramped.append((segment.start_s, segment.stop_s))

    def detection(self, recording: Recording, plan: ElectrodePlan, sha256: str, *, at_hand: bool = True) -> Detection:
        """Return what was found in a recording, whether or not anything of it could be scored.

        Parameters
        ----------
        recording : Recording
        plan : ElectrodePlan
        sha256 : str
            Of its file; empty where it has none.
        at_hand : bool
            Whether its samples can be read, so that events are placed where that is asked for.

        Raises
        ------
        InputError
            If they cannot be read any more.
        """
        covered = union(self._scored)
        detection = Detection(
            file=recording.name,
            format=recording.format,
            start=recording.start,
            duration_s=recording.duration_s,
            # Not the union: parts that overlap on the clock (an invalid EDF+D) are all analysed.
            analysed_s=sum((stop - start for start, stop in self._scored), 0.0),
            segments=recording.segments,
            events=tuple(_within(event, recording.duration_s) for event in _disjoint(self.events, self._decision)),
            unscored=complement(covered, 0.0, recording.duration_s),
            electrodes=self._tally.reports(plan),
            annotations=recording.annotations,
            model=provenance(self._card, self._decision, self._options),
            sha256=sha256,
            probabilities=tuple(self._curves),
            trends=Trends.joined(self._trends) if self._options.keep_trends else None,
            unfamiliar_share=unfamiliar_share(self._compared, [(e.onset_s, e.offset_s) for e in self.events]),
        )
        short = room.told_of_short(recording.duration_s, detection.analysed_s, SHORT_RECORDING_S, self._decision)
        unusable = _unusable_warnings(plan, detection)
        said = any("shorter than" in warning for warning in recording.warnings)
        told = (
            *recording.warnings,
            *plan.warnings,
            "" if said else short,
            room.told(self._cramped, self._decision),
            *unusable,
            *_warnings(detection, self._tally),
            words.of_loudness(self._lowered_s),
            words.of_left_out(self._left_out, self._decision.postictal),
        )
        warnings = dict.fromkeys((*self._options.remarks, *told))
        doubted = plan.doubted or bool(unusable)
        detection = replace(detection, warnings=tuple(filter(None, warnings)), doubted=doubted)
        if not (at_hand and self._options.place):
            return detection
        way, events = pipeline(self._card.filter, self._options.max_missing), detection.events
        return replace(detection, events=tuple(placed(event, events, recording, plan, way) for event in events))


def with_notes(detection: Detection, *notes: str) -> Detection:
    """Return a detection with what is to be said of the model behind its own warnings; empty notes are none."""
    return replace(detection, warnings=(*detection.warnings, *filter(None, notes)))


def provenance(card: Card, decision: DecisionConfig, options: DetectOptions) -> dict[str, Any]:
    """Return what makes the events: version, model, settings."""
    return {
        "brainscan": __version__,
        "model": card.name,
        "model_sha256": card.sha256,
        "decision": to_mapping(decision),
        "localisation": card.localisation,
        "max_missing": options.max_missing,
        "channel_map": dict(options.channel_map or {}),
        "start_s": options.start_s,
        "stop_s": options.stop_s,
        "quiet": None if options.quiet is None else options.quiet.as_mapping(),
    }


def nothing_scored(detection: Detection) -> InputError:
    """Return the error for a recording of which no window could be scored."""
    longest_s, least_s = _longest_s(detection), 1.0 / RATE_HZ
    if len(detection.segments) > 1:
        least_s = room.room_s(from_mapping(DecisionConfig, detection.model["decision"]))
    if longest_s < least_s:
        return InputError(
            f"every part is too short to be analysed (the longest has {longest_s:g} s, {least_s:.2g} s are needed)",
            kind="signal",
            file=detection.file,
            hint="`brainscan info FILE` shows its segments: gaps, or --start and --stop, cut them",
        )
    bad = " ".join(e.name for e in detection.electrodes if e.bad_share > UNUSABLE) or "others at each time"
    return InputError(
        f"no window can be scored (unusable electrodes: {bad})",
        kind="signal",
        file=detection.file,
        hint="`brainscan info FILE` shows each electrode; --max-missing N allows more to be interpolated",
    )


def _longest_s(detection: Detection) -> float:
    """Return the length of the longest segment, of what was asked for."""
    start_s, stop_s = detection.model["start_s"], detection.model["stop_s"]
    first_s, last_s = start_s or 0.0, detection.duration_s if stop_s is None else stop_s
    return max(min(s.stop_s, last_s) - max(s.start_s, first_s) for s in detection.segments)


def allowed_missing(plan: ElectrodePlan, options: DetectOptions) -> int:
    """Return how many electrodes a window may do without: as asked, or as many as its cap never had."""
    return max(options.max_missing, len(plan.missing))


def rates_of(recording: Recording, plan: ElectrodePlan) -> list[Fraction]:
    """Return the rate of each channel that a plan uses."""
    return [recording.channels[channel].rate_hz for channel in plan.channels]


def _unusable_warnings(plan: ElectrodePlan, detection: Detection) -> list[str]:
    """Return which electrodes that the plan has were unusable in windows: any doubts the signal."""
    warnings = []
    unusable = [e.name for e in detection.electrodes if e.bad_share == 1.0 and e.name not in plan.missing]
    if unusable:
        warnings.append(f"unusable throughout: {' '.join(unusable)}")
    partly = [f"{e.name} ({e.bad_share:.0%})" for e in detection.electrodes if 0.0 < e.bad_share < 1.0]
    if partly:
        warnings.append(f"unusable in part of the windows: {', '.join(partly)}")
    return warnings


def _warnings(detection: Detection, tally: Tally) -> list[str]:
    """Return what else windows showed."""
    warnings = []
    if tally.n_scored < tally.n_windows:
        warnings.append(f"{tally.n_windows - tally.n_scored} of {tally.n_windows} windows could not be scored")
    if detection.low_trust:
        warnings.append("low trust: more than half of the electrodes are doubtful")
    if detection.unfamiliar:
        warnings.append(
            f"unfamiliar: {detection.unfamiliar_share:.0%} of the minutes without an event are unlike the background"
            " that the model was trained on; false alarms are likelier here"
        )
    return warnings


def _asked_for(recording: Recording, options: DetectOptions) -> tuple[tuple[Segment, Segment], ...]:
    """Return segments and the part of each that lies within start and stop."""
    start_s = 0.0 if options.start_s is None else options.start_s
    stop_s = recording.duration_s if options.stop_s is None else options.stop_s
    parts = []
    for segment in recording.segments:
        first, last = max(segment.start_s, start_s), min(segment.stop_s, stop_s)
        if last > first:
            parts.append((segment, Segment(first, last - first)))
    if not parts and (options.start_s is not None or options.stop_s is not None):
        raise UsageError(
            f"nothing recorded between {start_s:g} s and {stop_s:g} s (the recording has {recording.duration_s:g} s)",
            file=recording.name,
            hint="choose --start and --stop within the recording; `brainscan info FILE` shows its segments",
        )
    return tuple(parts)


def _blocks(recording: Recording, plan: ElectrodePlan, home: Segment, part: Segment) -> Iterator[tuple[float, Samples]]:
    """Yield each block of a part of a segment and its end, the next one being read meanwhile."""
    starts = np.arange(part.start_s, part.stop_s, BLOCK_S).tolist()
    with ThreadPoolExecutor(max_workers=1) as reading:
        ends = [*starts[1:], part.stop_s]
        ahead = reading.submit(recording.read, plan.channels, starts[0], ends[0], home)
        for i, end_s in enumerate(ends):
            samples = ahead.result()
            if i + 1 < len(ends):
                ahead = reading.submit(recording.read, plan.channels, starts[i + 1], ends[i + 1], home)
            yield end_s, samples


def _to_the_end(scored: tuple[tuple[float, float], ...], segment: Segment) -> list[tuple[float, float]]:
    """Let spans that end within a sample of the segment's end reach it (256 Hz need not divide its length)."""
    spans = [(start, min(stop, segment.stop_s)) for start, stop in scored]
    if spans and segment.stop_s - spans[-1][1] < 1.0 / RATE_HZ:
        spans[-1] = (spans[-1][0], segment.stop_s)
    return spans


def _disjoint(events: list[Event], decision: DecisionConfig) -> list[Event]:
    """Return the events in order; those that overlap, as segments may on the clock of an invalid EDF+D, become one."""
    merged: list[Event] = []
    for event in sorted(events):
        if not merged or event.onset_s >= merged[-1].offset_s:
            merged.append(event)
            continue
        before = merged.pop()
        offset_s = max(before.offset_s, event.offset_s)
        prolonged = offset_s - before.onset_s >= decision.prolonged_s
        merged.append(Event(before.onset_s, offset_s, max(before.confidence, event.confidence), prolonged))
    return merged


def _within(event: Event, duration_s: float) -> Event:
    return replace(event, offset_s=min(event.offset_s, duration_s))
