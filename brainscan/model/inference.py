"""From windows in µV to probabilities: amplitude, network, logit shift and scale, on one device.

On a CPU each window is computed alone, by one of as many threads as there are processors; on a GPU windows are
computed in batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from brainscan.card import AmplitudeConfig, Card
from brainscan.electrodes import ELECTRODES
from brainscan.errors import UsageError
from brainscan.model.precision import pick_precision
from brainscan.model.side_by_side import SideBySide
from brainscan_models.folding import folded
from brainscan_models.ssd import choose, use_backend

if TYPE_CHECKING:
    from brainscan_models.network import Network

FloatArray = NDArray[np.float32]

_LEFT = ("Fp1", "F3", "C3", "P3", "F7", "T3", "T5", "O1")
_RIGHT = ("Fp2", "F4", "C4", "P4", "F8", "T4", "T6", "O2")
_MIDLINE = ("Fz", "Cz", "Pz")
GROUPS: dict[str, tuple[tuple[str, ...], ...]] = {
    "all": (),
    "lateral": (_LEFT + _RIGHT, _MIDLINE),
    "hemispheres": (_LEFT, _RIGHT, _MIDLINE),
}


_LARGEST = 1e18
"""Whose square float32 still holds."""

BACKENDS = ("auto", "torch", "native", "onnx")
"""What may compute the network."""

_SCANS = {"auto": "auto", "torch": "chunked", "native": "native"}


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


def pick_device(name: str) -> torch.device:
    """Return the device that a name stands for.

    Raises
    ------
    UsageError
        If the name is unknown, or CUDA is asked for and absent.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name not in {"cpu", "cuda"}:
        raise UsageError(f"no such device: {name}", hint="--device takes auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("no CUDA device can be used here", hint="`brainscan doctor` shows what can; or --device cpu")
    return torch.device(name)


def pick_scan(backend: str, device: torch.device) -> str:
    """Return the form of the scan (`brainscan_models.ssd`) that a backend stands for.

    Raises
    ------
    UsageError
        If the backend is unknown or cannot run on this device or machine.
    """
    if backend not in _SCANS:
        raise UsageError(f"no such backend: {backend}", hint=f"--backend takes {', '.join(BACKENDS)}")
    if backend == "native":
        try:
            choose(torch.empty(0, device=device), backend)
        except ValueError as problem:
            raise UsageError(str(problem), hint="`brainscan doctor` shows what can run; or --backend auto") from problem
    return _SCANS[backend]


def centring_matrix(config: AmplitudeConfig) -> FloatArray:
    """Return the matrix that takes each group's mean off, shape (19, 19)."""
    matrix = np.eye(len(ELECTRODES))
    for group in GROUPS[config.centre]:
        rows = [ELECTRODES.index(name) for name in group]
        matrix[np.ix_(rows, rows)] -= 1.0 / len(rows)
    return matrix.astype(np.float32)


def scaled(uv: torch.Tensor, config: AmplitudeConfig, centring: torch.Tensor) -> torch.Tensor:
    """Return what the network sees of windows in µV, same shape (..., 19, n_samples)."""
    centred = uv if config.centre == "all" else centring @ uv
    relative = centred / config.scale_uv
    return config.gain * (torch.asinh(relative) if config.limiter == "asinh" else torch.tanh(relative))


def fast_scaled(uv: torch.Tensor, config: AmplitudeConfig, centring: torch.Tensor) -> torch.Tensor:
    """Return `scaled`, four times as fast and without a gradient: asinh by the logarithm that is computed in vectors.

    Equal to within float32's rounding up to 10^18 scales, where it stays.
    """
    if config.limiter != "asinh":
        return scaled(uv, config, centring)
    relative = (uv if config.centre == "all" else centring @ uv) / config.scale_uv
    size = relative.abs().clamp_(max=_LARGEST)
    square = size.square()
    # log1p keeps small values exact: asinh |x| = log1p(|x| + x² / (1 + sqrt(1 + x²))).
    root = square.add(1.0).sqrt_().add_(1.0)
    return square.div_(root).add_(size).log1p_().copysign_(relative).mul_(config.gain)


class WindowRunner(SideBySide):
    """A network on a device, ready for windows.

    Parameters
    ----------
    network : Network
    card : Card
    config : RunConfig

    Attributes
    ----------
    network : Network
        As it was given; its parts may be ablated, but after a change of weights another runner is needed.
    folded : Network
        Its twin for inference, which computes.
    """

    def __init__(self, network: Network, card: Card, config: RunConfig | None = None) -> None:
        self.config = config or RunConfig()
        self.card = card
        self.device = pick_device(self.config.device)
        self._scan = pick_scan(self.config.backend, self.device)
        self.network = network.to(self.device).eval()
        self.folded = folded(self.network)
        self._dtype = pick_precision(self.config.precision, self.device, network.config.encoder.widths[-1])
        self._centring = torch.from_numpy(centring_matrix(card.amplitude)).to(self.device)
        super().__init__(self.config.batch_size, self.config.threads, on_cpu=self.device.type == "cpu")

    @property
    def backend(self) -> str:
        """What computes the network, for people: ``native``, ``mamba_ssm`` or ``torch``."""
        chosen = choose(torch.empty(0, device=self.device), self._scan)
        return "torch" if chosen == "chunked" else chosen

    @property
    def precision(self) -> str:
        """In what products and convolutions are computed, for people."""
        return str(self._dtype).removeprefix("torch.")

    def _logits(self, windows: Sequence[FloatArray]) -> FloatArray:
        with torch.inference_mode(), use_backend(self._scan):
            uv = torch.from_numpy(np.stack(windows)).to(self.device)
            self.folded.ablate, self.folded.pe_every = self.network.ablate, self.network.pe_every
            eeg = fast_scaled(uv, self.card.amplitude, self._centring)
            with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self._dtype == torch.bfloat16):
                logits = self.folded(eeg)
            shifted: torch.Tensor = (logits - self.card.logit_shift) * self.card.logit_scale
            return shifted.float().cpu().numpy()
