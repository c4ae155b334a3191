"""Machine code is kept where this user may keep it, and nowhere else; kernels run either way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from brainscan_models.ssd import jit, native, object_cache
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
    jit._load.cache_clear()
    yield
    jit._load.cache_clear()


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


def doubles(first, stop, _numbers, table):
    for i in range(first, stop):
        table[0][i] *= 2.0


def doubles_in_memory_of_numba(first, stop, _numbers, table):
    room = np.zeros(stop)
    for i in range(first, stop):
        room[i] = 2.0 * table[0][i]
    for i in range(first, stop):
        table[0][i] = room[i]


@pytest.fixture
def compiled(cache, reload_kernels, monkeypatch):
    """Make `doubles` a kernel; return the names of those that were compiled."""
    from brainscan_models.ssd import kernels_sequences  # and Numba

    monkeypatch.setattr(kernels_sequences, "any", doubles, raising=False)
    names, compile_it = [], jit._compile
    monkeypatch.setattr(jit, "_compile", lambda *of: names.append(of[0]) or compile_it(*of))
    return names


def test_what_another_process_compiles_meanwhile_is_waited_for(compiled, monkeypatch):
    import fcntl

    holder = os.open(cache_folder(), os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    code = jit._as_object(jit._compile("any", "float32", 1))

    def ends(_):
        write_object(f"any-float32-{jit._fingerprint()}", *code)
        os.close(holder)

    monkeypatch.setattr(object_cache.time, "sleep", ends)
    values = np.ones(1, dtype=np.float32)
    jit.load_kernel("any", "float32", 1)(0, 1, None, np.array([values.ctypes.data]).ctypes.data)
    assert values.tolist() == [2.0]
    assert len(compiled) == 1


def test_a_process_that_does_not_end_is_not_waited_for_forever(compiled, cache, monkeypatch):
    import fcntl

    holder, waited = os.open(cache_folder(), os.O_RDONLY), []
    fcntl.flock(holder, fcntl.LOCK_EX)
    monkeypatch.setattr(object_cache.time, "sleep", waited.append)
    try:
        jit.load_kernel("any", "float32", 1)
    finally:
        os.close(holder)
    assert 10.0 < sum(waited) < 100.0
    assert len(list(cache.iterdir())) == len(compiled) == 1


@pytest.mark.parametrize("name", ["open", "flock"])
def test_where_nothing_can_be_locked_nothing_is_held(cache, monkeypatch, name):
    def fail(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(object_cache.fcntl if name == "flock" else object_cache.os, name, fail)
    with object_cache.compiling_alone(), object_cache.compiling_alone():
        pass


def test_threads_compile_a_kernel_once(compiled):
    with ThreadPoolExecutor(4) as pool:
        kernels = list(pool.map(lambda _: jit.load_kernel("any", "float32", 1), range(4)))
    assert len(compiled) == len({id(kernel) for kernel in kernels}) == 1


@pytest.mark.parametrize(("kernel", "kept"), [(doubles, 1), (doubles_in_memory_of_numba, 0)])
def test_code_that_needs_numba_runs_but_is_not_kept(cache, reload_kernels, monkeypatch, kernel, kept):
    from brainscan_models.ssd import kernels_sequences  # and Numba

    monkeypatch.setattr(kernels_sequences, "any", kernel, raising=False)
    values = np.arange(5, dtype=np.float32)
    tables = np.array([values.ctypes.data])
    jit.load_kernel("any", "float32", 1)(1, 4, None, tables.ctypes.data)
    assert values.tolist() == [0.0, 2.0, 4.0, 6.0, 4.0]
    assert len(list(cache.glob("*"))) == kept


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
    assert (ssd(*arguments) - ssd(*arguments, backend="reference")).abs().max() < 1e-5

{first}
check(torch.float32)
print("numba" in sys.modules)
"""

# Python itself may lie where the other user cannot read: what compiling imports is imported before.
BECOME_NOBODY = f"""
import numba
check(torch.float32)
numba.cfunc("void(int64)")(lambda n: None)
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
os.environ["HOME"] = os.environ["OTHER_HOME"]
from brainscan_models.ssd import jit, object_cache
jit._load.cache_clear()
assert object_cache.cache_folder() is None
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


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """Return a home in which a first start compiled the scan, and what that printed; the mixer, dearer, was there."""
    home = tmp_path_factory.mktemp("home")
    name = f"mixer_forward-float32-{jit._fingerprint()}.kernel"
    native.prepare()
    own = cache_folder()
    if own is not None and (own / name).exists():
        folder = home / ".cache" / "brainscan" / "kernels"
        folder.mkdir(parents=True, mode=0o700)
        shutil.copy(own / name, folder)
    return home, run_child(home)


def test_the_second_start_does_without_numba(started):
    home, printed = started
    assert printed == "True"
    assert len(kernels_in(home)) == 2
    assert run_child(home) == "False"


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
def test_another_user_whose_home_is_read_only(started, home_of_nobody):
    assert run_child(started[0], home_of_nobody, BECOME_NOBODY) == "True"
    assert not list(home_of_nobody.iterdir())
