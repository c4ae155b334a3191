"""Every example runs as a user would run it, with its defaults, and shows what it promises."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.children import unmeasured

_REPOSITORY = Path(__file__).resolve().parents[2]
_EXAMPLES = _REPOSITORY / "examples"
_ELSEWHERE = "make_sample.py"  # tests/brainscan/simulate/test_recording.py compares what it makes, byte by byte
_SAMPLE = "3 events in 300 of 300 s"


def _needs(package: str) -> None:
    """Skip where a package is absent, without importing it: the example does that in a process of its own."""
    if find_spec(package) is None:
        pytest.skip(f"needs {package}")


def _run(folder: Path, *call: str) -> str:
    """Run an example in a folder of its own; return what it prints."""
    sources = os.pathsep.join(str(_REPOSITORY / place) for place in (".", "models", "training"))
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", str(_EXAMPLES / call[0]), *call[1:]],
        cwd=folder,
        env={**unmeasured(), "PYTHONPATH": sources, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_listed_and_run_here() -> None:
    scripts = {path.name for path in _EXAMPLES.glob("*.py")}
    listed = set(re.findall(r"^\| `(\w+\.py)`", (_EXAMPLES / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    tested = set(re.findall(r'"(\w+\.py)"', Path(__file__).read_text(encoding="utf-8")))
    assert scripts == listed == tested
    assert _ELSEWHERE in scripts


def test_one_file(tmp_path: Path) -> None:
    shown = _run(tmp_path, "one_file.py", "-o", "sample.csv_bi")
    assert _SAMPLE in shown
    compared = _run(tmp_path, "compare_events.py", str(_EXAMPLES / "sample_truth.csv_bi"), "sample.csv_bi")
    assert "2 of 2 seizures found, 1 false alarms" in compared


def test_one_file_that_is_none_ends_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.edf").write_text("no recording", encoding="utf-8")
    command = [sys.executable, str(_EXAMPLES / "one_file.py"), "text.edf"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr.startswith("error: text.edf")
    assert "Traceback" not in done.stderr


def test_a_cohort_tells_nothing_found_from_could_not_be_read(tmp_path: Path) -> None:
    _needs("pandas")
    shown = _run(tmp_path, "cohort.py", "-o", "events.csv")
    assert len((tmp_path / "events.csv").read_text(encoding="utf-8").splitlines()) == 4
    assert re.search(r"sample\.edf\s+0\.083\s+3", shown)


def test_the_notebook_ends_with_the_page(tmp_path: Path) -> None:
    _needs("jinja2")
    notebook = json.loads((_EXAMPLES / "from_recording_to_page.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell for cell in cells if cell["outputs"]] == []
    shutil.copy(_EXAMPLES / "sample.edf", tmp_path)
    code = "\n".join("".join(cell["source"]) for cell in cells)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("confidence") == 3
    assert "sample.edf" in (tmp_path / "sample.html").read_text(encoding="utf-8")


def test_another_detector_is_scored(tmp_path: Path) -> None:
    shown = _run(tmp_path, "score_another_detector.py")
    assert re.search(r"NEDC OVLP: sensitivity \d\.\d\d, \d+\.\d FA/24h", shown)
    truth = str(_EXAMPLES / "sample_truth.csv_bi")
    perfect = _run(tmp_path, "score_another_detector.py", truth, truth)
    assert "NEDC OVLP: sensitivity 1.00, 0.0 FA/24h" in perfect
    assert "SzCORE, by event: sensitivity 1.00, 0.0 FP/24h" in perfect


@pytest.mark.slow
def test_training_from_end_to_end(tmp_path: Path) -> None:
    _needs("lightning")
    shown = _run(tmp_path, "train_smoke.py", "run")
    assert {"checkpoints", "config.yaml", "log.jsonl", "model.safetensors"} <= set(shown.split())
    assert "<Detection 'sample.edf'" in shown


def test_mne_in_and_out(tmp_path: Path) -> None:
    _needs("mne")
    shown = _run(tmp_path, "mne_in_and_out.py", "-o", "annotated_raw.fif")
    assert shown.count(": seizure") == 3
    assert (tmp_path / "annotated_raw.fif").stat().st_size > 1_000_000
