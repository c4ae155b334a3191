"""Which recordings belong to a corpus, and whose they are."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest

from brainscan.corpora.patients import patient_of
from brainscan.errors import InputError
from brainscan.evaluate.corpus import Case, CorpusConfig, read_corpus
from tests.brainscan.evaluate.conftest import write_edf, write_truth


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Return three annotated recordings in two folders."""
    for name in ("p1/a", "p1/b", "p2/c"):
        write_edf(tmp_path / f"{name}.edf")
        write_truth(tmp_path / f"{name}.csv_bi")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "subject"),
    [
        ("sub-01/ses-01/eeg/sub-01_task-x_eeg.edf", "sub-01"),
        ("deep/sub-07_task-x_eeg.edf", "sub-07"),
        ("chb01/chb01_03.edf", "chb01"),
        ("chb17c_03.edf", "chb17"),
        ("siena/PN06-3.edf", "PN06"),
        ("train/01_tcp_ar/aaaaaabc_s001_t000.edf", "aaaaaabc"),
        ("ward7/night.edf", "ward7"),
        ("night.edf", "night"),
    ],
)
def test_names_tell_whose_it_is(path: str, subject: str) -> None:
    assert patient_of(PurePath(path)) == subject


def test_without_an_index_everything_below_counts(corpus: Path) -> None:
    found = read_corpus(CorpusConfig(corpus))
    assert [(case.name, case.patient) for case in found.cases] == [
        *(("p1/a.edf", "p1"), ("p1/b.edf", "p1"), ("p2/c.edf", "p2"))
    ]
    assert found.n_excluded == 0
    assert found.warnings == ()


def test_results_inside_the_corpus_are_none_of_it(corpus: Path) -> None:
    write_edf(corpus / "out" / "stray.edf")
    assert len(read_corpus(CorpusConfig(corpus, out=corpus / "out")).cases) == 3


def test_an_index_decides_and_says_what_it_leaves_out(corpus: Path) -> None:
    rows = "p1/a.edf,dev,s1,x,0-30\np1/b.edf,dev,s1,x,none\n"
    (corpus / "index.csv").write_text(f"file,group,source,subject,scored\n{rows}", encoding="utf-8")
    found = read_corpus(CorpusConfig(corpus))
    assert [(case.name, case.patient, case.scored) for case in found.cases] == [("p1/a.edf", "s1/x", ((0.0, 30.0),))]
    assert found.n_excluded == 1
    assert found.warnings == ("1 recordings are not in index.csv and left out",)


def test_a_listed_recording_that_is_missing_stops(corpus: Path) -> None:
    (corpus / "index.csv").write_text("file\np1/a.edf\np9/z.edf\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"1 recordings that are not there \(p9/z.edf\)"):
        read_corpus(CorpusConfig(corpus))


def test_group_and_source_choose(corpus: Path) -> None:
    rows = "p1/a.edf,dev,s1\np1/b.edf,train,s1\np2/c.edf,dev,s2\n"
    (corpus / "index.csv").write_text(f"file,group,source\n{rows}", encoding="utf-8")
    names = [case.name for case in read_corpus(CorpusConfig(corpus, groups=("dev",))).cases]
    assert names == ["p1/a.edf", "p2/c.edf"]
    both = CorpusConfig(corpus, groups=("dev",), sources=("s2",))
    assert [case.name for case in read_corpus(both).cases] == ["p2/c.edf"]
    with pytest.raises(InputError, match="no recording to evaluate") as raised:
        read_corpus(CorpusConfig(corpus, groups=("test",)))
    assert "--group" in raised.value.hint


def test_no_annotation_is_an_error_that_names_some(corpus: Path) -> None:
    for k in range(7):
        write_edf(corpus / "new" / f"r{k}.edf")
    with pytest.raises(InputError, match=r"7 of 10 recordings have no annotation .*r4.edf \.\.\.") as raised:
        read_corpus(CorpusConfig(corpus))
    assert "--exclude" in raised.value.hint
    found = read_corpus(CorpusConfig(corpus, exclude=("new/*",)))
    assert (len(found.cases), found.n_excluded) == (3, 7)


def test_patterns_match_names_as_well_as_paths(corpus: Path) -> None:
    assert [case.name for case in read_corpus(CorpusConfig(corpus, exclude=("a.edf", "p2/*"))).cases] == ["p1/b.edf"]


def test_our_own_output_is_refused(corpus: Path) -> None:
    ours = f"brainscan 1.0; input sha256 {'0' * 64}"
    write_truth(corpus / "p1" / "a.csv_bi", (1.0, 9.0), comments=(ours,))
    with pytest.raises(InputError, match="own output") as raised:
        read_corpus(CorpusConfig(corpus))
    assert "reviewed" in raised.value.hint


def test_judged_time_lies_within_the_recording() -> None:
    case = Case(Path("a"), "a", Path("a"), source="", subject="a", scored=((50.0, 90.0), (-5.0, 10.0)))
    assert case.judged(60.0) == ((0.0, 10.0), (50.0, 60.0))
    assert case.patient == "a"
