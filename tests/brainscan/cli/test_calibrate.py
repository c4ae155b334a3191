"""``brainscan calibrate``: which points it writes under which name, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from brainscan.io.csv_bi import format_csv_bi
from brainscan.model.checkpoint import load, read_card, save
from brainscan.offered import OperatingPoint
from tests.brainscan.cli.conftest import Run, write_edf
from tests.stand_ins import save_tiny


@pytest.fixture
def command(tmp_path: Path, here: Path) -> tuple[object, ...]:
    """Return a call that calibrates a tiny model on a minute of background."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    write_edf(corpus / "quiet.edf")
    (corpus / "quiet.csv_bi").write_text(format_csv_bi([], 60.0, "quiet"), encoding="utf-8")
    save_tiny(tmp_path / "tiny.safetensors")
    cache = tmp_path / "cache"
    return ("calibrate", tmp_path / "tiny.safetensors", corpus, "-o", here / "new.safetensors", "--cache", cache)


@pytest.fixture
def a_minute_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the minute of background stand for the day that simulation needs."""
    monkeypatch.setattr("brainscan.evaluate.calibration.MIN_SIMULATED_HOURS", 0.01)
    monkeypatch.setattr("brainscan.evaluate.calibration.MIN_SEIZURES", 0)


@pytest.mark.usefixtures("a_minute_is_enough")
def test_points_of_simulation_say_so(run: Run, command: tuple[object, ...], tmp_path: Path, here: Path) -> None:
    found = run(*command, "--simulated", "--fa", "5000,5000.0")
    assert found.code == 0, found.err
    card = load(str(here / "new.safetensors")).card
    assert list(card.operating_points) == ["sim-fa5000"]
    point = card.operating_points["sim-fa5000"]
    assert point.patients == 1
    assert point.hours == pytest.approx(60.0 / 3600.0)
    assert card.decision == read_card(tmp_path / "tiny.safetensors").decision
    assert "in 1.0 min (95 %: " in found.out
    assert found.err.count("do not say that they are simulated") == 1


def test_a_minute_of_simulation_is_no_rate(run: Run, command: tuple[object, ...], here: Path) -> None:
    found = run(*command, "--simulated")
    assert found.code == 3
    assert "simulated recordings with 1.0 min of background, 0 seizures, and it takes 24.0 h" in found.err
    assert "(missing: 24.0 h of background, 20 seizures)" in found.err
    assert not (here / "new.safetensors").exists()


def test_a_plain_name_needs_three_days_of_twenty_patients(run: Run, command: tuple[object, ...], here: Path) -> None:
    found = run(*command)
    assert found.code == 3
    assert "it takes 72.0 h of background, 20 patients, 20 seizures" in found.err
    assert "(missing: 72.0 h of background, 19 patients, 20 seizures)" in found.err
    assert "sim-fa1" not in found.out + found.err
    assert not (here / "new.safetensors").exists()


def test_nothing_is_overwritten(run: Run, command: tuple[object, ...], here: Path) -> None:
    (here / "new.safetensors").write_bytes(b"precious")
    assert run(*command, "--simulated").code == 5
    assert (here / "new.safetensors").read_bytes() == b"precious"


@pytest.mark.usefixtures("a_minute_is_enough")
def test_without_a_map_nothing_is_said_of_one(run: Run, command: tuple[object, ...], here: Path) -> None:
    assert "no confidence map" in run(*command, "--simulated", "--fa", "5000").err
    found = run(*command, "--simulated", "--fa", "5000", "--no-map", "--force")
    assert found.code == 0
    assert "no confidence map" not in found.err
    assert load(str(here / "new.safetensors")).card.confidence_map == ()


@pytest.mark.usefixtures("a_minute_is_enough")
def test_what_the_model_had_before_is_not_shown_as_measured(
    run: Run, command: tuple[object, ...], tmp_path: Path, here: Path
) -> None:
    """A point of the model stays on the card, and no row of the table is its."""
    path = tmp_path / "tiny.safetensors"
    before = load(str(path))
    point = OperatingPoint(1.0, 0.9, 0.82, 0.48, 100.0, 100, 0.3, (0.2, 0.4), "elsewhere")
    save(path, before.network, replace(before.card, operating_points={"sim-fa1": point}))
    found = run(*command, "--simulated", "--fa", "5000", "--no-map")
    assert found.code == 0
    assert "sim-fa5000" in found.out
    assert "sim-fa1 " not in found.out
    assert "not measured here, as the model had them: sim-fa1" in found.err
    assert set(load(str(here / "new.safetensors")).card.operating_points) == {"sim-fa1", "sim-fa5000"}
