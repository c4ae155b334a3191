"""No key of a configuration is decoration: each changes something that can be seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from brainscan.card import Card
from brainscan.mapping import to_mapping
from brainscan.model import checkpoint
from brainscan_training.batches import workers_for
from brainscan_training.cache import Cached
from brainscan_training.compose import Composer, HardSpan
from brainscan_training.config import TrainConfig
from brainscan_training.corpora.layout import gather
from brainscan_training.journal import Silent
from brainscan_training.memory import estimate
from brainscan_training.plan import learning_rates
from brainscan_training.profiles import build_config, with_settings
from brainscan_training.run import make_fabric, train
from tests.training.conftest import Finished
from tests.training.test_config import leaves
from tests.training.test_step import batch_of, stepper

Changed = Callable[..., TrainConfig]

# What a window is made of, what a step does, what the card says, which rates and recordings a run has.
COMPOSED = {
    "seed": 1,
    "compose.window_s": 20,
    "compose.seizure_share": 0.0,
    "compose.chunk_s": [2.0, 3.0],
    "compose.join_s": [1.0, 2.0],
    "compose.padded": 1.0,
    "compose.padded_from_s": 19,
    "compose.simulated": 1.0,
    "compose.transplanted": 0.8,
    "compose.patterns": [["spike_wave", 1.0]],
    "compose.postictal": 1.0,
    "compose.intensive": 1.0,
    "compose.short": 1.0,
    "compose.slowed": 1.0,
    "compose.artifacts": 1.0,
    "compose.more_artifacts": True,
    "compose.sources": [["ward", 1.0], ["simulation", 0.0]],
    "compose.other": 99.0,
    "compose.sham": True,
    "augment.gain": 0.0,
    "augment.electrode_gain": 0.0,
    "augment.polarity": 0.0,
    "augment.mirror": 0.0,
    "augment.low_pass": 0.0,
    "augment.high_pass": 0.0,
    "augment.tilt": 0.0,
    "augment.noise": 0.0,
    "augment.mains": 1.0,
    "augment.drop": 0.0,
    "augment.components": 0.0,
    "augment.ears": 1.0,
    "augment.device": 1.0,
    "augment.stretch": 1.0,
}
STEPPED = {
    "network": {"head": {"hidden": 12}},
    "semi_dynamic_interval": 1,
    "use_dynamic_pe": False,
    "micro_batch_size": 1,
    "mixed_precision": True,
    "learning_rate": 1e-4,
    "weight_decay": 0.9,
    "gradient_clip": 1e-3,
    "ema": 0.1,
    "loss.focus": 0.5,
    "loss.alpha": 0.9,
    "loss.smoothing": 0.3,
    "loss.electrodes": 3.0,
    "amplitude.scale_uv": 20.0,
    "amplitude.limiter": "tanh",
    "amplitude.gain": 1.0,
    "amplitude.centre": "lateral",
}
CARDED = {
    "name": "mine",
    "model": "v3",
    "filter.high_pass_hz": 1.0,
    "filter.low_pass_hz": 40.0,
    "filter.notch_hz": 50.0,
    "filter.transition_hz": 0.9,
    "window.duration_s": 80,
    "window.stride_s": 5,
    "window.taper_s": 4.0,
    "decision.enter": 0.9,
    "decision.leave": 0.5,
    "decision.average_s": 3.0,
    "decision.opening": 21,
    "decision.closing": 41,
    "decision.merge_gap_s": 5.0,
    "decision.min_duration_s": 3.0,
    "decision.prolonged_s": 100.0,
    "decision.onset_dwell": 9,
    "decision.offset_dwell": 9,
    "decision.baseline.trailing_s": 900.0,
    "decision.baseline.quantile": 0.7,
    "decision.baseline.quiet": 0.2,
    "decision.baseline.most": 2.0,
    "decision.postictal.within_s": 60.0,
    "decision.postictal.logits": 1.0,
}
PLANNED = {
    "epochs": 3,
    "steps_per_epoch": 5,
    "warm_up": 0.9,
    "final_rate": 0.5,
    "recompute": True,
    "batch_size": 6,
    "num_workers": 2,
    "device": "cuda",
    "processes": 2,
    "data.paths": ["simulation", "simulation"],
    "data.validation_split": "eval",
    "data.exclude": ["simulated-0"],
    "data.simulation.recordings": 3,
    "data.simulation.validation": 1,
    "data.simulation.duration_s": 80,
    "data.simulation.seizures": 2,
    "data.simulation.seed": 9,
}
# What only a run shows, with what else is set to see it.
RAN: dict[str, tuple[Any, tuple[str, ...]]] = {
    "init": ("MODEL", ()),
    "distil.teachers": (["MODEL"], ()),
    "distil.share": (0.2, ("distil.teachers=[MODEL]",)),
    "threads": (2, ()),
    "max_skipped": (0.0, ("learning_rate=1e30",)),
    "data.cache": ("ELSEWHERE", ()),
    "checkpoints.every": (1, ("checkpoints.every=7",)),
    "checkpoints.keep": (1, ()),
    "fine_tune.learning_rate": (1e-2, ("init=MODEL",)),
    "fine_tune.epochs": (2, ("init=MODEL",)),
    "fine_tune.freeze": (["nodes"], ("init=MODEL",)),
    "mining.share": (1.0, ("epochs=2", "mining.share=0", "compose.seizure_share=0.1")),
    "mining.budget": (0.9, ("mining.share=0.5", "batch_size=10")),
    "validation.share": (0.01, ("batch_size=10",)),
    "validation.fa_per_24h": (1000.0, ()),
    "validation.patience": (1, ("epochs=3", "learning_rate=1e-12")),
    "validation.keep": ("last", ("epochs=3", "learning_rate=1e-12")),
    "validation.place": (False, ()),
}
ELSEWHERE = {
    "data.held_out": "test_corpora.py: shares of patients",
    **dict.fromkeys(("data.population", "data.setting", "data.ages"), "test_run.py: whom a run was trained on"),
}


def setting(key: str, value: Any) -> str:
    return f"{key}={json.dumps(value)}"


Known = Callable[[Hashable, Callable[[], Any]], Any]


@pytest.fixture(scope="module")
def known() -> Known:
    """Return a function that keeps what is made under a key: what most keys are compared with is the same."""
    kept: dict[Hashable, Any] = {}

    def get(key: Hashable, make: Callable[[], Any]) -> Any:
        if key not in kept:
            kept[key] = make()
        return kept[key]

    return get


def test_every_key_is_looked_at() -> None:
    looked_at = [*COMPOSED, *STEPPED, *CARDED, *PLANNED, *RAN, *ELSEWHERE]
    assert sorted(looked_at) == sorted(leaves(TrainConfig().to_mapping()))


@pytest.mark.parametrize("key", COMPOSED)
def test_windows_differ(key: str, smoke: Changed, recordings: list[Cached], known: Known) -> None:
    two_sources = [*recordings[:4], _of_source(recordings[1], "ward")]

    def drawn(config: TrainConfig) -> list[np.ndarray]:
        composer = Composer(two_sources, config.compose, config.augment)
        windows = [composer.draw(np.random.default_rng((config.seed, k))) for k in range(16)]
        return [array for w in windows for array in (w.uv, w.ictal, w.weight)]

    base = (
        "compose.sources=[[ward, 0.5]]",
        "compose.seizure_share=0.6",
        "compose.simulated=0.5",
        "compose.artifacts=0.5",
        "compose.window_s=30",
        "compose.chunk_s=[18, 40]",  # long enough to be cut short
    )
    before = known("windows", lambda: drawn(smoke(*base)))
    after = drawn(smoke(*base, setting(key, COMPOSED[key])))
    assert any(a.shape != b.shape or not np.array_equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("key", STEPPED)
def test_steps_differ(key: str, smoke: Changed, known: Known) -> None:
    def stepped(config: TrainConfig) -> dict[str, torch.Tensor]:
        trained = stepper(config)
        for number in range(2):
            trained.step(batch_of(2, seed=number), number, config.learning_rate)
        return {k: v.float() for k, v in trained.averaged.network.state_dict().items()}

    before, after = known("steps", lambda: stepped(smoke())), stepped(smoke(setting(key, STEPPED[key])))
    assert before.keys() == after.keys()
    assert any(before[k].shape != after[k].shape or not torch.equal(before[k], after[k]) for k in before)


@pytest.mark.parametrize("key", CARDED)
def test_cards_differ(key: str) -> None:
    def card(*settings: str) -> Card:
        return build_config(with_settings({}, settings)).card()

    assert card() != card(setting(key, CARDED[key]))


@pytest.mark.parametrize("key", PLANNED)
def test_plans_differ(key: str, smoke: Changed, known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    seen: list[Any] = []
    monkeypatch.setattr("lightning.fabric.Fabric", lambda **options: seen.append(options))

    def plan(config: TrainConfig) -> tuple[Any, ...]:
        make_fabric(config)
        rates, memory = learning_rates(config), estimate(config)
        (corpus, *rest) = gather(config.data, config.seed)
        return (
            rates,
            (memory.kept, memory.windows),
            [(i.name, i.split, to_mapping(i.simulation)) for i in corpus.items],
            len(rest),
            workers_for(config.num_workers, config.device),
            seen.pop(),
        )

    before = known("plan", lambda: plan(smoke("epochs=4")))
    assert before != plan(smoke("epochs=4", setting(key, PLANNED[key])))


@pytest.mark.parametrize("key", RAN)
def test_runs_differ(
    key: str, smoke: Changed, finished: Finished, known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever is looked at has a false alarm, which an untrained network need not give.
    monkeypatch.setattr(
        "brainscan_training.loop.hard_spans", lambda _, names: tuple(HardSpan(n, 10.0, 20.0) for n in names)
    )
    threads: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    places = {"MODEL": finished.folder / "model.safetensors", "ELSEWHERE": tmp_path / "elsewhere"}

    def filled(text: str) -> str:
        for word, path in places.items():
            text = text.replace(word, str(path))
        return text

    def outcome(name: str, *settings: str) -> Any:
        error = ""
        try:
            train(smoke(*map(filled, settings)), tmp_path / name, Silent)
        except checkpoint.ModelError as problem:
            error = str(problem)
        files = sorted(p.name for p in (tmp_path / name).rglob("*") if "tfevents" not in p.name)
        log = [_timeless(line) for line in Finished(tmp_path / name, smoke()).log]
        seen = error[:60], files, log, _card(tmp_path / name)
        asked = threads[0]  # later ones are set, and put back, by whoever computes windows beside each other
        threads.clear()
        return *seen, asked, places["ELSEWHERE"].exists()

    value, others = RAN[key]
    before = known(others, lambda: outcome("before", *others))
    assert before != outcome("after", *others, filled(setting(key, value)))


def _timeless(record: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in record.items() if name not in {"s", "waited_s"}}


def _card(run: Path) -> Card | None:
    path = run / "model.safetensors"
    return checkpoint.read_card(path) if path.exists() else None


def _of_source(cached: Cached, source: str) -> Cached:
    from dataclasses import replace

    return replace(cached, item=replace(cached.item, name=f"{source}-1", source=source))
