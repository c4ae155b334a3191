"""A card's facts change, its tensors and decisions do not; the shipped card is what its YAML says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

from brainscan.errors import ModelError
from brainscan.mapping import from_mapping
from brainscan.model import checkpoint
from brainscan.model.recard import main, read_facts, recard
from brainscan.provenance import Provenance
from tests.stand_ins import save_tiny

FACTS = Path(__file__).parents[3] / "configs" / "cards" / "default.yaml"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    save_tiny(tmp_path / "m.safetensors")
    return tmp_path / "m.safetensors"


def test_the_shipped_card_says_what_its_file_says() -> None:
    facts = read_facts(FACTS)
    card = checkpoint.read_card(checkpoint.locate(checkpoint.DEFAULT))
    assert card.localisation == facts.pop("localisation")
    told, shipped = from_mapping(Provenance, facts), card.provenance
    assert {name: getattr(shipped, name) for name in facts} == {name: getattr(told, name) for name in facts}


def test_the_shipped_card_s_people_are_those_of_its_training_data() -> None:
    """Two tables of one card: by licence and by population."""
    provenance = checkpoint.read_card(checkpoint.locate(checkpoint.DEFAULT)).provenance
    real = [entry for entry in provenance.training_data if entry["subjects"] != "-"]
    assert sum(c.subjects for c in provenance.trained) == sum(int(entry["subjects"]) for entry in real)
    assert sum(c.seizures for c in provenance.trained) == sum(int(entry["seizures"]) for entry in real)
    assert sum(c.hours for c in provenance.trained) == pytest.approx(sum(float(entry["hours"]) for entry in real))


def test_only_what_the_file_names_changes(model: Path) -> None:
    before = checkpoint.load(str(model))
    recard(model, {"tested": [{"population": "adults", "ages_years": [20, 60], "subjects": 4, "hours": 80.0}]})
    after = checkpoint.load(str(model))
    (cohort,) = after.card.provenance.tested
    assert (cohort.population, cohort.ages_years, cohort.hours) == ("adults", (20.0, 60.0), 80.0)
    assert after.card.sha256 != before.card.sha256
    restored = replace(after.card, sha256=before.card.sha256, provenance=replace(after.card.provenance, tested=()))
    assert restored == before.card
    tensors = after.network.state_dict()
    assert all(torch.equal(tensor, tensors[name]) for name, tensor in before.network.state_dict().items())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("traned: []", "did you mean 'trained'"),
        ("trained: [{population: x, age: 3}]", "provenance.trained[0].age"),
        ("decision: {enter: 0.5}", "unknown key 'provenance.decision'"),
        ("localisation: stars", "localisation must be one of 'signal'"),
        ("- a", "holds no mapping"),
        ("a: [", "is not valid YAML"),
        (None, "cannot be read (no such file or directory)"),
    ],
)
def test_what_is_no_fact_of_a_card_changes_nothing(tmp_path: Path, model: Path, text: str | None, said: str) -> None:
    facts, before = tmp_path / "facts.yaml", model.read_bytes()
    if text is not None:
        facts.write_text(text, encoding="utf-8")
    assert said in main([str(facts), str(model)])
    assert model.read_bytes() == before


def _weights(path: Path) -> str:
    model = checkpoint.verify(path)
    return checkpoint.computing_sha256(model.file.tensors, model.card)


def test_figures_of_caps_belong_to_weights(model: Path) -> None:
    figures = {"auroc": 0.9, "found": 1, "seizures": 2, "false_alarms": 0, "hours": 1.0}
    figures |= {f"simulated_{name}": value for name, value in figures.items() if name != "auroc"}
    weights = _weights(model)
    for told, kept in ((weights, {"all"}), ("of others", set())):
        card = recard(model, {"caps": {"all": figures}, "caps_weights": told})
        assert set(card.provenance.caps) == kept
        assert bool(card.provenance.caps_weights) is bool(kept)


def test_the_command(tmp_path: Path, model: Path) -> None:
    facts = tmp_path / "facts.yaml"
    facts.write_text(yaml.safe_dump({"intended_use": "on one ward"}), encoding="utf-8")
    assert main([str(facts), str(model)]) == ""
    assert checkpoint.read_card(model).provenance.intended_use == "on one ward"
    assert "usage" in main([])
    with pytest.raises(ModelError):
        recard(tmp_path / "absent.safetensors", {})
