"""An export against PyTorch: the same windows through both, stage by stage and from end to end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from brainscan.card import Card
from brainscan.electrodes import N_ELECTRODES
from brainscan.events import RATE_HZ
from brainscan.model.amplitude import centring_matrix
from brainscan.model.inference import scaled
from brainscan.model.onnx_folder import Comparison
from brainscan.model.onnx_graphs import output_names, passed_on
from brainscan.model.onnx_runner import Graphs
from brainscan_models.network import Network

FloatArray = NDArray[np.float32]

BATCHES = (1, 5)

TOLERANCE = 1e-3
"""Largest difference of a logit, and of a feature relative to the largest of its kind (docs/definitions.md)."""

OTHER_CHOICES = 0.05
"""Share of the graph steps at which rounding may decide otherwise between edges or vectors that are level."""

_SAME_EDGE = 0.01
"""Weights that differ by more are another choice of edges."""

_SAME_VECTOR = 0.05
"""Eigenvectors (of unit spread) that differ by more have another sign or order."""


def trial_windows(n_samples: int) -> FloatArray:
    """Return noise, noise with a rhythm, silence, noise with spikes, and noise beside lost electrodes, in µV.

    Returns
    -------
    array, shape (5, 19, n_samples)
    """
    rng = np.random.default_rng(0)
    # A little of it shared, and no two electrodes equally loud, as in EEG.
    noise = rng.standard_normal((5, N_ELECTRODES, n_samples)) + rng.standard_normal((5, 1, n_samples))
    uv = noise * np.linspace(8.0, 30.0, N_ELECTRODES)[:, None]
    at_s = np.arange(n_samples) / RATE_HZ
    field = np.linspace(120.0, -40.0, N_ELECTRODES)[:, None]
    uv[1] += field * np.sin(2.0 * np.pi * 4.0 * at_s) * (at_s > at_s[-1] / 3.0)
    uv[2] = 0.0
    uv[3, ::5, :: max(1, n_samples // 7)] = 1e6
    uv[4, 3:6] = 0.0
    return uv.astype(np.float32)


def compare(network: Network, card: Card, graphs: Graphs) -> Comparison:
    """Run the trial windows through PyTorch and an export.

    Parameters
    ----------
    network : Network
        In inference mode, on the CPU.
    card : Card
    graphs : Graphs
    """
    windows = trial_windows(card.window.n_samples)
    found = [_compare_batch(network, card, graphs, windows[:batch]) for batch in BATCHES]
    return Comparison(
        batches=BATCHES,
        logits=max(each.logits for each in found),
        after_pe=max(each.after_pe for each in found),
        features=max(each.features for each in found),
        steps=sum(each.steps for each in found),
        other_edges=sum(each.other_edges for each in found),
        other_vectors=sum(each.other_vectors for each in found),
    )


def objection(found: Comparison) -> str:
    """Return why an export must not be used, empty where it may."""
    for what in ("features", "after_pe", "logits"):
        value = getattr(found, what)
        if not value <= TOLERANCE:  # NaN fails too
            return f"{what} differ from PyTorch's by up to {value:.3g} (allowed: {TOLERANCE:g})"
    if found.other_edges + found.other_vectors > OTHER_CHOICES * found.steps:
        return f"{found.other_edges} edges and {found.other_vectors} eigenvectors of {found.steps} steps are others"
    return ""


@dataclass(frozen=True, slots=True)
class _Torch:
    """What PyTorch makes of a batch."""

    features: Mapping[str, FloatArray]
    pe: FloatArray
    logits: FloatArray
    summary: FloatArray

    @classmethod
    def of(cls, network: Network, card: Card, uv: FloatArray) -> _Torch:
        centring = torch.from_numpy(centring_matrix(card.amplitude))
        with torch.inference_mode():
            features = network.before_pe(scaled(torch.from_numpy(uv), card.amplitude, centring))
            pe = network.pe(features.adjacency)
            located = network.after_pe(features, pe)
            logits = (located.logits - card.logit_shift) * card.logit_scale
            named = zip(output_names(network), passed_on(network, features), strict=True)
            return cls(
                {name: value.numpy() for name, value in named}, pe.numpy(), logits.numpy(), located.features.numpy()
            )


def _compare_batch(network: Network, card: Card, graphs: Graphs, uv: FloatArray) -> Comparison:
    theirs = _Torch.of(network, card, uv)
    features = graphs.before(uv)
    pe = graphs.pe(features)
    found, same_start = graphs.after(features, pe), graphs.after(theirs.features, theirs.pe)
    none = np.zeros((len(uv), 0, N_ELECTRODES, N_ELECTRODES), dtype=np.float32)
    adjacencies = [given.get("adjacency", none) for given in (features, theirs.features)]
    edges = (np.abs(adjacencies[0] - adjacencies[1]) > _SAME_EDGE).any(axis=(2, 3))
    vectors = ~edges & (np.abs(pe - theirs.pe).max(axis=(2, 3), initial=0.0) > _SAME_VECTOR)
    same = ~(edges | vectors).any(axis=1)
    continuous = {name: value for name, value in features.items() if name != "adjacency"}
    return Comparison(
        batches=(len(uv),),
        logits=_largest(found.logits[same] - theirs.logits[same]),
        after_pe=max(_largest(same_start.logits - theirs.logits), _largest(same_start.features - theirs.summary)),
        features=max(
            _largest(value - theirs.features[name]) / max(_largest(theirs.features[name]), 1e-6)
            for name, value in continuous.items()
        ),
        steps=edges.size,
        other_edges=int(edges.sum()),
        other_vectors=int(vectors.sum()),
    )


def _largest(values: FloatArray) -> float:
    return float(np.abs(values).max(initial=0.0))
