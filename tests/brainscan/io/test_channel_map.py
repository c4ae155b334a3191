from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.errors import InputError, UsageError
from brainscan.io.channel_map import parse_channel_map


def test_inline() -> None:
    assert parse_channel_map("EEG 1=Fp1, a=b=F3,X=-") == {"EEG 1": "Fp1", "a=b": "F3", "X": "-"}


@pytest.mark.parametrize("text", ["EEG 1", "=Fp1", "EEG 1=", "", "a=Fp1,,b=Fp2", "a=Fp1,a=Fp2"])
def test_mistakes_are_usage_errors(text: str) -> None:
    with pytest.raises(UsageError, match="channel map"):
        parse_channel_map(text)


@pytest.mark.parametrize(("name", "text"), [("m.yaml", "E1: Fp1\n'2': F3\n"), ("m.json", '{"E1": "Fp1", "2": "F3"}')])
def test_files(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert parse_channel_map(str(tmp_path / name)) == {"E1": "Fp1", "2": "F3"}


@pytest.mark.parametrize("text", ["- Fp1\n", "", "a: [1\n", "a: 1\n", "a:\n"])
def test_files_that_hold_no_map(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.yml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="channel map"):
        parse_channel_map(str(tmp_path / "m.yml"))


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(InputError):
        parse_channel_map("absent.yaml")


@pytest.mark.parametrize("suffix", ["yaml", "yml", "json", "YAML"])
@pytest.mark.parametrize(
    "name",
    ["001", "01", "1", "0x1F", "0o17", "1e3", "1_000", "1:30", "ON", "off", "NO", "yes", "y", "null", "~", "TRUE", "O2",
     ".5", ".inf", ".nan", "2020-01-01", "<<", "=", "+1", "EEG 01", "\u00b5"],
)  # fmt: skip
def test_every_name_is_text(tmp_path: Path, name: str, suffix: str) -> None:
    path = tmp_path / f"m.{suffix}"
    path.write_text(f'{{"{name}": "O2"}}' if suffix == "json" else f"{name}: O2\nX: Fp1\n", encoding="utf-8")
    assert next(iter(parse_channel_map(str(path)).items())) == (name, "O2")
    assert parse_channel_map(f"{name}=O2") == {name: "O2"}


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([("E1", "Fp1"), ("E1", "Fp2")], "'E1' is there twice"),
        ([("01", "Fp1"), ("01", "Fp1")], "'01' is there twice"),
        ([("on", "Fp1"), ("ON", "Fp2")], "'ON' is there twice .as 'on'."),
        ([("E1", "Fp3")], "'Fp3' .for 'E1'. is no electrode; did you mean F"),
        ([("E1", "nose")], "'nose' .for 'E1'. is no electrode"),
        ([("E1", "01")], "'01' .for 'E1'. is no electrode"),
    ],
)
@pytest.mark.parametrize("as_file", [False, True])
def test_doubles_and_unknown_electrodes_are_named(
    tmp_path: Path, pairs: list[tuple[str, str]], words: str, as_file: bool
) -> None:
    text = ",".join(f"{name}={electrode}" for name, electrode in pairs)
    if as_file:
        path = tmp_path / "m.yaml"
        path.write_text("".join(f"{name}: {electrode}\n" for name, electrode in pairs), encoding="utf-8")
        text = str(path)
    with pytest.raises(UsageError, match=words) as caught:
        parse_channel_map(text)
    assert "\n" not in str(caught.value)
