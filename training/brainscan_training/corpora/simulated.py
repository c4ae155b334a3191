"""Simulated recordings as a corpus: nothing is read, seeds tell training from validation (docs/definitions.md)."""

from __future__ import annotations

from pathlib import Path

from brainscan.simulate import SimulationConfig, simulate
from brainscan_training.config import SimulationData
from brainscan_training.corpora.item import Corpus, Item

NAME = "simulation"
"""What ``--data`` takes for it."""

FIRST_VALIDATION_SEED = 1_000_000


def corpus(data: SimulationData, validation_split: str) -> Corpus:
    """Return simulated recordings, each a subject of its own; their samples are made when they are read."""
    plans = (("train", data.seed, data.recordings), (validation_split, FIRST_VALIDATION_SEED, data.validation))
    items = tuple(
        _item(SimulationConfig(data.duration_s, data.seizures, seed), split)
        for split, first, n in plans
        for seed in range(first, first + n)
    )
    return Corpus("simulation", items)


def _item(config: SimulationConfig, split: str) -> Item:
    name = f"simulated-{config.seed}"
    return Item(
        path=Path(name),
        name=name,
        source=NAME,
        subject=name,
        split=split,
        seizures=simulate(config).annotations(),
        licence="Apache-2.0",
        simulation=config,
    )
