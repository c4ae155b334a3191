"""The formats that are made of a whole detection, or of the recording itself."""

from __future__ import annotations

import re

from brainscan.io.event_format import FACTS, EventFormat, of_path
from brainscan.io.later import later

_ARRAYS = re.compile(rb"(origin|rate_hz|segment_start_s|segment_samples|probability)\.npy")

_edf_annotations = later("brainscan.io.edf_annotations", "format_edf_annotations")
_origin_of_edf = later("brainscan.io.edf_annotations", "origin_of_edf")

DETECTIONS = (
    EventFormat(
        name="npz",
        what="probability at 256 Hz (NumPy)",
        holds=frozenset({"curve"}),
        suffixes=(".npz",),
        keeps=frozenset({"origin"}),
        recognise=lambda head: head.data.startswith(b"PK\x03\x04") and _ARRAYS.search(head.data, 0, 100) is not None,
        encode=later("brainscan.io.curves", "encode_curves"),
        origin=later("brainscan.io.curves", "origin_of_curves"),
        needs="detection",
    ),
    EventFormat(
        name="trends",
        what="aEEG, spectra, asymmetry, rhythmicity, suppression, quality every 4 s (NumPy)",
        holds=frozenset({"trend"}),
        suffixes=(".trends.npz",),
        keeps=frozenset({"origin"}),
        recognise=lambda head: head.data.startswith(b"PK\x03\x04") and b"column_s.npy" in head.data[:100],
        encode=later("brainscan.io.trend_files", "encode_trends"),
        origin=later("brainscan.io.curves", "origin_of_curves"),
        needs="detection",
    ),
    EventFormat(
        name="html",
        what="a page to read and review: what was found, the night, the EEG around each event",
        holds=frozenset({"events", "curve", "trend"}),
        suffixes=(".html", ".htm"),
        keeps=frozenset(FACTS),
        recognise=lambda head: 'id="brainscan-origin"' in head.text,
        encode=later("brainscan.report.recording_page", "encode_page"),
        origin=later("brainscan.report.recording_page", "origin_of_page"),
        needs="recording",
        extra="report",
        module="jinja2",
    ),
    EventFormat(
        name="edf",
        what="the recording itself, as EDF+ or BDF+, with the events among its annotations",
        holds=frozenset({"events", "annotations", "recording"}),
        suffixes=("-brainscan.edf", "-brainscan.bdf", ".edf", ".bdf"),
        keeps=frozenset({"origin", "unscored", "confidence", "types", "hed_types", "start"}),
        recognise=lambda head: head.data[:8] in (b"0       ", b"\xffBIOSEMI"),
        decode=of_path(later("brainscan.io.edf_annotations", "read_edf_annotations")),
        encode=later("brainscan.io.edf_copy", "encode_copy"),
        origin=_origin_of_edf,
        is_notes=True,
        needs="recording",
        check=later("brainscan.io.edf_copy", "check_copy"),
        suffix_for=later("brainscan.io.edf_copy", "copy_suffix"),
    ),
    EventFormat(
        name="edf-annotations",
        what="EDF+ with the events alone, to be opened beside the recording; read as `edf`",
        holds=frozenset({"events", "annotations"}),
        suffixes=("-annotations.edf", ".edf"),
        keeps=frozenset({"origin", "unscored", "confidence", "types", "hed_types", "start"}),
        encode=lambda c: (_edf_annotations(c.file),),
        origin=_origin_of_edf,
        is_notes=True,
    ),
)
