"""A second reading of what the electrodes alone say, trained beside a finished network and joined with it.

A network that mixes the electrodes in its first layer learns how seizures of its training lie on the head. What it
pools over the electrodes knows nothing of place, and speaks for seizures of a kind that the mixture takes for quiet.
So a second reading of the pooled electrodes is trained by itself, on the finished network's own frozen encoder, and
the larger of both logits counts (`brainscan_models.decoder.PacedHead`).

    python -m brainscan_training.second_reading begin MODEL.safetensors ALONE.safetensors
    brainscan train --init ALONE.safetensors --set 'fine_tune.freeze=[encoder,decoder]' ...
    python -m brainscan_training.second_reading join MODEL.safetensors TRAINED.safetensors LOGITS TARGET.safetensors

The last writes MODEL with the second reading, which must rise so many logits higher than it reads, with MODEL's card
without what is true of that alone (as `side_by_side` does).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from brainscan.errors import BrainscanError
from brainscan.model import checkpoint
from brainscan_models.config import NetworkConfig
from brainscan_models.network import Network
from brainscan_training.side_by_side import joined_card

HIDDEN = 64

_SHARED = ("encoder.", "decoder.")
_HEAD = "head."
_SECOND = "head.second."


def alone_config(config: NetworkConfig) -> NetworkConfig:
    """Return the design of a network's shared encoder with a reading of its own.

    Raises
    ------
    ValueError
        If the network has no mixer beside a shared encoder, streams or a graph, or has a second reading already.
    """
    if config.mixer is None or config.scans or config.graph or config.head.second:
        raise ValueError("only a shared encoder beside a mixing one, without streams and graph, has room for a second")
    return replace(
        config,
        mixer=None,
        bottleneck=replace(config.bottleneck, d_model=config.encoder.widths[-1]),
        head=replace(config.head, hidden=HIDDEN),
    )


def begun(network: Network) -> Network:
    """Return a network's shared encoder with an untrained reading of its own, drawn from torch's global generator.

    Raises
    ------
    ValueError
        As `alone_config`.
    """
    alone = Network(alone_config(network.config))
    tensors = alone.state_dict()
    tensors.update({name: own for name, own in network.state_dict().items() if name.startswith(_SHARED)})
    alone.load_state_dict(tensors)
    return alone.eval()


def joined(network: Network, alone: Network, logits: float) -> Network:
    """Return a network with a second reading, which counts where it lies more than `logits` above the first.

    Parameters
    ----------
    network : Network
    alone : Network
        As `begun` made it, trained since with its encoder frozen.
    logits : float
        Taken off the second reading.

    Raises
    ------
    ValueError
        If `alone` is of another design, or its encoder has been changed.
    """
    if alone.config != alone_config(network.config):
        raise ValueError("the second reading does not belong to this network: another design")
    own, second = network.state_dict(), alone.state_dict()
    if any(not torch.equal(own[name], tensor) for name, tensor in second.items() if name.startswith(_SHARED)):
        raise ValueError("the second reading does not belong to this network: its encoder was not frozen")
    config = replace(network.config, head=replace(network.config.head, second=alone.config.head.hidden))
    whole = Network(config).eval()
    own |= {_SECOND + name.removeprefix(_HEAD): tensor for name, tensor in second.items() if name.startswith(_HEAD)}
    own[f"{_SECOND}project.bias"] = own[f"{_SECOND}project.bias"] - logits
    whole.load_state_dict(own)
    return whole


def main(arguments: Sequence[str]) -> str:
    """Do what the arguments say; return what to say, empty where all went well."""
    try:
        match list(arguments):
            case ["begin", model, target]:
                loaded = checkpoint.load(model)
                torch.manual_seed(0)
                alone = begun(loaded.network)
                card = replace(joined_card([loaded.card], alone), name=f"{loaded.card.name}-second")
                checkpoint.save(Path(target), alone, card)
            case ["join", model, trained, logits, target]:
                loaded, read = checkpoint.load(model), checkpoint.load(trained)
                whole = joined(loaded.network, read.network, float(logits))
                checkpoint.save(Path(target), whole, joined_card([loaded.card, read.card], whole))
            case _:
                raise ValueError("begin MODEL TARGET, or join MODEL TRAINED LOGITS TARGET")
    except (BrainscanError, ValueError) as problem:
        return f"error: {problem}. usage: python -m brainscan_training.second_reading begin|join ..."
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or 0)
