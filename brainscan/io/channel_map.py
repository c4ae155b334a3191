"""What ``--channel-map`` says: labels of a file to electrodes, inline or as a YAML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType

from brainscan.electrodes import ELECTRODES
from brainscan.errors import UsageError
from brainscan.io.containers import unreadable
from brainscan.signal.derivations import IGNORE
from brainscan.signal.labels import clean, parse

_HINT = "NAME=ELECTRODE,NAME=ELECTRODE or a YAML file with one 'NAME: ELECTRODE' a line"
_MAX_BYTES = 1 << 20


def parse_channel_map(value: str) -> Mapping[str, str]:
    """Read a channel map.

    Parameters
    ----------
    value : str
        ``E22=Fp1,E9=Fp2``, or the path of a YAML (or JSON) file that maps labels to electrodes. An electrode of
        ``-`` takes the channel out. Everything in it is text: ``01``, ``ON`` and ``1e3`` are labels.

    Returns
    -------
    mapping of str to str

    Raises
    ------
    UsageError
        The text is no mapping, names a label twice, or an electrode that is none.
    InputError
        The file cannot be read.
    """
    if value.lower().endswith((".yaml", ".yml", ".json")):
        return MappingProxyType(_from_file(Path(value)))
    pairs = []
    for part in value.split(","):
        # Labels may hold an equals sign, electrodes do not.
        name, equals, electrode = part.rpartition("=")
        if not equals or not name.strip() or not electrode.strip():
            raise UsageError(f"channel map: {part.strip()!r} is not NAME=ELECTRODE", hint=_HINT)
        pairs.append((name.strip(), electrode.strip()))
    return MappingProxyType(_checked(pairs))


def _from_file(path: Path) -> dict[str, str]:
    import yaml

    try:
        with path.open("rb") as stream:
            # Nodes, not values: to YAML 01 is a number, ON a truth value, and of two equal keys the last one counts.
            root = yaml.compose(stream.read(_MAX_BYTES).decode("utf-8-sig"), Loader=yaml.SafeLoader)
    except OSError as problem:
        raise unreadable(path.name, problem) from problem
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise UsageError("channel map is not valid YAML", file=path.name, hint=_HINT) from problem
    if not isinstance(root, yaml.MappingNode) or not root.value:
        raise UsageError("channel map holds no mapping", file=path.name, hint=_HINT)
    pairs = []
    for key, electrode in root.value:
        name = key.value.strip() if isinstance(key, yaml.ScalarNode) else ""
        if not name:
            raise UsageError("channel map: a name is no text", file=path.name, hint=_HINT)
        if not isinstance(electrode, yaml.ScalarNode) or not electrode.value.strip():
            raise UsageError(f"channel map: {name!r} has no electrode's name", file=path.name, hint=_HINT)
        pairs.append((name, electrode.value.strip()))
    return _checked(pairs, path.name)


def _checked(pairs: Sequence[tuple[str, str]], file: str = "") -> dict[str, str]:
    """Return the map, refused where a label is there twice or an electrode is none."""
    result: dict[str, str] = {}
    spellings: dict[str, str] = {}
    for name, electrode in pairs:
        first = spellings.setdefault(clean(name).upper(), name)
        if name in result or first != name:
            also = f" (as {first!r})" if first != name else ""
            raise UsageError(f"channel map: {name!r} is there twice{also}", file=file, hint=_HINT)
        label = parse(electrode)
        if electrode != IGNORE and (not label.first or label.zero_for_o):
            raise UsageError(
                f"channel map: {electrode!r} (for {name!r}) is no electrode{_nearest(electrode)}",
                file=file,
                hint=f"one of {' '.join(ELECTRODES)}, a derivation of them, or {IGNORE} to take the channel out",
            )
        result[name] = electrode
    return result


def _nearest(electrode: str) -> str:
    near = get_close_matches(electrode.capitalize(), ELECTRODES, n=1)
    return f"; did you mean {near[0]}?" if near else ""
