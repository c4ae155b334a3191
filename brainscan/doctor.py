"""What this machine can use: versions, processor, GPU, optional packages, kernels, weights, and the self-test."""

from __future__ import annotations

import platform
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from brainscan._version import __version__
from brainscan.errors import ModelError
from brainscan.model.extras import PACKAGES, lacks
from brainscan.model.selftest import SelfTest
from brainscan.model.workers import processors, usual_threads

_PACKAGES = ("numpy", "scipy", "onnxruntime", "pyyaml", "typer", "rich", "timescoring", "torch", "safetensors", "numba")


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
    threads : int
        That a run takes unless told otherwise.
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
    threads: int
    gpus: tuple[Gpu, ...]
    extras: dict[str, tuple[str, ...]]
    kernels: tuple[Kernel, ...]
    bfloat16: str
    weights: dict[str, str]
    self_test: SelfTest

    def as_mapping(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "schema": "doctor-1",
            "versions": self.versions,
            "system": self.system,
            "processors": self.processors,
            "threads": self.threads,
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
    from brainscan.model import selftest

    with_torch = not lacks("torch")
    return Examination(
        versions={"brainscan": __version__, "python": platform.python_version(), **_versions()},
        system=f"{platform.system()} {platform.machine()}",
        processors=processors(),
        threads=usual_threads(),
        gpus=_gpus() if with_torch else (),
        extras={name: lacks(name) for name in PACKAGES},
        kernels=_kernels(with_torch),
        bfloat16=_bfloat16() if with_torch else "not usable, PyTorch is not installed",
        weights=_weights(),
        self_test=selftest.run(),
    )


def _gpus() -> tuple[Gpu, ...]:
    import torch

    found = (torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count()))
    return tuple(Gpu(each.name, each.total_memory) for each in found)


def _kernels(with_torch: bool) -> tuple[Kernel, ...]:
    """Return what can compute a network, beginning with what the default model gets without --backend."""
    from brainscan.model import checkpoint
    from brainscan.model.run_config import RunConfig
    from brainscan.model.runner import ONNX, fastest

    onnx = f"ONNX Runtime {metadata.version('onnxruntime')}"
    if lacks("onnx") or not with_torch:
        onnx += ", for the default model and exported ones (no other can be exported here)"
    try:
        chosen = fastest(checkpoint.locate(checkpoint.DEFAULT), RunConfig())
    except ModelError as error:
        auto = Kernel("auto", False, error.message)
    else:
        auto = Kernel("auto", True, "onnx on cpu" if chosen == ONNX else _in_torch())
    return (auto, Kernel(ONNX, True, onnx), *(_of_torch() if with_torch else _without_torch()))


def _in_torch() -> str:
    """Say what PyTorch would compute with."""
    import torch

    from brainscan.model.inference import pick_device
    from brainscan_models.ssd import choose

    device = pick_device("auto")
    return f"{choose(torch.empty(0, device=device))} on {device.type}"


def _of_torch() -> tuple[Kernel, ...]:
    from brainscan_models.ssd import available

    return tuple(Kernel(each.name, each.usable, each.detail) for each in available())


def _without_torch() -> tuple[Kernel, ...]:
    return tuple(Kernel(name, False, "PyTorch is not installed") for name in ("chunked", "native", "mamba_ssm"))


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


def _weights() -> dict[str, str]:
    from brainscan.model import checkpoint

    found = {}
    for name in sorted(checkpoint.NAMES):
        try:
            found[name] = checkpoint.read_card(checkpoint.locate(name)).sha256
        except ModelError as error:
            found[name] = error.message
    return found
