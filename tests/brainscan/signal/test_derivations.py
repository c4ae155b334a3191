"""What the graph behind a montage keeps, joins and says, channel by channel: `test_montage.py` has what it gives."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from brainscan.electrodes import ELECTRODES
from brainscan.signal.derivations import (
    Edge,
    common_electrode,
    guesses,
    kept_edges,
    merged_references,
    wiring_of,
    without_duplicates,
)
from brainscan.signal.labels import parse

REST = ["F7", "F8", "T3", "T4"]


def _edges(*names: str) -> list[Edge]:
    """Return one edge a name, ``first-second``."""
    pairs = [name.split("-") for name in names]
    return [Edge(i, first, second, parse(f"{first}-{second}")) for i, (first, second) in enumerate(pairs)]


def _named(edges: Sequence[Edge]) -> list[str]:
    return [f"{edge.first}-{edge.second}" for edge in edges]


@pytest.mark.parametrize(
    ("channel_map", "said"),
    [
        ({"F77": "F7"}, ": F77, which the recording lacks (did you mean 'F7'?)"),
        ({"F7": "F7", "electrode nine": "F8"}, ": electrode nine, which the recording lacks"),
        (
            {"electrode nine": "F8", "ten": "F7"},
            ": electrode nine, ten, which the recording lacks (its labels are F7, F8, T3, T4 …)",
        ),
    ],
)
def test_what_a_channel_map_names_in_vain_is_told(channel_map: dict[str, str], said: str) -> None:
    (warning,) = wiring_of([*REST, "Cz"], channel_map).warnings
    assert warning == "the channel map names" + said.removeprefix(":")


def test_a_label_that_names_nothing_or_one_point_twice_is_no_edge() -> None:
    assert _named(wiring_of(["Fp1-Fp1", "ECG", "F3-C3", "Pz"]).edges) == ["F3-C3", "Pz-REF"]


def test_a_label_that_is_absent_hides_no_double() -> None:
    with pytest.raises(ValueError, match="'F7' and 'F8' are both mapped to Cz"):
        wiring_of(REST, {"nowhere": "Cz", "F7": "Cz", "F8": "Cz"})


def test_what_was_guessed_is_told_but_not_of_what_somebody_mapped() -> None:
    labels = [*ELECTRODES[:7], "01", *ELECTRODES[8:18], "02"]  # read only among ten others
    told = [f"label 0{i} is read as O{i} (zero for the letter O)" for i in (1, 2)]
    assert list(guesses(wiring_of(labels).edges)) == told
    assert list(guesses(wiring_of(labels, {"01": "O1", "02": "O2"}).edges)) == []

    strange = [f"Wires {name}" for name in ELECTRODES]
    (told_once,) = set(guesses(wiring_of(strange).edges))
    assert told_once.startswith("'WIRES' before 19 names of electrodes")
    assert list(guesses(wiring_of(strange, {f"Wires {name}": name for name in ELECTRODES}).edges)) == []


@pytest.mark.parametrize(("pairs", "common"), [(0, ""), (9, ""), (10, "Cz"), (11, "Cz")])
def test_ten_pairs_make_an_electrode_the_reference(pairs: int, common: str) -> None:
    others = [name for name in ELECTRODES if name != "Cz"]
    assert common_electrode(_edges("F3-C3", *(f"{name}-Cz" for name in others[:pairs]))) == common


def test_one_channel_an_electrode_against_what_most_have() -> None:
    edges = _edges("F3-REF", "F3-A1", "C3-A1", "P3-A1", "O1-REF", "A1-REF", "A1-A2")
    kept, duplicates = without_duplicates(edges, frozenset(), by_electrode=True)
    assert _named(kept) == ["F3-A1", "C3-A1", "P3-A1", "O1-REF", "A1-REF", "A1-A2"]
    assert duplicates == ()


def test_a_reference_counts_by_its_electrodes() -> None:
    edges = _edges("F3-A1", "F3-A2", "C3-A2", "T1-A1", "T2-A1", "X1-A1")
    kept, _ = without_duplicates(edges, frozenset(), by_electrode=True)
    assert _named(kept)[0] == "F3-A2"


def test_pairs_are_the_same_only_where_both_points_are() -> None:
    pairs = ["F3-C3", "F3-P3", "C3-A1", "C3-A2"]
    assert _named(without_duplicates(_edges(*pairs), frozenset(), by_electrode=False)[0]) == pairs
    assert _named(without_duplicates(_edges(*pairs), frozenset(), by_electrode=True)[0]) == pairs[:3]


def test_of_the_very_same_a_live_one_is_kept_and_the_other_named() -> None:
    edges = _edges("F3-REF", "F3-REF", "C3-A1", "C3-A1")
    kept, duplicates = without_duplicates(edges, frozenset({0, 3}), by_electrode=False)
    assert [edge.channel for edge in kept] == [1, 2]
    assert duplicates == (("F3", 1, 0), ("C3-A1", 2, 3))


def test_a_flat_channel_without_a_twin_is_not_given_up_for_another_reference() -> None:
    edges = _edges("F3-A1", "C3-A1", "F3-A2")
    kept, _ = without_duplicates(edges, frozenset({0}), by_electrode=True)
    assert _named(kept) == ["F3-A1", "C3-A1"]


@pytest.mark.parametrize(
    ("most", "few", "words"),
    [("A1", "REF", "A1 and REF or none"), ("REF", "A1", "A1 and REF or none"), ("A2", "A1", "A1 and A2")],
)
def test_references_that_nothing_joins_become_the_one_with_most_electrodes(most: str, few: str, words: str) -> None:
    edges = _edges(f"P3-{few}", f"O1-{few}", f"F3-{most}", f"C3-{most}", f"Cz-{most}", f"{most}-X1")
    for given in (edges, edges[::-1]):
        warnings: list[str] = []
        merged = _named(merged_references(given, warnings))
        assert sorted(merged) == sorted([*(f"{name}-{most}" for name in ("C3", "Cz", "F3", "O1", "P3")), f"{most}-X1"])
        assert warnings == [
            f"electrodes are measured against different references ({words}) that no channel joins: treated as one"
        ]


def test_references_that_a_channel_joins_stay_two() -> None:
    edges, warnings = _edges("F3-A1", "P3-A2", "A1-A2"), list[str]()
    assert merged_references(edges, warnings) == edges
    assert warnings == []


def test_ends_outside_the_19_are_loose_one_after_the_other() -> None:
    warnings: list[str] = []
    edges, components = kept_edges(_edges("F3-C3", "C3-A1", "A1-A2", "A2-X1"), warnings)
    assert _named(edges) == ["F3-C3"]
    assert components == (("F3", "C3"),)
    assert warnings == []


def test_three_groups_are_kept_the_larger_ones_then_by_name() -> None:
    warnings: list[str] = []
    pairs = ["F7-T3", "F8-T4", "Fz-Cz", "Fp1-F3", "F3-O1", "O2-A1", "A1-A2", "A2-O2"]
    edges, components = kept_edges(_edges(*pairs), warnings)
    assert components == (("Fp1", "F3", "O1"), ("F7", "T3"), ("F8", "T4"))
    assert _named(edges) == ["F7-T3", "F8-T4", "Fp1-F3", "F3-O1"]
    assert warnings == ["Fz Cz belong to no large group of derivations and count as missing"]
