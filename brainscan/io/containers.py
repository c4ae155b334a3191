"""Which container a file is, by its content; suffix and case of the name do not count where the content speaks."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainscan.errors import InputError, MissingExtraError, reason_of
from brainscan.io import container_formats
from brainscan.io.container_format import ContainerFormat
from brainscan.io.later import later
from brainscan.io.links import content_elsewhere, pointer

if TYPE_CHECKING:
    from brainscan.recording import Recording

Container = str
"""Name of a row of `brainscan.io.container_formats.CONTAINERS` that is read."""

HEAD_BYTES = 1024

_COMPRESSED: tuple[tuple[bytes, str, str], ...] = (
    (b"\x1f\x8b", "gzip", "gunzip"),
    (b"PK\x03\x04", "ZIP", "unzip"),
    (b"BZh", "bzip2", "bunzip2"),
    (b"\xfd7zXZ", "xz", "unxz"),
    (b"\x28\xb5\x2f\xfd", "zstd", "unzstd"),
    (b"7z\xbc\xaf", "7z", "7z x"),
    (b"Rar!", "RAR", "unrar x"),
)
_UNPACKERS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: later("zlib", "decompressobj")(31),
    "bzip2": later("bz2", "BZ2Decompressor"),
    "xz": later("lzma", "LZMADecompressor"),
}
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"RIFF", "a RIFF (audio or video) file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a Windows program"),
    (b"<?xml", "an XML document"),
    (b"<!DOCTYPE", "an HTML document"),
    (b"<html", "an HTML document"),
)
_BRAINVISION_MARKERS = (b"Brain Vision Data Exchange Marker File", b"BrainVision Data Exchange Marker File")
_EVENT_FILES = re.compile(rb"#? ?version\s*=\s*(csv_v|tse)|channel,start_time,|onset\tduration|onset, ?duration")


def rows(*, read: bool) -> tuple[ContainerFormat, ...]:
    """Return the containers that are read, or those that are only known."""
    return tuple(row for row in container_formats.CONTAINERS if (row.read is not None) == read)


def recording_suffixes() -> frozenset[str]:
    """Return the suffixes of files that are recordings whatever they hold: a damaged one is no absence."""
    return frozenset(suffix for row in rows(read=True) if not row.content_only for suffix in row.suffixes)


def names() -> tuple[str, ...]:
    """Return the names of the containers that are read."""
    return tuple(row.name for row in rows(read=True))


def readable_names() -> str:
    """Return what can be read, for a hint."""
    named = [f"{row.name} ({row.suffixes[0]})" for row in rows(read=True)]
    return f"{', '.join(named[:-1])} and {named[-1]} can be read"


def recognised(head: bytes, name: str) -> ContainerFormat | None:
    """Return the container whose signature the first bytes of a file show; None if they show none."""
    return next((row for row in container_formats.CONTAINERS if head and row.recognise(head, name)), None)


def container_of(head: bytes, name: str) -> Container:
    """Return the container that the first bytes of a file show, among those that are read.

    Parameters
    ----------
    head : bytes
        The first `HEAD_BYTES` of the file, or all if it is shorter.
    name : str
        For messages; its suffix tells apart only what shares a signature, or has none.

    Raises
    ------
    InputError
        Kind ``header``: with what the file is instead, where that can be said.
    """
    if not head:
        raise InputError("file is empty (0 bytes)", kind="header", file=name, hint="copy it again from its source")
    if absent := pointer(head, name):
        raise absent
    row = recognised(head, name) or _compressed(head, name)
    if row is None:
        other = _no_recording(head, name)
        if other is not None:
            raise other
        row = _by_suffix(head, name)
    if row is not None and row.read is not None:
        return row.name
    if row is not None:
        raise unread(row, name)
    named = any(row.named(name) for row in rows(read=True))
    if head.startswith(b"0       ") or (len(head) < 256 and named and not _is_text(head)):
        raise InputError(
            f"too short for an EDF header ({len(head)} bytes)", kind="header", file=name, hint="copy it again"
        )
    what = "text" if _is_text(head) else "unknown content"
    raise InputError(f"not a known EEG recording ({what})", kind="header", file=name, hint=readable_names())


def kind_of(path: Path) -> ContainerFormat | None:
    """Return the container of a recording, read or only known; None for anything else, and what cannot be read.

    Where the container is read, a file counts by its suffix whatever it holds. The other files of a recording that
    is no single file do not count.
    """
    try:
        return kind_told(path)
    except InputError:
        return None


def kind_told(path: Path) -> ContainerFormat | None:
    """Return the same as `kind_of` of what can be read.

    Raises
    ------
    InputError
        Kind ``io``: its content would have to tell, and cannot be read.
    """
    if path.is_dir():
        return next((row for row in container_formats.CONTAINERS if row.folder and row.named(path)), None)
    named = next((row for row in rows(read=True) if row.named(path) and not row.content_only), None)
    if named is not None:
        return named
    found = _content_told(path)
    # MATLAB files of any content share EEGLAB's container; those are known by their suffix only.
    return None if found is not None and found.name == "EEGLAB" else found


def content_of(path: Path) -> ContainerFormat | None:
    """Return the container that a file's content shows, a packed one included; None for anything else.

    The other files of a recording that is no single file show none.
    """
    try:
        return _content_told(path)
    except InputError:
        return None


def _content_told(path: Path) -> ContainerFormat | None:
    head = read_head(path) if path.is_file() else b""
    found = recognised(head, path.name) or _compressed(head, path.name)
    if found is None and head and pointer(head, path.name) is None and _no_recording(head, path.name) is None:
        found = _by_suffix(head, path.name)
    if found is not None and found.read is None and main_of(path) is not None:
        return None
    return found


def main_of(path: Path) -> Path | None:
    """Return the recording that a side file belongs to, by a name that they share; None if it is none.

    >>> main_of(Path("absent.vmrk")) is None
    True
    """
    for row in container_formats.CONTAINERS:
        stem = re.sub(f"(?:{row.part})$", "", path.stem) if row.part else path.stem
        if not row.accompanies(path) and not (row.named(path) and stem != path.stem):
            continue
        for suffix in row.suffixes:
            whole = [stem] if row.named(stem) else []  # night.cdt.dpa belongs to night.cdt
            for name in (*whole, f"{stem}{suffix}", f"{stem}{suffix.upper()}"):
                other = path.parent / name
                if other != path and other.is_file() and (row.suffix_tells or _shows(row, other)):
                    return other
    return None


def _shows(row: ContainerFormat, path: Path) -> bool:
    try:
        return row.recognise(read_head(path), path.name)
    except InputError:
        return False


def unread(row: ContainerFormat, name: str) -> InputError:
    """Return the error for a recording of a kind that we know and do not read."""
    return InputError(
        f"is a recording that brainscan does not read: {row.name}", kind="header", file=name, hint=row.way_out
    )


def _compressed(head: bytes, name: str) -> ContainerFormat | None:
    """Return a row for a packed recording, known by what is in it or by the suffix before the last one."""
    for signature, what, command in _COMPRESSED:
        if not head.startswith(signature):
            continue
        inner = name.rpartition(".")[0]
        row = recognised(_unpacked(head, what), inner)
        if row is None:
            row = next((row for row in container_formats.CONTAINERS if row.named(inner)), None)
        if row is not None:
            return ContainerFormat(f"{row.name}, packed with {what}", way_out=f"unpack it first: {command} {name}")
    return None


def _unpacked(head: bytes, what: str) -> bytes:
    """Return what the first bytes of a packed file hold, as far as the standard library can say."""
    if what not in _UNPACKERS:
        return b""
    import lzma
    import zlib

    try:
        unpacked: bytes = _UNPACKERS[what]().decompress(head, HEAD_BYTES)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError):
        return b""
    return unpacked


def _by_suffix(head: bytes, name: str) -> ContainerFormat | None:
    """Return the row of a container without a signature that we could know; most texts are none of them."""
    text = _is_text(head)
    meant = (row for row in container_formats.CONTAINERS if row.suffix_tells and row.named(name))
    return next((row for row in meant if row.is_text or not text), None)


def _no_recording(head: bytes, name: str) -> InputError | None:
    """Return the error for what is known and no recording; None for what is not known."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(_BRAINVISION_MARKERS):
        return InputError(
            "a BrainVision marker file", kind="header", file=name, hint="give the .vhdr file of the same recording"
        )
    if _EVENT_FILES.match(text):
        return InputError(
            "an event file, no recording",
            kind="header",
            file=name,
            hint="give the recording; `brainscan score` and `brainscan convert` take event files",
        )
    for signature, what, command in _COMPRESSED:
        if head.startswith(signature):
            return InputError(
                f"not an EEG recording ({what}-compressed data)",
                kind="header",
                file=name,
                hint=f"unpack it first: {command} {name}",
            )
    for signature, what in _SIGNATURES:
        if head.startswith(signature):
            return InputError(
                f"not an EEG recording ({what})", kind="header", file=name, hint="give the recording itself"
            )
    return None


def read_head(path: Path) -> bytes:
    """Return the first `HEAD_BYTES` of a file.

    Raises
    ------
    InputError
        Kind ``io``: the file is absent, a folder, or not readable; ``header``: a folder that is a recording.
    """
    try:
        # A pipe or a device would block, or never end.
        if path.exists() and not path.is_file():
            if path.is_dir():
                row = kind_of(path)
                if row is not None and row.read is None:
                    raise unread(row, path.name)
                hint = f"give a recording's file, or `brainscan scan {path} -o OUT` for all in it"
                raise InputError("is a folder", kind="io", file=path.name or str(path), hint=hint)
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


def open_recording(path: Path) -> Recording:
    """Open a recording with the reader of its container; see `brainscan.io.read`.

    Raises
    ------
    InputError
        The file cannot be used; the message says what it is or what was seen.
    MissingExtraError
        Its container is read by a package that is not installed.
    """
    row = identified(path)
    from brainscan.io.bids_channels import remarks

    assert row.read is not None
    if any(importlib.util.find_spec(module) is None for module in row.modules):
        raise MissingExtraError(f"a recording in the format {row.name}", row.extra, file=path.name)
    recording = row.read(path)
    return replace(recording, warnings=(*recording.warnings, *remarks(path, recording.channels)))


def identified(path: Path) -> ContainerFormat:
    """Return the container of a file that is to be read.

    Raises
    ------
    InputError
        If it is none, or one that is not read; a side file is told which file to give instead.
    """
    if path.is_dir():
        row = kind_of(path)
        if row is not None and row.read is not None:
            return row
    head = read_head(path)
    try:
        name = container_of(head, path.name)
    except InputError:
        main = main_of(path)
        if main is None:
            raise
        raise InputError(
            f"belongs to the recording {main.name}", kind="header", file=path.name, hint=f"give {main.name}"
        ) from None
    return next(row for row in container_formats.CONTAINERS if row.name == name)


def _is_text(head: bytes) -> bool:
    return b"\0" not in head and sum(32 <= b < 127 or b in b"\r\n\t" for b in head) > 0.9 * len(head)
