"""``detect --start --stop``: seconds or clock times, nights, days."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainscan.electrodes import ELECTRODES
from tests.brainscan.cli.conftest import RATE_HZ, Run, write_edf
from tests.edf_files import FakeEdf, FakeSignal
from tests.stand_ins import noise, with_bursts

pytestmark = pytest.mark.usefixtures("loud")


@pytest.mark.parametrize(("start", "stop"), [("15", "50"), ("10:00:15", "10:00:50"), ("15", "10:00:50")])
def test_a_part_by_seconds_or_by_the_clock(run: Run, edf: Path, here: Path, start: str, stop: str) -> None:
    (result,) = run("detect", edf, "--start", start, "--stop", stop, "--json").json["results"]
    assert result["unscored"] == [[0.0, 15.0], [50.0, 60.0]]
    assert result["events"][0]["onset_s"] == pytest.approx(20.0, abs=0.6)


@pytest.mark.parametrize(("stop", "shown"), [("90", "90 s"), ("10:02", "10:02 (120 s)")])
def test_a_stop_behind_the_end_is_told(run: Run, edf: Path, here: Path, stop: str, shown: str) -> None:
    ran = run("detect", edf, "--stop", stop)
    assert ran.code == 0
    assert ran.err == f"warning: night.edf: --stop {shown} lies behind the recording's end at 60 s: analysed to there\n"
    assert run("detect", edf, "--stop", "60", "--force").err == ""
    assert "night" not in run("detect", edf, "--stop", stop, "--anonymous-names").err


def test_clock_times_pass_midnight(run: Run, edf: Path, here: Path) -> None:
    late = write_edf(edf.parent / "late.edf", time="23.59.30")
    (result,) = run("detect", late, "--start", "23:59:40", "--stop", "00:00:20", "--json").json["results"]
    assert result["unscored"] == [[0.0, 10.0], [50.0, 60.0]]
    assert result["events"][0]["clock"].split("T")[1].startswith(("23:59:49", "23:59:50"))


def two_days(path: Path) -> Path:
    """Write two parts of a minute, a day apart, from 10:00:00.5 on, a burst in each."""
    uv = with_bursts(noise(60, RATE_HZ), RATE_HZ, [(20.0, 35.0)])
    digital = np.clip(np.round(np.concatenate((uv, uv), axis=1) * 10.0), -32768, 32767).astype(np.int64)
    signals = [FakeSignal(label, row, RATE_HZ) for label, row in zip(ELECTRODES, digital, strict=True)]
    onsets = [f"+{day * 86400 + k + 0.5}" for day in (0, 1) for k in range(60)]
    path.write_bytes(FakeEdf(signals, 120, reserved="EDF+D", onsets=onsets).data())
    return path


@pytest.mark.parametrize(
    ("start", "n_events", "warned"),
    [
        ("", 2, ""),
        ("10:00", 2, ""),
        ("10:00:00", 2, ""),
        ("10:00:00.5", 2, ""),
        ("09:59:50", 2, "--start 09:59:50 lies before the recording, which begins at 2024-02-01 10:00:00.500"),
        ("2024-02-02 10:00", 1, "--start 2024-02-02 10:00 (86399.5 s) lies in a gap"),
        (
            "11:00",
            1,
            "--start 11:00 (3599.5 s) lies in a gap: the recording goes on at 86400 s (2024-02-02 10:00:00.500)",
        ),
    ],
)
def test_no_day_is_skipped_without_a_word(
    run: Run, edf: Path, here: Path, start: str, n_events: int, warned: str
) -> None:
    days = two_days(edf.parent / "days.edf")
    asked = ("--start", start) if start else ()
    ran = run("detect", days, *asked, "-o", "x.csv_bi")
    assert ran.code == 0
    assert warned in ran.err
    rows = [line.split() for line in ran.out.splitlines()[3:] if line.lstrip()[:1].isdigit()]
    assert [row[2] for row in rows] == ["2024-02-01", "2024-02-02"][-n_events:]  # the table tells the day
    (result,) = run("detect", days, *asked, "-o", "y.csv_bi", "--json").json["results"]
    assert [event["clock"][:10] for event in result["events"]] == [row[2] for row in rows]
    if warned:
        assert any(text.startswith(warned) for text in result["warnings"])
        assert f"# brainscan: warning {warned}" in (here / "x.csv_bi").read_text("ascii")
    if start:
        assert start in ran.err  # what it was taken for is said


def test_clock_times_need_a_clock(run: Run, edf: Path, here: Path) -> None:
    timeless = write_edf(edf.parent / "timeless.edf", date="xx.xx.xx")
    ran = run("detect", timeless, "--start", "10:00:15")
    assert ran.code == 2
    assert "no valid start time" in ran.errors[0]
