"""The static table of subcommands, so that ``brainscan --help`` imports none of them."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand.

    Parameters
    ----------
    name : str
        As typed; also the name of the function in `module`.
    help : str
        One line for the overview.
    module : str
        Imported when the command is called.
    extra : str
        Optional dependency group that the command needs; empty if none.
    needs : tuple of str
        Import names that show whether the extra is there.
    is_lines : bool
        Whether ``--json`` prints an object a line instead of one document.
    """

    name: str
    help: str
    module: str
    extra: str = ""
    needs: tuple[str, ...] = ()
    is_lines: bool = False

    @property
    def missing(self) -> bool:
        """Whether the extra is not there."""
        return any(importlib.util.find_spec(name) is None for name in self.needs)


COMMANDS: tuple[Command, ...] = (
    Command("detect", "Find the seizures in one or more recordings.", "brainscan.cli.detect"),
    Command("scan", "Find the seizures in every recording below a folder.", "brainscan.cli.scan"),
    Command("stream", "Find seizures in a recording while it grows.", "brainscan.cli.stream", is_lines=True),
    Command("evaluate", "Measure a detector against annotations.", "brainscan.cli.evaluate"),
    Command("calibrate", "Write operating points into a model's card.", "brainscan.cli.calibrate"),
    Command("score", "Score event files against event files (NEDC and SzCORE measures).", "brainscan.cli.score"),
    Command("report", "Show events on a page with the EEG around them.", "brainscan.cli.report", "report", ("jinja2",)),
    Command("info", "Show what a recording holds, or a model's card.", "brainscan.cli.info"),
    Command("export", "Write a model as ONNX graphs.", "brainscan.cli.export", "onnx", ("torch", "onnxscript")),
    Command("simulate", "Write a recording with known seizures.", "brainscan.cli.simulate"),
    Command("convert", "Convert between annotation formats.", "brainscan.cli.convert"),
    Command(
        "train", "Train a detector, or fine-tune one.", "brainscan_training.command", "train", ("torch", "lightning")
    ),
    Command("doctor", "Show what this machine can use, and test the installation.", "brainscan.cli.doctor"),
)


def find(name: str) -> Command | None:
    """Return the command of this name, or None."""
    return next((command for command in COMMANDS if command.name == name), None)
