"""The page of a night: its size, what it and the trends add to a detection, how long a browser takes to open it.

    python benchmarks/page.py [--hours 24] [--seizures 40] [--model default] [--detected 1]

The recording is simulated once (minutes) and kept in the git-ignored folder .cache/. Its true seizures are the events
of the page, so that there are as many as asked for, whatever the detector finds. Shares are of processor time, in one
process, one step after the other: the detection of the first hour (--detected), taken times the hours; the passage
without a network with trends and without, whose difference is what trends cost; the page. The browser is Debian's
chromium through Playwright; without it that row is left out. The exit code is 1 where a limit is not kept: 15 MB,
trends at most 15 % and the page at most 20 % of the detection, 2 s to open.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar

from memory import simulated

from brainscan import DetectOptions, Detector, Event, read
from brainscan.io.csv_bi import read_csv_bi
from brainscan.survey import survey

Result = TypeVar("Result")

_MOST_MB, _TRENDS_SHARE, _PAGE_SHARE, _OPEN_S = 15.0, 0.15, 0.20, 2.0
_OPENINGS = 5


class Took(NamedTuple):
    """Seconds of the wall clock, and of all processors."""

    wall_s: float
    processor_s: float


def timed(work: Callable[[], Result]) -> tuple[Result, Took]:
    """Return what work gives, and what it took."""
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, Took(time.perf_counter() - wall, time.process_time() - processor)


def opening_s(page: Path) -> tuple[float, float] | None:
    """Return the median seconds until a page shows its first EEG, and until all of it is unpacked."""
    browser_path = shutil.which("chromium")
    if browser_path is None or importlib.util.find_spec("playwright") is None:
        return None
    from playwright.sync_api import sync_playwright

    first, whole = [], []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=browser_path)
        for _ in range(_OPENINGS):
            tab = browser.new_page()
            began = time.perf_counter()
            tab.goto(page.as_uri(), wait_until="commit")
            tab.wait_for_selector("html[data-shown=yes]", state="attached")
            first.append(time.perf_counter() - began)
            tab.wait_for_selector("html[data-ready=yes]", state="attached")
            whole.append(time.perf_counter() - began)
            tab.close()
        browser.close()
    return sorted(first)[_OPENINGS // 2], sorted(whole)[_OPENINGS // 2]


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--seizures", type=int, default=40)
    parser.add_argument("--model", default="default")
    parser.add_argument(
        "--detected", type=float, default=1.0, metavar="HOURS", help="time detection over so much of it"
    )
    parser.add_argument("--keep", type=Path, metavar="FILE.html", help="leave the page there")
    arguments = parser.parse_args()
    recording_file, truth_file = simulated(arguments.hours, 256, arguments.seizures)
    detector = Detector.from_pretrained(arguments.model)
    recording = replace(read(recording_file), sha256=None)
    part = DetectOptions(keep_probabilities=True, stop_s=arguments.detected * 3600.0)
    some, took = timed(lambda: detector.detect(recording, part))
    _, bare = timed(lambda: survey(recording, DetectOptions(keep_probabilities=True)))
    found, trended = timed(lambda: survey(recording, DetectOptions(keep_probabilities=True, keep_trends=True)))
    events = tuple(Event(start, stop, 0.95, stop - start >= 300.0) for start, stop in read_csv_bi(truth_file).seizures)
    shown = replace(found, events=events)
    text, paged = timed(lambda: shown.to_html(recording))
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "night.html"
        page.write_text(text, encoding="utf-8")
        if arguments.keep:
            shutil.copyfile(page, arguments.keep)
        size_mb = page.stat().st_size / 1e6
        opened = opening_s(page)
    trends_s = trended.processor_s - bare.processor_s
    without_s = took.processor_s * arguments.hours / arguments.detected
    trends_share, page_share = trends_s / without_s, paged.processor_s / without_s
    print(f"recording   {arguments.hours:g} h, {len(events)} events on the page")
    print(f"detection   {took.processor_s:.1f} s of processors for {arguments.detected:g} h, {len(some.events)} events")
    print(f"trends      {trends_s:.1f} s, {trends_share:.1%} of the detection (at most {_TRENDS_SHARE:.0%})")
    print(f"page        {paged.processor_s:.1f} s, {page_share:.1%} of the detection (at most {_PAGE_SHARE:.0%})")
    print(f"size        {size_mb:.1f} MB (at most {_MOST_MB:g} MB)")
    kept = size_mb <= _MOST_MB and trends_share <= _TRENDS_SHARE and page_share <= _PAGE_SHARE
    if opened is None:
        print("opening     not measured: no chromium, or no playwright")
    else:
        first_s, whole_s = opened
        print(f"opening     {first_s:.2f} s to the first EEG (at most {_OPEN_S:g} s), {whole_s:.2f} s to all of it")
        kept = kept and first_s <= _OPEN_S
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
