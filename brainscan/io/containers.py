"""Which container a file is, by its content; suffix and case of the name do not count."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from brainscan.errors import InputError, reason_of
from brainscan.io.links import content_elsewhere, pointer

Container = Literal["EDF", "BDF", "BrainVision", "FIF", "EEGLAB"]

HEAD_BYTES = 1024

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip-compressed data"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"BZh", "bzip2-compressed data"),
    (b"\xfd7zXZ", "xz-compressed data"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed data"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"RIFF", "a RIFF (audio or video) file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a Windows program"),
    (b"<?xml", "an XML document"),
    (b"<!DOCTYPE", "an HTML document"),
    (b"<html", "an HTML document"),
)
_BRAINVISION = (b"Brain Vision Data Exchange Header File", b"BrainVision Data Exchange Header File")
_BRAINVISION_MARKERS = (b"Brain Vision Data Exchange Marker File", b"BrainVision Data Exchange Marker File")
_EVENT_FILES = re.compile(rb"#? ?version\s*=\s*(csv_v|tse)|channel,start_time,|onset\tduration|onset, ?duration")
_FIF_START = b"\x00\x00\x00\x64\x00\x00\x00\x1f"  # tag FIFF_FILE_ID of type id struct, big endian
_HDF5 = b"\x89HDF\r\n\x1a\n"


def container_of(head: bytes, name: str) -> Container:
    """Return the container that the first bytes of a file show.

    Parameters
    ----------
    head : bytes
        The first `HEAD_BYTES` of the file, or all if it is shorter.
    name : str
        For messages; its suffix only tells HDF5 kinds apart.

    Raises
    ------
    InputError
        Kind ``header``: with what the file is instead, where that can be said.
    """
    if not head:
        raise InputError("file is empty (0 bytes)", kind="header", file=name, hint="copy it again from its source")
    if absent := pointer(head, name):
        raise absent
    if head.startswith(b"\xffBIOSEMI"):
        return "BDF"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(_BRAINVISION):
        return "BrainVision"
    if head.startswith(_FIF_START):
        return "FIF"
    if head.startswith(b"MATLAB 5.0 MAT-file") or (head.startswith(_HDF5) and name.lower().endswith(".set")):
        return "EEGLAB"
    if text.startswith(_BRAINVISION_MARKERS):
        raise InputError(
            "a BrainVision marker file", kind="header", file=name, hint="give the .vhdr file of the same recording"
        )
    if _EVENT_FILES.match(text):
        raise InputError(
            "an event file, no recording",
            kind="header",
            file=name,
            hint="give the recording; `brainscan score` and `brainscan convert` take event files",
        )
    for signature, what in _SIGNATURES:
        if head.startswith(signature):
            raise InputError(f"not an EEG recording ({what})", kind="header", file=name, hint=_hint(what))
    if len(head) < 256:
        raise InputError(
            f"too short for an EDF header ({len(head)} bytes)", kind="header", file=name, hint="copy it again"
        )
    if head[:8].strip(b" \0") == b"0":
        return "EDF"
    if _looks_like_edf(head):
        return "BDF" if head[192:197].upper() in (b"24BIT", b"BDF+C", b"BDF+D") else "EDF"
    what = "text" if _is_text(head) else "unknown content"
    raise InputError(
        f"not a known EEG recording ({what})",
        kind="header",
        file=name,
        hint="EDF, BDF, BrainVision (.vhdr), FIF and EEGLAB (.set) can be read",
    )


def read_head(path: Path) -> bytes:
    """Return the first `HEAD_BYTES` of a file.

    Raises
    ------
    InputError
        Kind ``io``: the file is absent, a folder, or not readable.
    """
    try:
        # A pipe or a device would block, or never end.
        if path.exists() and not path.is_file():
            if path.is_dir():
                hint = f"give a recording's file, or `brainscan scan {path} -o OUT` for all in it"
                raise InputError("is a folder", kind="io", file=path.name, hint=hint)
            raise InputError("is no ordinary file", kind="io", file=path.name, hint="give the recording's file")
        with path.open("rb") as stream:
            return stream.read(HEAD_BYTES)
    except OSError as problem:
        raise content_elsewhere(path) or unreadable(path.name, problem) from problem


def unreadable(name: str, problem: OSError) -> InputError:
    """Return the error for a file that the operating system does not give."""
    return InputError(
        f"cannot be read ({reason_of(problem)})", kind="io", file=name, hint="check the path and its permissions"
    )


def _hint(what: str) -> str:
    return "unpack it first" if "compressed" in what or "archive" in what else "give the recording itself"


def _looks_like_edf(head: bytes) -> bool:
    """Whether the fixed fields are consistent although the version is not: header size against signal count."""
    try:
        header_bytes, n_signals = int(head[184:192]), int(head[252:256])
        float(head[244:252])
    except ValueError:
        return False
    return n_signals > 0 and header_bytes == 256 * (n_signals + 1)


def _is_text(head: bytes) -> bool:
    return b"\0" not in head and sum(32 <= b < 127 or b in b"\r\n\t" for b in head) > 0.9 * len(head)
