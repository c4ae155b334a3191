"""What is to be written for which recording, settled before any work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainscan.errors import BrainscanError, UsageError
from brainscan.io import event_formats
from brainscan.io.containers import identified
from brainscan.io.event_format import EventFormat
from brainscan.io.guard import same_file
from brainscan.io.links import real_path
from brainscan.io.outputs import anonymous_name, output_stem

if TYPE_CHECKING:
    from brainscan.recording import Recording

STDOUT = "-"


def _any(_recording: Recording) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Target:
    """One output: a format, and the file.

    Parameters
    ----------
    format : EventFormat
    path : Path or None
        None for the stream that the job is given.
    if_events : bool
        Write it only where there are any.
    """

    format: EventFormat
    path: Path | None
    if_events: bool = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Let tasks pass between processes, although a format is made of functions: by its name."""
        return _target, (self.format.name, self.path, self.if_events)


def _target(name: str, path: Path | None, if_events: bool) -> Target:
    return Target(event_formats.FORMATS[name], path, if_events)


@dataclass(frozen=True, slots=True)
class Task:
    """One recording.

    Parameters
    ----------
    path : Path
    targets : tuple of Target
    shown : str
        How results and messages call it.
    inputs : tuple of Path
        Everything that the same command reads, none of which may be written over.
    source : str
        Address of the folder that the path is relative to; empty where the path is one of this machine.
    require : callable
        ``(recording)``: raises a `BrainscanError` where it shall not be analysed for a reason of the caller's.
    keep_curves : bool
        Whether the outcome's detection keeps its probability curves.
    checksum : bool
        Whether the detection shall name the file's checksum, for which all of it is read.
    """

    path: Path
    targets: tuple[Target, ...]
    shown: str
    inputs: tuple[Path, ...] = ()
    source: str = ""
    require: Callable[[Recording], None] = _any
    keep_curves: bool = False
    checksum: bool = True

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that will be written."""
        return tuple(target.path for target in self.targets if target.path is not None)

    @property
    def formats(self) -> tuple[str, ...]:
        """The names of the formats, in the order of the outputs."""
        return tuple(target.format.name for target in self.targets)

    @property
    def wants_curves(self) -> bool:
        """Whether the probability curves are asked for, or any output holds them."""
        return self.keep_curves or any("curve" in target.format.holds for target in self.targets)

    def require_recording(self, *, anonymous: bool) -> None:
        """Refuse what is absent or no recording that is read, before anything is imported that reads or computes.

        Parameters
        ----------
        anonymous : bool
            As of `named`.

        Raises
        ------
        InputError
        """
        try:
            identified(self.path)
        except BrainscanError as error:
            raise self.named(error, anonymous=anonymous) from None

    def named(self, error: BrainscanError, *, anonymous: bool) -> BrainscanError:
        """Return an error that calls the recording by the name that results have for it, where that hides its own."""
        if error.file in {self.path.name, ""}:
            error.file = self.shown  # the same name may occur in many folders
        if anonymous:
            error.message = error.message.replace(self.path.name, self.shown)
        return error

    @property
    def wants_trends(self) -> bool:
        """Whether any output holds the trends."""
        return any("trend" in target.format.holds for target in self.targets)


@dataclass(frozen=True, slots=True)
class OutputChoice:
    """Where results go and in which formats, as ``detect`` is told.

    Parameters
    ----------
    output : str
        A file, a folder (ending in a slash, or one that is there), ``-``, or empty for the current folder.
    formats : tuple of str
        Names; empty for what the suffix of `output` says.
    curves : Path or None
        File for the probability curves.
    trends : Path or None
        File for the trends.
    anonymous : bool
        Give files the hash of the recording's name.
    """

    output: str = ""
    formats: tuple[str, ...] = ()
    curves: Path | None = None
    trends: Path | None = None
    anonymous: bool = False
    rows: tuple[EventFormat, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        """Find the formats.

        Raises
        ------
        UsageError
            If one does not exist, or contradicts the suffix of its file.
        MissingExtraError
            If one needs a package that is not installed.
        """
        among = event_formats.outputs()
        chosen = [event_formats.named(name, "--format", among) for name in dict.fromkeys(self.formats)]
        if not chosen and (not self._is_file or not Path(self.output).suffix):
            chosen = [event_formats.FORMATS["csv_bi"]]
        elif self._is_file and len(chosen) < 2:
            chosen = [event_formats.for_file(self.output, among, "--format", chosen[0] if chosen else None)]
        for row in chosen:
            row.require()
        for option, path, row in self._further():
            event_formats.for_file(str(path), among, option, row)
        object.__setattr__(self, "rows", tuple(chosen))

    @property
    def _is_folder(self) -> bool:
        named = self.output not in {"", STDOUT}
        return self.output.endswith(("/", "\\")) or (named and Path(self.output).is_dir())

    @property
    def _is_file(self) -> bool:
        return self.output not in {"", STDOUT} and not self._is_folder

    def tasks(self, recordings: Sequence[Path]) -> tuple[Task, ...]:
        """Return what to write for each recording.

        Raises
        ------
        UsageError
            If two outputs would have one name, or a recording is given twice.
        """
        n_outputs = len(recordings) * len(self.rows)
        if n_outputs > 1 and self.output == STDOUT:
            raise UsageError(f"-o - takes one output, not {n_outputs}", hint="name a folder with -o DIR/")
        for option, file, row in self._further():
            if file.suffix.lower() != ".npz":
                raise UsageError(f"{option} writes an .npz, and {file} is no name of one", hint="let it end in .npz")
            if len(recordings) > 1:
                hint = f"run detect once a recording, or give --format {row.name}"
                raise UsageError(f"{option} takes one recording", hint=hint)
        if n_outputs > 1 and self._is_file:
            raise UsageError(
                f"-o {self.output} is one file for {n_outputs} outputs", hint="name a folder, ending with /"
            )
        tasks = [self._task(path, tuple(recordings)) for path in recordings]
        for number, path in enumerate(recordings):
            if any(same_file(path, other) for other in recordings[:number]):
                raise UsageError(f"{path} is given twice", hint="name each recording once")
        _refuse_clashes(tasks)
        return tuple(tasks)

    def _further(self) -> Iterator[tuple[str, Path, EventFormat]]:
        """Yield what goes to files of their own: option, file, format."""
        for option, path, name in (("--probabilities", self.curves, "npz"), ("--trends", self.trends, "trends")):
            if path is not None:
                yield option, path, event_formats.FORMATS[name]

    def _task(self, path: Path, inputs: tuple[Path, ...]) -> Task:
        stem = anonymous_name(path.name) if self.anonymous else output_stem(path)
        targets = [Target(row, self._place(stem, row.new_suffix(path))) for row in self.rows]
        targets += [Target(row, further) for _, further, row in self._further()]
        return Task(path, tuple(targets), anonymous_name(path.name) if self.anonymous else path.name, inputs)

    def _place(self, stem: str, suffix: str) -> Path | None:
        if self.output == STDOUT:
            return None
        return Path(self.output) if self._is_file else Path(self.output) / f"{stem}{suffix}"


def _refuse_clashes(tasks: Sequence[Task]) -> None:
    """Refuse outputs that would overwrite each other."""
    taken: dict[Path, Path] = {}
    for task in tasks:
        for file in task.files:
            place = real_path(file)
            if place in taken:
                raise UsageError(
                    f"{task.path} and {taken[place]} would both write {file}",
                    hint="run them apart, or use `brainscan scan`",
                )
            taken[place] = task.path
