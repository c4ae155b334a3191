"""What an import may load: a detector that is asked for its version must not start PyTorch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import brainscan
from brainscan.cli.table import COMMANDS

_REPOSITORY = Path(__file__).resolve().parents[2]

# What a subcommand's own --help may load: the command line's machinery and the arrays that signatures speak of.
_ALLOWED_FOR_HELP = {
    "_distutils_hack",
    "annotated_doc",
    "click",
    "markdown_it",
    "mdurl",
    "numpy",
    "pygments",
    "rich",
    "shellingham",
    "typer",
    "typing_extensions",
}

_OURS = {"brainscan", "brainscan_models", "brainscan_training"}


def _loaded_by(statements: str) -> set[str]:
    """Return the third-party top-level modules that a fresh interpreter has loaded after some statements."""
    program = "\n".join(
        (
            "import sys",
            "before = set(sys.modules)",  # site hooks of this environment are not ours
            f"sys.path[:0] = {[str(_REPOSITORY), str(_REPOSITORY / 'models'), str(_REPOSITORY / 'training')]!r}",
            statements,
            "tops = {name.partition('.')[0] for name in set(sys.modules) - before}",
            "print('LOADED', *sorted(tops - set(sys.stdlib_module_names)))",
        )
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split()[1:]) - _OURS


def test_import_brainscan_needs_only_the_standard_library() -> None:
    assert _loaded_by("import brainscan") == set()


def test_overview_needs_only_the_standard_library() -> None:
    assert _loaded_by("from brainscan.cli.main import main\nassert main(['--help']) == 0") == set()


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_help_of_a_command_loads_no_heavy_module(name: str) -> None:
    loaded = _loaded_by(f"from brainscan.cli.main import main\nassert main([{name!r}, '--help']) == 0")
    assert loaded <= _ALLOWED_FOR_HELP


def test_an_absent_recording_is_answered_before_anything_reads_or_computes() -> None:
    """What a command parses its words with is loaded, and nothing of ours that needs more than the standard library."""
    for words in ([], ["--json"], ["--format", "json"], ["--anonymous-names"]):
        arguments = ["detect", "absent.edf", *words]
        loaded = _loaded_by(f"from brainscan.cli.main import main\nassert main({arguments!r}) == 3")
        assert "typer" in loaded
        assert not loaded & {"jinja2", "mne", "numpy", "scipy", "torch", "yaml"}


def test_networks_load_without_optional_packages() -> None:
    loaded = _loaded_by("import brainscan_models")
    assert not loaded & {"mamba_ssm", "torch_geometric", "lightning", "onnx", "mne"}


def test_public_names_are_these_and_load() -> None:
    assert sorted(brainscan.__all__) == [
        "Annotation",
        "BrainscanError",
        "DetectOptions",
        "Detection",
        "Detector",
        "Event",
        "Probabilities",
        "Recording",
        "RunConfig",
        "Trends",
        "__version__",
        "detect",
        "from_raw",
        "plot",
        "read",
        "trends",
    ]
    for name in brainscan.__all__:
        assert getattr(brainscan, name) is not None


def test_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'detekt'"):
        _ = brainscan.detekt
