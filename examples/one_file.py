"""Find the seizures of one recording: ``python one_file.py [RECORDING] [-o EVENTS.csv_bi]``.

Without a recording it takes the simulated one beside this script.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import brainscan

SAMPLE = Path(__file__).parent / "sample.edf"


def main(arguments: Sequence[str]) -> int:
    """Detect, print one line an event, write a file if one was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording", nargs="?", type=Path, default=SAMPLE)
    parser.add_argument("-o", "--output", type=Path, help="event file; its suffix says the format")
    asked = parser.parse_args(arguments)
    try:
        detection = brainscan.detect(asked.recording)
        if asked.output:
            detection.save(asked.output)
    except brainscan.BrainscanError as error:  # whatever a user can cause: one line with a hint, and an exit code
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    for event in detection.events:
        print(f"{event.onset_s:8.1f} s to {event.offset_s:8.1f} s, confidence {event.confidence:.2f}")
    print(f"{len(detection.events)} events in {detection.analysed_s:g} of {detection.duration_s:g} s")
    for warning in detection.warnings:  # what was guessed, and what to doubt
        print(f"warning: {warning}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
