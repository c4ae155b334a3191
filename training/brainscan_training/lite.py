"""Train a first v3-lite on an indexed folder of recordings: a plain script, one process, no framework.

    python -m brainscan_training.lite --data PATH --out RUN

It holds the recipe that ``brainscan train --profile cpu`` grows from. The run's folder gets the checkpoint
(``model.safetensors``) and ``log.jsonl``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from brainscan.card import AmplitudeConfig, Card, DecisionConfig, FilterConfig
from brainscan.mapping import from_mapping
from brainscan.model import checkpoint
from brainscan.model.inference import RunConfig, WindowRunner, centring_matrix, scaled
from brainscan_models.config import NetworkConfig
from brainscan_models.registry import VARIANTS, build
from brainscan_training import cache
from brainscan_training.augment import AugmentConfig
from brainscan_training.cache import Cached
from brainscan_training.compose import ComposeConfig, Composed, Composer
from brainscan_training.corpora.folder import items
from brainscan_training.losses import detection_loss, electrode_loss, per_second
from brainscan_training.optim import AveragedWeights, adamw, rate_at


@dataclass(frozen=True, slots=True)
class LiteConfig:
    """One run."""

    steps: int = 500
    batch_size: int = 11
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    clip: float = 1.0
    ema: float = 0.98
    focus: float = 0.0
    electrode_weight: float = 0.05
    seed: int = 0
    without: tuple[str, ...] = ()
    compose: ComposeConfig = field(default_factory=ComposeConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    amplitude: AmplitudeConfig = field(default_factory=lambda: AmplitudeConfig(centre="lateral"))


def train(recordings: list[Cached], network_config: NetworkConfig, config: LiteConfig, log: Path) -> WindowRunner:
    """Train and return the averaged network, ready to run."""
    torch.manual_seed(config.seed)
    network = build(network_config)
    averaged = AveragedWeights(network, config.ema)
    optimiser = adamw(network, config.learning_rate, config.weight_decay)
    composer = Composer(recordings, config.compose, config.augment)
    centring = torch.from_numpy(centring_matrix(config.amplitude))
    begun = time.monotonic()
    with log.open("a", encoding="utf-8") as lines:
        for step, batch in enumerate(_batches(composer, config)):
            for group in optimiser.param_groups:
                group["lr"] = config.learning_rate * rate_at(step, config.steps)
            uv, ictal, weight, electrodes = batch
            network.train()
            located = network.locate(scaled(uv, config.amplitude, centring))
            loss = detection_loss(per_second(located.logits), ictal, weight, focus=config.focus)
            if config.electrode_weight:
                loss = loss + config.electrode_weight * electrode_loss(located.electrodes, electrodes, ictal)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            norm = torch.nn.utils.clip_grad_norm_(network.parameters(), config.clip)
            if torch.isfinite(norm):
                optimiser.step()
                averaged.update(network)
            facts = {"step": step, "loss": loss.item(), "norm": norm.item(), "s": round(time.monotonic() - begun, 1)}
            lines.write(json.dumps(facts) + "\n")
            lines.flush()
    card = Card(
        name="v3-lite",
        variant=network_config.to_mapping(),
        filter=FilterConfig(),
        amplitude=config.amplitude,
        decision=DecisionConfig(),
    )
    return WindowRunner(averaged.network, card, RunConfig(device="cpu"))


def _batches(composer: Composer, config: LiteConfig) -> Iterator[tuple[torch.Tensor, ...]]:
    """Yield batches, the next one being composed meanwhile; the draws depend on seed and step only."""

    def compose(step: int) -> tuple[torch.Tensor, ...]:
        drawn: list[Composed] = []
        for i in range(config.batch_size):
            drawn.append(composer.draw(np.random.default_rng((config.seed, step, i))))
        fields = ("uv", "ictal", "weight", "electrodes")
        return tuple(torch.from_numpy(np.stack([getattr(d, name) for d in drawn])) for name in fields)

    with ThreadPoolExecutor(max_workers=1) as pool:
        ahead = pool.submit(compose, 0)
        for step in range(config.steps):
            batch = ahead.result()
            if step + 1 < config.steps:
                ahead = pool.submit(compose, step + 1)
            yield batch


def main() -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with index.csv, EDF and CSV_bi")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(".cache/eeg"))
    parser.add_argument("--config", default="{}", help="JSON that changes LiteConfig")
    parser.add_argument("--network", default="{}", help="JSON that changes parts of v3-lite")
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    config = from_mapping(LiteConfig, json.loads(arguments.config))
    network_config = VARIANTS["v3-lite"]
    for part, changes in json.loads(arguments.network).items():
        values = {key: tuple(v) if isinstance(v, list) else v for key, v in changes.items()}
        network_config = replace(network_config, **{part: replace(getattr(network_config, part), **values)})
    arguments.out.mkdir(parents=True, exist_ok=True)
    found = [i for i in items(arguments.data) if i.split == "train" and i.subject not in config.without]
    for item, reason in cache.build(found, arguments.cache, FilterConfig()):
        if reason:
            print(f"left out {item.name}: {reason}", file=sys.stderr)
    recordings = [cache.load(item, arguments.cache, FilterConfig()) for item in found]
    runner = train(recordings, network_config, config, arguments.out / "log.jsonl")
    checkpoint.save(arguments.out / "model.safetensors", runner.network, runner.card)
    return 0


if __name__ == "__main__":
    sys.exit(main())
