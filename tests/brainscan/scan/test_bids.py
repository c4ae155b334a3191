"""A scan of a BIDS data set writes a derivative; the names are the data set's, and what is not ours stays."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from brainscan.analysis.lazy_detector import LazyDetector
from brainscan.analysis.options import AnalysisOptions
from brainscan.detector import Detector
from brainscan.errors import InputError, OutputError
from brainscan.io.bids_tsv import COLUMNS, read_bids_tsv
from brainscan.scan import bids
from brainscan.scan.config import ScanConfig
from brainscan.scan.run import Listener, scan
from tests.edf_files import FakeEdf, eeg
from tests.stand_ins import LoudnessRunner, quick

FIRST = "sub-01/ses-a/eeg/sub-01_ses-a_task-sz_run-1"
SECOND = "sub-02/eeg/sub-02_task-sz"


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Return two recordings as BIDS has them, one with a session."""
    folder = tmp_path / "dataset"
    for stem, seconds in ((FIRST, 12), (SECOND, 13)):
        (folder / stem).parent.mkdir(parents=True)
        (folder / f"{stem}_eeg.edf").write_bytes(FakeEdf(eeg(n_records=seconds), seconds).data())
    (folder / "dataset_description.json").write_text("{}")
    return folder


@pytest.fixture
def config(dataset: Path) -> ScanConfig:
    out = bids.home(dataset, None)
    return ScanConfig(dataset, out / bids.OWN, pages=False, bids=out)


def _out(config: ScanConfig) -> Path:
    assert config.bids is not None
    return config.bids


def _scan(config: ScanConfig, *, found: bool = True, notes: list[str] | None = None) -> None:
    detector = Detector(LoudnessRunner(half_uv=0.0 if found else 300.0), quick(min_duration_s=0.0))
    listener = Listener(note=(notes if notes is not None else []).append)
    scan(config, AnalysisOptions(), LazyDetector.ready(detector), listener)


def test_events_and_sidecars_lie_under_the_data_set_s_own_names(config: ScanConfig) -> None:
    _scan(config)
    out = config.folder / "derivatives" / "brainscan"
    assert config.bids == out
    description = json.loads((out / "dataset_description.json").read_bytes())
    assert (description["DatasetType"], description["GeneratedBy"][0]["Name"]) == ("derivative", "brainscan")
    for stem, seconds in ((FIRST, 12.0), (SECOND, 13.0)):
        table = _out(config) / f"{stem}_events.tsv"
        assert table.read_text().splitlines()[0] == "\t".join(COLUMNS)
        held = read_bids_tsv(table)
        assert held.duration_s == seconds
        assert [a.label for a in held.annotations] == ["seiz"]
        sidecar = json.loads(table.with_suffix(".json").read_bytes())
        assert set(COLUMNS) <= set(sidecar)
        assert sidecar["GeneratedBy"][0]["RecordingSHA256"]
    assert (config.out / "summary.csv").is_file()
    assert (_out(config) / ".bidsignore").read_text() == "scan\n"


def test_nothing_found_is_a_row_of_background(config: ScanConfig) -> None:
    _scan(config, found=False)
    rows = (_out(config) / f"{FIRST}_events.tsv").read_text().splitlines()
    assert [row.split("\t")[:3] for row in rows[1:]] == [["0.0000", "12.0000", "bckg"]]


def test_again_is_skipped_and_gives_the_same(config: ScanConfig) -> None:
    _scan(config)
    first = {path: path.read_bytes() for path in _out(config).rglob("*_events.*")}
    assert len(first) == 4
    _scan(config)
    assert {path: path.read_bytes() for path in _out(config).rglob("*_events.*")} == first


def test_what_is_no_recording_of_the_data_set_is_left_out_and_told(config: ScanConfig) -> None:
    elsewhere = config.folder / "sourcedata" / "night.edf"
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(FakeEdf(eeg(n_records=12), 12).data())
    notes: list[str] = []
    _scan(config, notes=notes)
    assert not list(config.out.rglob("night*"))
    assert any("sourcedata/night.edf" in note for note in notes)


def test_a_folder_that_is_no_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="dataset_description"):
        bids.home(tmp_path, None)


def test_somebody_else_s_derivative_stays(config: ScanConfig) -> None:
    config.out.mkdir(parents=True)
    (_out(config) / "dataset_description.json").write_text('{"GeneratedBy": [{"Name": "other"}]}')
    with pytest.raises(OutputError, match="not written by brainscan"):
        _scan(config)
    _scan(replace(config, force=True))
    assert (_out(config) / f"{FIRST}_events.tsv").is_file()


def test_somebody_else_s_events_stay(config: ScanConfig) -> None:
    table = _out(config) / f"{FIRST}_events.tsv"
    table.parent.mkdir(parents=True)
    table.write_text("onset\tduration\n")
    with pytest.raises(OutputError, match="not written by brainscan"):
        _scan(config)
    assert table.read_text() == "onset\tduration\n"
