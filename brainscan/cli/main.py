"""Entry point: find the subcommand, run it, turn errors into one line and an exit code."""

from __future__ import annotations

import difflib
import errno
import importlib
import inspect
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from brainscan._version import __version__
from brainscan.cli.interrupts import interruptible
from brainscan.cli.table import COMMANDS, Command, find
from brainscan.errors import BrainscanError, MissingExtraError, OutputError, UsageError, reason_of

INTERRUPTED = 130
DEFECT = 1

_FULL = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})
"""Of a stream without a name this is stdout's failure: every file is written where its own is translated."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code (README).

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; by default those of the process.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    tell = _telling(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names need not be text
    try:
        _require_streams()
        with interruptible():
            code = _dispatch(arguments)
        sys.stdout.flush()  # here, where a failure can still be told
    except BrainscanError as error:
        _report(error, tell)
        return error.exit_code
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our stdout left (`| head`).
        _let_stdout_go()
        return 0
    except Exception as problem:  # noqa: BLE001 - the outermost frame: all but a full disk is our defect
        if isinstance(problem, OSError) and problem.filename is None and problem.errno in _FULL:
            _let_stdout_go()
            full = OutputError(f"cannot be written ({reason_of(problem)})", file="stdout", hint="send it elsewhere")
            _report(full, _untold)
            return full.exit_code
        import traceback

        traceback.print_exc()
        print(
            f"error: this is a defect of brainscan {__version__}. hint: please report it with the lines above",
            file=sys.stderr,
        )
        tell({"kind": "defect", "message": "a defect of brainscan", "hint": "please report it"})
        return DEFECT
    return code


def _require_streams() -> None:
    """Give a closed stderr a place that swallows, and refuse a closed stdout, where results would vanish.

    Raises
    ------
    OutputError
    """
    if sys.stderr is None:
        # Open until the process ends; without it print would take stdout instead.
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    if sys.stdout is None:
        raise OutputError("is closed", file="stdout", hint="`> /dev/null` discards what is printed")


def _let_stdout_go() -> None:
    """Silence the flush at exit too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dispatch(arguments: list[str]) -> int:
    if not arguments or arguments[0] in {"--help", "-h", "help"}:
        if len(arguments) > 1 and find(arguments[1]):
            return _dispatch([arguments[1], "--help"])
        sys.stdout.write(overview())
        return 0
    if arguments[0] in {"--version", "-V"}:
        sys.stdout.write(f"brainscan {__version__}\n")
        return 0
    command = find(arguments[0])
    if command is None:
        near = difflib.get_close_matches(arguments[0], [c.name for c in COMMANDS], n=1)
        hint = f"did you mean `brainscan {near[0]}`?" if near else "`brainscan --help` lists the commands"
        raise UsageError(f"no such command or option: {arguments[0]}", hint=hint)
    return _run(command, arguments[1:])


def _run(command: Command, arguments: list[str]) -> int:
    if command.missing:
        raise MissingExtraError(f"`brainscan {command.name}`", command.extra)
    import typer

    function = getattr(importlib.import_module(command.module), command.name)
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    text, examples = _split_docstring(function)
    app.command(command.name, help=text, epilog=examples, context_settings={"help_option_names": ["-h", "--help"]})(
        function
    )
    # Not through the app's own main: that would turn an interrupt and a broken pipe into silent exits.
    parser = typer.main.get_command(app)
    try:
        with parser.make_context(f"brainscan {command.name}", list(arguments)) as context:
            parser.invoke(context)
    except typer.Exit as ended:
        return ended.exit_code
    except typer.Abort:
        raise KeyboardInterrupt from None
    except typer.TyperException as error:
        raise _usage(command, error) from None
    return 0


def _usage(command: Command, error: Any) -> UsageError:
    text = " ".join(str(error.format_message()).split()).rstrip(".")
    return UsageError(text, hint=f"`brainscan {command.name} --help` shows usage and examples")


def _split_docstring(function: Callable[..., Any]) -> tuple[str, str]:
    r"""Return a command's help text and its examples, each kept line by line (``\b``)."""
    text = inspect.getdoc(function) or ""
    body, _, examples = text.partition("Examples\n--------\n")
    if not examples:
        return body, ""
    lines = "\n".join(f"  {line}".rstrip() for line in examples.strip().splitlines())
    return body.strip(), f"\b\nExamples:\n{lines}"


def overview() -> str:
    """Return the text of ``brainscan --help``."""
    width = max(len(c.name) for c in COMMANDS)
    rows = []
    for c in COMMANDS:
        note = f' (needs: pip install "brainscan[{c.extra}]")' if c.missing else ""
        rows.append(f"  {c.name.ljust(width)}  {c.help}{note}")
    commands = "\n".join(rows)
    return f"""\
brainscan {__version__}: seizure detection in scalp EEG. Research use, not a medical device.

Usage: brainscan COMMAND [OPTIONS] ...

Commands:
{commands}

Options:
  -V, --version  Show the version.
  -h, --help     Show this text; `brainscan COMMAND --help` shows options and examples.

Examples:
  brainscan detect night.edf
  brainscan scan archive/ -o results/
  brainscan info night.edf
"""


def _report(error: BrainscanError, tell: Callable[[dict[str, str]], None]) -> None:
    print(f"error: {error}", file=sys.stderr)
    if not error.reported and sys.stdout is not None:
        tell(error.as_mapping())


def _telling(arguments: Sequence[str]) -> Callable[[dict[str, str]], None]:
    """Return what tells a program of a failure, in the form in which the command's ``--json`` tells all else."""
    if "--json" not in arguments:
        return _untold
    command = find(arguments[0])

    def tell(failure: dict[str, str]) -> None:
        from brainscan.documents import spelled

        indent = None if command is not None and command.is_lines else 2
        sys.stdout.write(spelled({"schema": "failure-1", "error": failure}, indent=indent) + "\n")
        sys.stdout.flush()

    return tell


def _untold(_failure: dict[str, str]) -> None:
    return None


if __name__ == "__main__":
    sys.exit(main())
