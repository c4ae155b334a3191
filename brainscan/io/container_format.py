"""What a row of the table of recordings' containers says (`brainscan.io.container_formats` holds the rows)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from brainscan.recording import Recording


def _no(_head: bytes, _name: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class ContainerFormat:
    """One container of recordings, read or not: all that the rest of the program knows about it.

    Parameters
    ----------
    name : str
        ``EDF``; for those that are not read, the maker and the kind of file.
    suffixes : tuple of str
        Endings of names in lower case. Where the container is read, a file so named is a recording whatever it holds,
        unless `content_only`.
    recognise : callable
        ``(first bytes, name) -> bool``; the rows are asked in the order of the table.
    companions : tuple of str
        Endings of the other files of one recording; they are no recordings of their own.
    part : str
        Regular expression of what tells the parts of one recording apart, at the end of their names' stems.
    folder : bool
        Whether a recording is a folder of that suffix.
    suffix_tells : bool
        Whether a file whose content nobody knows counts by its suffix, for containers without a signature. Content
        that is known as something else (another container, an event file, a PDF) always counts before the suffix.
    is_text : bool
        Whether that holds for texts too, which are else no recordings: files of this container are texts.
    content_only : bool
        Whether other files have such names too: only its content makes one a recording.
    read : callable or None
        ``path -> Recording``.
    reader : str
        For the documentation: what reads it.
    extra : str
        The optional dependency of `read`.
    modules : tuple of str
        The modules that show whether it is installed.
    lazy : bool
        Whether samples are read as they are needed; else the whole file lies in memory.
    tested : str
        For the documentation: on what it is tested.
    way_out : str
        How to get a file that is read, where this one is not.
    """

    name: str
    suffixes: tuple[str, ...] = ()
    recognise: Callable[[bytes, str], bool] = field(default=_no)
    companions: tuple[str, ...] = ()
    part: str = ""
    folder: bool = False
    suffix_tells: bool = False
    is_text: bool = False
    content_only: bool = False
    read: Callable[[Path], Recording] | None = None
    reader: str = ""
    extra: str = ""
    modules: tuple[str, ...] = ()
    lazy: bool = True
    tested: str = ""
    way_out: str = ""

    def named(self, name: str | PurePath) -> bool:
        """Whether a file's name ends as this container's do."""
        return str(name).lower().endswith(self.suffixes) if self.suffixes else False

    def accompanies(self, name: str | PurePath) -> bool:
        """Whether a file's name ends as those of companions do."""
        return str(name).lower().endswith(self.companions) if self.companions else False


def starts(*signatures: bytes) -> Callable[[bytes, str], bool]:
    """Return a test of the first bytes."""
    return lambda head, _name: head.startswith(signatures)
