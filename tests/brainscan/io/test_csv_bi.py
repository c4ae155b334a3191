"""CSV_bi: strict where the official reader is strict, written as the official tools write."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.errors import InputError
from brainscan.events import Event
from brainscan.io.csv_bi import csv_bi_from_text, encode_bname, format_csv_bi, read_csv_bi, read_csv_bi_events
from brainscan.io.tusz import read_tusz_csv

GRAMMAR = re.compile(
    r"# version = csv_v1\.0\.0\n# bname = [!-~]+\n# duration = \d+\.\d{4} secs\n# montage_file = [!-~]+\n#\n"
    r"channel,start_time,stop_time,label,confidence\n"
    r"(?:TERM,\d+\.\d{4},\d+\.\d{4},(?:seiz|bckg),\d+\.\d{4}\n)*"
)
"""The writer form, once our own comment lines are taken out."""


@st.composite
def detections(draw: st.DrawFn) -> tuple[list[Event], float]:
    ticks = st.integers(0, 36_000_000)
    edges = sorted(draw(st.lists(ticks, unique=True, max_size=10)))
    duration = max([*edges, 1]) + draw(st.integers(0, 10_000))
    confidence = draw(st.floats(0, 1))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return [Event(a / 1e4, b / 1e4, confidence) for a, b in pairs], duration / 1e4


@given(detections(), st.text(), st.lists(st.text(), max_size=3))
def test_what_is_written_tiles_the_recording_in_the_official_form(
    made: tuple[list[Event], float], bname: str, comments: list[str]
) -> None:
    events, duration_s = made
    text = format_csv_bi(events, duration_s, bname, comments)
    assert text.isascii()
    official = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("# brainscan:"))
    assert GRAMMAR.fullmatch(official)
    read = csv_bi_from_text(text, "x.csv_bi")
    assert read.duration_s == pytest.approx(duration_s, abs=5e-5)
    at_s = 0.0
    for row in read.annotations:
        assert row.onset_s == at_s
        at_s = row.offset_s
    assert at_s == read.duration_s
    seizures = [row for row in read.annotations if row.label == "seiz"]
    assert [(s.onset_s, s.offset_s) for s in seizures] == [(e.onset_s, e.offset_s) for e in events]
    assert all(abs(s.confidence - e.confidence) <= 5e-5 for s, e in zip(seizures, events, strict=True))


def test_the_exact_text() -> None:
    text = format_csv_bi([Event(1.23456, 4.0, 0.87654)], 10.0, "night.edf", ["model x"])
    assert text.splitlines() == [
        "# version = csv_v1.0.0",
        "# bname = night",
        "# duration = 10.0000 secs",
        "# montage_file = brainscan_19_average.txt",
        "#",
        "channel,start_time,stop_time,label,confidence",
        "# brainscan: model x",
        "TERM,0.0000,1.2346,bckg,1.0000",
        "TERM,1.2346,4.0000,seiz,0.8765",
        "TERM,4.0000,10.0000,bckg,1.0000",
    ]


def test_an_event_that_vanishes_in_rounding_is_left_out() -> None:
    assert "seiz" not in format_csv_bi([Event(1.00001, 1.00002, 0.9)], 10.0, "x")


def test_an_event_to_the_very_end_ends_with_the_recording() -> None:
    text = format_csv_bi([Event(5.0, 10.00004, 0.9)], 10.00004, "x")
    assert text.endswith("TERM,5.0000,10.0000,seiz,0.9000\n")


@pytest.mark.parametrize("events", [[Event(1, 3, 0.5), Event(2, 4, 0.5)], [Event(9, 11, 0.5)]])
def test_events_that_overlap_or_leave_the_recording_are_refused(events: list[Event]) -> None:
    with pytest.raises(ValueError, match="disjoint"):
        format_csv_bi(events, 10.0, "x")


@pytest.mark.parametrize(
    ("name", "bname"),
    [
        ("night.edf", "night"),
        ("sub-01.ses-2.edf", "sub-01"),
        ("Fräulein 7.edf", "Fr%C3%A4ulein%207"),
        ("a%20b.edf", "a%2520b"),
        ("100%.edf", "100%"),
        (".edf", "edf"),
        ("...", "recording"),
        ("\udcff.edf", "%FF"),
    ],
)
def test_bname(name: str, bname: str) -> None:
    assert encode_bname(name) == bname


@given(st.text(st.characters(exclude_characters=".", exclude_categories=["Cs"]), min_size=1))
def test_the_name_comes_back(stem: str) -> None:
    assert unquote(encode_bname(stem)) == stem


def test_comments_are_one_ascii_line_each_and_come_back() -> None:
    text = format_csv_bi([], 10.0, "x", ["unscored 3.0000 4.0000", "two\nlines = µ"])
    assert csv_bi_from_text(text, "x").comments == ("unscored 3.0000 4.0000", "two lines = \\xb5")


def test_the_official_reader_s_habits(shared: Path) -> None:
    """Each file variation of the micro cases loads, or does not, as it does there."""
    cases = json.loads((shared / "scoring/dev/micro_cases.json").read_text(encoding="utf-8"))
    variations = [case for case in cases if case["name"].startswith("g")]
    assert variations
    for case in variations:
        stopped = case.get("abort_stage") in ("load_hyp", "dpalign")  # an unknown label stops in DPALIGN there
        if stopped:
            with pytest.raises(InputError):
                csv_bi_from_text(case["hyp"], case["name"])
        else:
            csv_bi_from_text(case["hyp"], case["name"])


HEADER = "# version = csv_v1.0.0\n# bname = m\n# duration = 100.0000 secs\n#\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + "TERM,1,2,SEIZ,1\n", "line 5: unknown label 'SEIZ'"),
        (HEADER + "TERM,1,2,seiz\n", "line 5: has 4 columns"),
        (HEADER + "TERM,1,x,seiz,1\n", "line 5: start, stop and confidence must be numbers"),
        (HEADER + "TERM,1,inf,seiz,1\n", "line 5: .* finite"),
        (HEADER.replace("100.0000 ", "100.0000"), "line 3: duration is no number"),
        (HEADER.replace("100.0", "-1.0"), "line 3: duration is no number"),
        (HEADER.replace("# duration", "# Duration"), "no duration line"),
        (HEADER.replace("v1.0.0", "v1.1.0"), "version 'csv_v1.1.0'"),
        ("TERM,1,2,seiz,1\n", "no version line"),
        ("\ufeff" + HEADER, "byte order mark"),
    ],
)
def test_errors_name_the_line(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        csv_bi_from_text(text, "x.csv_bi")


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("600.0000 secs", 600),
        ("600", 600),
        ("600 s", 600),
        ("600 sec.", 600),
        ("600 Seconds", 600),
        ("10 mins", 600),
        ("10 min", 600),
        ("10.5 minutes", 630),
        ("100 m", 6000),
        ("2 h", 7200),
        ("0.5 hours", 1800),
        ("1 hr", 3600),
        ("600000 ms", 600),
    ],
)
def test_the_duration_s_unit_is_heeded_and_told(tmp_path: Path, said: str, seconds: float) -> None:
    for name, read in (("x.csv_bi", read_csv_bi_events), ("x.csv", read_tusz_csv)):
        target = tmp_path / name
        target.write_text(HEADER.replace("100.0000 secs", said) + "TERM,1,2,seiz,1\n", encoding="utf-8")
        file = read(target)
        assert file.duration_s == pytest.approx(seconds)
        assert len(file.warnings) == (float(said.split()[0]) != seconds)
    # The scores are those of the official tool, which reads no unit.
    assert read_csv_bi(tmp_path / "x.csv_bi").duration_s == float(said.split()[0])


def test_rows_of_other_channels_are_not_left_out_without_a_word(tmp_path: Path) -> None:
    target = tmp_path / "x.csv_bi"
    target.write_text(f"{HEADER}TERM,1,2,seiz,1\nFP1-F7,1,9,seiz,1\nFP1-F7,9,20,bckg,1\n", encoding="utf-8")
    file = read_csv_bi_events(target)
    assert file.seizures == ((1, 2),)
    assert "other channels than TERM are passed over: 2, of seizures 1" in file.warnings[0]
    target.write_text(f"{HEADER}FP1-F7,1,9,seiz,1\n", encoding="utf-8")
    assert read_csv_bi_events(target).says_nothing
    target.write_text(HEADER, encoding="utf-8")
    assert not read_csv_bi_events(target).says_nothing


@pytest.mark.parametrize("unit", ["samples", "days", "parsecs", "10"])
def test_a_unit_that_is_not_known_is_refused(tmp_path: Path, unit: str) -> None:
    target = tmp_path / "x.csv_bi"
    target.write_text(HEADER.replace("secs", unit), encoding="utf-8")
    with pytest.raises(InputError, match=f"unit that is not known .'{unit}'"):
        read_csv_bi_events(target)


def test_a_file_of_no_text_is_told_apart(tmp_path: Path) -> None:
    target = tmp_path / "x.csv_bi"
    for data, kind in ((b"", "empty"), (b"# version = csv_v1.0.0\n\xff", "corrupt")):
        target.write_bytes(data)
        with pytest.raises(InputError) as caught:
            read_csv_bi(target)
        assert caught.value.kind == kind
    with pytest.raises(InputError) as caught:
        read_csv_bi(tmp_path / "absent.csv_bi")
    assert caught.value.kind == "io"
