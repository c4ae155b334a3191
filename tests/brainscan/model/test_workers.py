"""Threads that take pieces of work whole."""

from __future__ import annotations

import os
import threading

import pytest
import torch

from brainscan.model.torch_threads import single_threaded
from brainscan.model.workers import Workers, processors, usual_threads


def test_results_come_in_the_order_of_the_pieces() -> None:
    futures = Workers(3).submit(lambda n: n * n, range(20))
    assert [future.result() for future in futures] == [n * n for n in range(20)]


def test_each_thread_has_one_thread_of_torch_inside_and_the_caller_keeps_its_own() -> None:
    before = torch.get_num_threads()
    together = threading.Barrier(3)

    def threads(_: int) -> tuple[int, int]:
        together.wait(timeout=10)  # all three are at work at the same time
        return threading.get_ident(), torch.get_num_threads()

    found = [future.result() for future in Workers(3, single_threaded).submit(threads, range(3))]
    assert len({who for who, _ in found}) == 3
    assert {count for _, count in found} == {1}
    inherited: list[int] = []
    later = threading.Thread(target=lambda: inherited.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert [torch.get_num_threads(), *inherited] == [before, before]


def test_errors_reach_who_waits() -> None:
    good, bad = Workers(1).submit(lambda n: 1 // n, [1, 0])
    assert good.result() == 1
    with pytest.raises(ZeroDivisionError):
        bad.result()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_starts_threads_of_its_own() -> None:
    workers = Workers(1)
    assert workers.submit(abs, [-1])[0].result() == 1
    child = os.fork()
    if child == 0:
        os._exit(workers.submit(abs, [-2])[0].result(timeout=20))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2


def test_there_must_be_a_worker() -> None:
    with pytest.raises(ValueError, match="worker"):
        Workers(0)


@pytest.mark.parametrize(("told", "threads"), [("3", 3), ("", None), ("0", None), ("4,2", None), ("many", None)])
def test_threads_are_the_processors_unless_openmp_s_variable_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, told: str, threads: int | None
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert usual_threads() == (threads or processors())


def test_a_system_that_tells_no_affinity_tells_its_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert processors() == (os.cpu_count() or 1)
