"""Which optional packages are there, and the command that brings those that are not."""

from __future__ import annotations

import importlib.util

from brainscan.errors import MissingExtraError

PACKAGES: dict[str, tuple[str, ...]] = {
    "torch": ("torch", "safetensors", "numba"),
    "train": ("lightning", "tensorboard"),
    "graph": ("torch_geometric",),
    "gpu": ("mamba_ssm",),
    "onnx": ("onnx", "onnxscript"),
    "mne": ("mne", "antio", "curryreader", "defusedxml", "mffpy", "pymatreader"),
    "vendor": ("eeg2edf", "neo", "pydicom", "pyxdf"),
    "lsl": ("mne_lsl",),
    "pandas": ("pandas",),
    "report": ("matplotlib", "jinja2"),
    "cluster": ("distributed",),
    "remote": ("fsspec", "s3fs", "paramiko"),
}
"""The extras of pyproject.toml by the import names that show them to be there."""


def is_there(package: str) -> bool:
    """Whether a package can be imported, without importing it."""
    return importlib.util.find_spec(package) is not None


def lacks(extra: str) -> tuple[str, ...]:
    """Return the packages of an extra that are not installed."""
    return tuple(package for package in PACKAGES[extra] if not is_there(package))


def need(what: str, *extras: str) -> None:
    """Raise `MissingExtraError` at the first extra that is not complete.

    Parameters
    ----------
    what : str
        Command, option or model that needs them.
    *extras : str
        Keys of `PACKAGES`.
    """
    for extra in extras:
        if lacks(extra):
            raise MissingExtraError(what, extra)
