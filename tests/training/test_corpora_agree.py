"""evaluate and train ask one function: the same patients, splits and seizures of every tree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from brainscan.corpora.references import read_reference
from brainscan.errors import InputError
from brainscan.evaluate.corpus import Corpus as Evaluated
from brainscan.evaluate.corpus import CorpusConfig
from brainscan.evaluate.corpus import read_corpus as to_evaluate
from brainscan.io.csv_bi import format_csv_bi
from brainscan.io.links import AbsentContentError
from brainscan_training.config import DataConfig
from brainscan_training.corpora.item import Corpus
from brainscan_training.corpora.layout import gather, read_corpus
from tests.training import corpus_trees as trees
from tests.training.corpus_trees import DURATION_S, Clip, noise_clip

Maker = Callable[[Path, Clip, Clip], Path]


@pytest.fixture
def clips(tmp_path: Path) -> tuple[Clip, Clip]:
    """Return a recording with a seizure from 4 to 9 s, and one without."""
    folder = tmp_path / "clips"
    folder.mkdir()
    return noise_clip(folder, (4.0, 9.0)), noise_clip(folder)


def put(root: Path, clip: Clip, *names: str, suffix: str = ".csv_bi") -> Path:
    for name in names:
        clip.to(root / name).with_suffix(suffix).write_text(clip.csv_bi(), "utf-8")
    return root


def tusz_v15(root: Path, ictal: Clip, calm: Clip) -> Path:
    """Lay out three sessions of a patient in dev, and two patients in train, as TUSZ v1.5 does."""
    for split, patient, session in (
        ("dev", "00009901", "s001_2011_01_02"),
        ("dev", "00009901", "s002_2011_03_04"),
        ("train", "00009902", "s001_2011_01_02"),
        ("train", "00009902", "s004_2013_01_02"),
        ("train", "00009903", "s001_2010_01_02"),
    ):
        folder = root / "edf" / split / "01_tcp_ar" / patient[3:6] / patient / session
        path = ictal.to(folder / f"{patient}_{session[:4]}_t000.edf")
        text = (
            "version = tse_v1.0.0\n\n0.0000 4.0000 bckg 1.0000\n4.0000 9.0000 {} 1.0000\n9.0000 20.0000 bckg 1.0000\n"
        )
        path.with_suffix(".tse").write_text(text.format("fnsz"), "utf-8")
        path.with_suffix(".tse_bi").write_text(text.format("seiz"), "utf-8")
    return root


TREES: dict[str, tuple[Maker, int, set[str]]] = {
    "tusz v1.5": (tusz_v15, 3, {"train", "dev"}),
    "tusz v2": (
        lambda root, a, b: trees.tusz(root, [("train", "aaaaaajy", a), ("train", "aaaaaajz", b), ("dev", "aaak", b)]),
        3,
        {"train", "dev"},
    ),
    "chbmit": (
        lambda root, a, b: trees.chbmit(root, [("chb01", a), ("chb21", a), ("chb02", b)]),
        2,
        {""},
    ),
    "siena": (lambda root, a, b: trees.siena(root, [("PN00", a), ("PN00", b), ("PN01", b)]), 2, {""}),
    "bids": (lambda root, a, b: trees.bids(root, [("01", a), ("02", b), ("01", b)]), 2, {""}),
    "patient/session": (
        lambda root, a, b: put(put(root, a, "p1/s001/a.edf", "p1/s002/a.edf"), b, "p2/visit1/a.edf"),
        2,
        {""},
    ),
    "a tree of no layout": (lambda root, a, b: put(put(root, a, "w/x/a.edf", "w/y/a.edf"), b, "v/x/a.edf"), 2, {""}),
    "own splits": (
        lambda root, a, b: put(put(root, a, "train/p1/a.edf", "train/p2/a.edf"), b, "test/p3/a.edf"),
        3,
        {"train", "eval"},
    ),
    "one folder": (lambda root, a, b: put(put(root, a, "pat1_01.edf", "pat1_02.edf"), b, "pat2_01.edf"), 2, {""}),
}  # fmt: skip


@pytest.mark.parametrize("kind", TREES)
@pytest.mark.parametrize("linked", [False, True])
def test_both_find_the_same(tmp_path: Path, clips: tuple[Clip, Clip], kind: str, linked: bool) -> None:
    make, n_patients, splits = TREES[kind]
    root = make(tmp_path / "disk" / "corpus", *clips)
    if linked:  # every folder of the corpus is a link to another disk
        for number, folder in enumerate(sorted(path for path in root.iterdir() if path.is_dir())):
            away = folder.rename(tmp_path / f"away{number}")
            folder.symlink_to(away)
    trained, evaluated = read_corpus(root), to_evaluate(CorpusConfig(root))
    assert len({case.patient for case in evaluated.cases}) == n_patients
    assert {item.split for item in trained.items} == splits
    assert _told(trained) == _told_by_evaluate(evaluated)
    assert trained.unusable == ()
    assert [text for text in trained.warnings if text.startswith("patients:")] == [
        text for text in evaluated.warnings if text.startswith("patients:")
    ]
    # Nobody is on both sides, whoever draws.
    (corpus,) = gather(DataConfig(paths=(str(root),), held_out=0.5), 1)
    sides = {(item.subject, item.split) for item in corpus.items}
    assert len(sides) == len({subject for subject, _ in sides}) == n_patients


def _told(corpus: Corpus) -> list[tuple[str, str, list[tuple[float, float]]]]:
    return [(i.name, i.subject, [(s.onset_s, s.offset_s) for s in i.seizures]) for i in corpus.items]


def _told_by_evaluate(corpus: Evaluated) -> list[tuple[str, str, list[tuple[float, float]]]]:
    truth = [read_reference(case.reference, case.path.name) for case in corpus.cases]
    return [
        (case.name, case.patient, [(s.onset_s, s.offset_s) for s in reference.seizures])
        for case, reference in zip(corpus.cases, truth, strict=True)
    ]


def test_groups_of_evaluate_are_the_corpus_own_splits(tmp_path: Path, clips: tuple[Clip, Clip]) -> None:
    root = tusz_v15(tmp_path / "tusz", *clips)
    assert {case.subject for case in to_evaluate(CorpusConfig(root, groups=("dev",))).cases} == {"00009901"}
    both = to_evaluate(CorpusConfig(root))
    assert any("splits (dev: 2, train: 3 recordings)" in text for text in both.warnings)
    assert to_evaluate(CorpusConfig(root / "edf" / "dev")).warnings == ()
    with pytest.raises(InputError, match="no recording to evaluate"):
        to_evaluate(CorpusConfig(root, groups=("eval",)))


def test_a_part_that_a_corpus_holds_back_is_never_trained_on(tmp_path: Path, clips: tuple[Clip, Clip]) -> None:
    own = put(tmp_path / "own", clips[0], "train/p1/a.edf", "train/p2/a.edf", "test/p3/a.edf")
    for root, held_back in ((tusz_v15(tmp_path / "tusz", *clips) / "edf", "dev"), (own, "test")):
        with pytest.raises(InputError, match=r"no recording to train on \(all are of the split"):
            gather(DataConfig(paths=(str(root / held_back),)), 0)
        corpora = gather(DataConfig(paths=(str(root / "train"), str(root / held_back)), held_out=0.5), 0)
        assert {item.split for item in corpora[0].items} == {"train", "dev"}  # some of its patients are held out
        assert "train" not in {item.split for item in corpora[1].items}
        assert {case.group for case in to_evaluate(CorpusConfig(root / held_back)).cases} == {held_back}
    alone = put(tmp_path / "elsewhere" / "test", clips[0], "p1/a.edf", "p2/a.edf")  # a folder of any name
    (corpus,) = gather(DataConfig(paths=(str(alone),)), 0)
    assert {item.split for item in corpus.items} == {"train", "dev"}


@pytest.mark.parametrize("spelling", ["p1", "P1"])
def test_a_patient_in_two_splits_is_an_error_and_told_by_evaluate(
    tmp_path: Path, clips: tuple[Clip, Clip], spelling: str
) -> None:
    root = put(tmp_path / "own", clips[0], "train/p1/s001/a.edf", f"dev/{spelling}/s002/a.edf", "train/p2/a.edf")
    with pytest.raises(InputError, match=r"(?i)patient p1 of own is in the splits"):
        read_corpus(root)
    assert any("patient p1 is in the splits" in text.lower() for text in to_evaluate(CorpusConfig(root)).warnings)


def test_people_whom_headers_know_are_on_one_side(tmp_path: Path, clips: tuple[Clip, Clip]) -> None:
    root = put(tmp_path / "own", clips[0], *(f"p{k}/a.edf" for k in range(4)))
    for k in (1, 3):
        path = root / f"p{k}" / "a.edf"
        data = path.read_bytes()
        path.write_bytes(data[:8] + b"MCH-0234567 F 02-MAY-1951 Haagse_Anna".ljust(80) + data[88:])
    for seed in range(6):
        (corpus,) = gather(DataConfig(paths=(str(root),), held_out=0.5), seed)
        assert len({item.split for item in corpus.items if "p1" in item.name or "p3" in item.name}) == 1
    assert "p1, p3" in corpus.warnings[0]
    assert "Anna" not in str(corpus.warnings)
    assert len({case.patient for case in to_evaluate(CorpusConfig(root)).cases}) == 3


@pytest.mark.parametrize(
    ("content", "hint"), [("/annex/objects/MD5E-s1--a.edf\n", "git annex get"), (None, "remove the link")]
)
def test_training_on_what_happens_to_be_fetched_is_refused(
    tmp_path: Path, clips: tuple[Clip, Clip], content: str | None, hint: str
) -> None:
    root = put(tmp_path / "own", clips[0], "p1/a.edf", "p2/a.edf")
    path = root / "p2" / "a.edf"
    path.unlink()
    if content is None:
        path.symlink_to("nowhere.edf")
    else:
        path.write_text(content, "utf-8")
    with pytest.raises(InputError, match=r"p2/a\.edf") as caught:
        read_corpus(root)
    assert hint in caught.value.hint
    assert "index.csv" in caught.value.hint
    (root / "index.csv").write_text("file,subject\np1/a.edf,p1\n", "utf-8")
    assert [item.name for item in read_corpus(root).items] == ["p1/a.edf"]


def test_other_signals_and_copies_of_bids_are_no_recordings(tmp_path: Path, clips: tuple[Clip, Clip]) -> None:
    root = trees.bids(tmp_path / "data", [("01", clips[0]), ("02", clips[1])])
    for word in ("ecg", "emg", "mov"):
        clips[1].to(root / "sub-01" / word / f"sub-01_task-rest_run-00_{word}.edf")
    clips[1].to(root / "derivatives" / "clean" / "sub-01" / "eeg" / "sub-01_task-rest_run-00_eeg.edf")
    found = read_corpus(root)
    assert len(found.items) == len(to_evaluate(CorpusConfig(root)).cases) == 2
    assert any("4 recordings are of other signals" in text for text in found.warnings)


def test_our_own_output_is_nothing_to_train_on(tmp_path: Path, clips: tuple[Clip, Clip]) -> None:
    root = put(tmp_path / "own", clips[0], "p1/a.edf", "p2/a.edf")
    ours = f"brainscan 1.0; input sha256 {'0' * 64}"
    text = format_csv_bi(clips[0].annotations, DURATION_S, "a.edf", (ours,))
    (root / "p2" / "a.csv_bi").write_text(text, "utf-8")
    found = read_corpus(root)
    assert [item.name for item in found.items] == ["p1/a.edf"]
    assert "own output" in found.unusable[0].reason


def test_an_unfetched_annotation_is_no_background(tmp_path: Path, clips: tuple[Clip, Clip]) -> None:
    root = put(tmp_path / "own", clips[0], "p1/a.edf", "p2/a.edf")
    (root / "p2" / "a.csv_bi").write_text("/annex/objects/MD5E-s1--a.csv_bi\n", "utf-8")
    with pytest.raises(AbsentContentError):
        to_evaluate(CorpusConfig(root))
    assert "git annex get" in read_corpus(root).unusable[0].reason
