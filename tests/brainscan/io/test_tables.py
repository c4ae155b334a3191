"""Tables as spreadsheets save them, whatever parts the columns and in whatever encoding."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from brainscan.errors import InputError
from brainscan.io.tables import SEPARATORS, csv_bytes, read_table

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16")  # utf-16 writes its mark

cells = st.text(st.characters(categories=("L", "N"), include_characters=' ,;|\t"-./äß'), max_size=8).map(str.strip)
header = st.lists(st.text("abcdefg_", min_size=1, max_size=6), min_size=2, max_size=5, unique=True)


def saved(header: list[str], rows: list[list[str]], separator: str, line_end: str = "\n") -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator, lineterminator=line_end).writerows([header, *rows])
    return stream.getvalue()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.data(),
    header=header,
    separator=st.sampled_from(SEPARATORS),
    encoding=st.sampled_from(ENCODINGS),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_saved_is_read(
    tmp_path: Path, data: st.DataObject, header: list[str], separator: str, encoding: str, line_end: str
) -> None:
    row = st.lists(cells, min_size=len(header), max_size=len(header))
    rows = [r for r in data.draw(st.lists(row, max_size=4)) if any(r)]
    path = tmp_path / "t.csv"
    path.write_bytes(saved(header, rows, separator, line_end).encode(encoding))
    table = read_table(path)
    assert list(table.header) == header
    assert [list(found) for _, found in table.rows] == rows


@pytest.mark.parametrize(
    ("text", "header", "rows"),
    [
        ("file\na.edf\n", ["file"], [["a.edf"]]),
        ("\n\nfile;n\na.edf;1\n", ["file", "n"], [["a.edf", "1"]]),
        ("sep=;\nfile;n\na.edf;1\n", ["file", "n"], [["a.edf", "1"]]),
        ('"sep=|"\r\nfile|n\r\na.edf|1\r\n', ["file", "n"], [["a.edf", "1"]]),
        ("file;note, more\na.edf;x\n", ["file", "note, more"], [["a.edf", "x"]]),
        ('file;"a, b, c, d"\na.edf;x\n', ["file", "a, b, c, d"], [["a.edf", "x"]]),
        ('file;scored\na.edf;"1-2;3-4"\n', ["file", "scored"], [["a.edf", "1-2;3-4"]]),
        ("file;n\na.edf;1;;\n;;\n\n b.edf ; 2 \n", ["file", "n"], [["a.edf", "1"], ["b.edf", "2"]]),
    ],
)
def test_dialects(tmp_path: Path, text: str, header: list[str], rows: list[list[str]]) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    table = read_table(tmp_path / "t.csv")
    assert (list(table.header), [list(row) for _, row in table.rows]) == (header, rows)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\xff\xfe", "is empty"),
        (b"file;n\na.edf\n", r"line 2: has too few columns \(1 instead of 2\)"),
        (b"\n\nfile;n\n\na.edf;1\nb.edf;1;2\n", r"line 6: has too many columns \(3 instead of 2\)"),
        ("file\nMüller.edf\n".encode("latin-1"), "no UTF-8 text"),
        ("file;n\n".encode("utf-16-le"), "zero bytes"),
        (b"\xff\xfef\x00\x00\xd8", "UTF-16"),
    ],
)
def test_damage_is_told(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_table(tmp_path / "t.csv")


@pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3|x".replace("2", "x"), "\t=1", "\r=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert csv_bytes(("file",), [(cell,)]).decode().splitlines()[1].lstrip('"').startswith("'")


@pytest.mark.parametrize("cell", ["-1.25", "+3", "-.5", "-inf", "night-1.edf", "a=b", "", 3, -2.5])
def test_numbers_and_plain_names_stay(cell: object) -> None:
    assert csv_bytes(("a", "b"), [(cell, 1)]) == f"a,b\n{cell},1\n".encode()
