"""What is kept comes back as it was; what changed, or is damaged, does not."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from brainscan.errors import OutputError
from brainscan.evaluate.cache import Cache, settings_key
from brainscan.evaluate.hypothesis import Hypothesis
from brainscan.evaluate.sweep import Sweep
from brainscan.events import Event, Probabilities
from tests.strategies import holed_curves


def output_of(values: NDArray[np.float32], start: datetime | None = None) -> Hypothesis:
    half = len(values) // 2
    event = Event(1.0, 400.5, 0.75, True)
    return Hypothesis(
        duration_s=len(values) / 256 + 7.0,
        start=start,
        analysed=((0.0, 0.5), (1.0, 2.25)),
        sweep=Sweep.of([[Event(0.0, 0.5, 0.25)], [], [event]]),
        events=(event,),
        curves=(Probabilities(0.0, values[:half]), Probabilities(half / 256 + 7.0, values[half:])),
        warnings=("a flat electrode",),
    )


def recording(folder: Path, content: bytes = b"samples") -> Path:
    path = folder / "Smith_John.edf"
    path.write_bytes(content)
    return path


def same(first: Hypothesis, second: Hypothesis) -> bool:
    plain = ("duration_s", "start", "analysed", "events", "warnings")
    return (
        all(getattr(first, name) == getattr(second, name) for name in plain)
        and all(first.sweep.at(k) == second.sweep.at(k) for k in range(3))
        and [c.start_s for c in first.curves] == [c.start_s for c in second.curves]
        and all(
            np.array_equal(a.values, b.values, equal_nan=True) for a, b in zip(first.curves, second.curves, strict=True)
        )
    )


@settings(max_examples=30)  # each writes files
@given(values=holed_curves, start=st.none() | st.datetimes())
def test_an_output_comes_back_as_it_was(values: NDArray[np.float32], start: datetime | None) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        path, cache = recording(folder), Cache.open(folder / "cache", {"model": "x"})
        assert cache.empty
        cache.store(path, output_of(values, start))
        assert not cache.empty
        found = cache.load(path)
        assert found is not None
        assert same(found, output_of(values, start))


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Path, Cache]:
    """Return a recording and the cache that holds its hypothesis."""
    path, cache = recording(tmp_path), Cache.open(tmp_path / "cache", {"model": "x"})
    cache.store(path, output_of(np.linspace(0, 1, 512, dtype=np.float32)))
    return path, cache


def test_another_model_or_setting_is_another_entry(kept: tuple[Path, Cache]) -> None:
    path, cache = kept
    other = Cache.open(cache.folder, {"model": "y"})
    assert other.empty
    assert other.load(path) is None
    assert settings_key({"a": 1, "b": 2}) == settings_key({"b": 2, "a": 1})
    assert settings_key({"a": 1}) != settings_key({"a": 2})


def test_content_counts_not_name_or_place(kept: tuple[Path, Cache], tmp_path: Path) -> None:
    path, cache = kept
    copy = tmp_path / "copy.edf"
    copy.write_bytes(path.read_bytes())
    assert cache.load(copy) is not None
    path.write_bytes(b"other samples")
    assert cache.load(path) is None


def test_no_name_of_a_recording_is_kept(kept: tuple[Path, Cache]) -> None:
    _, cache = kept
    for entry in cache.folder.iterdir():
        assert "Smith" not in entry.name
        assert b"Smith" not in entry.read_bytes()


@pytest.mark.parametrize("suffix", [".npz", ".npy"])
@pytest.mark.parametrize("damage", ["cut", "gone", "nonsense", "empty"])
def test_a_damaged_entry_is_none(kept: tuple[Path, Cache], suffix: str, damage: str) -> None:
    path, cache = kept
    (entry,) = cache.folder.glob(f"*{suffix}")
    if damage == "gone":
        entry.unlink()
    else:
        entry.write_bytes({"cut": entry.read_bytes()[:-40], "nonsense": b"nonsense", "empty": b""}[damage])
    assert cache.load(path) is None
    cache.store(path, output_of(np.zeros(4, dtype=np.float32)))
    assert cache.load(path) is not None


def test_a_lost_recording_is_none_and_a_file_is_no_cache(tmp_path: Path) -> None:
    cache = Cache.open(tmp_path / "cache", {})
    assert cache.load(tmp_path / "gone.edf") is None
    with pytest.raises(OutputError):
        Cache.open(recording(tmp_path), {})
