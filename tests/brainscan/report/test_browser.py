"""The page in Chromium itself: what it asks for, what its keys do, what it draws, what it saves."""

from __future__ import annotations

import base64
import importlib.util
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest

from brainscan.card import Card
from brainscan.cli.main import main
from brainscan.detection import Detection
from brainscan.detector import DetectOptions, Detector
from brainscan.electrodes import ELECTRODES, INDEX
from brainscan.events import Annotation
from brainscan.io.content import Content
from brainscan.io.csv_bi import read_csv_bi
from brainscan.io.event_formats import FORMATS
from brainscan.io.outputs import write
from brainscan.recording import Recording
from brainscan.report.recording_page import Page, render
from tests.stand_ins import LoudnessRunner, noise, quick, recording_of, with_bursts

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from playwright.sync_api import Page as Tab

pytest.importorskip("jinja2")
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("playwright") is None or shutil.which("chromium") is None,
    reason="no chromium, or no playwright to drive it (Debian: apt install chromium)",
)

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u202egnp.edf"
START = datetime(2024, 2, 28, 23, 59, 0)


def recording(*, name: str = "night.edf", parts: Sequence[float] = (0.0, 100.0)) -> Recording:
    """Return parts of 100 s with a burst from second 30 to 50 each, and a note."""
    made = [(at_s, with_bursts(noise(100.0, seed=k), 256, [(30.0, 50.0)])) for k, at_s in enumerate(parts)]
    notes = (Annotation(12.0, 12.0, "eyes open"),)
    return replace(recording_of(made, 256, name=name), start=START, annotations=notes)


def detected(of: Recording) -> Detection:
    card = Card(name="loudness", variant={}, sha256="0" * 64, decision=quick())
    return Detector(LoudnessRunner(card)).detect(of, DetectOptions(keep_probabilities=True, keep_trends=True))


@cache
def night() -> tuple[Recording, Detection, str]:
    """Return a recording with two events, what was found, and its page."""
    of = recording()
    found = detected(of)
    return of, found, render(Page(found, of))


@dataclass(slots=True)
class Opened:
    """A page in a tab, and what it said and asked for."""

    tab: Tab
    said: list[str]
    asked: list[str]

    def eval(self, script: str) -> Any:
        return self.tab.evaluate(script)

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.eval("({...brainscanPage.state})")
        return state

    def picture(self) -> str:
        """Return what is drawn of the EEG, much cheaper than a screenshot."""
        picture: str = self.eval("document.getElementById('eeg').toDataURL()")
        return picture

    def press(self, *keys: str) -> None:
        for key in keys:
            self.tab.keyboard.press(key)

    def pixels(self, at_s: float, shares: Sequence[float]) -> list[tuple[int, ...]]:
        """Return red, green, blue at a time and at shares of the height of the EEG."""
        column = self.eval(
            "(() => { const c = document.getElementById('eeg'), g = brainscanPage.at(), r = devicePixelRatio;"
            f"const x = g.left + ({at_s} - g.t0) / g.length * (g.width - g.left - 4);"
            "return Array.from(c.getContext('2d').getImageData(x * r, 0, 1, c.height).data); })()"
        )
        rgb = np.asarray(column).reshape(-1, 4)[:, :3]
        return [tuple(rgb[int(share * len(rgb))].tolist()) for share in shares]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield one browser for all tests of this file."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        made = play.chromium.launch(executable_path=shutil.which("chromium"))
        yield made
        made.close()


def listening(browser: Browser, **context: Any) -> Opened:
    """Return a tab with a store of its own that notes what its pages say and ask for."""
    tab = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context}).new_page()
    told = Opened(tab, [], [])
    # That pixels are read is the test's own doing.
    tab.on("console", lambda m: None if "willReadFrequently" in m.text else told.said.append(m.text))
    tab.on("pageerror", lambda error: told.said.append(str(error)))
    tab.on("dialog", lambda dialog: told.said.append(f"dialog {dialog.message}"))
    tab.on("request", lambda request: told.asked.append(request.url))
    return told


@pytest.fixture(scope="module")
def only(browser: Browser) -> Opened:
    """Return the one tab that most tests use in turn: another costs twice what a page does."""
    return listening(browser)


@pytest.fixture
def tab(only: Opened) -> Iterator[Opened]:
    """Yield the tab with nothing heard, and leave nothing in its store."""
    only.said.clear()
    only.asked.clear()
    yield only
    only.eval("localStorage.clear()")


def load(told: Opened, folder: Path, text: str) -> Opened:
    """Open a page."""
    file = folder / "page.html"
    file.write_text(text, encoding="utf-8")
    told.tab.goto(file.as_uri())
    told.tab.wait_for_selector("html[data-ready=yes]")
    assert told.eval("localStorage.length") == 0
    return told


@pytest.fixture
def page(tab: Opened, tmp_path: Path) -> Iterator[Opened]:
    """Yield the page of a recording with two events."""
    yield load(tab, tmp_path, night()[2])
    foreign = [url for url in tab.asked if not url.startswith(("file:", "blob:"))]
    assert (tab.said, foreign, len([url for url in tab.asked if url.startswith("file:")])) == ([], [], 1)


def test_the_events_are_the_table_s(page: Opened) -> None:
    found = night()[1]
    held = page.eval("brainscanPage.data().events.map((e) => [e.onset_s, e.offset_s, e.confidence])")
    assert held == [[e.onset_s, e.offset_s, e.confidence] for e in found.events]
    cells = page.tab.locator("#events tbody tr").evaluate_all("r => r.map((x) => [...x.cells].map((c) => c.innerText))")
    assert [row[1:5] for row in cells] == [
        ["0:00:30", "2024-02-28 23:59:30", f"{found.events[0].duration_s:.1f}", f"{found.events[0].confidence:.2f}"],
        ["0:02:10", "2024-02-29 00:01:10", f"{found.events[1].duration_s:.1f}", f"{found.events[1].confidence:.2f}"],
    ]


def test_every_key_does_what_it_says(page: Opened) -> None:
    named = page.tab.locator("#key-list dt").all_text_contents()
    assert named == [*"np", "arrow right", "arrow left", *"+-mhlfar,.[]exts?"]
    page.press("n")
    assert page.state["event"] == 1
    page.press("p")
    assert page.state["event"] == 0
    before = page.state["t0"]
    page.press("ArrowRight")
    assert page.state["t0"] == pytest.approx(before + 10.0)
    page.press("Shift+ArrowLeft")
    assert page.state["t0"] == pytest.approx(before + 9.0)
    page.press("ArrowLeft")
    assert page.state["t0"] == pytest.approx(before - 1.0)
    names = {"+": "sensitivity", "-": "sensitivity", "m": "montage", "h": "high", "l": "low", "f": "notch"}
    for key, name in names.items():
        value, picture = page.state[name], page.picture()
        page.press(key)
        assert page.state[name] != value, key
        assert page.picture() != picture, key
    page.press("p", "a")
    assert page.eval("brainscanPage.review()[0].verdict") == "accept"
    page.press("r")
    assert page.eval("brainscanPage.review()[0].verdict") == "reject"
    cursor = page.state["cursor"]
    page.press(".", ".", ".", ",")
    assert page.state["cursor"] == pytest.approx(cursor + 0.2)
    page.press("[")
    assert page.eval("brainscanPage.review()[0].onset_s") == pytest.approx(cursor + 0.2)
    page.press(*["."] * 10, "]")
    assert page.eval("brainscanPage.review()[0].offset_s") == pytest.approx(cursor + 1.2)
    page.press("e")
    assert page.eval("[brainscanPage.review().length, brainscanPage.review()[2].added]") == [3, True]
    page.press("t")
    assert page.eval("document.activeElement.id") == "note"
    page.tab.keyboard.type("a, \u201cnote\u201d")  # no key acts while one writes
    page.press("Tab")
    assert page.eval("brainscanPage.review()[2].note") == "a, \u201cnote\u201d"
    page.press("x")
    assert page.eval("brainscanPage.review().length") == 2
    with page.tab.expect_download() as download:
        page.press("s")
    assert download.value.suggested_filename == "night_draft.csv_bi"
    page.press("?")
    assert page.tab.locator("#keys").is_visible()
    page.press("n")
    assert page.state["event"] != 0 or page.tab.locator("#keys").is_visible()
    page.press("Escape")
    assert not page.tab.locator("#keys").is_visible()


def test_menus_change_what_is_drawn(page: Opened) -> None:
    pictures = [page.picture()]
    chosen = [("montage", "average"), ("montage", "recorded"), ("sensitivity", "3"), ("sensitivity", "50")]
    for name, value in (*chosen, ("high", "5"), ("low", "15")):
        page.tab.select_option(f"#{name}", value)
        pictures.append(page.picture())
    assert len(set(pictures)) == len(pictures)


def test_an_accepted_and_a_moved_event_are_saved_and_scored(
    page: Opened, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = tmp_path / "night.csv_bi"
    write(Content.of(night()[1]), ours, FORMATS["csv_bi"])
    page.press("a", "n", *["."] * 20, "[")
    with page.tab.expect_download() as download:
        page.press("s")
    assert download.value.suggested_filename == "night_reviewed.csv_bi"
    saved = tmp_path / "reviewed.csv_bi"
    download.value.save_as(saved)
    before, after = read_csv_bi(ours).seizures, read_csv_bi(saved).seizures
    assert after[0] == pytest.approx(before[0], abs=1e-3)
    assert after[1] == pytest.approx((before[1][0] + 2.0, before[1][1]), abs=1e-3)
    assert any(line.startswith("reviewed ") for line in read_csv_bi(saved).comments)
    assert main(["score", str(saved), str(ours), "--json"]) == 0
    assert '"nedc"' in capsys.readouterr().out


def test_a_review_is_kept_until_it_is_saved(page: Opened) -> None:
    page.press("r", "n", "a")
    page.tab.reload()
    page.tab.wait_for_selector("html[data-ready=yes]")
    page.asked.pop()
    assert page.eval("brainscanPage.review().map((e) => e.verdict)") == ["reject", "accept"]
    assert page.tab.locator("#events tbody tr.rejected").count() == 1


def test_hostile_names_labels_and_notes_run_nothing(tab: Opened, tmp_path: Path) -> None:
    of = recording(name=HOSTILE)
    labels = [replace(c, label=HOSTILE[:40]) if k == 3 else c for k, c in enumerate(of.channels)]
    hostile = replace(of, annotations=(Annotation(12.0, 12.0, HOSTILE), Annotation(40.0, 41.0, HOSTILE)))
    found = replace(detected(of), annotations=hostile.annotations, warnings=(HOSTILE,))
    shown = Page(found, replace(hostile, channels=tuple(labels)), HOSTILE, HOSTILE, found.events)
    made = load(tab, tmp_path, render(shown))
    made.press("n", "m", "m")
    assert made.said == []
    assert made.tab.locator("h1").text_content() == HOSTILE
    assert (made.tab.locator("#notes li").first.text_content() or "").strip().endswith(HOSTILE)
    assert made.eval("document.querySelectorAll('img, iframe, object, script[src]').length") == 0
    ran = made.eval(
        "(() => { const s = document.createElement('script'); s.text = 'window.bad = 1';"
        "document.body.append(s); return window.bad; })()"
    )
    assert ran is None  # the policy lets nothing run that is not the page's own


def test_samples_are_the_recording_s_within_one_step(page: Opened) -> None:
    of = night()[0]
    excerpts = page.eval(
        "brainscanPage.data().excerpts.map(({ start_s, rate_hz, step }) => ({ start_s, rate_hz, step }))"
    )
    # As bytes: a million numbers one by one would take seconds.
    decoded = page.eval(
        "Promise.all(brainscanPage.decoded.map((rows) => Promise.all(rows.map((row) => new Promise((done) => {"
        "const reader = new FileReader(); reader.onload = () => done(reader.result.split(',')[1]);"
        "reader.readAsDataURL(new Blob([Float64Array.from(row)])); })))))"
    )
    ((excerpt,), (rows,)) = excerpts, decoded  # a short recording is kept as a whole
    assert (excerpt["start_s"], excerpt["rate_hz"]) == (0.0, 256.0)
    for segment in of.segments:
        first = round(segment.start_s * 256)
        recorded = of.read(range(len(ELECTRODES)), segment.start_s, segment.stop_s, segment).uv
        for row, wanted, step in zip(rows, recorded, excerpt["step"], strict=True):
            kept = np.frombuffer(base64.b64decode(row))[first : first + len(wanted)]
            assert np.abs(kept - wanted).max() <= step


def test_the_time_under_the_cursor_is_the_event_s(page: Opened) -> None:
    onset_s = page.eval("brainscanPage.data().events[0].onset_s")
    where, box = page.eval("({...brainscanPage.at()})"), page.tab.locator("#eeg").bounding_box()
    assert box is not None
    x = where["left"] + (onset_s - where["t0"]) / where["length"] * (where["width"] - where["left"] - 4)
    page.press("ArrowRight", "ArrowLeft")
    page.tab.mouse.click(box["x"] + x, box["y"] + 100)
    assert page.state["cursor"] == pytest.approx(onset_s, abs=0.010)
    # And there the shade begins.
    ground, shade = page.pixels(onset_s - 0.1, (0.985, 0.9))
    (inside,) = page.pixels(onset_s + 0.1, (0.9,))
    assert shade == ground
    assert inside != ground


def test_a_gap_is_a_gap_on_the_true_clock(tab: Opened, tmp_path: Path) -> None:
    """Two parts of 100 s, 20 s apart: an EDF+D."""
    of = recording(parts=(0.0, 120.0))
    found = detected(of)
    assert found.events[1].onset_s == pytest.approx(150.0, abs=1.0)
    made = load(tab, tmp_path, render(Page(found, of)))
    assert made.eval("brainscanPage.data().gaps") == [[100.0, 120.0]]
    made.press("n", "ArrowLeft", "ArrowLeft", "ArrowLeft")
    t0 = made.state["t0"]
    assert t0 < 119.0 < t0 + 10.0 or t0 < 121.0 < t0 + 10.0
    made.eval("brainscanPage.go(115)")
    rows = made.pixels(117.5, np.linspace(0.1, 0.6, 200).tolist())
    assert len(set(rows)) == 1  # no trace in the gap, its own colour
    absent = made.eval("getComputedStyle(document.documentElement).getPropertyValue('--absent')").strip()
    assert rows[0] == tuple(int(absent[k : k + 2], 16) for k in (1, 3, 5))
    assert made.tab.locator("#where").inner_text().startswith("00:00:55")  # 23:59:00 and 115 s
    assert len(set(made.pixels(122.5, np.linspace(0.1, 0.6, 200).tolist()))) > 1


def test_the_strip_tells_and_goes(page: Opened) -> None:
    box = page.tab.locator("#night").bounding_box()
    assert box is not None
    left = 96.0
    at = box["x"] + left + (135.0 / 200.0) * (box["width"] - 2 - left)
    page.tab.mouse.move(at, box["y"] + 30)
    assert "event 2" in page.tab.locator("#night-at").inner_text()
    assert "aEEG" in page.tab.locator("#night-at").inner_text()
    page.tab.mouse.click(at, box["y"] + 30)
    assert page.state["event"] == 1
    page.tab.mouse.click(box["x"] + left + 0.4 * (box["width"] - 2 - left), box["y"] + 30)
    assert page.state["cursor"] == pytest.approx(80.0, abs=0.5)
    page.tab.locator("#night").focus()
    page.press("ArrowRight", "Enter")
    assert page.state["cursor"] == pytest.approx(82.0, abs=0.5)
    page.tab.locator("summary").click()
    page.tab.locator("#notes button").click()
    assert page.state["cursor"] == 12.0


def test_electrodes_that_fail_are_marked(tab: Opened, tmp_path: Path) -> None:
    uv = with_bursts(noise(100.0), 256, [(30.0, 50.0)])
    uv[INDEX["T3"]] = 0.0
    of = recording_of([(0.0, uv)], 256)
    made = load(tab, tmp_path, render(Page(detected(of), of)))
    assert "interpolated: T3" in made.tab.locator("#where").inner_text()
    made.tab.locator("#night").focus()
    made.press("ArrowRight")
    assert "unusable T3" in made.tab.locator("#night-at").inner_text()


def _contrast(first: str, second: str) -> float:
    """Return the contrast of two colours as WCAG 2 defines it."""

    def luminance(colour: str) -> float:
        shares = [int(colour[k : k + 2], 16) / 255.0 for k in (1, 3, 5)]
        red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_and_traces_have_enough_contrast(page: Opened, scheme: Literal["light", "dark"]) -> None:
    page.tab.emulate_media(color_scheme=scheme)
    assert page.eval("matchMedia('(prefers-color-scheme: dark)').matches") == (scheme == "dark")
    names = [
        "ground",
        "ink",
        "soft",
        "event",
        "event-ink",
        "other",
        "other-ink",
        "absent",
        "trace",
        "left",
        "right",
        "midline",
        "faint",
        "curve",
        "warn",
        "cursor",
    ]
    style = "getComputedStyle(document.documentElement).getPropertyValue('--{}').trim()"
    colours = {name: page.eval(style.format(name)) for name in names}
    for ink in ("ink", "soft", "warn", "other-ink", "event-ink", "faint", "curve", "left", "right", "midline"):
        assert _contrast(colours[ink], colours["ground"]) >= 4.5, ink
    for ink, ground in (
        ("ink", "event"),
        ("soft", "absent"),
        ("trace", "event"),
        ("left", "event"),
        ("right", "event"),
        ("ink", "other"),
    ):
        assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for ink in ("cursor", "curve", "warn"):  # what is no text
        assert _contrast(colours[ink], colours["event"]) >= 3.0, ink
    page.tab.emulate_media(color_scheme="null")


def test_a_telephone_needs_no_sideways_scrolling(browser: Browser, tmp_path: Path) -> None:
    made = load(listening(browser, viewport={"width": 390, "height": 844}, has_touch=True), tmp_path, night()[2])
    assert made.eval("document.documentElement.scrollWidth <= window.innerWidth")
    assert made.eval("brainscanPage.at().length") == 5.0
    heights = made.tab.locator(".bar button").evaluate_all("all => all.map((b) => b.getBoundingClientRect().height)")
    assert min(heights) >= 40
    made.tab.context.close()


def test_everything_is_reached_by_the_keyboard(page: Opened) -> None:
    page.eval("document.body.focus()")
    reached = set()
    for _ in range(60):
        page.press("Tab")
        reached.add(page.eval("document.activeElement.id || document.activeElement.className"))
    wanted = [
        "night",
        "eeg",
        "montage",
        "sensitivity",
        "high",
        "low",
        "notch",
        "note",
        "accept",
        "reject",
        "save",
        "help",
    ]
    assert set(wanted) <= reached
    assert page.eval("[...document.querySelectorAll('canvas')].every((c) => c.getAttribute('aria-label'))")
    named = "(e) => Boolean(e.textContent.trim() || e.ariaLabel || (e.labels && e.labels.length))"
    assert page.eval(f"[...document.querySelectorAll('button, select, input')].every({named})")


def test_on_paper_each_event_has_a_page(page: Opened, tmp_path: Path) -> None:
    data = page.tab.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    n_pages = len(re.findall(rb"/Type\s*/Page\b", data))
    assert page.tab.locator("#paper figure").count() == 2
    assert n_pages >= 3  # the tables, and one an event
