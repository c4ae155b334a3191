"""From MNE-Python and back: ``python mne_in_and_out.py [RECORDING] [-o ANNOTATED_raw.fif]``.

A ``Raw``, however it was made or changed, goes in; its seizures come back as annotations. Without a recording it takes
the simulated one beside this script. Needs the extra ``mne``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import mne

import brainscan

SAMPLE = Path(__file__).parent / "sample.edf"


def annotate(raw: mne.io.BaseRaw) -> brainscan.Detection:
    """Detect in a ``Raw`` and add the events to its annotations.

    Hand over the data as recorded: brainscan resamples, filters and re-references by itself, and a band-pass that
    was applied before takes away what it looks for.
    """
    detection = brainscan.detect(brainscan.from_raw(raw))
    raw.set_annotations(raw.annotations + detection.to_mne())
    return detection


def main(arguments: Sequence[str]) -> int:
    """Open with MNE, detect, show and save what was added."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording", nargs="?", type=Path, default=SAMPLE)
    parser.add_argument("-o", "--output", type=Path, help="FIF file for the recording with its annotations")
    asked = parser.parse_args(arguments)
    raw = mne.io.read_raw(asked.recording, verbose="ERROR")
    print(annotate(raw))
    for note in raw.annotations:
        print(f"{note['onset']:8.1f} s, {note['duration']:6.1f} s: {note['description']}")
    if asked.output:
        raw.save(asked.output, verbose="ERROR")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
