"""``doctor``: facts of the machine, and the self-test's verdict in the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan import doctor
from brainscan._version import __version__
from brainscan.model import selftest
from brainscan.model.extras import PACKAGES
from brainscan.model.selftest import SelfTest
from tests.brainscan.cli.conftest import Run
from tests.stand_ins import save_tiny


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the self-test pass without running it."""
    monkeypatch.setattr(selftest, "run", lambda: SelfTest(True, "logits within 0", 0.0, 1.0))


@pytest.mark.usefixtures("passed")
def test_json(run: Run) -> None:
    ran = run("doctor", "--json")
    assert ran.code == 0
    document = ran.json
    assert document["versions"]["brainscan"] == __version__
    assert document["versions"]["torch"] != "absent"
    assert document["processors"] >= 1
    assert set(document["extras"]) == set(PACKAGES)
    assert {"auto", "reference", "chunked", "native", "mamba_ssm", "onnx"} <= set(document["backends"])
    assert document["backends"]["reference"]["usable"]
    assert set(document["weights"]) == {"default", "v3", "v3-hybrid-pair-second", "v3-hybrid", "v3-lite"}
    assert document["bfloat16"].startswith(("usable", "not usable"))
    assert document["self_test"]["passed"]


@pytest.mark.usefixtures("passed")
def test_for_people(run: Run) -> None:
    ran = run("doctor")
    assert ran.code == 0
    assert "self-test" in ran.out
    assert "passed" in ran.out


@pytest.mark.usefixtures("passed")
def test_absent_packages_say_how_to_get_them(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PACKAGES, "mne", ("no_such_package",))
    monkeypatch.setattr(doctor, "_PACKAGES", ("no-such-package",))
    assert 'incomplete (no_such_package): pip install "brainscan[mne]"' in run("doctor").out
    assert run("doctor", "--json").json["versions"]["no-such-package"] == "absent"


def test_other_weights_fail_the_self_test(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sound checkpoint, checksum and all, in the place of the shipped one."""
    save_tiny(tmp_path / "tiny.safetensors")
    monkeypatch.setattr("brainscan.model.checkpoint.locate", lambda name: tmp_path / "tiny.safetensors")
    ran = run("doctor", "--json")
    assert ran.code == 4
    assert ran.json["error"]["kind"] == "model"
    assert not ran.json["self_test"]["passed"]
    assert "the self-test failed" in ran.errors[0]


def test_extras_are_those_of_the_package() -> None:
    import tomllib

    text = (Path(__file__).resolve().parents[3] / "pyproject.toml").read_text("utf-8")
    declared = set(tomllib.loads(text)["project"]["optional-dependencies"])
    assert set(PACKAGES) == declared - {"dev", "docs", "all"}
