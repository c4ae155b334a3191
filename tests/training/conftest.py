"""What the training's tests share: simulated recordings in a cache, a configuration of seconds, a finished run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from brainscan.card import FilterConfig
from brainscan_training import cache, export
from brainscan_training.cache import Cached
from brainscan_training.config import SimulationData, TrainConfig
from brainscan_training.corpora import simulated
from brainscan_training.corpora.item import Item
from brainscan_training.journal import LOG, Silent, read_log
from brainscan_training.profiles import build_config, read_profile, with_settings
from brainscan_training.run import train

Changed = Callable[..., TrainConfig]


@dataclass(frozen=True)
class Finished:
    """A run that ended."""

    folder: Path
    config: TrainConfig

    @property
    def log(self) -> list[dict[str, object]]:
        return read_log(self.folder / LOG)

    @property
    def losses(self) -> list[object]:
        return [record["loss"] for record in self.log if record["kind"] == "step"]


@pytest.fixture(scope="session", autouse=True)
def one_commit() -> Iterator[None]:
    """Fix the commit on cards, so that a commit made meanwhile does not tell two runs apart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "commit", lambda: "0" * 40)
        yield


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Keep torch to one thread, as the smoke profile does, and give back what was before."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def items() -> tuple[Item, ...]:
    """Return six simulated recordings of 70 s: four to train on, two to validate on."""
    data = SimulationData(recordings=4, validation=2, duration_s=70, seizures=1)
    return simulated.corpus(data, "dev").items


@pytest.fixture(scope="session")
def recordings(items: tuple[Item, ...], cache_folder: Path) -> list[Cached]:
    assert not any(reason for _, reason in cache.build(items, cache_folder, FilterConfig()))
    return [cache.load(item, cache_folder, FilterConfig()) for item in items]


@pytest.fixture(scope="session")
def smoke(cache_folder: Path) -> Changed:
    """Return the smoke profile on simulation, one epoch of two steps, with changes ``"key=value"``."""
    base = with_settings(
        read_profile("smoke"),
        (
            "data.paths=[simulation]",
            f"data.cache={cache_folder}",
            "data.simulation={recordings: 4, validation: 2, duration_s: 70, seizures: 1}",
            "epochs=1",
            "steps_per_epoch=2",
            "batch_size=2",
            "compose.window_s=10",
            "window={duration_s: 20, stride_s: 10, taper_s: 5}",
        ),
    )

    def changed(*settings: str) -> TrainConfig:
        return build_config(with_settings(base, settings))

    return changed


@pytest.fixture(scope="session")
def finished(smoke: Changed, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Return a run of two epochs of three steps, to compare others with."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    config = smoke("epochs=2", "steps_per_epoch=3")
    before = torch.get_num_threads()
    train(config, folder, Silent)
    torch.set_num_threads(before)
    return Finished(folder, config)


@pytest.fixture
def run(tmp_path: Path) -> Callable[[TrainConfig], Finished]:
    """Return a function that runs a configuration in a folder of its own."""
    count = iter(range(100))

    def go(config: TrainConfig) -> Finished:
        folder = tmp_path / f"run{next(count)}"
        train(config, folder, Silent)
        return Finished(folder, config)

    return go
