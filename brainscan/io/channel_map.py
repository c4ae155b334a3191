"""What ``--channel-map`` says: labels of a file to electrodes, inline or as a YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from brainscan.errors import UsageError
from brainscan.io.containers import unreadable

_HINT = "NAME=ELECTRODE,NAME=ELECTRODE or a YAML file with one 'NAME: ELECTRODE' a line"
_MAX_BYTES = 1 << 20


def parse_channel_map(value: str) -> Mapping[str, str]:
    """Read a channel map.

    Parameters
    ----------
    value : str
        ``E22=Fp1,E9=Fp2``, or the path of a YAML (or JSON) file that maps labels to electrodes. An electrode of
        ``-`` takes the channel out.

    Returns
    -------
    mapping of str to str

    Raises
    ------
    UsageError
        The text is no mapping, or names a label twice.
    InputError
        The file cannot be read.
    """
    if value.lower().endswith((".yaml", ".yml", ".json")):
        return MappingProxyType(_from_file(Path(value)))
    result: dict[str, str] = {}
    for part in value.split(","):
        # Labels may hold an equals sign, electrodes do not.
        name, equals, electrode = part.rpartition("=")
        if not equals or not name.strip() or not electrode.strip():
            raise UsageError(f"channel map: {part.strip()!r} is not NAME=ELECTRODE", hint=_HINT)
        if name.strip() in result:
            raise UsageError(f"channel map: {name.strip()!r} is there twice", hint=_HINT)
        result[name.strip()] = electrode.strip()
    return MappingProxyType(result)


def _from_file(path: Path) -> dict[str, str]:
    import yaml

    try:
        with path.open("rb") as stream:
            data = yaml.safe_load(stream.read(_MAX_BYTES).decode("utf-8"))
    except OSError as problem:
        raise unreadable(path.name, problem) from problem
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise UsageError("channel map is not valid YAML", file=path.name, hint=_HINT) from problem
    if not isinstance(data, dict) or not data:
        raise UsageError("channel map holds no mapping", file=path.name, hint=_HINT)
    wrong = [str(key) for key, electrode in data.items() if not isinstance(electrode, str)]
    if wrong:
        raise UsageError(f"channel map: {wrong[0]!r} has no electrode's name", file=path.name, hint=_HINT)
    return {str(key): electrode for key, electrode in data.items()}
