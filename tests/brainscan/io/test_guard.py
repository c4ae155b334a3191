"""A recording is never written over, by whatever way; what is no recording may be."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from brainscan.errors import OutputError, UsageError
from brainscan.events import Annotation
from brainscan.io.annotation_file import AnnotationFile
from brainscan.io.atomic import atomic_write, write_bytes
from brainscan.io.edf_annotations import format_edf_annotations
from brainscan.io.edf_writer import EdfHeader, is_simulated, write_edf
from brainscan.io.guard import check_place, protect, recording_in, same_file
from tests.edf_files import FakeEdf, eeg

EDF = FakeEdf(eeg(n_records=2), 2).data()
VHDR = b"Brain Vision Data Exchange Header File Version 1.0\r\n"
ALONE = format_edf_annotations(AnnotationFile((Annotation(1.0, 2.0, "seiz"),), 60.0))


def _files(folder: Path, **files: bytes) -> None:
    for name, data in files.items():
        path = folder / name.replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.edf", EDF),
        ("a.csv_bi", EDF),
        ("no_suffix", EDF),
        ("cut.json", EDF[:400]),
        ("a.bdf", FakeEdf(eeg(n_records=2), 2, width=3).data()),
        ("a.vhdr", VHDR),
        ("a.fif", b"\0\0\0\x64\0\0\0\x1f" + bytes(300)),
        ("a.mat", b"MATLAB 5.0 MAT-file" + bytes(300)),
        ("a.TRC", b"* MICROMED  Brain-Quick file *\x1a" + bytes(300)),
        ("a.txt", b"[FileInfo]\r\nFile=a.dat\r\n"),
        ("a.edf.gz", gzip.compress(EDF, mtime=0)),
        ("packed", gzip.compress(EDF, mtime=0)),
        ("odd.eeg", bytes(range(256))),
    ],
)
def test_recordings_are_kept(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    for write in (lambda: protect(path), lambda: write_bytes(path, b"events")):
        with pytest.raises(OutputError, match="a recording is never overwritten"):
            write()
    with pytest.raises(OutputError), atomic_write(path) as stream:
        stream.write(b"events")
    assert path.read_bytes() == data
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv_bi", b"# version = csv_v1.0.0\n"),
        ("a.json", b"{}"),
        ("notes.txt", b"a text of some length " * 40),
        ("empty.edf", b""),
        ("short.edf", b"0       "),
        ("annotations.edf", ALONE),
        ("a.png", b"\x89PNG\r\n" + bytes(300)),
        ("logs.gz", gzip.compress(b"a text", mtime=0)),
    ],
)
def test_everything_else_may_be_replaced(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    write_bytes(path, b"events")
    assert path.read_bytes() == b"events"


def test_the_files_of_a_recording_are_kept(tmp_path: Path) -> None:
    (tmp_path / "x.mff").mkdir()
    _files(
        tmp_path, a__vhdr=VHDR, a__eeg=bytes(40), a__vmrk=b"Brain Vision Data Exchange Marker File", b__eeg=b"text\n"
    )
    (tmp_path / "x.mff" / "signal1.bin").write_bytes(bytes(40))
    assert recording_in(tmp_path / "a.eeg") == recording_in(tmp_path / "a.vmrk") == "part of the recording a.vhdr"
    assert recording_in(tmp_path / "x.mff" / "signal1.bin") == "part of the recording x.mff"
    assert recording_in(tmp_path / "x.mff" / "events.csv_bi") == "part of the recording x.mff"
    assert recording_in(tmp_path / "b.eeg") == ""


@pytest.mark.parametrize("name", ["ward.edf", "ward.rec", "ward.vhdr", "ward.edf.gz"])
def test_a_folder_that_is_named_like_a_file_is_a_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    assert recording_in(folder / "a.csv_bi") == ""  # as a scan's outputs of `ward.edf/a.edf`, before there are any
    folder.mkdir()
    assert recording_in(folder / "a.csv_bi") == ""
    (folder / "a.edf").write_bytes(EDF)
    assert recording_in(folder / "a.edf") == "a recording (EDF)"


def test_links_lead_to_what_they_lead_to(tmp_path: Path) -> None:
    _files(tmp_path, a__edf=EDF, e__tsv=b"onset\n")
    (tmp_path / "soft.tsv").symlink_to(tmp_path / "a.edf")
    os.link(tmp_path / "a.edf", tmp_path / "hard.tsv")
    (tmp_path / "folder").symlink_to(tmp_path)
    for name in ("soft.tsv", "hard.tsv", "folder/a.edf"):
        assert recording_in(tmp_path / name)
    for name in ("soft.tsv", "hard.tsv", "folder/a.edf", "folder/folder/a.edf"):
        assert same_file(tmp_path / name, tmp_path / "a.edf")
        with pytest.raises(UsageError, match="is read by this command"):
            protect(tmp_path / name, [tmp_path / "e.tsv", tmp_path / "a.edf"])
    with pytest.raises(UsageError):
        protect(tmp_path / "folder" / "absent.tsv", [tmp_path / "absent.tsv"])


def test_a_simulation_may_be_simulated_again(tmp_path: Path) -> None:
    import numpy as np

    header, blocks = EdfHeader(("EEG Fp1",), 100), [np.zeros((1, 100), dtype=np.float32)]
    own, foreign = tmp_path / "sim.edf", tmp_path / "night.edf"
    write_edf(own, header, blocks)
    write_edf(own, header, blocks * 2)
    assert is_simulated(own)
    assert recording_in(own)  # for every other command it is a recording
    foreign.write_bytes(EDF)
    with pytest.raises(OutputError, match="never overwritten"):
        write_edf(foreign, header, blocks)
    assert foreign.read_bytes() == EDF


def test_places_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file" / "x.csv_bi", tmp_path / "file" / "deep" / "x.csv_bi"):
        with pytest.raises(OutputError):
            check_place(place)
    for place in (tmp_path / "x", tmp_path / "new" / "deep" / "x", tmp_path / "file", Path(os.devnull)):
        check_place(place)
