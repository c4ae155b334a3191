"""The formats in which corpora keep what experts said: lists of many recordings, marks beside one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from brainscan.errors import UsageError
from brainscan.io.event_format import EventFormat, RecordingFacts, as_text, contains, of_path
from brainscan.io.later import later

if TYPE_CHECKING:
    from brainscan.io.annotation_file import AnnotationFile
    from brainscan.io.content import Content

_recordings_of_summary = later("brainscan.io.chbmit", "recordings_of_summary")
_read_summary = later("brainscan.io.chbmit", "read_chbmit_summary")
_recordings_of_list = later("brainscan.io.siena", "recordings_of_list")
_read_list = later("brainscan.io.siena", "read_siena_list")


def _of_list(
    path: Path,
    facts: RecordingFacts,
    recordings: Callable[[Path], tuple[str, ...]],
    reader: Callable[[Path, str], AnnotationFile],
) -> AnnotationFile:
    """Read one recording from a list of many; a list of one needs no name."""
    if facts.name:
        return reader(path, facts.name)
    listed = recordings(path)
    if len(listed) > 1:
        raise UsageError(
            f"{path.name} describes {len(listed)} recordings",
            hint=f"choose one with --recording: {', '.join(listed[:5])}{' ...' if len(listed) > 5 else ''}",
        )
    return reader(path, listed[0])


def _listed(write: Callable[[AnnotationFile, str], str]) -> Callable[[Content], str]:
    """Return a writer of a list, in which each recording has a line for its name."""

    def text(content: Content) -> str:
        if not content.name.isprintable():
            raise ValueError(f"a list has a line for each fact, and cannot hold the name {content.name!r}")
        return write(content.file, content.name)

    return text


LISTS = (
    EventFormat(
        name="wfdb",
        what="marks of CHB-MIT's `.seizures` (WFDB)",
        holds=frozenset({"annotations"}),
        suffixes=(".seizures",),
        recognise=lambda head: head.name.lower().endswith(".seizures"),
        decode=of_path(later("brainscan.io.wfdb", "read_wfdb_seizures")),
        fallback=True,
    ),
    EventFormat(
        name="chbmit",
        what="summary of a child's recordings (CHB-MIT)",
        holds=frozenset({"annotations"}),
        suffixes=("-summary.txt",),
        recognise=contains(r"^\s*Number of Seizures in File"),
        decode=lambda path, facts: _of_list(
            path,
            facts,
            _recordings_of_summary,
            lambda p, name: _read_summary(p, name, facts.duration_s, facts.start),
        ),
        encode=as_text(_listed(later("brainscan.io.chbmit", "format_chbmit_summary"))),
        recordings=_recordings_of_summary,
    ),
    EventFormat(
        name="siena",
        what="list of a patient's seizures by the clock (Siena)",
        holds=frozenset({"annotations"}),
        recognise=contains(r"^\s*Registration start time"),
        decode=lambda path, facts: _of_list(path, facts, _recordings_of_list, _read_list),
        encode=as_text(_listed(later("brainscan.io.siena", "format_siena_list"))),
        recordings=_recordings_of_list,
    ),
)
