"""The wheel holds what an installed brainscan needs and nothing else; versions and pins agree."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import brainscan
from brainscan.io.container_formats import CONTAINERS
from brainscan.model.extras import PACKAGES

_REPOSITORY = Path(__file__).resolve().parents[2]
_SOURCES = {
    "brainscan": "brainscan",
    "models/brainscan_models": "brainscan_models",
    "training/brainscan_training": "brainscan_training",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the names inside a freshly built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=_REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def project() -> dict[str, object]:
    """Return the ``project`` table of pyproject.toml."""
    table: dict[str, object] = tomllib.loads((_REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def _pins() -> dict[str, str]:
    lines = (_REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


def test_wheel_has_three_packages_and_no_name_twice(wheel: list[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(_SOURCES.values())
    assert len(wheel) == len(set(wheel))


def test_wheel_has_every_module(wheel: list[str]) -> None:
    expected = {
        f"{package}/{path.relative_to(_REPOSITORY / source).as_posix()}"
        for source, package in _SOURCES.items()
        for path in (_REPOSITORY / source).rglob("*.py")
    }
    assert expected == {name for name in wheel if name.endswith(".py")}
    assert {f"{package}/py.typed" for package in _SOURCES.values()} <= set(wheel)


def test_wheel_has_configurations_weights_and_licence(wheel: list[str]) -> None:
    configs = {
        f"brainscan/configs/{path.relative_to(_REPOSITORY / 'configs').as_posix()}"
        for path in (_REPOSITORY / "configs").rglob("*.yaml")
    }
    weights = {
        path.relative_to(_REPOSITORY).as_posix()
        for path in (_REPOSITORY / "brainscan" / "model" / "weights").rglob("*")
        if path.suffix in {".safetensors", ".json", ".onnx"} and path.is_file()
    }
    assert configs
    assert "brainscan/model/weights/default.safetensors" in weights
    assert "brainscan/model/weights/default.onnx/before_pe.onnx" in weights
    assert configs | weights <= set(wheel)
    assert "brainscan/report/page.html.j2" in wheel
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel)


def test_wheel_has_no_recording(wheel: list[str]) -> None:
    assert [name for name in wheel if Path(name).suffix.lower() in {".edf", ".bdf", ".csv_bi", ".npz"}] == []


def test_every_dependency_is_pinned_within_its_range(project: dict[str, object]) -> None:
    extras = project["optional-dependencies"]
    assert isinstance(extras, dict)
    assert isinstance(project["dependencies"], list)
    # The gpu extra compiles against the machine's own CUDA; nothing was tested that could be pinned.
    named = [text for extra, texts in extras.items() if extra != "gpu" for text in texts]
    requirements = [Requirement(text) for text in [*project["dependencies"], *named]]
    pins = _pins()
    wrong = [
        str(requirement)
        for requirement in requirements
        if requirement.name != "brainscan"
        and not requirement.specifier.contains(pins.get(canonicalize_name(requirement.name), "0"))
    ]
    assert wrong == []


def test_every_extra_is_there_for_something(project: dict[str, object]) -> None:
    """What no file imports is installed for nothing; `doctor` lists the extras by what they import."""
    extras = project["optional-dependencies"]
    assert isinstance(extras, dict)
    assert set(PACKAGES) == set(extras) - {"dev", "docs", "all"}
    wanted = {name for names in PACKAGES.values() for name in names}
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for room in ("brainscan", "models", "training", "tests", "benchmarks")
        for path in (_REPOSITORY / room).rglob("*.py")
    )
    imported = re.compile(
        r"""(?:^\s*(?:from|import)\s+|importorskip\("|import_module\("|find_spec\(")(\w+)""", re.MULTILINE
    )
    # Some are there for MNE, which imports them.
    for_mne = {module for row in CONTAINERS for module in row.modules}
    assert wanted <= set(imported.findall(text)) | for_mne


def test_pins_are_public_versions_in_order() -> None:
    assert [name for name, version in _pins().items() if Version(version).local] == []
    names = list(_pins())
    assert names == sorted(names)


def test_one_version_everywhere() -> None:
    citation = (_REPOSITORY / "CITATION.cff").read_text(encoding="utf-8")
    changelog = (_REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.+)$", citation, re.MULTILINE) == [brainscan.__version__]
    assert f"## [{brainscan.__version__}]" in changelog
