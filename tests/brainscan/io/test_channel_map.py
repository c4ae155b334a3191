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
