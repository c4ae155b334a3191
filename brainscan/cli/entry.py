"""Where the command begins: before anything that takes long is imported, so that Ctrl-C is heard from here on."""

from __future__ import annotations

import os
import signal


def main() -> int:
    """Run the command line of this process and return its exit code; an interrupt while it is imported ends it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # ignored by `nohup` and its like, it stays so
        signal.signal(signal.SIGINT, end_at_once)
    from brainscan.cli.main import main as run

    return run()


def end_at_once(_number: int, _frame: object) -> None:
    """End the process in one line: as long as nothing has begun, and when all has ended, there is nothing to tidy."""
    try:
        os.write(2, b"error: interrupted\n")
    finally:
        os._exit(130)
