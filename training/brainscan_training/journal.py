"""What a run writes down as it goes: JSON lines, TensorBoard, and a display for whoever watches."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from brainscan.documents import spelled
from brainscan.errors import OutputError, reason_of
from brainscan.io.atomic import write_text
from brainscan_training.state import Progress
from brainscan_training.validate import Validation

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

LOG = "log.jsonl"
TENSORBOARD = "tensorboard"
SCHEMA = "train-1"
"""The schema in docs/schemas that every line of the log keeps to, and every line that the command prints."""


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

    Raises
    ------
    OutputError
        Here and in every method, if the log cannot be written.
    """

    def __init__(self, run: Path, progress: Progress, watcher: Watcher) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._watcher = watcher
        self._path = run / LOG
        with _writing(self._path), ExitStack() as opened:
            if self._path.exists():
                _cut(self._path, progress)
            self._stream = opened.enter_context(self._path.open("a", encoding="utf-8"))
            self._board: SummaryWriter = SummaryWriter(str(run / TENSORBOARD), purge_step=progress.attempted)
            opened.pop_all()

    def step(self, record: Mapping[str, Any]) -> None:
        """Write one training step."""
        self._line({"schema": SCHEMA, "kind": "step", **record})
        for name in ("loss", "detection", "electrodes", "learning_rate", "norm", "clamped", "waited_s"):
            self._scalar(f"step/{name}", record[name], record["step"])
        self._scalar("step/skipped", float(record["skipped"]), record["step"])

    def validation(self, record: Mapping[str, Any], validation: Validation) -> None:
        """Write one validation, with its FROC picture and example traces."""
        from brainscan_training.pictures import froc_picture, trace_picture

        self._line({"schema": SCHEMA, "kind": "validation", **record})
        step = record["step"]
        self._scalar("validation/sensitivity", validation.point.sensitivity, step)
        for source, value in validation.auroc.items():
            self._scalar(f"validation/auroc/{source}", value, step)
        pictures = {f"trace{number}": trace_picture(one) for number, one in enumerate(validation.recordings[:3])}
        pictures["froc"] = froc_picture(validation.curve)
        with _writing(self._path):
            for name, picture in pictures.items():
                self._board.add_image(f"validation/{name}", picture, step, dataformats="HWC")

    def message(self, text: str) -> None:
        """Say something to people; it is no part of the log."""
        self._watcher.message(text)

    def progress(self, what: str, done: int, total: int) -> None:
        """Say how far something is."""
        self._watcher.progress(what, done, total)

    def close(self) -> None:
        """End the log."""
        with ExitStack() as closing:
            closing.callback(self._watcher.close)
            closing.enter_context(_writing(self._path))
            closing.callback(self._board.close)
            self._stream.close()

    def _line(self, record: Mapping[str, Any]) -> None:
        with _writing(self._path):
            self._stream.write(spelled(record) + "\n")
            self._stream.flush()
        self._watcher.record(record)

    def _scalar(self, name: str, value: float, step: int) -> None:
        with _writing(self._path):
            self._board.add_scalar(name, value, step)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Call a full disk one; what watchers raise, such as a closed pipe, is none of this."""
    try:
        yield
    except OSError as problem:
        raise OutputError(
            f"the log cannot be written ({reason_of(problem)})",
            file=str(path),
            hint="make room and go on with --resume",
        ) from problem


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

    lines = path.read_text("utf-8").splitlines(keepends=True)
    kept = [line for line, record in zip(lines, read_log(path), strict=False) if stays(record)]
    write_text(path, "".join(kept))
