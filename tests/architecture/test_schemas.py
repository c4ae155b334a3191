"""What is written as JSON for other programs keeps to the schemas that docs/schemas publishes, and these do not change.

Every key is required and no other allowed: a field that is added, renamed or dropped fails wherever a test makes such a
document (`tests/documents.py`) until there is a schema with a new number. `published.sha256` holds those that are out:
another file under their name fails too.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from brainscan.detector import Detector
from brainscan.documents import spelled
from brainscan.io.content import Content
from brainscan.io.event_formats import FORMATS
from brainscan.io.outputs import pieces
from brainscan.live.messages import EventMessage, Lag, Message, Started, Unscored
from tests.documents import SCHEMAS, check, validators
from tests.stand_ins import LoudnessRunner, noise, quick, recording_of, with_bursts

_REPOSITORY = Path(__file__).resolve().parents[2]
_CODE = ("brainscan", "models", "training")

PRIVATE = {
    "brainscan/card.py": "the card in a checkpoint, which has its own version",
    "brainscan/evaluate/cache.py": "a cache",
    "brainscan/io/checksums.py": "a cache",
    "brainscan/io/curves.py": "origin in an .npz",
    "brainscan/io/origin.py": "a line of comment",
    "brainscan/io/trend_files.py": "origin in an .npz",
    "brainscan/live/command.py": "takes documents of messages.py along; tests of what arrives check it",
    "brainscan/live/outbox.py": "a queue of such documents",
    "brainscan/live/webhook.py": "takes documents of messages.py along; tests of what arrives check it",
    "brainscan/model/checkpoint.py": "the card beside weights",
    "brainscan/model/onnx_export.py": "beside exported graphs, which have their own version",
    "brainscan/model/onnx_folder.py": "beside exported graphs, which have their own version",
    "brainscan/model/selftest.py": "the self-test's numbers",
    "brainscan/model/tensors.py": "the header of a safetensors file",
    "brainscan/report/html_parts.py": "data of a page's own script",
    "brainscan/report/recording_page.py": "a key of a page's own script",
    "brainscan/scan/bids.py": "sidecars, which keep to the BIDS schema",
    "training/brainscan_training/asked.py": "a run's memory",
    "training/brainscan_training/cache.py": "a cache",
    "training/brainscan_training/run.py": "a run's memory",
    "training/brainscan_training/state.py": "a run's memory",
    "training/brainscan_training/teachers.py": "a run's memory",
}
"""Modules that write JSON which no other program is to read, and what it is."""


def _modules() -> Iterator[tuple[str, str]]:
    for folder in _CODE:
        for path in sorted((_REPOSITORY / folder).rglob("*.py")):
            yield path.relative_to(_REPOSITORY).as_posix(), path.read_text(encoding="utf-8")


def test_documents_for_other_programs_leave_by_one_door() -> None:
    writing = {name for name, text in _modules() if re.search(r"\bjson\.dumps?\(", text)}
    assert writing == {*PRIVATE, "brainscan/documents.py"}


def test_every_schema_that_the_code_names_is_published_and_the_other_way_round() -> None:
    named = {name for _, text in _modules() for name in re.findall(r'(?:\bSCHEMA =|"schema":) "(.+?)"', text)}
    published = {path.stem for path in SCHEMAS.glob("*.json")}
    newest: dict[str, int] = {}
    for of, _, number in (name.rpartition("-") for name in published):  # older ones stay for documents that name them
        newest[of] = max(newest.get(of, 0), int(number))
    assert {f"{of}-{number}" for of, number in newest.items()} == named
    assert set(validators()) == published
    for validator in validators().values():
        jsonschema.Draft202012Validator.check_schema(validator.schema)


def test_a_published_schema_does_not_change() -> None:
    held = dict(reversed(line.split()) for line in (SCHEMAS / "published.sha256").read_text().splitlines())
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in SCHEMAS.glob("*.json")}
    assert found == held


def test_no_document_leaves_without_a_schema_or_against_it() -> None:
    with pytest.raises(ValueError, match="name its schema"):
        spelled({"results": []})
    with pytest.raises(AssertionError, match=r"docs/schemas has no odd-1\.json"):
        spelled({"schema": "odd-1"})
    with pytest.raises(AssertionError, match="a schema with a new number"):
        spelled({"schema": "failure-1", "error": {"kind": "io", "message": "", "hint": "", "more": 1}})


def test_a_field_that_is_new_or_gone_fails() -> None:
    recording = recording_of(with_bursts(noise(240.0, 200), 200, [(100.0, 130.0)]), 200)
    content = Content.of(Detector(LoudnessRunner(), quick()).detect(recording), recording)
    document = json.loads(b"".join(pieces(content, FORMATS["json"])))
    check(document)
    (event,) = document["events"]
    for changed in ({**event, "lobe": "temporal"}, {key: event[key] for key in event if key != "side"}):
        with pytest.raises(AssertionError, match="a schema with a new number"):
            check({**document, "events": [changed]})


@pytest.mark.parametrize(
    "message",
    [
        *(EventMessage(kind, "x-1", 3.0, 9.0, 0.9, False, 20.0) for kind in ("open", "update", "close", "withdraw")),
        EventMessage("open", "x-1", 3.0, 9.0, 0.9, True, 20.0, clock=datetime(2024, 2, 1, 10)),
        Started("x", None, 91.0, 87.0, None, "m"),
        Unscored(3.0, 9.0, skipped=True),
        Lag(30.0, skipping=False),
    ],
)
def test_what_a_stream_says_keeps_to_its_schema(message: Message) -> None:
    check(message.as_mapping())


def _objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for value in schema.values():
            yield from _objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _objects(value)


@pytest.mark.parametrize("name", sorted(path.stem for path in SCHEMAS.glob("*.json")))
def test_no_object_takes_what_the_schema_does_not_name(name: str) -> None:
    for part in _objects(json.loads((SCHEMAS / f"{name}.json").read_bytes())):
        assert part["additionalProperties"] is False
        assert set(part["required"]) <= set(part["properties"])
