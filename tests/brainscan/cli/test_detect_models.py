"""``detect`` with real checkpoints, and without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from brainscan.model import checkpoint
from brainscan.offered import OperatingPoint
from tests.brainscan.cli.conftest import Run
from tests.stand_ins import save_tiny


def test_a_checkpoint_by_path(run: Run, edf: Path, here: Path, tmp_path: Path) -> None:
    card = save_tiny(tmp_path / "tiny.safetensors")
    (result,) = run(
        "detect", edf, "--model", tmp_path / "tiny.safetensors", "--on", "0", "-o", f"{tmp_path}/out/", "--json"
    ).json["results"]
    assert len(result["events"]) == 1
    assert result["model"]["model_sha256"] == card.sha256


@pytest.mark.parametrize("model", ["v3", "absent.safetensors", "absent"])
def test_models_that_cannot_be_used(run: Run, edf: Path, here: Path, tmp_path: Path, model: str) -> None:
    ran = run("detect", edf, "--model", model, "-o", tmp_path / "x", "--json")
    assert ran.code == 4
    assert ran.json["error"]["kind"] == "model"
    assert not (tmp_path / "x").exists()


def test_a_damaged_model(run: Run, edf: Path, here: Path, tmp_path: Path) -> None:
    path = tmp_path / "tiny.safetensors"
    save_tiny(path)
    path.write_bytes(path.read_bytes()[:-8] + b"\0" * 8)
    ran = run("detect", edf, "--model", path, "-o", tmp_path / "x")
    assert ran.code == 4
    assert "checksum" in ran.errors[0]


def test_a_device_that_is_not_there(run: Run, edf: Path, here: Path, tmp_path: Path) -> None:
    save_tiny(tmp_path / "tiny.safetensors")
    ran = run("detect", edf, "--model", tmp_path / "tiny.safetensors", "--device", "tpu")
    assert ran.code == 2


def test_a_precision_that_the_processor_is_not_made_for(
    run: Run, edf: Path, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_tiny(tmp_path / "tiny.safetensors")
    monkeypatch.setattr("brainscan.model.precision.bfloat16_missing", lambda device: f"a {device} without it")
    choice = ("detect", edf, "--model", tmp_path / "tiny.safetensors", "--device", "cpu", "--precision")
    ran = run(*choice, "bfloat16")
    assert ran.code == 2
    assert "bfloat16 cannot be used here: a cpu without it" in ran.errors[0]
    assert run(*choice, "auto", "-v").code == 0
    assert run(*choice, "half").code == 2


def test_operating_points(run: Run, edf: Path, here: Path, tmp_path: Path) -> None:
    path = tmp_path / "tiny.safetensors"
    save_tiny(path)
    loaded = checkpoint.load(str(path))
    point = OperatingPoint(1.0, 0.61, 0.53, 0.7, 300.0, 40, 0.6, (0.5, 0.7), "simulated recordings")
    real = replace(point, target_fa_per_24h=5.0, enter=0.52, leave=0.44, source="a hospital")
    checkpoint.save(path, loaded.network, replace(loaded.card, operating_points={"sim-fa1": point, "fa5": real}))

    of_simulation = run("detect", edf, "--model", path, "--operating-point", "fa1", "--json", "-o", f"{tmp_path}/a/")
    decision = of_simulation.json["results"][0]["model"]["decision"]
    assert (decision["enter"], decision["leave"]) == (0.61, 0.53)
    assert "sim-fa1 rests on 300 h of simulation" in of_simulation.err
    assert any("sim-fa1 rests on" in warning for warning in of_simulation.json["results"][0]["warnings"])

    plain = run("detect", edf, "--model", path, "--operating-point", "fa5", "--json", "-o", f"{tmp_path}/b/")
    assert plain.json["results"][0]["model"]["decision"]["enter"] == 0.52
    assert "simulation" not in plain.err

    absent = run("detect", edf, "--model", path, "--operating-point", "fa10", "-o", f"{tmp_path}/c/")
    assert absent.code == 4
    assert "sim-fa1" in absent.errors[0]
    assert run("detect", edf, "--model", path, "--operating-point", "fa1", "--on", "0.5").code == 2


@pytest.mark.parametrize("command", ["detect", "scan"])
def test_a_point_that_finds_next_to_nothing_is_refused_with_what_there_is(
    run: Run, edf: Path, here: Path, command: str
) -> None:
    """A shipped card's own: its figures stay visible, its name is not offered."""
    where = edf if command == "detect" else edf.parent
    refused = run(command, where, "--model", "v3-lite", "--operating-point", "fa1", "-o", here / "out/")
    assert refused.code == 2
    assert "--operating-point fa1: sim-fa1 finds 1% of the seizures (95 %: 0 to 2 %)" in refused.errors[0]
    assert "this model offers fa5 (24%), fa10 (37%)" in refused.errors[0]
    assert not (here / "out").exists()
    assert {"sim-fa1", "sim-fa5"} <= set(run("info", "v3-lite", "--json").json["card"]["operating_points"])
