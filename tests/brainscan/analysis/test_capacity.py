"""What a machine bears: processors, memory, and the division of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.analysis import capacity
from brainscan.analysis.capacity import WORKER_BYTES, Division, divided, free_bytes, processors
from brainscan.model import workers


def _machine(monkeypatch: pytest.MonkeyPatch, n: int, workers_fit: float | None) -> None:
    monkeypatch.setattr(capacity, "processors", lambda: n)
    memory = None if workers_fit is None else int(workers_fit * WORKER_BYTES)
    monkeypatch.setattr(capacity, "free_bytes", lambda: memory)


@pytest.mark.parametrize(
    ("n", "fit", "asked", "threads", "most", "expected"),
    [
        (8, 100, 0, 0, None, (8, 1)),  # one thread a worker
        (8, 3.5, 0, 0, None, (3, 2)),  # memory bears three
        (8, 0.1, 0, 0, None, (1, 8)),  # always one
        (8, None, 0, 0, None, (8, 1)),  # nobody says how much memory there is
        (8, 100, 0, 4, None, (2, 4)),  # threads as asked for
        (8, 100, 0, 0, 2, (2, 4)),  # no more than have something to do
        (8, 100, 3, 0, None, (3, 2)),
        (2, 100, 5, 3, None, (5, 3)),  # as asked for, sensible or not
    ],
)
def test_a_machine_is_divided(
    monkeypatch: pytest.MonkeyPatch,
    n: int,
    fit: float | None,
    asked: int,
    threads: int,
    most: int | None,
    expected: tuple[int, int],
) -> None:
    _machine(monkeypatch, n, fit)
    assert divided(asked, threads, most) == Division(*expected)


def test_limits_of_a_container_hold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(capacity, "_GROUPS", tmp_path)
    monkeypatch.setattr(workers, "_QUOTA", tmp_path / "cpu.max")
    most, memory = processors(), free_bytes()
    (tmp_path / "cpu.max").write_text("max 100000\n", encoding="ascii")
    assert processors() == most
    (tmp_path / "cpu.max").write_text("50000 100000\n", encoding="ascii")
    assert processors() == 1
    (tmp_path / "memory.max").write_text("3000000\n", encoding="ascii")
    (tmp_path / "memory.current").write_text("1000000\n", encoding="ascii")
    assert free_bytes() == 2_000_000
    assert memory is None or memory > 2_000_000
