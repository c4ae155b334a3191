"""The worst mistakes, as pictures to look at: the surest and longest false alarms, the faintest missed seizures."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainscan._version import __version__
from brainscan.card import DecisionConfig, FilterConfig, WindowConfig
from brainscan.decision.average import average
from brainscan.electrodes import INDEX
from brainscan.errors import InputError, MissingExtraError
from brainscan.evaluate.counts import Judged
from brainscan.evaluate.evaluation import Evaluation
from brainscan.evaluate.rows import AlarmRow, SeizureRow
from brainscan.events import RATE_HZ, Probabilities, complement
from brainscan.io import read
from brainscan.io.atomic import make_folder, write_bytes
from brainscan.io.checksums import noted_sha256
from brainscan.io.plan import open_plan
from brainscan.recording import Recording, Segment
from brainscan.report.page import Mistake
from brainscan.report.traces import DERIVATIONS, Excerpt, draw
from brainscan.signal.filters import half_length
from brainscan.signal.windows import PipelineConfig, WindowStream

FORMAT = 1
"""Raised whenever pictures look otherwise."""

N_EACH = 6
"""Pictures of false alarms, and of missed seizures: more are looked at by nobody."""

MARGIN_S = 20.0
"""Shown before and behind an event."""

LONGEST_S = 80.0
"""Of a longer event the beginning is shown."""

_SHORTEST_S = 1.0
_KEY_LENGTH = 32

# Pictures show what there is; how much may be missing is the detector's business.
_MAX_MISSING = 15
_FILTER = FilterConfig()
_LEAD_S = math.ceil(half_length(_FILTER) / RATE_HZ) + 1


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Where to look, and why.

    Parameters
    ----------
    recording : Judged
    onset_s, offset_s : float
        Of the false alarm or the missed seizure.
    caption : str
    """

    recording: Judged
    onset_s: float
    offset_s: float
    caption: str


def worst_alarms(alarms: Iterable[AlarmRow], n: int = N_EACH) -> list[Scene]:
    """Return the surest false alarms and the longest, half of each, none twice.

    Parameters
    ----------
    alarms : iterable of AlarmRow
    n : int
    """
    rows = sorted(alarms, key=lambda row: (-row.event.confidence, row.recording.case.name, row.event.onset_s))
    surest = rows[: -(-n // 2)]
    longest = sorted(rows[len(surest) :], key=lambda row: -row.event.duration_s)[: n - len(surest)]
    return [
        _scene(
            row.recording,
            (row.event.onset_s, row.event.offset_s),
            f"{what} false alarm: confidence {row.event.confidence:.2f}",
        )
        for what, chosen in (("Sure", surest), ("Long", longest))
        for row in chosen
    ]


def worst_misses(seizures: Iterable[SeizureRow], n: int = N_EACH) -> list[Scene]:
    """Return the missed seizures of lowest mean probability; the longest ones where there is no curve.

    Parameters
    ----------
    seizures : iterable of SeizureRow
    n : int
    """
    missed = [(_mean_probability(row), row) for row in seizures if not row.found]
    missed.sort(
        key=lambda pair: (
            math.isnan(pair[0]),
            0.0 if math.isnan(pair[0]) else pair[0],
            -pair[1].seizure.duration_s,
            pair[1].recording.case.name,
        )
    )
    return [
        _scene(
            row.recording,
            (row.seizure.onset_s, row.seizure.offset_s),
            f"Missed seizure ({row.seizure.label})" + ("" if math.isnan(mean) else f": mean probability {mean:.2f}"),
        )
        for mean, row in missed[:n]
    ]


def pictures(evaluation: Evaluation, scenes: Sequence[Scene], kept: Path | None = None) -> list[Mistake]:
    """Draw the EEG around some mistakes.

    Parameters
    ----------
    evaluation : Evaluation
        Whose own decision made them.
    scenes : sequence of Scene
    kept : Path, optional
        Folder for pictures: one that was drawn before is taken from here, and its recording is not opened.

    Returns
    -------
    list of Mistake
        Without a picture, and with the reason in the caption, where a recording cannot be read any more.
    """
    found = []
    for scene in scenes:
        try:
            found.append(Mistake(scene.caption, _picture(evaluation, scene, kept)))
        except (InputError, MissingExtraError) as error:
            found.append(Mistake(f"{scene.caption}. No picture: {error.message}"))
    return found


def excerpt(evaluation: Evaluation, scene: Scene) -> Excerpt:
    """Read the EEG around a mistake again.

    Raises
    ------
    InputError
        If the recording cannot be read any more, or holds no samples there.
    """
    recording = read(scene.recording.case.path)
    segment = _segment_of(recording, scene.onset_s)
    start_s = max(segment.start_s, scene.onset_s - MARGIN_S)
    stop_s = min(scene.offset_s + MARGIN_S, start_s + LONGEST_S, segment.stop_s)
    if stop_s - start_s < _SHORTEST_S:
        raise InputError("holds no samples there", kind="empty", file=recording.name)
    uv, doubtful = _derivations(evaluation, recording, segment, (start_s, stop_s))
    around = _around(evaluation, scene, start_s, uv.shape[1])
    return replace(around, uv=uv, doubtful=doubtful)


def _picture(evaluation: Evaluation, scene: Scene, kept: Path | None) -> bytes:
    if kept is None:
        return draw(excerpt(evaluation, scene))
    make_folder(kept)
    path = kept / f"{_key(evaluation, scene, kept)}.png"
    if path.is_file():
        return path.read_bytes()
    png = draw(excerpt(evaluation, scene))
    write_bytes(path, png)
    return png


def _key(evaluation: Evaluation, scene: Scene, kept: Path) -> str:
    """Return a digest of everything that a picture shows; none of it needs the recording to be opened."""
    # Wide enough for any segment's start and end.
    around = _around(evaluation, scene, scene.onset_s - MARGIN_S, round((LONGEST_S + MARGIN_S) * RATE_HZ))
    facts = [
        *(FORMAT, __version__, noted_sha256(scene.recording.case.path, kept), scene.onset_s, scene.offset_s),
        *(
            around.on,
            around.annotated,
            around.detected,
            around.unjudged,
            evaluation.detector.settings.get("channel_map"),
        ),
    ]
    digest = hashlib.sha256(repr(facts).encode("utf-8", "backslashreplace"))
    digest.update(around.probability.tobytes())
    digest.update(around.averaged.tobytes())
    return digest.hexdigest()[:_KEY_LENGTH]


def _around(evaluation: Evaluation, scene: Scene, start_s: float, n_samples: int) -> Excerpt:
    """Return what is known about some samples without reading them."""
    hypothesis, stop_s = scene.recording.hypothesis, start_s + n_samples / RATE_HZ
    plain, averaged = _curves(evaluation, hypothesis.curves, start_s, n_samples)
    return Excerpt(
        start_s=start_s,
        rate_hz=RATE_HZ,
        probability=plain,
        averaged=averaged,
        on=evaluation.detector.on,
        annotated=_within(((s.onset_s, s.offset_s) for s in scene.recording.seizures), start_s, stop_s),
        detected=_within(((e.onset_s, e.offset_s) for e in hypothesis.events), start_s, stop_s),
        unjudged=complement(scene.recording.judged, start_s, stop_s),
    )


def _segment_of(recording: Recording, at_s: float) -> Segment:
    """Return the segment that holds a time, the nearest if it lies in a gap."""
    return min(recording.segments, key=lambda s: max(s.start_s - at_s, at_s - s.stop_s, 0.0))


def _derivations(
    evaluation: Evaluation, recording: Recording, segment: Segment, span: tuple[float, float]
) -> tuple[NDArray[np.float32], tuple[bool, ...]]:
    """Return a span as the network sees it, but in derivations: µV at 256 Hz, and which of them to doubt."""
    plan = open_plan(recording, evaluation.detector.settings.get("channel_map"), _MAX_MISSING)
    rates = tuple(recording.channels[channel].rate_hz for channel in plan.channels)
    first_s = max(segment.start_s, span[0] - _LEAD_S)
    last_s = min(segment.stop_s, span[1] + _LEAD_S)
    length_s = math.ceil(last_s - first_s) + 1
    config = PipelineConfig(_FILTER, WindowConfig(length_s, length_s, 0.0), _MAX_MISSING)
    stream = WindowStream(plan, rates, config)
    windows = [*stream.push(recording.read(plan.channels, first_s, last_s, segment)), *stream.finish()]
    begin, end = (round((at_s - first_s) * RATE_HZ) for at_s in span)
    rows = np.array([[INDEX[name] for name in pair] for pair in DERIVATIONS])
    window = windows[0]
    uv = window.uv[:, begin : min(end, window.n_valid)]
    doubtful = tuple(any(window.how[k] in ("interpolated", "missing") for k in pair) for pair in rows.tolist())
    return uv[rows[:, 0]] - uv[rows[:, 1]], doubtful


def _curves(
    evaluation: Evaluation, curves: Sequence[Probabilities], start_s: float, n_samples: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the probability over some samples, before and after averaging; NaN where there is none."""
    average_s = _average_s(evaluation)
    reach = round(average_s * RATE_HZ)
    plain = np.full(n_samples + 2 * reach, np.nan, dtype=np.float32)
    for curve in curves:
        at = round((curve.start_s - start_s) * RATE_HZ) + reach
        first, stop = max(0, at), min(len(plain), at + len(curve.values))
        if first < stop:
            plain[first:stop] = curve.values[first - at : stop - at]
    inside = slice(reach, reach + n_samples)
    return plain[inside], average(plain, average_s)[inside] if curves else plain[inside]


def _average_s(evaluation: Evaluation) -> float:
    decision = evaluation.detector.settings.get("decision", {})
    return float(decision.get("average_s", DecisionConfig().average_s))


def _mean_probability(row: SeizureRow) -> float:
    total, count = 0.0, 0
    for curve in row.recording.hypothesis.curves:
        ends = (row.seizure.onset_s, row.seizure.offset_s)
        first, stop = (max(0, round((at_s - curve.start_s) * RATE_HZ)) for at_s in ends)
        values = curve.values[first:stop]
        total += float(np.nansum(values))
        count += int(np.count_nonzero(~np.isnan(values)))
    return total / count if count else math.nan


def _scene(recording: Judged, span: tuple[float, float], what: str) -> Scene:
    length_s = span[1] - span[0]
    cut = f", the first {LONGEST_S - MARGIN_S:g} s" if length_s + MARGIN_S > LONGEST_S else ""
    scene = f"{recording.case.name} at {span[0]:.1f} s, {length_s:.1f} s long{cut}"
    return Scene(recording, *span, f"{what}, {scene}")


def _within(spans: Iterable[tuple[float, float]], start_s: float, stop_s: float) -> tuple[tuple[float, float], ...]:
    return tuple((max(a, start_s), min(b, stop_s)) for a, b in spans if a < stop_s and b > start_s)
