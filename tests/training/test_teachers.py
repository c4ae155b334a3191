from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from brainscan.errors import ModelError
from brainscan.model import checkpoint
from brainscan_models.registry import build
from brainscan_training.config import TrainConfig
from brainscan_training.losses import per_second
from brainscan_training.teachers import Teachers

Changed = Callable[..., TrainConfig]
CPU = torch.device("cpu")


@pytest.fixture
def saved(smoke: Changed, tmp_path: Path) -> Callable[..., str]:
    def save(seed: int, *settings: str) -> str:
        config = smoke(*settings)
        torch.manual_seed(seed)
        path = tmp_path / f"teacher-{seed}.safetensors"
        checkpoint.save(path, build(config.network_config()), config.card())
        return str(path)

    return save


def test_teachers_say_the_sigmoid_of_their_mean_logit(smoke: Changed, saved: Callable[..., str]) -> None:
    paths = [saved(seed) for seed in (1, 2)]
    teachers = Teachers.load(paths, smoke().card(), CPU)
    assert teachers is not None
    eeg = torch.randn(3, 19, 10 * 256, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        one, two = (per_second(checkpoint.load(path).network(eeg)) for path in paths)
    assert not torch.equal(one, two)
    assert torch.allclose(teachers.probabilities(eeg), torch.sigmoid((one + two) / 2.0), atol=1e-6)


def test_no_teacher_is_none(smoke: Changed) -> None:
    assert Teachers.load((), smoke().card(), CPU) is None


def test_a_teacher_of_other_samples_is_refused(smoke: Changed, saved: Callable[..., str]) -> None:
    path = saved(1, "amplitude.scale_uv=20")
    pupil = smoke("filter.high_pass_hz=1").card()
    with pytest.raises(ModelError, match="its filter and amplitude differ"):
        Teachers.load([path], pupil, CPU)
    assert Teachers.load(
        [path], replace(pupil, filter=smoke().filter, amplitude=smoke("amplitude.scale_uv=20").amplitude), CPU
    )
