"""The cache: every recording preprocessed once by `detect`'s own pipeline, memory-mapped, with a fingerprint."""

from __future__ import annotations

import hashlib
import json
import math
import multiprocessing
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainscan.card import FilterConfig, WindowConfig
from brainscan.electrodes import N_ELECTRODES
from brainscan.errors import BrainscanError, InputError
from brainscan.events import RATE_HZ, BoolArray, mask_of
from brainscan.io.atomic import atomic_write, make_folder, write_text
from brainscan.io.plan import open_plan
from brainscan.mapping import to_mapping
from brainscan.recording import Recording, Segment
from brainscan.signal.montage import ElectrodePlan
from brainscan.signal.windows import PipelineConfig, WindowStream
from brainscan_training.corpora.item import Item

# Raise it when the pipeline changes what it computes; part of every fingerprint.
PIPELINE_VERSION = 1
MAX_MISSING = 9
_BLOCK_S = 60.0
_LATE_S = 1.0
"""Annotations in whole seconds may end this much behind the recording."""


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
    usable : array of bool, shape (n_seconds,)
        Seconds with enough usable electrodes.
    segments : tuple of (int, int)
        First sample and the one behind the last of each gap-free part.
    age_years : float or None
        The patient's, as the header tells it, rounded down to half a year.
    """

    item: Item
    signal: NDArray[np.float16]
    scored: BoolArray
    usable: BoolArray
    segments: tuple[tuple[int, int], ...]
    age_years: float | None = None

    @property
    def n_seconds(self) -> int:
        """Whole seconds."""
        return int(self.signal.shape[1]) // RATE_HZ

    def labels(self) -> tuple[BoolArray, BoolArray]:
        """Return for each second whether it is ictal, and whether its label may be trained on.

        A second counts as ictal when at least half of it is annotated; seconds at a boundary and within 5 s of an
        annotated offset carry no loss (docs/definitions.md, Data).
        """
        fine = mask_of(((a.onset_s, a.offset_s) for a in self.item.seizures), self.n_seconds * 16, 16.0)
        share = fine.reshape(self.n_seconds, 16).mean(axis=1)
        sure = (share == 0.0) | (share == 1.0)
        for annotation in self.item.seizures:
            first, last = int(annotation.offset_s - 5.0), int(np.ceil(annotation.offset_s + 5.0))
            sure[max(first, 0) : max(last, 0)] = False
        return share >= 0.5, sure & self.scored[: self.n_seconds]


def fingerprint(item: Item, config: FilterConfig) -> str:
    """Return what changes when the cached signal would: file, preprocessing, labels, code version."""
    origin: Any = item.path.stat().st_size if item.simulation is None else to_mapping(item.simulation)
    facts = [item.name, origin, PIPELINE_VERSION, MAX_MISSING, to_mapping(config), _seizures(item), item.scored]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode("utf-8")).hexdigest()[:24]


def build(items: Iterable[Item], folder: Path, config: FilterConfig, workers: int = 1) -> Iterator[tuple[Item, str]]:
    """Preprocess what is missing; yield each item with the reason why it cannot be used (empty if it can).

    Interrupted and started again, it goes on where it was; entries that are damaged, or whose recording was
    changed since, are made anew.

    Raises
    ------
    OutputError
        If the cache cannot be written.
    """
    make_folder(folder)
    todo = list(items)
    if workers <= 1:
        for item in todo:
            yield item, _build_one(item, folder, config)
        return
    # Not forked: a process with torch's threads in it may hang when it is.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(_build_one, item, folder, config) for item in todo]
        try:
            for item, job in zip(todo, jobs, strict=True):
                yield item, job.result()
        finally:
            pool.shutdown(cancel_futures=True)  # an interrupt shall not wait for the rest of a corpus


def load(item: Item, folder: Path, config: FilterConfig) -> Cached:
    """Return a cached recording, memory-mapped.

    Raises
    ------
    FileNotFoundError
        If it is not in the cache under its present fingerprint.
    """
    signal, facts = _read(folder / fingerprint(item, config))
    usable = np.array(facts["usable"], dtype=np.bool_)
    segments = tuple((first, stop) for first, stop in facts["segments"])
    scored = usable & _judged(item, len(usable))
    return Cached(item, signal, scored, usable, segments, facts.get("age_years"))


def _build_one(item: Item, folder: Path, config: FilterConfig) -> str:
    try:
        stem = folder / fingerprint(item, config)
        if _is_sound(stem, item):
            return ""
        stamp = _stamp(item)  # before reading: what changes meanwhile is noticed the next time
        cached = preprocess(item, config)
    except (BrainscanError, OSError) as problem:
        return " ".join(str(problem).split())
    with atomic_write(stem.with_suffix(".npy")) as stream:
        np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(cached.signal))
        stream.write(cached.signal.data)  # not `write_array`, whose errors do not say that the disk is full
    facts = {
        "name": item.name,
        "stamp": stamp,
        "segments": cached.segments,
        "usable": cached.usable.tolist(),
        "age_years": cached.age_years,
    }
    # The facts come last: an entry without them does not count.
    write_text(stem.with_suffix(".json"), json.dumps(facts | {"crc32": _checksum(cached.signal, facts)}))
    return ""


def _read(stem: Path) -> tuple[NDArray[np.float16], dict[str, Any]]:
    signal = np.lib.format.open_memmap(stem.with_suffix(".npy"), mode="r")
    return signal, json.loads(stem.with_suffix(".json").read_text("utf-8"))


def _is_sound(stem: Path, item: Item) -> bool:
    """Whether an entry is there, whole, and of the recording as it is now."""
    try:
        signal, facts = _read(stem)
        crc32 = facts.pop("crc32")
        return bool(facts["stamp"] == _stamp(item) and crc32 == _checksum(signal, facts))
    except Exception:  # noqa: BLE001 - damage may break any parser anywhere; the entry is made anew
        return False


def _checksum(signal: NDArray[np.float16], facts: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(facts, sort_keys=True).encode("utf-8"), zlib.crc32(signal.data))


def _stamp(item: Item) -> list[int]:
    """Return what tells a recording from one that took its place with the same name, size and time."""
    if item.simulation is not None:
        return []
    status = item.path.stat()
    return [status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def preprocess(item: Item, config: FilterConfig) -> Cached:
    """Return a recording as `detect` would show it to the network.

    Windows follow one another without overlap; each has the verdict and montage that `detect` would give it.

    Raises
    ------
    InputError
        If the recording cannot be used, or its annotations cannot be its own.
    """
    recording = item.open()
    last_s = max((a.offset_s for a in item.seizures), default=0.0)
    if last_s > recording.duration_s + _LATE_S:
        raise InputError(
            f"a seizure ends at {last_s:g} s, the recording at {recording.duration_s:g} s",
            kind="corrupt",
            file=item.path.name,
            hint="its annotations belong to another recording",
        )
    plan = open_plan(recording, channel_map=None, max_missing=MAX_MISSING)
    total = round(recording.duration_s * RATE_HZ)
    signal = np.zeros((N_ELECTRODES, total), dtype=np.float16)
    usable = np.zeros(-(-total // RATE_HZ), dtype=np.bool_)
    segments = []
    for segment in recording.segments:
        first = round(segment.start_s * RATE_HZ)
        stop = _fill(signal, usable, (recording, plan, segment), config)
        segments.append((first, stop))
    if not usable.any():
        raise InputError("nothing of it can be used", kind="signal", file=item.path.name)
    scored, age = usable & _judged(item, len(usable)), recording.age_years
    return Cached(item, signal, scored, usable, tuple(segments), None if age is None else math.floor(2.0 * age) / 2.0)


def _fill(
    signal: NDArray[np.float16],
    usable: BoolArray,
    part: tuple[Recording, ElectrodePlan, Segment],
    config: FilterConfig,
) -> int:
    """Write one segment into the arrays and return the sample behind its last."""
    recording, plan, segment = part
    rates = [recording.channels[c].rate_hz for c in plan.channels]
    window = WindowConfig(duration_s=60, stride_s=60, taper_s=0.0)
    stream = WindowStream(plan, rates, PipelineConfig(config, window, MAX_MISSING))
    windows = []
    for start_s in np.arange(segment.start_s, segment.stop_s, _BLOCK_S).tolist():
        stop_s = min(start_s + _BLOCK_S, segment.stop_s)
        windows += stream.push(recording.read(plan.channels, start_s, stop_s, segment))
    begin, stop = round(segment.start_s * RATE_HZ), 0
    for cut in windows + stream.finish():
        first = begin + cut.start
        n = min(cut.n_valid, signal.shape[1] - first)
        stop = first + n
        # float16 holds ±65 mV; what is beyond is no EEG.
        signal[:, first:stop] = np.clip(cut.uv[:, :n], -6e4, 6e4)
        if cut.scored:
            seconds = slice(-(-first // RATE_HZ), -(-stop // RATE_HZ))
            usable[seconds] = ~cut.absent[: usable[seconds].shape[0]]
    return stop


def _judged(item: Item, n_seconds: int) -> BoolArray:
    return mask_of([(0.0, float(n_seconds))] if item.scored is None else item.scored, n_seconds, 1.0)


def _seizures(item: Item) -> list[tuple[float, float]]:
    return [(a.onset_s, a.offset_s) for a in item.seizures]
