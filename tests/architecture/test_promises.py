"""What documents and help texts say of commands is what the commands are and do."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from brainscan.cli.main import main
from brainscan.cli.table import COMMANDS

_REPOSITORY = Path(__file__).resolve().parents[2]
_DOCUMENTS = sorted(
    path
    for room in ("", "docs", "configs", "deploy", "brainscan", "training", "benchmarks", "examples")
    for pattern in ("*.md", "*.py")
    for path in ((_REPOSITORY / room).glob(pattern) if not room else (_REPOSITORY / room).rglob(pattern))
)
_CALL = re.compile(r"(?:^[ ]{0,12}(?:\$ )?|`)(brainscan [a-z][^`\n]*)", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_PROSE = re.compile(r"^brainscan ", re.MULTILINE)


def _calls() -> Iterator[tuple[str, str]]:
    """Yield every call of a command that a document or docstring shows, and where."""
    for path in _DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".md":  # of prose, what is code
            text = "\n".join(_FENCED.findall(text)) + _PROSE.sub("", _FENCED.sub("", text))
        for call in _CALL.findall(text):
            for part in re.split(r"&&|\|(?!\w)|;", call.partition(" # ")[0]):
                words = part.split()
                if len(words) > 1 and words[0] == "brainscan":
                    yield str(path.relative_to(_REPOSITORY)), part.strip()


CALLS = sorted(set(_calls()))


def _options(name: str) -> set[str]:
    """Return the options that a command has."""
    row = next(row for row in COMMANDS if row.name == name)
    app = typer.Typer(add_completion=False)
    app.command()(getattr(importlib.import_module(row.module), name))
    command = get_command(app)
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return known | {"-h", "--help"}


def test_calls_are_found() -> None:
    assert len(CALLS) > 60
    assert {path for path, _ in CALLS} >= {"README.md", "docs/evaluation.md", "docs/training.md"}


@pytest.mark.parametrize("name", [row.name for row in COMMANDS])
def test_commands_that_documents_show_have_the_options_shown(name: str) -> None:
    known, wrong = _options(name), []
    for path, call in CALLS:
        words = re.sub(r"[.,;:)]+$", "", call).split()
        if words[1] != name:
            continue
        shown = {re.split(r"[=|,\]]", word)[0].strip("[]()") for word in words[2:] if word.startswith(("-", "[-"))}
        wrong += [f"{path}: {call}: {option}" for option in shown - known if option.strip("-")]
    assert wrong == []


def test_every_command_that_documents_show_exists() -> None:
    names = {row.name for row in COMMANDS} | {"--help", "--version", "COMMAND"}
    assert [f"{path}: {call}" for path, call in CALLS if call.split()[1].strip(".,:;") not in names] == []


@pytest.mark.slow
def test_readme_s_example_finds_what_readme_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its lines from `simulate` to `score` are run as they stand."""
    text = (_REPOSITORY / "README.md").read_text(encoding="utf-8")
    said = re.search(r"of its (\d+) seizures `detect` finds (\d+), with (\d+) false alarm", " ".join(text.split()))
    assert said is not None
    block = next(part for part in text.split("```") if "brainscan simulate" in part)
    lines = [line.partition(" # ")[0] for line in block.splitlines() if "sim.edf" in line]
    monkeypatch.chdir(tmp_path)
    out = ""
    for call in (part for line in lines for part in line.split("&&")):
        assert main(shlex.split(call)[1:]) == 0
        out = capsys.readouterr().out
    row = next(line.split() for line in out.splitlines() if line.startswith("OVLP     seiz"))
    assert [f"{float(value):g}" for value in (row[2], row[3], row[5])] == list(said.groups())
