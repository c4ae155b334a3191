"""The formats that list one recording's events as text."""

from __future__ import annotations

import re

from brainscan.io.event_format import EventFormat, Head, as_text, contains, of_path
from brainscan.io.later import later

_IN_COMMENTS = later("brainscan.io.origin", "origin_in_comments")
_csv_bi = later("brainscan.io.csv_bi", "format_csv_bi")
_tsv = later("brainscan.io.bids_tsv", "format_bids_tsv")
_tse = later("brainscan.io.tusz", "format_tse")
_tusz_csv = later("brainscan.io.tusz", "format_tusz_csv")
_mne_csv = later("brainscan.io.mne_csv", "format_mne_csv")
_read_mne_csv = later("brainscan.io.mne_csv", "read_mne_csv")
_edfbrowser = later("brainscan.io.edfbrowser_csv", "format_edfbrowser_csv")
_luna = later("brainscan.io.luna_annot", "format_luna")
_persyst = later("brainscan.io.persyst_comments", "format_persyst_comments")
_columns = later("brainscan.io.tables", "columns_of")


def _is_temple(head: Head, *, binary: bool) -> bool:
    """Tell the two formats of one grammar apart: by the suffix, else by what the rows hold."""
    if head.name.endswith(".csv_bi") and b"\0" not in head.data and not head.first.startswith("version"):
        return binary
    if re.search(r"^#? ?version\s*=\s*csv_v", head.text, re.IGNORECASE | re.MULTILINE) is None:
        return False
    rows = [line for line in head.lines if line[:1] not in "#c"]
    two_classes = all(re.fullmatch(r"TERM,[^,]*,[^,]*,(seiz|bckg),[^,]*", row) for row in rows)
    return binary == (two_classes and not head.name.endswith(".csv"))


TABLES = (
    EventFormat(
        name="csv_bi",
        what="seizure and background, as the Temple and NEDC tools take them",
        holds=frozenset({"events", "annotations"}),
        suffixes=(".csv_bi",),
        keeps=frozenset({"origin", "unscored", "confidence"}),
        recognise=lambda head: _is_temple(head, binary=True),
        decode=of_path(later("brainscan.io.csv_bi", "read_csv_bi_events")),
        encode=as_text(lambda c: _csv_bi(c.file.track(), c.file.known_duration_s(), c.name, c.file.comments)),
        origin=_IN_COMMENTS,
    ),
    EventFormat(
        name="json",
        what="everything that `detect` says",
        holds=frozenset({"events"}),
        suffixes=(".json",),
        keeps=frozenset({"origin", "unscored", "confidence", "start"}),
        recognise=lambda head: head.text.lstrip().startswith("{") and '"events"' in head.text,
        decode=of_path(later("brainscan.io.detection_json", "read_json")),
        encode=later("brainscan.io.detection_json", "encode_json"),
        origin=later("brainscan.io.detection_json", "origin_of_json"),
        needs="detection",
    ),
    EventFormat(
        name="tsv",
        what="HED-SCORE events of BIDS-EEG, as SzCORE takes them",
        holds=frozenset({"events", "annotations"}),
        suffixes=(".tsv",),
        keeps=frozenset({"confidence", "hed_types", "start", "channels"}),
        recognise=lambda head: {"onset", "duration"} <= {cell.strip().casefold() for cell in head.first.split("\t")},
        decode=of_path(later("brainscan.io.bids_tsv", "read_bids_tsv")),
        encode=as_text(lambda c: _tsv(c.placed_track(), c.file.known_duration_s(), c.file.start, c.file.unscored)),
        is_notes=True,
    ),
    EventFormat(
        name="tse",
        what="one track with seizure types (Temple, old)",
        holds=frozenset({"events", "annotations"}),
        suffixes=(".tse", ".tse_bi"),
        keeps=frozenset({"origin", "unscored", "confidence", "types"}),
        recognise=lambda head: re.match(r"version\s*=\s*tse", head.first) is not None,
        decode=of_path(later("brainscan.io.tusz", "read_tse")),
        encode=as_text(lambda c: _tse(c.file)),
        origin=_IN_COMMENTS,
    ),
    EventFormat(
        name="tusz_csv",
        what="rows by channel, with seizure types (Temple)",
        holds=frozenset({"events", "annotations"}),
        suffixes=(".csv",),
        keeps=frozenset({"origin", "unscored", "confidence", "types", "channels"}),
        recognise=lambda head: _is_temple(head, binary=False),
        decode=of_path(later("brainscan.io.tusz", "read_tusz_csv")),
        encode=as_text(lambda c: _tusz_csv(c.file, c.name)),
        origin=_IN_COMMENTS,
    ),
    EventFormat(
        name="mne_csv",
        what="annotations as MNE-Python saves them",
        holds=frozenset({"events", "annotations"}),
        suffixes=("-annot.csv",),
        keeps=frozenset({"types", "hed_types", "start"}),
        recognise=lambda head: {"onset", "duration", "description"} <= _columns(head.first),
        decode=lambda path, facts: _read_mne_csv(path, facts.start),
        encode=as_text(lambda c: _mne_csv(c.file)),
        is_notes=True,
    ),
    EventFormat(
        name="edfbrowser",
        what="annotations as EDFbrowser imports and exports them (CSV)",
        holds=frozenset({"events", "annotations"}),
        suffixes=("-edfbrowser.csv",),
        keeps=frozenset({"types", "hed_types"}),
        recognise=lambda head: {"onset", "duration", "annotation"} <= _columns(head.first.casefold()),
        decode=of_path(later("brainscan.io.edfbrowser_csv", "read_edfbrowser_csv")),
        encode=as_text(lambda c: _edfbrowser(c.file)),
        is_notes=True,
    ),
    EventFormat(
        name="luna",
        what="annotations of Luna (`.annot`)",
        holds=frozenset({"events", "annotations"}),
        suffixes=(".annot",),
        keeps=frozenset({"types", "hed_types", "channels"}),
        recognise=lambda head: (
            re.match(r"class\tinstance\tchannel\tstart\tstop", head.first, re.IGNORECASE) is not None
        ),
        decode=of_path(later("brainscan.io.luna_annot", "read_luna")),
        encode=as_text(lambda c: _luna(c.file)),
        is_notes=True,
    ),
    EventFormat(
        name="persyst",
        what="comments of Persyst: the section `[Comments]` of a .lay",
        holds=frozenset({"events", "annotations"}),
        suffixes=("-persyst.txt",),
        keeps=frozenset({"types", "hed_types"}),
        recognise=contains(r"^\[(Comments|ChannelMap)\]\s*$"),
        decode=of_path(later("brainscan.io.persyst_comments", "read_persyst_comments")),
        encode=as_text(_persyst),
        is_notes=True,
    ),
)
