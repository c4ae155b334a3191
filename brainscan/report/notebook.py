"""What a notebook shows of a detection: the sentence, the strip over the whole recording, the table of events."""

from __future__ import annotations

import html
from collections.abc import Iterator

import numpy as np

from brainscan.detection import Detection
from brainscan.events import RATE_HZ, complement, union

_WIDTH, _HEIGHT, _CURVE = 720.0, 74.0, 52.0
_COLUMNS = 720


def repr_html(detection: Detection) -> str:
    """Return HTML that needs no script and no style sheet."""
    detection = detection.without_filler()
    said = html.escape(repr(detection)[1:-1])
    flags = "".join(
        f"<p><strong>If the events are seizures: {html.escape(flag.text)}</strong></p>"
        for flag in detection.burden.flags
    )
    return f"<p>{said}</p>{flags}{strip(detection)}{_table(detection)}"


def strip(detection: Detection) -> str:
    """Return the strip as SVG: probability where the detection holds it, events, unscored time, the file's notes."""
    parts = "".join(_marks(detection))
    n = len(detection.events)
    label = f"{n} event{'' if n == 1 else 's'} over {detection.duration_s:g} s"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" width="{_WIDTH:g}" '
        f'style="max-width:100%" role="img" aria-label="{label}">{parts}</svg>'
    )


def _marks(detection: Detection) -> Iterator[str]:
    scale = _WIDTH / max(detection.duration_s, 1e-9)
    gaps = complement([(s.start_s, s.stop_s) for s in detection.segments], 0.0, detection.duration_s)
    yield f'<rect width="{_WIDTH:g}" height="{_HEIGHT - 16:g}" fill="#ffffff" stroke="#c6cad2"/>'
    for a, b in union((*detection.unscored, *gaps)):
        yield _rectangle(a * scale, (b - a) * scale, 0.0, _HEIGHT - 16.0, "#dcdfe5")
    for event in detection.events:
        yield _rectangle(event.onset_s * scale, event.duration_s * scale, 0.0, _HEIGHT - 16.0, "#fbe3b0")
        yield _rectangle(event.onset_s * scale, event.duration_s * scale, _CURVE, 6.0, "#7a4b00")
    for points in _lines(detection, scale):
        yield f'<polyline points="{points}" fill="none" stroke="#1f4e79"/>'
    for note in detection.annotations:
        yield _rectangle(note.onset_s * scale, 0.0, 0.0, 5.0, "#1f4e79")
    for share, anchor in ((0.0, "start"), (1.0, "end")):
        at_s = share * detection.duration_s
        clock = detection.clock(at_s)
        text = f"{at_s:.0f} s" if clock is None else f"{clock:%Y-%m-%d %H:%M:%S}"
        place = f'x="{share * _WIDTH:g}" y="{_HEIGHT - 3:g}" text-anchor="{anchor}"'
        yield f'<text {place} font-size="11" font-family="sans-serif" fill="#565b66">{text}</text>'


def _rectangle(x: float, width: float, y: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:g}" width="{max(width, 1.0):.1f}" height="{height:g}" fill="{colour}"/>'


def _lines(detection: Detection, scale: float) -> Iterator[str]:
    """Yield the points of each stretch that was scored, the highest probability of a column."""
    samples = max(int(detection.duration_s * RATE_HZ / _COLUMNS), 1)
    for curve in detection.probabilities:
        if not len(curve.values):
            continue
        starts = np.arange(0, len(curve.values), samples)
        highest = np.fmax.reduceat(curve.values, starts)
        x = (curve.start_s + (starts + samples / 2.0) / RATE_HZ) * scale
        y = _CURVE - 2.0 - highest * (_CURVE - 6.0)
        breaks = np.flatnonzero(np.isnan(highest))
        for piece in np.split(np.arange(len(starts)), breaks):
            known = piece[~np.isnan(highest[piece])]
            if len(known) > 1:
                yield " ".join(f"{x[k]:.1f},{y[k]:.1f}" for k in known)


def _table(detection: Detection) -> str:
    rows = "".join(
        f"<tr><td>{number}</td><td>{event.onset_s:.1f}</td><td>{event.offset_s:.1f}</td>"
        f"<td>{'–' if (clock := detection.clock(event.onset_s + 0.5)) is None else f'{clock:%Y-%m-%d %H:%M:%S}'}</td>"
        f"<td>{event.confidence:.2f}</td><td>{event.side}</td></tr>"
        for number, event in enumerate(detection.events, 1)
    )
    head = "<tr><th>#</th><th>onset (s)</th><th>offset (s)</th><th>clock</th><th>confidence</th><th>side</th></tr>"
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"
