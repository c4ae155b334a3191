"""Which SFTP servers are who they say they are: those in the user's ``known_hosts``, and no others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import paramiko


class KnownHosts(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
    """Accept a server's key if OpenSSH would without asking; refuse it otherwise.

    The file is ``~/.ssh/known_hosts``, or the one that BRAINSCAN_KNOWN_HOSTS names.
    """

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        """Check a key.

        Raises
        ------
        paramiko.SSHException
            If it is not known.
        """
        path = Path(os.environ.get("BRAINSCAN_KNOWN_HOSTS") or Path("~/.ssh/known_hosts").expanduser())
        known = paramiko.HostKeys()
        if path.is_file():
            known.load(str(path))
        if not known.check(hostname, key):
            raise UnknownHostError(f"the key of {hostname} is not in {path.name}")


class UnknownHostError(paramiko.SSHException):  # type: ignore[misc]
    """A server's key is not known."""
