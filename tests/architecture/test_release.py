"""A release that is not ready is refused, with every reason; what it brings along is listed."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.ci_scripts import REPOSITORY, load

check, sbom, bounds = load("release_check"), load("sbom"), load("lower_bounds")


def _git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    """Return a checkout that is ready for its release."""
    (tmp_path / "brainscan").mkdir()
    (tmp_path / "brainscan" / "_version.py").write_text('__version__ = "1.2.3"\n', encoding="utf-8")
    (tmp_path / "CITATION.cff").write_text("version: 1.2.3\n", encoding="utf-8")
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## [1.2.3] - 2026-01-02\n", encoding="utf-8")
    _git(tmp_path, "init", "-b", "main")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-m", "ready")
    return tmp_path


def _rewritten(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        _git(folder, "commit", "-am", "changed")

    return change


def test_what_is_ready_is_not_refused(ready: Path) -> None:
    assert list(check.missing(ready)) == []
    _git(ready, "tag", "v1.2.3")
    assert list(check.missing(ready, "v1.2.3")) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda folder: (folder / "new.txt").write_text("x", encoding="utf-8"), "the checkout has changes: new.txt"),
        (lambda folder: _git(folder, "tag", "v1.2.3"), "the tag v1.2.3 exists"),
        (lambda folder: _git(folder, "checkout", "-b", "other"), "the branch is other"),
        (_rewritten("CITATION.cff", "1.2.3", "1.2.2"), "CITATION.cff has version 1.2.2"),
        (_rewritten("CHANGELOG.md", "1.2.3", "1.2.2"), "CHANGELOG.md has no section [1.2.3]"),
        (_rewritten("CHANGELOG.md", "2026-01-02", "unreleased"), "has no date"),
        (_rewritten("brainscan/_version.py", "1.2.3", "1.2.3.dev0"), "no version MAJOR.MINOR.PATCH"),
    ],
    ids=["changes", "tag exists", "branch", "citation", "changelog", "date", "version"],
)
def test_what_is_not_ready_is_refused(ready: Path, change: Callable[[Path], object], reason: str) -> None:
    change(ready)
    assert any(reason in line for line in check.missing(ready))


def test_a_tag_of_another_version_is_refused(ready: Path) -> None:
    assert any("the tag is v9.9.9" in line for line in check.missing(ready, "v9.9.9"))


def test_the_release_target_checks_before_it_tags() -> None:
    recipe = (REPOSITORY / "Makefile").read_text(encoding="utf-8").partition("\nrelease:")[2].partition("\n\n")[0]
    order = [recipe.index(step) for step in (".ci/release_check.py", ".ci/run", "git tag -a")]
    assert order == sorted(order)


def test_the_version_is_the_package_s() -> None:
    import brainscan

    assert check.version_of(REPOSITORY) == brainscan.__version__


def test_the_sbom_lists_what_the_base_install_brings(tmp_path: Path) -> None:
    wheel = tmp_path / "brainscan.whl"
    wheel.write_bytes(b"wheel")
    document = sbom.document(wheel)
    names = {component["name"] for component in document["components"]}
    assert {"numpy", "scipy", "onnxruntime", "flatbuffers", "typer"} <= names  # flatbuffers by onnxruntime alone
    assert not names & {"brainscan", "torch", "numba", "lightning", "ruff", "mne"}
    refs = {component["bom-ref"] for component in document["components"]}
    refs.add(document["metadata"]["component"]["bom-ref"])
    assert {ref for row in document["dependencies"] for ref in (row["ref"], *row["dependsOn"])} == refs
    digest = hashlib.sha256(b"wheel").hexdigest()
    assert document["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": digest}]


def test_the_oldest_versions_are_those_that_pyproject_takes() -> None:
    lines = bounds.lower_bounds(REPOSITORY / "pyproject.toml")
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert len(lines) > 12
    for line in lines:
        pin = Requirement(line)
        assert re.search(rf'"{re.escape(pin.name)}(\[\w+\])?>={re.escape(str(pin.specifier)[2:])}["; ]', project), line
