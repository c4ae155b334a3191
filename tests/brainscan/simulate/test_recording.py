from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from brainscan.electrodes import ELECTRODES
from brainscan.events import Annotation
from brainscan.simulate import PAGE_S, SimulationConfig, simulate

CONFIG = SimulationConfig(duration_s=100, n_seizures=2, seed=3_000_123, rate_hz=128, artifacts=3.0)


def whole(config: SimulationConfig, seconds: float = 1000.0) -> np.ndarray:
    return np.concatenate(list(simulate(config).blocks(seconds)), axis=1)


@pytest.mark.parametrize("seconds", [1.0, 3.7, PAGE_S, 31.0])
def test_the_size_of_blocks_changes_no_sample(seconds: float) -> None:
    assert np.array_equal(whole(CONFIG, seconds), whole(CONFIG))


def test_pages_do_not_depend_on_the_order_in_which_they_are_made() -> None:
    backwards = simulate(CONFIG)
    pages = [backwards.page(number) for number in reversed(range(math.ceil(100 / PAGE_S)))][::-1]
    assert np.array_equal(np.concatenate(pages, axis=1), whole(CONFIG))


def test_a_longer_history_is_not_needed_for_a_late_block() -> None:
    assert np.array_equal(simulate(CONFIG).samples(9000, 9100), whole(CONFIG)[:, 9000:9100])


def test_seeds_differ_and_repeat() -> None:
    assert np.array_equal(whole(CONFIG), whole(CONFIG))
    other = replace(CONFIG, seed=CONFIG.seed + 1)
    assert abs(np.corrcoef(whole(CONFIG).ravel(), whole(other).ravel())[0, 1]) < 0.1


def test_the_truth_is_the_same_at_every_rate() -> None:
    one, other = (simulate(replace(CONFIG, rate_hz=rate)).truth for rate in (128, 512))
    assert [(s.onset_s, s.offset_s, s.pattern, s.type) for s in one] == [
        (s.onset_s, s.offset_s, s.pattern, s.type) for s in other
    ]
    assert [s.snr for s in one] == pytest.approx([s.snr for s in other], rel=0.3)


def test_shape_type_and_amplitude() -> None:
    uv = whole(CONFIG)
    assert uv.shape == (19, 12_800)
    assert uv.dtype == np.float32
    assert np.isfinite(uv).all()
    assert 1.0 < np.median(uv.std(axis=1)) < 300.0


def test_seizures_stand_out_by_their_ratio_on_the_electrodes_that_take_part() -> None:
    config = SimulationConfig(
        duration_s=400, n_seizures=4, seed=3_000_002, artifacts=0.0, generalised=0.0, snr=(5.0, 5.0)
    )
    simulation = simulate(config)
    uv = whole(config).astype(np.float64)
    uv -= uv.mean(axis=0)
    ictal = np.zeros(uv.shape[1], dtype=np.bool_)
    for seizure in simulation.truth:
        ictal[round(seizure.onset_s * 256) : round((seizure.offset_s + 50) * 256)] = True
    for seizure in simulation.truth:
        inside = uv[:, round(seizure.onset_s * 256) : round(seizure.offset_s * 256)]
        ratio = np.sqrt(np.mean(inside**2, axis=1) / np.mean(uv[:, ~ictal] ** 2, axis=1))
        part = np.array(seizure.electrodes)
        assert seizure.snr == pytest.approx(5.0)
        assert 2.0 < ratio[part].mean() < 12.0
        if not part.all():
            assert ratio[part].mean() > 1.5 * ratio[~part].mean()


def test_without_seizures_there_is_no_truth() -> None:
    simulation = simulate(replace(CONFIG, n_seizures=0))
    assert simulation.truth == ()
    assert simulation.annotations() == ()


def test_as_a_recording_it_reads_the_same_samples() -> None:
    simulation = simulate(CONFIG)
    recording = simulation.recording()
    assert recording.labels == ELECTRODES
    assert recording.format == "array"
    assert recording.duration_s == 100.0
    samples = recording.read([7, 0], 12.0, 30.5)
    assert len(samples.uv) == len(samples.railed) == 2
    assert np.array_equal(samples.uv[0], whole(CONFIG)[7, 12 * 128 : 3904].astype(np.float64))
    assert not samples.railed[0].any()
    assert recording.read([3], 99.0, 500.0).uv[0].shape == (128,)


def test_annotations_are_the_truth_and_need_no_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """A corpus of simulations is listed before any of them is read."""
    simulation = simulate(CONFIG)
    with monkeypatch.context() as patch:
        patch.setattr("brainscan.simulate.recording.seizure_piece", None)
        annotations = simulate(CONFIG).annotations()
    assert annotations == tuple(Annotation(s.onset_s, s.offset_s, "seiz") for s in simulation.truth)


def test_backgrounds_join_without_a_seam() -> None:
    config = SimulationConfig(duration_s=800, n_seizures=0, seed=7, rate_hz=128, artifacts=0.0)
    steps = np.abs(np.diff(whole(config), axis=1)).mean(axis=0)
    seams = steps[np.arange(1, 100) * PAGE_S * 128 - 1].mean()
    assert 0.8 < seams / steps.mean() < 1.25
    power = whole(config).std(axis=0)
    fades = np.concatenate([power[n * 1024 - 192 : n * 1024 - 64] for n in range(1, 100)]).mean()
    assert 0.85 < fades / power.mean() < 1.15


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"duration_s": 0}, "whole seconds"),
        ({"duration_s": 1.5}, "whole seconds"),
        ({"n_seizures": -1}, "must not be negative"),
        ({"seed": -1}, "must not be negative"),
        ({"rate_hz": 50}, r"100\.\.4096"),
        ({"artifacts": -0.1}, "artifacts"),
        ({"generalised": 1.1}, "generalised"),
        ({"snr": (2.0, 1.0)}, "in order"),
        ({"snr": (0.0, 1.0)}, "positive"),
    ],
)
def test_what_makes_no_sense_is_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(CONFIG, **change)


def test_blocks_need_a_length() -> None:
    with pytest.raises(ValueError, match="at least one sample"):
        next(simulate(CONFIG).blocks(0.0))


def test_the_bundled_sample_can_be_made_again_byte_for_byte(tmp_path: Path) -> None:
    from examples.make_sample import CONFIG as SAMPLE
    from examples.make_sample import make

    make(tmp_path)
    here = Path(__file__).resolve().parents[3] / "examples"
    for name in ("sample.edf", "sample_truth.csv_bi"):
        assert (tmp_path / name).read_bytes() == (here / name).read_bytes()
    assert (here / "sample.edf").stat().st_size < 3.5e6
    assert SAMPLE.seed >= 3_000_000
    assert {seizure.type for seizure in simulate(SAMPLE).truth} == {"focal", "generalised"}
