"""Workflows, hooks and forms do what the Makefile and the documents say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

_REPOSITORY = Path(__file__).resolve().parents[2]
_MAKEFILE = (_REPOSITORY / "Makefile").read_text(encoding="utf-8")
_TARGETS = set(re.findall(r"^([a-z-]+):", _MAKEFILE, re.MULTILINE))
_WORKFLOWS = sorted((_REPOSITORY / ".github" / "workflows").glob("*.yml"))
_FORMS = sorted(
    path for path in (_REPOSITORY / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml"
)


def _yaml(path: Path) -> dict[str, Any]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def _recipe(target: str) -> str:
    """Return the commands of a target."""
    found = re.search(rf"^{target}:[^\n]*\n((?:\t[^\n]*\n)+)", _MAKEFILE, re.MULTILINE)
    assert found is not None, target
    return found[1]


def _steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in _yaml(path)["jobs"].values() for step in job["steps"]]


def test_there_are_workflows_and_forms() -> None:
    assert {path.stem for path in _WORKFLOWS} == {"ci", "cuda", "release"}
    assert {path.stem for path in _FORMS} == {"cannot-be-read", "wish", "wrong-detection"}


@pytest.mark.parametrize("path", _WORKFLOWS, ids=lambda path: path.stem)
def test_commands_of_workflows_are_the_makefile_s(path: Path) -> None:
    commands = [step["run"].strip() for step in _steps(path) if "run" in step]
    calls = [re.fullmatch(r"make ([a-z-]+)((?: [A-Z]+=\S.*)?)", command) for command in commands]
    assert commands
    assert [command for command, call in zip(commands, calls, strict=True) if call is None] == []
    assert {call[1] for call in calls if call} <= _TARGETS
    variables = {name for call in calls if call for name in re.findall(r"([A-Z]+)=", call[2])}
    assert {name for name in variables if f"$({name})" not in _MAKEFILE and f",$({name}))" not in _MAKEFILE} == set()


@pytest.mark.parametrize("path", _WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_and_may_do_little(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    uses = re.findall(r"uses: (\S+)(.*)", text)
    assert uses
    pinned = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}")
    assert [name for name, note in uses if not pinned.fullmatch(name) or not re.match(r" # v\d", note)] == []
    assert _yaml(path)["permissions"] == {}
    assert all(
        step.get("with", {}).get("persist-credentials") is False
        for step in _steps(path)
        if step.get("uses", "").startswith("actions/checkout@")
    )


def test_one_commit_an_action_everywhere() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in _WORKFLOWS)
    commits: dict[str, set[str]] = {}
    for name, commit in re.findall(r"uses: ([\w/-]+)@(\S+)", text):
        commits.setdefault(name, set()).add(commit)
    assert {name: found for name, found in commits.items() if len(found) > 1} == {}


def test_ci_covers_what_is_promised() -> None:
    ci = _yaml(_REPOSITORY / ".github" / "workflows" / "ci.yml")
    matrix = ci["jobs"]["tests"]["strategy"]["matrix"]
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    project = (_REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    span = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', project)
    assert span is not None
    assert matrix["python"] == [f"3.{span[1]}", f"3.{int(span[2]) - 1}"]
    assert matrix["dependencies"] == ["oldest", "newest"]
    assert all(f"filter {name},$(DEPENDENCIES)" in _MAKEFILE for name in matrix["dependencies"])
    assert ci["jobs"]["tests"]["env"]["DEPENDENCIES"] == "${{ matrix.dependencies }}"
    assert "\nDEPENDENCIES ?= " in _MAKEFILE  # the environment's counts
    run = {step.get("run", "") for path in _WORKFLOWS for step in _steps(path)}
    assert run >= {"make q", "make workflows", "make tests-only", "make test-isa", "make wheel-test", "make docs"}


def test_ci_here_calls_what_ci_elsewhere_calls() -> None:
    script = (_REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    here = set(re.findall(r"^make (.+)$", script, re.MULTILINE))
    assert here == {"workflows", "docs", "test TRACED=all", "test-isa", "wheel-test"}
    assert re.search(r"^test: q ", _MAKEFILE, re.MULTILINE)


def test_every_test_of_instruction_sets_lies_where_they_are_run() -> None:
    rooms = re.search(r"^ISA := (.+)$", _MAKEFILE, re.MULTILINE)
    assert rooms is not None
    marked = {
        path.relative_to(_REPOSITORY)
        for path in (_REPOSITORY / "tests").rglob("test_*.py")
        if re.search(r"@pytest\.mark\.isa\b", path.read_text(encoding="utf-8"))
    }
    assert len(marked) > 5
    assert [path for path in marked if not any(path.is_relative_to(room) for room in rooms[1].split())] == []


def test_hooks_have_the_versions_of_the_makefile_s_checks() -> None:
    pins = (_REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    hooks = {
        hook["id"]: hook for repo in _yaml(_REPOSITORY / ".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]
    }
    pinned = [pin for hook in hooks.values() for pin in hook.get("additional_dependencies", ())]
    assert len(pinned) == 3
    assert [pin for pin in pinned if pin not in pins] == []
    for name, target in (
        ("ruff-check", "q"),
        ("ruff-format", "q"),
        ("zizmor", "workflows"),
    ):
        tool = hooks[name]["entry"].split(" --")[0]
        assert f"$(BIN)/{tool}" in _recipe(target), name
    assert hooks["q"]["entry"] == "make q"


@pytest.mark.parametrize("path", _FORMS, ids=lambda path: path.stem)
def test_forms_ask_for_what_helps_and_for_nobody_s_name(path: Path) -> None:
    form = _yaml(path)
    fields = {item["id"]: item for item in form["body"] if item["type"] != "markdown"}
    assert {"name", "description", "body"} <= set(form)
    assert all(item["attributes"]["label"] for item in fields.values())
    if path.stem != "wish":
        assert fields["info"]["attributes"]["label"] == "`brainscan info FILE --json`"
        assert fields["info"]["validations"]["required"] is True
        assert fields["privacy"]["attributes"]["options"][0]["required"] is True


def test_makefile_says_what_each_target_does() -> None:
    silent = {"data-given"}
    described = set(re.findall(r"^([a-z-]+):[^\n#]*## ", _MAKEFILE, re.MULTILINE))
    assert _TARGETS - described == silent
    phony = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)$", _MAKEFILE, re.MULTILINE)
    assert phony is not None
    assert set(phony[1].replace("\\", " ").split()) == _TARGETS
