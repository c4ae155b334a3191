"""A BIDS data set of three subjects with sessions and runs: scanned, validated, read by epilepsy2bids.

    pip install bids-validator-deno
    python benchmarks/bids.py [--validator bids-validator-deno] [--folder FOLDER]

Recordings are simulated, a minute and a half each. The validator looks at the data set and at the derivative; any error
of either fails. What is printed: its errors and warnings by code, and what epilepsy2bids and timescoring read.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from brainscan.electrodes import ELECTRODES
from brainscan.io.edf_writer import EdfHeader, electrode_labels, write_edf
from brainscan.simulate import PAGE_S, SimulationConfig, simulate

RATE_HZ = 256
DURATION_S = 90
RUNS = [(subject, session, run) for subject in ("01", "02", "03") for session in ("1", "2") for run in ("01", "02")]


def write_dataset(folder: Path) -> None:
    """Write the recordings with the side files that BIDS asks for."""
    folder.mkdir(parents=True, exist_ok=True)
    description = {"Name": "Simulated seizures", "BIDSVersion": "1.10.0", "License": "CC0", "Authors": ["brainscan"]}
    (folder / "dataset_description.json").write_text(json.dumps(description), encoding="utf-8")
    (folder / "README.md").write_text("Simulated EEG with known seizures, to try a scan on.\n", encoding="utf-8")
    people = "\n".join(f"sub-{subject}\tn/a" for subject in sorted({s for s, *_ in RUNS}))
    (folder / "participants.tsv").write_text(f"participant_id\tage\n{people}\n", encoding="utf-8")
    ages = {"age": {"Description": "Age at the recording", "Units": "year"}}
    (folder / "participants.json").write_text(json.dumps(ages), encoding="utf-8")
    facts = {
        "TaskName": "szMonitoring",
        "TaskDescription": "Monitoring for seizures",
        "EEGReference": "linked ears",
        "SamplingFrequency": RATE_HZ,
        "PowerLineFrequency": "n/a",
        "SoftwareFilters": "n/a",
        "RecordingDuration": DURATION_S,
        "RecordingType": "continuous",
        "EEGChannelCount": len(ELECTRODES),
        "Manufacturer": "n/a",
        "EEGPlacementScheme": "10-20",
    }
    labels = electrode_labels(ELECTRODES)
    channels = "".join(f"{label}\tEEG\tuV\n" for label in labels)
    for number, (subject, session, run) in enumerate(RUNS):
        place = folder / f"sub-{subject}" / f"ses-{session}" / "eeg"
        place.mkdir(parents=True, exist_ok=True)
        stem = f"sub-{subject}_ses-{session}_task-szMonitoring_run-{run}"
        simulation = simulate(SimulationConfig(DURATION_S, number % 2, 3_600_000 + number, rate_hz=RATE_HZ, snr=(4, 6)))
        write_edf(place / f"{stem}_eeg.edf", EdfHeader(labels, RATE_HZ), simulation.blocks(PAGE_S))
        (place / f"{stem}_eeg.json").write_text(json.dumps(facts), encoding="utf-8")
        (place / f"{stem}_channels.tsv").write_text(f"name\ttype\tunits\n{channels}", encoding="utf-8")


def validated(validator: str, folder: Path) -> int:
    """Print what the validator says of a data set; return the number of errors."""
    ran = subprocess.run([validator, str(folder), "--json"], capture_output=True, text=True, check=False)
    issues = json.loads(ran.stdout)["issues"]["issues"]
    for severity in ("error", "warning"):
        codes = Counter(f"{i['code']} {i.get('subCode', '')}".strip() for i in issues if i["severity"] == severity)
        shown = ", ".join(f"{code} ({n})" for code, n in codes.items()) or "none"
        print(f"{folder.name}: {severity}s: {shown}")
    return sum(issue["severity"] == "error" for issue in issues)


def read_by_others(derivative: Path) -> None:
    """Read every table of events with epilepsy2bids."""
    from epilepsy2bids.annotations import Annotations

    n_events = 0
    tables = sorted(derivative.rglob("*_events.tsv"))
    for table in tables:
        events = Annotations.loadTsv(str(table)).events
        n_events += sum(event["eventType"].value == "sz" for event in events)
    print(f"epilepsy2bids reads {len(tables)} tables with {n_events} seizures")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--validator", default="bids-validator-deno")
    parser.add_argument("--folder", type=Path, help="keep the data set here")
    arguments = parser.parse_args()
    if shutil.which(arguments.validator) is None:
        print(f"no {arguments.validator}: pip install bids-validator-deno", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary) / "dataset"
        write_dataset(folder)
        subprocess.run([sys.executable, "-m", "brainscan", "scan", "--bids", str(folder), "-q"], check=True)
        errors = sum(validated(arguments.validator, each) for each in (folder, folder / "derivatives" / "brainscan"))
        read_by_others(folder / "derivatives" / "brainscan")
    return int(errors > 0)


if __name__ == "__main__":
    sys.exit(main())
