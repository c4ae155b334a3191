from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.io.tal import Note, notes, record_onset, timeline


@pytest.mark.parametrize(
    ("block", "onset_s"),
    [
        (b"+0\x14\x14\0\0", 0.0),
        (b"+12.375\x14\x14\0", 12.375),
        (b"-0.5\x14\x14\0", -0.5),
        (b"+567\x14\x14Lights off\x14\0", 567.0),
        (b"+3\x14note\x14\0+4\x14\x14\0", 4.0),
        (b"7\x14\x14\0", 7.0),
        (b"+1,5\x14\x14\0", 1.5),
        (b"+3\x150\x14\x14\0", 3.0),
    ],
)
def test_edfplus_timekeeping(block: bytes, onset_s: float) -> None:
    assert record_onset(block) == onset_s


@pytest.mark.parametrize(
    "block", [b"", b"\0\0", b"+3\x14note\x14\0", b"garbage", b"+\x14\x14\0", b"+1e5\x14\x14\0", b"nan\x14\x14"]
)
def test_blocks_without_time(block: bytes) -> None:
    assert math.isnan(record_onset(block))


def test_edfplus_annotations() -> None:
    block = b"+0\x14\x14\0+180\x1525.5\x14Apnea\x14\0+1\x14a\x14b\x14\0\0\0"
    assert list(notes(block)) == [Note(180.0, 25.5, "Apnea"), Note(1.0, 0.0, "a"), Note(1.0, 0.0, "b")]


def test_a_malformed_entry_hides_none_of_the_others() -> None:
    block = b"?\x14lost\x14\0+2\x150.5\x14 kept \x14\0+3\x15?\x14no duration\x14\0+4\x15-1\x14negative\x14\0"
    assert list(notes(block)) == [Note(2.0, 0.5, "kept"), Note(3.0, 0.0, "no duration"), Note(4.0, 0.0, "negative")]


@pytest.mark.parametrize(
    ("text", "shown"), [("größe".encode(), "größe"), (b"gr\xf6\xdfe", "größe"), (b"a\nb\x1bc", "a b c")]
)
def test_annotations_in_any_encoding(text: bytes, shown: str) -> None:
    assert [n.text for n in notes(b"+1\x14" + text + b"\x14\0")] == [shown]


@given(st.binary(max_size=200))
def test_no_block_stops_the_reader(block: bytes) -> None:
    assert all(math.isfinite(n.onset_s) and n.duration_s >= 0 for n in notes(block))
    assert isinstance(record_onset(block), float)


def _onsets(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)


def test_contiguous_records_are_one_segment() -> None:
    when = timeline(0.1 + np.arange(1000) * 0.3, 0.3, 0.01)
    assert when.segments == ((0, 1000, 0.0),)
    assert when.origin_s == pytest.approx(0.1)
    assert not when.warnings


def test_jitter_below_a_sample_is_no_gap() -> None:
    rng = np.random.default_rng(0)
    assert len(timeline(np.arange(100) + rng.uniform(-0.003, 0.003, 100), 1.0, 0.01).segments) == 1


def test_one_damaged_stamp_is_passed_over() -> None:
    onsets = np.arange(10.0)
    onsets[4] = 400
    when = timeline(onsets, 1.0, 0.01)
    assert when.segments == ((0, 10, 0.0),)
    assert "1 of 10" in when.warnings[0]


def test_missing_stamps_continue_from_their_neighbours() -> None:
    when = timeline(_onsets(np.nan, 1, 2, np.nan, 4, 50, np.nan), 1.0, 0.01)
    assert when.segments == ((0, 5, 0.0), (5, 7, 50.0))
    assert "3 of 7" in when.warnings[0]


def test_damaged_and_missing_stamps_are_counted_together() -> None:
    when = timeline(_onsets(0, 1, 400, 3, np.nan, 5), 1.0, 0.01)
    assert when.segments == ((0, 6, 0.0),)
    assert "2 of 6" in when.warnings[0]


def test_before_the_first_stamp_it_is_the_first_that_counts() -> None:
    when = timeline(_onsets(np.nan, np.nan, 12, 60, 61), 1.0, 0.01)
    assert (when.origin_s, when.segments) == (10.0, ((0, 3, 0.0), (3, 5, 50.0)))


@pytest.mark.parametrize(
    ("onsets", "segments"),
    [
        ((0, 1, 2.25), ((0, 3, 0.0),)),
        ((0, 1, 2.5), ((0, 2, 0.0), (2, 3, 2.5))),  # a sample late is a gap
        ((0, 1, 1.5), ((0, 2, 0.0), (2, 3, 1.5))),  # a sample early an overlap
        ((0, 1.5, 2, 3), ((0, 4, 0.0),)),  # a sample off between two that agree: damaged
        ((0, 400, 2), ((0, 3, 0.0),)),
        ((0, 9, 2.25), ((0, 3, 0.0),)),
        ((0, 9, 10, 11), ((0, 1, 0.0), (1, 4, 9.0))),
        ((0, 9, 2.5, 3.5), ((0, 1, 0.0), (1, 2, 9.0), (2, 4, 2.5))),  # its neighbours disagree by a sample
        ((0, 1), ((0, 2, 0.0),)),
        ((0, 5), ((0, 1, 0.0), (1, 2, 5.0))),
    ],
)
def test_where_a_deviation_of_one_sample_begins_to_count(
    onsets: tuple[float, ...], segments: tuple[tuple[int, int, float], ...]
) -> None:
    assert timeline(_onsets(*onsets), 1.0, 0.5).segments == segments


def test_gaps_and_overlaps_are_told_apart() -> None:
    def said(*onsets: float) -> tuple[str, ...]:
        return timeline(_onsets(*onsets), 1.0, 0.01).warnings

    assert said(0, 1, 7, 8, 12.5) == ("gaps: 2, 8.5 s in all; the parts are analysed separately",)
    assert said(0, 1, 1.5, 2.5) == ("parts that overlap their predecessor in time: 1; kept in file order",)
    assert said(0, 1, 2.5, 3.5) == ("gaps: 1, 0.5 s in all; the parts are analysed separately",)
    assert said(0, 1, 1.5, 2.5, 9) == (
        "gaps: 1, 5.5 s in all; the parts are analysed separately",
        "parts that overlap their predecessor in time: 1; kept in file order",
    )


def test_a_recording_begins_with_its_earliest_part() -> None:
    when = timeline(_onsets(10, 11, 5, 6), 1.0, 0.01)
    assert (when.origin_s, when.segments) == (5.0, ((0, 2, 5.0), (2, 4, 0.0)))


def test_a_step_back_by_the_tolerance_alone_is_none() -> None:
    assert len(timeline(_onsets(0, 1, 1.5, 2.5, 3, 4, 5, 6), 1.0, 0.5).segments) == 3


@pytest.mark.parametrize(("n_records", "tolerated"), [(8, 1), (20, 2), (40, 4)])
def test_a_tenth_of_the_steps_may_go_backwards(n_records: int, tolerated: int) -> None:
    def with_steps_back(n: int) -> np.ndarray:
        step = np.full(n_records - 1, 1.0)
        step[1 : 2 * n + 1 : 2] = -2.5
        return np.concatenate(([100.0], 100.0 + np.cumsum(step)))

    assert len(timeline(with_steps_back(tolerated), 1.0, 0.01).segments) == tolerated + 1
    ignored = timeline(with_steps_back(tolerated + 1), 1.0, 0.01)
    assert ignored.segments == ((0, n_records, 0.0),)
    assert "backwards" in ignored.warnings[-1]
    assert ignored.origin_s == 100.0


def test_a_year_is_the_longest_recording() -> None:
    year_s = 366 * 86400.0
    assert len(timeline(_onsets(0, 1, year_s), 1.0, 0.01).segments) == 2
    assert len(timeline(_onsets(0, 1, year_s + 1), 1.0, 0.01).segments) == 1
    assert timeline(_onsets(year_s - 1, 0, 3 * year_s), 1.0, 0.01).origin_s == year_s - 1
    assert timeline(_onsets(year_s, 0, 3 * year_s), 1.0, 0.01).origin_s == 0.0


def test_no_stamps_at_all_is_continuous() -> None:
    when = timeline(np.full(5, np.nan), 1.0, 0.01)
    assert (when.origin_s, when.segments) == (0.0, ((0, 5, 0.0),))


def test_missing_and_damaged_stamps_continue_by_the_length_of_a_record() -> None:
    when = timeline(_onsets(np.nan, 0.5, 1.0, 400, 2.0, np.nan), 0.5, 0.01)
    assert (when.origin_s, when.segments) == (0.0, ((0, 6, 0.0),))


@pytest.mark.parametrize(
    ("onsets", "words"),
    [(np.zeros(10), "backwards"), (np.arange(10.0)[::-1], "backwards"), (_onsets(0, 1, 2, 1e9, 1e9 + 1), "years")],
)
def test_stamps_that_are_no_clock_are_ignored(onsets: np.ndarray, words: str) -> None:
    when = timeline(onsets, 1.0, 0.01)
    assert when.segments == ((0, len(onsets), 0.0),)
    assert words in when.warnings[-1]


@pytest.mark.parametrize(("step_s", "told"), [(1.0035, "1.05 s ahead of"), (0.997, "0.897 s behind"), (1.001, "")])
def test_a_drift_below_a_sample_is_told_once_it_is_large(step_s: float, told: str) -> None:
    """Across gaps it begins anew, as the samples do."""
    when = timeline(np.arange(300) * step_s, 1.0, 1 / 256)
    assert when.segments == ((0, 300, 0.0),)
    assert bool(when.warnings) == bool(told)
    assert told in "".join(when.warnings)
    parted = timeline(np.arange(300) * step_s + np.arange(300) // 100 * 10.0, 1.0, 1 / 256)
    assert not any("time stamps run" in text for text in parted.warnings)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.lists(st.floats(0.5, 1e4), min_size=6, max_size=6))
def test_gaps_are_found_where_they_are(lengths: list[int], gaps: list[float]) -> None:
    onsets, starts, at_s = [], [], 0.0
    for length, gap in zip(lengths, gaps, strict=False):
        starts.append(at_s)
        onsets += [at_s + i for i in range(length)]
        at_s += length + gap
    when = timeline(np.array(onsets), 1.0, 0.01)
    assert [stop - first for first, stop, _ in when.segments] == lengths
    np.testing.assert_allclose([start for _, _, start in when.segments], starts, atol=1e-6)


@pytest.mark.parametrize(
    ("words", "encoding"),
    [
        ("癫痫发作", "gb18030"),
        ("癲癇發作", "big5"),
        ("てんかん発作", "shift_jis"),
        ("발작", "euc_kr"),
        ("приступ", "cp1251"),
        ("crise d’épilepsie", "cp1252"),
        ("záchvat", "cp1250"),
    ],
)
def test_a_seizure_is_found_in_whatever_windows_wrote(words: str, encoding: str) -> None:
    (note,) = notes(b"+1\x14" + words.encode(encoding) + b"\x14\0")
    assert note.text == words


def test_what_is_about_something_else_is_latin_1() -> None:
    (note,) = notes(b"+1\x14" + "Augen geöffnet".encode("latin-1") + b"\x14\0")
    assert note.text == "Augen geöffnet"
