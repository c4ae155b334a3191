"""Networks that teach another: what they make of a window is its target beside the label (Hinton et al., 2015)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from brainscan.card import Card
from brainscan.errors import ModelError
from brainscan.io.atomic import write_text
from brainscan.model import checkpoint
from brainscan_training.losses import per_second

_ALIKE = ("rate_hz", "filter", "amplitude")
"""What of its card a teacher must have in common with its pupil: they see the same samples."""


TEACHERS = "teachers.json"
"""Checksums of a run's teachers, in its folder."""


def keep_teachers(models: Sequence[str], run: Path) -> None:
    """Write down which networks teach a run; one that goes on has to have the same.

    Raises
    ------
    ModelError
        If a model cannot be read, or another one stands in its place since.
    OutputError
        If it cannot be written down.
    """
    hashes = [checkpoint.read_card(checkpoint.locate(model)).sha256 for model in models]
    path = run / TEACHERS
    if not path.is_file():
        write_text(path, json.dumps(hashes))
        return
    if hashes != json.loads(path.read_text("utf-8")):
        raise ModelError(
            "other models stand where the run's teachers were when it began",
            file=", ".join(models),
            hint="put those back, or begin a new run",
        )


class Teachers:
    """Trained networks whose logits are averaged.

    Parameters
    ----------
    networks : sequence of Network
        One or more, each as it came from its checkpoint.
    device : torch.device
    """

    def __init__(self, networks: Sequence[nn.Module], device: torch.device) -> None:
        self._networks = [network.to(device).eval().requires_grad_(False) for network in networks]

    @classmethod
    def load(cls, models: Sequence[str], pupil: Card, device: torch.device) -> Teachers | None:
        """Return the teachers that a run names, or None where it names none.

        Raises
        ------
        ModelError
            If one cannot be loaded, or was trained on samples that were prepared otherwise than the pupil's.
        """
        networks = []
        for model in models:
            loaded = checkpoint.load(model)
            other = [name for name in _ALIKE if getattr(loaded.card, name) != getattr(pupil, name)]
            if other:
                raise ModelError(
                    f"cannot teach this run: its {' and '.join(other)} differ",
                    file=model,
                    hint="give the run the same, or teach it by models that were trained with the run's",
                )
            networks.append(loaded.network)
        return cls(networks, device) if networks else None

    def probabilities(self, eeg: Tensor) -> Tensor:
        """Return the probability of each second, the sigmoid of the teachers' mean logit.

        Parameters
        ----------
        eeg : Tensor, shape (batch, n_electrodes, n_samples)
            Scaled, as the pupil sees it.

        Returns
        -------
        Tensor, shape (batch, n_seconds)
        """
        with torch.no_grad():
            logits = torch.stack([per_second(network(eeg).float()) for network in self._networks])
        return torch.sigmoid(logits.mean(dim=0))
