"""The entry point: overview, exit codes, one line of error, one document of JSON."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from brainscan._version import __version__
from brainscan.cli import main as main_module
from brainscan.cli import table
from brainscan.cli.table import COMMANDS, Command
from tests.brainscan.cli.conftest import Run, write_edf
from tests.stand_ins import save_tiny

_REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_overview_lists_every_command(run: Run, arguments: list[str]) -> None:
    ran = run(*arguments)
    assert ran.code == 0
    assert all(f"  {command.name}" in ran.out and command.help in ran.out for command in COMMANDS)
    assert "not a medical device" in ran.out


def test_version(run: Run) -> None:
    assert run("--version").out == f"brainscan {__version__}\n"


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_help_of_each_command_shows_examples(run: Run, name: str) -> None:
    ran = run(name, "--help")
    assert ran.code == 0
    assert f"brainscan {name} " in ran.out.split("Examples:")[1]
    assert "\x1b" not in ran.out


def test_help_by_the_other_order(run: Run) -> None:
    assert run("help", "detect").out == run("detect", "--help").out


def test_unknown_command_gets_the_nearest_name(run: Run) -> None:
    ran = run("detekt", "x.edf")
    assert ran.code == 2
    assert ran.errors == ["error: no such command or option: detekt. hint: did you mean `brainscan detect`?"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["detect"],
        ["detect", "a.edf", "--no-such"],
        ["detect", "a.edf", "--max-missing", "many"],
        ["scan"],
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(run: Run, arguments: list[str]) -> None:
    ran = run(*arguments)
    assert ran.code == 2
    assert len(ran.err.splitlines()) == 1
    assert "hint: " in ran.err
    assert ran.out == ""


def test_a_stream_s_failure_is_a_line(run: Run) -> None:
    lines = run("stream", "absent.edf", "--json").out.splitlines()
    assert [json.loads(line)["error"]["kind"] for line in lines] == ["io"]


def test_a_closed_stdin_and_a_folder_that_is_gone_are_a_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert (ran := run("stream", "-")).code == 3
    assert ran.errors[0].startswith("error: stdin: is closed")
    gone = tmp_path / "gone"
    gone.mkdir()
    edf = write_edf(tmp_path / "a.edf")
    monkeypatch.chdir(gone)
    gone.rmdir()
    for arguments in (("detect", edf), ("evaluate",), ("scan", tmp_path, "-o", "out")):
        ran = run(*arguments)
        assert ran.code in {3, 5}
        assert len(ran.errors) == 1


def test_wrong_usage_with_json_is_a_document(run: Run) -> None:
    ran = run("detect", "--no-such", "--json")
    assert ran.code == 2
    assert ran.json["error"]["kind"] == "usage"
    assert set(ran.json["error"]) == {"kind", "message", "hint"}


def test_a_command_without_its_extra_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = Command("topo", "Draw maps.", "brainscan.cli.topo", extra="mne", needs="no_such_package")
    monkeypatch.setattr(table, "COMMANDS", (*COMMANDS, lacking))
    monkeypatch.setattr(main_module, "COMMANDS", (*COMMANDS, lacking))
    ran = run("topo", "x.edf", "--json")
    assert ran.code == 2
    assert ran.json["error"]["kind"] == "extra"
    assert 'pip install "brainscan[mne]"' in ran.err
    assert 'Draw maps. (needs: pip install "brainscan[mne]")' in run("--help").out


def test_a_defect_is_exit_1_with_traceback_and_a_request(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("brainscan.doctor.examine", fail)
    ran = run("doctor", "--json")
    assert ran.code == 1
    assert "Traceback" in ran.err
    assert "please report it" in ran.errors[-1]
    assert ran.json["error"]["kind"] == "defect"


def test_an_interrupt_is_exit_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("brainscan.doctor.examine", interrupt)
    ran = run("doctor")
    assert ran.code == 130
    assert ran.err == "error: interrupted\n"


def test_as_a_process(tmp_path: Path, edf: Path) -> None:
    """The same through `python -m brainscan`, with results on stdout and messages on stderr."""
    save_tiny(tmp_path / "tiny.safetensors")
    command = [sys.executable, "-m", "brainscan", "detect", str(edf), "--on", "0", "-o", "-"]
    environment = {"PYTHONPATH": f"{_REPOSITORY}:{_REPOSITORY / 'models'}", "PATH": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "--model", str(tmp_path / "tiny.safetensors")], capture_output=True, cwd=tmp_path, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"# version = csv_v1.0.0\n")
    assert b"\nTERM,0.0000,60.0000,seiz," in done.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "tiny.safetensors"]


def test_a_reader_that_leaves_is_no_error(edf: Path) -> None:
    program = (
        "import os, sys\n"
        f"sys.path[:0] = {[str(_REPOSITORY), str(_REPOSITORY / 'models')]!r}\n"
        "reader, writer = os.pipe()\n"
        "os.close(reader)\n"
        "os.dup2(writer, 1)\n"
        "from brainscan.cli.main import main\n"
        f"sys.exit(main(['info', {str(edf)!r}, '--json']))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


_ASKED = [["--help"], ["info", "EDF"], ["info", "EDF", "--json"], ["detect", "EDF", "-o", "-"]]


@pytest.mark.parametrize("arguments", _ASKED, ids=" ".join)
@pytest.mark.parametrize(("redirection", "what"), [(">/dev/full", "cannot be written"), (">&-", "is closed")])
def test_a_stdout_that_takes_nothing_is_one_line_and_exit_5(
    tmp_path: Path, edf: Path, arguments: list[str], redirection: str, what: str
) -> None:
    if not Path("/dev/full").exists() or not Path("/bin/sh").exists():
        pytest.skip("this system has no device that is always full")
    asked = (str(edf) if word == "EDF" else word for word in arguments)
    command = shlex.join([sys.executable, "-m", "brainscan", *asked])
    environment = {"PYTHONPATH": f"{_REPOSITORY}:{_REPOSITORY / 'models'}", "PATH": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        ["/bin/sh", "-c", f"{command} {redirection}"], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert done.returncode == 5, done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith("error: ")] == [done.stderr.splitlines()[-1]]
    assert f"error: stdout: {what}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_obeys_no_name(run: Run, edf: Path, here: Path) -> None:
    hostile = edf.with_name("\x1b[31mred\x07.edf")
    hostile.write_bytes(edf.read_bytes())
    for arguments in (
        ["info", hostile],
        ["scan", edf.parent, "-o", here / "out"],
        ["detect", hostile, "-o", "x.csv_bi"],
    ):
        ran = run(*arguments)
        assert "\x1b" not in ran.out + ran.err
        assert "\x07" not in ran.out + ran.err
