"""Other people's detectors: probability files and event files instead of a model."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from brainscan.card import DecisionConfig
from brainscan.decision.postprocess import find_events
from brainscan.errors import BrainscanError, Failure, InputError, UsageError
from brainscan.evaluate.corpus import Case
from brainscan.evaluate.hypothesis import Hypotheses, Hypothesis, Progress, unheard
from brainscan.evaluate.mending import Mending, mend
from brainscan.evaluate.sweep import Sweep, sweep
from brainscan.events import RATE_HZ, Annotation, Event, Probabilities, Spans, complement, runs, union
from brainscan.io import read
from brainscan.io.annotation_file import SEIZURE, AnnotationFile
from brainscan.io.annotations import RecordingFacts, read_rows, sniff
from brainscan.io.belonging import another
from brainscan.io.detection_json import read_told
from brainscan.io.discover import files_below
from brainscan.io.event_formats import origin_of, suffixes
from brainscan.io.pairing import Match, match
from brainscan.mapping import from_mapping
from brainscan.recording import Recording
from brainscan.scoring.operating_points import THRESHOLDS

_TOLERANCE_S = 1.0  # detectors that write whole seconds are not told off


def find_hypotheses(recordings: Iterable[str], others: Iterable[str], folder: Path) -> Match:
    """Find the hypothesis of each recording, see `brainscan.io.pairing`.

    Parameters
    ----------
    recordings, others : iterable of str
        Those that are asked for, and all others of the corpus, relative to it.
    folder : Path

    Raises
    ------
    UsageError
        If it is no folder, or holds no hypothesis.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", hint="hypotheses lie in a folder, one file a recording")
    known = suffixes("curve", "events")
    files = [PurePath(p.relative_to(folder)) for p in files_below(folder) if p.suffix.lower() in known]
    if not files:
        raise UsageError(f"{folder} holds no hypothesis", hint=f"one of {', '.join(known)} a recording")
    return match(map(PurePath, recordings), files, _preference, others=map(PurePath, others), root=folder)


def _preference(file: PurePath) -> int:
    return suffixes("curve", "events").index(file.suffix.lower())


def run_hypotheses(
    cases: Sequence[Case], others: Sequence[str], folder: Path, progress: Progress = unheard
) -> Hypotheses:
    """Read the hypothesis of every case.

    Probability files (docs/definitions.md; of any rate) are decided on at every threshold, with the decision of the
    model that made them where they tell it, else with the default one. Events of event files count at every threshold
    that their confidence reaches.

    Parameters
    ----------
    cases : sequence of Case
    others : sequence of str
        Further recordings of the corpus: a name that one of them has too tells nothing.
    folder : Path
    progress : callable, optional
        See `hypothesis.Progress`.

    Returns
    -------
    Hypotheses
        A case without a hypothesis, or with one that cannot be used, is a failure.

    Raises
    ------
    UsageError
        If `folder` is no folder of hypotheses.
    """
    found = find_hypotheses((case.name for case in cases), others, folder)
    hypotheses: dict[str, Hypothesis] = {}
    failures: list[Failure] = []
    mended: dict[str, Mending] = {}
    for number, case in enumerate(cases, 1):
        name = PurePath(case.name)
        try:
            if name not in found.mates:
                raise InputError(f"has no hypothesis ({found.reasons[name]})", kind="io", hint=_hint(folder))
            hypothesis, mending = read_mended(folder / found.mates[name], read(case.path))
        except BrainscanError as error:
            failures.append(Failure(case.name, error))
        else:
            hypotheses[case.name] = hypothesis
            if mending:
                mended[case.name] = mending
        progress(case.name, number, len(cases))
    return Hypotheses(hypotheses, tuple(failures), warnings=(*found.warnings(), *_said(mended)))


def _hint(folder: Path) -> str:
    return f"its file lies at the same place below {folder} as the recording in the corpus, or has a name of its own"


def _said(mended: Mapping[str, Mending]) -> Iterator[str]:
    if mended:
        first = next(iter(mended))
        count = f"{len(mended)} recordings, the first {first}" if len(mended) > 1 else first
        yield f"events of hypotheses changed ({count}): {sum(mended.values(), Mending())}"


def read_hypothesis(path: Path, recording: Recording) -> Hypothesis:
    """Read what a detector says about a recording; see `read_mended`."""
    return read_mended(path, recording)[0]


def read_mended(path: Path, recording: Recording) -> tuple[Hypothesis, Mending]:
    """Read what a detector says about a recording, and how its events had to be changed.

    Raises
    ------
    InputError
        If the file cannot be used (see `mending.mend`), or its curve ends after the recording.
    UsageError
        If it was made of another recording's bytes. One that only names another is warned about.
    """
    if path.suffix.lower() == ".npz":
        _require_own(path, "", recording)
        return _of_curves(path, recording), Mending()
    told = _json_events(path) if path.suffix.lower() == ".json" else _file_events(path, recording)
    sound, mending = mend(told.file, recording.duration_s)
    mending += Mending(unsure=told.n_unsure)
    events = [Event(row.onset_s, row.offset_s, min(max(row.confidence, 0.0), 1.0)) for row in sound.track()]
    warnings = [f"the hypothesis' events were changed: {mending}"] if mending else []
    warnings += _require_own(path, told.file.recording, recording)
    duration_s = told.duration_s
    if duration_s is not None and abs(duration_s - recording.duration_s) > _TOLERANCE_S:
        warnings.append(f"the hypothesis says {duration_s:g} s, the recording has {recording.duration_s:g} s")
    segments = union((segment.start_s, segment.stop_s) for segment in recording.segments)
    gaps = complement(segments, 0.0, recording.duration_s)
    hypothesis = Hypothesis(
        duration_s=recording.duration_s,
        start=recording.start,
        analysed=complement((*told.unscored, *gaps), 0.0, recording.duration_s),
        sweep=Sweep.of(_by_confidence(events)),
        events=_joined(events),
        warnings=tuple(warnings),
    )
    return hypothesis, mending


def _require_own(path: Path, said: str, recording: Recording) -> list[str]:
    """Return a warning where a hypothesis names another recording; refuse one that was made of other bytes."""
    other = another(said, origin_of(path), recording)
    if other is None:
        return []
    if other.certain:
        raise other.refusal(path.name, recording.name, "detect in this recording, or pair its own results with it")
    return [f"{path.name}: made of another recording ({other.what})"]


def read_curves(path: Path) -> tuple[Probabilities, ...]:
    """Read a probability file (docs/definitions.md), at 256 Hz whatever rate it has.

    Raises
    ------
    InputError
        If it lacks an array, the arrays disagree, or a value is no probability.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            rate_hz = float(arrays["rate_hz"])
            starts_s = np.atleast_1d(arrays["segment_start_s"]).astype(np.float64)
            n_samples = np.atleast_1d(arrays["segment_samples"]).astype(np.int64)
            values = np.asarray(arrays["probability"], dtype=np.float32)
    except KeyError as problem:
        raise InputError(f"lacks an array ({problem.args[0]})", kind="header", file=path.name) from None
    except (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile) as problem:
        raise InputError(f"is no probability file ({problem})", kind="corrupt", file=path.name) from None
    if not 0.0 < rate_hz < math.inf or values.ndim != 1 or starts_s.shape != n_samples.shape:
        raise InputError(
            "has a rate that is not positive, or arrays of the wrong shape", kind="corrupt", file=path.name
        )
    if np.any(n_samples < 0) or int(n_samples.sum()) != len(values):
        raise InputError(
            f"has {len(values)} probabilities for segments of {int(n_samples.sum())}", kind="corrupt", file=path.name
        )
    if np.any((values < 0.0) | (values > 1.0)):
        raise InputError("has probabilities outside 0..1", kind="corrupt", file=path.name)
    parts = np.split(values, np.cumsum(n_samples)[:-1])
    return tuple(
        Probabilities(float(start_s), _at_256_hz(part, rate_hz)) for start_s, part in zip(starts_s, parts, strict=True)
    )


def _of_curves(path: Path, recording: Recording) -> Hypothesis:
    curves = read_curves(path)
    last_s = max((curve.stop_s for curve in curves), default=0.0)
    if last_s > recording.duration_s + _TOLERANCE_S:
        raise InputError(
            f"its probabilities end at {last_s:g} s, the recording at {recording.duration_s:g} s",
            kind="corrupt",
            file=path.name,
        )
    decision = _decision_of(path)
    analysed = union(
        (curve.start_s + first / RATE_HZ, min(curve.start_s + stop / RATE_HZ, recording.duration_s))
        for curve in curves
        for first, stop in runs(~np.isnan(curve.values)).tolist()
    )
    return Hypothesis(
        duration_s=recording.duration_s,
        start=recording.start,
        analysed=analysed,
        sweep=sweep(curves, decision),
        events=tuple(event for curve in curves for event in find_events(curve, decision)),
        curves=curves,
    )


def _decision_of(path: Path) -> DecisionConfig:
    """Return the decision of the model that made a probability file, else the default one."""
    origin = origin_of(path)
    if origin is None or not isinstance(origin.model.get("decision"), dict):
        return DecisionConfig()
    try:
        return from_mapping(DecisionConfig, origin.model["decision"])
    except ValueError:
        return DecisionConfig()  # another version's


def _at_256_hz(values: NDArray[np.float32], rate_hz: float) -> NDArray[np.float32]:
    if rate_hz == RATE_HZ:
        return values
    n_samples = round(len(values) * RATE_HZ / rate_hz)
    at = np.minimum((np.arange(n_samples) * (rate_hz / RATE_HZ)).astype(np.int64), len(values) - 1)
    return values[at]


@dataclass(frozen=True, slots=True)
class _Told:
    """What an event file says, as it stands.

    Parameters
    ----------
    file : AnnotationFile
    unscored : tuple of (float, float)
    duration_s : float or None
        Of the recording, where the file tells it.
    n_unsure : int
        Events without a confidence where others have one.
    """

    file: AnnotationFile
    unscored: Spans
    duration_s: float | None
    n_unsure: int = 0


def _file_events(path: Path, recording: Recording) -> _Told:
    file = read_rows(path, facts=RecordingFacts(recording.name, recording.duration_s, recording.start))
    # TSE tells no duration but the last stop.
    return _Told(file, file.unscored, None if sniff(path) == "tse" else file.duration_s)


def _json_events(path: Path) -> _Told:
    told = read_told(path)
    events = [Annotation(a, b, SEIZURE, 1.0 if sure is None else sure) for a, b, sure in told.rows]
    n_unsure = sum(sure is None for *_, sure in told.rows)
    file = AnnotationFile(tuple(events), told.duration_s, name=path.name, recording=told.recording)
    return _Told(file, told.unscored, told.duration_s, n_unsure if n_unsure < len(events) else 0)


def _by_confidence(events: Sequence[Event]) -> list[tuple[Event, ...]]:
    """Return the events that reach each threshold of the grid."""
    found: list[tuple[Event, ...]] = []
    n_before = -1
    for on in THRESHOLDS:
        kept = [event for event in events if event.confidence >= on]
        found.append(found[-1] if len(kept) == n_before else _joined(kept))  # the sets are nested
        n_before = len(kept)
    return found


def _joined(events: Iterable[Event]) -> tuple[Event, ...]:
    """Join events that overlap or touch, the surest one's confidence standing for all."""
    found = sorted(events)
    return tuple(
        Event(a, b, max(e.confidence for e in found if a <= e.onset_s < b))
        for a, b in union((e.onset_s, e.offset_s) for e in found)
    )
