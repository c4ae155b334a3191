"""The Modal app with the real package: everything but the platform itself, which only it can show."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import shutil
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import yaml

from brainscan.cli.main import main
from brainscan_training.journal import LOG

modal = pytest.importorskip("modal", reason="the Modal app needs the package modal (extra dev)")

# Volumes are folders here, which is meant.
pytestmark = pytest.mark.filterwarnings("ignore:.*executing locally:UserWarning")

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs" / "modal").glob("*.yaml"))


@pytest.fixture(scope="module")
def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("brainscan_modal_app", ROOT / "deploy" / "modal" / "app.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded  # dataclasses look their module up
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def app(module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the app with its volumes as folders here."""
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return module


# Three recordings of 70 s in short windows: what is trained here is not looked at.
_LITTLE = ("recordings=2", "validation=1", "duration_s=70")
_SMOKE = (
    *("--profile", "smoke", "--data", "simulation"),
    *(word for pair in _LITTLE for word in ("--set", f"data.simulation.{pair}")),
    *("--set", "compose.window_s=10", "--set", "window.duration_s=20", "--set", "window.stride_s=10"),
    *("--set", "window.taper_s=5"),
)


def smoke(app: ModuleType, **more: object) -> dict[str, object]:
    arguments = (*_SMOKE, *more.pop("arguments", ()))  # type: ignore[misc]
    return asdict(app.Request("trial", arguments, **more))


class Process:
    """A command of brainscan in this process, which has imported already what takes a child seconds."""

    def __init__(self, command: list[str]) -> None:
        assert command[:3] == [sys.executable, "-m", "brainscan"]
        self._arguments = command[3:]
        self._code: int | None = None

    def wait(self, _timeout: float | None = None) -> int:
        self._code = main(self._arguments)
        return self._code

    def poll(self) -> int | None:
        return self._code


def completed(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = Process(command).wait()
    return subprocess.CompletedProcess(command, code, out.getvalue())


HERE = SimpleNamespace(Popen=Process, run=completed, PIPE=subprocess.PIPE, TimeoutExpired=subprocess.TimeoutExpired)
"""What the app knows of processes, where a test needs none."""


# ---- configurations and commands -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_configurations_that_are_there_can_be_used(app: ModuleType, path: Path) -> None:
    request = app.request_of(path, yaml.safe_load)
    command = app.command_of(path.stem, request)
    assert command[0] == {"train": "train", "evaluate": "evaluate", "detect": "scan"}[path.stem]
    assert command[-1] == str(request.folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("run: a\ncard: x\n", "no such key: card"),
        ("run: ../a\n", "no plain name"),
        ("run: a\nhours_per_call: 25\n", "at most 23.5"),
        ("run: a\nprice_per_hour: -1\n", "below 0"),
        ("run: a\narguments: 3\n", "neither a list nor a line"),
        ("- a\n", "no mapping"),
    ],
)
def test_what_cannot_be_meant_is_refused(app: ModuleType, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "request.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        app.request_of(path, yaml.safe_load)


def test_arguments_may_be_one_line(app: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "request.yaml"
    path.write_text("run: a\narguments: --data '/vol/data/my corpus'\n")
    assert app.request_of(path, yaml.safe_load).arguments == ("--data", "/vol/data/my corpus")


@pytest.mark.parametrize(("action", "more"), [("train", []), ("populate-cache", ["--cache-only"])])
def test_a_run_that_has_begun_goes_on(app: ModuleType, action: str, more: list[str]) -> None:
    request = app.Request("trial", ("--profile", "smoke"))
    assert app.command_of(action, request)[:3] == ["train", "--profile", "smoke"]
    request.folder.mkdir(parents=True)
    (request.folder / "config.yaml").write_text("")
    assert app.command_of(action, request) == ["train", "--resume", str(request.folder), *more]


# ---- cost ------------------------------------------------------------------------------------------------------


def test_a_cost_is_hours_by_price_and_says_how_many_calls(app: ModuleType) -> None:
    request = app.Request("a", gpu="A100-80GB", hours_per_call=20.0, price_per_hour=2.5)
    text = app.cost_of({"duration": {"hours": 50.0, "basis": "measured"}}, request)
    assert text == "cost: about 50.0 A100-80GB-hours in 3 calls (an estimate: measured), 125.00 at 2.5 an hour"


def test_a_cost_that_nobody_knows_is_not_made_up(app: ModuleType) -> None:
    request = app.Request("a", gpu="H100", hours_per_call=20.0, price_per_hour=4.0)
    text = app.cost_of({"duration": {"hours": None, "basis": "nobody measured"}}, request)
    assert text == "cost: unknown (nobody measured); one call of 20 h costs at most 80.00"


def test_the_outlook_is_the_dry_runs(app: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = app.outlook.local(smoke(app))
    assert plan["steps"] == 6
    assert "hours" in plan["duration"]
    monkeypatch.setattr(app, "subprocess", HERE)
    assert app.outlook.local(smoke(app, arguments=("--set", "nonsense=1"))) == {"failed": 2}


# ---- calls -----------------------------------------------------------------------------------------------------


def test_a_run_longer_than_a_call_goes_on_in_another_and_its_model_is_used(
    app: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "runs" / "trial"

    class TimeIsOver(subprocess.Popen[bytes]):
        """A command whose time is over once the run has logged two steps."""

        def wait(self, timeout: float | None = None) -> int:
            while timeout == 3600.0 and self.poll() is None:
                if (run / LOG).is_file() and (run / LOG).read_text().count("\n") >= 2:
                    raise subprocess.TimeoutExpired(self.args, timeout)
                time.sleep(0.02)
            return super().wait(timeout)

    asked = smoke(app, arguments=("--set", "epochs=1", "--set", "steps_per_epoch=16"), hours_per_call=1.0)
    with monkeypatch.context() as patch:
        patch.setattr(app.subprocess, "Popen", TimeIsOver)
        first = app.call.local("train", asked)
    monkeypatch.setattr(app, "subprocess", HERE)
    assert (first["unfinished"], (run / "model.safetensors").exists()) == (True, False)
    second = app.call.local("train", asked)
    assert (second["code"], second["unfinished"]) == (0, False)
    assert "--resume" in second["command"]
    (tmp_path / "data").mkdir()
    shutil.copy(ROOT / "examples" / "sample.edf", tmp_path / "data")
    request = app.Request(
        "found", (str(tmp_path / "data"), "--model", str(run / "model.safetensors"), "--workers", "0")
    )
    assert app.call.local("detect", asdict(request))["code"] == 0
    assert (tmp_path / "runs" / "found" / "summary.csv").is_file()


def test_a_cache_is_filled_shown_and_removed(app: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "subprocess", HERE)
    asked = smoke(app)
    assert app.call.local("populate-cache", asked)["code"] == 0
    shown = app.clean.local(asked)
    assert (shown["files"], shown["removed"]) == (6, False)
    assert (tmp_path / "cache" / "trial").is_dir()
    assert app.clean.local(asked, True)["removed"]
    assert not (tmp_path / "cache" / "trial").exists()
    assert app.clean.local(asked, True)["files"] == 0


def test_an_evaluation_that_fails_says_so(app: ModuleType, tmp_path: Path) -> None:
    ended = app.call.local("evaluate", asdict(app.Request("e", (str(tmp_path / "absent"),))))
    assert (ended["code"] != 0, ended["unfinished"]) == (True, False)


# ---- the command of `modal run` --------------------------------------------------------------------------------


@pytest.fixture
def near(app: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the app whose calls run here, and whose wheel is built."""
    monkeypatch.setattr(app, "wheel", lambda: tmp_path / "brainscan.whl")
    for name in ("outlook", "clean"):
        monkeypatch.setattr(app, name, SimpleNamespace(remote=getattr(app, name).local))
    monkeypatch.setattr(app, "machine", lambda function, request: SimpleNamespace(remote=function.local))
    return app


def run_main(app: ModuleType, *words: object) -> None:
    app.main.info.raw_f(*words)


def test_the_cost_is_printed_before_a_training_starts(
    near: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[str, dict[str, object], str]] = []

    def train(action: str, asked: dict[str, object]) -> dict[str, object]:
        started.append((action, asked, capsys.readouterr().out))
        return asdict(near.Ended(0, 1.5))

    monkeypatch.setattr(near, "call", SimpleNamespace(local=train))
    monkeypatch.setattr(near, "subprocess", HERE)
    path = tmp_path / "t.yaml"
    path.write_text(f"run: trial\nprice_per_hour: 2\narguments: {' '.join(_SMOKE)}\n")
    run_main(near, "train", str(path))
    ((action, asked, said),) = started
    assert (action, asked) == ("train", smoke(near, price_per_hour=2.0))
    assert said.startswith("cost: unknown (nobody has measured this network on this device")
    assert "exit code 0" in capsys.readouterr().out


@pytest.mark.parametrize("action", ["clean", "destroy", ""])
def test_an_unknown_action_is_refused(near: ModuleType, capsys: pytest.CaptureFixture[str], action: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        run_main(near, action, "absent.yaml")
    assert stopped.value.code == 2
    assert "no such action" in capsys.readouterr().err


def test_without_a_wheel_nothing_starts(
    app: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app, "wheel", lambda: None)
    with pytest.raises(SystemExit) as stopped:
        run_main(app, "train", str(CONFIGS[-1]))
    assert stopped.value.code == 2
    assert "python -m build" in capsys.readouterr().err
