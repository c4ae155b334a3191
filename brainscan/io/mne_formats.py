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
from brainscan.io.mne_beside import beside, cnt_in_turn, cnt_length, cnt_width, of_eeg2edf
from brainscan.io.mne_checks import damaged
from brainscan.io.mne_raw import from_raw, recording_of
from brainscan.recording import Recording

__all__ = ["from_raw", "read_with_mne"]

_DAMAGED = re.compile(r"invalid tag|truncat|corrupt|cut off", re.IGNORECASE)
_FEWER = "sample count from header doesn't match"
_IN_TURN = "samples alternate"
_TOLD: Mapping[str, str] = MappingProxyType(
    {
        "not referenced to the same electrode": "its channels have different references, which their labels do not say",
        "sample frequency .* do not match": "its sampling rate contradicts its sampling interval, which is taken",
        _FEWER: "it holds another number of samples than its header states",
        _IN_TURN: "its samples alternate between channels, although its header says blocks of each",
        "stim channels are currently ignored": "its stimulation channels are left out",
    }
)
"""What MNE remarks and a user has to know, in our words: its own may hold paths."""

_EPOCHS = re.compile("number of trials is|no raw data in", re.IGNORECASE)
"""What MNE says of epochs and averages, of EEGLAB's and of its own."""

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
            _silence(container)
            raw = opened(path, container, told.by)
            if told.by or container in _BY_EEG2EDF:
                told = of_eeg2edf(raw)
            if not isinstance(raw, mne.io.BaseRaw):
                raise _no_recording(name)
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
        raise _no_recording(name) if _EPOCHS.search(str(problem)) else damaged(name) from problem
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
        raw = mne.io.read_raw_cnt(path, verbose="WARNING")
    except RuntimeError as problem:
        if "data_format" not in str(problem):
            raise
        raw = mne.io.read_raw_cnt(path, data_format=cnt_width(path), verbose="WARNING")
    facts = raw._raw_extras[0]
    n_samples = cnt_length(path, facts["n_bytes"])
    if 0 < n_samples < raw.n_times:
        python_warnings.warn(_FEWER, RuntimeWarning, stacklevel=2)
        raw.crop(tmax=(n_samples - 1) / raw.info["sfreq"])
    if facts["channel_offset"] > 1 and cnt_in_turn(path, facts["n_bytes"], facts["channel_offset"]):
        python_warnings.warn(_IN_TURN, RuntimeWarning, stacklevel=2)
        facts["channel_offset"] = 1
    return raw


def _no_recording(name: str) -> InputError:
    return InputError(
        "holds epochs or averages, no continuous recording",
        kind="header",
        file=name,
        hint="export the recording itself",
    )


def _silence(container: Container) -> None:
    """Keep a container's reader from printing and from setting up logs: what is said is ours alone."""
    for name, function, silent in _CHATTY.get(container, ()):
        # Its module is loaded here, for the containers that need it: curryreader brings matplotlib with it.
        setattr(importlib.import_module(name), function, silent)


def _nothing(*_values: object, **_options: object) -> None:
    pass


_LOG = SimpleNamespace(
    **dict.fromkeys(("basicConfig", "debug", "info", "warning", "error"), _nothing), DEBUG=10, INFO=20, WARNING=30
)
_CHATTY: Mapping[str, tuple[tuple[str, str, Any], ...]] = MappingProxyType(
    {"EGI MFF": (("mffpy.reader", "print", _nothing),), "Curry": (("curryreader", "log", _LOG),)}
)
