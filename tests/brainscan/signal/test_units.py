from __future__ import annotations

import numpy as np
import pytest

from brainscan.signal.units import mains_share, robust_deviation, spelled, uv_per_unit


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("uV", 1.0), ("UV", 1.0), ("µV", 1.0), ("μV", 1.0), ("microV", 1.0), ("u V", 1.0), ("mV", 1e3), ("V", 1e6),
     ("nV", 1e-3), ("", None), (".V", None), ("DegC", None), ("%", None)],
)  # fmt: skip
def test_spellings(unit: str, factor: float | None) -> None:
    assert uv_per_unit(unit) == factor


def test_deviation_is_blind_to_drift_and_outliers() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 20, (1, 4000))
    spiked = noise + np.linspace(0, 50_000, 4000)
    spiked[0, ::100] = 1e6
    spiked[0, 7] = np.nan
    assert robust_deviation(spiked)[0] == pytest.approx(20, rel=0.15)


def test_mains_share() -> None:
    t = np.arange(2560) / 256
    hum = 100 * np.sin(2 * np.pi * 50 * t)
    slow = 30 * np.sin(2 * np.pi * 10 * t)
    assert mains_share(hum, 256) > 0.99
    assert mains_share(slow, 256) < 0.01
    assert mains_share(np.zeros(100), 256) == 0.0


@pytest.mark.parametrize(
    ("uv", "text"),
    [(28.0, "28 uV"), (3620.4, "3.6 mV"), (0.0312, "31 nV"), (16e6, "16 V"), (340.0, "340 uV"), (99.9, "100 uV")],
)
def test_voltages_for_people(uv: float, text: str) -> None:
    assert spelled(uv) == text
