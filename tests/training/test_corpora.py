from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.card import FilterConfig
from brainscan.errors import InputError, UsageError
from brainscan.events import Annotation
from brainscan_training import cache
from brainscan_training.config import DataConfig, SimulationData
from brainscan_training.corpora.item import Corpus, Item, SplitError, assign_splits, check_splits
from brainscan_training.corpora.layout import gather, read_corpus
from tests.training import corpus_trees as trees
from tests.training.corpus_trees import Clip, noise_clip


@pytest.fixture
def clips(tmp_path: Path) -> tuple[Clip, Clip]:
    """Return a recording with a seizure from 4 to 9 s, and one without."""
    folder = tmp_path / "clips"
    folder.mkdir()
    return noise_clip(folder, (4.0, 9.0)), noise_clip(folder)


def spans(corpus: Corpus) -> list[tuple[tuple[float, float], ...]]:
    return [tuple((a.onset_s, a.offset_s) for a in item.seizures) for item in corpus.items]


def preprocessed(corpus: Corpus, folder: Path) -> Sequence[str]:
    return [reason for _, reason in cache.build(corpus.items, folder, FilterConfig())]


def test_tusz_is_read_with_its_splits(tmp_path: Path, clips: tuple[Clip, Clip]) -> None:
    ictal, calm = clips
    root = trees.tusz(
        tmp_path / "tusz", [("train", "aaa", ictal), ("train", "bbb", calm), ("dev", "ccc", calm), ("eval", "d", ictal)]
    )
    corpus = read_corpus(root)
    assert corpus.layout == "tusz"
    assert [(i.split, i.subject, i.source) for i in corpus.items] == [
        ("dev", "ccc", "tusz"),
        ("eval", "d", "tusz"),
        ("train", "aaa", "tusz"),
        ("train", "bbb", "tusz"),
    ]
    # The second one's annotations are by channel: their union is one seizure.
    assert spans(corpus) == [(), ((4.0, 9.0),), ((4.0, 9.0),), ()]
    assert read_corpus(root / "edf").items[2].subject == "aaa"
    assert corpus.warnings == ()
    assert preprocessed(corpus, tmp_path / "cache") == [""] * 4


def test_a_patient_in_two_splits_is_an_error(tmp_path: Path, clips: tuple[Clip, Clip]) -> None:
    root = trees.tusz(tmp_path / "tusz", [("train", "aaa", clips[0]), ("dev", "aaa", clips[1])])
    with pytest.raises(InputError, match="patient aaa of tusz is in the splits dev and train"):
        read_corpus(root)


def test_chbmit_is_read_from_its_summaries(tmp_path: Path, clips: tuple[Clip, Clip]) -> None:
    ictal, calm = clips
    root = trees.chbmit(tmp_path / "chb", [("chb01", ictal), ("chb01", calm), ("chb21", ictal)])
    calm.to(root / "chb01" / "chb01_99.edf")
    corpus = read_corpus(root)
    assert (corpus.layout, spans(corpus)) == ("chbmit", [((4.0, 9.0),), (), ((4.0, 9.0),)])
    assert {item.subject for item in corpus.items} == {"chb01"}  # chb21 is the same child
    assert [(one.name, "no list names it" in one.reason) for one in corpus.unusable] == [("chb01/chb01_99.edf", True)]
    assert read_corpus(root / "chb21").layout == "chbmit"
    assert preprocessed(corpus, tmp_path / "cache") == [""] * 3


def test_siena_is_read_from_its_lists(tmp_path: Path, clips: tuple[Clip, Clip]) -> None:
    corpus = read_corpus(trees.siena(tmp_path / "siena", [("PN00", clips[0]), ("PN01", clips[1])]))
    assert (corpus.layout, spans(corpus)) == ("siena", [((4.0, 9.0),), ()])
    assert [item.subject for item in corpus.items] == ["PN00", "PN01"]
    assert preprocessed(corpus, tmp_path / "cache") == [""] * 2


def test_bids_is_read_with_and_without_sessions(tmp_path: Path, clips: tuple[Clip, Clip]) -> None:
    corpus = read_corpus(trees.bids(tmp_path / "data", [("01", clips[0]), ("02", clips[1])]))
    assert (corpus.layout, spans(corpus)) == ("bids", [((4.0, 9.0),), ()])
    assert [item.subject for item in corpus.items] == ["sub-01", "sub-02"]
    assert preprocessed(corpus, tmp_path / "cache") == [""] * 2


def test_a_plain_folder_needs_annotations_beside(tmp_path: Path, clips: tuple[Clip, Clip]) -> None:
    root = tmp_path / "own"
    for subject, clip in (("p1", clips[0]), ("p2", clips[1])):
        clip.to(root / subject / "a.edf").with_suffix(".csv_bi").write_text(clip.csv_bi(), "utf-8")
    clips[1].to(root / "p3" / "a.edf")
    corpus = read_corpus(root)
    assert (corpus.layout, [item.subject for item in corpus.items]) == ("folder", ["p1", "p2"])
    assert [(one.name, one.reason.split(" (")[0]) for one in corpus.unusable] == [
        ("p3/a.edf", "no annotation file beside it, and no list names it")
    ]


def test_an_index_tells_splits_sources_and_what_was_judged(tmp_path: Path, clips: tuple[Clip, Clip]) -> None:
    root = tmp_path / "own"
    for name, clip in (("a", clips[0]), ("b", clips[1])):
        clip.to(root / f"{name}.edf").with_suffix(".csv_bi").write_text(clip.csv_bi(), "utf-8")
    rows = ["file,group,source,subject,scored,licence", "a.edf,train,ward,p1,2-12,CC0", "b.edf,dev,ward,p2,none,CC0"]
    (root / "index.csv").write_text("\n".join([*rows, "c.edf,dev,ward,p3,all,CC0"]) + "\n", "utf-8")
    corpus = read_corpus(root)
    assert [(i.split, i.source, i.subject, i.scored, i.licence) for i in corpus.items] == [
        ("train", "ward", "p1", ((2.0, 12.0),), "CC0"),
        ("dev", "ward", "p2", (), "CC0"),
    ]
    assert [one.reason for one in corpus.unusable] == ["listed in the index and absent"]
    (root / "index.csv").write_text("file,scored\na.edf,sometimes\n", "utf-8")
    with pytest.raises(InputError, match="line 2"):
        read_corpus(root)


def test_an_index_of_a_spreadsheet_is_read_as_evaluate_reads_it(tmp_path: Path, clips: tuple[Clip, Clip]) -> None:
    root = tmp_path / "own"
    for name, clip in (("a", clips[0]), ("b", clips[1])):
        clip.to(root / name / "EEG.edf").with_suffix(".csv_bi").write_text(clip.csv_bi(), "utf-8")
    rows = "Filename;Patient;Split;Scored\r\na\\EEG.edf;x;train;2,5-12\r\nb\\EEG.edf;y;dev;none\r\n"
    (root / "index.csv").write_bytes(rows.encode("utf-16"))
    assert [(i.name, i.subject, i.split, i.scored) for i in read_corpus(root).items] == [
        ("a/EEG.edf", "x", "train", ((2.5, 12.0),)),
        ("b/EEG.edf", "y", "dev", ()),
    ]
    (root / "index.csv").write_text("nr;value\n1;2\n", "utf-8")
    with pytest.raises(InputError, match="no column tells the files"):
        read_corpus(root)


def test_one_annotation_is_no_truth_of_two_recordings(tmp_path: Path, clips: tuple[Clip, Clip]) -> None:
    root = tmp_path / "own"
    for patient in ("p1", "p2"):
        clips[0].to(root / patient / "EEG.edf")
    (root / "p1" / "p1-summary.txt").write_text(
        "File Name: EEG.edf\nFile Start Time: 00:00:00\nFile End Time: 00:00:20\nNumber of Seizures in File: 1\n"
        "Seizure Start Time: 4 seconds\nSeizure End Time: 9 seconds\n",
        "utf-8",
    )
    corpus = read_corpus(root)
    assert [item.name for item in corpus.items] == ["p1/EEG.edf"]
    assert ["cannot be told" in one.reason for one in corpus.unusable] == [True]


def test_annotations_of_another_recording_are_noticed(tmp_path: Path, clips: tuple[Clip, Clip]) -> None:
    clip = Clip(clips[0].path, ((15.0, 45.0),), duration_s=60.0)
    corpus = read_corpus(trees.tusz(tmp_path / "t", [("train", "aaa", clip)]))
    (reason,) = preprocessed(corpus, tmp_path / "cache")
    assert "a seizure ends at 45 s, the recording at 20 s" in reason


def test_all_background_stops_with_the_reason(tmp_path: Path, clips: tuple[Clip, Clip]) -> None:
    root = trees.tusz(tmp_path / "t", [("train", "aaa", clips[1]), ("train", "bbb", clips[0]), ("dev", "c", clips[0])])
    for path in (root / "edf" / "train" / "bbb").rglob("*.csv"):
        path.unlink()
    with pytest.raises(InputError, match=r"all 1 recordings .* background.*no annotation file beside it"):
        gather(DataConfig(paths=(str(root),)), 0)


def test_no_data_and_absent_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no data"):
        gather(DataConfig(), 0)
    with pytest.raises(InputError, match="no such folder"):
        gather(DataConfig(paths=(str(tmp_path / "absent"),)), 0)
    with pytest.raises(InputError, match="no recording to train on"):
        gather(DataConfig(paths=(str(tmp_path),)), 0)


def test_several_corpora_keep_their_names_apart(tmp_path: Path, clips: tuple[Clip, Clip]) -> None:
    roots = [trees.tusz(tmp_path / name, [("train", name, clips[0])]) for name in ("one", "two")]
    corpora = gather(DataConfig(paths=tuple(map(str, roots))), 0)
    names = [item.name for corpus in corpora for item in corpus.items]
    assert len(set(names)) == 2
    assert [name[:2] for name in names] == ["1:", "2:"]


def test_excluded_patients_are_left_out_of_training_only(tmp_path: Path, clips: tuple[Clip, Clip]) -> None:
    root = trees.tusz(
        tmp_path / "t", [("train", "aaa", clips[0]), ("train", "bbb", clips[0]), ("dev", "ccc", clips[0])]
    )
    (corpus,) = gather(DataConfig(paths=(str(root),), exclude=("bbb", "ccc")), 0)
    assert [item.subject for item in corpus.items] == ["ccc", "aaa"]


def test_simulation_keeps_training_and_validation_seeds_apart() -> None:
    data = SimulationData(recordings=3, validation=2, duration_s=60, seizures=1, seed=17)
    (corpus,) = gather(DataConfig(paths=("simulation",), simulation=data), 0)
    seeds = {item.split: [] for item in corpus.items}
    for item in corpus.items:
        assert item.simulation is not None
        seeds[item.split].append(item.simulation.seed)
        assert len(item.seizures) == 1
    assert seeds == {"train": [17, 18, 19], "dev": [1_000_000, 1_000_001]}


def item(subject: int, seizures: bool, split: str = "") -> Item:
    found = (Annotation(1.0, 2.0, "seiz"),) if seizures else ()
    return Item(Path("x"), f"{subject}-{seizures}", "ward", f"p{subject}", split, found)


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=60), st.floats(0.0, 0.9), st.integers(0, 5))
def test_assigned_splits_divide_patients_never_recordings(
    rows: list[tuple[int, bool]], held_out: float, seed: int
) -> None:
    items = [item(*row) for row in rows]
    assigned = assign_splits(items, held_out, "dev", seed)
    check_splits(assigned)
    assert [i.name for i in assigned] == [i.name for i in items]
    with_seizures = {i.subject for i in assigned if i.seizures}
    away = {i.subject for i in assigned if i.split == "dev"}
    if held_out and len(with_seizures) > 1:
        assert 0 < len(away & with_seizures) < len(with_seizures)
    if not held_out:
        assert not away
    assert assign_splits(assigned, 0.5, "other", seed + 1) == assigned


def test_check_splits_names_the_patient() -> None:
    with pytest.raises(SplitError, match="p1 of ward"):
        check_splits([item(1, True, "train"), item(1, False, "eval")])
