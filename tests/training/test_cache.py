from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from brainscan.card import FilterConfig
from brainscan.errors import OutputError
from brainscan.events import RATE_HZ, Annotation
from brainscan.io.atomic import atomic_write
from brainscan_training import cache
from brainscan_training.cache import Cached
from brainscan_training.corpora.item import Item
from tests.edf_files import FakeEdf, eeg

CONFIG = FilterConfig()


@pytest.fixture
def item(tmp_path: Path) -> Item:
    path = tmp_path / "a.edf"
    path.write_bytes(FakeEdf(eeg(n_records=30), 30).data())
    return Item(path, "a.edf", "ward", "p1", "train", (Annotation(10.0, 16.0, "seiz"),))


def build(item: Item, folder: Path, config: FilterConfig = CONFIG) -> str:
    ((_, reason),) = cache.build([item], folder, config)
    return reason


def entries(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_an_entry_is_made_once(item: Item, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    assert build(item, folder) == ""
    before = entries(folder)
    assert build(item, folder) == ""
    assert entries(folder) == before
    loaded, fresh = cache.load(item, folder, CONFIG), cache.preprocess(item, CONFIG)
    assert np.array_equal(loaded.signal, fresh.signal)
    assert np.array_equal(loaded.scored, fresh.scored)
    assert (loaded.segments, loaded.signal.dtype) == (((0, 30 * RATE_HZ),), np.float16)


@pytest.mark.parametrize("harm", ["byte", "cut", "empty", "shape", "zip"])
def test_a_damaged_signal_is_made_anew(item: Item, tmp_path: Path, harm: str) -> None:
    folder = tmp_path / "cache"
    build(item, folder)
    (signal,) = folder.glob("*.npy")
    whole = signal.read_bytes()
    damaged = {
        "byte": whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:],
        "cut": whole[:-100],
        "empty": b"",
        "shape": whole.replace(b"(19, ", b"[19, "),
        "zip": b"PK\x03\x04",
    }
    signal.write_bytes(damaged[harm])
    assert build(item, folder) == ""
    assert signal.read_bytes() == whole


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '"x"', "{}", "\0\0", "[" * 5000])
def test_facts_that_are_none_are_made_anew(item: Item, tmp_path: Path, text: str) -> None:
    folder = tmp_path / "cache"
    build(item, folder)
    (facts,) = folder.glob("*.json")
    whole = facts.read_bytes()
    facts.write_text(text, "utf-8")
    assert build(item, folder) == ""
    assert facts.read_bytes() == whole


def test_what_the_facts_say_is_checked_too(item: Item, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    build(item, folder)
    (facts,) = folder.glob("*.json")
    whole = facts.read_bytes()
    facts.write_bytes(whole.replace(b"true", b"false", 1))
    assert build(item, folder) == ""
    assert facts.read_bytes() == whole
    facts.unlink()
    assert build(item, folder) == ""
    assert facts.read_bytes() == whole


def test_an_entry_is_a_plain_numpy_file(item: Item, tmp_path: Path) -> None:
    build(item, tmp_path / "cache")
    (signal,) = (tmp_path / "cache").glob("*.npy")
    np.save(tmp_path / "plain.npy", cache.preprocess(item, CONFIG).signal)
    assert signal.read_bytes() == (tmp_path / "plain.npy").read_bytes()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_called_one(item: Item, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def full(path: Path) -> Iterator[BinaryIO]:
        with atomic_write(path) as _, Path("/dev/full").open("wb") as stream:
            yield stream

    monkeypatch.setattr(cache, "atomic_write", full)
    with pytest.raises(OutputError, match="no space left"):
        build(item, tmp_path / "cache")
    assert not any((tmp_path / "cache").iterdir())


def test_a_cache_that_cannot_be_made_is_an_output_error(item: Item, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError):
        build(item, tmp_path / "file" / "cache")


def test_a_changed_recording_is_read_again(item: Item, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    build(item, folder)
    before = cache.load(item, folder, CONFIG).signal[:, :100].copy()
    item.path.write_bytes(FakeEdf(eeg(n_records=30, seed=9), 30).data())
    os.utime(item.path, ns=(1, 1))
    assert build(item, folder) == ""
    assert not np.array_equal(cache.load(item, folder, CONFIG).signal[:, :100], before)


def test_a_recording_of_equal_size_and_time_is_another(item: Item, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    build(item, folder)
    before, status = cache.load(item, folder, CONFIG).signal.copy(), item.path.stat()
    other = item.path.with_name("other")
    other.write_bytes(FakeEdf(eeg(n_records=30, seed=9), 30).data())
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(item.path)
    assert (item.path.stat().st_size, item.path.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    assert build(item, folder) == ""
    assert not np.array_equal(cache.load(item, folder, CONFIG).signal, before)


def test_the_fingerprint_follows_filter_labels_and_file(item: Item) -> None:
    prints = {
        cache.fingerprint(item, CONFIG),
        cache.fingerprint(item, FilterConfig(low_pass_hz=30.0)),
        cache.fingerprint(replace(item, seizures=()), CONFIG),
        cache.fingerprint(replace(item, scored=((0.0, 5.0),)), CONFIG),
    }
    with item.path.open("ab") as stream:
        stream.write(b"x")
    prints.add(cache.fingerprint(item, CONFIG))
    assert len(prints) == 5


def test_an_unreadable_recording_is_a_reason_not_a_stop(item: Item, tmp_path: Path) -> None:
    broken = replace(item, path=tmp_path / "b.edf", name="b.edf")
    broken.path.write_bytes(b"no recording")
    absent = replace(item, path=tmp_path / "c.edf", name="c.edf")
    reasons = [reason for _, reason in cache.build([broken, item, absent], tmp_path / "cache", CONFIG)]
    assert [bool(reason) for reason in reasons] == [True, False, True]


def test_processes_make_the_same_entries(item: Item, tmp_path: Path) -> None:
    other = replace(item, name="again")
    found = list(cache.build([item, other], tmp_path / "two", CONFIG, workers=2))
    assert found == [(item, ""), (other, "")]
    build(item, tmp_path / "one")
    name = f"{cache.fingerprint(item, CONFIG)}.npy"
    assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


def test_labels_leave_boundaries_and_offsets_out(item: Item, tmp_path: Path) -> None:
    timed = replace(item, seizures=(Annotation(10.25, 16.0, "seiz"),), scored=((2.0, 28.0),))
    build(timed, tmp_path / "cache")
    ictal, sure = cache.load(timed, tmp_path / "cache", CONFIG).labels()
    assert np.flatnonzero(ictal).tolist() == list(range(10, 16))
    # Second 10 is a quarter not ictal; 11 to 20 lie within 5 s of the offset; what was not judged counts not.
    assert np.flatnonzero(~sure).tolist() == [0, 1, *range(10, 21), 28, 29]


def test_simulated_recordings_are_cached_too(recordings: list[Cached]) -> None:
    first = recordings[0]
    assert first.item.simulation is not None
    assert first.signal.shape == (19, first.item.simulation.duration_s * RATE_HZ)
    assert first.usable.all()
    assert 5.0 < float(first.signal.astype(np.float32).std()) < 200.0


@pytest.mark.parametrize(
    ("patient", "age"),
    [("X F 01-JUN-2014 X", 9.5), ("X F 01-MAR-2014 X", 9.5), ("X F 15-DEC-2023 X", 0.0), ("X", None)],
)
def test_an_age_is_kept_to_half_a_year(item: Item, tmp_path: Path, patient: str, age: float | None) -> None:
    item.path.write_bytes(FakeEdf(eeg(n_records=90), 90, fields={"patient": patient}).data())
    assert not any(reason for _, reason in cache.build([item], tmp_path / "c", CONFIG))
    assert cache.load(item, tmp_path / "c", CONFIG).age_years == age
