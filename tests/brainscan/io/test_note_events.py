"""Seizures from notes: pairs, contradictions, and what makes notes unusable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.errors import InputError
from brainscan.events import Annotation
from brainscan.io.note_events import Note, Told, told_by

Written = tuple[float, float, str]  # onset, duration, text


def told(*notes: Written) -> Told:
    return told_by([Note(onset, onset + duration, text) for onset, duration, text in notes], "x.edf")


def spans(found: Told) -> list[tuple[float, float, str]]:
    return [(row.onset_s, row.offset_s, row.label) for row in found.annotations]


@pytest.mark.parametrize(
    ("notes", "seizures"),
    [
        # with a length
        ([(10, 5, "Seizure 1"), (30, 5, "Seizure 2")], [(10, 15, "seiz"), (30, 35, "seiz")]),
        ([(10, 5, "Focal seizure"), (30, 5, "GTCS")], [(10, 15, "fnsz"), (30, 35, "tcsz")]),
        ([(10, 5, "Anfall"), (30, 5, "Crise")], [(10, 15, "seiz"), (30, 35, "seiz")]),
        ([(1, 0, "eyes open"), (10, 5, "seizure"), (20, 0, "postictal")], [(10, 15, "seiz")]),
        # beginnings and ends
        ([(10, 0, "seizure start"), (25, 0, "seizure end")], [(10, 25, "seiz")]),
        (
            [(10, 0, "sz on"), (25, 0, "sz off"), (40, 0, "sz on"), (50, 0, "sz off")],
            [(10, 25, "seiz"), (40, 50, "seiz")],
        ),
        ([(10, 0, "Seizure 1 start"), (25, 0, "Seizure 1 end")], [(10, 25, "seiz")]),
        ([(10, 0, "Seizure 1 start"), (25, 0, "end of seizure")], [(10, 25, "seiz")]),
        ([(10, 0, "Seizure 1"), (25, 0, "Seizure 1 end")], [(10, 25, "seiz")]),
        ([(10, 0, "GTCS"), (25, 0, "seizure end")], [(10, 25, "tcsz")]),
        ([(10, 1, "Seizure onset"), (25, 1, "Seizure offset")], [(10, 25, "seiz")]),  # a length that a program gave
        ([(10, 0, "Anfallsbeginn"), (25, 0, "Anfallsende")], [(10, 25, "seiz")]),
        ([(10, 0, "début de crise"), (25, 0, "fin de crise")], [(10, 25, "seiz")]),
        ([(10, 0, "onset"), (25, 0, "offset")], [(10, 25, "seiz")]),
        # the EEG's and the clinical signs'
        ([(10, 0, "EEG onset"), (25, 0, "EEG offset")], [(10, 25, "seiz")]),
        ([(10, 0, "EEG onset"), (12, 0, "Clinical onset"), (25, 0, "EEG end")], [(10, 25, "seiz")]),
        ([(8, 0, "Clinical onset"), (10, 0, "EEG onset"), (25, 0, "EEG end")], [(10, 25, "seiz")]),
        (
            [(10, 0, "EEG onset"), (12, 0, "Clinical onset"), (20, 0, "Clinical end"), (25, 0, "EEG end")],
            [(10, 25, "seiz")],
        ),
        (
            [(10, 0, "EEG onset"), (12, 0, "Clinical onset"), (25, 0, "EEG end"), (60, 0, "Clinical end")],
            [(10, 25, "seiz")],
        ),
        ([(10, 0, "Clinical onset"), (25, 0, "Clinical offset")], [(10, 25, "seiz")]),
        ([(10, 0, "EEG onset"), (25, 0, "seizure end")], [(10, 25, "seiz")]),
        (
            [(10, 0, "EEG onset"), (25, 0, "EEG end"), (300, 0, "Clinical onset"), (320, 0, "Clinical offset")],
            [(10, 25, "seiz"), (300, 320, "seiz")],
        ),
        (
            [(0, 0, "EEG start"), (100, 0, "EEG onset"), (120, 0, "EEG offset"), (600, 0, "EEG end")],
            [(100, 120, "seiz")],
        ),
        # what lies within a seizure adds nothing
        (
            [(10, 15, "seizure"), (10, 0, "EEG onset"), (12, 0, "Clinical onset"), (26, 0, "EEG end")],
            [(10, 25, "seiz")],
        ),
        ([(10, 15, "seizure"), (12, 0, "tonic posturing left arm"), (14, 3, "seizure evolves")], [(10, 25, "seiz")]),
        ([(10, 0, "sz on"), (15, 0, "clonic jerking"), (25, 0, "sz off")], [(10, 25, "seiz")]),
        # what is no seizure
        ([(10, 5, "no seizure"), (30, 5, "seizure")], [(30, 35, "seiz")]),
        ([(10, 5, "PNES"), (30, 5, "seizure")], [(30, 35, "seiz")]),
        ([(10, 5, "seizure button test"), (30, 5, "seizure")], [(30, 35, "seiz")]),
        ([(0, 60, "background")], [(0, 60, "bckg")]),
        ([(5, 0, "eyes open"), (9, 3, "HV")], []),
        ([], []),
    ],
)
def test_what_notes_tell(notes: list[Written], seizures: list[tuple[float, float, str]]) -> None:
    assert spans(told(*notes)) == seizures
    assert spans(told(*reversed(notes))) == seizures  # the file's order is not time's


@pytest.mark.parametrize(
    ("notes", "message"),
    [
        ([(10, 5, "seizure"), (281, 4, "Crisis parcial vista")], r"not understood: 'Crisis parcial vista' at 281 s"),
        ([(10, 5, "seizure"), (281, 4, "seizure?")], r"not understood: 'seizure\?' at 281 s"),
        ([(281, 0, "possible seizure")], "not understood: 'possible seizure' at 281 s"),
        ([(10, 0, "aura"), (20, 0, "attack")], "'aura' at 10 s, 'attack' at 20 s"),
        ([(k, 0, "sz unclear xq") for k in range(10, 18)], "at 14 s and 3 more"),
        (
            [(10, 15, "seizure"), (12, 0, "seizure?")],
            r"'seizure\?' at 12 s",
        ),  # doubt within a seizure is no description
        ([(10, 15, "seizure"), (12, 0, "not a seizure")], "contradicts itself: 'not a seizure' at 12 s"),
        ([(10, 0, "seizure")], "annotation 'seizure' at 10 s has no duration"),
        ([(10, 0, "Seizure 1"), (30, 0, "Seizure 2"), (40, 0, "seizure end")], "'Seizure 1' at 10 s has no duration"),
        ([(10, 0, "Seizure 1 start"), (30, 0, "Seizure 2 end")], "no start of that number"),
        ([(10, 0, "seizure start")], "seizure start at 10 s has no end"),
        ([(10, 0, "EEG onset")], "'EEG onset' at 10 s has no end"),
        ([(10, 0, "EEG onset"), (12, 0, "Clinical onset")], "'EEG onset' at 10 s has no end"),
        ([(10, 0, "seizure end")], "seizure end at 10 s has no start"),
        ([(10, 0, "sz on"), (20, 0, "sz off"), (30, 0, "sz off")], "seizure end at 30 s has no start"),
        ([(10, 0, "sz on"), (20, 0, "sz on"), (30, 0, "sz off")], "seizure start at 10 s has no end"),
        # a clinical beginning is not the beginning of a seizure minutes later
        (
            [(10, 0, "Clinical onset"), (400, 0, "EEG onset"), (450, 0, "EEG end")],
            "'Clinical onset' at 10 s has no end",
        ),
        ([(10, 0, "EEG onset"), (25, 0, "EEG end"), (800, 0, "Clinical end")], "'Clinical end' at 800 s has no start"),
        ([(10, 0, "seizure start"), (40, 0, "EEG end")], "seizure start at 10 s has no end"),  # the recording's?
        ([(10, 1, "seizure"), (18, 1, "seizure end")], "seizure end at 18 s has no start"),  # a program's length
        ([(200, 0, "EEG start"), (400, 0, "EEG end")], "not understood: 'EEG start' at 200 s"),
    ],
)
def test_notes_that_cannot_be_the_truth(notes: list[Written], message: str) -> None:
    with pytest.raises(InputError, match=message):
        told(*notes)


@pytest.mark.parametrize(
    ("notes", "warning"),
    [
        ([(10, 5, "seizure")], ()),
        ([(10, 0, "seizure start"), (25, 0, "SZ end")], ()),
        ([(10, 5, "Seizure 1"), (30, 5, "Anfall")], ("taken for seizures: 'Seizure 1', 'Anfall'",)),
        (
            [(10, 0, "EEG onset"), (25, 0, "EEG end")],
            ("taken for the beginning and end of seizures: 'EEG onset .. EEG end'",),
        ),
        ([(10, 5, "PNES")], ("non-epileptic seizures count as background: 'PNES'",)),
        ([(1, 0, "a"), (2, 0, "no seizure"), (10, 5, "sz")], ("annotations that name no seizure are passed over: 2",)),
        (
            [(10, 1, "sz"), (30, 1, "sz")],
            ("all 2 seizures last 1 s: is that a length which a program gives to every note?",),
        ),
        ([(10, 1, "sz"), (30, 9, "sz")], ()),
    ],
)
def test_what_was_decided_is_told(notes: list[Written], warning: tuple[str, ...]) -> None:
    assert told(*notes).warnings == warning


def test_channels_behind_a_note_are_kept() -> None:
    found = told(
        (10, 5, "seizure@@T3"),
        (10, 5, "seizure@@T5"),
        (30, 5, "Seizure 2@@F8"),
        (50, 0, "sz on@@T3"),
        (60, 0, "sz off@@T3"),
    )
    assert [(row.onset_s, row.channel) for row in found.annotations] == [(10, "T3"), (10, "T5"), (30, "F8"), (50, "T3")]
    several = told((10, 0, "EEG onset@@T3"), (10, 0, "EEG onset@@T5"), (20, 0, "EEG end@@T3"), (20, 0, "EEG end@@T5"))
    assert several.annotations == (Annotation(10, 20, "seiz", 1.0, "T3,T5"),)


def test_lines_go_with_the_rows_and_into_messages() -> None:
    notes = [Note(30, 40, "sz", line=7), Note(10, 20, "Seizure 1", line=9), Note(5, 6, "bckg", line=2)]
    found = told_by(notes, "x.tsv")
    assert found.lines == (2, 9, 7)
    with pytest.raises(InputError, match="line 4: 'sz maybe' at 5 s"):
        told_by([Note(5, 6, "sz maybe", line=4)], "x.tsv")
    with pytest.raises(InputError, match="line 4: event has no length"):
        told_by([Note(5, 5, "sz", line=4)], "x.tsv")


texts = st.sampled_from(
    [
        "seizure",
        "Seizure 2",
        "eyes open",
        "seizure?",
        "EEG onset",
        "EEG end",
        "sz on",
        "sz off",
        "no seizure",
        "PNES",
        "bckg",
    ]
)
notes = st.lists(st.tuples(st.integers(0, 600), st.sampled_from([0, 0, 5, 40]), texts), max_size=8)


@given(notes)
def test_no_seizure_is_lost_without_a_word(written: list[Written]) -> None:
    """Whatever speaks of a seizure is within a seizure of the result, or the notes are refused."""
    try:
        found = told(*written)
    except InputError:
        return
    seizures = [(a, b) for a, b, label in spans(found) if label != "bckg"]
    for onset, duration, text in written:
        if text in ("seizure", "Seizure 2", "EEG onset", "sz on", "sz off", "seizure?"):
            assert any(a - 130 <= onset and onset + duration <= b + 130 for a, b in seizures), (onset, text)
    assert all(b > a for a, b in seizures)
