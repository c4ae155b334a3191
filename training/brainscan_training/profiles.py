"""From a profile's name, a file and ``--set`` options to a `TrainConfig`."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

import brainscan
from brainscan.errors import UsageError, reason_of
from brainscan.io.atomic import write_text
from brainscan.mapping import merged
from brainscan_training.config import TrainConfig

PROFILES = ("cpu", "hybrid", "rtx4090", "a100", "smoke")
ALIASES = MappingProxyType({"4090": "rtx4090"})


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # several times faster
    """YAML 1.1 takes ``1e-4`` for text; people do not."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)


def config_folder() -> Path:
    """Return where the configurations lie: inside the installed package, else in the checkout."""
    installed = Path(str(resources.files("brainscan") / "configs"))
    return installed if installed.is_dir() else Path(brainscan.__file__).resolve().parents[1] / "configs"


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """A profile in a line.

    Parameters
    ----------
    name : str
    what_for : str
        The first sentence of its file.
    model : str
    device : str
        What it asks for.
    windows : int
        Of a whole run.
    """

    name: str
    what_for: str
    model: str
    device: str
    windows: int


def profile_rows() -> tuple[ProfileRow, ...]:
    """Return every profile, the default first."""
    rows = []
    for name in PROFILES:
        config = build_config(read_profile(name), file=name)
        windows = config.total_steps * config.batch_size
        rows.append(ProfileRow(name, _first_sentence(_file_of(name)), config.model, config.device, windows))
    return tuple(rows)


def _first_sentence(path: Path) -> str:
    """Return the first sentence of the comment that a configuration begins with."""
    comment = itertools.takewhile(lambda line: line.startswith("#"), path.read_text("utf-8").splitlines())
    text = " ".join(line.lstrip("# ") for line in comment)
    return text.partition(". ")[0].rstrip(".")


def read_profile(name: str) -> dict[str, Any]:
    """Return a profile's mapping.

    Raises
    ------
    UsageError
        If there is no such profile.
    """
    known = (*PROFILES, *ALIASES)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"--profile takes {', '.join(known)}"
        raise UsageError(f"no such profile: {name}", hint=hint)
    return read_yaml(_file_of(name))


def _file_of(name: str) -> Path:
    return config_folder() / "training" / f"{ALIASES.get(name, name)}.yaml"


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a mapping from a YAML file.

    Raises
    ------
    UsageError
        If it cannot be read or holds no mapping.
    """
    try:
        data = yaml.load(path.read_text("utf-8"), _Loader)
    except OSError as problem:
        raise UsageError(f"the configuration cannot be read ({reason_of(problem)})", file=str(path)) from problem
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        where = " ".join(str(problem).split())
        raise UsageError(f"the configuration is not valid YAML ({where})", file=str(path)) from problem
    if not isinstance(data, dict):
        raise UsageError("the configuration holds no mapping", file=str(path), hint="KEY: VALUE, one a line")
    return data


def write_config(path: Path, config: TrainConfig) -> None:
    """Write a run's whole configuration as YAML."""
    write_text(path, yaml.safe_dump(config.to_mapping(), sort_keys=False, allow_unicode=True))


def with_settings(data: Mapping[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """Return a mapping with ``KEY=VALUE`` settings applied; keys are dotted, values are YAML.

    Raises
    ------
    UsageError
        If a setting is not of that form.
    """
    result = dict(data)
    for setting in settings:
        key, equals, text = setting.partition("=")
        parts = key.strip().split(".")
        if not equals or not all(parts):
            raise UsageError(f"not KEY=VALUE: {setting}", hint="for example --set learning_rate=1e-4")
        try:
            value = yaml.load(text, _Loader)
        except yaml.YAMLError:
            raise UsageError(f"{key}: not a value: {text}", hint="numbers, words, true, false, [a, b]") from None
        for part in reversed(parts):
            value = {part: value}
        result = merged(result, value)
    return result


def build_config(data: Mapping[str, Any], *, file: str = "") -> TrainConfig:
    """Return the run that a mapping describes.

    Raises
    ------
    UsageError
        For an unknown key, a wrong type or value, a network that does not fit.
    """
    try:
        return TrainConfig.from_mapping(data)
    except ValueError as problem:
        raise UsageError(str(problem), file=file, hint="configs/README.md explains every key") from None
