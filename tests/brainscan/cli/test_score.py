"""``brainscan score`` as people call it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from brainscan.cli.main import main
from brainscan.io.csv_bi import format_csv_bi


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main(["score", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def lists(tmp_path: Path) -> tuple[Path, Path]:
    """Return two lists of two quiet recordings."""
    for side in ("ref", "hyp"):
        for name in ("a", "b"):
            path = tmp_path / side / f"{name}.csv_bi"
            path.parent.mkdir(exist_ok=True)
            path.write_text(format_csv_bi([], 60.0, name), encoding="utf-8")
        (tmp_path / f"{side}.list").write_text(f"{side}/a.csv_bi\n{side}/b.csv_bi\n", encoding="utf-8")
    return tmp_path / "ref.list", tmp_path / "hyp.list"


def contains(ours: Any, official: Any) -> bool:
    if isinstance(official, dict):
        return all(key in ours and contains(ours[key], value) for key, value in official.items())
    return bool(
        ours == pytest.approx(official, rel=1e-12, abs=1e-9) if isinstance(official, float) else ours == official
    )


def test_the_document_has_the_official_layout(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shared / "scoring/dev/d01_typical"
    code, out, err = run(capsys, folder / "ref.list", folder / "hyp.list", "--json")
    document = json.loads(out)
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    assert (code, err, document["errors"]) == (0, "", [])
    for part in ("nedc", "timescoring"):
        assert contains(document[part], expected[part])
    assert "error" not in document


def test_tables_go_to_stdout(lists: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, *lists)
    assert (code, err) == (0, "")
    for name in ("OVLP", "TAES", "EPOCH", "DPALIGN", "IRA", "SzCORE", "szcore_mask"):
        assert name in out
    assert "note: 0.03 h do not tell a rate per 24 h" in out


def test_undefined_measures_are_null(lists: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, *lists, "--json")
    assert json.loads(out)["timescoring"]["direct"]["event"]["pooled"]["sensitivity"] is None


def test_a_failed_pair_is_exit_6_and_the_others_are_scored(
    lists: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (lists[1].parent / "hyp/b.csv_bi").unlink()
    code, out, err = run(capsys, *lists, "--json")
    document = json.loads(out)
    assert code == 6
    assert [(e["file"], e["kind"], e["scorers"]) for e in document["errors"]] == [("b.csv_bi", "io", ["nedc"])]
    assert document["error"]["kind"] == "partial"
    assert document["nedc"]["ovlp"]["total_duration"] == 60.0
    assert "error: b.csv_bi: hypothesis is missing" in err


def test_strict_prints_the_failure_and_no_scores(lists: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    (lists[1].parent / "hyp/b.csv_bi").unlink()
    code, out, _ = run(capsys, *lists, "--json", "--strict")
    assert code == 3
    assert set(json.loads(out)) == {"schema", "error"}


def test_a_hypothesis_that_nobody_claims_is_warned_about(
    lists: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = lists[0].parent
    (folder / "ref/b.csv_bi").unlink()
    code, out, err = run(capsys, folder / "ref", folder / "hyp", "--json")
    assert (code, json.loads(out)["unclaimed"]) == (0, ["b.csv_bi"])
    assert "warning: b.csv_bi" in err


@pytest.mark.parametrize(("first", "second", "code"), [("ref", "hyp.list", 2), ("absent", "hyp", 3)])
def test_arguments_that_cannot_pair(
    lists: tuple[Path, Path], capsys: pytest.CaptureFixture[str], first: str, second: str, code: int
) -> None:
    folder = lists[0].parent
    assert run(capsys, folder / first, folder / second)[0] == code


def test_scoring_loads_no_torch(lists: tuple[Path, Path]) -> None:
    program = (
        "import sys; from brainscan.cli.main import main; code = main(sys.argv[1:]);"
        "heavy = [m for m in ('torch', 'scipy', 'matplotlib', 'numba') if m in sys.modules];"
        "print(heavy, file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "score", *map(str, lists)], capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"


def written(path: Path, *rows: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    head = "# version = csv_v1.0.0\n# duration = 60.0000 secs\n"
    path.write_text(head + "".join(f"TERM,{row}\n" for row in rows), encoding="utf-8")


@pytest.fixture
def namesakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with references of two patients under one name, and the first one's hypothesis."""
    written(tmp_path / "ref/p1/E.csv_bi", "20.0,35.0,seiz,1")
    written(tmp_path / "ref/p2/E.csv_bi", "5.0,15.0,seiz,1")
    written(tmp_path / "hyp/p1/E.csv_bi", "20.0,35.0,seiz,1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_namesakes_hypothesis_is_not_taken(namesakes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "ref", "hyp", "--json")
    document = json.loads(out)
    assert code == 6
    assert "error: p2/E.csv_bi: hypothesis is missing" in err
    seizure = document["nedc"]["ovlp"]["labels"]["seiz"]
    assert (document["pairs"], seizure["targets"], seizure["hits"], seizure["false_alarms"]) == (2, 1, 1, 0)
    event = document["timescoring"]["direct"]["event"]
    assert set(event["per_file"]) == {"p1/E.csv_bi", "p2/E.csv_bi"}
    assert (event["pooled"]["refTrue"], event["pooled"]["tp"]) == (2, 1)


def test_what_cannot_be_told_is_in_no_figure(namesakes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (namesakes / "hyp/p1/E.csv_bi").rename(namesakes / "hyp/E.csv_bi")
    code, out, err = run(capsys, "ref", "hyp", "--json")
    document = json.loads(out)
    assert (code, document["nedc"], document["timescoring"]["direct"]["event"]["pooled"]) == (6, None, None)
    assert err.count("cannot be told") == 2


def test_namesakes_in_lists_have_a_key_each(namesakes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for side in ("ref", "hyp"):
        written(namesakes / side / "p2/E.csv_bi", "5.0,15.0,seiz,1")
        (namesakes / f"{side}.list").write_text(f"{side}/p1/E.csv_bi\n{side}/p2/E.csv_bi\n", encoding="utf-8")
    code, out, _ = run(capsys, "ref.list", "hyp.list", "--json")
    assert code == 0
    assert [row["file"] for row in json.loads(out)["nedc_per_file"]] == ["hyp/p1/E.csv_bi", "hyp/p2/E.csv_bi"]


def test_changed_events_are_counted_on_the_terminal_and_in_json(
    namesakes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(namesakes / "hyp/p2/E.csv_bi", "5.0,15.0,seiz,1", "14.9,15.0,seiz,1", "55.0,66.0,seiz,1", "40,40,seiz,1")
    code, out, err = run(capsys, "ref", "hyp", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["mended"] == {"p2/E.csv_bi": {"cut": 1, "joined": 1, "empty": 1, "outside": 0, "unsure": 0}}
    assert "warning: p2/E.csv_bi: events changed before scoring: cut to the recording: 1, joined" in err
    assert document["nedc"]["ovlp"]["labels"]["seiz"]["false_alarms"] == 1


def test_percent_is_refused_in_folders_and_told_in_lists(namesakes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(namesakes / "hyp/p2/E.csv_bi", "5.0,15.0,seiz,85")
    code, _, err = run(capsys, "ref", "hyp")
    assert code == 6
    assert "line 3: confidence 85 of the event at 5 s is outside 0..1" in err
    for side in ("ref", "hyp"):
        (namesakes / f"{side}.list").write_text(f"{side}/p2/E.csv_bi\n", encoding="utf-8")
    code, out, err = run(capsys, "ref.list", "hyp.list", "--json")
    assert code == 0
    assert "taken as it stands" in err
    assert "confidence 85" in json.loads(out)["taken_as_they_stand"]["E.csv_bi"]


def test_what_a_reader_decided_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ref, hyp = tmp_path / "night_events.tsv", tmp_path / "night.csv_bi"
    rows = ["sz\t10\t20", "sz\t25\t10"]  # two readers
    lines = ["\t".join((*row.split("\t")[1:], "sz", "60")) for row in rows]
    ref.write_text("\n".join(["onset\tduration\teventType\trecordingDuration", *lines, ""]), encoding="utf-8")
    hyp.write_text(format_csv_bi([], 60.0, "night"), encoding="utf-8")
    code, out, err = run(capsys, ref, hyp, "--json")
    assert code == 0
    assert "warning: night_events.tsv: seizures that overlap (two readers?) are joined: 10 s .. 30 s" in err
    (remark,) = json.loads(out)["remarks"]["night.csv_bi"]
    assert remark.startswith("night_events.tsv: seizures that overlap")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("TERM,30.0000,30.0000,seiz,1.0000", "left out, as they have no length: 1"),
        ("TERM,30.0000,40.0000,seiz,1.0000", ""),
    ],
)
def test_odd_rows_of_a_reference_count_as_they_stand_and_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], row: str, said: str
) -> None:
    ref, hyp = tmp_path / "ref.csv_bi", tmp_path / "hyp.csv_bi"
    ref.write_text(format_csv_bi([], 60.0, "a").split("TERM")[0] + row + "\n", encoding="utf-8")
    hyp.write_text(format_csv_bi([], 60.0, "a"), encoding="utf-8")
    code, _, err = run(capsys, ref, hyp)
    assert code == 0
    told = [line for line in err.splitlines() if "taken as it stands" in line]
    assert len(told) == bool(said)
    assert all(line.endswith(said) for line in told)


@pytest.mark.parametrize(
    ("ref", "hyp", "told"),
    [
        ("night.csv_bi", "other.csv_bi", True),
        ("night1.csv_bi", "night10.csv_bi", True),
        ("night_truth.csv_bi", "night.csv_bi", False),
        ("night.csv_bi", "night_truth.csv_bi", False),
        ("truth.csv_bi", "night.csv_bi", False),
        ("night.csv_bi", "NIGHT.edf.csv_bi", False),
        ("sub-1_events.csv_bi", "sub-1_eeg.csv_bi", False),
    ],
)
def test_two_files_that_are_called_differently_are_scored_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ref: str, hyp: str, told: bool
) -> None:
    for side, name in (("ref", ref), ("hyp", hyp)):
        (tmp_path / side).mkdir()
        (tmp_path / side / name).write_text(format_csv_bi([], 60.0, "a"), encoding="utf-8")
    code, _, err = run(capsys, tmp_path / "ref" / ref, tmp_path / "hyp" / hyp)
    assert code == 0
    assert (f"{ref} and {hyp} are called differently" in err) == told
