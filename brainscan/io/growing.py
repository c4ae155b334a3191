"""Whether a recording is still being written, as far as its header, its neighbours and its size can say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from brainscan.errors import InputError
from brainscan.io.containers import container_of, read_head
from brainscan.io.edf_header import FIXED_BYTES, header_length, parse_header
from brainscan.io.links import AbsentContentError
from brainscan.io.remembered import Stamp

_LOCKS = ("{name}.lock", "{stem}.lock", "{name}.lck", "{stem}.lck", ".{name}.lock", ".~lock.{name}#", "~${name}")
"""Files beside a recording that say a recorder or viewer has it open."""

_COPIES = (".filepart", ".part", ".partial", ".crdownload", ".download", ".tmp")
"""What programs that copy put behind a name until the copy is whole."""


@dataclass(frozen=True, slots=True)
class State:
    """What can be seen of a file from outside; equal as long as nobody writes.

    Parameters
    ----------
    files : tuple of Stamp
        Of the file, and of those of the same name that may belong to it. A file that replaces one of its size and
        time is another one, also on Windows, where the last change of an inode is not kept.
    """

    files: tuple[Stamp, ...]


def state_of(path: Path) -> State | None:
    """Return the state of a recording and its side files; None if it is not there.

    Parameters
    ----------
    path : Path
    """
    try:
        seen = [path.stat()]
    except OSError:
        return None
    for other in _companions(path):
        with suppress(OSError):
            seen.append(other.stat())
    return State(tuple(map(Stamp.of, seen)))


def held_by(path: Path) -> str:
    """Return the name of a file beside a recording that says it is in use; empty if there is none.

    >>> held_by(Path("absent.edf"))
    ''
    """
    names = [pattern.format(name=path.name, stem=path.stem) for pattern in _LOCKS]
    names += [f"{path.name}{suffix}" for suffix in _COPIES]
    return next((name for name in names if (path.parent / name).exists()), "")


def is_whole(path: Path) -> bool:
    """Say whether a recording holds as many records as its header says; of what has no such number, True.

    EDF's header says −1 records while a recorder writes. A file without a whole header is not whole.
    """
    try:
        size = path.stat().st_size
        container = container_of(read_head(path), path.name)
        if container not in {"EDF", "BDF"}:
            return True
        with path.open("rb") as stream:
            length = header_length(stream.read(FIXED_BYTES), size, path.name)
            stream.seek(0)
            header = parse_header(stream.read(length), container, path.name)
    except (OSError, InputError) as problem:
        return isinstance(problem, AbsentContentError)
    return header.n_records >= 0 and size >= header.data_start + header.n_records * header.record_bytes


def _companions(path: Path) -> Iterator[Path]:
    from brainscan.io.container_formats import CONTAINERS

    for row in CONTAINERS:
        if row.read is not None and row.named(path):
            for suffix in row.companions:
                yield path.with_suffix(suffix)
