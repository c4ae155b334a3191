from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from brainscan.cohort import Cohort
from brainscan.errors import InputError, ModelError, OutputError, UsageError
from brainscan.events import RATE_HZ, Probabilities, runs
from brainscan.io import atomic
from brainscan.model import checkpoint
from brainscan.model.inference import RunConfig, WindowRunner
from brainscan.offered import OperatingPoint
from brainscan_training import validate
from brainscan_training.batches import Batch, BatchSource, Recipe, Stored, is_wsl, workers_for
from brainscan_training.cache import Cached
from brainscan_training.compose import HardSpans
from brainscan_training.config import TrainConfig
from brainscan_training.export import base_card, filled_card
from brainscan_training.faults import NotFiniteError
from brainscan_training.journal import Journal, Silent, read_log
from brainscan_training.loop import CHECKPOINTS, validation_budget
from brainscan_training.run import make_fabric, train
from brainscan_training.state import Progress
from brainscan_training.step import Stepper, StepResult
from brainscan_training.validate import measure, scored_recordings
from tests.training.conftest import Finished

Changed = Callable[..., TrainConfig]
Run = Callable[[TrainConfig], Finished]


def timeless(run: Finished) -> list[dict[str, object]]:
    return [{k: v for k, v in line.items() if k not in {"s", "waited_s"}} for line in run.log]


def resumed(finished: Finished, folder: Path, states: list[str]) -> Finished:
    """Take a finished run back to some of its states, its log left as it was, and go on."""
    shutil.copytree(finished.folder, folder)
    (folder / "model.safetensors").unlink()
    for path in (folder / CHECKPOINTS).glob("step-*"):
        if path.stem not in states:
            path.unlink()
    train(finished.config, folder, Silent)
    return Finished(folder, finished.config)


@pytest.fixture(scope="module")
def kept(smoke: Changed, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Return a run of two epochs of two steps that kept every state."""
    folder = tmp_path_factory.mktemp("kept") / "run"
    config = smoke("epochs=2", "steps_per_epoch=2", "checkpoints={every: 1, keep: 99}", "mining.share=0.5")
    train(config, folder, Silent)
    return Finished(folder, config)


WARD = Cohort("children", "one ward", (2.0, 9.0), 5, 12.0, 31)

STATES = [
    f"step-00000000{attempted}-000{validated}" for attempted, validated in [(1, 0), (2, 0), (2, 1), (3, 1), (4, 1)]
]


@pytest.mark.parametrize("state", ["", *STATES])
def test_a_run_goes_on_from_any_state_as_if_never_stopped(kept: Finished, tmp_path: Path, state: str) -> None:
    again = resumed(kept, tmp_path / "again", [state])
    assert timeless(again) == timeless(kept)
    whole = (kept.folder / "model.safetensors").read_bytes()
    assert (again.folder / "model.safetensors").read_bytes() == whole


class Killed(BaseException):
    pass


@pytest.mark.parametrize("nth", [2, 4, 5, 8, 10])
def test_a_run_killed_at_any_write_goes_on(
    kept: Finished, tmp_path: Path, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends between writing a file and giving it its name, wherever that is."""
    rename, count = Path.replace, iter(range(1, 1000))

    def replace_or_die(path: Path, target: Path) -> Path:
        if next(count) == nth:
            raise Killed
        return rename(path, target)

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(atomic.Path, "replace", replace_or_die)
        with pytest.raises(Killed):
            train(kept.config, folder, Silent)
    assert not (folder / "model.safetensors").exists()
    train(kept.config, folder, Silent)
    assert timeless(Finished(folder, kept.config)) == timeless(kept)


def test_a_finished_run_has_nothing_left_to_do(kept: Finished, tmp_path: Path) -> None:
    again = resumed(kept, tmp_path / "again", ["step-000000004-0002"])
    assert again.log == kept.log
    assert (again.folder / "model.safetensors").is_file()


class Listening(Silent):
    """Keeps what is said to people."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.closed = False

    def message(self, text: str) -> None:
        self.said.append(text)

    def close(self) -> None:
        self.closed = True


def resumed_with(finished: Finished, folder: Path, harm: dict[str, bytes | None]) -> list[str]:
    """Resume a copy of a finished run, some of its files replaced or (None) gone; return what it says."""
    shutil.copytree(finished.folder, folder)
    for name, data in harm.items():
        (folder / name).unlink()
        if data is not None:
            (folder / name).write_bytes(data)
    watcher = Listening()
    train(finished.config, folder, lambda: watcher)
    return watcher.said


BEST, LAST, MODEL = f"{CHECKPOINTS}/best.safetensors", f"{CHECKPOINTS}/last.safetensors", "model.safetensors"


@pytest.mark.parametrize("damage", [None, b"", b"\0" * 4000, b"\x02\0\0\0\0\0\0\0[]"])
def test_a_damaged_best_checkpoint_gives_way_to_the_last(
    finished: Finished, tmp_path: Path, damage: bytes | None
) -> None:
    folder = tmp_path / "again"
    (warning,) = resumed_with(finished, folder, {BEST: damage, MODEL: b""})
    assert warning.startswith("warning: best.safetensors ")
    assert warning.endswith("last.safetensors is exported instead")
    assert len(warning.splitlines()) == 1
    assert (folder / MODEL).read_bytes() == (finished.folder / LAST).read_bytes()
    checkpoint.load(str(folder / MODEL))


def test_a_sound_export_outlives_the_checkpoint_it_came_from(finished: Finished, tmp_path: Path) -> None:
    best = (finished.folder / BEST).read_bytes()
    flipped = best[:-9] + bytes([best[-9] ^ 1]) + best[-8:]
    (warning,) = resumed_with(finished, tmp_path / "again", {BEST: flipped, LAST: None})
    assert "best.safetensors cannot be used (the checksum differs" in warning
    assert warning.endswith("model.safetensors stays as it was")
    assert (tmp_path / "again" / MODEL).read_bytes() == best


def test_a_run_without_a_sound_checkpoint_exports_nothing(finished: Finished, tmp_path: Path) -> None:
    folder = tmp_path / "again"
    with pytest.raises(ModelError, match=r"holds nothing .*: best\..* last\.safetensors is missing"):
        resumed_with(finished, folder, {BEST: b"", LAST: None, MODEL: None})
    assert not (folder / MODEL).exists()
    # What the hint says helps.
    max((folder / CHECKPOINTS).glob("step-*")).unlink()
    train(finished.config, folder, Silent)
    checkpoint.load(str(folder / MODEL))


def test_the_export_is_a_model_with_a_full_card(finished: Finished, recordings: list[Cached]) -> None:
    loaded = checkpoint.load(str(finished.folder / "model.safetensors"))
    provenance = loaded.card.provenance
    assert loaded.card.variant == finished.config.network_config().to_mapping()
    data, made = provenance.training_data
    assert (data["name"], data["licence"], data["seizures"]) == ("simulation", "Apache-2.0", "4")
    assert made["name"] == "brainscan simulation"
    assert provenance.commit
    assert "epochs" in provenance.selection
    assert provenance.tests["validation_seizures"] == 1
    # Thresholds lie where validation found them: at the card's own, figures are those of the log.
    validated = [line for line in finished.log if line["kind"] == "validation"]
    best = max(validated, key=lambda line: (line["sensitivity"], line["mean_auroc"]))
    runner = WindowRunner(loaded.network, loaded.card, RunConfig(device="cpu"))
    events = [e for r in scored_recordings(runner, recordings[4:]) for e in r.events]
    assert bool(events) == bool(best["detected"] or best["false_alarms"])


def test_placed_thresholds_do_what_the_sweep_said(recordings: list[Cached], smoke: Changed) -> None:
    config = smoke()
    torch.manual_seed(0)
    network = checkpoint.build(config.network_config().to_mapping(), "x")
    base = base_card(config, recordings)
    runner = WindowRunner(network, base, RunConfig(device="cpu"))
    curves = scored_recordings(runner, recordings)
    # An untrained network is near its prior everywhere: look where its values are.
    values = np.concatenate([p.values for r in curves for p in r.probabilities])
    validation = measure(curves, config.decision, 1e6)
    assert validation.point.reachable
    card = filled_card(base, config, validation, 0)
    on, off = (
        1.0 / (1.0 + np.exp(-(np.log(t / (1 - t)) - card.logit_shift) * card.logit_scale)) for t in (0.01, 0.001)
    )
    assert (on, off) == (pytest.approx(card.decision.enter), pytest.approx(card.decision.leave))
    assert validation.point.threshold == 0.01 < values.max()
    unplaced = filled_card(base, smoke("validation.place=false"), validation, 0)
    assert (unplaced.logit_shift, unplaced.logit_scale) == (0.0, 1.0)
    assert "not validated" in filled_card(base, config, None, 0).provenance.selection


def test_training_stops_where_nothing_gets_better(smoke: Changed, run: Run) -> None:
    done = run(smoke("epochs=9", "steps_per_epoch=1", "validation.patience=2", "learning_rate=1e-12"))
    better = [line["best"] for line in done.log if line["kind"] == "validation"]
    assert better[-3:] == [True, False, False]
    assert len(better) < 9
    assert [False, False] not in [better[k : k + 2] for k in range(len(better) - 2)]


def test_a_run_that_diverges_names_batch_and_layer(smoke: Changed, run: Run) -> None:
    with pytest.raises(NotFiniteError) as caught:
        run(smoke("learning_rate=1e30", "max_skipped=0", "steps_per_epoch=9"))
    assert "1 of the last 100 steps" in caught.value.message
    assert "the output of" in caught.value.message
    assert "simulated-" in caught.value.message


def test_a_model_that_gives_no_numbers_is_refused(finished: Finished, smoke: Changed, run: Run, tmp_path: Path) -> None:
    loaded = checkpoint.load(str(finished.folder / "model.safetensors"))
    with torch.no_grad():
        for parameter in loaded.network.head.parameters():
            parameter.fill_(float("nan"))
    checkpoint.save(tmp_path / "bad.safetensors", loaded.network, loaded.card)
    with pytest.raises(NotFiniteError, match="simulated-"):
        run(smoke(f"init={tmp_path / 'bad.safetensors'}"))


def test_fine_tuning_reports_before_and_after(finished: Finished, smoke: Changed, run: Run) -> None:
    model = finished.folder / "model.safetensors"
    done = run(smoke(f"init={model}", "fine_tune={learning_rate: 0.001, epochs: 1, freeze: [encoder]}"))
    report = json.loads((done.folder / "report.json").read_text("utf-8"))
    for when in ("before", "after"):
        assert [row["patient"] for row in report[when]][-1] == "all"
        assert all(row["hours"] > 0 for row in report[when])
    before, after = (checkpoint.load(str(f / "model.safetensors")) for f in (finished.folder, done.folder))
    assert after.card.name == f"{before.card.name}-tuned"
    assert before.card.sha256[:12] in after.card.provenance.selection
    old, new = before.network.state_dict(), after.network.state_dict()
    moved = {name.partition(".")[0] for name in old if not torch.equal(old[name], new[name])}
    assert "encoder" not in moved
    assert moved


@pytest.mark.parametrize("place", [False, True])
def test_a_tuned_card_keeps_what_still_holds(
    finished: Finished, recordings: list[Cached], smoke: Changed, place: bool
) -> None:
    """Thresholds and training data of the checkpoint stay; operating points and confidences are of other weights."""
    loaded = checkpoint.load(str(finished.folder / "model.safetensors"))
    point = OperatingPoint(1.0, 0.9, 0.8, 1.0, 24.0, 9, 0.5, (0.4, 0.6), "x")
    before = replace(
        loaded.card,
        logit_shift=-1.5,
        logit_scale=0.7,
        confidence_map=((0.0, 0.0), (1.0, 0.5)),
        operating_points={"fa1": point},
        provenance=replace(loaded.card.provenance, trained=(WARD,), intended_use="on one ward"),
    )
    config = smoke(f"validation.place={json.dumps(place)}").for_init(before)
    base = base_card(config, recordings[:4], before)
    curves = scored_recordings(WindowRunner(loaded.network, base, RunConfig(device="cpu")), recordings)
    validation = measure(curves, config.decision, 1e6)
    card = filled_card(base, config, validation, 0)
    if place:
        # What the sweep calls its threshold is a probability of the checkpoint's card.
        logit = np.log(validation.point.threshold / (1 - validation.point.threshold)) / 0.7 - 1.5
        placed_at = 1.0 / (1.0 + np.exp(-(logit - card.logit_shift) * card.logit_scale))
        assert placed_at == pytest.approx(card.decision.enter)
    else:
        assert (card.logit_shift, card.logit_scale) == (-1.5, 0.7)
    assert (card.operating_points, card.confidence_map) == ({}, ())
    made = card.provenance
    assert (made.trained[0], made.intended_use) == (WARD, "on one ward")
    assert made.training_data[:2] == before.provenance.training_data
    assert len(made.training_data) == 4


def test_the_card_says_whom_a_run_was_trained_and_tested_on(recordings: list[Cached], smoke: Changed) -> None:
    """By source, those with seizures apart; ages from the headers, or as the configuration states them."""

    def person(k: int, subject: str, age: float | None, seizures: bool = True) -> Cached:
        item = replace(recordings[k].item, source="ward", subject=subject, simulation=None)
        return replace(recordings[k], item=item if seizures else replace(item, seizures=()), age_years=age)

    trained = [person(0, "a", 3.5), person(1, "a", 4.0, seizures=False), person(2, "b", 96.0), recordings[3]]
    trained.append(person(3, "c", 12.0, seizures=False))
    held_out = [person(4, "d", None)]
    made = base_card(smoke(), trained, None, held_out).provenance
    ill, well = made.trained
    assert (ill.population, ill.ages_years, ill.subjects) == ("patients of ward, with seizures", (3.5, 90.0), 2)
    assert (well.population, well.ages_years, well.seizures) == ("patients of ward, without seizures", (12.0, 12.0), 0)
    (tested,) = made.tested
    assert (tested.ages_years, tested.subjects) == (None, 1)
    assert "held out" in tested.setting
    stated = smoke("data.population=adults", "data.setting=one ward", "data.ages=[20, 60]")
    ill, _ = base_card(stated, trained).provenance.trained
    assert (ill.population, ill.setting, ill.ages_years) == ("adults, with seizures", "one ward", (20.0, 60.0))
    unvalidated = filled_card(base_card(smoke(), trained, None, held_out), smoke(), None, 0)
    assert (unvalidated.provenance.tested, len(unvalidated.provenance.trained)) == ((), 2)


@pytest.mark.parametrize("ages", ["[9, 2]", "[-1, 4]", "[3]", "3"])
def test_ages_that_are_none_are_refused(smoke: Changed, ages: str) -> None:
    with pytest.raises(UsageError, match="ages"):
        smoke(f"data.ages={ages}")


def test_a_false_alarm_of_the_validation_is_drawn_again(
    smoke: Changed, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stretch of calm background that looks like a seizure to the network fills the next epoch's background."""
    alarmed: set[tuple[str, int]] = set()

    def alarming(runner: WindowRunner, recording: Cached) -> tuple[Probabilities, ...]:
        values = np.full(recording.signal.shape[1], 0.01, dtype=np.float32)
        ictal, sure = recording.labels()
        calm = runs(~ictal & sure)
        first, stop = calm[np.argmax(calm[:, 1] - calm[:, 0])].tolist()
        first, stop = first + 3, stop - 3
        # Validation alarms a little less surely, so that the threshold it sets lies between.
        trained = recording.item.split == "train"
        values[first * RATE_HZ : stop * RATE_HZ] = 0.995 if trained else 0.9
        if trained:
            alarmed.update((recording.item.name, second) for second in range(first, stop))
        return (Probabilities(0.0, values),)

    drawn: list[tuple[int, tuple[str, ...]]] = []
    step = Stepper.step

    def noted(stepper: Stepper, batch: Batch, number: int, rate: float) -> StepResult:
        drawn.extend((number, origins) for origins in batch.origins)
        return step(stepper, batch, number, rate)

    monkeypatch.setattr(validate, "curves", alarming)
    monkeypatch.setattr(Stepper, "step", noted)
    background = ("compose.seizure_share=0", "compose.padded=0", "compose.chunk_s=[2, 2.5]", "mining.share=1")
    done = run(smoke("epochs=2", "mining.budget=0.9", "decision={average_s: 0, min_duration_s: 1}", *background))
    validated = [line for line in done.log if line["kind"] == "validation"]
    assert all(line["hard_spans"] for line in validated)

    def hard(origin: str) -> bool:
        name, _, text = origin.rpartition(" from ")
        first = int(text.removesuffix(" s"))
        return any((name, second) in alarmed for second in (first, first + 1))

    first, second = ([o for k, origins in drawn if (k >= 2) is later for o in origins] for later in (False, True))
    assert all(hard(origin) for origin in second)
    assert not all(hard(origin) for origin in first)


def test_without_held_out_recordings_the_last_weights_are_exported(smoke: Changed, tmp_path: Path) -> None:
    config, watcher = smoke("data.simulation.validation=0"), Listening()
    done = Finished(tmp_path / "run", config)
    train(config, done.folder, lambda: watcher)
    assert [line["kind"] for line in done.log] == ["step", "step"]
    assert "not validated" in checkpoint.read_card(done.folder / "model.safetensors").provenance.selection
    (warning,) = watcher.said
    assert warning.startswith("warning: no recording to validate on: the last weights will be kept")
    assert len(warning.splitlines()) == 1


def test_recordings_that_cannot_be_used_are_listed(smoke: Changed, run: Run, tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    for name in ("a_sz", "b_sz"):
        (root / f"{name}.edf").write_bytes(b"broken")
        (root / f"{name}.csv_bi").write_text(
            "# version = csv_v1.0.0\n# bname = x\n# duration = 10.0000 secs\n#\n"
            "channel,start_time,stop_time,label,confidence\nTERM,1.0000,9.0000,seiz,1.0000\n",
            "utf-8",
        )
    with pytest.raises(InputError, match="no recording with a seizure is left"):
        run(smoke(f"data.paths=[{root}]"))
    done = run(smoke(f"data.paths=[{root}, simulation]"))
    listed = json.loads((done.folder / "unusable.json").read_text("utf-8"))
    assert [name for name, _ in listed] == ["1:a_sz.edf", "1:b_sz.edf"]


def test_the_runtime_says_nothing_between_our_lines(smoke: Changed) -> None:
    make_fabric(smoke("mixed_precision=true"))
    for part in ("lightning", "lightning.fabric.connector", "lightning.pytorch.utilities.rank_zero"):
        assert not logging.getLogger(part).isEnabledFor(logging.INFO)


@pytest.mark.slow
def test_two_processes_are_one_with_twice_the_batch(smoke: Changed, run: Run) -> None:
    exact = ("network.encoder.norm=none", "network.graph.eigenvectors=0", "batch_size=4", "steps_per_epoch=4")
    one, two = run(smoke(*exact)), run(smoke(*exact, "processes=2"))
    assert two.losses == pytest.approx(one.losses, rel=1e-3)
    assert [line["kind"] for line in one.log] == [line["kind"] for line in two.log]


def test_workers_draw_what_a_thread_draws(recordings: list[Cached], cache_folder: Path, smoke: Changed) -> None:
    config = smoke()
    stored = Stored(tuple(r.item for r in recordings[:4]), cache_folder, config.filter)
    recipe = Recipe(3, range(2, 4), config.compose, config.augment)
    sources = [BatchSource(stored, recipe, workers) for workers in (0, 1)]
    try:
        drawn = [[batch for batch, _ in source.epoch(5, 8, HardSpans())] for source in sources]
    finally:
        for source in sources:
            source.close()
    assert [len(batches) for batches in drawn] == [3, 3]
    for one, other in zip(*drawn, strict=True):
        assert torch.equal(one.uv, other.uv)
        assert one.origins == other.origins


def test_workers_suit_device_and_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 32)
    monkeypatch.setattr("brainscan_training.batches.is_wsl", lambda _: False)
    assert [workers_for(-1, "cpu"), workers_for(-1, "cuda"), workers_for(3, "cpu")] == [0, 8, 3]
    monkeypatch.setattr("brainscan_training.batches.is_wsl", lambda _: True)
    assert [workers_for(-1, "cuda"), workers_for(2, "cuda")] == [0, 2]
    assert is_wsl("5.15.90.1-microsoft-standard-WSL2")
    assert not is_wsl("6.1.0-13-amd64")


def test_validation_costs_its_share_of_an_epoch(smoke: Changed) -> None:
    config = smoke("steps_per_epoch=100", "batch_size=10", "validation.share=0.1")
    trained_s = 100 * 10 * config.compose.window_s
    # A validated window costs half of a trained one.
    assert validation_budget(config) * config.window.duration_s * 0.5 == pytest.approx(0.1 * trained_s, rel=0.01)


def test_a_log_forgets_what_came_after_the_state(kept: Finished, tmp_path: Path) -> None:
    shutil.copyfile(kept.folder / "log.jsonl", tmp_path / "log.jsonl")
    with (tmp_path / "log.jsonl").open("a") as stream:
        stream.write('{"kind": "step", "st')  # cut by a kill
    Journal(tmp_path, Progress(attempted=3, validated=1), Silent()).close()
    lines = read_log(tmp_path / "log.jsonl")
    assert [(line["kind"], line["epoch"]) for line in lines] == [*[("step", 0)] * 2, ("validation", 0), ("step", 1)]


_NUMBERS = ("loss", "detection", "electrodes", "learning_rate", "norm", "clamped", "waited_s", "s")
_STEP = {
    **dict.fromkeys(_NUMBERS, 0.5), "step": 0, "epoch": 0, "clipped": False, "skipped": False, "n_skipped": 0
}  # fmt: skip


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_ends_the_log_in_one_line(tmp_path: Path) -> None:
    watcher = Listening()
    journal = Journal(tmp_path, Progress(), watcher)
    journal._stream.close()
    with Path("/dev/full").open("a", encoding="utf-8") as journal._stream:
        with pytest.raises(OutputError, match=r"log cannot be written .*no space left"):
            journal.step(_STEP)
        with pytest.raises(OutputError, match="no space left"):
            journal.close()
    assert watcher.closed


def test_tensorboard_gets_scalars_and_pictures(finished: Finished) -> None:
    tags = set()
    for path in (finished.folder / "tensorboard").glob("events*"):
        for event in EventFileLoader(str(path)).Load():
            tags |= {value.tag for value in event.summary.value}
    wanted = {"step/loss", "step/learning_rate", "step/norm", "step/clamped", "validation/froc", "validation/trace0"}
    assert wanted <= tags
