from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from brainscan.cohort import Cohort
from brainscan.errors import ModelError
from brainscan.model import checkpoint
from brainscan.provenance import Provenance
from brainscan_models.registry import build
from brainscan_training.cache import Cached
from brainscan_training.config import TrainConfig
from brainscan_training.export import base_card
from brainscan_training.losses import per_second
from brainscan_training.teachers import Teachers, keep_teachers

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


def test_a_run_goes_on_with_the_teachers_that_it_began_with(saved: Callable[..., str], tmp_path: Path) -> None:
    one, two = saved(1), saved(2)
    keep_teachers([one, two], tmp_path)
    keep_teachers([one, two], tmp_path)
    Path(two).write_bytes(Path(one).read_bytes())
    with pytest.raises(ModelError, match=r"teacher-2.*other models stand where the run's teachers were"):
        keep_teachers([one, two], tmp_path)
    with pytest.raises(ModelError, match="other models"):
        keep_teachers([one], tmp_path)


def test_the_card_of_a_taught_network_tells_who_taught_it(
    smoke: Changed, saved: Callable[..., str], recordings: list[Cached], tmp_path: Path
) -> None:
    """What a teacher learned from, the pupil did, too."""
    ward = Cohort("adults on a ward", "", (30.0, 60.0), 5, 2.0)
    known = Provenance(trained=(ward,), training_data=({"name": "ward"},))
    teacher = checkpoint.load(saved(1))
    cards = []
    for k in range(2):
        card = replace(teacher.card, name=f"teacher {k}", provenance=known)
        cards.append(checkpoint.save(tmp_path / f"{k}.safetensors", teacher.network, card))
    taught = base_card(smoke(f"distil.teachers=[{tmp_path}/0.safetensors, {tmp_path}/1.safetensors]"), recordings)
    alone = base_card(smoke(), recordings)
    assert [card.sha256[:12] in taught.provenance.selection for card in cards] == [True, True]
    assert taught.provenance.trained == (ward, *alone.provenance.trained)
    assert taught.provenance.training_data == ({"name": "ward"}, *alone.provenance.training_data)
