"""Machine code is kept where this user may keep it, and nowhere else; kernels run either way."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch

from brainscan_models.ssd import jit, object_cache, ssd
from brainscan_models.ssd.object_cache import cache_folder, read_object, write_object

MODELS = Path(object_cache.__file__).parents[2]
NOBODY = 65534

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sets XDG_CACHE_HOME")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "brainscan" / "kernels"


@pytest.fixture
def reload_kernels():
    jit.load_kernel.cache_clear()
    yield
    jit.load_kernel.cache_clear()


def run_scan(arguments):
    y = ssd(*arguments, backend="native")
    torch.testing.assert_close(y, ssd(*arguments, backend="reference"), rtol=0, atol=1e-4)


def test_what_was_written_is_read_and_private(cache):
    write_object("kernel-1", "symbol", b"\0code\n\n")
    assert read_object("kernel-1") == ("symbol", b"\0code\n\n")
    assert read_object("kernel-2") is None
    assert cache.stat().st_mode & 0o077 == 0
    assert [file.name for file in cache.iterdir()] == ["kernel-1.kernel"]


@pytest.mark.parametrize("damage", [b"", b"half", b"\xff\n\xff\n\xff"])
def test_a_damaged_file_is_as_good_as_none(cache, damage):
    write_object("kernel", "symbol", b"code")
    (cache / "kernel.kernel").write_bytes(damage)
    assert read_object("kernel") is None
    write_object("kernel", "symbol", b"code")
    assert read_object("kernel") == ("symbol", b"code")


def test_a_changed_bit_is_noticed(cache):
    write_object("kernel", "symbol", b"code")
    content = bytearray((cache / "kernel.kernel").read_bytes())
    content[-1] ^= 1
    (cache / "kernel.kernel").write_bytes(content)
    assert read_object("kernel") is None


def test_a_folder_that_others_can_write_to_is_not_used(cache):
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    assert cache_folder() is None
    write_object("kernel", "symbol", b"code")
    assert not list(cache.iterdir())


def test_nothing_is_made_in_a_foreign_home(cache, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    write_object("kernel", "symbol", b"code")
    assert not cache.exists()


def test_no_home_at_all(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert cache_folder() is None


def test_a_full_disk_leaves_nothing_behind(cache, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    write_object("kernel", "symbol", b"code")
    assert not list(cache.iterdir())


def test_code_that_needs_numba_runs_but_is_not_kept(cache, reload_kernels, monkeypatch, scan_arguments):
    monkeypatch.setattr(jit, "_ALLOWED", ("nothing",))
    run_scan(scan_arguments((2, 40, 4, 4, 8)))
    assert not list(cache.glob("*"))


@pytest.mark.parametrize(
    ("name", "features", "expected"),
    [
        (None, None, None),
        ("haswell", None, ("haswell", "")),
        ("haswell", "+avx", ("haswell", "+avx")),
        ("generic", "", ("generic", "")),
    ],
)
def test_kernels_are_for_the_processor_that_numba_compiles_for(monkeypatch, name, features, expected):
    """Else code for one processor would be kept as if it were another's."""
    jit._fingerprint.cache_clear()
    for variable in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"):
        monkeypatch.delenv(variable, raising=False)
    own, usual = jit._processor(), jit._fingerprint()
    jit._fingerprint.cache_clear()
    if name is not None:
        monkeypatch.setenv("NUMBA_CPU_NAME", name)
    if features is not None:
        monkeypatch.setenv("NUMBA_CPU_FEATURES", features)
    assert jit._processor() == (expected or own)
    assert (jit._fingerprint() == usual) == (expected is None)
    jit._fingerprint.cache_clear()


CHILD = """
import os, sys
import torch
from brainscan_models.ssd import choose, ssd

def check(dtype):
    x, B = torch.randn(2, 9, 2, 4, dtype=dtype), torch.randn(2, 9, 3, dtype=dtype)
    arguments = (x, torch.rand(2, 9, 2, dtype=dtype), -torch.ones(2, dtype=dtype), B, B)
    assert choose(x) == "native"
    torch.testing.assert_close(ssd(*arguments), ssd(*arguments, backend="reference"))

{first}
check(torch.float32)
print("numba" in sys.modules)
"""

# Python itself may lie where the other user cannot read: what will be imported is imported before.
BECOME_NOBODY = f"""
check(torch.float64)
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
os.environ["HOME"] = os.environ["OTHER_HOME"]
from brainscan_models.ssd import jit
jit.load_kernel.cache_clear()
"""


def run_child(home, other_home="", first=""):
    environment = {**os.environ, "PYTHONPATH": str(MODELS), "OMP_NUM_THREADS": "1"}
    environment.pop("XDG_CACHE_HOME", None)
    environment.update(HOME=str(home), OTHER_HOME=str(other_home))
    command = [sys.executable, "-B", "-W", "error", "-c", CHILD.format(first=first)]
    result = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def kernels_in(home):
    return list(home.rglob("*.kernel"))


def test_the_second_start_does_without_numba(tmp_path):
    assert run_child(tmp_path) == "True"
    assert len(kernels_in(tmp_path)) == 2
    assert run_child(tmp_path) == "False"


@pytest.fixture
def home_of_nobody():
    """A folder that the other user owns, reaches (pytest's own is closed to it) and cannot write to."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "home"
        home.mkdir(mode=0o500)
        os.chown(home, NOBODY, NOBODY)
        yield home


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another")
def test_another_user_whose_home_is_read_only(tmp_path, home_of_nobody):
    assert run_child(tmp_path, home_of_nobody, BECOME_NOBODY) == "True"
    assert kernels_in(tmp_path)
    assert not list(home_of_nobody.iterdir())
