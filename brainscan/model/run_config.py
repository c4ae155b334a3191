"""How a network is run. Without torch, so that whoever chooses need not load it."""

from __future__ import annotations

from dataclasses import dataclass

from brainscan.errors import UsageError

CHOICES: dict[str, tuple[str, ...]] = {
    "device": ("auto", "cpu", "cuda"),
    "backend": ("auto", "torch", "native", "onnx"),
    "precision": ("float32", "bfloat16", "auto"),
}
"""Where a network may be computed, by what, and in what."""


def ensure_known(what: str, name: str) -> None:
    """Raise `UsageError` unless a name is one of the `CHOICES` of a device, backend or precision."""
    if name not in CHOICES[what]:
        raise UsageError(f"no such {what}: {name}", hint=f"--{what} takes {', '.join(CHOICES[what])}")


@dataclass(frozen=True, slots=True)
class RunConfig:
    """How the network is run; none of it changes results beyond rounding, on a CPU none but backend and precision do.

    Rounding may exchange what is level in a network whose graph does not fade (`GraphConfig.ties`).

    Parameters
    ----------
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    batch_size : int
        Windows at a time on a GPU; on a CPU, windows that are handed over at a time.
    threads : int
        Windows that are computed beside each other on a CPU; 0: as many as there are processors.
    backend : str
        What computes the network, one of `CHOICES`. ``auto`` is the fastest that is installed and fits
        (`brainscan.model.runner.fastest`), ``torch`` is torch alone, ``native`` asks for the compiled CPU kernels,
        ``onnx`` is ONNX Runtime.
    precision : str
        Of matrix products and convolutions, one of `CHOICES`. ``bfloat16`` moves probabilities by up to about 0.01.
        Scans, similarities, graph and eigenvectors stay in float32 with each.

    Raises
    ------
    UsageError
        If there is no such device, backend or precision.
    """

    device: str = "auto"
    batch_size: int = 8
    threads: int = 0
    backend: str = "auto"
    precision: str = "float32"

    def __post_init__(self) -> None:
        for what in CHOICES:
            ensure_known(what, getattr(self, what))
