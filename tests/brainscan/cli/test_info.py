"""``info``: recordings without a network, models without weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from brainscan.card import BaselineConfig, PostictalConfig
from brainscan.cli.head_map import head_map
from brainscan.detection import ElectrodeReport
from brainscan.electrodes import ELECTRODES
from tests.brainscan.cli.conftest import Run, write_edf
from tests.edf_files import FakeEdf, eeg
from tests.stand_ins import save_tiny


def test_recording_as_json(run: Run, edf: Path) -> None:
    ran = run("info", edf, "--json")
    assert ran.code == 0
    document = ran.json
    assert (document["duration_s"], document["analysed_s"]) == (60.0, 60.0)
    assert list(document["electrodes"]) == list(ELECTRODES)
    assert {(e["found"], e["how"], e["quality"]) for e in document["electrodes"].values()} == {
        ("present", "recorded", "good")
    }
    assert document["warnings"] == []
    assert document["channels"][0] == {
        "label": "Fp1", "rate_hz": 100.0, "unit": "uV", "uv_per_unit": 1.0, "usable": True,
    }  # fmt: skip


def test_found_is_by_label_and_how_by_signal(run: Run, edf: Path) -> None:
    labels = ("EEG Fp1-Ref", "f3", "E9", *ELECTRODES[3:])
    document = run("info", write_edf(edf.parent / "odd.edf", labels=labels), "--json").json
    electrodes = document["electrodes"]
    assert (electrodes["Fp1"]["found"], electrodes["Fp1"]["how"]) == ("renamed", "recorded")
    assert electrodes["F3"]["found"] == "present"
    assert (electrodes["C3"]["found"], electrodes["C3"]["how"]) == ("missing", "interpolated")
    assert electrodes["Fp1"]["channels"] == ["EEG Fp1-Ref"]
    assert any("C3" in warning for warning in document["warnings"])


def test_channel_map_and_limit(run: Run, edf: Path) -> None:
    odd = write_edf(edf.parent / "odd.edf", labels=("E9", *ELECTRODES[1:]))
    assert run("info", odd, "--max-missing", "0").code == 3
    document = run("info", odd, "--max-missing", "0", "--channel-map", "E9=Fp1", "--json").json
    assert document["electrodes"]["Fp1"]["found"] == "renamed"


@pytest.mark.parametrize("verbose", [[], ["-v"]])
def test_too_few_electrodes_are_shown_before_the_error(run: Run, edf: Path, verbose: list[str]) -> None:
    labels = tuple(f"E{i}" if i % 2 else f"EEG {name}" for i, name in enumerate(ELECTRODES))
    odd = write_edf(edf.parent / "odd.edf", labels=labels)
    ran = run("info", odd, *verbose)
    assert ran.code == 3
    assert "0:01:00.0 (60 s)" in ran.out
    assert [name for name in ELECTRODES if f"{name} x" in ran.out] == list(ELECTRODES[1::2])
    assert "  x  missing" in ran.out
    assert ran.errors[0].endswith("or allow them with --max-missing 9")
    assert " good" not in ran.out  # nothing has been judged
    assert run("info", odd, "--max-missing", "9").code == 0
    assert set(run("info", odd, "--json").json) == {"schema", "error"}


def test_a_whole_side_is_not_offered_to_be_invented(run: Run, edf: Path) -> None:
    labels = tuple(f"E{i}" if name[-1] in "1357" else name for i, name in enumerate(ELECTRODES))
    ran = run("info", write_edf(edf.parent / "right.edf", labels=labels))
    assert ran.code == 3
    assert ran.errors[0].endswith("--channel-map NAME=ELECTRODE")


def test_more_missing_than_can_be_allowed(run: Run, edf: Path) -> None:
    odd = write_edf(edf.parent / "odd.edf", labels=(*ELECTRODES[:2], *(f"E{i}" for i in range(17))))
    ran = run("info", odd)
    assert ran.code == 3
    assert "--max-missing" not in ran.errors[0]
    assert "  x  missing" in ran.out


def test_recording_for_people(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "gaps.edf"
    onsets = [*range(15), *range(100, 115)]
    notes = {2: b"+2\x14eyes open\x14\0"}
    path.write_bytes(FakeEdf(eeg(n_records=30), 30, reserved="EDF+D", onsets=onsets, notes=notes).data())
    ran = run("info", path)
    assert ran.code == 0
    assert "EDF+D" in ran.out
    assert "0:00:15.0 to 0:01:40.0" in ran.out
    assert "eyes open" in ran.out
    assert all(name in ran.out for name in ELECTRODES)
    assert ran.err.startswith("warning: gaps.edf: ")


def test_verbose_names_the_channels_of_each_electrode(run: Run, edf: Path) -> None:
    odd = write_edf(edf.parent / "odd.edf", labels=("EEG Fp1-Ref", *ELECTRODES[1:]))
    assert "EEG Fp1-Ref" in run("info", odd, "-v").out
    assert "EEG Fp1-Ref" not in run("info", odd).out


def test_a_prefix_is_no_other_name(run: Run, edf: Path) -> None:
    odd = write_edf(edf.parent / "odd.edf", labels=tuple(f"EEG {name}-LE" for name in ELECTRODES))
    assert "another name" not in run("info", odd).out
    new = write_edf(edf.parent / "new.edf", labels=tuple({"T3": "T7"}.get(name, f"EEG {name}") for name in ELECTRODES))
    out = run("info", new).out
    assert "T3 r" in out
    assert out.count(" r") == 2  # the mark, and its line in the legend


def test_a_recording_that_cannot_be_scored_is_shown_and_refused(run: Run, tmp_path: Path) -> None:
    signals = eeg()
    for signal in signals[:5]:
        signal.values[:] = 7
    path = tmp_path / "flat.edf"
    path.write_bytes(FakeEdf(signals, 20).data())
    ran = run("info", path)
    assert ran.code == 3
    assert "Fp1 i!" in ran.out
    assert "no window can be scored" in ran.errors[0]
    document = run("info", path, "--json").json
    assert document["error"]["kind"] == "signal"
    assert document["electrodes"]["C3"]["quality"] == "unusable"
    assert document["electrodes"]["O2"]["quality"] == "good"


@pytest.mark.parametrize("content", [None, b"nothing", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_recording(run: Run, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "x.edf").write_bytes(content)
    ran = run("info", tmp_path / "x.edf", "--json")
    assert ran.code == 3
    assert set(ran.json) == {"schema", "error"}


def test_it_works_without_an_installed_model(run: Run, edf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brainscan.model.names.SHIPPED", {"default": "absent.safetensors"})
    assert run("info", edf).code == 0
    assert run("info", "default").code == 4


def test_v3_from_its_configuration(run: Run, here: Path) -> None:
    document = run("info", "v3", "--json").json
    assert document["parameters"] == 31_475_722
    assert document["variant"] == "v3"
    assert document["card"]["name"] == "v3"
    assert not document["trained"]
    assert "31,475,722" in run("info", "v3").out


def test_a_model_shows_its_card(run: Run, tmp_path: Path) -> None:
    card = save_tiny(tmp_path / "tiny.safetensors")
    document = run("info", tmp_path / "tiny.safetensors", "--json").json
    assert document["card"]["sha256"] == card.sha256
    assert document["trained"]
    out = run("info", tmp_path / "tiny.safetensors").out
    assert card.sha256 in out
    assert "not a medical device" in out
    decision = replace(
        card.decision, min_duration_s=6.0, baseline=BaselineConfig(1800.0), postictal=PostictalConfig(90.0, 2.2)
    )
    save_tiny(tmp_path / "other.safetensors", decision=decision)
    other = run("info", tmp_path / "other.safetensors").out
    assert "8 s at the shortest" in out
    assert "none is taken off" in out
    assert "joined up to 2 s apart, 6 s at the shortest" in other
    assert "another needs no more" in out
    assert "one that begins within 90 s must rise 2.2 logits above the threshold" in other
    assert "from its last 30 min, is taken off: the 50% quantile above 0.05, at most 4 logits" in other


@pytest.mark.parametrize("name", ["default", "v3-hybrid-pair-second", "v3-hybrid", "v3-lite"])
def test_shipped_models(run: Run, here: Path, name: str) -> None:
    document = run("info", name, "--json").json
    assert document["trained"]
    assert document["parameters"] <= 2_500_000
    assert document["card"]["provenance"]["training_data"]
    assert run("info", name).code == 0


def test_a_damaged_model(run: Run, tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(b"nothing")
    assert run("info", tmp_path / "m.safetensors", "--json").code == 4


def test_head_map_marks_what_is_not_plain() -> None:
    reports = [ElectrodeReport(name, "present", "recorded", "good", 0.0) for name in ELECTRODES]
    assert set("".join(head_map(reports).split())) <= set("noseFpCTPOz12345678")
    reports[0] = ElectrodeReport("Fp1", "renamed", "recorded", "good", 0.0)
    reports[1] = ElectrodeReport("F3", "derived", "derived", "doubtful", 0.2)
    reports[2] = ElectrodeReport("C3", "missing", "interpolated", "unusable", 1.0)
    text = head_map(reports)
    assert all(cell in text for cell in ("Fp1 r", "F3 d?", "C3 i!"))
    assert "  x  missing" not in text
    reports[3] = ElectrodeReport("P3", "renamed", "recorded", "good", 0.0, ("EEG P3-Ref",))
    reports[5] = ElectrodeReport("T3", "renamed", "recorded", "good", 0.0, ("EEG T7-Ref",))
    text = head_map(reports)
    assert "T3 r" in text
    assert "P3 r" not in text
    lines = text.splitlines()
    row = {name: i for i, line in enumerate(lines) for name in ELECTRODES if name in line.split()}
    assert row["F7"] == row["F8"] < row["T3"] == row["T4"] < row["T5"] == row["T6"]
    assert lines[row["T3"]].index("T3") < lines[row["T3"]].index("Cz") < lines[row["T3"]].index("T4")
