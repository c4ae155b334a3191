"""What `info` says of models, without torch."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from brainscan.errors import ModelError
from brainscan.model import checkpoint
from brainscan.model.description import describe, is_model
from brainscan_models.registry import build
from tests.stand_ins import TINY, save_tiny

_REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.safetensors", b"", True),
        ("a.bin", struct.pack("<Q", 10) + b'{"a": {}  }', True),
        ("a.edf", b"0       " + b" " * 248, False),
        ("a.json", b'{"a": 1}     ', False),
        ("empty", b"", False),
    ],
)
def test_models_are_told_from_recordings_by_content(tmp_path: Path, name: str, content: bytes, expected: bool) -> None:
    (tmp_path / name).write_bytes(content)
    assert is_model(str(tmp_path / name)) is expected


def test_names_are_models_unless_a_file_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert all(is_model(name) for name in ("default", "v3", "v3-hybrid-pair-second", "v3-hybrid", "v3-lite"))
    assert not is_model("v4")
    (tmp_path / "v3").write_bytes(b"0       ")
    assert not is_model("v3")


def test_a_folder_is_a_model_if_it_holds_one(tmp_path: Path) -> None:
    assert not is_model(str(tmp_path))
    save_tiny(tmp_path / checkpoint.FOLDER_WEIGHTS)
    assert is_model(str(tmp_path))


def test_a_checkpoint_is_described_by_its_card(tmp_path: Path) -> None:
    save_tiny(tmp_path / "tiny.safetensors")
    facts = describe(str(tmp_path / "tiny.safetensors"))
    assert facts.trained
    assert facts.variant == "custom"
    assert facts.parameters == sum(p.numel() for p in build(TINY).parameters())
    assert facts.card.name == "tiny"


def test_v3_answers_from_its_configuration() -> None:
    facts = describe("v3")
    assert facts.parameters == 31_475_722
    assert facts.variant == "v3"
    assert not facts.trained
    assert facts.card.sha256 == ""


def test_v3_hybrid_answers_from_its_configuration_where_no_weights_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Path:
        raise ModelError("not installed")

    monkeypatch.setattr(checkpoint, "locate", absent)
    facts = describe("v3-hybrid")
    assert facts.variant == "v3-hybrid"
    assert 0 < facts.parameters <= 2_500_000
    assert not facts.trained
    with pytest.raises(ModelError, match="not installed"):
        describe("default")


def test_a_damaged_model_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelError):
        describe(str(tmp_path / "a.safetensors"))


def test_no_torch_is_loaded() -> None:
    program = (
        "import sys\n"
        f"sys.path[:0] = {[str(_REPOSITORY), str(_REPOSITORY / 'models')]!r}\n"
        "from brainscan.model.description import describe\n"
        "describe('v3')\n"
        "print('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
