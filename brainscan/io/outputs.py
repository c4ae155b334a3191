"""What is written of a detection: names, the guard against overwriting, whole files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from brainscan.errors import OutputError
from brainscan.io.atomic import atomic_write
from brainscan.io.event_formats import by_suffix, origin_of

if TYPE_CHECKING:
    from brainscan.detection import Detection
    from brainscan.io.content import Content
    from brainscan.io.event_format import EventFormat
    from brainscan.io.origin import Origin


def guard(path: Path, wanted: Origin, *, any_settings: bool = False) -> None:
    """Refuse to replace what brainscan did not write for this very recording with these very settings.

    A corpus keeps its truth under the name that we would write, and part of a night is no whole one.

    Parameters
    ----------
    path : Path
    wanted : Origin
        What the new file will be made of.
    any_settings : bool
        Replace what was made from the same recording, whatever the settings.

    Raises
    ------
    OutputError
        If the file exists and is not so.
    """
    if not path.is_file():
        return
    row = by_suffix(path.name)
    if row is not None and row.origin is None:
        raise OutputError(
            f"exists, and {row.name} files do not say who wrote them",
            file=str(path),
            hint="choose another place with -o, or overwrite it with --force",
        )
    origin = origin_of(path)
    if origin is None or not origin.same_input(wanted.sha256):
        raise OutputError(
            "exists and was not written by brainscan for this recording",
            file=str(path),
            hint="choose another place with -o, or overwrite it with --force",
        )
    differences = origin.differences(wanted)
    if differences and not any_settings:
        raise OutputError(
            f"exists and was made of this recording with other settings ({'; '.join(differences)})",
            file=str(path),
            hint="choose another place with -o, or replace it with --force",
        )


def pieces(content: Content, row: EventFormat) -> Iterable[bytes]:
    """Return the bytes of one format.

    Raises
    ------
    OutputError
        If the format cannot express the content.
    """
    assert row.encode is not None
    try:
        yield from row.encode(content)
    except ValueError as problem:
        raise OutputError(str(problem), file=content.name, hint="choose another format") from problem


def is_copy_of(path: Path, sha256: str) -> bool:
    """Whether a recording is a copy that brainscan made of the one with this checksum: it alone may be made again."""
    origin = origin_of(path)
    return origin is not None and origin.same_input(sha256)


def write(content: Content, path: Path, row: EventFormat) -> None:
    """Write one format atomically.

    Raises
    ------
    OutputError
        If the file cannot be written, or the format cannot express the content.
    """
    sha256 = "" if content.detection is None else content.detection.sha256
    with atomic_write(path, lambda target: is_copy_of(target, sha256)) as stream:
        stream.writelines(pieces(content, row))


def output_stem(recording: PurePath) -> str:
    """Return the name of a recording without its suffix."""
    return recording.stem or recording.name


def anonymous_name(name: str) -> str:
    """Return a stable stand-in for a file name: the beginning of its SHA-256."""
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def anonymised(detection: Detection) -> Detection:
    """Return the detection under its stand-in name; warnings that quote the name lose it too."""
    stand_in = anonymous_name(detection.file)
    warnings = tuple(w.replace(detection.file, stand_in) for w in detection.warnings)
    return replace(detection, file=stand_in, warnings=warnings)
