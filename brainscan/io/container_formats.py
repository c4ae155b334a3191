"""The table of containers of recordings: those that are read, and those of which only the maker is known.

`read`, `info`, `scan`, `evaluate`, `train`, the guard against overwriting and the table of docs/reading.md follow from
it. A new container is a module that returns a `Recording`, and a row here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainscan.io.container_format import ContainerFormat, starts
from brainscan.io.later import later

if TYPE_CHECKING:
    from brainscan.recording import Recording

_MICROMED = b"* MICROMED"
_NERVUS = b"\xe0\x11\xcf\xd0"
_NICOLET_E = bytes.fromhex("0fc37b1ccf2d6d4b8aea1f64ced2b917")
# Routine scalp EEG and sleep EEG; other objects of DICOM are none.
_DICOM_EEG = (b"1.2.840.10008.5.1.4.1.1.9.7.1\0", b"1.2.840.10008.5.1.4.1.1.9.7.4\0")
_BOM = b"\xef\xbb\xbf"
_HDF5 = b"\x89HDF\r\n\x1a\n"
_MATLAB = (b"MATLAB 5.0 MAT-file", b"MATLAB 7.3 MAT-file")  # the later one is HDF5 behind 512 bytes of its own
_NIHON_KOHDEN = re.compile(rb"(EEG-\d{4}|QI-\d{3}|DAE-\d{4})[A-Z]? {0,3}V\d\d\.\d\d")
_EDF_SIGNATURE = (b"24BIT", b"BDF+C", b"BDF+D")


def _ours(module: str, function: str, *arguments: str) -> Callable[[Path], Recording]:
    """Return a reader that is imported when it is called."""
    return later(f"brainscan.io.{module}", function, *arguments)


def _says(*words: bytes) -> Callable[[bytes, str], bool]:
    """Return a test of the first words of a text."""
    return lambda head, _name: head.removeprefix(_BOM).lstrip().startswith(words)


def _edf_kind(head: bytes, *, wide: bool) -> bool:
    """Tell EDF and BDF apart, also where the version field is unusual but the fixed fields agree with each other."""
    if head.startswith(b"\xffBIOSEMI"):
        return wide
    if len(head) < 256:
        return False
    if head[:8].strip(b" \0") == b"0":
        return not wide
    try:
        header_bytes, n_signals = int(head[184:192]), int(head[252:256])
        float(head[244:252])
    except ValueError:
        return False
    fits = n_signals > 0 and header_bytes == 256 * (n_signals + 1)
    return fits and wide == (head[192:197].upper() in _EDF_SIGNATURE)


def _nihon_kohden(head: bytes, name: str) -> bool:
    # Its side files begin alike.
    return _NIHON_KOHDEN.match(head) is not None and not name.lower().endswith(_NK_SIDE)


def _egi_raw(head: bytes, name: str) -> bool:
    version, year = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:6], "big")
    return name.lower().endswith(".raw") and 2 <= version <= 7 and 1990 <= year <= 2100


_NK_SIDE = (".21e", ".pnt", ".log", ".cmt", ".cn2", ".cn3", ".egf", ".bft", ".reg", ".vor", ".11d")
_EXPORT = "export the recording as EDF+ in the maker's program"


_WRITTEN = "files that the tests write"
_PUBLISHED = f"{_WRITTEN}; recorders' files that MNE publishes"


def _mne(name: str, *modules: str, tested: str = _WRITTEN) -> dict[str, Any]:
    """Return what rows have in common that MNE reads, some with a further package."""
    return {
        "read": _ours("mne_formats", "read_with_mne", name),
        "reader": "MNE" + (f" with {' and '.join(modules)}" if modules else ""),
        "extra": "mne",
        "modules": ("mne", *modules),
        "tested": tested,
    }


def _vendor(name: str, *modules: str, tested: str = _WRITTEN) -> dict[str, Any]:
    """Return what rows have in common that a library of their own reads."""
    module, function = ("mne_formats", "read_with_mne") if "mne" in modules else ("vendor_formats", "read_vendor")
    return {
        "read": _ours(module, function, name),
        "reader": modules[0],
        "extra": "vendor",
        "modules": modules,
        "tested": tested,
    }


_READ = (
    ContainerFormat(
        "EDF",
        (".edf", ".rec"),
        lambda head, _name: _edf_kind(head, wide=False),
        read=_ours("edf", "read_edf", "EDF"),
        reader="our own parser (`brainscan/io/edf.py`)",
        tested=f"{_PUBLISHED}; 174 awkward files; edfio and pyedflib",
    ),
    ContainerFormat(
        "BDF",
        (".bdf",),
        lambda head, _name: _edf_kind(head, wide=True),
        read=_ours("edf", "read_edf", "BDF"),
        reader="our own parser (`brainscan/io/edf.py`)",
        tested=f"{_PUBLISHED}; 174 awkward files; edfio and pyedflib",
    ),
    ContainerFormat(
        "BrainVision",
        (".vhdr",),
        _says(b"Brain Vision Data Exchange Header File", b"BrainVision Data Exchange Header File"),
        companions=(".eeg", ".vmrk", ".avg", ".dat"),
        **_mne("BrainVision", tested=_PUBLISHED),
    ),
    ContainerFormat(
        "FIF",
        (".fif",),
        starts(b"\x00\x00\x00\x64\x00\x00\x00\x1f"),  # tag FIFF_FILE_ID of type id struct, big endian
        **_mne("FIF", tested="files that MNE writes and publishes"),
    ),
    ContainerFormat(
        "EEGLAB",
        (".set",),
        # MATLAB files of any content share the container; among other files it is known by its suffix only.
        lambda head, name: head.startswith(_MATLAB) or _hdf5(head, name, ".set"),
        companions=(".fdt",),
        **_mne("EEGLAB", "pymatreader", tested=f"{_WRITTEN}; files that EEGLAB and MNE publish"),
    ),
    ContainerFormat(
        "Nihon Kohden",
        (".eeg",),
        _nihon_kohden,
        companions=_NK_SIDE,
        content_only=True,
        **_mne("Nihon Kohden", tested=_PUBLISHED),
    ),
    ContainerFormat(
        "Persyst",
        (".lay",),
        _says(b"[FileInfo]", b"[fileinfo]"),
        companions=(".dat",),
        content_only=True,
        read=_ours("persyst", "read_persyst"),
        reader="our own parser (`brainscan/io/persyst.py`)",
        tested=f"{_PUBLISHED}; MNE",
    ),
    ContainerFormat(
        "Nicolet .data",
        (".head",),
        lambda head, _name: b"start_ts=" in head and b"num_channels=" in head,
        companions=(".data",),
        content_only=True,
        **_mne("Nicolet .data", tested=_PUBLISHED),
    ),
    ContainerFormat("EGI MFF", (".mff",), folder=True, **_mne("EGI MFF", "mffpy", tested=_PUBLISHED)),
    ContainerFormat("EGI RAW", (".raw",), _egi_raw, content_only=True, **_mne("EGI RAW", tested=_PUBLISHED)),
    ContainerFormat(
        "Neuroscan",
        (".cnt",),
        lambda head, name: head.startswith(b"Version 3.") and not name.lower().endswith((".eeg", ".avg")),
        content_only=True,
        **_mne("Neuroscan", tested=_PUBLISHED),
    ),
    ContainerFormat(
        "ANT Neuro",
        (".cnt",),
        lambda head, _name: b"CNT " in ((head[:4] == b"RIFF") * head[8:12], (head[:4] == b"RF64") * head[12:16]),
        companions=(".evt", ".seg", ".trg"),
        content_only=True,
        **_mne("ANT Neuro", "antio", tested="recorders' files that MNE publishes"),
    ),
    ContainerFormat(
        "GDF",
        (".gdf",),
        starts(b"GDF 0", b"GDF 1", b"GDF 2"),
        **_mne("GDF", tested=f"{_WRITTEN}; one of one channel that MNE publishes"),
    ),
    ContainerFormat(
        "Neuroelectrics",
        (".nedf",),
        lambda head, name: name.lower().endswith(".nedf") and head.startswith(b"<"),
        **_mne("Neuroelectrics", "defusedxml", tested=_PUBLISHED),
    ),
    ContainerFormat(
        "Curry",
        (".cdt", ".dap"),
        lambda head, name: name.lower().endswith(".dap") and b"NumSamples" in head,
        companions=(".rs3", ".rs3d", ".dpa", ".dpo", ".ceo", ".cef", ".hpi", ".dat"),
        suffix_tells=True,
        **_mne("Curry", "curryreader", tested=_PUBLISHED),
    ),
    ContainerFormat(
        "BCI2000", (".dat",), starts(b"HeaderLen=", b"BCI2000V="), content_only=True, lazy=False, **_mne("BCI2000")
    ),
    ContainerFormat(
        "Micromed",
        (".trc",),
        lambda head, name: head.startswith(_MICROMED) and not name.lower().endswith(".vwr"),
        **_vendor("Micromed", "neo"),
    ),
    ContainerFormat(
        "Micromed VWR",
        (".vwr",),
        lambda head, name: head.startswith(_MICROMED) and name.lower().endswith(".vwr"),
        suffix_tells=True,
        **_vendor("Micromed VWR", "eeg2edf", "mne"),
    ),
    ContainerFormat(
        "Nicolet .e",
        (".e",),
        lambda head, name: head.startswith(_NICOLET_E) or (head[:4] == _NERVUS and name.lower().endswith(".e")),
        content_only=True,
        **_vendor("Nicolet .e", "eeg2edf", "mne"),
    ),
    ContainerFormat(
        "XDF",
        (".xdf", ".xdfz"),
        starts(b"XDF:"),
        lazy=False,
        **_vendor("XDF", "pyxdf", tested=f"{_WRITTEN}; Lab Streaming Layer's example files"),
    ),
    ContainerFormat(
        "DICOM EEG",
        (".dcm",),
        lambda head, _name: head[128:132] == b"DICM" and any(uid in head for uid in _DICOM_EEG),
        content_only=True,
        lazy=False,
        **_vendor("DICOM EEG", "pydicom"),
    ),
    ContainerFormat("eXimia", (".nxe",), suffix_tells=True, **_mne("eXimia", tested=_PUBLISHED)),
)


def _hdf5(head: bytes, name: str, suffix: str) -> bool:
    return head.startswith(_HDF5) and name.lower().endswith(suffix)


# Signatures as the makers' documentation and the open readers (MNE-Python, Neo, BIOSIG) describe them.
_KNOWN = (
    ContainerFormat(
        "Natus XLTEK (.erd)",
        (".erd",),
        starts(bytes.fromhex("ca1d6d1b27a111d4")),
        companions=(".etc", ".ent", ".snc", ".stc", ".vtc", ".vt2", ".epo", ".toc", ".eeg"),
        part=r"_\d{3}",
        suffix_tells=True,
        way_out=f"{_EXPORT} (NeuroWorks)",
    ),
    ContainerFormat(
        "Neuroscan epochs or averages (.eeg, .avg)", (".eeg", ".avg"), starts(b"Version 3."), way_out=_EXPORT
    ),
    ContainerFormat(
        "DICOM of another kind",
        (".dcm",),
        lambda head, _name: head[128:132] == b"DICM",
        way_out="export the recording as EDF+ from the archive or the recorder's program",
    ),
    ContainerFormat(
        "Nihon Kohden export (.m00)",
        (".m00",),
        lambda head, _name: head.lstrip().startswith(b"TimePoints=") and b"Channels=" in head,
        way_out="export it as EDF+ instead of text",
    ),
    ContainerFormat(
        "Stellate Harmonie (.sig)",
        (".sig",),
        companions=(".sts",),
        suffix_tells=True,
        way_out=f"{_EXPORT} (Harmonie)",
    ),
    ContainerFormat("BESA", (".besa",), starts(b"BCF1"), way_out=_EXPORT),
    ContainerFormat("Cadwell", (".ez3", ".eas", ".rc3"), suffix_tells=True, way_out=f"{_EXPORT} (Easy)"),
    ContainerFormat("Neurodata Without Borders (.nwb)", (".nwb",), lambda h, n: _hdf5(h, n, ".nwb"), way_out=_EXPORT),
    ContainerFormat("MEF3", (".mefd",), folder=True, way_out="convert it to EDF with MEF's tools"),
    ContainerFormat("Blackrock", (".ns2", ".ns3", ".ns5"), starts(b"NEURALCD", b"BRSMPGRP"), way_out=_EXPORT),
)

_LAST = (
    # Asked after everything else: nothing but the suffix speaks for it.
    ContainerFormat(
        ".eeg of an unknown maker",
        (".eeg",),
        suffix_tells=True,
        way_out="if it belongs to a .vhdr file, put both into one folder; else export the recording as EDF+",
    ),
)

CONTAINERS: tuple[ContainerFormat, ...] = (*_READ, *_KNOWN, *_LAST)
