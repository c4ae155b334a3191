"""The page of a recording: what it says, that nothing foreign runs, and that what it draws is the recording."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainscan.card import Card
from brainscan.corpora.references import require_foreign
from brainscan.detection import Detection
from brainscan.detector import Detector
from brainscan.electrodes import ELECTRODES, LEFT, RIGHT
from brainscan.errors import UsageError
from brainscan.events import Annotation, Place, Probabilities
from brainscan.io.annotations import read_annotations
from brainscan.io.content import Content
from brainscan.io.csv_bi import read_csv_bi
from brainscan.io.event_formats import origin_of, sniff
from brainscan.io.outputs import anonymised
from brainscan.recording import Recording
from brainscan.report import words
from brainscan.report.excerpts import Channels, curve_at, cut, encode, thinned
from brainscan.report.html_parts import part
from brainscan.report.recording_page import Page, encode_page, render
from tests.stand_ins import LoudnessRunner, noise, quick, recording_of, with_bursts

pytest.importorskip("jinja2")
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")
HARNESS = Path(__file__).with_name("page_in_node.js")
HOSTILE = "<script>alert(1)</script>\"'&\u202egnp.exe\u2028"


def recording(
    rate_hz: int = 256, *, name: str = "night.edf", parts: Sequence[float] = (0.0,), part_s: float = 100.0
) -> Recording:
    """Return parts with a burst from second 30 to 50 each."""
    made = [
        (at_s, with_bursts(noise(part_s, rate_hz, seed=k), rate_hz, [(30.0, 50.0)])) for k, at_s in enumerate(parts)
    ]
    made_of = recording_of(made, rate_hz, name=name)
    return replace(made_of, start=datetime(2024, 2, 28, 23, 59, 0), annotations=(Annotation(12.0, 12.0, "eyes open"),))


def detected(of: Recording) -> Detection:
    from brainscan.detector import DetectOptions

    card = Card(name="loudness", variant={}, sha256="0" * 64, decision=quick())
    return Detector(LoudnessRunner(card)).detect(of, DetectOptions(keep_probabilities=True))


def in_node(text: str, folder: Path, keys: Sequence[str] = (), *, samples: bool = False) -> dict[str, Any]:
    """Run a page's script and return what became of it, the samples that it decoded only if they are asked for."""
    file = folder / "page.html"
    file.write_text(text, encoding="utf-8")
    command = ["node", str(HARNESS), str(file), json.dumps(list(keys)), *(["samples"] if samples else [])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    out: dict[str, Any] = json.loads(done.stdout)
    assert (out["ready"], out["errors"], out["network"]) == (True, [], [])
    out["samples"] = [[np.frombuffer(base64.b64decode(row)) for row in rows] for rows in out["samples"]]
    return out


class Tags(HTMLParser):
    """Every element with its attributes, and the text of each script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.held: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        tag, attributes = self.tags[-1] if self.tags else ("", {})
        if tag in {"script", "style"} and data.strip():
            self.held.append((tag, attributes, data))


def test_says_what_was_found() -> None:
    of = recording()
    text = render(Page(detected(of), of))
    assert re.search(r"1 event marked by the detector in 1 min 40 s of 1 min 40 s, 2\d s in all\.", text)
    assert "2024-02-28 23:59:30" in text  # the clock of the event
    assert "research use, not a medical device" in text
    assert "A program marked it; nobody has reviewed it." in text


def test_warnings_stand_above_the_recording() -> None:
    of = recording()
    text = render(Page(replace(detected(of), warnings=("low trust",)), of))
    assert (
        text.index('class="summary"') < text.index("1 warning<") < text.index("low trust") < text.index('id="h-night"')
    )


def test_settings_within_settings_are_named_whole() -> None:
    of = recording()
    model = {"decision": {"enter": 0.6, "baseline": {"most": 4.0}}, "channel_map": {}}
    text = render(Page(replace(detected(of), model=model), of))
    assert re.search(r"decision baseline most</dt><dd><bdi>4\.0<", text)
    assert "{'" not in text.split("<script>")[0]


def test_nothing_but_its_own_script_may_run_and_nothing_is_fetched() -> None:
    of = recording()
    parsed = Tags(render(Page(detected(of), of)))
    (policy,) = [a["content"] for t, a in parsed.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    run = {tag: text for tag, attributes, text in parsed.held if not attributes.get("type")}
    for tag in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(run[tag].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    addresses = [a for _, attributes in parsed.tags for a in attributes if a in {"src", "href", "srcset", "action"}]
    handlers = [a for _, attributes in parsed.tags for a in attributes if a.startswith("on") or a == "style"]
    assert (addresses, handlers) == ([], [])
    assert re.search(r"\w+://", run["script"]) is None


@needs_node
def test_hostile_names_labels_and_notes_run_nothing(tmp_path: Path) -> None:
    of = recording(name=HOSTILE)
    channels = tuple(
        replace(c, label=f"EEG {c.label}-{HOSTILE}"[:60]) if k == 18 else c for k, c in enumerate(of.channels)
    )
    of = replace(of, channels=channels, annotations=(Annotation(31.0, 31.0, HOSTILE), Annotation(40.0, 41.0, "\x00")))
    detection = replace(detected(of), warnings=(HOSTILE,))
    text = render(Page(detection, of, who=HOSTILE, other=HOSTILE, other_events=detection.events))
    plain = render(Page(detected(recording()), recording()))
    count = len([tag for tag, _ in Tags(text).tags if tag == "script"])
    assert count == len([tag for tag, _ in Tags(plain).tags if tag == "script"])
    assert "<script>alert" not in text
    out = in_node(text, tmp_path, ["n", "m", "m", "s"])
    (tmp_path / "saved.csv_bi").write_text(out["saved"][0]["text"], encoding="ascii")
    assert len(read_annotations(tmp_path / "saved.csv_bi").seizures) == 1


def test_anonymous_names_leave_none(tmp_path: Path) -> None:
    of = replace(recording(name="Mueller_Anna.edf"), annotations=(Annotation(12.0, 12.0, "Anna is tired"),))
    detection = anonymised(replace(detected(of), warnings=("Mueller_Anna.edf is odd",)))
    text = b"".join(encode_page(Content.of(detection, of))).decode("utf-8")
    assert "Anna" not in text
    assert "Mueller" not in text


def test_a_page_says_what_made_it(tmp_path: Path) -> None:
    of = recording()
    detection = replace(detected(of), sha256="ab" * 32)
    file = tmp_path / "x.html"
    file.write_bytes(b"".join(encode_page(Content.of(detection, of))))
    origin = origin_of(file)
    assert sniff(file) == "html"
    assert origin is not None
    assert origin.same_input("ab" * 32)
    assert origin.deciding["model_sha256"] == "0" * 64


@needs_node
@pytest.mark.parametrize("rate_hz", [200, 256])
def test_the_samples_are_those_of_the_recording(rate_hz: int, tmp_path: Path) -> None:
    of = recording(rate_hz)
    out = in_node(render(Page(detected(of), of)), tmp_path, samples=True)
    (excerpt,), (rows,) = out["excerpts"], out["samples"]
    assert excerpt["rate_hz"] == rate_hz
    first = round(excerpt["start_s"] * rate_hz)
    assert first / rate_hz == pytest.approx(excerpt["start_s"], abs=1e-9)
    for k, row in enumerate(rows):
        read = of.read([k], 0.0, 100.0).uv[0][first : first + excerpt["n"]]
        assert np.abs(row - read).max() <= excerpt["step"][k]


@needs_node
def test_gaps_are_gaps_on_the_true_clock(tmp_path: Path) -> None:
    parts = [
        (at_s, with_bursts(noise(100.0, seed=k), 256, [span]))
        for k, (at_s, span) in enumerate([(0.0, (70.0, 90.0)), (107.0, (10.0, 30.0))])
    ]
    of = recording_of(parts)  # nothing was recorded for 7 s
    detection = detected(of)
    assert len(detection.events) == 2
    out = in_node(render(Page(detection, of)), tmp_path, samples=True)
    (excerpt,), (rows,) = out["excerpts"], out["samples"]
    at_s = excerpt["start_s"] + np.arange(excerpt["n"]) / excerpt["rate_hz"]
    silent = np.isnan(rows[0])
    assert np.array_equal(silent, (at_s >= 100.0 - 1e-6) & (at_s < 107.0 - 1e-6))
    later = of.read([0], 107.0, 207.0).uv[0]
    index = int(np.flatnonzero(at_s >= 117.0)[0])
    assert abs(rows[0][index] - later[round((at_s[index] - 107.0) * 256)]) <= excerpt["step"][0]


@needs_node
def test_chains_stand_apart_and_have_the_colour_of_their_side(tmp_path: Path) -> None:
    of = recording()
    data = re.search(r'id="page-data">(.*?)</script>', render(Page(detected(of), of)), re.DOTALL)
    assert data is not None
    asked = (
        "const unit = (k) => data.electrodes.map((_, i) => Number(i === k));\n"
        "const excerpt = { interpolated: ['T3'], matrix: data.electrodes.map((_, k) => unit(k)) };\n"
        "data.labels.push('ECG');\n"
        "const rows = (kind) => module.exports.montageRows(kind, data, excerpt);\n"
        "const told = (row) => [row.name, row.side || '', row.at, row.doubtful];\n"
        "console.log(JSON.stringify(['bipolar', 'average', 'recorded'].map((kind) => rows(kind).map(told))));\n"
    )
    script = f"{part('strip.js')}{part('viewer.js')}const data = {data[1]};\n{asked}"
    (tmp_path / "page.js").write_text(script, encoding="utf-8")
    done = subprocess.run(["node", str(tmp_path / "page.js")], capture_output=True, text=True, check=True)
    bipolar, average, recorded = json.loads(done.stdout)
    assert [row[:3] for row in bipolar] == [
        *(["Fp1-F7", "left", 0], ["F7-T3", "left", 1], ["T3-T5", "left", 2], ["T5-O1", "left", 3]),
        *(["Fp1-F3", "left", 4.5], ["F3-C3", "left", 5.5], ["C3-P3", "left", 6.5], ["P3-O1", "left", 7.5]),
        *(["Fz-Cz", "midline", 9], ["Cz-Pz", "midline", 10]),
        *(["Fp2-F4", "right", 11.5], ["F4-C4", "right", 12.5], ["C4-P4", "right", 13.5], ["P4-O2", "right", 14.5]),
        *(["Fp2-F8", "right", 16], ["F8-T4", "right", 17], ["T4-T6", "right", 18], ["T6-O2", "right", 19]),
        ["ECG", "", 20.5],
    ]
    assert [row[0] for row in bipolar if row[3]] == ["F7-T3", "T3-T5"]
    assert {row[0]: row[1] for row in average[:-1]} == {
        name: "left" if name in LEFT else "right" if name in RIGHT else "midline" for name in ELECTRODES
    }
    assert [b[2] - a[2] for a, b in pairwise(average)].count(1.5) == 3
    assert [row[1:3] for row in recorded] == [*(["", at] for at in range(len(recorded) - 1)), ["", len(recorded) - 0.5]]


@needs_node
def test_every_key_does_what_it_says(tmp_path: Path) -> None:
    of = recording(parts=(0.0, 60.0, 120.0), part_s=60.0)
    detection = detected(of)
    out = in_node(
        render(Page(detection, of)),
        tmp_path,
        ["p", "n", "m", "m", "+", "-", "h", "l", "f", "ArrowRight", "shift+ArrowLeft", "?", "s"],
    )
    steps = {step["key"]: step for step in out["steps"]}
    states = [step["state"] for step in out["steps"]]
    drawn = [step["drawn"] for step in out["steps"]]
    assert [s["event"] for s in states[:2]] == [0, 1]
    assert abs(states[1]["cursor"] - detection.events[1].onset_s) < 0.01
    assert [s["montage"] for s in states[2:4]] == ["average", "recorded"]
    assert [s["sensitivity"] for s in states[4:6]] == [5, 7]
    assert (states[6]["high"], states[7]["low"], states[8]["notch"]) == (1, 0, 50)
    assert states[9]["t0"] - states[8]["t0"] == pytest.approx(10.0)
    assert states[10]["t0"] - states[9]["t0"] == pytest.approx(-1.0)
    assert steps["?"]["help"]
    for k in (1, 2, 3, 4, 6, 7, 8, 9, 10):
        assert drawn[k] != drawn[k - 1], out["steps"][k]["key"]
    assert drawn[5] == drawn[3]  # back at the sensitivity that was
    assert len(out["paper"]) == 3  # one event a page


@needs_node
def test_a_review_is_a_reference_once_all_is_judged(tmp_path: Path) -> None:
    of = recording(parts=(0.0, 60.0, 120.0), part_s=60.0)
    detection = replace(detected(of), sha256="ab" * 32)
    text = render(Page(detection, of))
    out = in_node(text, tmp_path, ["a", "n", ".", ".", ".", "[", "s", "n", "r", "s"])
    draft, reviewed = ({"name": s["name"], "path": tmp_path / s["name"], "text": s["text"]} for s in out["saved"])
    for file in (draft, reviewed):
        file["path"].write_text(file["text"], encoding="utf-8")
    assert (draft["name"], reviewed["name"]) == ("night_draft.csv_bi", "night_reviewed.csv_bi")
    events = read_annotations(reviewed["path"]).seizures
    first, second, third = detection.events
    assert events[0] == pytest.approx((first.onset_s, first.offset_s), abs=1e-4)
    assert events[1] == pytest.approx((second.onset_s + 0.3, second.offset_s), abs=1e-4)  # moved
    assert len(events) == 2  # the third is rejected
    assert f"rejected {third.onset_s:.4f} {third.offset_s:.4f}" in read_csv_bi(reviewed["path"]).comments
    require_foreign([reviewed["path"]])
    with pytest.raises(Exception, match="brainscan's own output"):
        require_foreign([draft["path"]])


def test_fast_recordings_keep_what_lies_below_70_hz() -> None:
    rate_hz = 1000
    at_s = np.arange(100 * rate_hz) / rate_hz
    tone = 50.0 * np.sin(2 * np.pi * 65.0 * at_s) + 80.0 * np.sin(2 * np.pi * 190.0 * at_s)
    of = recording_of(noise(100.0, rate_hz) * 0.1 + tone * np.linspace(0.5, 1.5, 19)[:, None], rate_hz)
    from brainscan.io.plan import open_plan

    channels = Channels.of(of, open_plan(of))
    excerpt = cut(of, channels, 20.0, 60.0)
    assert excerpt is not None
    assert excerpt.rate_hz == 200.0
    power = np.abs(np.fft.rfft(excerpt.uv[9] * np.hanning(excerpt.uv.shape[1])))
    hz = np.fft.rfftfreq(excerpt.uv.shape[1], 1 / 200.0)
    assert abs(hz[power.argmax()] - 65.0) < 0.1
    assert power[(hz > 5.0) & (hz < 15.0)].max() < 0.02 * power.max()  # 190 Hz would come back at 10 Hz


def test_the_curve_of_a_night_takes_little_more_memory_than_it_has() -> None:
    values = np.random.default_rng(5).random(2 * 3600 * 256, dtype=np.float32)
    values[:2560] = np.nan
    tracemalloc.start()
    levels = curve_at((Probabilities(4.0, values),), 0.0, 7204.0, 0.25)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    expected = np.round(values.reshape(-1, 1024).max(axis=1) * 250.0)
    expected[:2], expected[2] = 255.0, np.round(values[2560:3072].max() * 250.0)
    assert levels == [255, *expected]
    assert peak < 2 * values.nbytes


def test_thinned_excerpts_stay_in_time() -> None:
    of = recording(256)
    from brainscan.io.plan import open_plan

    excerpt = cut(of, Channels.of(of, open_plan(of)), 10.0, 70.0)
    assert excerpt is not None
    thin = thinned(excerpt, 160)
    assert (thin.rate_hz, thin.start_s) == (160.0, excerpt.start_s)
    assert thin.stop_s == pytest.approx(excerpt.stop_s, abs=0.01)
    burst = np.abs(thin.uv[0]) > 150.0
    assert thin.start_s + np.flatnonzero(burst)[0] / 160.0 == pytest.approx(30.0, abs=0.2)
    assert len(encode(thin, 1.0)["data"]) < 0.75 * len(encode(excerpt)["data"])


def test_an_ecg_is_drawn_beside_the_eeg_and_is_no_electrode() -> None:
    from brainscan.electrodes import ELECTRODES
    from brainscan.io.plan import open_plan

    uv = np.concatenate((noise(60.0), noise(60.0, n=1, seed=5) * 20.0))
    uv[3] = 0.0  # P3 is off
    of = recording_of(uv, 256, (*ELECTRODES, "ECG"))
    channels = Channels.of(of, open_plan(of))
    excerpt = cut(of, channels, 10.0, 40.0)
    assert excerpt is not None
    assert [of.labels[i] for i in channels.indices][-1] == "ECG"
    assert (excerpt.uv.shape[0], excerpt.matrix.shape) == (20, (19, 19))
    assert excerpt.interpolated == ("P3",)


def test_doubts_are_told() -> None:
    (first, *_) = detected(recording()).events
    gap = words.doubts(first, ((52.0, 54.0),), words.Limits(0.99, 20.0), None, 100.0)
    assert gap == (
        "confidence near the threshold",
        "hardly longer than the shortest that is reported",
        "beside a gap or unscored time: it may be longer",
    )
    assert words.doubts(first, (), words.Limits(), None, 100.0) == ()
    assert words.doubts(first, (), words.Limits(), None, first.offset_s) == ("at the recording's end: it may go on",)
    begun = replace(first, onset_s=0.0)
    assert words.doubts(begun, (), words.Limits(), None, 100.0) == (
        "at the recording's beginning: its onset may lie before",
    )


def test_chewing_and_mains_are_told() -> None:
    from brainscan.events import Event
    from brainscan.io.plan import open_plan

    rng = np.random.default_rng(1)
    at_s = np.arange(60 * 256) / 256
    scale = np.linspace(0.5, 2.0, 19)[:, None]
    spectrum, hz = np.fft.rfft(rng.standard_normal((19, at_s.size)), axis=1), np.fft.rfftfreq(at_s.size, 1 / 256)
    slow, fast = (30.0 * scale * np.fft.irfft(spectrum * part, axis=1) for part in (hz < 15.0, hz > 22.0))
    buzz = slow + 200.0 * scale * np.sin(2 * np.pi * 50.0 * at_s)
    chewing = 0.3 * slow + fast
    for uv, said in ((buzz, "much mains noise"), (chewing, "mostly fast activity, as of muscles or chewing")):
        of = recording_of(uv)
        excerpt = cut(of, Channels.of(of, open_plan(of)), 0.0, 60.0)
        assert words.doubts(Event(20.0, 40.0, 0.9), (), words.Limits(), excerpt, 100.0) == (said,)


def test_side_and_leading_electrodes_stand_in_the_table_where_they_are_known() -> None:
    of = recording()
    found = detected(of)
    (event,) = found.events
    text = render(Page(replace(found, events=(replace(event, place=Place("left", ("T3", "F7"))),)), of))
    assert "<td>left: T3 F7</td>" in text
    assert '"leading":["T3","F7"]' in text
    assert '<th scope="col">begins</th>' in text
    unknown = render(Page(replace(found, events=(replace(event, place=None),)), of))
    assert '<th scope="col">begins</th>' not in unknown


def test_python_has_the_page_and_notebooks_a_table() -> None:
    of = recording()
    detection = detected(of)
    assert detection.to_html(of) == render(Page(detection, of))
    assert "The recording is not at hand: no EEG is shown." in detection.to_html()
    with pytest.raises(UsageError, match="shows the recording's samples"):  # never a page whose EEG is not there
        detection.save("x.html")
    shown = replace(detection, file=HOSTILE)._repr_html_()
    assert "<script>" not in shown
    assert shown.count("<tr>") == 2
    assert "2024-02-28 23:59:30" in shown


def test_a_start_that_is_a_filler_is_no_clock() -> None:
    of = replace(recording(parts=(0.0, 4000.0)), start=datetime(1985, 1, 1))
    text = render(Page(detected(of), of))
    assert "not known: 1985-01-01 00:00:00 stands in the header for no date" in text
    assert text.count("1985") == 1
    assert '"start":null' in text.replace('": ', '":')
    assert "hour from (elapsed)" in text
    told = render(Page(detected(replace(of, start=datetime(1985, 1, 1, 21, 40))), of))  # the date alone is one
    assert "21:40:30" in told
