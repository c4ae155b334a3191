"""``index.csv``: what it may say, and what is refused."""

from __future__ import annotations

from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from brainscan.errors import InputError
from brainscan.evaluate.index import find_index, read_index, spans_of

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
