"""How a network is run. Without torch, so that whoever chooses need not load it."""

from __future__ import annotations

from dataclasses import dataclass


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
        Windows that are computed beside each other on a CPU; 0: as many as torch has threads.
    backend : str
        What computes the network, one of `BACKENDS`. ``auto`` is torch with the fastest kernels that the device
        allows, ``torch`` is torch alone, ``native`` asks for the compiled CPU kernels, ``onnx`` is ONNX Runtime
        (`brainscan.model.runner`).
    precision : str
        Of matrix products and convolutions, one of `brainscan.model.precision.PRECISIONS`. ``bfloat16`` moves
        probabilities by up to about 0.01.
    """

    device: str = "auto"
    batch_size: int = 8
    threads: int = 0
    backend: str = "auto"
    precision: str = "float32"
