"""The rows of the table itself."""

from __future__ import annotations

import doctest
from pathlib import Path, PurePath

import pytest

from brainscan.corpora import headers, patients, table, words
from brainscan.corpora.table import LAYOUTS, is_copy, is_eeg, where_truth_lies
from brainscan.errors import InputError
from brainscan.evaluate.corpus import CorpusConfig, read_corpus
from tests.brainscan.evaluate.conftest import write_edf


@pytest.mark.parametrize("module", [headers, patients, table, words])
def test_examples_in_the_docstrings_hold(module: object) -> None:
    found = doctest.testmod(module)  # type: ignore[arg-type]
    assert found.attempted
    assert not found.failed


def test_every_corpus_says_where_its_truth_lies() -> None:
    assert all(where_truth_lies(layout.name) == f"{layout.title} has them in {layout.truth}" for layout in LAYOUTS)
    assert where_truth_lies(None) == ""


def test_a_recording_without_annotation_is_told_where_its_corpus_has_them(tmp_path: Path) -> None:
    write_edf(tmp_path / "chb01" / "chb01_03.edf")
    with pytest.raises(InputError) as caught:
        read_corpus(CorpusConfig(tmp_path))
    assert "chb01-summary.txt" in caught.value.hint
    assert ".seizures" in caught.value.hint
    assert "--annotations" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "eeg", "copy"),
    [
        ("sub-001/ses-01/eeg/sub-001_ses-01_task-szMonitoring_run-01_eeg.edf", True, False),
        ("sub-001/ses-01/emg/sub-001_ses-01_task-szMonitoring_run-01_emg.edf", False, False),
        ("sub-001/ses-01/ecg/sub-001_ses-01_task-szMonitoring_run-01_ecg.edf", False, False),
        ("sub-001/ses-01/mov/sub-001_ses-01_task-szMonitoring_run-01_mov.edf", False, False),
        ("sub-001/ieeg/sub-001_task-x_ieeg.vhdr", True, False),
        ("derivatives/clean/sub-001/eeg/sub-001_eeg.edf", True, True),
        ("sourcedata/night.edf", True, True),
        ("p1/derivatives/night.edf", True, False),
        ("p1/night_emg.edf", True, False),
    ],
)
def test_what_is_no_recording_of_a_bids_data_set(name: str, eeg: bool, copy: bool) -> None:
    assert (is_eeg(PurePath(name)), is_copy(PurePath(name))) == (eeg, copy)
