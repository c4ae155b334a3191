"""Small corpora in the layouts of the field, made from recordings that are there already."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from brainscan.events import Annotation
from brainscan.io.bids_tsv import format_bids_tsv
from brainscan.io.csv_bi import format_csv_bi
from tests.edf_files import FakeEdf, eeg

DURATION_S = 20


@dataclass(frozen=True)
class Clip:
    """A recording to be put into a tree, with its seizures."""

    path: Path
    seizures: Sequence[tuple[float, float]] = ()
    duration_s: float = DURATION_S

    @property
    def annotations(self) -> tuple[Annotation, ...]:
        return tuple(Annotation(a, b, "seiz") for a, b in self.seizures)

    def csv_bi(self) -> str:
        return format_csv_bi(self.annotations, self.duration_s, self.path.stem)

    def to(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.path, path)
        return path


def noise_clip(folder: Path, *seizures: tuple[float, float]) -> Clip:
    """Return a recording of noise, 20 s at 100 Hz."""
    path = folder / f"noise{len(list(folder.glob('noise*')))}.edf"
    path.write_bytes(FakeEdf(eeg(n_records=DURATION_S), DURATION_S).data())
    return Clip(path, seizures)


def tusz(root: Path, clips: Sequence[tuple[str, str, Clip]]) -> Path:
    """Lay out (split, subject, clip) as TUSZ v2 does; every second annotation is a file by channel."""
    for number, (split, subject, clip) in enumerate(clips):
        folder = root / "edf" / split / subject / f"s{number:03d}_2015" / "01_tcp_ar"
        path = clip.to(folder / f"{subject}_s{number:03d}_t000.edf")
        if number % 2 == 0:
            path.with_suffix(".csv_bi").write_text(clip.csv_bi(), "utf-8")
            continue
        rows = [
            f"{channel},{a:.4f},{b:.4f},fnsz,1.0000" for channel in ("FP1-F7", "F7-T3") for a, b in clip.seizures
        ] or [f"FP1-F7,0.0000,{clip.duration_s:.4f},bckg,1.0000"]
        head = ["# version = csv_v1.0.0", f"# bname = {path.stem}", f"# duration = {clip.duration_s:.4f} secs", "#"]
        text = "\n".join([*head, "channel,start_time,stop_time,label,confidence", *rows])
        path.with_suffix(".csv").write_text(text + "\n", "utf-8")
    return root


def chbmit(root: Path, clips: Sequence[tuple[str, Clip]]) -> Path:
    """Lay out (child, clip) as CHB-MIT does."""
    lines: dict[str, list[str]] = {}
    for child, clip in clips:
        text = lines.setdefault(child, ["Data Sampling Rate: 256 Hz", ""])
        path = clip.to(root / child / f"{child}_{len(text):02d}.edf")
        text += [f"File Name: {path.name}", f"Number of Seizures in File: {len(clip.seizures)}"]
        for a, b in clip.seizures:
            text += [f"Seizure Start Time: {a:.0f} seconds", f"Seizure End Time: {b:.0f} seconds"]
        text.append("")
    for child, text in lines.items():
        (root / child / f"{child}-summary.txt").write_text("\n".join(text), "utf-8")
    return root


def siena(root: Path, clips: Sequence[tuple[str, Clip]]) -> Path:
    """Lay out (patient, clip) as Siena does: clock times, registration at 19.00.00."""
    lines: dict[str, list[str]] = {}
    for patient, clip in clips:
        text = lines.setdefault(patient, [])
        path = clip.to(root / patient / f"{patient}-{len(text):d}.edf")
        text += [f"File name: {path.name}", "Registration start time: 19.00.00", "Registration end time: 19.10.00"]
        for a, b in clip.seizures:
            text += [f"Seizure start time: 19.00.{a:02.0f}", f"Seizure end time: 19.00.{b:02.0f}"]
    for patient, text in lines.items():
        (root / patient / f"Seizures-list-{patient}.txt").write_text("\n".join(text) + "\n", "utf-8")
    return root


def bids(root: Path, clips: Sequence[tuple[str, Clip]]) -> Path:
    """Lay out (subject, clip) as BIDS does, every second one with a session."""
    for number, (subject, clip) in enumerate(clips):
        session = f"ses-{number:02d}" if number % 2 else ""
        folder = root / f"sub-{subject}" / session / "eeg"
        stem = "_".join(part for part in (f"sub-{subject}", session, f"task-rest_run-{number:02d}") if part)
        clip.to(folder / f"{stem}_eeg.edf")
        text = format_bids_tsv(clip.annotations, clip.duration_s)
        (folder / f"{stem}_events.tsv").write_text(text, "utf-8")
    (root / "dataset_description.json").write_text('{"Name": "test", "BIDSVersion": "1.9.0"}', "utf-8")
    return root
