"""What training takes for truth: by the same rules as `convert` and `evaluate`."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan_training.corpora.layout import read_corpus

HEAD = "onset\tduration\ttrial_type\n"


def gathered(tmp_path: Path, table: str) -> tuple[int | None, str]:
    """Return how many seizures a recording has by its table, or why it cannot be used."""
    recording = tmp_path / "a.edf"
    recording.write_bytes(b"")
    recording.with_suffix(".tsv").write_text(table, encoding="utf-8")
    corpus = read_corpus(tmp_path)
    if corpus.unusable:
        return None, corpus.unusable[0].reason
    return len(corpus.items[0].seizures), ""


@pytest.mark.parametrize(
    ("rows", "n_seizures", "reason"),
    [
        ("10\t5\tseizure\n30\t5\tSeizure 2\n", 2, ""),
        ("10\t5\tseizure\n12\t5\timpd\n", 1, ""),
        ("10\t5\tsz\n12\t9\tsz\n", 1, ""),
        ("0\t60\tbckg\n", 0, ""),
        ("10\t5\tseizure\n30\t5\tseizure?\n", None, "line 3: 'seizure?' at 30 s"),
        ("10\t5\teyes open\n", None, "names no seizure and no background"),
    ],
)
def test_one_rule(tmp_path: Path, rows: str, n_seizures: int | None, reason: str) -> None:
    found, why = gathered(tmp_path, HEAD + rows)
    assert found == n_seizures
    assert reason in why
