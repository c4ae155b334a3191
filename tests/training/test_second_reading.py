from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from brainscan.card import AmplitudeConfig, Card
from brainscan.model import checkpoint
from brainscan_models.network import Network
from brainscan_models.registry import V3_HYBRID, V3_LITE
from brainscan_training.second_reading import alone_config, begun, joined, main
from brainscan_training.side_by_side import widened
from tests.training.test_side_by_side import DESIGN, trained


def _taught(alone: Network) -> Network:
    """Return a second reading as its own training might leave it: the encoder as it was, a head that says something."""
    torch.manual_seed(9)
    with torch.no_grad():
        for name, tensor in alone.head.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 2.0)
            elif tensor.is_floating_point():
                tensor.add_(0.2 * torch.randn_like(tensor))
    return alone


@pytest.mark.parametrize("share", [0.2, 0.7])
def test_the_larger_logit_counts_with_so_much_taken_off_the_second(share: float) -> None:
    network = trained(1)
    alone = _taught(begun(network))
    eeg = torch.randn(2, 19, 640)
    with torch.no_grad():
        first, second = network.locate(eeg), alone.locate(eeg)
        logits = float((second.logits - first.logits).quantile(share))
    whole = joined(network, alone, logits)
    assert sum(p.numel() for p in whole.head.parameters()) == sum(
        p.numel() for n in (network, alone) for p in n.head.parameters()
    )
    with torch.no_grad():
        both = whole.locate(eeg)
        middle = slice(32, None, 64)  # of the head's steps; between them logits are interpolated
        expected = torch.maximum(first.logits, second.logits - logits)
    assert (expected == first.logits).any()
    assert (expected > first.logits).any()
    torch.testing.assert_close(both.logits[:, middle], expected[:, middle], rtol=0.0, atol=0.05)
    torch.testing.assert_close(both.features, first.features)


def test_a_second_reading_is_trained_on_the_encoder_as_it_is() -> None:
    network = trained(2)
    alone = begun(network)
    assert alone.mixer is None
    assert all(torch.equal(own, network.state_dict()[n]) for n, own in alone.state_dict().items() if "head" not in n)
    first = alone.encoder.stages[0].first.bias
    assert isinstance(first, nn.Parameter)
    with torch.no_grad():
        first += 1.0
    with pytest.raises(ValueError, match="not frozen"):
        joined(network, alone, 0.0)


def test_what_does_not_belong_together_is_refused() -> None:
    network = trained(1)
    with pytest.raises(ValueError, match="another design"):
        joined(network, network, 0.0)
    with pytest.raises(ValueError, match="room for a second"):
        alone_config(V3_LITE)
    twice = replace(DESIGN, head=replace(DESIGN.head, second=4))
    with pytest.raises(ValueError, match="room for a second"):
        alone_config(twice)
    with pytest.raises(ValueError, match="joined last"):
        widened(twice, 2)
    assert alone_config(V3_HYBRID).head.hidden == 64


def test_the_command_begins_and_joins_or_says_why_not(tmp_path: Path) -> None:
    names = ("model", "alone", "trained", "loud", "whole")
    model, alone, taught, loud, whole = (str(tmp_path / f"{name}.safetensors") for name in names)
    network = trained(1)
    card = Card(name="one", variant=DESIGN.to_mapping(), logit_shift=1.0, logit_scale=3.0)
    checkpoint.save(Path(model), network, card)
    assert main(["begin", model, alone]) == ""
    begun_as = checkpoint.load(alone)
    assert (begun_as.card.name, begun_as.card.logit_shift) == ("one-second", 0.0)
    read = _taught(begun_as.network)
    checkpoint.save(Path(taught), read, begun_as.card)
    checkpoint.save(Path(loud), read, replace(begun_as.card, amplitude=AmplitudeConfig(scale_uv=1.0)))
    assert main(["join", model, taught, "0.5", whole]) == ""
    loaded = checkpoint.load(whole)
    assert (loaded.card.name, loaded.card.logit_shift, loaded.card.logit_scale) == ("one", 0.0, 1.0)
    eeg = torch.randn(1, 19, 640)
    with torch.no_grad():
        torch.testing.assert_close(loaded.network(eeg), joined(network, read, 0.5)(eeg))
    assert "amplitudes are not" in main(["join", model, loud, "0.5", whole])
    assert "another design" in main(["join", model, model, "0.5", whole])
    assert "usage" in main(["join", model, taught, whole])
    assert "could not convert" in main(["join", model, taught, "much", whole])
    assert "no such model" in main(["begin", str(tmp_path / "absent.safetensors"), alone])
