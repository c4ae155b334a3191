"""What is to be told to others, on disk: nothing is lost while nobody listens, nothing is told twice."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from brainscan.errors import OutputError, reason_of
from brainscan.io.atomic import make_folder
from brainscan.live.lives import Known

SUFFIX = ".jsonl"

_KEPT_S = 60 * 86_400.0


def place_of(folder: Path, stream: str, target: str) -> Path:
    """Return where the outbox of a stream for a target lies; the name tells neither."""
    name = hashlib.sha256(f"{stream}\n{target}".encode("utf-8", "surrogateescape")).hexdigest()[:24]
    return folder / f"{name}{SUFFIX}"


class Outbox:
    """A queue on disk that remembers what it has let go.

    Each line is a JSON object: a document that was put in, or the name of one that was delivered.

    Parameters
    ----------
    path : Path
        Its folder is made, and outboxes in it that nobody has touched for two months go.

    Raises
    ------
    OutputError
        If it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._documents: dict[str, dict[str, Any]] = {}
        self._done: set[str] = set()
        make_folder(path.parent)
        _forget_old(path.parent)
        self._load()
        self._append("")

    @property
    def known(self) -> tuple[Known, ...]:
        """The events that were spoken of."""
        events: dict[str, Known] = {}
        for document in self._documents.values():
            name, onset_s, until_s = str(document["id"]), float(document["onset_s"]), float(document["until_s"])
            before = events.get(name, Known(name, onset_s, until_s, is_open=True))
            is_open = before.is_open and document.get("kind") == "open"
            events[name] = Known(name, min(before.onset_s, onset_s), max(before.until_s, until_s), is_open)
        return tuple(events.values())

    def put(self, name: str, document: Mapping[str, Any]) -> bool:
        """Put a document in; one of the same name is not taken twice, whatever became of it.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        with self._lock:
            if name in self._documents:
                return False
            self._documents[name] = dict(document)
        self._append(json.dumps({"put": name, "document": document}, ensure_ascii=False) + "\n")
        return True

    def waiting(self) -> list[tuple[str, dict[str, Any]]]:
        """Return what was put in and is not delivered, in that order."""
        with self._lock:
            return [(name, document) for name, document in self._documents.items() if name not in self._done]

    def done(self, name: str) -> None:
        """Take a document for delivered.

        Raises
        ------
        OutputError
            If that cannot be written.
        """
        with self._lock:
            self._done.add(name)
        self._append(json.dumps({"done": name}, ensure_ascii=False) + "\n")

    def _append(self, line: str) -> None:
        try:
            with self._lock, self.path.open("ab") as stream:
                stream.write(line.encode("utf-8"))
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as problem:
            raise OutputError(
                f"cannot be written ({reason_of(problem)})",
                file=str(self.path),
                hint="choose another place with --state",
            ) from problem

    def _load(self) -> None:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as problem:
            raise OutputError(
                f"cannot be read ({reason_of(problem)})", file=str(self.path), hint="choose another place with --state"
            ) from problem
        for line in data.splitlines():
            # The last line of a killed run may be torn.
            with suppress(ValueError, KeyError, TypeError):
                said = json.loads(line)
                if "done" in said:
                    self._done.add(str(said["done"]))
                else:
                    document = said["document"]
                    float(document["onset_s"]), float(document["until_s"]), document["id"]
                    self._documents[str(said["put"])] = document
        if data and not data.endswith(b"\n"):
            self._append("\n")


def _forget_old(folder: Path) -> None:
    """Remove outboxes that have not been touched for long."""
    oldest = time.time() - _KEPT_S
    for path in folder.glob(f"*{SUFFIX}"):
        with suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()
