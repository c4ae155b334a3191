"""Every container that MNE reads as EEG (extra ``mne``): one way in, whatever the maker."""

from __future__ import annotations

import importlib.util
import re
import warnings as python_warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

from brainscan.errors import InputError
from brainscan.io import mne_checks
from brainscan.io.checksums import sha256_of
from brainscan.io.containers import Container, unreadable
from brainscan.io.mne_beside import beside, cnt_width, of_eeg2edf
from brainscan.io.mne_checks import damaged
from brainscan.io.mne_raw import from_raw, recording_of
from brainscan.recording import Recording

__all__ = ["from_raw", "read_with_mne"]

_DAMAGED = re.compile(r"invalid tag|truncat|corrupt|cut off", re.IGNORECASE)
_TOLD: Mapping[str, str] = MappingProxyType(
    {
        "not referenced to the same electrode": "its channels have different references, which their labels do not say",
        "sample frequency .* do not match": "its sampling rate contradicts its sampling interval, which is taken",
        "sample count from header doesn't match": "it holds another number of samples than its header states",
        "stim channels are currently ignored": "its stimulation channels are left out",
    }
)
"""What MNE remarks and a user has to know, in our words: its own may hold paths."""

_LARGE_BYTES = 256 << 20


def read_with_mne(path: Path, container: Container) -> Recording:
    """Open a file of a container that MNE reads.

    Raises
    ------
    InputError
        Kind ``io`` if a file is missing; ``corrupt`` if MNE cannot make sense of it.
    MissingExtraError
        If it takes the extra ``vendor`` besides.
    """
    name = path.name
    remarks_on_header = mne_checks.brainvision(path) if container == "BrainVision" else []
    if container == "FIF":
        mne_checks.fif(path)
    told = beside(path, container)
    import mne

    try:
        with python_warnings.catch_warnings(record=True) as remarks, mne.use_log_level("ERROR"):
            python_warnings.simplefilter("always")
            _silence()
            raw = opened(path, container, told.by)
            if told.by or container in _BY_EEG2EDF:
                told = of_eeg2edf(raw)
            if not isinstance(raw, mne.io.BaseRaw):
                raise InputError(
                    "holds epochs or averages, no continuous recording",
                    kind="header",
                    file=name,
                    hint="export the recording itself",
                )
            recording = recording_of(raw, name, told)
    except InputError:
        raise
    except FileNotFoundError as problem:
        missing = Path(problem.filename).name if problem.filename else "a file that it needs"
        raise InputError(
            f"{missing} is missing", kind="io", file=name, hint="copy all files of the recording into one folder"
        ) from problem
    except OSError as problem:
        raise unreadable(name, problem) from problem
    except Exception as problem:  # on damaged files its parsers raise whatever comes up
        raise damaged(name) from problem
    said = [str(remark.message) for remark in remarks]
    warnings = [*recording.warnings]
    if any(_DAMAGED.search(text) for text in said):
        warnings.append("the file is cut short or damaged")
    warnings += [ours for pattern, ours in _TOLD.items() if any(re.search(pattern, text) for text in said)]
    warnings += remarks_on_header
    if raw.preload and (taken := int(raw.n_times) * len(raw.ch_names) * 8) >= _LARGE_BYTES:
        warnings.append(f"{container} files are read whole: it takes {taken / 2**30:.1f} GiB of memory")
    return replace(recording, format=container, warnings=tuple(warnings), sha256=partial(sha256_of, path))


_READERS: Mapping[str, tuple[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "BrainVision": ("read_raw_brainvision", {}),
        "FIF": ("read_raw_fif", {"allow_maxshield": True, "on_split_missing": "warn"}),
        "EEGLAB": ("read_raw_eeglab", {}),
        "Nihon Kohden": ("read_raw_nihon", {}),
        "EGI MFF": ("read_raw_egi", {}),
        "EGI RAW": ("read_raw_egi", {}),
        "ANT Neuro": ("read_raw_ant", {}),
        "GDF": ("read_raw_gdf", {}),
        "Neuroelectrics": ("read_raw_nedf", {}),
        "Curry": ("read_raw_curry", {}),
        "BCI2000": ("read_raw_bci2k", {"preload": True}),
        "eXimia": ("read_raw_eximia", {}),
    }
)


_BY_EEG2EDF: Mapping[str, str] = MappingProxyType(
    {"Nicolet .e": "read_raw_nicolet", "Micromed VWR": "read_raw_micromed"}
)


def opened(path: Path, container: Container, by: str = "") -> Any:
    """Return MNE's ``Raw`` of a file, its samples read as they are needed where MNE can."""
    import mne

    if by or container in _BY_EEG2EDF:
        from eeg2edf import mne as readers

        function = _BY_EEG2EDF.get(container, "read_raw_nihon_kohden")
        return getattr(readers, function)(path, **({"block": "all"} if by else {}))
    if container == "Nicolet .data":
        return mne.io.read_raw_nicolet(path.with_suffix(".data"), "eeg", verbose="ERROR")
    if container == "Neuroscan":
        return _neuroscan(path)
    function, options = _READERS[container]
    return getattr(mne.io, function)(path, **{"preload": False, "verbose": "WARNING", **options})


def _neuroscan(path: Path) -> Any:
    import mne

    try:
        return mne.io.read_raw_cnt(path, verbose="WARNING")
    except RuntimeError as problem:
        if "data_format" not in str(problem):
            raise
    return mne.io.read_raw_cnt(path, data_format=cnt_width(path), verbose="WARNING")


def _silence() -> None:
    """Keep readers from printing and from setting up logs: what is said is ours alone."""
    for name, function in _CHATTY.items():
        if importlib.util.find_spec(name.partition(".")[0]) is not None:
            setattr(importlib.import_module(name), function, _SILENT[function])


def _nothing(*_values: object, **_options: object) -> None:
    pass


_CHATTY: Mapping[str, str] = MappingProxyType({"mffpy.reader": "print", "curryreader": "log"})
_SILENT: Mapping[str, Any] = MappingProxyType(
    {
        "print": _nothing,
        "log": SimpleNamespace(
            **dict.fromkeys(("basicConfig", "debug", "info", "warning", "error"), _nothing),
            DEBUG=10,
            INFO=20,
            WARNING=30,
        ),
    }
)
