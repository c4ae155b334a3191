"""Which hypothesis belongs to which reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.errors import InputError, UsageError
from brainscan.io.csv_bi import format_csv_bi
from brainscan.io.event_pairs import pair_files, read_list

TEXT = format_csv_bi([], 60.0, "x")


def make(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TEXT, encoding="utf-8")
    return folder


def names(ref: Path, hyp: Path) -> list[tuple[str, str, str]]:
    pairs = pair_files(ref, hyp).pairs
    return [(str(p.ref.relative_to(p.ref.parents[1])), str(p.hyp.relative_to(p.hyp.parents[1])), p.name) for p in pairs]


def test_lists_pair_by_position_and_count_from_their_folder(tmp_path: Path) -> None:
    make(tmp_path, "ref/a.csv_bi", "ref/b.csv_bi", "hyp/x.csv_bi", "hyp/y.csv_bi")
    ref, hyp = tmp_path / "ref.list", tmp_path / "hyp.list"
    ref.write_bytes(b"ref/b.csv_bi\r\n\r\n# a comment\r\n  ref/a.csv_bi \r\n")
    hyp.write_text("hyp/x.csv_bi\nhyp/y.csv_bi", encoding="utf-8")
    assert names(ref, hyp) == [
        ("ref/b.csv_bi", "hyp/x.csv_bi", "x.csv_bi"),
        ("ref/a.csv_bi", "hyp/y.csv_bi", "y.csv_bi"),
    ]


def test_the_working_directory_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "here/a.csv_bi", "lists/a.csv_bi")
    listing = tmp_path / "lists/x.list"
    listing.write_text("a.csv_bi\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "here")
    assert read_list(listing)[0][0] == Path("a.csv_bi")
    monkeypatch.chdir(tmp_path)
    assert read_list(listing)[0][0] == tmp_path / "lists/a.csv_bi"


def test_home_and_variables_are_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.csv_bi")
    monkeypatch.setenv("EEG_ROOT", str(tmp_path))
    listing = tmp_path / "x.list"
    listing.write_text("$EEG_ROOT/a.csv_bi\n", encoding="utf-8")
    assert read_list(listing)[0][0] == tmp_path / "a.csv_bi"


@pytest.mark.parametrize(
    ("ref", "hyp", "message"),
    [
        ("a\nb\n", "c\n", "lists 2 files, hyp.list lists 1"),
        ("# none\n", "c\n", "no file"),
        ("a\na\n", "c\nd\n", "twice"),
    ],
)
def test_lists_that_do_not_pair(tmp_path: Path, ref: str, hyp: str, message: str) -> None:
    (tmp_path / "ref.list").write_text(ref, encoding="utf-8")
    (tmp_path / "hyp.list").write_text(hyp, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        pair_files(tmp_path / "ref.list", tmp_path / "hyp.list")


@pytest.mark.parametrize("again", ["./a", "x/../a", "a"])
def test_one_file_in_two_lines_is_refused_however_it_is_written(tmp_path: Path, again: str) -> None:
    (tmp_path / "ref.list").write_text(f"a\n{again}\n", encoding="utf-8")
    (tmp_path / "hyp.list").write_text("c\nd\n", encoding="utf-8")
    with pytest.raises(InputError, match="lists a twice"):
        pair_files(tmp_path / "ref.list", tmp_path / "hyp.list")


@pytest.mark.parametrize(
    ("refs", "hyps", "n_odd"),
    [
        ("r/a r/b", "h/a h/b", 0),
        ("r/a r/b", "h/b h/a", 2),
        ("r/a r/b r/c", "h/a h/c h/b", 2),
        ("r/a r/b", "h/x h/y", 0),
        ("r/a r/b", "h/b h/x", 1),
        ("r/p1/E r/p2/E", "h/p1/E h/p2/E", 0),
        ("r/p1/E r/p2/E", "h/p2/E h/p1/E", 2),
        ("r/p1/E r/p2/E", "p1/s/E p2/s/E", 0),
        ("r/A r/B", "h/b h/a", 2),
    ],
)
def test_lists_out_of_order_are_told(tmp_path: Path, refs: str, hyps: str, n_odd: int) -> None:
    for side, names in (("ref", refs), ("hyp", hyps)):
        lines = "".join(f"{name}.csv_bi\n" for name in names.split())
        (tmp_path / f"{side}.list").write_text(lines, encoding="utf-8")
    pairing = pair_files(tmp_path / "ref.list", tmp_path / "hyp.list")
    assert [f"and {n_odd} references" in text for text in pairing.warnings] == [True] * bool(n_odd)
    assert pairing.by_position


def test_lists_of_equal_names_have_a_key_each(tmp_path: Path) -> None:
    for side in ("ref", "hyp"):
        (tmp_path / f"{side}.list").write_text(f"{side}/p1/E.tsv\n{side}/p2/E.tsv\n{side}/c.tsv\n", encoding="utf-8")
    pairs = pair_files(tmp_path / "ref.list", tmp_path / "hyp.list").pairs
    assert [pair.name for pair in pairs] == ["hyp/p1/E.tsv", "hyp/p2/E.tsv", "c.tsv"]


def test_a_list_needs_no_particular_suffix(tmp_path: Path) -> None:
    make(tmp_path, "a.csv_bi")
    (tmp_path / "ref.txt").write_text("a.csv_bi\n", encoding="utf-8")
    (tmp_path / "hyp.txt").write_text("a.csv_bi\n", encoding="utf-8")
    assert pair_files(tmp_path / "ref.txt", tmp_path / "hyp.txt").pairs[0].ref == tmp_path / "a.csv_bi"


def test_folders_pair_by_name_whatever_the_format(tmp_path: Path) -> None:
    ref = make(tmp_path / "ref", "s1/a.csv_bi", "s1/b.csv_bi", "s2/a.csv_bi", "c.csv_bi")
    hyp = make(tmp_path / "hyp", "s1/a.csv_bi", "s2/a.csv_bi", "b.csv_bi", "stray.csv_bi")
    (hyp / "participants.tsv").write_text("participant_id\tage\nx\t3\n", encoding="utf-8")
    pairing = pair_files(ref, hyp)
    found = {str(p.ref.relative_to(ref)): (str(p.hyp.relative_to(hyp)), p.name) for p in pairing.pairs}
    assert found == {
        "c.csv_bi": ("c.csv_bi", "c.csv_bi"),  # missing: named where it should be
        "s1/a.csv_bi": ("s1/a.csv_bi", "s1/a.csv_bi"),
        "s1/b.csv_bi": ("b.csv_bi", "b.csv_bi"),
        "s2/a.csv_bi": ("s2/a.csv_bi", "s2/a.csv_bi"),
    }
    assert pairing.unclaimed == ("stray.csv_bi",)


def test_bids_endings_do_not_keep_names_apart(tmp_path: Path) -> None:
    ref = tmp_path / "ref"
    ref.mkdir()
    header = "onset\tduration\teventType\n"
    (ref / "sub-01_run-00_events.tsv").write_text(header, encoding="utf-8")
    hyp = make(tmp_path / "hyp", "sub-01_run-00_eeg.csv_bi")
    assert names(ref, hyp) == [
        ("ref/sub-01_run-00_events.tsv", "hyp/sub-01_run-00_eeg.csv_bi", "sub-01_run-00_eeg.csv_bi")
    ]


def test_a_binary_file_is_preferred_to_a_per_channel_one(tmp_path: Path) -> None:
    ref = make(tmp_path / "ref", "a.csv", "a.csv_bi")
    assert [p.ref.name for p in pair_files(ref, ref).pairs] == ["a.csv_bi"]


def test_a_file_finds_its_mate_in_a_folder(tmp_path: Path) -> None:
    make(tmp_path, "a_truth/a.csv_bi", "out/a.csv_bi")
    assert pair_files(tmp_path / "a_truth/a.csv_bi", tmp_path / "out").pairs[0].hyp == tmp_path / "out/a.csv_bi"


def test_two_files_pair_whatever_their_names(tmp_path: Path) -> None:
    make(tmp_path, "truth.csv_bi", "night.csv_bi")
    pair = pair_files(tmp_path / "truth.csv_bi", tmp_path / "night.csv_bi").pairs[0]
    assert (pair.ref.name, pair.hyp.name, pair.name) == ("truth.csv_bi", "night.csv_bi", "night.csv_bi")


def test_arguments_of_different_kinds_are_refused(tmp_path: Path) -> None:
    make(tmp_path, "ref/a.csv_bi", "b.csv_bi")
    (tmp_path / "x.list").write_text("b.csv_bi\n", encoding="utf-8")
    with pytest.raises(UsageError, match="is a folder"):
        pair_files(tmp_path / "ref", tmp_path / "b.csv_bi")
    with pytest.raises(UsageError, match="one is a list"):
        pair_files(tmp_path / "x.list", tmp_path / "b.csv_bi")
    with pytest.raises(InputError, match="does not exist"):
        pair_files(tmp_path / "absent", tmp_path / "ref")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no event files"):
        pair_files(tmp_path / "empty", tmp_path / "ref")


@pytest.mark.parametrize(
    ("refs", "hyps", "expected"),
    [
        ("p1/E p2/E", "p1/E", {"p1/E": "p1/E"}),
        ("p1/E p2/E", "p2/E", {"p2/E": "p2/E"}),
        ("p1/E p2/E", "E", {}),
        ("p1/E p2/E", "run/p1/E run/p2/E", {}),
        ("p1/s1/r p2/s1/r p1/s2/r", "p1/s1/r p1/s2/r", {"p1/s1/r": "p1/s1/r", "p1/s2/r": "p1/s2/r"}),
        ("p1/a p2/b", "a b", {"p1/a": "a", "p2/b": "b"}),
        ("E p1/E", "E", {"E": "E"}),
    ],
)
def test_no_hypothesis_counts_twice_and_no_two_pairs_share_a_key(
    tmp_path: Path, refs: str, hyps: str, expected: dict[str, str]
) -> None:
    ref = make(tmp_path / "ref", *(f"{name}.csv_bi" for name in refs.split()))
    hyp = make(tmp_path / "hyp", *(f"{name}.csv_bi" for name in hyps.split()))
    pairs = pair_files(ref, hyp).pairs
    found = {
        p.ref.relative_to(ref).with_suffix("").as_posix(): p.hyp.relative_to(hyp).with_suffix("").as_posix()
        for p in pairs
        if not p.missing
    }
    assert found == expected
    assert len({p.name for p in pairs}) == len(pairs) == len(refs.split())


def test_which_of_several_formats_counts_is_said(tmp_path: Path) -> None:
    ref, hyp = make(tmp_path / "ref", "a.csv_bi"), make(tmp_path / "hyp", "a.csv_bi")
    for folder in (ref, hyp):
        (folder / "a.tsv").write_text("onset\tduration\teventType\n", encoding="utf-8")
    pairing = pair_files(ref, hyp)
    assert [(p.ref.name, p.hyp.name) for p in pairing.pairs] == [("a.csv_bi", "a.csv_bi")]
    assert pairing.warnings == (
        "references of several formats: 1 (a.csv_bi, a.tsv; a.csv_bi counts)",
        "files passed over, as another of the same name counts: 1 (a.tsv; a.csv_bi counts)",
    )


def test_a_file_of_one_patient_is_not_paired_with_a_namesake_in_silence(tmp_path: Path) -> None:
    make(tmp_path, "ref/p2/E.csv_bi", "hyp/p1/E.csv_bi")
    (warning,) = pair_files(tmp_path / "ref" / "p2" / "E.csv_bi", tmp_path / "hyp").warnings
    assert "by name alone" in warning
