"""What the tests cost, in the last lines: processor time and memory by process; ``--costs N`` lists the dearest tests.

Processor time, since a busy machine stretches only the wall's; that of child processes is counted in, and what a
fixture takes belongs to the test that first asks for it.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

if sys.platform != "win32":
    import resource

_KEY = "costs"
_MUCH_MB = 100
"""After a test that leaves so much behind, networks in circles of references among it, the rest need not carry it."""


@dataclass
class Costs:
    """Processor seconds and growth of memory by test, of one process or of several.

    Parameters
    ----------
    tests : list of (str, float, int)
        Name, processor seconds, and by how many MB the process was larger afterwards.
    workers : list of (float, int)
        Processor seconds and peak MB of each process, from its start to its end.
    """

    tests: list[tuple[str, float, int]] = field(default_factory=list)
    workers: list[tuple[float, int]] = field(default_factory=list)


def processor_s() -> float:
    """Return the processor seconds of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def peak_mb() -> int:
    """Return the most memory that this process held, 0 where the system does not tell."""
    if sys.platform == "win32":
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1 << 20 if sys.platform == "darwin" else 1 << 10)


def held_mb() -> int:
    """Return the memory that this process holds now, 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * resource.getpagesize() >> 20
    except OSError:
        return 0


class Keeper:
    """Gives back to the system what is no longer held.

    Parameters
    ----------
    slack_mb : int
        By how much the process may have grown before that is worth a search of all objects, a quarter of a second.
    """

    def __init__(self, slack_mb: int) -> None:
        self._slack_mb, self._left_mb = slack_mb, 0

    def release(self) -> None:
        """Collect what nobody refers to, and hand freed memory back where that takes an extra word."""
        held = held_mb()
        if 0 < held <= self._left_mb + self._slack_mb:
            return
        gc.collect()
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None  # glibc's alone
        if trim is not None:
            trim(0)
        self._left_mb = held_mb()


keeper = Keeper(slack_mb=32)


class Plugin:
    """Counts in this process, and on the controller collects what the workers counted."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._costs = Costs()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        begin_s, begin_mb = processor_s(), held_mb()
        done = yield
        self._costs.tests.append((item.nodeid, processor_s() - begin_s, held_mb() - begin_mb))
        if held_mb() - begin_mb > _MUCH_MB:
            keeper.release()
        return done

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        if self._config.pluginmanager.hasplugin("dsession"):  # runs no test itself
            return
        self._costs.workers.append((processor_s(), peak_mb()))
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput[_KEY] = {"tests": self._costs.tests, "workers": self._costs.workers}

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        counted = getattr(node, "workeroutput", {}).get(_KEY)
        if counted:
            self._costs.tests += [tuple(row) for row in counted["tests"]]
            self._costs.workers += [tuple(row) for row in counted["workers"]]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if hasattr(self._config, "workeroutput") or not self._costs.workers:
            return
        workers = self._costs.workers
        total_s = sum(row[0] for row in workers)
        terminalreporter.write_line(
            f"processor time {total_s / 60:.1f} min in {len(workers)} process{'es' * (len(workers) > 1)},"
            f" at most {max(row[1] for row in workers)} MB in one"
        )
        for name, seconds, grown_mb in sorted(self._costs.tests, key=lambda row: -row[1])[: self._config.option.costs]:
            terminalreporter.write_line(f"{seconds:8.2f} s {grown_mb:+6d} MB  {name}")
