"""An export is whole and equal to PyTorch, or it is not there."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.utils import parametrize

from brainscan.errors import ModelError, OutputError
from brainscan.model import checkpoint
from brainscan.model.inference import RunConfig
from brainscan.model.onnx_compare import BATCHES, TOLERANCE, compare, objection, trial_windows
from brainscan.model.onnx_export import export, refuse_to_overwrite
from brainscan.model.onnx_folder import AFTER, BEFORE, FILES, Comparison, read_export
from brainscan.model.onnx_graphs import OPSET
from brainscan.model.onnx_runner import Graphs, OnnxRunner
from tests.stand_ins import MIXED, SMALL, Exported, save_small

_REPOSITORY = Path(__file__).resolve().parents[3]
QuickExport = Callable[[], int]


def _graphs(folder: Path) -> Graphs:
    return Graphs(folder, read_export(folder)[0].pe, 1, ("CPUExecutionProvider",))


def test_an_export_is_four_files_that_belong_together(exported: Exported) -> None:
    assert {entry.name for entry in exported.folder.iterdir()} == FILES
    manifest, card = read_export(exported.folder)
    assert card == checkpoint.read_card(exported.checkpoint)
    assert manifest.model_sha256 == card.sha256
    assert (manifest.pe.eigenvectors, manifest.pe.every) == (SMALL.graph.eigenvectors, SMALL.graph.pe_every)
    assert set(manifest.versions) == {"brainscan", "torch", "onnx", "onnxscript", "onnxruntime"}


def test_it_was_compared_before_it_appeared(exported: Exported) -> None:
    found = read_export(exported.folder)[0].comparison
    assert found.batches == (1, 5)
    assert found.steps == 6 * 32  # windows, graph steps
    assert 0.0 < found.logits <= TOLERANCE
    assert 0.0 < found.after_pe <= TOLERANCE
    assert objection(found) == ""


def test_the_command_prints_what_it_wrote_and_nothing_else(exported: Exported) -> None:
    assert exported.err.splitlines() == ["tracing the network (half a minute for the default, several for v3) ..."]
    assert "opset 18" in exported.out
    assert [line.split()[0] for line in exported.out.splitlines()[3:]] == [BEFORE, AFTER]


@pytest.mark.parametrize("name", [BEFORE, AFTER])
def test_graphs_have_a_free_batch_axis_and_plain_weights(exported: Exported, name: str) -> None:
    import onnx

    model = onnx.load(exported.folder / name)
    onnx.checker.check_model(model)
    assert {entry.domain: entry.version for entry in model.opset_import}[""] == OPSET
    for value in (*model.graph.input, *model.graph.output):
        first, *others = value.type.tensor_type.shape.dim
        assert first.dim_param == "batch"
        assert all(axis.dim_value > 0 for axis in others), value.name
    assert not any("parametrizations" in weight.name for weight in model.graph.initializer)


@pytest.mark.parametrize("name", [BEFORE, AFTER])
def test_graphs_tell_nothing_of_the_machine_that_made_them(exported: Exported, name: str) -> None:
    data = (exported.folder / name).read_bytes()
    for trace in (str(_REPOSITORY), str(Path.home()), "site-packages", ".py"):
        assert trace.encode() not in data


def test_other_weights_are_refused_and_leave_nothing(tmp_path: Path, quick_export: QuickExport) -> None:
    """The graphs of one network with the card of another."""
    save_small(tmp_path / "other.safetensors", seed=1)
    loaded = checkpoint.load(str(tmp_path / "other.safetensors"))
    with pytest.raises(ModelError, match="differ from PyTorch's") as caught:
        export(loaded, tmp_path / "out")
    assert caught.value.exit_code == 4
    assert quick_export() == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["other.safetensors"]


def test_a_refused_export_leaves_the_earlier_one(exported: Exported, tmp_path: Path, quick_export: QuickExport) -> None:
    out = tmp_path / "out"
    export(checkpoint.load(str(exported.checkpoint)), out)
    before = {entry.name: entry.read_bytes() for entry in out.iterdir()}
    save_small(tmp_path / "other.safetensors", seed=1)
    with pytest.raises(ModelError):
        export(checkpoint.load(str(tmp_path / "other.safetensors")), out, force=True)
    assert {entry.name: entry.read_bytes() for entry in out.iterdir()} == before


@pytest.mark.parametrize("change", [{"logit_shift": -1.9}, {"logit_scale": 2.01}])
def test_a_card_that_the_graphs_do_not_follow_is_noticed(exported: Exported, change: dict[str, float]) -> None:
    loaded = checkpoint.load(str(exported.checkpoint))
    found = compare(loaded.network, replace(loaded.card, **change), _graphs(exported.folder))  # type: ignore[arg-type]
    assert found.features <= TOLERANCE
    assert "after_pe differ" in objection(found)


def test_another_scale_shows_in_the_features(exported: Exported) -> None:
    loaded = checkpoint.load(str(exported.checkpoint))
    card = replace(loaded.card, amplitude=replace(loaded.card.amplitude, scale_uv=20.2))
    assert "features differ" in objection(compare(loaded.network, card, _graphs(exported.folder)))


def test_another_step_between_is_counted(exported: Exported) -> None:
    loaded = checkpoint.load(str(exported.checkpoint))
    step = replace(read_export(exported.folder)[0].pe, every=7)
    found = compare(loaded.network, loaded.card, Graphs(exported.folder, step, 1, ("CPUExecutionProvider",)))
    assert found.other_edges == 0
    assert "eigenvectors of" in objection(found)


GOOD = Comparison(BATCHES, 1e-5, 1e-5, 1e-5, 1000, 2, 3)


@pytest.mark.parametrize("name", ["logits", "after_pe", "features"])
@pytest.mark.parametrize("value", [2 * TOLERANCE, float("nan"), float("inf")])
def test_what_is_too_far_apart_or_no_number_is_refused(name: str, value: float) -> None:
    assert objection(GOOD) == ""
    assert objection(replace(GOOD, **{name: value})).startswith(name)  # type: ignore[arg-type]


def test_a_few_other_choices_are_rounding_and_many_are_not() -> None:
    assert objection(replace(GOOD, other_edges=40)) == ""
    assert "51 edges" in objection(replace(GOOD, other_edges=51))


def test_trial_windows_hold_noise_silence_and_spikes() -> None:
    windows = trial_windows(2048)
    assert windows.shape == (max(BATCHES), 19, 2048)
    assert not windows[2].any()
    assert np.abs(windows[3]).max() == 1e6
    assert (windows[4].std(axis=1) == 0.0).sum() == 3


def _fill(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).write_text("{}")
    return folder


def test_an_export_is_replaced_only_when_asked(tmp_path: Path) -> None:
    out = _fill(tmp_path / "out", *FILES)
    with pytest.raises(OutputError, match="holds an export") as caught:
        refuse_to_overwrite(out, force=False)
    assert "--force" in caught.value.hint
    refuse_to_overwrite(out, force=True)


@pytest.mark.parametrize("names", [("notes.txt",), (*FILES, "notes.txt"), (BEFORE, AFTER)])
def test_a_folder_of_somebody_s_is_never_replaced(tmp_path: Path, names: tuple[str, ...]) -> None:
    out = _fill(tmp_path / "out", *names)
    with pytest.raises(OutputError, match="holds other files"):
        refuse_to_overwrite(out, force=True)


def test_an_empty_or_absent_folder_is_free_and_a_file_is_not(tmp_path: Path) -> None:
    refuse_to_overwrite(tmp_path / "absent", force=False)
    refuse_to_overwrite(_fill(tmp_path / "empty"), force=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        refuse_to_overwrite(tmp_path / "file", force=True)


def test_a_damaged_export_is_refused(exported: Exported, tmp_path: Path) -> None:
    for number, (name, old, new) in enumerate(
        [
            (BEFORE, b"uv", b"vu"),
            ("config.json", b'"enter": 0.6', b'"enter": 0.5'),
            ("onnx.json", b'"format_version": 1', b'"format_version": 2'),
            ("onnx.json", b'"opset"', b'"opzet"'),
            ("onnx.json", b'"pe": {', b'"pe": {{'),
        ]
    ):
        folder = tmp_path / str(number)
        shutil.copytree(exported.folder, folder)
        data = (folder / name).read_bytes()
        assert old in data
        (folder / name).write_bytes(data.replace(old, new, 1))
        with pytest.raises(ModelError, match="not a usable ONNX export") as caught:
            read_export(folder)
        assert caught.value.hint
    (folder / AFTER).unlink()
    with pytest.raises(ModelError):
        read_export(folder)


def test_a_card_of_another_model_is_refused(exported: Exported, tmp_path: Path) -> None:
    from brainscan.io.checksums import sha256_of

    folder = tmp_path / "export"
    shutil.copytree(exported.folder, folder)
    other = save_small(tmp_path / "other.safetensors", seed=1)
    (folder / "config.json").write_text(other.to_json(), encoding="utf-8")
    manifest = json.loads((folder / "onnx.json").read_text("utf-8"))
    manifest["files"]["config.json"] = sha256_of(folder / "config.json")
    (folder / "onnx.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError, match="different models"):
        read_export(folder)


def _as_documented(folder: Path, uv: np.ndarray) -> np.ndarray:
    """Run the program that the documentation gives to those who use an export by themselves."""
    text = (_REPOSITORY / "docs" / "detector.md").read_text("utf-8")
    (program,) = (block for block in re.findall(r"```python\n(.*?)```", text, re.S) if "onnx.json" in block)
    names: dict[str, Any] = {"uv": uv}
    exec(program.replace("exported/", f"{folder.as_posix()}/"), names)
    return np.asarray(names["probabilities"])


def _same_as_the_runner(folder: Path) -> None:
    uv = trial_windows(2048)[[0, 1, 3]]
    wanted = OnnxRunner(folder, RunConfig("cpu", threads=1, backend="onnx")).probabilities(list(uv))
    np.testing.assert_allclose(_as_documented(folder, uv), wanted, atol=1e-4)


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_the_documented_program_gives_what_the_runner_gives(exported: Exported) -> None:
    _same_as_the_runner(exported.folder)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_a_network_of_v3s_parts_exports_too_and_stays_as_it_was(tmp_path: Path) -> None:
    """Mixed electrodes, and a graph that fades; the streams, by far the dearest to trace, are those of `exported`."""
    none = replace(MIXED.nodes, layers=0)
    variant = replace(MIXED, bottleneck=none, nodes=none, edges=replace(MIXED.edges, layers=0))
    save_small(tmp_path / "mixed.safetensors", variant=variant)
    loaded = checkpoint.load(str(tmp_path / "mixed.safetensors"))
    random = torch.random.get_rng_state()
    manifest = export(loaded, tmp_path / "out")
    assert torch.equal(torch.random.get_rng_state(), random)
    assert list(manifest.graphs[AFTER].inputs) == ["pe", "nodes", "adjacency", "trunk", "skip_0"]
    assert manifest.comparison.logits <= TOLERANCE
    assert manifest.pe.ties == "fade"
    assert (manifest.comparison.other_edges, manifest.comparison.other_vectors) == (0, 0)
    assert checkpoint.checksum(loaded.network.state_dict(), loaded.card) == loaded.card.sha256
    assert parametrize.is_parametrized(loaded.network.encoder.stages[0].first)
    _same_as_the_runner(tmp_path / "out")
