"""``brainscan export``, and exports in the other commands."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from brainscan.events import Annotation
from brainscan.io.csv_bi import format_csv_bi
from brainscan.model.runner import place_of
from tests.brainscan.cli.conftest import Run, write_edf
from tests.stand_ins import Exported, save_small

QuickExport = Callable[[], int]


def test_export_refuses_to_overwrite(run: Run, exported: Exported, quick_export: QuickExport, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("export", exported.checkpoint, "--onnx", out).code == 0
    again = run("export", exported.checkpoint, "--onnx", out)
    assert again.code == 5
    assert "--force" in again.errors[0]
    assert quick_export() == 1
    assert run("export", exported.checkpoint, "--onnx", out, "--force", "-q").code == 0
    (out / "mine.txt").write_text("")
    assert run("export", exported.checkpoint, "--onnx", out, "--force").code == 5
    assert (out / "mine.txt").exists()


def test_a_mismatch_is_exit_4_and_writes_nothing(run: Run, quick_export: QuickExport, tmp_path: Path) -> None:
    save_small(tmp_path / "other.safetensors", seed=1)
    ran = run("export", tmp_path / "other.safetensors", "--onnx", tmp_path / "out")
    assert quick_export() == 1
    assert ran.code == 4
    assert "differ from PyTorch's" in ran.errors[0]
    assert [entry.name for entry in tmp_path.iterdir()] == ["other.safetensors"]


def test_a_quiet_export_says_nothing(run: Run, exported: Exported, quick_export: QuickExport, tmp_path: Path) -> None:
    ran = run("export", exported.checkpoint, "--onnx", tmp_path / "out", "-q")
    assert (ran.code, ran.out, ran.err, quick_export()) == (0, "", "", 1)


@pytest.mark.parametrize(("model", "code"), [("v3", 4), ("absent.safetensors", 4)])
def test_what_cannot_be_exported(run: Run, tmp_path: Path, model: str, code: int) -> None:
    assert run("export", model, "--onnx", tmp_path / "out").code == code
    assert list(tmp_path.iterdir()) == []


def test_a_missing_extra_is_named(run: Run, exported: Exported, monkeypatch: pytest.MonkeyPatch, edf: Path) -> None:
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxscript" else find(name))
    for arguments in (
        ("export", exported.checkpoint, "--onnx", edf.parent / "out"),
        ("detect", edf, "--model", exported.checkpoint, "--backend", "onnx", "-o", f"{edf.parent}/out/"),
    ):
        ran = run(*arguments, "--json") if arguments[0] == "detect" else run(*arguments)
        assert ran.code == 2
        assert 'pip install "brainscan[onnx]"' in ran.errors[0]
        if arguments[0] == "detect":
            assert ran.json["error"]["kind"] == "extra"


def test_detect_gives_the_same_with_an_export(
    run: Run, exported: Exported, quick_export: QuickExport, edf: Path, here: Path
) -> None:
    """By the folder of an export, and by the checkpoint and the backend's name."""
    ways = {
        "native": ("--model", exported.checkpoint, "--backend", "native"),
        "folder": ("--model", exported.folder),
        "onnx": ("--model", exported.checkpoint, "--backend", "onnx", "--threads", "1"),
    }
    curves, events = {}, {}
    for name, way in ways.items():
        ran = run(
            "detect", edf, *way, "--on", "0.55", "-o", f"{name}/", "--probabilities", f"{name}.npz", "--json", "-v"
        )
        assert ran.code == 0, ran.err
        (result,) = ran.json["results"]
        curves[name] = np.load(here / f"{name}.npz")["probability"]
        events[name] = [(round(e["onset_s"], 1), round(e["offset_s"], 1)) for e in result["events"]]
        assert f"backend {'native' if name == 'native' else 'onnx'}" in ran.err
    assert np.ptp(curves["native"]) > 0.01
    for name in ("folder", "onnx"):
        np.testing.assert_allclose(curves[name], curves["native"], atol=1e-3)
        assert events[name] == events["native"]
    assert quick_export() == 1


def test_the_first_run_says_why_it_takes_its_time(
    run: Run, exported: Exported, quick_export: QuickExport, edf: Path, here: Path
) -> None:
    arguments = ("detect", edf, "--model", exported.checkpoint, "--backend", "onnx", "-o", "out/")
    assert "exporting the model to ONNX, once" in run(*arguments).err
    assert run(*arguments).err == ""
    assert quick_export() == 1


def test_onnx_and_an_export_in_the_other_commands(
    run: Run, exported: Exported, quick_export: QuickExport, tmp_path: Path, here: Path
) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    write_edf(corpus / "p1_night.edf")
    (corpus / "p1_night.csv_bi").write_text(
        format_csv_bi([Annotation(20.0, 35.0, "seiz", 1.0)], 60.0, "p1_night", ()), encoding="utf-8"
    )
    by_name = ("--model", exported.checkpoint, "--backend", "onnx")
    here_alone = ("-o", tmp_path / "out", "--workers", 0)  # a worker process would trace an export of its own
    assert run("scan", corpus, *here_alone, *by_name, "-q").code == 0
    scanned = run("scan", corpus, *here_alone, "--model", exported.folder, "--json")
    assert scanned.json["skipped"] == 1  # the same model, whichever way it runs
    shutil.rmtree(place_of(str(exported.checkpoint)))
    assert "exporting the model" in run("evaluate", corpus, *by_name, "--cache", tmp_path / "cache").err
    found = [
        run("evaluate", corpus, *way, "--cache", tmp_path / "cache", "--json").json
        for way in (by_name, ("--model", exported.folder), ("--model", exported.checkpoint))
    ]
    assert [each["default"] for each in found[1:]] == [found[0]["default"]] * 2
    assert quick_export() == 2


def test_info_shows_the_card_of_an_export(run: Run, exported: Exported) -> None:
    found, wanted = (run("info", path, "--json").json for path in (exported.folder, exported.checkpoint))
    assert found == wanted


def test_an_export_does_not_run_on_other_backends(run: Run, exported: Exported, edf: Path, here: Path) -> None:
    ran = run("detect", edf, "--model", exported.folder, "--backend", "native")
    assert ran.code == 2
    assert run("detect", edf, "--backend", "tpu").code == 2
