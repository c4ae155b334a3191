"""Every file of the folder of awkward recordings behaves as its index says; nothing but the network is left out."""

from __future__ import annotations

import csv
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from brainscan.cli.main import main
from brainscan.detection import Detection
from brainscan.electrodes import INDEX
from brainscan.errors import InputError
from brainscan.examine import nothing_scored
from brainscan.io import open_plan, read
from brainscan.recording import Recording
from brainscan.signal.labels import clean
from brainscan.survey import survey
from tests.brainscan.io.readers import REFUSED
from tests.conftest import shared_folder

INDEX_FILE = shared_folder() / "edf-cases" / "index.csv"
ROWS = list(csv.DictReader(INDEX_FILE.read_text(encoding="utf-8").splitlines())) if INDEX_FILE.is_file() else []

# Where the index allows several outcomes: ours (docs/reading.md).
CHOSEN = {
    "crlf_mangled.edf": "exit 3",
    "edfplus_c_hidden_gap.edf": "opens with warning",
    "edfplus_d_overlap.edf": "opens with warning",
    "flat_five.edf": "exit 3",
    "gzip_content.edf": "exit 3",
    "hbytes_wrong.edf": "exit 3",
    "hbytes_zero.edf": "exit 3",
    "range_dig_swapped.edf": "opens with warning",
    "spr_zero_one.edf": "opens with warning",
    "unit_microvolt.edf": "opens",
    "unit_wrong_v.edf": "opens with warning",
    "utf8_mangled.edf": "exit 3",
    "ver_bad.edf": "opens with warning",
}


def _open(path: Path) -> tuple[Recording, Detection] | InputError:
    try:
        recording = read(path)
        detection = survey(recording)
    except InputError as error:
        return error
    return (recording, detection) if detection.analysed_s else nothing_scored(detection)


def _first_uv(recording: Recording, name: str) -> float:
    """Return the first sample of an electrode, or of a derivation by its label."""
    plan = open_plan(recording)
    wanted = plan.sources[INDEX[name]].labels[0] if name in INDEX else name
    channel = next(c for c in plan.channels if clean(recording.labels[c]) == wanted)
    return float(recording.read([channel], 0.0, 1.0).uv[0][0])


@pytest.mark.timeout(60)
@pytest.mark.parametrize("row", ROWS, ids=[row["file"] for row in ROWS])
def test_case(row: dict[str, str], shared: Path) -> None:
    expected = {row["expected"], *filter(None, (word.strip() for word in row["also_ok"].split(";")))}
    if row["file"] in CHOSEN:
        expected = {CHOSEN[row["file"]]}
    opened = _open(shared / "edf-cases" / row["file"])
    if isinstance(opened, InputError):
        assert "exit 3" in expected, str(opened)
        assert "\n" not in str(opened)
        assert row["file"] in str(opened)
        assert opened.kind == (row["error_kind"] or opened.kind)
        return
    recording, detection = opened
    outcome = "opens with warning" if detection.warnings else "opens"
    assert outcome in expected, detection.warnings
    found = Counter(e.found for e in detection.electrodes)
    kinds = ("present", "renamed", "derived", "missing")
    assert ";".join(f"{kind}={found[kind]}" for kind in kinds) == row["electrodes"]
    assert 19 - found["missing"] == int(row["n_found"])
    if row["duration_s"]:
        assert detection.duration_s == pytest.approx(float(row["duration_s"]), abs=1e-6)
    if row["analysed_s"]:
        held = sum(segment.duration_s for segment in recording.segments)
        assert held == pytest.approx(float(row["analysed_s"]), abs=1e-6)
    for item in filter(None, row["first_uV"].split(";")):
        name, value = item.split("=")
        assert _first_uv(recording, name) == pytest.approx(float(value), abs=0.11, rel=1e-6)


def test_the_index_was_walked(shared: Path) -> None:
    assert len(ROWS) == len({row["file"] for row in ROWS}) > 150


@pytest.mark.parametrize(
    "row", [r for r in ROWS if r["expected"] != "exit 3" and r["file"] not in REFUSED], ids=lambda r: r["file"]
)
def test_block_by_block_equals_the_whole(row: dict[str, str], shared: Path) -> None:
    recording = read(shared / "edf-cases" / row["file"])
    channels = range(len(recording.channels))
    for segment in recording.segments:
        whole = recording.read(channels, segment.start_s, segment.stop_s, segment)
        for block_s in (0.73, 7.0):
            bounds = [*np.arange(segment.start_s, segment.stop_s, block_s).tolist(), segment.stop_s]
            parts = [recording.read(channels, a, b, segment) for a, b in pairwise(bounds)]
            for channel in channels:
                for mine, all_of_it in (
                    ([p.uv[channel] for p in parts], whole.uv[channel]),
                    ([p.railed[channel] for p in parts], whole.railed[channel]),
                ):
                    np.testing.assert_array_equal(np.concatenate(mine), all_of_it)


@pytest.mark.parametrize(
    "name",
    ["edfplus_d_gaps.edf", "name_cz_ref.edf", "bip_chbmit.edf", "miss_4.edf", "gzip_content.edf", "flat_one.edf"],
)
def test_a_sample_through_the_command_line(name: str, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = next(row for row in ROWS if row["file"] == name)
    code = main(["info", str(shared / "edf-cases" / name), "--json"])
    shown, told = capsys.readouterr()
    document = json.loads(shown)
    if row["expected"] == "exit 3":
        assert code == 3
        assert document["error"]["kind"] == row["error_kind"]
        assert len(told.splitlines()) == 1
        return
    assert code == 0
    found = Counter(electrode["found"] for electrode in document["electrodes"].values())
    assert 19 - found["missing"] == int(row["n_found"])
    assert document["duration_s"] == pytest.approx(float(row["duration_s"]))
    assert bool(document["warnings"]) == (row["expected"] == "opens with warning")
