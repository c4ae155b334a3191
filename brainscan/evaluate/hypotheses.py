"""Other people's detectors: probability files and event files instead of a model."""

from __future__ import annotations

import json
import math
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainscan.card import DecisionConfig
from brainscan.decision.postprocess import find_events
from brainscan.errors import BrainscanError, InputError, UsageError
from brainscan.evaluate.corpus import Case
from brainscan.evaluate.output import Failure, Output, Spans
from brainscan.evaluate.references import files_below, stem_of
from brainscan.evaluate.run import Listener, Outputs
from brainscan.evaluate.sweep import Sweep, sweep
from brainscan.events import RATE_HZ, Event, Probabilities, complement, runs, union
from brainscan.io import read
from brainscan.io.annotations import RecordingFacts, read_annotations
from brainscan.io.origin import origin_of
from brainscan.mapping import from_mapping
from brainscan.recording import Recording
from brainscan.scoring.operating_points import THRESHOLDS

_PREFERENCE = (".npz", ".csv_bi", ".json", ".tsv", ".tse", ".tse_bi", ".csv", ".edf")
_TOLERANCE_S = 1.0  # detectors that write whole seconds are not told off


class HypothesisFolder:
    """Finds the hypothesis of each recording: by mirrored path, else by a name that is unique below the folder.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    UsageError
        If it is no folder, or holds no hypothesis.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder", hint="hypotheses lie in a folder, one file a recording")
        self._by_place: dict[PurePath, list[Path]] = defaultdict(list)
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        for path in files_below(folder):
            if path.suffix.lower() in _PREFERENCE:
                for key in {stem_of(path), path.stem}:
                    self._by_place[path.relative_to(folder).parent / key].append(path)
                    self._by_name[key].append(path)
        if not self._by_name:
            raise UsageError(f"{folder} holds no hypothesis", hint=f"one of {', '.join(_PREFERENCE)} a recording")

    def find(self, name: PurePath) -> Path | None:
        """Return the hypothesis of the recording at a path relative to the corpus; None if there is none."""
        keys = (name.stem, stem_of(name), name.name)
        for key in keys:
            if found := self._by_place.get(name.parent / key):
                return _best(found)
        for key in keys:
            found = self._by_name.get(key, [])
            if len({path.parent for path in found}) == 1:
                return _best(found)
        return None


def run_hypotheses(cases: Sequence[Case], folder: Path, listener: Listener | None = None) -> Outputs:
    """Read the hypothesis of every case.

    Probability files (docs/definitions.md; of any rate) are decided on at every threshold, with the decision of the
    model that made them where they tell it, else with the default one. Events of event files count at every threshold
    that their confidence reaches.

    Returns
    -------
    Outputs
        A case without a hypothesis, or with one that cannot be used, is a failure.

    Raises
    ------
    UsageError
        If `folder` is no folder of hypotheses.
    """
    listener = listener or Listener()
    hypotheses = HypothesisFolder(folder)
    outputs: dict[str, Output] = {}
    failures: list[Failure] = []
    for number, case in enumerate(cases, 1):
        try:
            path = hypotheses.find(PurePath(case.name))
            if path is None:
                raise InputError("has no hypothesis", kind="io", hint=f"looked for a file of its name below {folder}")
            outputs[case.name] = read_hypothesis(path, read(case.path))
        except BrainscanError as error:
            failures.append(Failure.of(case.name, error))
        listener.done(case.name, number, len(cases))
    return Outputs(outputs, tuple(failures))


def read_hypothesis(path: Path, recording: Recording) -> Output:
    """Read what a detector says about a recording.

    Raises
    ------
    InputError
        If the file cannot be used, or has an event outside the recording.
    """
    if path.suffix.lower() == ".npz":
        return _of_curves(path, recording)
    events, unscored, duration_s = _events_of(path, recording)
    warnings = []
    if duration_s is not None and abs(duration_s - recording.duration_s) > _TOLERANCE_S:
        warnings.append(f"the hypothesis says {duration_s:g} s, the recording has {recording.duration_s:g} s")
    segments = union((segment.start_s, segment.stop_s) for segment in recording.segments)
    gaps = complement(segments, 0.0, recording.duration_s)
    return Output(
        duration_s=recording.duration_s,
        start=recording.start,
        analysed=complement((*unscored, *gaps), 0.0, recording.duration_s),
        sweep=Sweep.of(_by_confidence(events)),
        events=_joined(events),
        warnings=tuple(warnings),
    )


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


def _of_curves(path: Path, recording: Recording) -> Output:
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
    return Output(
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


def _events_of(path: Path, recording: Recording) -> tuple[tuple[Event, ...], Spans, float | None]:
    """Return events, unscored spans and the duration that the file tells."""
    if path.suffix.lower() == ".json":
        return _events_of_json(path, recording.duration_s)
    plain = read_annotations(path, facts=RecordingFacts(recording.name, None, recording.start))
    file = read_annotations(path, facts=RecordingFacts(recording.name, recording.duration_s, recording.start))
    events = [_event(row.onset_s, row.offset_s, row.confidence) for row in file.track()]
    remarks = (comment.split() for comment in file.comments)
    try:
        unscored = tuple((float(words[1]), float(words[2])) for words in remarks if words[:1] == ["unscored"])
    except (ValueError, IndexError):
        raise InputError("has a comment 'unscored' without two times", kind="corrupt", file=path.name) from None
    return tuple(events), unscored, plain.duration_s


def _events_of_json(path: Path, end_s: float) -> tuple[tuple[Event, ...], Spans, float | None]:
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        events = [_event(float(e["onset_s"]), float(e["offset_s"]), e.get("confidence")) for e in document["events"]]
        unscored = tuple((float(a), float(b)) for a, b in document.get("unscored", ()))
        duration_s = float(document["duration_s"]) if "duration_s" in document else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise InputError(
            f"holds no events ({type(problem).__name__}: {problem})",
            kind="corrupt",
            file=path.name,
            hint='the form is that of detect: {"events": [{"onset_s", "offset_s", "confidence"}]}',
        ) from None
    if any(event.offset_s > end_s + 1e-3 for event in events):
        raise InputError(f"has an event behind the recording's end ({end_s:g} s)", kind="corrupt", file=path.name)
    return tuple(events), unscored, duration_s


def _event(onset_s: float, offset_s: float, confidence: float | None) -> Event:
    """Return an event; a confidence that is none counts as certain."""
    sure = 1.0 if confidence is None or math.isnan(confidence) else min(max(confidence, 0.0), 1.0)
    return Event(onset_s, offset_s, sure)


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


def _best(paths: Iterable[Path]) -> Path:
    return min(paths, key=lambda path: _PREFERENCE.index(path.suffix.lower()))
