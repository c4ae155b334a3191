"""Where what can be made again is kept between two runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def user_cache(name: str) -> Path:
    """Return where a user's caches belong on this system, below that our folder of a name (not made).

    A user without a home (a service's account) gets a place that cannot be made, as one whose home is read-only does.
    """
    try:
        home = Path.home()
    except RuntimeError:
        home = Path(os.devnull) / "no home"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "brainscan" / name
