"""Threads that take pieces of work whole."""

from __future__ import annotations

import os
import threading

import pytest
import torch

from brainscan.model.workers import Workers


def test_results_come_in_the_order_of_the_pieces() -> None:
    futures = Workers(3).submit(lambda n: n * n, range(20))
    assert [future.result() for future in futures] == [n * n for n in range(20)]


def test_each_thread_has_one_thread_of_torch_inside_and_the_caller_keeps_its_own() -> None:
    before = torch.get_num_threads()
    together = threading.Barrier(3)

    def threads(_: int) -> tuple[int, int]:
        together.wait(timeout=10)  # all three are at work at the same time
        return threading.get_ident(), torch.get_num_threads()

    found = [future.result() for future in Workers(3).submit(threads, range(3))]
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
