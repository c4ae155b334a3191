"""Make a small corpus of simulated recordings, laid out as training reads one: ``python make_corpus.py FOLDER``.

A corpus is a folder with recordings, a CSV_bi file beside each, and ``index.csv``: a row a file, with its split
(``group``), source and subject. A subject belongs to one split only. Enough to see training run (`make smoke`), far
too little to learn from.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from brainscan.cli.main import main as brainscan

DURATION_S = 180
SUBJECTS = (("sim01", "train"), ("sim02", "train"), ("sim03", "train"), ("sim04", "dev"))
COLUMNS = ("file", "group", "source", "subject", "scored", "licence")


def make(folder: Path) -> int:
    """Write recordings, annotations and index; return the first exit code that is not 0.

    The seeds lie below 1,000,000, where those for training do.
    """
    rows = []
    for seed, (subject, split) in enumerate(SUBJECTS, start=1):
        path = folder / split / f"{subject}.edf"
        path.parent.mkdir(parents=True, exist_ok=True)
        options = {"-o": path, "--annotations": path.with_suffix(".csv_bi"), "--seed": seed, "--duration": DURATION_S}
        arguments = [str(part) for option in options.items() for part in option]
        code = brainscan(["simulate", *arguments, "--force", "--quiet"])
        if code:
            return code
        rows.append((path.relative_to(folder).as_posix(), split, "simulation", subject, "all", "Apache-2.0"))
    with (folder / "index.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows((COLUMNS, *rows))
    return 0


def main(arguments: Sequence[str]) -> int:
    """Read the folder's name, make the corpus."""
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    return make(Path(arguments[0]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
