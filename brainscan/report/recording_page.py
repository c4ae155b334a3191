"""The page of one recording: what was found, where in the night, and the EEG around each event, in one HTML file.

It needs no other file and no network: style and script are in it, and a content security policy that knows them by
their hashes lets nothing else run, whatever names, labels and notes of the recording hold.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from brainscan.detection import Detection
from brainscan.electrodes import ELECTRODES, LEFT, POSITIONS, RIGHT
from brainscan.errors import BrainscanError
from brainscan.events import Event, complement, union
from brainscan.io.content import Content
from brainscan.io.csv_bi import encode_bname
from brainscan.io.origin import Origin
from brainscan.io.plan import open_plan
from brainscan.mapping import finite, to_mapping
from brainscan.provenance import NOTICE
from brainscan.recording import Recording, is_filler
from brainscan.report import words
from brainscan.report.excerpts import CURVE_HZ, Channels, Excerpt, curve_at, cut, encode, thinned
from brainscan.report.html_parts import json_block, part, policy, template
from brainscan.report.night import encode_trends
from brainscan.report.traces import DERIVATIONS

MAX_BYTES = 14_000_000
"""Of the EEG inside a page; where all events need more, less around each is kept, and the page says so."""

_COLUMNS = 1800
_MAX_MISSING = 15
_WHOLE_S = 300.0
"""A recording no longer than this is kept whole, as far as there is room."""
_BEGINNING_S = 120.0
"""Of a longer one without events this is."""

MOST_NOTES = 500
"""Of the recording's own notes, in the list; all are on the strip."""


@dataclass(frozen=True, slots=True)
class _Fit:
    """How much of the EEG is kept, and how finely; tried in turn until the page is no larger than it may be."""

    around_s: float
    longest_s: float
    coarsest_uv: float
    rate_hz: int = 0

    @property
    def said(self) -> str:
        """What a reader has to know of it."""
        return (
            f"The events are many: {self.around_s:g} s of EEG around each are kept (of longer ones than "
            f"{self.longest_s:g} s onset and offset), {self.rate_hz} samples a second, to {self.coarsest_uv:g} µV."
        )


_FITS = (
    _Fit(30.0, 180.0, 0.5),
    _Fit(30.0, 120.0, 1.0, 160),
    _Fit(30.0, 60.0, 2.0, 160),
    _Fit(20.0, 60.0, 2.0, 160),
    _Fit(10.0, 30.0, 2.0, 160),
)


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """What a page shows.

    Parameters
    ----------
    detection : Detection
        The events that are reviewed, and what is known of the recording.
    recording : Recording or None
        For its EEG; without it there are times alone.
    who : str
        Whose events they are.
    other, other_events
        Name and events of a second reader, shown beside.
    is_detection : bool
        Whether a detector of ours made the events, whose origin a review then carries.
    """

    detection: Detection
    recording: Recording | None = None
    who: str = "the detector"
    other: str = ""
    other_events: tuple[Event, ...] = ()
    is_detection: bool = True

    @property
    def anonymous(self) -> bool:
        """Whether the recording goes by another name than its file's; free texts are left out then."""
        return self.recording is not None and self.recording.name != self.detection.file


@dataclass(slots=True, eq=False)
class _Views:
    """The excerpts of a page, and what could not be kept."""

    channels: Channels | None = None
    excerpts: list[dict[str, Any]] = field(default_factory=list)
    around: dict[int, Excerpt] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def encode_page(content: Content) -> Iterator[bytes]:
    """Yield the page of a detection; see `brainscan.io.event_formats`."""
    yield render(Page(content.detected, content.recording)).encode("utf-8", "backslashreplace")


def render(page: Page) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    page : Page

    Returns
    -------
    str
        One document. What UTF-8 cannot hold (names of files in other encodings) is written with backslashes.

    Raises
    ------
    InputError
        If the recording cannot be read any more.
    """
    begins = _begins(page.detection)
    page = replace(page, detection=page.detection.without_filler())
    views = _views(page)
    detection, burden = page.detection, page.detection.burden
    rows = [_row(number, event, page, views) for number, event in enumerate(detection.events)]
    script, style = part("strip.js") + part("viewer.js"), part("viewer.css")
    text = template("recording.html.j2").render(
        d=detection,
        b=burden,
        summary=words.summary(detection, burden, page.who),
        rows=rows,
        places=any(event.place is not None for event in detection.events),
        leads=any(event.leading for event in detection.events),
        page=page,
        remarks=views.remarks,
        notes=_notes(page)[:MOST_NOTES],
        n_notes=len(detection.annotations),
        others=[_times(event, page.detection) for event in page.other_events],
        facts=_facts(page, begins),
        notice=NOTICE,
        script=script,
        style=style,
        policy=policy(script, style),
        origin=json_block(_origin(page)),
        data=json_block(_data(page, rows, views)),
        electrodes=ELECTRODES,
        elapsed=words.elapsed,
        length=words.length,
    )
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


_ORIGIN = re.compile(r'<script type="application/json" id="brainscan-origin">(.*?)</script>', re.DOTALL)
_HEAD_BYTES = 1 << 18


def origin_of_page(path: Path) -> Origin | None:
    """Return what made a page; None where brainscan did not or it is damaged."""
    try:
        with path.open("rb") as stream:
            match = _ORIGIN.search(stream.read(_HEAD_BYTES).decode("utf-8", "replace"))
        document = json.loads(match[1]) if match else {}
        return Origin(document["sha256"], document["model"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _origin(page: Page) -> dict[str, Any]:
    return {"sha256": page.detection.sha256, "model": to_mapping(page.detection.model)}


def _views(page: Page) -> _Views:
    """Cut the EEG around each event, as much of it as a page may hold."""
    views = _Views()
    recording = page.recording
    if recording is None:
        views.remarks.append("The recording is not at hand: no EEG is shown.")
        return views
    try:
        channel_map = page.detection.model.get("channel_map") or None
        plan = open_plan(recording, channel_map=channel_map, max_missing=_MAX_MISSING)
    except BrainscanError as problem:
        views.remarks.append(f"No EEG is shown: {problem.message}.")
        return views
    views.channels = Channels.of(recording, plan)
    spans = [(e.onset_s, e.offset_s) for e in (*page.detection.events, *page.other_events)]
    for fit in _FITS:
        excerpts, around = _cut_all(recording, views.channels, spans, fit)
        if excerpts is not None:
            break
    else:
        views.remarks.append("The events are so many that their EEG would make the page too large: none is shown.")
        return views
    if fit is not _FITS[0]:
        views.remarks.append(fit.said)
    views.excerpts, views.around = excerpts, around
    return views


def _cut_all(
    recording: Recording, channels: Channels, spans: Sequence[tuple[float, float]], fit: _Fit
) -> tuple[list[dict[str, Any]] | None, dict[int, Excerpt]]:
    """Return every excerpt encoded, and the one at each event's onset; None once there are too many bytes."""
    wanted: list[tuple[float, float]] = []
    if recording.duration_s <= _WHOLE_S:
        wanted.append((0.0, recording.duration_s))
    elif not spans:
        wanted.append((0.0, _BEGINNING_S))
    for onset_s, offset_s in spans:
        first, last = onset_s - fit.around_s, offset_s + fit.around_s
        if offset_s - onset_s <= fit.longest_s:
            wanted.append((first, last))
        else:  # around its onset and its offset
            half_s = fit.longest_s / 2.0
            wanted += [(first, onset_s + half_s), (offset_s - half_s, last)]
    encoded, around, size, done_s = [], {}, 0, 0.0
    stretches = [(max(a, 0.0), min(b, recording.duration_s)) for a, b in union(wanted)]
    total_s = sum(b - a for a, b in stretches)
    for start_s, stop_s in stretches:
        for a, b in _pieces(start_s, stop_s):
            excerpt = cut(recording, channels, a, b)
            if excerpt is None:
                continue
            for number, (onset_s, _) in enumerate(spans):
                if excerpt.start_s <= onset_s < excerpt.stop_s:
                    around[number] = excerpt
            encoded.append(encode(thinned(excerpt, fit.rate_hz) if fit.rate_hz else excerpt, fit.coarsest_uv))
            size, done_s = size + len(encoded[-1]["data"]), done_s + b - a
            if size > MAX_BYTES or (done_s >= _TELLING_S and size * total_s > _HOPELESS * MAX_BYTES * done_s):
                return None, {}
    return encoded, around


_PIECE_S = 600.0
_TELLING_S, _HOPELESS = 60.0, 1.2
"""After so much EEG it is given up what, going on so, would come to so many times the bytes there may be."""


def _pieces(start_s: float, stop_s: float) -> Iterator[tuple[float, float]]:
    """Cut what is too long to be held at once."""
    n_pieces = max(int((stop_s - start_s) // _PIECE_S), 1)
    for k in range(n_pieces):
        yield start_s + k * _PIECE_S, stop_s if k + 1 == n_pieces else start_s + (k + 1) * _PIECE_S


def _clock_form(detection: Detection) -> str:
    """Return how clock times are written: with the date where the recording has more than one."""
    last = detection.clock(detection.duration_s)
    one_day = detection.start is not None and last is not None and detection.start.date() == last.date()
    return "%H:%M:%S" if one_day else "%Y-%m-%d %H:%M:%S"


def _times(event: Event, detection: Detection) -> dict[str, Any]:
    clock = detection.clock(event.onset_s + 0.5)  # shown rounded, as the elapsed time is
    return {
        "onset_s": event.onset_s,
        "offset_s": event.offset_s,
        "elapsed": words.elapsed(event.onset_s),
        "clock": "" if clock is None else clock.strftime(_clock_form(detection)),
        "duration": f"{event.duration_s:.1f}",
        "confidence": f"{event.confidence:.2f}",
    }


def _row(number: int, event: Event, page: Page, views: _Views) -> dict[str, Any]:
    """Return what the table says of one event."""
    detection = page.detection
    unscored = union((*detection.unscored, *_gaps(detection)))
    limits = words.Limits.of(detection) if page.is_detection else words.Limits()
    doubts = words.doubts(event, unscored, limits, views.around.get(number), detection.duration_s)
    also = any(o.onset_s < event.offset_s and o.offset_s > event.onset_s for o in page.other_events)
    return {
        **_times(event, detection),
        "number": number + 1,
        "prolonged": event.prolonged,
        "doubts": doubts,
        "place": words.place(event),
        "leading": event.leading,
        "also": also,
        "sureness": event.confidence,
    }


def _gaps(detection: Detection) -> tuple[tuple[float, float], ...]:
    return complement([(s.start_s, s.stop_s) for s in detection.segments], 0.0, detection.duration_s)


def _notes(page: Page) -> list[dict[str, Any]]:
    """Return the file's own notes; without their words where names shall be anonymous, as they may hold some."""
    return [
        {
            "at_s": note.onset_s,
            "text": "note" if page.anonymous else note.label[:200],
            "elapsed": words.elapsed(note.onset_s),
        }
        for note in page.detection.annotations
    ]


def _begins(detection: Detection) -> str:
    if detection.start is None:
        return "the header has no valid time"
    begins = detection.start.isoformat(sep=" ")
    return f"not known: {begins} stands in the header for no date" if is_filler(detection.start) else begins


def _facts(page: Page, begins: str) -> list[tuple[str, str]]:
    """Return the provenance as names and values."""
    detection, model = page.detection, page.detection.model
    facts = [
        ("recording", f"{detection.format}, {words.length(detection.duration_s)}"),
        ("begins", begins),
        ("SHA-256 of the recording", detection.sha256 or "unknown"),
    ]
    facts += _settings(to_mapping(model))
    substituted = [f"{e.name} {e.how}" for e in detection.electrodes if e.how != "recorded"]
    facts.append(("electrodes not as recorded", ", ".join(substituted) or "none"))
    if page.anonymous and detection.annotations:
        facts.append(("notes", "the recording's own notes are shown without their words, which may hold names"))
    return facts


def _settings(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Yield what made the events, name and value, mappings within mappings by their names together."""
    for key, value in values.items():
        name = f"{above} {key}".strip().replace("_", " ")
        if isinstance(value, Mapping):
            yield from _settings(value, name)
        elif value not in (None, ""):
            yield name, str(value)


def _data(page: Page, rows: Sequence[Mapping[str, Any]], views: _Views) -> dict[str, Any]:
    """Return what the script draws."""
    detection, channels = page.detection, views.channels
    column_s = max(detection.duration_s / _COLUMNS, 0.5)
    labels = []
    if channels is not None and page.recording is not None:
        labels = [page.recording.channels[i].label for i in channels.indices]
    for excerpt in views.excerpts:
        stop_s = excerpt["start_s"] + excerpt["n"] / excerpt["rate_hz"]
        excerpt["curve"] = curve_at(detection.probabilities, excerpt["start_s"], stop_s, CURVE_HZ)
    comments = Origin(detection.sha256, detection.model).comment_lines() if page.is_detection else []
    return {
        "file": detection.file,
        "bname": encode_bname(detection.file),
        "key": hashlib.sha256(json.dumps(finite(_origin(page)), sort_keys=True).encode()).hexdigest()[:24],
        "comments": comments,
        "start": detection.start.replace(tzinfo=None).isoformat() if detection.start else None,
        "duration_s": detection.duration_s,
        "events": [
            {"confidence": r["sureness"], **{key: r[key] for key in ("onset_s", "offset_s", "leading")}} for r in rows
        ],
        "places": any(event.place is not None for event in detection.events),
        "other": [[event.onset_s, event.offset_s] for event in page.other_events],
        "other_name": page.other,
        "unscored": [list(span) for span in detection.unscored],
        "gaps": [list(span) for span in _gaps(detection)],
        "notes": _notes(page),
        "threshold": words.Limits.of(detection).enter,
        "column_s": column_s,
        "trends": None if detection.trends is None else encode_trends(detection.trends, detection.duration_s),
        "night": curve_at(detection.probabilities, 0.0, detection.duration_s, 1.0 / column_s),
        "curve_hz": CURVE_HZ,
        "labels": labels,
        "n_used": len(channels.plan.channels) if channels else 0,
        "electrodes": list(ELECTRODES),
        "sides": ["left" if name in LEFT else "right" if name in RIGHT else "midline" for name in ELECTRODES],
        "positions": [[round(x, 4), round(y, 4), round(z, 4)] for x, y, z in POSITIONS],
        "poor": [e.name for e in detection.electrodes if e.quality != "good"],
        "derivations": [[ELECTRODES.index(a), ELECTRODES.index(b)] for a, b in DERIVATIONS],
        "excerpts": views.excerpts,
    }
