"""What this machine can use: versions, processor, GPU, optional packages, kernels, weights, and the self-test."""

from __future__ import annotations

import importlib.util
import platform
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from brainscan._version import __version__
from brainscan.analysis.capacity import processors
from brainscan.errors import ModelError
from brainscan.model.selftest import SelfTest

EXTRAS: dict[str, tuple[str, ...]] = {
    "train": ("lightning", "tensorboard"),
    "graph": ("torch_geometric",),
    "gpu": ("mamba_ssm",),
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "mne": ("mne", "antio", "curryreader", "defusedxml", "mffpy", "pymatreader"),
    "vendor": ("eeg2edf", "neo", "pydicom", "pyxdf"),
    "pandas": ("pandas",),
    "report": ("matplotlib", "jinja2"),
}
"""Optional dependency groups by the import names that show them to be there."""

_PACKAGES = ("numpy", "scipy", "torch", "safetensors", "numba", "pyyaml", "typer", "rich", "timescoring")


@dataclass(frozen=True, slots=True)
class Gpu:
    """One CUDA device."""

    name: str
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Kernel:
    """One backend of the network, whether it can run here, and on what or why not."""

    name: str
    usable: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found.

    Parameters
    ----------
    versions : dict of str to str
        Of brainscan, Python and what it stands on; ``absent`` where a package is missing.
    system : str
    processors : int
        That this process may use.
    torch_threads : int
    gpus : tuple of Gpu
    extras : dict of str to tuple of str
        What each extra lacks; empty where it is complete.
    kernels : tuple of Kernel
    bfloat16 : str
        ``usable``, or why it is not, on the device that a run takes.
    weights : dict of str to str
        Shipped models: their checksum, or why they cannot be used.
    self_test : SelfTest
    """

    versions: dict[str, str]
    system: str
    processors: int
    torch_threads: int
    gpus: tuple[Gpu, ...]
    extras: dict[str, tuple[str, ...]]
    kernels: tuple[Kernel, ...]
    bfloat16: str
    weights: dict[str, str]
    self_test: SelfTest

    def as_mapping(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "versions": self.versions,
            "system": self.system,
            "processors": self.processors,
            "torch_threads": self.torch_threads,
            "gpus": [{"name": g.name, "memory_bytes": g.memory_bytes} for g in self.gpus],
            "extras": {name: {"complete": not lacks, "lacks": list(lacks)} for name, lacks in self.extras.items()},
            "bfloat16": self.bfloat16,
            "backends": {k.name: {"usable": k.usable, "detail": k.detail} for k in self.kernels},
            "weights": self.weights,
            "self_test": {
                "passed": self.self_test.passed,
                "detail": self.self_test.detail,
                "worst": self.self_test.worst,
                "seconds": self.self_test.seconds,
            },
        }


def examine() -> Examination:
    """Look at this machine and test the shipped model."""
    import torch

    from brainscan.model import selftest

    gpus = []
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        gpus.append(Gpu(properties.name, properties.total_memory))
    return Examination(
        versions={"brainscan": __version__, "python": platform.python_version(), **_versions()},
        system=f"{platform.system()} {platform.machine()}",
        processors=processors(),
        torch_threads=torch.get_num_threads(),
        gpus=tuple(gpus),
        extras={name: tuple(p for p in packages if not _is_there(p)) for name, packages in EXTRAS.items()},
        kernels=_kernels(),
        bfloat16=_bfloat16(),
        weights=_weights(),
        self_test=selftest.run(),
    )


def _kernels() -> tuple[Kernel, ...]:
    """Return what can compute the network, beginning with what a run without --backend takes."""
    import torch

    from brainscan.model.inference import pick_device
    from brainscan_models.ssd import available, choose

    device = pick_device("auto")
    chosen = choose(torch.empty(0, device=device))
    runs = _is_there("onnxruntime")
    onnx = f"ONNX Runtime {metadata.version('onnxruntime')}" if runs else "onnxruntime is not installed"
    if runs and not (_is_there("onnx") and _is_there("onnxscript")):
        onnx += ", for exported models only (onnx or onnxscript is not installed)"
    return (
        Kernel("auto", True, f"{chosen} on {device.type}"),
        *(Kernel(b.name, b.usable, b.detail) for b in available()),
        Kernel("onnx", runs, onnx),
    )


def _bfloat16() -> str:
    from brainscan.model.inference import pick_device
    from brainscan.model.precision import bfloat16_missing

    missing = bfloat16_missing(pick_device("auto").type)
    return "usable" if missing is None else f"not usable, {missing}"


def _versions() -> dict[str, str]:
    versions = dict.fromkeys(_PACKAGES, "absent")
    for name in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def _is_there(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _weights() -> dict[str, str]:
    from brainscan.model import checkpoint

    found = {}
    for name in sorted(checkpoint.NAMES):
        try:
            found[name] = checkpoint.read_card(checkpoint.locate(name)).sha256
        except ModelError as error:
            found[name] = error.message
    return found
