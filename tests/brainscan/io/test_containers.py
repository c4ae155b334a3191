from __future__ import annotations

import gzip
import lzma
import os
from pathlib import Path

import pytest

from brainscan.errors import InputError
from brainscan.io import read
from brainscan.io.containers import container_of, kind_of
from brainscan.io.discover import search
from tests.edf_files import FakeEdf, eeg

PAD = bytes(1024)


@pytest.mark.parametrize(
    ("head", "name", "container"),
    [
        (FakeEdf(eeg(n_records=1), 1).data()[:1024], "a.bdf", "EDF"),
        (FakeEdf(eeg(n_records=1), 1, width=3).data()[:1024], "a.edf", "BDF"),
        (b"Brain Vision Data Exchange Header File Version 1.0\r\n", "a.vhdr", "BrainVision"),
        (b"\xef\xbb\xbfBrainVision Data Exchange Header File Version 2.0\n", "a", "BrainVision"),
        (b"\0\0\0\x64\0\0\0\x1f" + bytes(300), "a.fif", "FIF"),
        (b"MATLAB 5.0 MAT-file, Platform" + bytes(300), "a.set", "EEGLAB"),
        (b"\x89HDF\r\n\x1a\n" + bytes(300), "a.SET", "EEGLAB"),
        (b"MATLAB 7.3 MAT-file, Platform: GLNXA64" + bytes(300), "a.set", "EEGLAB"),
        (b"EEG-1100A V01.00" + PAD, "a.EEG", "Nihon Kohden"),
        (b"EEG-1200A V01.00" + PAD, "a.eeg", "Nihon Kohden"),
        (b"QI-403A   V02.00" + PAD, "a.eeg", "Nihon Kohden"),
        (b"DAE-2100D V01.30" + PAD, "a.eeg", "Nihon Kohden"),
        (b"[FileInfo]\r\nFile=a.dat\r\nFileType=Interleaved\r\n", "a.lay", "Persyst"),
        (b"\xef\xbb\xbf[FileInfo]\r\nFile=a.dat\r\n", "a.LAY", "Persyst"),
        (b"start_ts=2010-01-01 10:00:00\nnum_samples=9\nnum_channels=19\n", "a.head", "Nicolet .data"),
        (b"Version 3.0" + PAD, "a.cnt", "Neuroscan"),
        (b"RIFF\x10\0\0\0CNT " + PAD, "a.cnt", "ANT Neuro"),
        (b"GDF 1.25" + PAD, "a.gdf", "GDF"),
        (b"GDF 2.20" + PAD, "no_suffix", "GDF"),
        (b"<?xml version='1.0'?><nedf>", "a.nedf", "Neuroelectrics"),
        (b"\x01\x02" + PAD, "a.cdt", "Curry"),
        (b"HeaderLen= 5000 SourceCh= 64\r\n", "a.dat", "BCI2000"),
        (b"BCI2000V= 1.1 HeaderLen= 5000\r\n", "a.dat", "BCI2000"),
        (b"\0\0\0\x02\x07\xd5" + PAD, "a.raw", "EGI RAW"),
        (b"RF64\x10\0\0\0\0\0\0\0CNT " + PAD, "a.cnt", "ANT Neuro"),
        (PAD, "a.nxe", "eXimia"),
        (b"* MICROMED  Brain-Quick file *\x1a" + PAD, "a.TRC", "Micromed"),
        (b"* MICROMED  Brain-Quick file *\x1a" + PAD, "renamed.edf", "Micromed"),
        (b"\xe0\x11\xcf\xd0" + PAD, "a.e", "Nicolet .e"),
        (b"XDF:" + PAD, "a.xdf", "XDF"),
        (b"* MICROMED  Brain-Quick file *\x1a" + PAD, "a.vwr", "Micromed VWR"),
        (bytes.fromhex("0fc37b1ccf2d6d4b8aea1f64ced2b917") + PAD, "a.e", "Nicolet .e"),
        (PAD[:128] + b"DICM" + b"1.2.840.10008.5.1.4.1.1.9.7.1\0" + PAD, "a", "DICOM EEG"),
    ],
)
def test_content_decides(head: bytes, name: str, container: str) -> None:
    assert container_of(head[:1024], name) == container


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"", "0 bytes"),
        (b"0       " + b" " * 92, "100 bytes"),
        (b"\x1f\x8b\x08" + bytes(500), "gzip"),
        (b"PK\x03\x04" + bytes(500), "ZIP"),
        (b"\x89PNG\r\n" + bytes(500), "PNG"),
        (b"version https://git-lfs.github.com/spec/v1\n", "LFS"),
        (b"time,Fp1,F3\n" * 100, "text"),
        (bytes(range(256)) * 4, "unknown"),
        (b"\x89HDF\r\n\x1a\n" + bytes(300), "unknown"),
        (b"Brain Vision Data Exchange Marker File, Version 1.0", ".vhdr"),
    ],
)
def test_everything_else_is_named(head: bytes, words: str) -> None:
    with pytest.raises(InputError) as caught:
        container_of(head, "a.edf")
    assert caught.value.kind == "header"
    assert words in str(caught.value)


def test_what_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.edf", tmp_path):
        with pytest.raises(InputError) as caught:
            read(path)
        assert caught.value.kind == "io"
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.edf")
    with pytest.raises(InputError, match="ordinary file"):
        read(tmp_path / "pipe.edf")


@pytest.mark.parametrize(
    ("head", "name", "maker"),
    [
        (bytes.fromhex("ca1d6d1b27a111d4") + PAD, "a.erd", "Natus"),
        (b"\x01\x02" + PAD, "a.erd", "Natus"),
        (b"Version 3.0" + PAD, "a.avg", "Neuroscan"),
        (PAD[:128] + b"DICM" + PAD, "a", "DICOM"),
        (b"TimePoints=1000 Channels=21 BeginSweep[ms]=0.00\n", "a.m00", "Nihon Kohden export"),
        (b"\x01\x02" + PAD, "a.sig", "Stellate"),
        (b"\x01\x02" + PAD, "a.eeg", "unknown maker"),
        (gzip.compress(FakeEdf(eeg(n_records=2), 2).data())[:1024], "night.edf.gz", "EDF, packed with gzip"),
        (gzip.compress(FakeEdf(eeg(n_records=2), 2).data())[:1024], "night", "EDF, packed with gzip"),
        (b"\x1f\x8b\x08" + PAD, "night.edf.gz", "EDF, packed with gzip"),
        (b"\x1f\x8b\x08" + PAD, "NIGHT.TRC.GZ", "Micromed"),
        (gzip.compress(b"* MICROMED  Brain-Quick file" + PAD, mtime=0), "x.gz", "Micromed"),
        (lzma.compress(FakeEdf(eeg(n_records=2), 2).data())[:1024], "night.bdf.xz", "packed with xz"),
        (b"PK\x03\x04" + PAD, "night.edf.zip", "packed with ZIP"),
        (b"7z\xbc\xaf" + PAD, "night.edf.7z", "packed with 7z"),
    ],
)
def test_recordings_of_other_makers_are_named(head: bytes, name: str, maker: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a recording that brainscan does not read") as caught:
        container_of(head[:1024], name)
    assert maker in caught.value.message
    assert caught.value.hint
    (tmp_path / name).write_bytes(head)
    kind = kind_of(tmp_path / name)
    assert kind is not None
    # A file that is called as one that is read is a failure of its own, so that it is not passed over.
    assert (kind.read is None and maker in kind.name) or name == "renamed.edf"


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\x1f\x8b\x08" + PAD, "logs.gz"),
        (gzip.compress(b"a text", mtime=0), "notes.txt.gz"),
        (b"PK\x03\x04" + PAD, "pictures.zip"),
        (b"a text, signed\n" * 30, "letter.sig"),
        (b"version = 3\n", "a.avg"),
        (b"[Options]\n", "a.ini"),
        (b"TOC\n" * 30, "a.e"),
        (b"\x00\x01" * 300, "a.e"),
        (b"\x00\x01" * 300, "a.dat"),
        (b"RIFF\x10\0\0\0WAVE" + PAD, "a.wav"),
    ],
)
def test_other_files_of_such_names_are_none(head: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(head)
    assert kind_of(tmp_path / name) is None


@pytest.mark.parametrize(
    ("files", "counted"),
    [
        ({"a.vhdr": b"Brain Vision Data Exchange Header File", "a.eeg": PAD, "a.vmrk": b"x"}, {"a.vhdr"}),
        ({"a.VHDR": b"Brain Vision Data Exchange Header File", "a.EEG": PAD}, {"a.VHDR"}),
        ({"a.eeg": PAD}, {"a.eeg"}),
        ({"a.lay": b"[FileInfo]\n", "a.dat": PAD}, {"a.lay"}),
        (
            {"a.EEG": b"EEG-1100A V01.00" + PAD, "a.21E": b"[ELECTRODE]\n", "a.PNT": b"EEG-1100A V01.00" + PAD},
            {"a.EEG"},
        ),
        (
            dict.fromkeys(
                ("s.erd", "s_001.erd", "s_002.erd", "s.etc", "s_001.etc", "s.eeg", "s.stc", "s.toc"), b"\x01" + PAD
            ),
            {"s.erd"},
        ),
        ({"a.sig": b"\x01" + PAD, "a.sts": b"\x01" + PAD}, {"a.sig"}),
        ({"a.set": b"MATLAB 5.0 MAT-file" + PAD, "a.fdt": PAD}, {"a.set"}),
    ],
)
def test_the_files_of_one_recording_count_once(files: dict[str, bytes], counted: set[str], tmp_path: Path) -> None:
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    found = search(tmp_path, tmp_path / "out")
    assert {p.name for p in found.recordings} | {p.name for p, _ in found.unread} == counted


@pytest.mark.parametrize(("given", "main"), [("a.eeg", "a.vhdr"), ("n.21E", "n.EEG"), ("p.dat", "p.lay")])
def test_a_side_file_names_the_recording(given: str, main: str, tmp_path: Path) -> None:
    for name, data in {
        "a.vhdr": b"Brain Vision Data Exchange Header File",
        "a.eeg": PAD,
        "n.EEG": b"EEG-1100A V01.00" + PAD,
        "n.21E": b"[ELECTRODE]\r\n0000=Fp1\r\n",
        "p.lay": b"[FileInfo]\r\n",
        "p.dat": PAD,
    }.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=f"belongs to the recording {main}"):
        read(tmp_path / given)


@pytest.mark.parametrize("name", ["a.edf", "a.lay", "a", "a.txt"])
def test_a_text_is_no_damaged_edf(name: str) -> None:
    for text in (b"hello\n", b"0000=Fp1\r\n" * 4, b"# a table\n1,2,3\n" * 100):
        with pytest.raises(InputError, match=r"not a known EEG recording \(text\)") as caught:
            container_of(text, name)
        assert "copy it again" not in caught.value.hint


def test_a_folder_that_is_a_recording_is_one_and_not_entered(tmp_path: Path) -> None:
    for name in ("egi.mff", "other.mefd"):
        (tmp_path / "deep" / name).mkdir(parents=True)
        (tmp_path / "deep" / name / "signal1.bin").write_bytes(PAD)
        (tmp_path / "deep" / name / "inner.edf").write_bytes(PAD)
    found = search(tmp_path, tmp_path / "out")
    assert [path.name for path in found.recordings] == ["egi.mff"]
    assert [(path.name, kind.name) for path, kind in found.unread] == [("other.mefd", "MEF3")]
    with pytest.raises(InputError, match="MEF3"):
        read(tmp_path / "deep" / "other.mefd")


@pytest.mark.parametrize("name", ["a.eeg", "a.dat", "a.raw", "a.cnt", "a.lay", "a.head"])
def test_names_that_other_files_have_too_make_no_recording(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"a text\n" * 30)
    assert kind_of(tmp_path / name) is None
