"""``brainscan train`` as a user calls it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from brainscan.card import Card
from brainscan.cli import console
from brainscan.cli.main import main
from brainscan.io.csv_bi import read_csv_bi
from brainscan.model import checkpoint
from brainscan_training import memory
from brainscan_training.journal import LOG, read_log
from tests.children import unmeasured
from tests.training import corpus_trees as trees
from tests.training.corpus_trees import Clip

Call = Callable[..., tuple[int, str, str]]

SHORT = ("compose.window_s=10", "window={duration_s: 20, stride_s: 10, taper_s: 5}")
QUICK = (*SHORT, "checkpoints={every: 4, keep: 2}", "validation.place=false")
LITTLE = "data.simulation={recordings: 2, validation: 1, duration_s: 70, seizures: 1}"


@pytest.fixture(autouse=True)
def loud_again() -> None:
    console.set_quiet(False)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Return a function that calls the command line: exit code, stdout, stderr."""

    def go(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return go


def settings(*pairs: str) -> list[str]:
    return [word for pair in pairs for word in ("--set", pair)]


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def tree(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small TUSZ made of real recordings: two children to train on, one to validate on."""
    clips = []
    for split, subject, names in (
        ("train", "aaaaaaaa", ("train/chbmit/chb16_17_tX_as_sz", "train/chbmit/chb16_17_tX_Mt_sz")),
        ("train", "aaaaaaab", ("train/chbmit/chb01_03_t02996_sz", "train/chbmit/chb01_03_t03056_post")),
        ("dev", "aaaaaaac", ("train/chbmit/chb13_62_tX_sN_sz", "train/chbmit/chb01_04_t01527_post")),
    ):
        for name in names:
            path = shared / "eeg" / f"{name}.edf"
            file = read_csv_bi(path.with_suffix(".csv_bi"))
            assert file.duration_s is not None
            clips.append((split, subject, Clip(path, file.seizures, file.duration_s)))
    return trees.tusz(tmp_path_factory.mktemp("tuh_eeg_seizure"), clips)


def kill_when(run: Path, n_lines: int, arguments: list[str]) -> None:
    """Start the command and kill it, as a power cut would, once its log has so many lines."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "brainscan", *arguments], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + 300
        while process.poll() is None and time.monotonic() < end:
            log = run / LOG
            if log.exists() and log.read_bytes().count(b"\n") >= n_lines:
                break
            time.sleep(0.02)
        assert process.poll() is None, "the run ended before it was killed"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def uncommitted(card: Card) -> Card:
    """Return a card without the commit, which may be another in the process that was killed."""
    return replace(card, sha256="", provenance=replace(card.provenance, commit=""))


def test_train_kill_resume_evaluate_detect(tree: Path, tmp_path: Path, call: Call) -> None:
    """A TUSZ tree in, a detector out, all by the command line."""
    shown = settings(*QUICK, "steps_per_epoch=6", f"data.cache={tmp_path / 'cache'}")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    options = ["train", "--profile", "smoke", "--data", str(tree), *shown, "--json"]
    code, out, err = call(*options, "-o", whole)
    assert (code, "defect" in err) == (0, False)
    assert lines(out)[-1] == {"schema": "train-1", "kind": "result", "model": str(whole / "model.safetensors")}
    kill_when(killed, 5, [*options, "-o", str(killed)])
    assert not (killed / "model.safetensors").exists()
    code, out, _ = call("train", "--resume", killed, "--json")
    assert code == 0
    losses = [[line["loss"] for line in read_log(run / LOG) if line["kind"] == "step"] for run in (whole, killed)]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 12
    model = killed / "model.safetensors"
    one, other = (checkpoint.load(str(run / "model.safetensors")) for run in (whole, killed))
    assert uncommitted(one.card) == uncommitted(other.card)
    weights = one.network.state_dict(), other.network.state_dict()
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())

    code, out, _ = call("info", model, "--json")
    assert (code, json.loads(out)["card"]["provenance"]["training_data"][0]["name"]) == (0, "tusz")
    code, out, _ = call("evaluate", tree / "edf" / "dev", "--model", model, "--json", "--cache", tmp_path / "outputs")
    figures = json.loads(out)
    assert (code, figures["recordings"], figures["seizures"]) == (0, 2, 1)
    recording = next((tree / "edf" / "dev").rglob("*.edf"))
    code, out, _ = call("detect", recording, "--model", model, "-o", tmp_path / "events.csv_bi", "--json")
    (result,) = json.loads(out)["results"]
    assert (code, result["analysed_s"]) == (0, pytest.approx(result["duration_s"], abs=0.1))
    assert read_csv_bi(tmp_path / "events.csv_bi").duration_s == pytest.approx(result["duration_s"], abs=0.01)


def test_fine_tuning_prints_before_and_after(tmp_path: Path, call: Call) -> None:
    shown = settings(*QUICK, "steps_per_epoch=1", "epochs=1", f"data.cache={tmp_path / 'cache'}", LITTLE)
    options = ["train", "--profile", "smoke", "--data", "simulation", *shown]
    code, out, _ = call(*options, "-o", tmp_path / "first", "--quiet")
    assert (code, out.strip()) == (0, str(tmp_path / "first" / "model.safetensors"))
    code, out, err = call(*options, "-o", tmp_path / "second", "--init", tmp_path / "first" / "model.safetensors")
    assert code == 0
    assert "before fine-tuning" in out
    assert "after fine-tuning" in out
    assert "epoch 1:" in err


@pytest.fixture
def untried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a dry run try no step: of V3 that takes seconds and a gigabyte, and a test of its own does it."""
    monkeypatch.setattr(memory, "estimate", lambda *_: memory.MemoryEstimate(state=1, kept=1, windows=1))


@pytest.mark.parametrize(("profile", "parameters"), [("a100", 31_475_722), ("4090", 31_475_722), ("smoke", None)])
@pytest.mark.usefixtures("untried")
def test_dry_run_tells_what_it_would_be(profile: str, parameters: int | None, call: Call) -> None:
    code, out, _ = call("train", "--profile", profile, "--dry-run", "--json")
    plan = json.loads(out)
    assert code == 0
    assert parameters in {None, plan["parameters"]}
    config = plan["config"]
    assert plan["steps"] == config["epochs"] * config["steps_per_epoch"]
    rates = [rate for _, rate in plan["learning_rate"]]
    assert max(rates) == pytest.approx(config["learning_rate"])
    assert rates[-1] < 0.1 * max(rates) or profile == "smoke"


def _assert_tells_the_memory(out: str) -> None:
    plan = json.loads(out)
    assert plan["memory_bytes"] > plan["memory"]["bytes_per_window"] > 0


def test_dry_run_tells_the_memory(call: Call) -> None:
    code, out, _ = call("train", "--profile", "smoke", "--dry-run", "--json")
    assert code == 0
    _assert_tells_the_memory(out)


def test_dry_run_tells_the_memory_of_v3() -> None:
    """In a process of its own: the step that it tries takes a gigabyte, of which this one would keep its share."""
    command = [sys.executable, "-m", "brainscan", "train", "--profile", "4090", "--dry-run", "--json"]
    done = subprocess.run(command, env={**unmeasured(), "OMP_NUM_THREADS": "1"}, capture_output=True, check=True)
    _assert_tells_the_memory(done.stdout.decode("utf-8"))


@pytest.mark.parametrize("profile", ["a100", "rtx4090"])
@pytest.mark.usefixtures("untried")
def test_dry_run_says_that_the_run_would_stop_here(
    profile: str, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    code, out, err = call("train", "--profile", profile, "--dry-run")
    assert code == 0
    assert out.splitlines()[0] == "device      cuda, which cannot be used here"
    assert "unknown: nobody has measured" in out.splitlines()[1]
    assert "warning: no CUDA device can be used here: the run itself would stop here" in err
    device = json.loads(call("train", "--profile", profile, "--dry-run", "--json")[1])["device"]
    assert (device["name"], device["problem"]) == ("cuda", "no CUDA device can be used here")
    code, out, err = call("train", "--profile", profile, "--data", "simulation", "-o", tmp_path / "run")
    assert (code, out) == (2, "")
    assert "no CUDA device can be used here. hint: train where there is one, or --profile cpu" in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("n_validation", [0, 1])
def test_dry_run_warns_where_nothing_is_held_out(n_validation: int, call: Call) -> None:
    quick = settings(f"data.simulation={{recordings: 1, validation: {n_validation}, duration_s: 70, seizures: 1}}")
    code, out, err = call("train", "--profile", "smoke", "--data", "simulation", "--dry-run", "--json", *quick)
    assert (code, len(json.loads(out)["rows"])) == (0, 1 + n_validation)
    warnings = [line for line in err.splitlines() if line.startswith("warning: no recording to validate on: ")]
    assert len(warnings) == 1 - n_validation


def test_dry_run_shows_the_corpus(tree: Path, tmp_path: Path, call: Call) -> None:
    extra = tree / "edf" / "train" / "aaaaaaab" / "s999_2015" / "01_tcp_ar" / "aaaaaaab_s999_t000.edf"
    extra.parent.mkdir(parents=True)
    extra.write_bytes(b"no recording")
    try:
        code, out, _ = call("train", "--profile", "smoke", "--data", tree, "--dry-run", "--json")
        plain = call("train", "--profile", "smoke", "--data", tree, "--dry-run")[1]
    finally:
        extra.unlink()
    plan = json.loads(out)
    assert code == 0
    rows = {row["split"]: row for row in plan["rows"]}
    assert [(s, rows[s]["patients"], rows[s]["recordings"], rows[s]["seizures"]) for s in rows] == [
        ("dev", 1, 2, 1),
        ("train", 2, 4, 3),
    ]
    assert [one["reason"] for one in plan["unusable"]] == [
        "no annotation file beside it, and no list names it (no file has its name)"
    ]
    order = ("device", "time", "parameters", "GB with 16 windows", "corpus", "tusz", "1 unusable in all")
    places = [plain.index(text) for text in (*order, "learning rate", "configuration", "learning_rate:")]
    assert places == sorted(places)
    assert list(plan)[-1] == "config"
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--profile", "smoke"], 2, "no data. hint: give --data PATH"),
        (["--profile", "smok", "--data", "simulation"], 2, "did you mean smoke?"),
        (["--data", "simulation", "--set", "epoch=3"], 2, "did you mean 'epochs'"),
        (["--data", "simulation", "--set", "epoch=3"], 2, "'epochs'? hint: "),
        (["--data", "simulation", "--set", "nope=3"], 2, "unknown key 'nope'; known keys: name, model, "),
        (["--data", "simulation", "--set", "epochs"], 2, "not KEY=VALUE"),
        (["--profile", "smoke", "--config", "x.yaml"], 2, "not both"),
        (["--config", "absent.yaml", "--data", "simulation"], 2, "cannot be read"),
        (["--profile", "smoke", "--data", "absent"], 3, "no such folder"),
        (["--resume", "absent"], 3, "it is no run"),
        (["--resume", "absent", "--data", "x"], 3, "it is no run"),
        (["--profile", "smoke", "--data", "simulation", "--init", "absent"], 4, "no such model"),
    ],
)
def test_what_a_user_can_cause_is_one_line(
    arguments: list[str], code: int, text: str, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found, out, err = call("train", *arguments)
    assert (found, out) == (code, "")
    assert err.startswith("error: ")
    assert text in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_a_run_goes_on_with_the_options_that_it_has(tmp_path: Path, call: Call) -> None:
    """The command that began it, with --resume before; its dry run tells the time from the run's own steps."""
    run = tmp_path / "run"
    quick = settings(*QUICK, LITTLE, "steps_per_epoch=2", f"data.cache={tmp_path / 'cache'}")
    options = ["--profile", "smoke", "--data", "simulation", *quick, "-o", run]
    assert call("train", *options, "--quiet")[0] == 0
    began = read_log(run / LOG)
    code, out, _ = call("train", "--resume", run, *options, "--quiet")
    assert (code, out.strip()) == (0, str(run / "model.safetensors"))
    assert read_log(run / LOG) == began
    for partial in (["--profile", "smoke"], ["--data", "simulation"], ["-o", f"{run}/../run"], []):
        code, out, _ = call("train", "--resume", run, *partial, "--set", "epochs=4", "--dry-run", "--json")
        plan = json.loads(out)
        assert (code, plan["config"]["epochs"], plan["config"]["steps_per_epoch"]) == (0, 4, 2)
        assert "4 steps are left, and this run's last 3 took" in plan["duration"]["basis"]
        assert plan["duration"]["hours"] > 0
    code, _, err = call("train", "--resume", run, "--profile", "cpu")
    assert (code, "--resume" in err, "--profile cpu with " in err) == (2, True, True)
    assert read_log(run / LOG) == began


def test_a_run_is_not_begun_twice(tmp_path: Path, call: Call) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text("model: v3-lite\n", "utf-8")
    code, _, err = call("train", "--profile", "smoke", "--data", "simulation", "-o", run)
    assert code == 5
    assert f"--resume {run}" in err


@pytest.mark.usefixtures("untried")
def test_a_file_of_ones_own_is_a_configuration(tmp_path: Path, call: Call) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("model: v3\nlearning_rate: 2e-5\n", "utf-8")
    code, out, _ = call("train", "--config", path, "--set", "epochs=3", "--dry-run", "--json")
    config = json.loads(out)["config"]
    assert (code, config["learning_rate"], config["epochs"], config["model"]) == (0, 2e-5, 3, "v3")
    path.write_text("modl: v3\n", "utf-8")
    code, _, err = call("train", "--config", path, "--dry-run")
    assert (code, "mine.yaml: unknown key 'modl'" in err) == (2, True)


# ---- profiles, and the cache alone -----------------------------------------------------------------------------


def test_profiles_are_listed_with_what_they_are_for(call: Call) -> None:
    code, out, _ = call("train", "--list-profiles", "--json")
    rows = json.loads(out)["profiles"]
    assert code == 0
    assert [row["name"] for row in rows] == ["cpu", "hybrid", "rtx4090", "a100", "smoke"]
    assert all(row["what_for"] and row["windows"] > 0 for row in rows)
    shown = call("train", "--list-profiles")[1]
    assert all(row["name"] in shown and row["what_for"] in shown for row in rows)


def test_a_cache_filled_alone_is_the_one_that_the_same_call_trains_from(call: Call, tmp_path: Path) -> None:
    run = tmp_path / "run"
    little = settings(*SHORT, LITTLE, "epochs=1", "steps_per_epoch=1")
    command = ("train", "--profile", "smoke", "--data", "simulation", *little, "-o", run)
    code, out, _ = call(*command, "--cache-only", "--json")
    assert code == 0
    told = json.loads(out)
    assert (told["train"], told["validation"], told["unusable"]) == (2, 1, 0)
    entries = {path.name: path.stat().st_mtime_ns for path in Path(told["cache"]).iterdir()}
    assert len(entries) == 6
    assert not (run / "config.yaml").exists()
    assert call(*command)[0] == 0
    assert entries == {path.name: path.stat().st_mtime_ns for path in (run / "cache").iterdir()}


def test_filling_the_cache_needs_no_device_of_the_run(call: Call, tmp_path: Path) -> None:
    cuda = settings(LITTLE, "device=cuda")
    command = ("train", "--profile", "smoke", "--data", "simulation", *cuda, "-o", tmp_path / "run")
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    assert call(*command)[0] == 2
    assert call(*command, "--cache-only")[0] == 0


def test_a_dry_run_fills_no_cache(call: Call) -> None:
    code, _, err = call("train", "--profile", "smoke", "--data", "simulation", "--cache-only", "--dry-run")
    assert code == 2
    assert "--dry-run" in err
