"""The cache: every recording preprocessed once by `detect`'s own pipeline, memory-mapped, with a fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainscan.card import FilterConfig, WindowConfig
from brainscan.electrodes import N_ELECTRODES
from brainscan.errors import BrainscanError
from brainscan.events import RATE_HZ, BoolArray, mask_of
from brainscan.io import read
from brainscan.io.atomic import write_bytes, write_text
from brainscan.io.plan import open_plan
from brainscan.mapping import to_mapping
from brainscan.signal.windows import PipelineConfig, WindowStream
from brainscan_training.corpora.item import Item

# Raise it when the pipeline changes what it computes; part of every fingerprint.
PIPELINE_VERSION = 1
MAX_MISSING = 9
_BLOCK_S = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class Cached:
    """One preprocessed recording.

    Parameters
    ----------
    item : Item
    signal : array of float16, shape (19, n_samples), memory-mapped
        Filtered, re-referenced µV at 256 Hz.
    scored : array of bool, shape (n_seconds,)
        Seconds with enough usable electrodes, within the judged part.
    """

    item: Item
    signal: NDArray[np.float16]
    scored: BoolArray

    @property
    def n_seconds(self) -> int:
        """Whole seconds."""
        return int(self.signal.shape[1]) // RATE_HZ

    def labels(self) -> tuple[BoolArray, BoolArray]:
        """Return for each second whether it is ictal, and whether its label may be trained on.

        A second counts as ictal when at least half of it is annotated; seconds at a boundary and within 5 s of an
        annotated offset carry no loss (offsets are judged loosely; SPEC §11).
        """
        fine = mask_of(((a.onset_s, a.offset_s) for a in self.item.seizures), self.n_seconds * 16, 16.0)
        share = fine.reshape(self.n_seconds, 16).mean(axis=1)
        sure = (share == 0.0) | (share == 1.0)
        for annotation in self.item.seizures:
            first, last = int(annotation.offset_s - 5.0), int(np.ceil(annotation.offset_s + 5.0))
            sure[max(first, 0) : max(last, 0)] = False
        return share >= 0.5, sure & self.scored[: self.n_seconds]


def fingerprint(item: Item, config: FilterConfig) -> str:
    """Return what changes when the cached signal would: file, preprocessing, code version."""
    stat = item.path.stat()
    facts = [item.name, stat.st_size, PIPELINE_VERSION, MAX_MISSING, to_mapping(config), _seizures(item), item.scored]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode("utf-8")).hexdigest()[:24]


def build(items: Iterable[Item], folder: Path, config: FilterConfig, workers: int = 1) -> Iterator[tuple[Item, str]]:
    """Preprocess what is missing; yield each item with the reason why it cannot be used (empty if it can).

    Interrupted and started again, it goes on where it was; entries of another fingerprint are made anew.
    """
    folder.mkdir(parents=True, exist_ok=True)
    todo = list(items)
    if workers <= 1:
        for item in todo:
            yield item, _build_one(item, folder, config)
        return
    with ProcessPoolExecutor(workers) as pool:
        jobs = [pool.submit(_build_one, item, folder, config) for item in todo]
        for item, job in zip(todo, jobs, strict=True):
            yield item, job.result()


def load(item: Item, folder: Path, config: FilterConfig) -> Cached:
    """Return a cached recording, memory-mapped.

    Raises
    ------
    FileNotFoundError
        If it is not in the cache under its present fingerprint.
    """
    stem = folder / fingerprint(item, config)
    signal = np.load(stem.with_suffix(".npy"), mmap_mode="r")
    scored = np.array(json.loads(stem.with_suffix(".json").read_text("utf-8"))["scored"], dtype=np.bool_)
    return Cached(item, signal, scored)


def _build_one(item: Item, folder: Path, config: FilterConfig) -> str:
    try:
        stem = folder / fingerprint(item, config)
        if stem.with_suffix(".json").is_file() and stem.with_suffix(".npy").is_file():
            return ""
        signal, scored = preprocess(item, config)
    except (BrainscanError, OSError) as problem:
        return " ".join(str(problem).split())
    import io

    buffer = io.BytesIO()
    np.save(buffer, signal)
    write_bytes(stem.with_suffix(".npy"), buffer.getvalue())
    # The facts come last: an entry without them does not count.
    write_text(stem.with_suffix(".json"), json.dumps({"name": item.name, "scored": scored.tolist()}))
    return ""


def preprocess(item: Item, config: FilterConfig) -> tuple[NDArray[np.float16], BoolArray]:
    """Return a recording's signal, shape (19, n_samples), and which seconds count.

    Windows follow one another without overlap; each has the verdict and montage that `detect` would give it.
    """
    recording = read(item.path)
    plan = open_plan(recording, channel_map=None, max_missing=MAX_MISSING)
    rates = [recording.channels[c].rate_hz for c in plan.channels]
    window = WindowConfig(duration_s=60, stride_s=60, taper_s=0.0)
    total = round(recording.duration_s * RATE_HZ)
    signal = np.zeros((N_ELECTRODES, total), dtype=np.float16)
    usable = np.zeros(-(-total // RATE_HZ), dtype=np.bool_)
    for segment in recording.segments:
        stream = WindowStream(plan, rates, PipelineConfig(config, window, MAX_MISSING))
        windows = []
        for start_s in np.arange(segment.start_s, segment.stop_s, _BLOCK_S).tolist():
            stop_s = min(start_s + _BLOCK_S, segment.stop_s)
            windows += stream.push(recording.read(plan.channels, start_s, stop_s, segment))
        for cut in windows + stream.finish():
            first = round(segment.start_s * RATE_HZ) + cut.start
            n = min(cut.n_valid, total - first)
            # float16 holds ±65 mV; what is beyond is no EEG.
            signal[:, first : first + n] = np.clip(cut.uv[:, :n], -6e4, 6e4)
            if cut.scored:
                seconds = slice(-(-first // RATE_HZ), -(-(first + n) // RATE_HZ))
                usable[seconds] = ~cut.absent[: usable[seconds].shape[0]]
    judged = mask_of(item.scored if item.scored is not None else [(0.0, recording.duration_s)], len(usable), 1.0)
    return signal, usable & judged


def _seizures(item: Item) -> list[tuple[float, float]]:
    return [(a.onset_s, a.offset_s) for a in item.seizures]
