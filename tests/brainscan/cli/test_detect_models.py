"""``detect`` with real checkpoints, and without."""

from __future__ import annotations

from pathlib import Path

import pytest

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
