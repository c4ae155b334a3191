"""What a run writes down as it goes: JSON lines, TensorBoard, and a display for whoever watches."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from brainscan.io.atomic import write_text
from brainscan.mapping import finite
from brainscan_training.state import Progress
from brainscan_training.validate import Validation

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

LOG = "log.jsonl"
TENSORBOARD = "tensorboard"


class Watcher(Protocol):
    """Whoever looks on while a run goes."""

    def record(self, record: Mapping[str, Any]) -> None:
        """Take a line of the log."""
        ...

    def message(self, text: str) -> None:
        """Take a line for people."""
        ...

    def progress(self, what: str, done: int, total: int) -> None:
        """Take how far something is."""
        ...

    def close(self) -> None:
        """Stop looking on."""
        ...


class Silent:
    """Nobody looks on."""

    def record(self, record: Mapping[str, Any]) -> None:
        """Pass over a line of the log."""

    def message(self, text: str) -> None:
        """Pass over a line for people."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Pass over how far something is."""

    def close(self) -> None:
        """Need nothing."""


class Journal:
    """The log of a run.

    Parameters
    ----------
    run : Path
        The run's folder.
    progress : Progress
        Where it begins; later lines that a killed process left are removed.
    watcher : Watcher
    """

    def __init__(self, run: Path, progress: Progress, watcher: Watcher) -> None:
        self._watcher = watcher
        path = run / LOG
        if path.exists():
            _cut(path, progress)
        self._stream = path.open("a", encoding="utf-8")
        from torch.utils.tensorboard import SummaryWriter

        self._board: SummaryWriter = SummaryWriter(str(run / TENSORBOARD), purge_step=progress.attempted)

    def step(self, record: Mapping[str, Any]) -> None:
        """Write one training step."""
        self._line({"kind": "step", **record})
        for name in ("loss", "detection", "electrodes", "learning_rate", "norm", "clamped", "waited_s"):
            self._scalar(f"step/{name}", record[name], record["step"])
        self._scalar("step/skipped", float(record["skipped"]), record["step"])

    def validation(self, record: Mapping[str, Any], validation: Validation) -> None:
        """Write one validation, with its FROC picture and example traces."""
        from brainscan_training.pictures import froc_picture, trace_picture

        self._line({"kind": "validation", **record})
        step = record["step"]
        self._scalar("validation/sensitivity", validation.point.sensitivity, step)
        for source, value in validation.auroc.items():
            self._scalar(f"validation/auroc/{source}", value, step)
        self._board.add_image("validation/froc", froc_picture(validation.curve), step, dataformats="HWC")
        for number, recording in enumerate(validation.recordings[:3]):
            self._board.add_image(f"validation/trace{number}", trace_picture(recording), step, dataformats="HWC")

    def message(self, text: str) -> None:
        """Say something to people; it is no part of the log."""
        self._watcher.message(text)

    def progress(self, what: str, done: int, total: int) -> None:
        """Say how far something is."""
        self._watcher.progress(what, done, total)

    def close(self) -> None:
        """End the log."""
        self._stream.close()
        self._board.close()
        self._watcher.close()

    def _line(self, record: Mapping[str, Any]) -> None:
        self._stream.write(json.dumps(finite(dict(record))) + "\n")
        self._stream.flush()
        self._watcher.record(record)

    def _scalar(self, name: str, value: float, step: int) -> None:
        self._board.add_scalar(name, value, step)


def read_log(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a log; an unfinished last one is passed over."""
    records = []
    for line in path.read_text("utf-8").splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            break
    return records


def _cut(path: Path, progress: Progress) -> None:
    """Remove what was written after the state from which the run goes on."""

    def stays(record: Mapping[str, Any]) -> bool:
        if record["kind"] == "step":
            return bool(record["step"] < progress.attempted)
        return bool(record["epoch"] < progress.validated)

    kept = [json.dumps(record) + "\n" for record in read_log(path) if stays(record)]
    write_text(path, "".join(kept))
