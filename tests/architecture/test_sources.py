"""House rules that no linter knows, each over every source file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[2]
_PACKAGES = ("brainscan", "models/brainscan_models", "training/brainscan_training")
_ROOMS = (*_PACKAGES, "tests", "benchmarks", "examples", "configs", "docs", "deploy", ".ci", ".github")
_TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".cff", ".json", ".html", ".j2", ".sh", ""}
_LIMITS = re.search(
    r"A module has at most (\d+) lines,.*?\((\d+)\),\s+a function\s+at most (\d+) lines and (\d+) parameters",
    (_REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8"),
    re.DOTALL,
)
assert _LIMITS is not None, "CONTRIBUTING.md states no limits"
_MAX_LINES, _MAX_KERNEL_LINES, _MAX_FUNCTION_LINES, _MAX_PARAMETERS = map(int, _LIMITS.groups())


@cache
def _modules(room: str) -> tuple[tuple[Path, str, ast.Module], ...]:
    files = sorted((_REPOSITORY / room).rglob("*.py"))
    texts = ((path, path.read_text(encoding="utf-8")) for path in files)
    return tuple((path.relative_to(_REPOSITORY), text, ast.parse(text)) for path, text in texts)


def _all_modules() -> Iterator[tuple[Path, str, ast.Module]]:
    for room in _PACKAGES:
        yield from _modules(room)


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return a function's length; a contract told in full is no fault, so its docstring does not count."""
    first = function.body[1:] or function.body if ast.get_docstring(function) else function.body
    return (function.end_lineno or function.lineno) - first[0].lineno + 1


def _texts() -> Iterator[tuple[Path, str]]:
    own = Path(__file__).resolve()
    top = [path for path in _REPOSITORY.iterdir() if path.is_file()]
    below = [path for room in _ROOMS for path in (_REPOSITORY / room).rglob("*") if path.is_file()]
    for path in sorted(top + below):
        if path.suffix in _TEXT and path != own and "__pycache__" not in path.parts and path.name != ".git":
            yield path.relative_to(_REPOSITORY), path.read_text(encoding="utf-8")


def test_packages_are_found() -> None:
    assert all(len(_modules(room)) > 1 for room in _PACKAGES)


def test_every_module_says_what_it_is() -> None:
    assert [str(path) for path, _, tree in _all_modules() if not ast.get_docstring(tree)] == []


def test_every_module_postpones_annotations() -> None:
    def postpones(tree: ast.Module) -> bool:
        return any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)

    def annotates(tree: ast.Module) -> bool:
        return any(isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AnnAssign) for node in ast.walk(tree))

    assert [str(path) for path, _, tree in _all_modules() if annotates(tree) and not postpones(tree)] == []


def test_no_module_outgrows_its_purpose() -> None:
    sizes = {path: len(text.splitlines()) for path, text, _ in _all_modules()}
    limits = {path: _MAX_KERNEL_LINES if path.parent.name == "ssd" else _MAX_LINES for path in sizes}
    assert {str(path): n for path, n in sizes.items() if n > limits[path]} == {}


def test_functions_fit_on_a_screen() -> None:
    long = {f"{path}:{node.name}": _lines(node) for path, _, tree in _all_modules() for node in _functions(tree)}
    assert {where: n for where, n in long.items() if n > _MAX_FUNCTION_LINES} == {}


def test_functions_take_few_parameters() -> None:
    """Exempt are command callbacks, whose parameters are options, and the scan, whose parameters are a formula's."""
    many = {}
    for path, _, tree in _all_modules():
        if path.parts[:2] == ("brainscan", "cli") or path.name == "command.py" or path.parent.name == "ssd":
            continue
        for node in _functions(tree):
            names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            count = len([name for name in names if name not in {"self", "cls"}])
            if count > _MAX_PARAMETERS:
                many[f"{path}:{node.name}"] = count
    assert many == {}


def test_only_the_command_line_prints() -> None:
    """A script's `main` is a command line too."""
    talking = [
        f"{path}:{node.lineno}"
        for path, _, tree in _all_modules()
        if path.parts[:2] != ("brainscan", "cli")
        for part in tree.body
        if getattr(part, "name", "") != "main"
        for node in ast.walk(part)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert talking == []


def test_no_room_for_leftovers() -> None:
    names = {"utils.py", "helpers.py", "common.py", "misc.py"}
    assert [str(path) for path, _, _ in _all_modules() if path.name in names] == []


@pytest.mark.parametrize("mark", ["TO" + "DO", "FIX" + "ME", "X" * 3 + ":", "raise NotImplemented" + "Error"])
def test_nothing_is_left_for_later(mark: str) -> None:
    assert [str(path) for path, text in _texts() if mark in text] == []


@pytest.mark.parametrize("word", ["SP" + "EC", "PO" + "LICY", "STY" + "LE.md", "shared" + "/SP"])
def test_nothing_is_cited_that_the_reader_cannot_see(word: str) -> None:
    """docs/definitions.md holds what documents outside the repository used to."""
    pattern = re.compile(rf"\b{re.escape(word)}\b")
    assert [str(path) for path, text in _texts() if pattern.search(text)] == []


def test_no_path_of_a_machine() -> None:
    pattern = re.compile(r"""(?:^|[\s"'(=`])/(?:home|root|work|Users|mnt|tmp)/\w""", re.MULTILINE)
    assert {str(path): pattern.findall(text) for path, text in _texts() if pattern.search(text)} == {}


def test_installation_names_no_host() -> None:
    """What is installed comes from wherever pip was told to look."""
    files = ["Makefile", "constraints.txt", "pyproject.toml", ".ci/run", ".ci/wheel-test", "deploy/Dockerfile"]
    hosts = re.compile(r"\w+://|index-url\s*=?\s*\w")
    assert [name for name in files if hosts.search((_REPOSITORY / name).read_text(encoding="utf-8"))] == []


def test_links_of_the_documents_lead_somewhere() -> None:
    link = re.compile(r"\]\((?!\w+:)([^)#\s]+)[^)]*\)")
    broken = [
        f"{path}: {target}"
        for path, text in _texts()
        if path.suffix == ".md"
        for target in link.findall(text)
        if not (_REPOSITORY / path.parent / target).exists()
    ]
    assert broken == []
