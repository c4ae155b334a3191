"""Networks of one design side by side in a single one, as wide as all of them, whose logit is the mean of theirs.

A mean of several trainings is wanted as one network: one file, one card, one export, and wide convolutions instead of
a loop over narrow ones. Weights between one network's channels and another's are zero.

    python -m brainscan_training.side_by_side MODEL.safetensors OTHER.safetensors [...] TARGET.safetensors

writes it with the first one's card, without what is true of that network alone: where its logits lie (`placing` comes
next), operating points, what it knows (`familiarity`), and what caps with fewer electrodes find.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from brainscan.card import Card
from brainscan.errors import BrainscanError
from brainscan.model import checkpoint
from brainscan_models.config import NetworkConfig
from brainscan_models.network import Network
from brainscan_models.registry import VARIANTS

Tensors = Mapping[str, Tensor]

_EPS = torch.nn.BatchNorm2d(1).eps


def widened(config: NetworkConfig, times: int) -> NetworkConfig:
    """Return a design of so many times the channels everywhere.

    Raises
    ------
    ValueError
        If it has parts that would not stay apart: streams, a graph, residual stages, a decoder of more than one
        convolution, or statistics of each window (only ``norm: batch`` keeps a channel's to itself).
    """
    encoders = (config.encoder, config.mixer)
    if config.mixer is None or not config.encoder.shared or config.scans or config.graph or config.decoder.widths:
        raise ValueError("only a shared encoder beside a mixing one, without streams, graph and decoder stages, can")
    if config.head.second:
        raise ValueError("a second reading is joined last (python -m brainscan_training.second_reading)")
    if any(e and (e.norm != "batch" or any(e.second_kernels)) for e in encoders):
        raise ValueError("only encoders of plain stages with batch statistics can")

    def wider(widths: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(times * width for width in widths)

    return replace(
        config,
        encoder=replace(config.encoder, widths=wider(config.encoder.widths)),
        mixer=replace(config.mixer, widths=wider(config.mixer.widths)),
        bottleneck=replace(config.bottleneck, d_model=times * config.bottleneck.d_model),
        nodes=replace(config.nodes, d_model=times * config.nodes.d_model),
        decoder=replace(config.decoder, channels=times * config.decoder.channels),
        head=replace(config.head, hidden=times * config.head.hidden),
    )


def side_by_side(networks: Sequence[Network]) -> Network:
    """Return the network whose logit is the mean of several.

    Parameters
    ----------
    networks : sequence of Network
        Of the same design, at least one.

    Returns
    -------
    Network
        In evaluation. It differs from the mean by rounding, and at a window's ends by how far the average of the
        trainings' inputs lies from zero (less than a hundredth of their spread).

    Raises
    ------
    ValueError
        If designs differ, or are none of those that `widened` takes.
    """
    config = networks[0].config
    if any(network.config != config for network in networks):
        raise ValueError("the networks are not of the same design")
    wide = Network(widened(config, len(networks))).eval()
    own = [_on_plain_input(network.state_dict()) for network in networks]
    parts = (*3 * (config.decoder.channels,), config.trunk_width)  # of the head's input: averages, then maxima
    order = torch.cat(_places(2 * parts, len(networks))).argsort()
    wide.load_state_dict({name: _joined(name, [tensors[name] for tensors in own], order) for name in own[0]})
    return wide


def _joined(name: str, own: Sequence[Tensor], order: Tensor) -> Tensor:
    """Return a tensor of the wide network, from those of the same name; `order` is that of its head's input."""
    kind = name.rpartition(".")[2]
    if kind == "num_batches_tracked" or name.endswith(_INPUT_STATISTICS):
        return own[0]
    if name == "head.project.weight":
        return torch.cat(tuple(own), dim=1) / len(own)
    if name == "head.project.bias":
        return torch.stack(tuple(own)).mean(dim=0)
    if name.startswith("head.norm."):
        return torch.cat(tuple(own))[order]
    if name == "head.join.weight":
        return _blocks(own)[:, order]
    if kind in ("weight", "original1"):
        # Of the second, a weight's direction, the length of each output's part is what it was: the rest is zero.
        return torch.cat(tuple(own)) if name.endswith(_INPUT_WEIGHT) else _blocks(own)
    return torch.cat(tuple(own))


_INPUT_STATISTICS = ("stages.0.norm.running_mean", "stages.0.norm.running_var")
_INPUT_LENGTH, _INPUT_WEIGHT = (f"stages.0.first.parametrizations.weight.original{n}" for n in (0, 1))


def _on_plain_input(tensors: Tensors) -> dict[str, Tensor]:
    """Return a network's tensors with what standardises its input in its first weights.

    All networks see the same input, and each has its own statistics of it.
    """
    changed = dict(tensors)
    for encoder in ("encoder", "mixer"):
        mean, variance, bias, length, direction = (
            f"{encoder}.{name}" for name in (*_INPUT_STATISTICS, "stages.0.first.bias", _INPUT_LENGTH, _INPUT_WEIGHT)
        )
        scale = (tensors[variance] + _EPS).rsqrt()[None, :, None]
        unit = tensors[direction] / _length(tensors[direction])
        weight = tensors[length] * unit * scale
        changed[bias] = tensors[bias] - (weight * tensors[mean][None, :, None]).sum(dim=(1, 2))
        changed[length], changed[direction] = _length(weight), weight
        changed[mean] = torch.zeros_like(tensors[mean])
        changed[variance] = torch.full_like(tensors[variance], 1.0 - _EPS)
    return changed


def _length(weight: Tensor) -> Tensor:
    """Return the length of each output's part, shape (out, 1, 1)."""
    return weight.square().sum(dim=(1, 2), keepdim=True).sqrt()


def _places(parts: Sequence[int], networks: int) -> list[Tensor]:
    """Return where each network's features come to lie, where every part holds that of each network in turn."""
    places: list[list[Tensor]] = [[] for _ in range(networks)]
    first = 0
    for width in parts:
        for own in places:
            own.append(torch.arange(first, first + width))
            first += width
    return [torch.cat(own) for own in places]


def _blocks(weights: Sequence[Tensor]) -> Tensor:
    """Return weights of shape (out, in, taps) along the diagonal of a larger one, zero elsewhere."""
    outputs, inputs = (sum(weight.shape[axis] for weight in weights) for axis in (0, 1))
    joined = weights[0].new_zeros(outputs, inputs, weights[0].shape[2])
    row = column = 0
    for weight in weights:
        joined[row : row + weight.shape[0], column : column + weight.shape[1]] = weight
        row, column = row + weight.shape[0], column + weight.shape[1]
    return joined


def joined_card(cards: Sequence[Card], network: Network) -> Card:
    """Return the first network's card for the joined one, without what is true of that alone.

    Raises
    ------
    ValueError
        If the networks do not see the same of a recording.
    """
    first = cards[0]
    seen = {repr((card.rate_hz, card.filter, card.window, card.amplitude)) for card in cards}
    if len(seen) > 1:
        raise ValueError("the networks' filters, windows or amplitudes are not the same")
    return replace(
        first,
        name=next((name for name, known in VARIANTS.items() if known == network.config), first.name),
        variant=network.config.to_mapping(),
        logit_shift=0.0,
        logit_scale=1.0,
        confidence_map=(),
        operating_points={},
        familiarity=None,
        provenance=replace(first.provenance, caps={}, caps_weights=""),
    )


def main(arguments: Sequence[str]) -> str:
    """Join checkpoints as the arguments say; return what to say, empty where all went well."""
    try:
        *models, target = arguments
        if len(models) < 2:
            raise ValueError("two networks or more can lie side by side")
        loaded = [checkpoint.load(model) for model in models]
        network = side_by_side([each.network for each in loaded])
        checkpoint.save(Path(target), network, joined_card([each.card for each in loaded], network))
    except (BrainscanError, ValueError) as problem:
        return f"error: {problem}. usage: python -m brainscan_training.side_by_side MODEL OTHER [...] TARGET"
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or 0)
