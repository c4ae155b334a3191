"""``make reproduce`` on small trees of each corpus' shape: counts, differences, scorers, the page beside others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import published
from benchmarks.reproduce import SCORERS, Counted, as_markdown, differences, reproduce
from tests.training import corpus_trees as trees

DOCS = Path(__file__).parents[3] / "docs"


def tree_of(corpus: str, root: Path, clips: Path) -> Path:
    clips.mkdir()
    with_one, without = trees.noise_clip(clips, (3, 9)), trees.noise_clip(clips)
    if corpus == "tusz":
        parts = (("dev", "aaaaaaaa", with_one), ("eval", "aaaaaaac", with_one), ("eval", "aaaaaaad", without))
        return trees.tusz(root, parts)
    if corpus == "seizeit":
        return trees.bids(root, (("001", with_one), ("002", without)))
    names = ("chb01", "chb02") if corpus == "chbmit" else ("PN00", "PN01")
    lay_out = trees.chbmit if corpus == "chbmit" else trees.siena
    return lay_out(root, tuple(zip(names, (with_one, without), strict=True)))


@pytest.mark.slow
@pytest.mark.parametrize("corpus", ["tusz", "chbmit", "siena", "seizeit"])
def test_each_corpus_is_counted_scored_and_put_beside_the_published(corpus: str, tmp_path: Path) -> None:
    data = tree_of(corpus, tmp_path / "data", tmp_path / "clips")
    document = reproduce(corpus, data, "default", tmp_path / "out")
    scored = document["parts"][-1]
    assert (scored["patients"], scored["recordings"], scored["seizures"]) == (2, 2, 1)
    assert any(text.startswith("patients: 2 instead of") for text in scored["differences"])
    assert [row["scorer"] for row in document["rows"]] == [name for name in SCORERS.values() for _ in range(3)]
    assert all((tmp_path / "out" / scorer / "metrics.json").is_file() for scorer in SCORERS)
    assert bool(document["frozen"]) == (corpus == "tusz")
    assert bool(document["no_test"]) == (corpus == "chbmit")
    page = as_markdown(document)
    assert ("33.9 %" in page) == (corpus == "tusz")
    metrics = json.loads((tmp_path / "out" / "szcore" / "metrics.json").read_text())
    assert metrics["scorer"] == "szcore"


def test_differences_are_named_and_hours_may_be_off_by_a_hundredth() -> None:
    size = published.Size(14, 41, 128.0, 47, "somebody")
    assert differences(Counted(14, 41, 128.9, 47), size) == []
    found = differences(Counted(13, 41, 120.0, 46, (("a.edf", "cannot be read"),)), size)
    assert found == [
        "patients: 13 instead of 14",
        "hours: 120.0 instead of 128",
        "seizures: 46 instead of 47",
        "a.edf: cannot be read",
    ]


def test_what_nobody_published_is_no_difference() -> None:
    assert differences(Counted(1, 2, 3.0, 4), published.Size(None, None, None, None, "nobody")) == []


def test_the_page_of_peers_holds_the_published_tables() -> None:
    text = (DOCS / "peers.md").read_text("utf-8")
    assert published.table() in text
    assert published.sizes_table() in text
