"""Freed memory stays with the process."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from brainscan.model.allocator import keep_freed_memory

TRIM, MMAP = -1, -3

_PROGRAM = """
import resource
import sys
import numpy as np
from brainscan.model.allocator import keep_freed_memory

if sys.argv[1] == "keep":
    assert keep_freed_memory()

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.ones(5 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
print(faults())
"""


def _faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", _PROGRAM, how], env={}, capture_output=True, text=True, check=True)
    return int(done.stdout)


def _takes_any_size() -> bool:
    """Whether this is a glibc whose threshold is not limited to 32 MiB."""
    name, version = platform.libc_ver()
    return name == "glibc" and tuple(map(int, version.split("."))) >= (2, 35)


def _c_library(monkeypatch: pytest.MonkeyPatch, **functions: Callable[[int, int], int]) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(**functions))
    for name in [name for name in os.environ if name.startswith("MALLOC_")]:
        monkeypatch.delenv(name)


@pytest.mark.skipif(not _takes_any_size(), reason="another C library, or an old one")
def test_a_large_array_is_not_fetched_from_the_system_again() -> None:
    assert _faults("keep") * 10 < _faults("leave")


@pytest.mark.parametrize(("largest", "expected"), [(1 << 40, 1 << 30), (1 << 25, 1 << 25)])
def test_as_large_as_the_library_takes(monkeypatch: pytest.MonkeyPatch, largest: int, expected: int) -> None:
    settings: dict[int, int] = {}

    def mallopt(option: int, value: int) -> int:
        if option == MMAP and value > largest:
            return 0
        settings[option] = value
        return 1

    _c_library(monkeypatch, mallopt=mallopt)
    assert keep_freed_memory.__wrapped__()
    assert settings == {MMAP: expected, TRIM: 2**31 - 1}


def test_the_trim_threshold_alone_is_never_set(monkeypatch: pytest.MonkeyPatch) -> None:
    settings: list[int] = []

    def mallopt(option: int, value: int) -> int:
        settings.append(option)
        return int(option == TRIM)

    _c_library(monkeypatch, mallopt=mallopt)
    assert not keep_freed_memory.__wrapped__()
    assert TRIM not in settings


def test_other_libraries_and_other_people_s_settings_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    _c_library(monkeypatch)
    assert not keep_freed_memory.__wrapped__()
    _c_library(monkeypatch, mallopt=lambda option, value: 1)
    assert keep_freed_memory.__wrapped__()
    monkeypatch.setenv("MALLOC_ARENA_MAX", "2")
    assert not keep_freed_memory.__wrapped__()
