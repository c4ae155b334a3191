"""What a user asked of ``train``, and the run that it means: a new one, or one that goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from brainscan.errors import InputError, UsageError
from brainscan.io.atomic import write_text
from brainscan_training.config import TrainConfig
from brainscan_training.init import resolved
from brainscan_training.profiles import build_config, read_profile, read_yaml, with_settings

CONFIG = "config.yaml"
SETTINGS = "settings.json"
DEFAULT_PROFILE = "cpu"

_SIMULATION = "simulation"


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of one call that say what a run is.

    Parameters
    ----------
    profile : str
        Empty where none was named.
    config : Path or None
    settings : tuple of str
        ``KEY=VALUE``.
    data : tuple of str
    init : str
    output : Path or None
    """

    profile: str = ""
    config: Path | None = None
    settings: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    init: str = ""
    output: Path | None = None

    def __post_init__(self) -> None:
        if self.profile and self.config:
            raise UsageError(
                "give --profile or --config, not both", hint="a file may hold every key; --set changes one"
            )

    @property
    def folder(self) -> Path:
        """Where a new run goes."""
        return self.output or Path("runs") / (self.profile or (self.config.stem if self.config else DEFAULT_PROFILE))

    def new(self) -> TrainConfig:
        """Return the run that begins.

        Raises
        ------
        UsageError
            If it cannot be one.
        """
        return self._begun(self.settings)

    def resumed(self, run: Path) -> TrainConfig:
        """Return a run as its folder has it, with further settings; other options may repeat what it has.

        Raises
        ------
        InputError
            If the folder holds no run.
        UsageError
            If an option says something else than the run.
        """
        if not (run / CONFIG).is_file():
            raise InputError(
                f"holds no {CONFIG}, so it is no run", kind="io", file=str(run), hint="train with -o RUN first"
            )
        going = build_config(with_settings(read_yaml(run / CONFIG), self.settings), file=CONFIG)
        if self.output and not _same((str(self.output),), (str(run),)):
            raise UsageError(f"--resume {run} and -o {self.output} are two folders", hint="a run stays where it is")
        if self.data and not _same(self.data, going.data.paths):
            raise _other(run, f"--data {', '.join(self.data)}", f"trains on {', '.join(going.data.paths) or 'nothing'}")
        if self.init and not _same((self.init,), (going.init,)):
            raise _other(run, f"--init {self.init}", f"began from {going.init or 'fresh weights'}")
        if self.profile or self.config:
            self._must_agree(going, run)
        return going

    def _begun(self, settings: Sequence[str]) -> TrainConfig:
        mapping = read_yaml(self.config) if self.config else read_profile(self.profile or DEFAULT_PROFILE)
        config = build_config(with_settings(mapping, settings), file=self.config.name if self.config else "")
        if self.data:
            config = replace(config, data=replace(config.data, paths=self.data))
        return replace(config, init=self.init) if self.init else config

    def _must_agree(self, going: TrainConfig, run: Path) -> None:
        """Make sure that profile or file, with every --set that the run has seen, come to the run."""
        again = replace(self, data=going.data.paths, init=going.init)._begun((*settings_of(run), *self.settings))
        (there, _), (here, _) = resolved(going), resolved(again)
        differing = list(_differences(here.to_mapping(), there.to_mapping()))
        if differing:
            key, ours, theirs = differing[0]
            more = f" (and {len(differing) - 1} more)" if len(differing) > 1 else ""
            option = f"--profile {self.profile}" if self.profile else f"--config {self.config}"
            raise _other(run, f"{option} with {key} {ours}", f"has {theirs}{more}")


def settings_of(run: Path) -> tuple[str, ...]:
    """Return every ``KEY=VALUE`` that a run was given, by all calls; none where it did not write them down."""
    try:
        settings = json.loads((run / SETTINGS).read_text("utf-8"))
    except (OSError, ValueError):
        return ()
    return tuple(map(str, settings)) if isinstance(settings, list) else ()


def keep_settings(run: Path, settings: Sequence[str]) -> None:
    """Write down the settings of a call behind those of earlier ones.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    write_text(run / SETTINGS, json.dumps([*settings_of(run), *settings], indent=1, ensure_ascii=False) + "\n")


def _other(run: Path, asked: str, there: str) -> UsageError:
    return UsageError(
        f"--resume {run} together with {asked}: the run {there}",
        hint="leave the option out, the run's folder holds it; --set changes a key, -o begins another run",
    )


def _same(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether two lists name the same folders, files and words in whatever order and spelling."""
    return sorted(map(_place, ours)) == sorted(map(_place, theirs))


def _place(name: str) -> str:
    path = Path(name)
    return str(path.resolve()) if name != _SIMULATION and path.exists() else name


def _differences(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, object, object]]:
    """Yield every key, dotted, whose value differs, with both values."""
    for key in dict.fromkeys((*ours, *theirs)):
        one, other = ours.get(key), theirs.get(key)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _differences(one, other, f"{prefix}{key}.")
        elif one != other:
            yield f"{prefix}{key}", one, other
