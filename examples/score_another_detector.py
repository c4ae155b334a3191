"""Score somebody else's detector: ``python score_another_detector.py [TRUTH HYPOTHESES]``.

Event files (or folders of them) in, figures out; `docs/formats.md` says which formats are read. No recording and no
model is needed. Without arguments it judges a deliberately simple detector on the simulated recording beside this
script: a second counts as ictal when its line length is far above the recording's median.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import brainscan
from brainscan.evaluate.score import score_files
from brainscan.events import Annotation
from brainscan.io.csv_bi import format_csv_bi
from brainscan.io.event_pairs import pair_files
from brainscan.scoring import szcore

HERE = Path(__file__).parent
FACTOR = 2.0
"""How many times the median a smoothed line length has to be."""


def line_length_events(recording: brainscan.Recording) -> list[Annotation]:
    """Return the spans of at least 8 s in which the signal is far rougher than usual: the other detector."""
    samples = recording.read(range(len(recording.labels)), 0.0, recording.duration_s)
    rate = round(len(samples.uv[0]) / recording.duration_s)
    steps = np.abs(np.diff(np.stack(samples.uv), prepend=0.0, axis=1)).mean(axis=0)
    seconds = steps[: len(steps) // rate * rate].reshape(-1, rate).mean(axis=1)
    smooth = np.convolve(seconds, np.ones(8) / 8, mode="same")
    ictal = np.concatenate(([0], smooth > FACTOR * np.median(smooth), [0]))
    edges = np.flatnonzero(np.diff(ictal)).reshape(-1, 2)
    return [Annotation(float(on), float(off), "seiz") for on, off in edges if off - on >= 8]


def other_detector(folder: Path) -> tuple[Path, Path]:
    """Let the simple detector write its event file; return truth and hypothesis."""
    recording = brainscan.read(HERE / "sample.edf")
    hypothesis = folder / "sample.csv_bi"
    text = format_csv_bi(line_length_events(recording), recording.duration_s, "sample.edf")
    hypothesis.write_text(text, encoding="utf-8")
    return HERE / "sample_truth.csv_bi", hypothesis


def main(arguments: Sequence[str]) -> int:
    """Print the figures that are quoted: NEDC OVLP and TAES of the label seiz, and SzCORE's by event."""
    if len(arguments) not in {0, 2}:
        print(__doc__, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        truth, hypotheses = map(Path, arguments) if arguments else other_detector(Path(folder))
        report = score_files(pair_files(truth, hypotheses).pairs)
    for failure in report.failures:
        print(f"error: {failure.error}", file=sys.stderr)
    if report.nedc is not None:
        for name in ("ovlp", "taes"):
            scores = getattr(report.nedc, name).labels["seiz"]
            print(f"NEDC {name.upper()}: sensitivity {scores.sensitivity:.2f}, {scores.fa_per_24h:.1f} FA/24h")
    if report.szcore.get("direct"):
        counts = szcore.pool(report.szcore["direct"].values()).event
        print(f"SzCORE, by event: sensitivity {counts.sensitivity:.2f}, {counts.fp_per_24h:.1f} FP/24h")
    for name, mending in report.mended.items():
        print(f"warning: {name}: events changed before scoring: {mending}")
    return 6 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
