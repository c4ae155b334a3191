"""Results of a scan as a BIDS derivative: events of every recording under the names that the data set has.

The folder is a data set of its own (``DatasetType: derivative``): ``dataset_description.json``, and for each recording
``sub-*/[ses-*/]eeg/*_events.tsv`` with a sidecar. What a scan writes for itself lies beside, in `OWN`, which
``.bidsignore`` names. The Brain Imaging Data Structure, version 1.10, has the rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

from brainscan._version import __version__
from brainscan.analysis.outcome import Outcome
from brainscan.errors import InputError, OutputError
from brainscan.events import Annotation
from brainscan.io.annotation_file import ALL
from brainscan.io.atomic import make_folder, write_text
from brainscan.io.bids_tsv import format_bids_tsv
from brainscan.io.content import listed
from brainscan.io.detection_json import read_json
from brainscan.io.discover import Found
from brainscan.provenance import NOTICE

OWN = "scan"
"""Folder for tables, pages and results in other formats."""

DESCRIPTION = "dataset_description.json"
BIDS_VERSION = "1.10.0"

_RECORDING = re.compile(r"sub-[0-9A-Za-z+]+/(ses-[0-9A-Za-z+]+/)?eeg/sub-[^/]*_eeg(\.[^/]+)?")
_README = (
    "Seizures that brainscan found, one `_events.tsv` a recording in HED-SCORE's words (`eventType`: sz, bckg).\n"
    f"`{OWN}/` has the tables of the run, and the same events in other formats. {NOTICE.capitalize()}.\n"
)
_COLUMNS: dict[str, dict[str, Any]] = {
    "onset": {"Description": "Start of the event, from the start of the recording", "Units": "s"},
    "duration": {"Description": "Length of the event", "Units": "s"},
    "eventType": {
        "LongName": "HED-SCORE event type",
        "Description": "What was found",
        "Levels": {"sz": "seizure", "bckg": "background: nothing was found"},
    },
    "confidence": {"Description": "Mean seizure probability within the event, 0 to 1"},
    "channels": {"Description": "Channels of the electrodes that lead at the onset, separated by commas"},
    "dateTime": {"Description": "Wall-clock time of the recording's start, as its header has it"},
    "recordingDuration": {"Description": "Length of the whole recording", "Units": "s"},
}


def home(dataset: Path, output: Path | None) -> Path:
    """Return the derivative's folder: within the data set unless it is to lie elsewhere.

    Raises
    ------
    InputError
        If the folder is no BIDS data set.
    """
    if not (dataset / DESCRIPTION).is_file():
        raise InputError(
            f"is no BIDS data set: it has no {DESCRIPTION}",
            kind="header",
            file=str(dataset),
            hint="name the data set's own folder, or leave out --bids",
        )
    return dataset / "derivatives" / "brainscan" if output is None else output


def recordings_of(found: Found) -> tuple[Found, tuple[str, ...]]:
    """Return what of a data set is a recording by BIDS' names, and what is said of the rest."""
    kept = tuple(path for path in found.recordings if _RECORDING.fullmatch(path.as_posix()))
    n_left = len(found.recordings) - len(kept)
    if not n_left:
        return found, ()
    first = next(path for path in found.recordings if path not in kept)
    what = "1 file is" if n_left == 1 else f"{n_left} files are"
    note = f"{what} not called as BIDS calls recordings (sub-*/[ses-*/]eeg/*_eeg.*), {first.as_posix()} first: left out"
    return replace(found, recordings=kept), (note,)


def check(out: Path) -> None:
    """Refuse a folder that is somebody else's data set.

    Raises
    ------
    OutputError
    """
    description = out / DESCRIPTION
    if description.exists() and not _is_ours(description):
        raise OutputError(
            "exists and was not written by brainscan", file=str(description), hint="choose another -o, or use --force"
        )


def write(out: Path, results: Path, outcomes: Iterable[Outcome], model: dict[str, Any], *, force: bool = False) -> None:
    """Write description, events and sidecars of what is done.

    Parameters
    ----------
    out : Path
        Of the derivative.
    results : Path
        Where the results of the scan lie, in the tree of the data set.
    outcomes : iterable of Outcome
        Each with a JSON among its outputs.
    model : mapping
        What made the results.
    force : bool
        Replace events that brainscan did not write.

    Raises
    ------
    OutputError
        If a file cannot be written, or must not be.
    InputError
        If a result of this scan cannot be read any more.
    """
    _write_json(
        out / DESCRIPTION,
        {
            "Name": "Seizures found by brainscan",
            "BIDSVersion": BIDS_VERSION,
            "DatasetType": "derivative",
            "GeneratedBy": [{"Name": "brainscan", "Version": __version__, "Description": NOTICE}],
        },
    )
    write_text(out / ".bidsignore", f"{OWN}\n")
    write_text(out / "README.md", _README)
    for outcome in outcomes:
        result = next((path for path in outcome.outputs if path.suffix == ".json"), None)
        if result is not None:
            _write_events(_place(result.relative_to(results), out), result, model, force=force)


def _place(result: PurePath, out: Path) -> Path:
    """Return where the events of a result belong."""
    return out / result.parent / f"{result.name.rpartition('_eeg')[0]}_events.tsv"


def _write_events(path: Path, result: Path, model: dict[str, Any], *, force: bool) -> None:
    sidecar = path.with_suffix(".json")
    if path.exists() and not force and not _is_ours(sidecar):
        raise OutputError("exists and was not written by brainscan", file=str(path), hint="overwrite it with --force")
    held = read_json(result)
    document = json.loads(result.read_bytes())
    channels = [_channels(event, document["electrodes"]) for event in document["events"]]
    rows: list[Annotation] = [
        replace(row, channel=names or ALL) for row, names in zip(held.annotations, channels, strict=True)
    ]
    make_folder(path.parent)
    write_text(path, format_bids_tsv(rows, held.known_duration_s(), held.start))
    made = {"Name": "brainscan", "Version": __version__, **model, "RecordingSHA256": document["sha256"]}
    _write_json(sidecar, {**_COLUMNS, "GeneratedBy": [made], "Unscored": document["unscored"]})


def _channels(event: dict[str, Any], electrodes: dict[str, Any]) -> str:
    """Return the file's channels of the electrodes that lead."""
    return listed(tuple(dict.fromkeys(c for name in event.get("leading", ()) for c in electrodes[name]["channels"])))


def _is_ours(path: Path) -> bool:
    try:
        document = json.loads(path.read_bytes())
        return bool(document["GeneratedBy"][0]["Name"] == "brainscan")
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return False


def _write_json(path: Path, document: dict[str, Any]) -> None:
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
