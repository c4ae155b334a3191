"""Recordings at an address (``s3://``, ``sftp://`` …), by fsspec: listed, and fetched one at a time."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from brainscan.errors import InputError, MissingExtraError, reason_of
from brainscan.io.containers import rows

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://")
_MD5 = re.compile(r"[0-9a-f]{32}")
_TEMPORARY = "brainscan-fetch-"
_BLOCK = 1 << 20


def is_address(text: str) -> bool:
    """Say whether a text is the address of a remote folder, and no path.

    >>> is_address("s3://archive/2026"), is_address("/data/archive")
    (True, False)
    """
    return _ADDRESS.match(text) is not None


def shown(address: str) -> str:
    """Return an address as it may be shown: without a password.

    >>> shown("sftp://nurse:secret@ward/eeg")
    'sftp://nurse@ward/eeg'
    """
    parts = urlsplit(address)
    user, at, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}{at}{host}"))


@dataclass(frozen=True, slots=True)
class RemoteFolder:
    """A folder at an address. Who may read it is the business of its protocol: environment, keys, its own files.

    Parameters
    ----------
    address : str
    """

    address: str

    def recordings(self) -> tuple[PurePath, ...]:
        """Return the recordings below it, relative and sorted; by their suffixes, since nothing is opened.

        Raises
        ------
        InputError
            If it cannot be listed.
        MissingExtraError
            If its protocol's package is not installed.
        """
        system, root = self._open()
        with _translated(shown(self.address), "listed"):
            found = system.find(root)
        below = (PurePosixPath(path).relative_to(PurePosixPath(root)) for path in found)
        kinds = rows(read=True)
        return tuple(
            sorted(
                PurePath(*path.parts)
                for path in below
                if not any(part.startswith(".") for part in path.parts) and any(kind.named(path) for kind in kinds)
            )
        )

    def fetch(self, path: PurePath, folder: Path) -> Path:
        """Copy a recording, and the files that belong to it, into a folder, under their own names.

        Returns
        -------
        Path
            The recording's.

        Raises
        ------
        InputError
            If it cannot be fetched in two attempts, arrives other than it is there, or changes meanwhile.
        """
        try:
            return self._fetched(path, folder)
        except InputError:
            _forget_connections(self.address)  # one that broke would stay broken
            return self._fetched(path, folder)

    def _fetched(self, path: PurePath, folder: Path) -> Path:
        system, root = self._open()
        with _translated(path.name, "fetched"):
            for name in (path, *self._companions(system, root, path)):
                _copy(system, str(PurePosixPath(root, *name.parts)), folder / name.name)
        return folder / path.name

    def _companions(self, system: Any, root: str, path: PurePath) -> Iterator[PurePath]:
        for kind in rows(read=True):
            if kind.named(path):
                for suffix in kind.companions:
                    other = path.with_suffix(suffix)
                    if system.exists(str(PurePosixPath(root, *other.parts))):
                        yield other

    def _open(self) -> tuple[Any, str]:
        """Return the file system and the folder's path in it."""
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            raise MissingExtraError(f"an address ({shown(self.address)})", "remote") from None
        options: dict[str, Any] = {}
        scheme = self.address.partition(":")[0]
        needs = {"s3": "s3fs", "s3a": "s3fs", "sftp": "paramiko", "ssh": "paramiko"}.get(scheme)
        if needs is not None and importlib.util.find_spec(needs) is None:
            raise MissingExtraError(f"an address ({scheme}://)", "remote")
        if needs == "paramiko":
            from brainscan.io.known_hosts import KnownHosts

            options["host_key_policy"] = KnownHosts
        with _translated(shown(self.address), "reached"):
            system, root = url_to_fs(self.address, **options)
        return system, root.rstrip("/") or "/"


def _forget_connections(address: str) -> None:
    from fsspec import get_filesystem_class

    get_filesystem_class(address.partition(":")[0]).clear_instance_cache()


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder for what is fetched, which goes afterwards; what killed processes left goes now."""
    _remove_left()
    with tempfile.TemporaryDirectory(prefix=f"{_TEMPORARY}{os.getpid()}-") as folder:
        yield Path(folder)


def _remove_left() -> None:
    for left in Path(tempfile.gettempdir()).glob(f"{_TEMPORARY}*"):
        with suppress(OSError, ValueError):
            owner = int(left.name.removeprefix(_TEMPORARY).partition("-")[0])
            if not _lives(owner):
                shutil.rmtree(left, ignore_errors=True)


def _lives(pid: int) -> bool:
    if os.name == "nt":
        return True  # signal 0 would end it there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _copy(system: Any, source: str, target: Path) -> None:
    before = _facts(system, source)
    digest, n_bytes = hashlib.md5(usedforsecurity=False), 0
    with system.open(source, "rb", cache_type="readahead") as remote, target.open("wb") as local:
        while block := remote.read(_BLOCK):
            local.write(block)
            digest.update(block)
            n_bytes += len(block)
    if _facts(system, source) != before:
        raise InputError("changed while it was fetched", kind="io", file=target.name, hint="wait until it is whole")
    size, checksum = before[0], before[1].strip('"')
    if n_bytes != size or (_MD5.fullmatch(checksum) and checksum != digest.hexdigest()):
        raise InputError(
            f"did not arrive as it is there ({n_bytes} of {size} bytes)",
            kind="io",
            file=target.name,
            hint="try again; the network or the store damages it",
        )


def _facts(system: Any, source: str) -> tuple[int, str, str]:
    """Return size, checksum where the store has one (of an S3 object in one part, its MD5), and time of change."""
    system.invalidate_cache()
    info = system.info(source)
    changed = info.get("mtime", info.get("LastModified", ""))
    return int(info.get("size") or 0), str(info.get("ETag", "")), str(changed)


@contextmanager
def _translated(name: str, done: str) -> Iterator[None]:
    """Turn what stores, networks and disks say into one line, without what an address may hold of secrets."""
    try:
        yield
    except InputError:
        raise
    except ImportError as problem:
        raise MissingExtraError(f"an address ({problem.name})", "remote") from None
    except OSError as problem:
        why = reason_of(problem) if problem.strerror else type(problem).__name__
        raise InputError(f"cannot be {done} ({why})", kind="io", file=name, hint=_HINT) from None
    except Exception as problem:  # noqa: BLE001 - each store has its own tree of errors
        raise InputError(f"cannot be {done} ({type(problem).__name__})", kind="io", file=name, hint=_HINT) from None


_HINT = "check the address, the credentials of this user and the network"
