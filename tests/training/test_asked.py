"""Options of a call beside the run that goes on: what repeats it, what contradicts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.errors import InputError, UsageError
from brainscan.model import checkpoint
from brainscan_training.asked import CONFIG, Asked, keep_settings, settings_of
from brainscan_training.init import resolved
from brainscan_training.profiles import write_config

BEGUN = ("epochs=7", "compose.window_s=20")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a run of the cpu profile on two folders, with two keys changed."""
    monkeypatch.chdir(tmp_path)
    for name in ("ours", "theirs", "other"):
        (tmp_path / name).mkdir()
    begin(tmp_path / "run", Asked(profile="cpu", settings=BEGUN, data=("ours", "theirs")))
    return tmp_path / "run"


def begin(run: Path, asked: Asked) -> None:
    run.mkdir()
    write_config(run / CONFIG, resolved(asked.new())[0])
    keep_settings(run, asked.settings)


@pytest.mark.parametrize(
    "asked",
    [
        Asked(),
        Asked(profile="cpu"),
        Asked(profile="cpu", settings=BEGUN, data=("ours", "theirs"), output=Path("run")),
        Asked(data=("theirs", "./ours")),
        Asked(data=("../{here}/ours", "theirs")),
        Asked(output=Path("ours/../run")),
        Asked(profile="cpu", settings=("epochs=7",)),
        Asked(settings=("epochs=7",)),
    ],
    ids=str,
)
def test_what_repeats_the_run_is_no_error(run: Path, asked: Asked) -> None:
    here = Path.cwd().name
    asked = Asked(
        asked.profile, asked.config, asked.settings, tuple(d.format(here=here) for d in asked.data), "", asked.output
    )
    going = asked.resumed(run)
    assert (going.epochs, going.compose.window_s, going.data.paths) == (7, 20, ("ours", "theirs"))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked(profile="smoke"), "--profile smoke with network.encoder: the run has None"),
        (Asked(profile="a100"), "--profile a100 with model v3: the run has v3-lite"),
        (Asked(data=("ours",)), "--data ours: the run trains on ours, theirs"),
        (Asked(data=("ours", "other")), "--data ours, other: the run trains on ours, theirs"),
        (Asked(data=("simulation",)), "--data simulation: the run trains on"),
        (Asked(init="default"), "--init default: the run began from fresh weights"),
        (Asked(output=Path("elsewhere")), "are two folders"),
    ],
    ids=str,
)
def test_what_contradicts_the_run_is_named(run: Path, asked: Asked, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        asked.resumed(run)
    message = " ".join(str(caught.value).split())
    assert all(part in message for part in said.split(" with network.encoder"))
    assert caught.value.hint


def test_a_file_of_ones_own_agrees_as_long_as_it_is_the_same(run: Path) -> None:
    file = run.parent / "mine.yaml"
    file.write_text("model: v3-lite\nepochs: 3\n", "utf-8")
    begin(run.parent / "second", Asked(config=file, data=("ours",)))
    assert Asked(config=file).resumed(run.parent / "second").epochs == 3
    file.write_text("model: v3-lite\nepochs: 4\n", "utf-8")
    with pytest.raises(UsageError, match=r"--config .*mine\.yaml with epochs 4: the run has 3"):
        Asked(config=file).resumed(run.parent / "second")


def test_a_setting_of_the_resumed_run_holds_and_is_remembered(run: Path) -> None:
    assert Asked(settings=("epochs=9",)).resumed(run).epochs == 9
    keep_settings(run, ("epochs=9",))
    assert settings_of(run) == (*BEGUN, "epochs=9")
    going = Asked(settings=("epochs=9",)).resumed(run)
    write_config(run / CONFIG, going)
    assert Asked(profile="cpu").resumed(run) == going


@pytest.mark.parametrize("text", ["", "{", "3", "{}"])
def test_a_run_that_wrote_no_settings_down_is_compared_as_it_is(run: Path, text: str) -> None:
    (run / "settings.json").write_text(text, "utf-8")
    with pytest.raises(UsageError, match="epochs 6: the run has 7"):
        Asked(profile="cpu").resumed(run)
    assert Asked(profile="cpu", settings=BEGUN).resumed(run).epochs == 7


def test_a_tuned_run_goes_on_from_its_checkpoint(run: Path) -> None:
    tuned = Asked(profile="cpu", data=("ours",), init="default")
    begin(run.parent / "tuned", tuned)
    assert tuned.resumed(run.parent / "tuned").init == "default"
    with pytest.raises(UsageError, match=r"--init .*: the run began from default"):
        Asked(init=str(checkpoint.locate("default"))).resumed(run.parent / "tuned")


def test_what_is_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it is no run"):
        Asked().resumed(tmp_path)
    with pytest.raises(UsageError, match="not both"):
        Asked(profile="cpu", config=Path("a.yaml"))


@pytest.mark.parametrize(
    ("asked", "folder"),
    [
        (Asked(), "runs/cpu"),
        (Asked(profile="a100"), "runs/a100"),
        (Asked(config=Path("x/mine.yaml")), "runs/mine"),
        (Asked(profile="cpu", output=Path("r")), "r"),
    ],
)
def test_where_a_new_run_goes(asked: Asked, folder: str) -> None:
    assert asked.folder.as_posix() == folder
