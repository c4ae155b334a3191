"""A row in a table is all that a format needs: toy rows appear everywhere, and the documentation has every row."""

from __future__ import annotations

import ast
import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePath

import pytest

import brainscan.cli
from brainscan.corpora.references import ReferenceFolder, read_reference
from brainscan.detector import Detector
from brainscan.errors import InputError, MissingExtraError, UsageError
from brainscan.evaluate.by_others import find_hypotheses
from brainscan.events import Annotation
from brainscan.io import container_formats, containers, event_formats
from brainscan.io import read as read_recording
from brainscan.io.annotation_file import AnnotationFile
from brainscan.io.container_format import ContainerFormat, starts
from brainscan.io.content import Content
from brainscan.io.discover import search
from brainscan.io.event_format import FACTS, EventFormat, RecordingFacts
from brainscan.io.guard import recording_in
from brainscan.io.origin import Origin
from brainscan.recording import Recording
from tests.brainscan.cli.conftest import Ran, Run, edf, here, loud, run, write_edf
from tests.stand_ins import noise, recording_of, with_bursts

_REPOSITORY = Path(__file__).resolve().parents[2]
_COMMANDS = ("detect", "scan", "convert")

__all__ = ["edf", "here", "loud", "run"]


# ---- a toy format of events ------------------------------------------------------------------------------------


def _encode(content: Content) -> Iterator[bytes]:
    rows = [[row.onset_s, row.offset_s, row.confidence] for row in content.file.track()]
    origin = Origin.from_comments(content.file.comments)
    made = None if origin is None else {"sha256": origin.sha256, "model": dict(origin.model)}
    yield b"TOY"
    yield json.dumps({"rows": rows, "duration_s": content.file.duration_s, "made": made}).encode()


def _decode(path: Path, _facts: RecordingFacts) -> AnnotationFile:
    document = json.loads(path.read_bytes().removeprefix(b"TOY"))
    rows = tuple(Annotation(a, b, "seiz", c) for a, b, c in document["rows"])
    return AnnotationFile(rows, document["duration_s"], name=path.name)


def _origin(path: Path) -> Origin | None:
    made = json.loads(path.read_bytes().removeprefix(b"TOY"))["made"]
    return None if made is None else Origin(made["sha256"], made["model"])


TOY = EventFormat(
    name="toy",
    what="a toy",
    holds=frozenset({"events", "annotations"}),
    suffixes=(".toy",),
    keeps=frozenset({"origin", "confidence"}),
    recognise=lambda head: head.data.startswith(b"TOY"),
    decode=_decode,
    encode=_encode,
    origin=_origin,
)


def _fresh_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands be imported again, as a process does that starts with the table as it is now."""
    for name in (names := ("options", "info", *_COMMANDS)):
        importlib.import_module(f"brainscan.cli.{name}")
    for name in names:
        monkeypatch.delattr(brainscan.cli, name)
        monkeypatch.delitem(sys.modules, f"brainscan.cli.{name}")


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, loud: None) -> EventFormat:
    """Put a toy row into the table of event formats."""
    monkeypatch.setattr(event_formats, "FORMATS", {**event_formats.FORMATS, "toy": TOY})
    _fresh_commands(monkeypatch)
    return TOY


@pytest.mark.parametrize("command", _COMMANDS)
def test_help_names_a_new_format(run: Run, toy: EventFormat, command: str) -> None:
    assert "toy" in run(command, "--help").out


def test_detect_writes_it_and_minds_what_made_it(run: Run, edf: Path, here: Path, toy: EventFormat) -> None:
    assert run("detect", edf, "-o", "x.toy").code == 0
    assert (here / "x.toy").read_bytes().startswith(b"TOY")
    assert run("detect", edf, "--format", "toy").code == 0
    assert (here / "night.toy").read_bytes() == (here / "x.toy").read_bytes()
    assert run("detect", edf, "--format", "toy").code == 0
    assert "other settings" in run("detect", edf, "--format", "toy", "--stop", "30").errors[0]
    assert run("detect", edf, "-o", "-", "--format", "toy").out.encode() == (here / "x.toy").read_bytes()
    assert "toy" in run("detect", edf, "-o", "x.txt").errors[0]
    assert "x.toy names toy, --format says json" in run("detect", edf, "-o", "x.toy", "--format", "json").errors[0]


def test_scan_writes_it_and_sees_that_it_is_done(run: Run, edf: Path, here: Path, toy: EventFormat) -> None:
    assert run("scan", edf.parent, "-o", "out", "--format", "toy").code == 0
    assert (here / "out" / "night.toy").exists()
    assert "1 skipped" in run("scan", edf.parent, "-o", "out", "--format", "toy").out
    (here / "out" / "night.toy").unlink()
    assert "1 done" in run("scan", edf.parent, "-o", "out", "--format", "toy").out


def test_convert_and_score_take_it_both_ways(run: Run, edf: Path, here: Path, toy: EventFormat) -> None:
    run("detect", edf, "-o", "x.csv_bi")
    assert run("convert", "x.csv_bi", "-o", "y.toy").code == 0
    assert run("convert", "y.toy", "-o", "-", "--to", "tsv").out.count("sz") == 1
    assert "toy" in run("convert", "x.csv_bi", "-o", "y.xls").errors[0]
    assert run("score", "x.csv_bi", "y.toy").code == 0


def test_evaluate_takes_it_as_truth_and_as_hypothesis(run: Run, edf: Path, here: Path, toy: EventFormat) -> None:
    truth = edf.with_suffix(".toy")
    content = Content(AnnotationFile((Annotation(20.0, 35.0, "seiz"),), 60.0), edf.name)
    truth.write_bytes(b"".join(_encode(content)))
    found = ReferenceFolder(edf.parent, [edf.name]).find(PurePath(edf.name))
    assert found == truth
    assert [s.onset_s for s in read_reference(truth, edf.name, 60.0).seizures] == [20.0]
    (here / "hypotheses").mkdir()
    hypothesis = (here / "hypotheses" / "night.toy").resolve()
    hypothesis.write_bytes(truth.read_bytes())
    assert find_hypotheses([edf.name], (), hypothesis.parent).mates == {PurePath(edf.name): PurePath("night.toy")}


def test_python_saves_it(edf: Path, here: Path, toy: EventFormat) -> None:
    saved = Detector.from_pretrained("any").detect(edf).save("x.toy")
    assert (here / saved).read_bytes().startswith(b"TOY")


def test_what_it_cannot_express_is_told(
    run: Run, edf: Path, here: Path, toy: EventFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    poor = replace(TOY, keeps=frozenset(), origin=None)
    monkeypatch.setattr(event_formats, "FORMATS", {**event_formats.FORMATS, "toy": poor})
    ran = run("detect", edf, "-o", "x.toy")
    assert ran.code == 0
    assert "toy cannot say that these are brainscan's own events" in ran.err
    assert "toy holds no confidence" in ran.err
    assert run("detect", edf, "-o", "x.toy").code == 5
    assert run("scan", edf.parent, "-o", "out", "--format", "toy").code == 2  # a scan could not see what it has done


def test_what_is_only_written_is_taken_for_nobodys(
    run: Run, edf: Path, here: Path, toy: EventFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = replace(TOY, decode=None, origin=None, keeps=frozenset())
    monkeypatch.setattr(event_formats, "FORMATS", {**event_formats.FORMATS, "toy": written})
    ran = run("detect", edf, "-o", "x.toy")
    assert ran.code == 0
    assert "toy holds no confidence" in ran.err
    assert "expert's" not in ran.err


def test_a_format_whose_package_is_not_installed_says_so_at_once(
    run: Run, edf: Path, here: Path, toy: EventFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    needy = replace(TOY, extra="toys", module="no_such_module")
    monkeypatch.setattr(event_formats, "FORMATS", {**event_formats.FORMATS, "toy": needy})
    for command in (("detect", edf, "-o", "x.toy"), ("scan", edf.parent, "-o", "out", "--format", "toy")):
        ran = run(*command)
        assert ran.code == 2
        assert 'pip install "brainscan[toys]"' in ran.errors[0]
        assert list(here.iterdir()) == []


# ---- toy containers --------------------------------------------------------------------------------------------


def _open(path: Path) -> Recording:
    uv = with_bursts(noise(60.0, 100.0), 100.0, [(20.0, 35.0)])
    return replace(recording_of(uv, 100, name=path.name), format="Toy", sha256=lambda: "ef" * 32)


READ = ContainerFormat("Toy", (".teeg",), starts(b"TOYEEG"), companions=(".tdat",), read=_open, reader="a test")
UNREAD = ContainerFormat("Toymaker (.tmk)", (".tmk",), starts(b"TOYMAKER"), companions=(".tm2",), way_out="play it")
FOLDER = ContainerFormat("Toybox", (".tbx",), folder=True, way_out="unpack it")


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch, loud: None, here: Path) -> Path:
    """Put toy rows into the table of containers; return a folder of such recordings."""
    monkeypatch.setattr(container_formats, "CONTAINERS", (READ, UNREAD, FOLDER, *container_formats.CONTAINERS))
    _fresh_commands(monkeypatch)
    folder = here / "in"
    (folder / "box.tbx").mkdir(parents=True)
    (folder / "box.tbx" / "inner.edf").write_bytes(b"part of it")
    for name, data in {
        "a.teeg": b"TOYEEG",
        "a.tdat": b"\0" * 300,
        "without_suffix": b"TOYEEG",
        "b.tmk": b"TOYMAKER",
        "b.tm2": b"TOYMAKER, second part",
    }.items():
        (folder / name).write_bytes(data)
    return folder


def test_a_new_container_is_found_and_read(run: Run, toys: Path, here: Path) -> None:
    found = search(toys, here / "out")
    assert [path.name for path in found.recordings] == ["a.teeg", "without_suffix"]
    assert [(path.name, kind.name) for path, kind in found.unread] == [("b.tmk", UNREAD.name), ("box.tbx", "Toybox")]
    assert read_recording(toys / "a.teeg").format == "Toy"
    assert run("detect", toys / "a.teeg", "-o", "a.csv_bi").code == 0
    assert "Toy" in run("detect", "--help").out
    (here / "odd.xyz").write_bytes(b"\x01\x02" * 400)
    assert "Toy (.teeg)" in run("info", "odd.xyz").errors[0]
    assert run("info", toys / "a.teeg", "--json").json["format"] == "Toy"


def test_its_files_are_never_written_over(run: Run, toys: Path, here: Path) -> None:
    for name in ("a.teeg", "a.tdat", "without_suffix", "b.tmk", "b.tm2", "box.tbx/inner.edf"):
        assert recording_in(toys / name), name
    before = (toys / "without_suffix").read_bytes()
    ran = run("detect", toys / "a.teeg", "-o", toys / "without_suffix", "--force")
    assert ran.code == 5
    assert (toys / "without_suffix").read_bytes() == before
    assert run("detect", write_edf(here / "e.edf"), "-o", "x.teeg", "--format", "csv_bi").code == 2


def test_what_is_not_read_is_counted_and_named(run: Run, toys: Path, here: Path) -> None:
    ran = run("scan", toys, "-o", "out")
    assert ran.code == 0
    assert "2 done, 0 skipped, 0 failed, 2 not read (1 Toybox, 1 Toymaker (.tmk))" in ran.out
    assert "1 recording is Toymaker (.tmk), which brainscan does not read (b.tmk): play it" in ran.err
    record = json.loads((here / "out" / "run.json").read_text("utf-8"))
    assert (record["done"], record["unread"]) == (2, 2)
    assert record["not_read"] == {UNREAD.name: ["b.tmk"], "Toybox": ["box.tbx"]}
    assert "b.tmk,unread" in (here / "out" / "summary.csv").read_text("utf-8")
    document = run("scan", toys, "-o", "out", "--json").json
    assert [entry["file"] for entry in document["not_read"]] == ["b.tmk", "box.tbx"]
    assert len(document["warnings"]) == 2
    hidden = run("scan", toys, "-o", "hidden", "--anonymous-names", "--json")
    assert "b.tmk" not in hidden.out + hidden.err + (here / "hidden" / "run.json").read_text("utf-8")


def test_info_names_it_and_the_way_out(run: Run, toys: Path) -> None:
    for name, words in (("b.tmk", "Toymaker (.tmk)"), ("b.tm2", "b.tmk"), ("box.tbx", "Toybox")):
        ran: Ran = run("info", toys / name)
        assert ran.code == 3
        assert words in ran.errors[0]
    assert "play it" in run("info", toys / "b.tmk").errors[0]


def test_a_text_counts_by_its_suffix_where_a_row_says_that_its_files_are_texts(
    toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = ContainerFormat("Toy text", (".ttx",), suffix_tells=True, is_text=True, read=_open, reader="a test")
    rows = {True: text, False: replace(text, is_text=False)}
    (toys / "c.ttx").write_text("1.5 2.5\n", encoding="utf-8")
    (toys / "d.ttx").write_text("# version = csv_v1.0.0\n", encoding="utf-8")
    for is_text, row in rows.items():
        monkeypatch.setattr(container_formats, "CONTAINERS", (row, *container_formats.CONTAINERS[3:]))
        if is_text:
            assert read_recording(toys / "c.ttx").duration_s == 60.0
        else:
            with pytest.raises(InputError, match="not a known EEG recording \\(text\\)"):
                read_recording(toys / "c.ttx")
        with pytest.raises(InputError, match="an event file"):
            read_recording(toys / "d.ttx")


def test_its_extra_is_asked_for(toys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needy = replace(READ, extra="toys", modules=("no_such_module",))
    monkeypatch.setattr(container_formats, "CONTAINERS", (needy, *container_formats.CONTAINERS))
    with pytest.raises(
        MissingExtraError, match=r"in the format Toy needs the extra 'toys'.*brainscan\[toys\]"
    ) as raised:
        read_recording(toys / "a.teeg")
    assert raised.value.exit_code == 2  # as README's table of exit codes has it, for recordings as for the rest


# ---- the tables themselves, and what the documentation says of them --------------------------------------------


def test_no_suffix_means_two_formats() -> None:
    suffixes = [(suffix, row) for row in event_formats.rows() for suffix in row.suffixes]
    meant = dict(reversed(suffixes))
    # `.edf` is the recording with its events, and, where a command does not write that, the events alone.
    assert {suffix for suffix, row in suffixes if meant[suffix] is not row} == {".edf"}
    for suffix, row in meant.items():
        assert event_formats.by_suffix(f"Night{suffix.upper()}") is row
    assert event_formats.for_file("x.edf", event_formats.convertible(), "--to").name == "edf-annotations"


@pytest.mark.parametrize("row", event_formats.rows(), ids=lambda row: row.name)
def test_a_row_keeps_what_it_says(row: EventFormat) -> None:
    assert row.decode or row.encode
    assert ("origin" in row.keeps) == (row.origin is not None)
    assert row.holds


def _named_for_later() -> Iterator[tuple[str, str]]:
    """Yield what the sources name to be imported when it is called."""
    for path in sorted((_REPOSITORY / "brainscan").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            words = [word.value for word in node.args if isinstance(word, ast.Constant)]
            if node.func.id in {"later", "_ours"} and len(words) == len(node.args):
                prefix = "" if node.func.id == "later" else "brainscan.io."
                yield f"{prefix}{words[0]}", str(words[1])


def test_what_is_imported_later_is_there() -> None:
    named = set(_named_for_later())
    assert {("brainscan.io.csv_bi", "format_csv_bi"), ("brainscan.io.edf", "read_edf")} <= named
    for module, name in named:
        assert callable(getattr(importlib.import_module(module), name)), (module, name)


@pytest.mark.parametrize("row", container_formats.CONTAINERS, ids=lambda row: row.name)
def test_a_container_is_read_or_has_a_way_out(row: ContainerFormat) -> None:
    assert (row.read is None) != (row.way_out == "")
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in (*row.suffixes, *row.companions))


@pytest.mark.parametrize(
    ("output", "chosen", "meant"),
    [
        ("x.csv_bi", "", "csv_bi"),
        ("X.TSV", "", "tsv"),
        ("folder.json/x.tse", "", "tse"),
        ("x-annot.csv", "", "mne_csv"),
        ("x.csv", "", "tusz_csv"),
        ("x.csv", "mne_csv", "mne_csv"),
        ("x.txt", "csv_bi", "csv_bi"),
        ("x", "json", "json"),
        ("x.2020-03-01", "json", "json"),
        ("x.edf", "", "edf"),
        ("x.edf", "edf-annotations", "edf-annotations"),
        ("x-annotations.edf", "", "edf-annotations"),
        ("x.bdf", "", "edf"),
        ("x.edf", "csv_bi", ""),
        ("x.vhdr", "csv_bi", ""),
        ("x.BDF", "csv_bi", ""),
        ("x.txt", "", ""),
        ("x.json", "csv_bi", ""),
        ("x.csv_bi.gz", "", ""),
    ],
)
def test_what_the_name_of_an_output_means(output: str, chosen: str, meant: str) -> None:
    row = event_formats.FORMATS[chosen] if chosen else None
    if meant:
        assert event_formats.for_file(output, event_formats.outputs(), "--format", row).name == meant
        return
    with pytest.raises(UsageError):
        event_formats.for_file(output, event_formats.outputs(), "--format", row)


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _code(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words) or "none"


def _event_table() -> str:
    rows = []
    for row in event_formats.rows():
        writers = [
            name
            for name, among in (
                ("detect", event_formats.outputs()),
                ("scan", event_formats.resumable()),
                ("convert", event_formats.convertible()),
            )
            if row in among
        ]
        lost = [fact.replace("_", " ") for fact in FACTS if fact not in row.keeps]
        read = "evaluate" if row.holds == {"curve"} else "yes" if row.decode else "no"
        cannot = "any event" if row.holds <= {"curve", "trend"} else ", ".join(lost) or "nothing"
        rows.append((f"`{row.name}`", row.what, _code(row.suffixes), read, ", ".join(writers) or "no", cannot))
    return _table(("format", "what it is", "suffixes", "read", "written by", "has no place for"), rows)


def _read_table() -> str:
    rows = [
        (
            row.name,
            _code(row.suffixes),
            _code(row.companions),
            row.reader + (f", extra `{row.extra}`" if row.extra else ""),
            "yes" if row.lazy else "no, whole in memory",
            row.tested,
        )
        for row in containers.rows(read=True)
    ]
    return _table(("container", "suffixes", "files beside it", "read by", "as needed", "tested on"), rows)


def _unread_table() -> str:
    rows = [(row.name, _code(row.companions), row.way_out) for row in containers.rows(read=False)]
    return _table(("kind", "files beside it", "way out"), rows)


@pytest.mark.parametrize(
    ("page", "table"),
    [("formats.md", _event_table), ("reading.md", _read_table), ("reading.md", _unread_table)],
    ids=["events", "containers", "not-read"],
)
def test_the_documentation_has_every_row(page: str, table: object) -> None:
    assert callable(table)
    expected = table()
    text = (_REPOSITORY / "docs" / page).read_text(encoding="utf-8")
    assert expected in text, f"docs/{page} lacks this table as it is now:\n\n{expected}\n"
