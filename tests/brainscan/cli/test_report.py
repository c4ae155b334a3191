"""`brainscan report`: events from any file on a page, one or two beside each other."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.brainscan.cli.conftest import Run, write_edf

pytest.importorskip("jinja2")


def page_data(file: Path) -> dict[str, Any]:
    match = re.search(r'id="page-data">(.*?)</script>', file.read_text(encoding="utf-8"), re.DOTALL)
    assert match is not None
    data: dict[str, Any] = json.loads(match[1])
    return data


def test_two_readers_side_by_side(run: Run, loud: None, edf: Path, here: Path) -> None:
    assert run("detect", edf, "-o", "ours.csv_bi").code == 0
    (here / "expert.tsv").write_text(
        "onset\tduration\teventType\tconfidence\tchannels\tdateTime\trecordingDuration\n"
        "21.0\t10.0\tsz\tn/a\tn/a\tn/a\t60.0\n",
        encoding="utf-8",
    )
    ran = run("report", edf, "ours.csv_bi", "expert.tsv", "-o", "both.html")
    assert (ran.code, ran.errors) == (0, [])
    data = page_data(here / "both.html")
    (ours,) = data["events"]
    assert ours["onset_s"] == pytest.approx(20.0, abs=0.5)
    assert data["other"] == [[21.0, 31.0]]
    assert data["comments"][0].startswith("brainscan ")  # a review of ours says so
    assert len(data["excerpts"]) == 1
    assert run("report", edf, "ours.csv_bi", "expert.tsv", "-o", "both.html").code == 0  # the same page again
    assert run("report", edf, "expert.tsv", "-o", "both.html").code == 5  # a page of other events
    assert run("report", edf, "expert.tsv", "-o", "both.html", "--force").code == 0
    assert page_data(here / "both.html")["comments"] == []


def test_events_of_another_recording_are_refused_unless_forced(run: Run, loud: None, edf: Path, here: Path) -> None:
    other = write_edf(edf.parent / "other.edf", duration_s=61)
    assert run("detect", other, "-o", "other.csv_bi").code == 0
    ran = run("report", edf, "other.csv_bi")
    assert ran.code == 2
    assert "other.csv_bi is of another recording (SHA-256" in ran.err
    assert "--force" in ran.err
    assert not (here / "night.html").exists()
    ran = run("report", edf, "other.csv_bi", "--force")
    assert ran.code == 0
    assert "other.csv_bi: made of another recording" in ran.err
    assert "made of another recording" in (here / "night.html").read_text(encoding="utf-8")


def test_a_copy_under_another_name_is_the_same_recording(run: Run, loud: None, edf: Path, here: Path) -> None:
    assert run("detect", edf, "-o", "ours.csv_bi").code == 0
    renamed = edf.with_name("renamed.edf")
    renamed.write_bytes(edf.read_bytes())
    ran = run("report", renamed, "ours.csv_bi")
    assert (ran.code, ran.errors) == (0, [])


def test_another_tool_s_file_that_names_another_recording_is_warned_about(run: Run, edf: Path, here: Path) -> None:
    head = "# version = csv_v1.0.0\n# bname = {}\n# duration = 60.0000 secs\n# montage_file = x\n#\n"
    body = "channel,start_time,stop_time,label,confidence\nTERM,0.0000,60.0000,bckg,1.0000\n"
    (here / "theirs.csv_bi").write_text(head.format("someone") + body, encoding="utf-8")
    ran = run("report", edf, "theirs.csv_bi")
    assert ran.code == 0
    assert "theirs.csv_bi: made of another recording (someone)" in ran.err
    (here / "theirs.csv_bi").write_text(head.format(edf.stem) + body, encoding="utf-8")
    assert "another recording" not in run("report", edf, "theirs.csv_bi", "--force").err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("ours.csv_bi", "-o", "ours.csv_bi"), 2),
        (("ours.csv_bi", "ours.csv_bi", "ours.csv_bi"), 2),
        (("ours.csv_bi", "-o", "x.tsv"), 2),
        (("nothing.csv_bi",), 3),
        (("ours.csv_bi", "-o", "mine.html"), 5),
    ],
)
def test_what_is_refused(run: Run, loud: None, edf: Path, here: Path, arguments: tuple[str, ...], code: int) -> None:
    assert run("detect", edf, "-o", "ours.csv_bi").code == 0
    (here / "mine.html").write_text("mine", encoding="utf-8")
    before = sorted(here.iterdir())
    ran = run("report", edf, *arguments)
    assert ran.code == code
    assert len(ran.errors) == 1
    assert sorted(here.iterdir()) == before
    assert (here / "mine.html").read_text(encoding="utf-8") == "mine"


def test_detect_and_scan_write_pages(run: Run, loud: None, edf: Path, here: Path) -> None:
    assert run("detect", edf, "--format", "html", "--format", "csv_bi").code == 0
    assert max(page_data(here / "night.html")["night"]) > 200  # the probability is drawn
    assert run("detect", edf, "--format", "html", "--format", "csv_bi").code == 0  # its own
    assert run("detect", edf, "--format", "html", "--on", "0.7").code == 5
    assert run("scan", edf.parent, "-o", "out", "--format", "html").code == 0
    assert page_data(here / "out" / "night.html")["file"] == "night.edf"
    assert "1 skipped" in run("scan", edf.parent, "-o", "out", "--format", "html").out
