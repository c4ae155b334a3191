"""Where a run would train, and how long it would take."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from brainscan.errors import UsageError
from brainscan_training.config import TrainConfig
from brainscan_training.outlook import Device, Duration, device_of, duration, require_device
from brainscan_training.profiles import build_config, read_profile, with_settings

CPU = Device("cpu")


def of(profile: str, *settings: str) -> TrainConfig:
    return build_config(with_settings(read_profile(profile), settings))


@pytest.mark.parametrize(
    ("cards", "settings", "name", "problem"),
    [
        (0, ("device=cpu",), "cpu", ""),
        (0, ("device=auto",), "cpu", ""),
        (0, ("device=cuda",), "cuda", "no CUDA device can be used here"),
        (0, ("device=cpu", "processes=2"), "cpu", ""),
        (1, ("device=cuda",), "cuda", ""),
        (1, ("device=auto",), "cuda", ""),
        (1, ("device=cuda", "processes=2"), "cuda", "processes=2, and there are 1 CUDA devices"),
        (2, ("device=cuda", "processes=2"), "cuda", ""),
    ],
)
def test_where_a_run_would_train(
    cards: int, settings: tuple[str, ...], name: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cards > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cards)
    config = of("rtx4090", "batch_size=4", *settings)
    device = device_of(config)
    assert (device.name, device.problem) == (name, problem)
    if problem:
        with pytest.raises(UsageError, match=r"processes=2|no CUDA"):
            require_device(config)
    else:
        assert require_device(config) == name


@pytest.mark.parametrize(
    ("config", "device", "hours"),
    [
        (of("cpu"), CPU, 6 * 100 * 10 / 9.1 / 3600),
        (of("cpu", "epochs=12"), CPU, 12 * 100 * 10 / 9.1 / 3600),
        (of("cpu", "compose.window_s=30"), CPU, 6 * 100 * 10 / 9.1 / 7200),
        (of("cpu"), Device("cuda"), None),
        (of("cpu", "model=v3"), CPU, None),
        (of("cpu", "network.nodes.layers=2"), CPU, None),
        (of("cpu", "mixed_precision=true"), CPU, None),
        (of("cpu", "processes=2"), CPU, None),
        (of("smoke"), CPU, None),
        (of("a100"), Device("cuda", "none here"), None),
    ],
)
def test_a_time_is_told_where_a_rate_was_measured(config: TrainConfig, device: Device, hours: float | None) -> None:
    took = duration(config, device)
    assert took.hours == (None if hours is None else pytest.approx(hours))
    assert took.text.startswith("unknown: " if hours is None else "about ")
    assert hours is None or "an estimate" in took.text


def steps(n: int, s: float = 2.0) -> list[dict[str, Any]]:
    return [{"kind": "step", "step": k, "s": 50.0 if k == 0 else s} for k in range(n)]


@pytest.mark.parametrize(
    ("log", "hours"),
    [
        (steps(2), 598 * 2.0 / 3600),
        (steps(300), 300 * 2.0 / 3600),
        ([*steps(200), {"kind": "validation", "s": 30.0}, {"kind": "validation", "s": 50.0}], (800 + 4 * 40) / 3600),
        (steps(600), 0.0),
        ([*steps(250, 9.0), *({"kind": "step", "step": k, "s": 1.0} for k in range(250, 500))], 100 / 3600),
    ],
)
def test_a_run_that_has_begun_goes_on_as_fast(log: list[dict[str, Any]], hours: float) -> None:
    """The first step compiles and warms up; the last 200 count."""
    assert duration(of("cpu"), Device("cuda"), log).hours == pytest.approx(hours)


def test_one_step_tells_nothing() -> None:
    assert duration(of("a100"), CPU, steps(1)).hours is None


@pytest.mark.parametrize(
    ("hours", "shown"),
    [(0.25, "about 15 min, an estimate: x"), (20.04, "about 20.0 h, an estimate: x"), (None, "unknown: x")],
)
def test_hours_in_words(hours: float | None, shown: str) -> None:
    assert Duration(hours, "x").text == shown
