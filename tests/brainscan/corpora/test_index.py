"""``index.csv``: what it may say, and what is refused."""

from __future__ import annotations

from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from brainscan.corpora.index import find_index, read_index, spans_of
from brainscan.errors import InputError

times = st.integers(0, 10_000)


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.csv"
    path.write_text(text, encoding="utf-8")
    return path


@given(st.lists(st.tuples(times, st.integers(1, 500)), min_size=1, max_size=5))
def test_spans_are_read_as_they_are_written(pairs: list[tuple[int, int]]) -> None:
    spans = tuple((float(start), float(start + length)) for start, length in pairs)
    assert spans_of(";".join(f"{a:g}-{b:g}" for a, b in spans)) == spans


@pytest.mark.parametrize(("text", "spans"), [("all", None), ("", None), (" ALL ", None), ("none", ()), ("None", ())])
def test_words_for_all_and_nothing(text: str, spans: object) -> None:
    assert spans_of(text) == spans


@pytest.mark.parametrize("text", ["some", "5", "9-3", "3-3", "1-inf", "nan-2", "1-2;", "-1-5"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="scored must be"):
        spans_of(text)


def test_columns_that_are_absent_are_empty(tmp_path: Path) -> None:
    index = read_index(write(tmp_path, "other,file\nx,a.edf\n"))
    (row,) = index.rows
    assert (row.file, row.group, row.source, row.subject, row.scored) == ("a.edf", "", "", "", None)


def test_another_table_of_that_name_is_refused_here_and_remarked_on_above(tmp_path: Path) -> None:
    write(tmp_path, "name,value\na,1\n")
    with pytest.raises(InputError, match=r"no column tells the files \(columns: name, value\)"):
        find_index(tmp_path)
    (tmp_path / "ward").mkdir()
    index, remarks = find_index(tmp_path / "ward")
    assert index is None
    assert ["passed over" in remark for remark in remarks] == [True]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("file,group\na.edf,x\na.edf,y\n", "line 3.*twice"),
        ("file,group\na.edf\n", "line 2.*too few columns"),
        ("file,group\n,x\n", "line 2.*names no file"),
        ("file,scored\na.edf,sometimes\n", "line 2.*scored must be"),
        ("file,group\n", "lists no recording"),
    ],
)
def test_damage_is_told_with_its_line(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(InputError, match=what) as raised:
        read_index(write(tmp_path, text))
    assert raised.value.file == "index.csv"


def test_rows_are_relative_to_the_folder_that_is_evaluated(tmp_path: Path) -> None:
    index = read_index(write(tmp_path, "file\nward/a.edf\nother/b.edf\n"))
    assert list(index.below(tmp_path / "ward")) == ["a.edf"]


def test_the_nearest_index_that_lists_the_folder_counts(tmp_path: Path) -> None:
    outer = write(tmp_path, "file,group\nward/x/a.edf,far\n")
    write(tmp_path / "ward", "file,group\nelsewhere/a.edf,near\n")
    found, _ = find_index(tmp_path / "ward" / "x")
    assert found is not None
    assert found.path.resolve() == outer.resolve()
    write(tmp_path / "ward", "file,group\nx/a.edf,near\n")
    nearer, _ = find_index(tmp_path / "ward" / "x")
    assert nearer is not None
    assert nearer.rows[0].group == "near"


ROWS = (("patA/d1/EEG.edf", "A", "dev", "20,5-30"), ("patA/d2/EEG.edf", "A", "train", "none"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "names",
    [
        ("file", "subject", "group", "scored"),
        ("File", "Subject", "Group", "Scored"),
        ("filename", "patient", "split", "scored"),
        ("File Name", "Patient ID", "Split", "Scored"),
        ("PATH", "participant_id", "partition", "SCORED"),
        ("recording", "subject_id", "split", "scored"),
        (" file ", " patient", "group ", "scored"),
    ],
)
def test_every_dialect_says_the_same(tmp_path: Path, names: tuple[str, ...], separator: str, encoding: str) -> None:
    lines = [names, *ROWS]
    text = "".join(separator.join(f'"{c}"' if separator in c else c for c in line) + "\r\n" for line in lines)
    (tmp_path / "index.csv").write_bytes(text.encode(encoding))
    index = read_index(tmp_path / "index.csv")
    assert [(row.file, row.subject, row.group, row.scored) for row in index.rows] == [
        ("patA/d1/EEG.edf", "A", "dev", ((20.5, 30.0),)),
        ("patA/d2/EEG.edf", "A", "train", ()),
    ]
    assert index.warnings == ()


@pytest.mark.parametrize("text", ["p1\\a.edf", "./p1/a.edf", "p1/./a.edf", "p1/x/../a.edf"])
def test_spellings_of_a_path_are_one(tmp_path: Path, text: str) -> None:
    assert list(read_index(write(tmp_path, f"file\n{text}\n")).below(tmp_path)) == ["p1/a.edf"]


@pytest.mark.parametrize("name", ["Datei", "fichier", "EEG", "name"])
def test_a_column_of_files_is_known_by_what_it_holds(tmp_path: Path, name: str) -> None:
    (tmp_path / "p1").mkdir()
    (tmp_path / "p1" / "a.edf").write_text("")
    index = read_index(write(tmp_path, f"nr;{name};note\n1;p1/a.edf;x\n"))
    assert [row.file for row in index.rows] == ["p1/a.edf"]
    assert index.warnings == (f"index.csv: its column {name!r} is taken for the files",)


def test_of_two_columns_that_may_name_files_the_one_counts_that_does(tmp_path: Path) -> None:
    (tmp_path / "p1").mkdir()
    (tmp_path / "p1" / "a.edf").write_text("")
    index = read_index(write(tmp_path, "filename,path\na.edf,p1/a.edf\n"))
    assert [row.file for row in index.rows] == ["p1/a.edf"]
