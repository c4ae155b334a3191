"""From windows in µV to probabilities: amplitude, network, logit shift and scale, on one device.

On a CPU each window is computed alone, by one of as many threads as torch has; on a GPU windows are computed in
batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from brainscan.card import AmplitudeConfig, Card
from brainscan.errors import UsageError
from brainscan.model.amplitude import centring_matrix
from brainscan.model.precision import pick_precision
from brainscan.model.run_config import RunConfig as RunConfig
from brainscan.model.run_config import ensure_known
from brainscan.model.side_by_side import Computed, SideBySide
from brainscan.model.torch_threads import single_threaded
from brainscan_models.folding import folded
from brainscan_models.ssd import choose, use_backend

if TYPE_CHECKING:
    from brainscan_models.network import Network

FloatArray = NDArray[np.float32]

LARGEST = 1e18
"""Whose square float32 still holds."""

_SCANS = {"auto": "auto", "torch": "chunked", "native": "native"}


def pick_device(name: str) -> torch.device:
    """Return the device that a name stands for.

    Raises
    ------
    UsageError
        If the name is unknown, or CUDA is asked for and absent.
    """
    ensure_known("device", name)
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("no CUDA device can be used here", hint="`brainscan doctor` shows what can; or --device cpu")
    return torch.device(name)


def pick_scan(backend: str, device: torch.device, *, ready: bool = True) -> str:
    """Return the form of the scan (`brainscan_models.ssd`) that a backend stands for; ready to compute, if it must be.

    Raises
    ------
    UsageError
        If the backend is none of torch's or cannot run on this device or machine.
    """
    if backend not in _SCANS:
        raise UsageError(f"no such backend of PyTorch: {backend}", hint=f"one of {', '.join(_SCANS)}")
    if backend == "native":
        try:
            choose(torch.empty(0, device=device), backend, ready=ready)
        except ValueError as problem:
            raise UsageError(str(problem), hint="`brainscan doctor` shows what can run; or --backend auto") from problem
    return _SCANS[backend]


def scaled(uv: torch.Tensor, config: AmplitudeConfig, centring: torch.Tensor) -> torch.Tensor:
    """Return what the network sees of windows in µV, same shape (..., 19, n_samples)."""
    limited = torch.asinh if config.limiter == "asinh" else torch.tanh
    return config.gain * limited(in_scales(uv, config, centring))


def in_scales(uv: torch.Tensor, config: AmplitudeConfig, centring: torch.Tensor) -> torch.Tensor:
    """Return windows centred, as parts of the scale, same shape: what the limiter takes."""
    return (uv if config.centre == "all" else centring @ uv) / config.scale_uv


def fast_scaled(uv: torch.Tensor, config: AmplitudeConfig, centring: torch.Tensor) -> torch.Tensor:
    """Return `scaled`, four times as fast and without a gradient: asinh by the logarithm that is computed in vectors.

    Equal to within float32's rounding up to 10^18 scales, where it stays.
    """
    if config.limiter != "asinh":
        return scaled(uv, config, centring)
    relative = in_scales(uv, config, centring)
    size = relative.abs().clamp_(max=LARGEST)
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
        self._scan = pick_scan(self.config.backend, self.device, ready=network.config.scans)
        self.network = network.to(self.device).eval()
        self.folded = folded(self.network)
        self._dtype = pick_precision(self.config.precision, self.device, network.config.encoder.widths[-1])
        self._centring = torch.from_numpy(centring_matrix(card.amplitude)).to(self.device)
        threads = self.config.threads or torch.get_num_threads()
        super().__init__(self.config.batch_size, threads, on_cpu=self.device.type == "cpu", pool=single_threaded)

    @property
    def backend(self) -> str:
        """What computes the network, for people: ``native``, ``mamba_ssm`` or ``torch``."""
        chosen = choose(torch.empty(0, device=self.device), self._scan, ready=self.network.config.scans)
        return "torch" if chosen == "chunked" else chosen

    @property
    def precision(self) -> str:
        """In what products and convolutions are computed, for people."""
        return str(self._dtype).removeprefix("torch.")

    def _compute(self, windows: Sequence[FloatArray]) -> Computed:
        with torch.inference_mode(), use_backend(self._scan):
            uv = torch.from_numpy(np.stack(windows)).to(self.device)
            self.folded.ablate, self.folded.pe_every = self.network.ablate, self.network.pe_every
            eeg = fast_scaled(uv, self.card.amplitude, self._centring)
            with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self._dtype == torch.bfloat16):
                located = self.folded.locate(eeg)
            shifted: torch.Tensor = (located.logits - self.card.logit_shift) * self.card.logit_scale
            return Computed(shifted.float().cpu().numpy(), located.features.float().cpu().numpy())
