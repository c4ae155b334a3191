"""Tabulate the seizures of a cohort with pandas: ``python cohort.py [RECORDING ...] [-o EVENTS.csv]``.

Without recordings it takes the simulated one beside this script. Needs the extra ``pandas``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas

import brainscan

SAMPLE = Path(__file__).parent / "sample.edf"


def tabulate(recordings: Sequence[Path]) -> tuple[pandas.DataFrame, pandas.DataFrame]:
    """Return the events of all recordings, and one row a recording; the model is loaded once.

    A recording without an event has no row among the events, so a rate needs the second table: it is what tells
    "nothing found" from "could not be read".
    """
    detector = brainscan.Detector.from_pretrained("default")
    events, rows = [], []
    for path in recordings:
        try:
            detection = detector.detect(path)
        except brainscan.BrainscanError as error:
            rows.append({"file": path.name, "hours": 0.0, "events": 0, "error": str(error)})
            continue
        events.append(detection.to_dataframe())
        hours = detection.analysed_s / 3600
        rows.append({"file": path.name, "hours": hours, "events": len(detection.events), "error": ""})
    table = pandas.concat(events, ignore_index=True) if events else pandas.DataFrame()
    return table, pandas.DataFrame(rows)


def main(arguments: Sequence[str]) -> int:
    """Print both tables; write the events if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recordings", nargs="*", type=Path, default=[SAMPLE])
    parser.add_argument("-o", "--output", type=Path, help="CSV file for the events")
    asked = parser.parse_args(arguments)
    events, recordings = tabulate(asked.recordings)
    print(events.to_string(index=False, float_format="{:.2f}".format) if len(events) else "no event")
    print(recordings.round(3).to_string(index=False))
    if asked.output:
        events.to_csv(asked.output, index=False)
    return 6 if recordings["error"].any() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
