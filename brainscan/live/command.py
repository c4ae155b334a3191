"""An event on the standard input of a command."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

from brainscan.errors import UsageError, reason_of
from brainscan.live.courier import RefusedError

TIMEOUT_S = 60.0


class Command:
    """A command that is run for each event, by no shell.

    Parameters
    ----------
    line : str
        Program and arguments, quoted as a shell has it.
    timeout_s : float
        A run that takes longer is ended.

    Raises
    ------
    UsageError
        If there is no such program.
    """

    def __init__(self, line: str, timeout_s: float = TIMEOUT_S) -> None:
        try:
            self._words = shlex.split(line, posix=os.name == "posix")
        except ValueError as problem:
            raise UsageError(f"--on-event is no command ({problem})", hint="quote it as for a shell") from None
        if not self._words or shutil.which(self._words[0]) is None:
            raise UsageError("--on-event names no program that can be run", hint="give its path")
        self.shown = os.path.basename(self._words[0])  # noqa: PTH119 - a name, whatever the system
        self._timeout_s = timeout_s

    def __call__(self, name: str, document: Mapping[str, Any]) -> str:
        """Run the command; it gets its one chance.

        Raises
        ------
        RefusedError
            If it cannot be run, takes too long, or says by its exit code that something went wrong.
        """
        try:
            done = subprocess.run(
                self._words,
                input=json.dumps(document, ensure_ascii=False).encode("utf-8") + b"\n",
                stdout=subprocess.DEVNULL,  # ours carries the stream's own lines
                timeout=self._timeout_s,
                start_new_session=True,  # Ctrl-C is meant for the stream
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise RefusedError(f"command {self.shown} took longer than {self._timeout_s:g} s") from None
        except OSError as problem:
            raise RefusedError(f"command {self.shown} cannot be run ({reason_of(problem)})") from None
        if done.returncode:
            raise RefusedError(f"command {self.shown} ended with exit code {done.returncode}")
        return ""
