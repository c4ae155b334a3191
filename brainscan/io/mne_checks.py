"""What is looked at before MNE opens a file: headers that would lead it astray."""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from brainscan.errors import InputError, printable
from brainscan.io.containers import unreadable

_HEADER_BYTES = 1 << 20


def brainvision(path: Path) -> list[str]:
    """Refuse headers that name files elsewhere, or files that are not there; return what looks wrong.

    A recording that was renamed still names its old files: the line to correct is told, not guessed.
    """
    try:
        with path.open("rb") as stream:
            text = stream.read(_HEADER_BYTES).decode("latin-1")
        beside = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError as problem:
        raise unreadable(path.name, problem) from problem
    missing, corrections, warnings = [], [], []
    for key in ("DataFile", "MarkerFile"):
        found = re.search(rf"^{key}\s*=(.*)$", text, re.MULTILINE)
        if found is None:
            continue
        named = found.group(1).strip().replace("$b", path.stem)
        # latin-1 kept the bytes; the name itself may be UTF-8.
        named = named.encode("latin-1").decode("utf-8", errors="surrogateescape")
        if not named or named != Path(named).name or "\\" in named or "\0" in named:
            right = _own_file(path, key, named, beside)
            hint = f"{right} lies beside it: correct the header's line to {key}={right}" if right else ""
            raise InputError(
                f"{key} names no file of the same folder",
                kind="header",
                file=path.name,
                hint=hint or "correct the header",
            )
        is_there = (path.parent / named).is_file()
        right = _own_file(path, key, "" if is_there else named, beside)
        if not is_there:
            missing.append(printable(named))
            corrections += [(right, f"{key}={right}")] if right else []
        elif right and right != named:
            warnings.append(f"{key}={printable(named)} is read, although {printable(right)} lies beside the header")
    if missing:
        hint = "copy all files of the recording into one folder"
        if corrections:
            names = " and ".join(name for name, _ in corrections)
            lines = " and ".join(line for _, line in corrections)
            lie, line = ("lies", "line") if len(corrections) == 1 else ("lie", "lines")
            hint = f"{names} {lie} beside it: correct the header's {line} to {lines}"
        lack = "is" if len(missing) == 1 else "are"
        raise InputError(f"{' and '.join(missing)} {lack} missing", kind="io", file=path.name, hint=hint)
    return warnings


def _own_file(path: Path, key: str, named: str, beside: Sequence[str]) -> str:
    """Return the file of a header's own name that it ought to name, or the named one in another spelling; else ''."""

    def folded(name: str) -> str:
        return unicodedata.normalize("NFC", name).casefold()

    suffixes = (".eeg", ".dat", ".seg") if key == "DataFile" else (".vmrk", ".amrk")
    suffix = Path(named.replace("\\", "/")).suffix
    wanted = [folded(Path(named.replace("\\", "/")).name)]
    wanted += [folded(path.stem + end) for end in dict.fromkeys((suffix, *suffixes)) if end]
    for name in wanted:
        for own in beside:
            if folded(own) == name and folded(own) != folded(path.name):
                return own
    return ""


def fif(path: Path) -> None:
    """Refuse a chain of tags that runs backwards, which MNE would follow for ever.

    A tag is kind, type, size and the position of the next (0: behind this one, -1: none), four bytes each.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            at = 0
            while at + 16 <= size:
                stream.seek(at)
                _, _, length, following = struct.unpack(">iiii", stream.read(16))
                if following < 0:
                    return
                behind = following or at + 16 + length
                if length < 0 or behind <= at:
                    raise damaged(path.name)
                at = behind
    except OSError as problem:
        raise unreadable(path.name, problem) from problem


def damaged(name: str) -> InputError:
    """Return the error for a file that its reader cannot make sense of."""
    return InputError("cannot be made sense of", kind="corrupt", file=name, hint="copy or export it again")
