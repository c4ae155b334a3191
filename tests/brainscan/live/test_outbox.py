"""What waits on disk: nothing is lost, nothing told twice, whatever happens between."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.errors import OutputError
from brainscan.live.lives import Known
from brainscan.live.outbox import Outbox, place_of


def _document(number: int, kind: str = "open") -> dict[str, object]:
    return {"id": f"abc-{number}", "kind": kind, "onset_s": 10.0 * number, "until_s": 10.0 * number + 5.0}


def test_what_was_put_in_waits_until_it_is_done_also_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state" / "box.jsonl"
    box = Outbox(path)
    assert box.put("abc-1:open", _document(1))
    assert box.put("abc-2:open", _document(2))
    assert not box.put("abc-1:open", _document(1))
    box.done("abc-1:open")
    for again in (box, Outbox(path)):
        assert again.waiting() == [("abc-2:open", _document(2))]
        assert not again.put("abc-1:open", _document(1))
        assert again.known == (Known("abc-1", 10.0, 15.0, True), Known("abc-2", 20.0, 25.0, True))


def test_what_was_closed_or_withdrawn_is_not_open(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box.jsonl")
    for number, kind in ((1, "close"), (2, "withdraw")):
        box.put(f"{number}:open", _document(number))
        box.put(f"{number}:{kind}", {**_document(number, kind), "until_s": 99.0})
    assert box.known == (Known("abc-1", 10.0, 99.0, False), Known("abc-2", 20.0, 99.0, False))


@given(cut=st.integers(0, 10_000))
def test_a_torn_line_is_none(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("box") / "box.jsonl"
    box = Outbox(path)
    for number in range(4):
        box.put(str(number), _document(number))
    box.done("0")
    data = path.read_bytes()
    path.write_bytes(data[: cut % (len(data) + 1)])
    again = Outbox(path)
    for number in range(4):
        again.put(str(number), _document(number))
    names = [name for name, _ in again.waiting()]
    assert names in (["0", "1", "2", "3"], ["1", "2", "3"])
    assert [name for name, _ in Outbox(path).waiting()] == names


def test_foreign_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "box.jsonl"
    lines = [
        "",
        "nonsense",
        "[]",
        "3",
        '{"put": "x"}',
        json.dumps({"put": "y", "document": {"id": "a", "onset_s": "?"}}),
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    box = Outbox(path)
    assert (box.waiting(), box.known) == ([], ())


def test_places_tell_streams_and_targets_apart_and_name_neither(tmp_path: Path) -> None:
    places = {place_of(tmp_path, stream, target) for stream in ("a", "b") for target in ("http://x", "command y")}
    assert len(places) == 4
    assert not any("http" in place.name or "command" in place.name for place in places)


def test_old_outboxes_go(tmp_path: Path) -> None:
    old, young = tmp_path / "old.jsonl", tmp_path / "young.jsonl"
    for path in (old, young):
        path.write_bytes(b"")
    long_ago = time.time() - 61 * 86_400
    os.utime(old, (long_ago, long_ago))
    Outbox(tmp_path / "new.jsonl")
    assert (old.exists(), young.exists()) == (False, True)


def test_a_place_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError):
        Outbox(tmp_path / "file" / "box.jsonl")
    (tmp_path / "box.jsonl").mkdir()
    with pytest.raises(OutputError):
        Outbox(tmp_path / "box.jsonl")
