"""What SzCORE runs: the command of its image, in a process without a home that writes its output alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import brainscan
from brainscan.io.bids_tsv import COLUMNS
from tests.edf_files import FakeEdf, eeg

_FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "szcore"
_BANANA = (
    *("Fp1-F3", "F3-C3", "C3-P3", "P3-O1", "Fp1-F7", "F7-T3", "T3-T5", "T5-O1", "Fz-Cz", "Cz-Pz"),
    *("Fp2-F4", "F4-C4", "C4-P4", "P4-O2", "Fp2-F8", "F8-T4", "T4-T6", "T6-O2"),
)

_NEEDED = {"title", "short_title", "image", "authors", "license"}
_ALLOWED = _NEEDED | {"version", "date_released", "abstract", "repository", "datasets"}


def _command() -> list[str]:
    text = (_FOLDER / "Dockerfile").read_text(encoding="utf-8")
    (line,) = re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)
    assert re.search(r"^VOLUME .*/data.*/output", text, re.MULTILINE)
    assert re.search(r"^ENV INPUT=.* OUTPUT=", text, re.MULTILINE)
    command: list[str] = json.loads(line)
    return command


def _run(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    """Run the image's command with folders of the test in place of its volumes."""
    data, output, temporary = (folder / part for part in ("data", "output", "tmp"))
    output.mkdir()
    temporary.mkdir()
    command = [part.replace("/data/", f"{data}/").replace("/output/", f"{output}/") for part in _command()]
    places = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/bin{os.pathsep}/bin", "TMPDIR": str(temporary)}
    return subprocess.run(
        command,
        env={**places, "INPUT": name, "OUTPUT": "x_events.tsv"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("labels", [None, _BANANA], ids=["unipolar", "bipolar"])
def test_two_seconds_without_a_seizure(tmp_path: Path, labels: tuple[str, ...] | None) -> None:
    (tmp_path / "data").mkdir()
    signals = eeg(n_records=2) if labels is None else eeg(labels, n_records=2)
    (tmp_path / "data" / "x.edf").write_bytes(FakeEdf(signals, 2).data())
    done = _run(tmp_path, "x.edf")
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in (tmp_path / "output" / "x_events.tsv").read_text("utf-8").splitlines()]
    assert tuple(rows[0]) == COLUMNS
    assert [(row[0], row[1], row[2], row[6]) for row in rows[1:]] == [("0.0000", "2.0000", "bckg", "2.0000")]
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()].count("output") == 1
    assert [path.name for path in (tmp_path / "output").iterdir()] == ["x_events.tsv"]
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["x.edf"]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.edf").write_bytes(b"no recording" * 100)
    done = _run(tmp_path, "x.edf")
    assert done.returncode == 3
    assert done.stderr.startswith("error: x.edf: ")
    assert list((tmp_path / "output").iterdir()) == []


def test_the_description_has_the_platform_s_keys_and_no_other() -> None:
    said = yaml.safe_load((_FOLDER / "brainscan.yaml").read_text(encoding="utf-8"))
    assert _NEEDED <= set(said) <= _ALLOWED
    assert len(said["short_title"]) <= 20
    for author in said["authors"]:
        assert set(author) == {"given_names", "family_names", "affiliation"}
    assert said["version"] == brainscan.__version__
    assert said["image"].endswith(f":{brainscan.__version__}")
