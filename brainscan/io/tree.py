"""The files below a folder, in an order that does not depend on the file system; links are followed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def files_below(root: Path) -> Iterator[Path]:
    """Yield the files below a folder, folder by folder in order of name.

    Nothing that is hidden or in a hidden folder counts. Links are followed; a folder that links to one of those it
    lies in would never end and is left out, and so is a link to nothing.

    Parameters
    ----------
    root : Path
    """
    yield from _below(root, (root.resolve(),))


def _below(folder: Path, above: tuple[Path, ...]) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if not entry.name.startswith("."))
    except OSError:
        return
    for name in names:
        path = folder / name
        if path.is_dir():
            real = path.resolve()
            if real not in above:
                yield from _below(path, (*above, real))
        elif path.is_file():
            yield path
