"""Where caches belong, on every system, and for who has no home."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from brainscan.errors import OutputError
from brainscan.io.atomic import make_folder
from brainscan.io.user_cache import user_cache


@pytest.mark.parametrize(
    ("system", "variable", "value", "below"),
    [
        ("linux", "XDG_CACHE_HOME", "/caches", "/caches/brainscan/onnx"),
        ("linux", "XDG_CACHE_HOME", "", "HOME/.cache/brainscan/onnx"),
        ("darwin", "XDG_CACHE_HOME", "/caches", "HOME/Library/Caches/brainscan/onnx"),
        ("win32", "LOCALAPPDATA", "/local", "/local/brainscan/onnx"),
        ("win32", "LOCALAPPDATA", "", "HOME/AppData/Local/brainscan/onnx"),
    ],
)
def test_each_system_has_its_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, system: str, variable: str, value: str, below: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setenv(variable, value)
    assert user_cache("onnx") == Path(below.replace("HOME", tmp_path.as_posix()))


def test_who_has_no_home_gets_a_place_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", none)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    with pytest.raises(OutputError):
        make_folder(user_cache("onnx"))
