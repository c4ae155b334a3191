"""The page over an archive: what the run wrote, every name harmless, written while the run goes on."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args
from urllib.parse import unquote

import pytest

from brainscan.analysis.lazy_detector import LazyDetector
from brainscan.analysis.options import AnalysisOptions
from brainscan.analysis.outcome import Outcome, Quality
from brainscan.detector import Detector
from brainscan.errors import InputError, OutputError
from brainscan.events import Event
from brainscan.report import archive_page
from brainscan.report.archive_page import State, index_page, is_index
from brainscan.scan.config import ScanConfig
from brainscan.scan.index import Index
from brainscan.scan.run import Listener, scan
from brainscan.scan.tables import INDEX
from tests.edf_files import FakeEdf, eeg
from tests.stand_ins import LoudnessRunner, quick

pytest.importorskip("jinja2")
QUIET_UV = 1000.0
"""So loud is no sample of these recordings."""

HOSTILE = "<script>alert(1)</script>\"'&\u202egnp"
FACTS = {"brainscan": "1", "model": "m", "model_sha256": "0" * 64, "decision": {"enter": 0.8, "min_duration_s": 8.0}}


class Table(HTMLParser):
    """The rows of a page: attributes, texts of the cells, links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[tuple[dict[str, str | None], list[str], list[str]]] = []
        self.scripts = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        if tag == "tr":
            self.rows.append((dict(attrs), [], []))
        elif tag in {"td", "th"} and self.rows:
            self.rows[-1][1].append("")
        elif tag == "a":
            self.rows[-1][2].append(unquote(dict(attrs)["href"] or ""))

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1][1]:
            self.rows[-1][1][-1] += data.strip()


def done(file: str, events: tuple[Event, ...] = (), **others: object) -> Outcome:
    base = Outcome(file, "done", (Path("/out") / f"{file}.csv_bi",), 3600.0, 3600.0, events, quality="good")
    return replace(base, **others)  # type: ignore[arg-type]


def rows_of(*outcomes: Outcome) -> list[tuple[dict[str, str | None], list[str], list[str]]]:
    page = index_page(outcomes, Path("/out"), State(len(outcomes), False, FACTS)).decode()
    return Table(page).rows[1:]


def test_a_row_says_what_the_outcome_holds() -> None:
    sure, short = Event(100.0, 820.0, 0.95), Event(3000.0, 3009.0, 0.81)
    ((attributes, cells, links),) = rows_of(done("a/b.edf", (sure, short), outputs=(Path("/out/a/b.csv_bi"),)))
    assert (attributes["data-events"], attributes["data-doubts"], attributes["data-quality"]) == ("2", "1", "good")
    assert cells[0] == "a/b.edf(table)"
    assert links == ["a/b.csv_bi"]
    assert cells[4:9] == ["12.2", "12.2", "720", "status continuous, status share, continuous", "1.00"]


def test_the_page_is_linked_where_there_is_one() -> None:
    outputs = (Path("/out/x y#1.csv_bi"), Path("/out/x y#1.html"))
    ((_, cells, links),) = rows_of(done("x y#1.edf", (Event(1.0, 9.0, 0.9),), outputs=outputs))
    assert (links, cells[0]) == (["x y#1.html"], "x y#1.edf")


def test_failures_and_kinds_that_are_not_read_have_rows_without_figures() -> None:
    error = InputError("damaged header", kind="header", file="f", hint="copy it again")
    failed, unread = rows_of(Outcome("f.edf", "failed", error=error), Outcome("g.trc", "unread", error=error))
    assert (failed[0]["data-status"], unread[0]["data-status"]) == ("failed", "unread")
    assert failed[1][2:7] == ["–"] * 5
    assert failed[1][-1] == "damaged header. copy it again"


@pytest.mark.parametrize("quality", get_args(Quality))
def test_every_quality_stands_in_a_row_and_can_be_chosen(quality: Quality) -> None:
    outcome = done("a.edf", quality=quality)
    ((attributes, cells, _),) = rows_of(outcome)
    assert (attributes["data-quality"], cells[9]) == (quality, quality)
    assert f'<option value="{quality}">' in index_page([outcome], Path("/out"), State(1, False, FACTS)).decode()


def test_hostile_names_are_texts() -> None:
    outcome = done(HOSTILE, warnings=(HOSTILE, HOSTILE), outputs=(Path("/out") / "x.csv_bi",))
    text = index_page([outcome], Path("/out"), State(1, False, {**FACTS, "model": HOSTILE}, (HOSTILE,))).decode()
    assert Table(text).scripts == 2  # the data and our own
    assert "alert(1)</script>" not in text
    assert "default-src &#39;none&#39;" in text


def test_where_rows_are_too_many_dull_ones_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_page, "MOST_ROWS", 2)
    outcomes = [done(f"{k}.edf") for k in range(5)] + [done("e.edf", (Event(1.0, 9.0, 0.9),))]
    text = index_page(outcomes, Path("/out"), State(6, False, FACTS)).decode()
    assert [row[1][0] for row in Table(text).rows[1:]] == ["0.edf(table)", "1.edf(table)", "e.edf(table)"]
    assert "3 recordings without events or remarks are left out" in text


def test_it_is_written_now_and_then_while_a_scan_runs(tmp_path: Path) -> None:
    now = [0.0]
    index = Index(tmp_path, FACTS, clock=lambda: now[0])
    index.update([done("a.edf", outputs=())], 3)
    page = tmp_path / INDEX
    assert "The scan goes on: 1 of 3 done" in page.read_text("utf-8")
    page.unlink()
    now[0] = 9.9
    index.update([], 3)
    assert not page.exists()
    now[0] = 10.0
    index.update([], 3)
    assert page.exists()
    index.write([], 3)
    assert "The scan goes on" not in page.read_text("utf-8")
    assert is_index(page)


def test_somebody_else_s_page_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / INDEX).write_text("<p>mine</p>", encoding="utf-8")
    with pytest.raises(OutputError, match="not written by a scan"):
        Index(tmp_path, FACTS).check()
    Index(tmp_path / "elsewhere", FACTS).check()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return a folder with three recordings and a broken one."""
    folder = tmp_path / "archive"
    (folder / "a").mkdir(parents=True)
    for seed, name in enumerate(("one.edf", "a/two.edf", "index.edf"), 1):
        (folder / name).write_bytes(FakeEdf(eeg(n_records=12), seed).data())
    (folder / "broken.edf").write_bytes(b"nothing")
    return folder


def _scan(config: ScanConfig, half_uv: float, listener: Listener | None = None) -> list[Outcome]:
    detector = Detector(LoudnessRunner(half_uv=half_uv), quick(min_duration_s=0.0))
    return list(scan(config, AnalysisOptions(), LazyDetector.ready(detector), listener))


def test_recordings_with_events_have_pages_and_the_index_links_them(archive: Path, tmp_path: Path) -> None:
    config = ScanConfig(archive, tmp_path / "out")
    _scan(config, half_uv=0.0)
    rows = {cells[0]: links for _, cells, links in Table((config.out / INDEX).read_text("utf-8")).rows[1:]}
    # The page of index.edf would have the name of the scan's own.
    wanted = {
        "a/two.edf": ["a/two.html"],
        "broken.edf": [],
        "index.edf(table)": ["index.csv_bi"],
        "one.edf": ["one.html"],
    }
    assert rows == wanted
    assert all((config.out / link).is_file() for links in rows.values() for link in links)
    again = _scan(config, half_uv=0.0)
    assert [o.status for o in again] == ["skipped", "failed", "skipped", "skipped"]
    text = (config.out / INDEX).read_text("utf-8")
    assert {cells[0]: links for _, cells, links in Table(text).rows[1:]} == wanted


def test_recordings_without_events_have_pages_only_if_asked_for(archive: Path, tmp_path: Path) -> None:
    config = ScanConfig(archive, tmp_path / "out")
    _scan(config, half_uv=QUIET_UV)
    assert not list(config.out.rglob("one.html"))
    assert [o.status for o in _scan(config, half_uv=QUIET_UV)] == ["skipped", "failed", "skipped", "skipped"]
    (archive / "index.edf").unlink()
    _scan(replace(config, out=tmp_path / "all", formats=("html",)), half_uv=QUIET_UV)
    assert (tmp_path / "all" / "one.html").is_file()


def test_a_page_that_is_gone_is_made_again_and_one_of_other_settings_goes(archive: Path, tmp_path: Path) -> None:
    config = ScanConfig(archive, tmp_path / "out")
    _scan(config, half_uv=0.0)
    (config.out / "one.html").unlink()
    assert [o.status for o in _scan(config, half_uv=0.0)] == ["skipped", "failed", "skipped", "done"]
    assert (config.out / "one.html").is_file()
    options = AnalysisOptions(max_missing=2)
    quiet = Detector(LoudnessRunner(half_uv=QUIET_UV), quick(min_duration_s=0.0))
    scan(config, options, LazyDetector.ready(quiet))
    assert not (config.out / "one.html").exists()


def test_without_jinja2_there_is_no_page_and_no_complaint(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "jinja2" else found(name))
    config = ScanConfig(archive, tmp_path / "out")
    _scan(config, half_uv=0.0)
    assert not list(config.out.rglob("*.html"))
    assert (config.out / "one.csv_bi").is_file()


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium (Debian: apt install chromium)")
def test_the_table_sorts_and_filters_in_a_browser(tmp_path: Path) -> None:
    api = pytest.importorskip("playwright.sync_api")
    outcomes = [
        done("r10.edf", (Event(1.0, 9.0, 0.81),), outputs=(tmp_path / "r10.csv_bi",)),
        done("r2.edf", (Event(2.0, 702.0, 0.99), Event(900.0, 950.0, 0.99)), outputs=(tmp_path / "r2.html",)),
        done("q.edf", warnings=("low trust: many",), outputs=(tmp_path / "q.csv_bi",), quality="poor"),
        Outcome(HOSTILE, "failed", error=InputError("broken", kind="corrupt", file="x", hint="")),
    ]
    page_file = tmp_path / INDEX
    page_file.write_bytes(index_page(outcomes, tmp_path, State(4, False, FACTS)))
    with api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page()
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("request", lambda request: told.append(request.url) if not request.url.startswith("file:") else None)
        page.goto(page_file.as_uri())

        def shown() -> list[str]:
            texts = page.locator("#recordings tbody tr:visible").evaluate_all("r => r.map((x) => x.cells[0].innerText)")
            return [re.sub(r"\s*\(table\)", "", text) for text in texts]

        page.get_by_role("button", name="recording", exact=True).click()
        assert shown()[-2:] == ["r2.edf", "r10.edf"]  # by number, as people count
        page.get_by_role("button", name="events", exact=True).click()
        assert shown()[:2] == ["r2.edf", "r10.edf"]
        page.select_option("#f-burden", "flags")
        assert shown() == ["r2.edf"]
        page.select_option("#f-burden", "")
        page.check("#f-doubt")
        assert shown() == ["r10.edf"]
        page.uncheck("#f-doubt")
        page.select_option("#f-quality", "poor")
        assert shown() == ["q.edf"]
        page.select_option("#f-quality", "")
        page.select_option("#f-status", "failed")
        assert len(shown()) == 1
        page.get_by_role("button", name="all", exact=True).click()
        page.fill("#f-name", "R1")
        page.wait_for_function("document.getElementById('shown').textContent.startsWith('1 of 4')")
        assert shown() == ["r10.edf"]
        assert told == []
        browser.close()
