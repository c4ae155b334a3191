"""Micromed, XDF and DICOM through libraries of their own (extra ``vendor``)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from brainscan.errors import InputError
from brainscan.events import Annotation
from brainscan.io.containers import Container, unreadable
from brainscan.io.mne_checks import damaged
from brainscan.io.parts import Fetch, FloatArray, Opened, Part, recording_of_parts
from brainscan.recording import Recording
from brainscan.signal.labels import parse_all

LARGE_BYTES = 256 << 20
"""From so much memory on it is said how much a file takes that is read whole."""


def read_vendor(path: Path, container: Container) -> Recording:
    """Open a file of a container that a library of its own reads.

    Raises
    ------
    InputError
        Kind ``io`` if it cannot be read, ``empty`` if it holds no samples, ``corrupt`` if its library cannot make
        sense of it.
    """
    try:
        opened = _OPENERS[container](path)
    except InputError:
        raise
    except OSError as problem:
        raise unreadable(path.name, problem) from problem
    except Exception as problem:  # on damaged files the libraries raise whatever comes up
        raise damaged(path.name) from problem
    return recording_of_parts(path, container, opened)


def _micromed(path: Path) -> Opened:
    """Open a .TRC with Neo, which maps the file: samples are read as they are needed."""
    from neo.rawio import MicromedRawIO

    source = MicromedRawIO(str(path))
    source.parse_header()
    header = source.header["signal_channels"]
    rate_hz = Fraction(float(header["sampling_rate"][0])).limit_denominator(1_000_000)
    gains, offsets = (header[key].astype(np.float64)[:, None] for key in ("gain", "offset"))

    def fetch(part: int, channels: Sequence[int], start: int, stop: int) -> FloatArray:
        numbers = source.get_analogsignal_chunk(0, part, start, stop, 0, channel_indexes=list(channels))
        values: FloatArray = numbers.T.astype(np.float64) * gains[list(channels)] + offsets[list(channels)]
        return values

    lengths = [source.get_signal_size(0, part, 0) for part in range(source.segment_count(0))]
    starts_s = [float(source.segment_t_start(0, part)) for part in range(len(lengths))]
    parts, notes, first, end_s = [], [], 0, 0.0
    for number, (length, start_s) in enumerate(zip(lengths, starts_s, strict=True)):
        # Parts that the file lays over each other follow each other.
        at_s = max(start_s - starts_s[0], end_s)
        parts.append(Part(at_s, length, partial(fetch, number)))
        for channel, kind in enumerate(source.header["event_channels"]["name"]):
            if kind != "Note":
                continue
            stamps, _, texts = source.get_event_timestamps(0, number, channel)
            # Neo counts them from the first part on, in samples that were recorded.
            seconds = source.rescale_event_timestamp(stamps, event_channel_index=channel) - starts_s[0]
            for second, text in zip(seconds.tolist(), texts.tolist(), strict=True):
                note_s = at_s + second - float(first / rate_hz)
                if str(text).strip():
                    notes.append(Annotation(note_s, note_s, str(text).strip()))
        first, end_s = first + length, at_s + float(length / rate_hz)
    start = source.raw_annotations["blocks"][0]["rec_datetime"]
    return Opened(rate_hz, header["name"].tolist(), header["units"].tolist(), parts, start, tuple(notes))


def _xdf(path: Path) -> Opened:
    """Open what the Lab Streaming Layer recorded; pyxdf reads it whole."""
    import pyxdf

    # Else its remarks go to the terminal.
    logging.getLogger("pyxdf").addHandler(logging.NullHandler())
    streams, header = pyxdf.load_xdf(str(path), verbose=False)
    of_eeg = [s for s in streams if s["info"]["type"][0].upper() == "EEG" and len(s["time_stamps"])]
    if not of_eeg:
        raise InputError("holds no stream of type EEG", kind="no_eeg", file=path.name)
    stream = max(of_eeg, key=lambda s: sum(bool(label.first) for label in parse_all(_xdf_labels(s)[0])))
    labels, units = _xdf_labels(stream)
    values = np.asarray(stream["time_series"], dtype=np.float64).T
    stamps = np.asarray(stream["time_stamps"], dtype=np.float64)
    nominal = float(stream["info"]["nominal_srate"][0])
    rate_hz = Fraction(nominal).limit_denominator(1_000_000)
    bounds = [0, *(np.flatnonzero(np.diff(stamps) > 2.5 / nominal) + 1).tolist(), len(stamps)]
    parts, end_s = [], 0.0
    for first, stop in pairwise(bounds):
        at_s = max(float(stamps[first] - stamps[0]), end_s)
        parts.append(Part(at_s, stop - first, _slice_of(values[:, first:stop])))
        end_s = at_s + (stop - first) / nominal
    notes = [
        Annotation(max(float(at - stamps[0]), 0.0), max(float(at - stamps[0]), 0.0), str(row[0]))
        for marks in streams
        if float(marks["info"]["nominal_srate"][0]) == 0.0 and marks["info"]["channel_format"][0] == "string"
        for at, row in zip(marks["time_stamps"], marks["time_series"], strict=True)
    ]
    warnings = []
    if len(of_eeg) > 1:
        warnings.append(f"{len(of_eeg)} streams of EEG: {stream['info']['name'][0]} is read")
    drift_s = float(stamps[-1] - stamps[0]) - end_s + 1 / nominal
    if abs(drift_s) > 0.5:
        warnings.append(f"its clock and its stated rate differ by {abs(drift_s):.1f} s at the end")
    warnings += _whole("XDF", values.nbytes)
    return Opened(rate_hz, labels, units, parts, _xdf_start(header), tuple(notes), tuple(warnings))


def _xdf_labels(stream: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    n = int(stream["info"]["channel_count"][0])
    described = stream["info"].get("desc") or [None]
    listed = ((described[0] or {}).get("channels") or [None])[0] or {}
    channels = [channel or {} for channel in listed.get("channel", [])]
    if len(channels) != n:
        return [f"Ch{i + 1}" for i in range(n)], [""] * n
    labels = [str((channel.get("label") or [""])[0] or f"Ch{i + 1}") for i, channel in enumerate(channels)]
    units = [str((channel.get("unit") or [""])[0] or "") for channel in channels]
    return labels, ["uV" if unit.lower() in {"microvolts", "microvolt"} else unit for unit in units]


def _xdf_start(header: Mapping[str, Any]) -> datetime | None:
    text = str((header["info"].get("datetime") or [""])[0] or "")
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


def _dicom(path: Path) -> Opened:
    """Open a waveform of DICOM with pydicom, which reads it whole."""
    import pydicom

    data = pydicom.dcmread(path)
    groups = list(enumerate(data.WaveformSequence))
    largest = max(int(group.NumberOfWaveformChannels) for _, group in groups)
    chosen = [(i, group) for i, group in groups if int(group.NumberOfWaveformChannels) == largest]
    first = chosen[0][1]
    rate_hz = Fraction(str(first.SamplingFrequency)).limit_denominator(1_000_000)
    same = [(i, g) for i, g in chosen if Fraction(str(g.SamplingFrequency)) == Fraction(str(first.SamplingFrequency))]
    offsets_s = [float(getattr(group, "MultiplexGroupTimeOffset", 0.0) or 0.0) / 1000.0 for _, group in same]
    parts, n_bytes, end_s = [], 0, 0.0
    for (i, _), offset_s in zip(same, offsets_s, strict=True):
        values = np.asarray(data.waveform_array(i), dtype=np.float64).T
        n_bytes += values.nbytes
        at_s = max(offset_s - offsets_s[0], end_s)
        parts.append(Part(at_s, values.shape[1], _slice_of(values)))
        end_s = at_s + float(values.shape[1] / rate_hz)
    named = [_dicom_channel(channel) for channel in first.ChannelDefinitionSequence]
    left = len(groups) - len(same)
    warnings = [f"{left} further groups of channels are left out"] if left else []
    warnings += _whole("DICOM", n_bytes)
    return Opened(
        rate_hz,
        [label for label, _ in named],
        [unit for _, unit in named],
        parts,
        _dicom_start(data),
        _dicom_notes(data, float(rate_hz), offsets_s[0]),
        tuple(warnings),
    )


def _dicom_channel(channel: Any) -> tuple[str, str]:
    source = channel.ChannelSourceSequence[0]
    label = str(getattr(channel, "ChannelLabel", "") or getattr(source, "CodeMeaning", ""))
    units = getattr(channel, "ChannelSensitivityUnitsSequence", None)
    return label.strip(), str(units[0].CodeValue) if units else ""


def _dicom_start(data: Any) -> datetime | None:
    text = str(getattr(data, "AcquisitionDateTime", "") or "").partition(".")
    try:
        start = datetime.strptime(text[0][:14], "%Y%m%d%H%M%S")
    except ValueError:
        return None
    fraction = "".join(c for c in text[2][:6] if c.isdigit())
    return start.replace(microsecond=int(fraction.ljust(6, "0"))) if fraction else start


def _dicom_notes(data: Any, rate_hz: float, offset_s: float) -> tuple[Annotation, ...]:
    notes = []
    for note in getattr(data, "WaveformAnnotationSequence", None) or ():
        names = getattr(note, "ConceptNameCodeSequence", None)
        text = str(getattr(note, "UnformattedTextValue", "") or (names[0].CodeMeaning if names else "")).strip()
        positions = np.atleast_1d(getattr(note, "ReferencedSamplePositions", None) or [])
        times = np.atleast_1d(getattr(note, "ReferencedTimeOffsets", None) or [])
        at_s = [(float(p) - 1) / rate_hz for p in positions] or [float(t) / 1000.0 - offset_s for t in times]
        if text and at_s:
            notes.append(Annotation(max(at_s[0], 0.0), max(at_s[-1], at_s[0], 0.0), text))
    return tuple(notes)


def _slice_of(values: FloatArray) -> Fetch:
    return lambda channels, start, stop: values[list(channels), start:stop]


def _whole(container: str, n_bytes: int) -> list[str]:
    if n_bytes < LARGE_BYTES:
        return []
    return [f"{container} files are read whole: it takes {n_bytes / 2**30:.1f} GiB of memory"]


_OPENERS: Mapping[str, Callable[[Path], Opened]] = MappingProxyType(
    {"Micromed": _micromed, "XDF": _xdf, "DICOM EEG": _dicom}
)
