"""Where the truth of a recording lies, and what it says."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest

from brainscan.corpora.references import ReferenceFolder, Seizure, read_reference, require_foreign
from brainscan.errors import InputError
from brainscan.io.pairing import stem_of
from tests.brainscan.evaluate.conftest import DURATION_S, write_edf, write_truth

OURS = f"brainscan 1.0; input sha256 {'0' * 64}"
TUSZ_HEAD = "# version = csv_v1.0.0\n# bname = a\n# duration = 60.0000 secs\n#\n"
TUSZ = f"{TUSZ_HEAD}channel,start_time,stop_time,label,confidence\n"


def found(corpus: Path, name: str, annotations: Path | None = None) -> Path | None:
    return ReferenceFolder(corpus, [name], annotations=annotations).find(PurePath(name))


def test_the_same_name_beside_the_recording(tmp_path: Path) -> None:
    write_edf(tmp_path / "p" / "a.edf")
    truth = write_truth(tmp_path / "p" / "a.csv_bi")
    write_truth(tmp_path / "q" / "a.csv_bi")
    assert found(tmp_path, "p/a.edf") == truth


def test_bids_names_events_for_eeg(tmp_path: Path) -> None:
    assert stem_of(PurePath("sub-01_task-x_run-1_eeg.edf")) == stem_of(PurePath("sub-01_task-x_run-1_events.tsv"))
    write_edf(tmp_path / "sub-01_eeg.edf")
    truth = tmp_path / "sub-01_events.tsv"
    truth.write_text("onset\tduration\teventType\n5.0\t10.0\tsz\n", encoding="utf-8")
    assert found(tmp_path, "sub-01_eeg.edf") == truth


def test_the_file_that_tells_types_is_preferred(tmp_path: Path) -> None:
    write_edf(tmp_path / "a.edf")
    write_truth(tmp_path / "a.csv_bi", (5.0, 9.0))
    typed = tmp_path / "a.csv"
    typed.write_text(f"{TUSZ}FP1-F7,5.0000,9.0000,fnsz,1.0000\n", encoding="utf-8")
    assert found(tmp_path, "a.edf") == typed
    assert read_reference(typed, "a.edf", 60.0).seizures == (Seizure(5.0, 9.0, "fnsz"),)


def test_a_folder_apart_is_mirrored_or_names_each_once(tmp_path: Path) -> None:
    write_edf(tmp_path / "eeg" / "p" / "a.edf")
    apart = tmp_path / "truth"
    deep = write_truth(apart / "elsewhere" / "a.csv_bi")
    assert found(tmp_path / "eeg", "p/a.edf", apart) == deep
    other = write_truth(apart / "q" / "a.csv_bi")
    assert found(tmp_path / "eeg", "p/a.edf", apart) is None  # two of that name, neither in its place
    other.unlink()
    mirrored = write_truth(apart / "p" / "a.csv_bi")
    assert found(tmp_path / "eeg", "p/a.edf", apart) == mirrored


def test_without_any_annotation_there_is_none(tmp_path: Path) -> None:
    write_edf(tmp_path / "a.edf")
    assert found(tmp_path, "a.edf") is None
    with pytest.raises(InputError, match="is no folder"):
        ReferenceFolder(tmp_path, [], annotations=tmp_path / "absent")


def test_a_list_of_many_recordings_names_it(tmp_path: Path) -> None:
    write_edf(tmp_path / "chb01" / "chb01_03.edf")
    summary = tmp_path / "chb01" / "chb01-summary.txt"
    summary.write_text(
        "Data Sampling Rate: 256 Hz\n\nFile Name: chb01_03.edf\nFile Start Time: 13:43:04\nFile End Time: 13:44:04\n"
        "Number of Seizures in File: 1\nSeizure Start Time: 20 seconds\nSeizure End Time: 35 seconds\n",
        encoding="utf-8",
    )
    assert found(tmp_path, "chb01/chb01_03.edf") == summary
    assert read_reference(summary, "chb01_03.edf", 60.0).seizures == (Seizure(20.0, 35.0),)
    assert found(tmp_path, "chb01/chb01_04.edf") is None


def test_channels_are_joined_and_types_that_differ_are_just_seizures(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = "FP1-F7,5.0,9.0,fnsz,1.0\nF7-T3,8.0,12.0,gnsz,1.0\nFP2-F8,20.0,30.0,cpsz,1.0\nF8-T4,1.0,2.0,bckg,1.0\n"
    path.write_text(TUSZ + rows, encoding="utf-8")
    assert read_reference(path, "a.edf", 60.0).seizures == (Seizure(5.0, 12.0), Seizure(20.0, 30.0, "cpsz"))


def test_simulated_truth_says_so(tmp_path: Path) -> None:
    plain = write_truth(tmp_path / "a.csv_bi", (1.0, 9.0))
    made = write_truth(tmp_path / "b.csv_bi", (1.0, 9.0), comments=("simulated truth, seed 3",))
    assert not read_reference(plain, "a.edf", float(DURATION_S)).simulated
    assert read_reference(made, "b.edf", float(DURATION_S)).simulated


def test_a_seizure_outside_the_recording_is_refused(tmp_path: Path) -> None:
    path = write_truth(tmp_path / "a.csv_bi", (40.0, 55.0))
    with pytest.raises(InputError):
        read_reference(path, "a.edf", 30.0)


def test_our_own_output_is_foreign_once_it_is_reviewed(tmp_path: Path) -> None:
    files = [write_truth(tmp_path / f"{k}.csv_bi", (1.0, 9.0), comments=(OURS,)) for k in range(3)]
    with pytest.raises(InputError, match=r"own output.*\(and 2 more\)"):
        require_foreign(files)
    for path in files:
        write_truth(path, (1.0, 9.0), comments=(OURS, "reviewed by two readers"))
    require_foreign(files)


SUMMARY = (
    "File Name: {}\nFile Start Time: 13:43:04\nFile End Time: 13:44:04\nNumber of Seizures in File: 1\n"
    "Seizure Start Time: 20 seconds\nSeizure End Time: 35 seconds\n\n"
)


@pytest.mark.parametrize(
    ("recordings", "lists", "expected"),
    [
        ("p1/E p2/E", {"p1": "E"}, {"p1/E": "p1"}),
        ("p1/E p2/E", {"p2": "E"}, {"p2/E": "p2"}),
        ("p1/E p2/E", {"p1": "E", "p2": "E"}, {"p1/E": "p1", "p2/E": "p2"}),
        ("p1/E p2/E", {".": "E"}, {}),
        ("p1/a p2/b", {".": "a b"}, {"p1/a": ".", "p2/b": "."}),
        ("p1/s1/a p1/s2/b p2/s1/a", {"p1": "a b"}, {"p1/s1/a": "p1", "p1/s2/b": "p1"}),
        ("p1/s1/E p1/s2/E p2/E", {"p1": "E"}, {}),
        ("p1/E p2/E p1/b", {"p1": "E b"}, {"p1/E": "p1", "p1/b": "p1"}),
        ("p1/a p2/b", {"lists": "a b"}, {"p1/a": "lists", "p2/b": "lists"}),
        ("p1/a", {"x": "a", "y": "a"}, {}),
        ("p1/E p2/E", {"lists/p1": "E"}, {}),
    ],
)
def test_a_list_tells_about_the_recordings_beside_it(
    tmp_path: Path, recordings: str, lists: dict[str, str], expected: dict[str, str]
) -> None:
    names = [f"{name}.edf" for name in recordings.split()]
    for name in names:
        write_edf(tmp_path / name)
    for place, entries in lists.items():
        (tmp_path / place).mkdir(exist_ok=True, parents=True)
        text = "".join(SUMMARY.format(f"{entry}.edf") for entry in entries.split())
        (tmp_path / place / "x-summary.txt").write_text(text, encoding="utf-8")
    folder = ReferenceFolder(tmp_path, names)
    places = {name: path for name in names if (path := folder.find(PurePath(name))) is not None}
    assert {name.removesuffix(".edf"): path.parent for name, path in places.items()} == {
        name: tmp_path / place for name, place in expected.items()
    }
    for name in set(names) - set(places):
        assert "names" in folder.reason(PurePath(name))


def test_a_recording_that_is_left_out_keeps_its_annotation(tmp_path: Path) -> None:
    for name in ("p1/E.edf", "p2/E.edf"):
        write_edf(tmp_path / "eeg" / name)
    write_truth(tmp_path / "truth" / "E.csv_bi")
    folder = ReferenceFolder(tmp_path / "eeg", ["p2/E.edf"], ["p1/E.edf"], tmp_path / "truth")
    assert folder.find(PurePath("p2/E.edf")) is None
    assert "2 recordings have its name" in folder.reason(PurePath("p2/E.edf"))


def test_a_file_that_lies_there_and_is_not_understood_is_named(tmp_path: Path) -> None:
    write_edf(tmp_path / "a.edf")
    (tmp_path / "a_events.tsv").write_text("start\tend\n1\t2\n", encoding="utf-8")
    (tmp_path / "a.json").write_text("{}", encoding="utf-8")
    folder = ReferenceFolder(tmp_path, ["a.edf"])
    assert folder.find(PurePath("a.edf")) is None
    assert folder.reason(PurePath("a.edf")) == "a_events.tsv is in no annotation format that we know"
