"""CHB-MIT's binary `.seizures`, written here as WFDB writes them."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan.corpora.references import ReferenceFolder, read_reference
from brainscan.errors import InputError
from brainscan.io.annotations import RecordingFacts, read_annotations, sniff
from brainscan.io.wfdb import read_wfdb_seizures
from tests.edf_files import FakeEdf, eeg

BEGIN, END, NOTE, BEAT = 32, 33, 22, 1


def words(*marks: tuple[int, int] | tuple[int, int, str]) -> bytes:
    """Return marks (sample, code, text) in WFDB's form: short intervals within a word, long ones by SKIP."""
    data, last = b"", 0
    for sample, code, *text in marks:
        apart = sample - last
        if not 0 <= apart < 1024:
            data += struct.pack("<HhH", 59 << 10, apart >> 16, apart & 0xFFFF)
            apart = 0
        data += struct.pack("<H", code << 10 | apart)
        for line in text:
            raw = str(line).encode("latin-1")
            data += struct.pack("<H", 63 << 10 | len(raw)) + raw + bytes(len(raw) % 2)
        last = sample
    return data + bytes(2)


def written(folder: Path, data: bytes, name: str = "chb01_03.edf.seizures") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def seizures(samples: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    return [mark for a, b in samples for mark in ((a, BEGIN), (b, END))]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 1 << 26), min_size=2, max_size=12, unique=True), st.sampled_from([None, 128.0, 512.0]))
def test_what_wfdb_writes_is_read_to_the_sample(samples: list[int], resolution: float | None) -> None:
    ordered = sorted(samples)[: len(samples) // 2 * 2]
    pairs = list(zip(ordered[::2], ordered[1::2], strict=True))
    note = [] if resolution is None else [(0, NOTE, f"## time resolution: {resolution:g}")]
    rate = resolution or 256.0
    with tempfile.TemporaryDirectory() as folder:
        file = read_wfdb_seizures(written(Path(folder), words(*note, *seizures(pairs))))
    assert file.seizures == tuple((a / rate, b / rate) for a, b in pairs)
    assert (resolution is None) == any("256 Hz" in text for text in file.warnings)


def test_texts_numbers_and_other_codes_between_do_not_matter(tmp_path: Path) -> None:
    data = words((10, BEAT, "odd"), (2560, BEGIN, "seizure"), (3000, BEAT), (5120, END))
    fields = struct.pack("<HHH", 60 << 10 | 3, 61 << 10 | 1, 62 << 10)
    file = read_wfdb_seizures(written(tmp_path, data[:-2] + fields + data[-2:]))
    assert file.seizures == ((10.0, 20.0),)
    assert any("2 annotations are of no seizure" in text for text in file.warnings)


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "ends within"),
        (b"\0", "ends within"),
        (words((256, BEGIN), (512, END))[:-2], "ends within"),
        (words((256_000, BEGIN))[:4], "ends within"),
        (struct.pack("<H", 63 << 10 | 9) + b"abc", "ends within"),
        (words((256, BEGIN)), "no end"),
        (words((256, END)), "without a beginning"),
        (words((256, BEGIN), (512, BEGIN), (600, END)), "begins twice"),
        (words((256, BEGIN), (256, END)), "no length"),
        (words((512, BEGIN), (256, END)), "reversed"),
        (words(), "holds no seizure"),
        (b"/annex/objects/MD5E-s1--a.seizures\n", "not fetched"),
    ],
)
def test_what_is_no_sound_file_is_named(tmp_path: Path, data: bytes, cause: str) -> None:
    with pytest.raises(InputError, match=cause) as caught:
        read_wfdb_seizures(written(tmp_path, data))
    assert caught.value.file == "chb01_03.edf.seizures"


def test_the_recording_beside_it_tells_the_rate(tmp_path: Path) -> None:
    path = written(tmp_path, words((500, BEGIN), (1000, END)))
    (tmp_path / "chb01_03.edf").write_bytes(FakeEdf(eeg(), 20).data())  # 100 Hz
    assert sniff(path) == "wfdb"
    file = read_annotations(path, facts=RecordingFacts("chb01_03.edf", 20.0))
    assert (file.seizures, file.warnings) == (((5.0, 10.0),), ())
    with pytest.raises(InputError, match="after the recording"):
        read_annotations(path, facts=RecordingFacts("chb01_03.edf", 3.0))


@pytest.mark.parametrize("name", ["chb01_03.edf.seizures", "chb01_03.seizures", "chb01_03.edf.SEIZURES"])
def test_it_is_the_truth_where_no_list_is(tmp_path: Path, name: str) -> None:
    recording = tmp_path / "chb01" / "chb01_03.edf"
    recording.parent.mkdir()
    recording.write_bytes(FakeEdf(eeg(), 20).data())
    path = written(recording.parent, words((2560, BEGIN), (3840, END)), name)
    found = ReferenceFolder(tmp_path, ["chb01/chb01_03.edf"]).find(Path("chb01/chb01_03.edf"))
    assert found == path
    summary = recording.parent / "chb01-summary.txt"
    text = "File Name: chb01_03.edf\nNumber of Seizures in File: 1\nSeizure Start Time: 4 seconds\n"
    summary.write_text(text + "Seizure End Time: 9 seconds\n", encoding="utf-8")
    assert ReferenceFolder(tmp_path, ["chb01/chb01_03.edf"]).find(Path("chb01/chb01_03.edf")) == summary
    assert [s.onset_s for s in read_reference(summary, "chb01_03.edf", 20.0).seizures] == [4.0]
