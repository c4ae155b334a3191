"""What is written as JSON keeps to the schemas that docs/schemas publishes, and these do not change.

Every key is required and no other allowed: a field that is added, renamed or dropped fails here until there is a schema
with a new number. `published.sha256` holds those that are out: another file under their name fails too.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from brainscan.analysis.lazy_detector import LazyDetector
from brainscan.analysis.options import AnalysisOptions
from brainscan.detector import Detector
from brainscan.io.content import Content
from brainscan.io.detection_json import SCHEMA as DETECTION
from brainscan.io.event_formats import FORMATS
from brainscan.io.outputs import pieces
from brainscan.scan.config import ScanConfig
from brainscan.scan.run import scan
from brainscan.scan.tables import RUN
from brainscan.scan.tables import SCHEMA as RECORD
from tests.edf_files import FakeEdf, eeg
from tests.stand_ins import LoudnessRunner, noise, quick, recording_of, with_bursts

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"


def _check(document: Any, name: str) -> None:
    schema = json.loads((SCHEMAS / f"{name}.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)


def _detector() -> Detector:
    return Detector(LoudnessRunner(), quick())


def _document(uv: np.ndarray) -> Any:
    recording = recording_of(uv, 200)
    content = Content.of(_detector().detect(recording), recording)
    return json.loads(b"".join(pieces(content, FORMATS["json"])))


@pytest.mark.parametrize("spans", [(), ((100.0, 130.0), (200.0, 220.0))])
def test_a_detection_keeps_to_its_schema(spans: tuple[tuple[float, float], ...]) -> None:
    document = _document(with_bursts(noise(240.0, 200), 200, spans))
    assert len(document["events"]) == len(spans)
    _check(document, DETECTION)


def test_a_field_that_is_new_or_gone_fails() -> None:
    document = _document(with_bursts(noise(240.0, 200), 200, [(100.0, 130.0)]))
    event = document["events"][0]
    for changed in ({**event, "lobe": "temporal"}, {key: event[key] for key in event if key != "side"}):
        with pytest.raises(jsonschema.ValidationError):
            _check({**document, "events": [changed]}, DETECTION)


def test_a_scan_s_documents_keep_to_their_schemas(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "night.edf").write_bytes(FakeEdf(eeg(n_records=12), 12).data())
    (folder / "broken.edf").write_bytes(b"nothing")
    config = ScanConfig(folder, tmp_path / "out", formats=("json",), pages=False)
    scan(config, AnalysisOptions(), LazyDetector.ready(_detector()))
    _check(json.loads((config.out / RUN).read_bytes()), RECORD)
    _check(json.loads((config.out / "night.json").read_bytes()), DETECTION)


def test_a_published_schema_does_not_change() -> None:
    held = dict(reversed(line.split()) for line in (SCHEMAS / "published.sha256").read_text().splitlines())
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in SCHEMAS.glob("*.json")}
    assert found == held
    assert {f"{DETECTION}.json", f"{RECORD}.json"} <= set(found)
