"""Which file belongs to which recording: what must never happen, whatever the trees, and each rule by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from brainscan.io.pairing import Match, bare_name, match, stem_of

Table = dict[str, str]


def paired(wanted: Sequence[str], offered: Sequence[str], others: Sequence[str] = (), **options: bool) -> Match:
    suffixes = (".npz", ".csv_bi", ".json", ".tsv")
    return match(
        map(PurePath, wanted),
        map(PurePath, offered),
        lambda path: suffixes.index(path.suffix.lower()),
        others=map(PurePath, others),
        **options,
    )


def table(found: Match) -> Table:
    return {str(recording): str(file) for recording, file in found.mates.items()}


RULES: list[tuple[str, str, str, Table]] = [
    ("mirrored, one missing", "p1/EEG.edf p2/EEG.edf", "p1/EEG.csv_bi", {"p1/EEG.edf": "p1/EEG.csv_bi"}),
    ("mirrored, the first missing", "p1/EEG.edf p2/EEG.edf", "p2/EEG.csv_bi", {"p2/EEG.edf": "p2/EEG.csv_bi"}),
    ("flat, the name twice", "p1/EEG.edf p2/EEG.edf", "EEG.csv_bi", {}),
    (
        "flat, the names once",
        "p1/a.edf p2/b.edf",
        "a.csv_bi b.csv_bi",
        {"p1/a.edf": "a.csv_bi", "p2/b.edf": "b.csv_bi"},
    ),
    ("one level deeper, the name twice", "p1/EEG.edf p2/EEG.edf", "run/p1/EEG.csv_bi run/p2/EEG.csv_bi", {}),
    ("one level deeper, the name once", "p1/a.edf", "run/p1/a.csv_bi", {"p1/a.edf": "run/p1/a.csv_bi"}),
    ("two elsewhere", "p1/a.edf", "x/a.csv_bi y/a.csv_bi", {}),
    ("one place and one elsewhere", "p1/a.edf", "p1/a.csv_bi y/a.csv_bi", {"p1/a.edf": "p1/a.csv_bi"}),
    (
        "nested reference, flat files, a subset",
        "p1/s1/r.edf p2/s1/r.edf p2/s1/q.edf",
        "q.csv_bi",
        {"p2/s1/q.edf": "q.csv_bi"},
    ),
    ("sessions of several patients", "p1/s1/r.edf p2/s1/r.edf", "p1/s1/r.csv_bi", {"p1/s1/r.edf": "p1/s1/r.csv_bi"}),
    ("session folders without the patient's", "p1/s1/r.edf p2/s1/r.edf", "s1/r.csv_bi", {}),
    ("case of the name", "p1/EEG.edf p2/x.edf", "p1/eeg.csv_bi", {"p1/EEG.edf": "p1/eeg.csv_bi"}),
    ("case of the folder", "P1/EEG.edf P2/EEG.edf", "p1/EEG.csv_bi", {"P1/EEG.edf": "p1/EEG.csv_bi"}),
    ("case of the suffix", "p1/EEG.EDF", "p1/EEG.CSV_BI", {"p1/EEG.EDF": "p1/EEG.CSV_BI"}),
    ("two names that case alone parts", "p/EEG.edf p/eeg.edf", "p/EEG.csv_bi", {"p/EEG.edf": "p/EEG.csv_bi"}),
    ("... and a third spelling", "p/EEG.edf p/eeg.edf", "p/Eeg.csv_bi", {}),
    ("... elsewhere", "p1/EEG.edf p2/eeg.edf", "EEG.csv_bi", {}),
    (
        "composed and decomposed accents",
        "p/Mu\u0308ller.edf",
        "p/M\u00fcller.csv_bi",
        {"p/Mu\u0308ller.edf": "p/M\u00fcller.csv_bi"},
    ),
    (
        "BIDS",
        "s/eeg/s_run-1_eeg.edf",
        "s/eeg/s_run-1_events.tsv",
        {"s/eeg/s_run-1_eeg.edf": "s/eeg/s_run-1_events.tsv"},
    ),
    ("BIDS, flat", "s/eeg/s_run-1_eeg.edf", "s_run-1_events.tsv", {"s/eeg/s_run-1_eeg.edf": "s_run-1_events.tsv"}),
    ("the whole name", "a.edf a.bdf", "a.bdf.csv_bi", {"a.bdf": "a.bdf.csv_bi"}),
    (
        "the whole name and the stem",
        "a.edf a.bdf",
        "a.bdf.csv_bi a.csv_bi",
        {"a.bdf": "a.bdf.csv_bi", "a.edf": "a.csv_bi"},
    ),
    ("one stem, two recordings", "a.edf a.bdf", "a.csv_bi", {}),
    ("one stem, with a word of BIDS", "a.edf a_eeg.edf", "a_events.tsv", {}),
    ("dots in names", "n.1.edf n.2.edf", "n.1.csv_bi n.2.csv_bi", {"n.1.edf": "n.1.csv_bi", "n.2.edf": "n.2.csv_bi"}),
    ("dots, without a suffix", "n.1 n.2", "n.1.csv_bi n.2.csv_bi", {"n.1": "n.1.csv_bi", "n.2": "n.2.csv_bi"}),
    ("several formats", "p/a.edf", "p/a.tsv p/a.csv_bi p/a.npz", {"p/a.edf": "p/a.npz"}),
    ("several formats, elsewhere", "p/a.edf", "q/a.tsv q/a.csv_bi", {"p/a.edf": "q/a.csv_bi"}),
    ("references for recordings", "p1/E.csv_bi p2/E.csv_bi", "p2/E.tsv", {"p2/E.csv_bi": "p2/E.tsv"}),
    ("nothing", "a.edf", "", {}),
]


@pytest.mark.parametrize(("wanted", "offered", "expected"), [row[1:] for row in RULES], ids=[row[0] for row in RULES])
def test_each_rule(wanted: str, offered: str, expected: Table) -> None:
    found = paired(wanted.split(), offered.split())
    assert table(found) == expected
    assert set(map(str, found.reasons)) == set(wanted.split()) - set(expected)
    assert all(found.reasons.values())


@pytest.mark.parametrize(("wanted", "offered", "expected"), [row[1:] for row in RULES], ids=[row[0] for row in RULES])
def test_the_order_of_files_changes_nothing(wanted: str, offered: str, expected: Table) -> None:
    assert table(paired(wanted.split()[::-1], offered.split()[::-1])) == expected


def test_a_recording_that_is_not_asked_for_keeps_its_name() -> None:
    """Leaving p1 out does not make its file p2's; at its own place p2's still counts."""
    assert table(paired(["p2/EEG.edf"], ["EEG.csv_bi"], ["p1/EEG.edf"])) == {}
    assert table(paired(["p2/EEG.edf"], ["p1/EEG.csv_bi"], ["p1/EEG.edf"])) == {}
    assert table(paired(["p2/EEG.edf"], ["p2/EEG.csv_bi"], ["p1/EEG.edf"])) == {"p2/EEG.edf": "p2/EEG.csv_bi"}
    assert table(paired(["a.edf"], ["a.csv_bi"], ["a.bdf"])) == {"a.edf": "a.csv_bi"}


def test_beside_means_beside() -> None:
    assert table(paired(["p/a.edf"], ["q/a.csv_bi"], anywhere=False)) == {}


@pytest.mark.parametrize(
    ("wanted", "offered", "undecided"),
    [
        ("p1/EEG.edf p2/EEG.edf", "p1/EEG.csv_bi", ""),
        ("p1/EEG.edf p2/EEG.edf", "EEG.csv_bi", "p1/EEG.edf p2/EEG.edf"),
        ("p1/EEG.edf p2/EEG.edf", "p1/EEG.csv_bi run/EEG.csv_bi", "p2/EEG.edf"),
        ("a.edf a.bdf", "a.csv_bi", "a.edf a.bdf"),
        ("a.edf", "x/a.csv_bi y/a.csv_bi", "a.edf"),
        ("a.edf", "b.csv_bi", ""),
    ],
)
def test_what_may_be_meant_is_not_called_missing(wanted: str, offered: str, undecided: str) -> None:
    assert set(map(str, paired(wanted.split(), offered.split()).undecided)) == set(undecided.split())


def test_what_is_guessed_or_passed_over_is_said() -> None:
    found = paired(["p/a.edf", "r/b.edf", "c.edf"], ["q/a.csv_bi", "q/a.tsv", "b.csv_bi", "c.json", "z.tsv"])
    passed, elsewhere = found.warnings()
    assert passed == "files passed over, as another of the same name counts: 1 (q/a.tsv; q/a.csv_bi counts)"
    assert elsewhere == "files taken by name alone, from another folder: 1 (q/a.csv_bi for p/a.edf)"
    assert found.warnings(one_truth=(".tsv", ".csv_bi")) == (elsewhere,)
    assert list(map(str, found.unclaimed)) == ["z.tsv"]


def linked(root: Path, file: str, link: str) -> list[PurePath]:
    """Write a file and a link to it; return both."""
    for name in (file, link):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text("")
    (root / link).symlink_to(root / file)
    return [PurePath(file), PurePath(link)]


@pytest.mark.parametrize(("owner", "other"), [("p1", "p2"), ("p2", "p1")])
def test_a_link_is_no_second_file(tmp_path: Path, owner: str, other: str) -> None:
    files = linked(tmp_path, f"{owner}/E.tsv", f"{other}/E.tsv")
    found = match([PurePath("p1/E.edf"), PurePath("p2/E.edf")], files, root=tmp_path)
    assert table(found) == {f"{owner}/E.edf": f"{owner}/E.tsv"}
    assert "is a link to" in found.reasons[PurePath(f"{other}/E.edf")]
    assert found.undecided == {PurePath(f"{other}/E.edf")}


def test_a_link_at_the_place_counts_where_its_file_is_nobodys(tmp_path: Path) -> None:
    files = linked(tmp_path, "store/E.tsv", "p1/E.tsv")
    found = match([PurePath("p1/E.edf"), PurePath("p2/E.edf")], files, root=tmp_path)
    assert table(found) == {"p1/E.edf": "p1/E.tsv"}


def test_one_file_linked_to_two_places_is_neithers(tmp_path: Path) -> None:
    files = {*linked(tmp_path, "store/E.tsv", "p1/E.tsv")}
    (tmp_path / "p2").mkdir()
    (tmp_path / "p2" / "E.tsv").symlink_to(tmp_path / "store" / "E.tsv")
    found = match([PurePath("p1/E.edf"), PurePath("p2/E.edf")], sorted({*files, PurePath("p2/E.tsv")}), root=tmp_path)
    assert table(found) == {}
    assert len(found.undecided) == 2


def test_links_into_a_store_are_files_of_their_own(tmp_path: Path) -> None:
    """git-annex keeps equal content once, and two empty annotations are equal."""
    (tmp_path / ".store").mkdir()
    (tmp_path / ".store" / "empty").write_text("")
    for patient in ("p1", "p2"):
        (tmp_path / patient).mkdir()
        (tmp_path / patient / "E.tsv").symlink_to(tmp_path / ".store" / "empty")
    files = [PurePath("p1/E.tsv"), PurePath("p2/E.tsv")]
    assert len(match([PurePath("p1/E.edf"), PurePath("p2/E.edf")], files, root=tmp_path).mates) == 2


# ---- whatever the trees ----------------------------------------------------------------------------------------

_FOLDERS = ("p1", "p2", "p1/s1", "p1/s2", "p2/s1", "P3")
_NAMES = ("EEG.edf", "eeg.edf", "rec1.edf", "a.edf", "a.bdf", "a_eeg.edf", "n.1.edf", "n.2.edf")
recordings = st.sets(st.builds(lambda f, n: f"{f}/{n}", st.sampled_from(_FOLDERS), st.sampled_from(_NAMES)), max_size=9)
_STYLES = {
    "stem": lambda path: path.with_name(path.stem + ".csv_bi"),
    "whole": lambda path: path.with_name(path.name + ".json"),
    "bids": lambda path: path.with_name(path.stem.removesuffix("_eeg") + "_events.tsv"),
}
_LAYOUTS = {
    "mirrored": lambda path: path,
    "flat": lambda path: PurePath(path.name),
    "deeper": lambda path: PurePath("run") / path,
}


@settings(max_examples=400)
@given(wanted=recordings, data=st.data())
def test_no_file_goes_to_another_recording_than_it_was_made_for(wanted: set[str], data: st.DataObject) -> None:
    """Each file is made for one recording; some have none, some are not asked for, and no order is given."""
    made: dict[PurePath, PurePath] = {}
    layout = data.draw(st.sampled_from(sorted(_LAYOUTS)))
    for recording in map(PurePath, sorted(wanted)):
        style = data.draw(st.sampled_from(["", *_STYLES]))
        if style:
            made.setdefault(_LAYOUTS[layout](_STYLES[style](recording)), recording)
    asked = data.draw(st.permutations(sorted(wanted)))[: data.draw(st.integers(0, len(wanted)))]
    found = match(map(PurePath, asked), data.draw(st.permutations(sorted(made))), others=map(PurePath, sorted(wanted)))
    for recording, file in found.mates.items():
        # a.edf and a.bdf in one folder are likely one recording: what is of either is found for the one asked for.
        same = {p for p in map(PurePath, wanted) if (p.parent, stem_of(p)) == (recording.parent, stem_of(recording))}
        assert made[file] == recording or (made[file] in same and not same <= set(map(PurePath, asked)))
    assert len(set(found.mates.values())) == len(found.mates)
    assert {*found.mates, *found.reasons} == set(map(PurePath, asked))
    if layout == "mirrored" and len({bare_name(PurePath(name)) for name in wanted}) == len(wanted):
        assert all(recording in found.mates for recording in made.values() if str(recording) in asked)
