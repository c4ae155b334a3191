"""From a network to its two ONNX graphs: what lies before the eigenvectors, and what lies after.

Traced by `torch.export` with the chunked form of the scan, which is made of operations that ONNX knows. (The
older TorchScript exporter stops at the adjacency's scatter and is no longer developed.)
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from brainscan.card import AmplitudeConfig, Card
from brainscan.electrodes import N_ELECTRODES
from brainscan.model.amplitude import centring_matrix
from brainscan.model.inference import LARGEST, in_scales, scaled
from brainscan.model.onnx_folder import AFTER, BEFORE, Graph
from brainscan_models.network import Features, Network
from brainscan_models.ssd import use_backend

if TYPE_CHECKING:
    import onnx

OPSET = 18
"""What the exporter writes by itself; a higher one would be a conversion, a lower one lacks reductions in use."""

_TRACED_BATCH = 2  # a batch of 1 would be taken for a constant


class Before(nn.Module):
    """Windows in µV to what the second graph and the eigenvectors need.

    Outputs are nodes, adjacency where there is a graph, the trunk where an encoder mixes electrodes, and the skips
    that the decoder takes, finest first.
    """

    def __init__(self, network: Network, card: Card) -> None:
        super().__init__()
        self.network, self._amplitude = network, card.amplitude
        self.register_buffer("centring", torch.from_numpy(centring_matrix(card.amplitude)))

    def forward(self, uv: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs for uv, shape (batch, 19, n_samples)."""
        features = self.network.before_pe(_scaled(uv, self._amplitude, self.get_buffer("centring")))
        return passed_on(self.network, features)


class After(nn.Module):
    """What `Before` gave, and the eigenvectors where there is a graph, to logits after the card's shift and scale.

    A paced network's features (`brainscan_models.network.Located`) are a second output.
    """

    def __init__(self, network: Network, card: Card) -> None:
        super().__init__()
        self.network, self._shift, self._scale = network, card.logit_shift, card.logit_scale

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs of `answer_names` for the inputs in the order of `input_names`."""
        given = dict(zip(input_names(self.network), inputs, strict=True))
        nodes, skips = given["nodes"], tuple(value for name, value in given.items() if name.startswith("skip_"))
        batch, n = nodes.shape[0], nodes.shape[1]
        trunk = given.get("trunk", nodes.new_zeros(batch, nodes.shape[2], 0))
        # Without a graph there is nothing to decompose, and these are not looked at.
        adjacency, pe = given.get("adjacency", nodes.new_zeros(batch, 0, n, n)), given.get("pe", nodes)
        features = Features(nodes, adjacency, trunk, skips)
        located = self.network.after_pe(features, pe)
        logits = (located.logits - self._shift) * self._scale
        return (logits, located.features) if self.network.config.paced else (logits,)


def _scaled(uv: Tensor, config: AmplitudeConfig, centring: Tensor) -> Tensor:
    """Return `scaled` with asinh as a logarithm: ONNX Runtime's own takes one number at a time.

    Up to 10^18 scales, where it stays, they differ by float32's rounding.
    """
    if config.limiter != "asinh":
        return scaled(uv, config, centring)
    relative = in_scales(uv, config, centring)
    size = relative.abs().clamp(max=LARGEST)
    return config.gain * torch.sign(relative) * torch.log(size + torch.sqrt(size * size + 1.0))


def passed_on(network: Network, features: Features) -> tuple[Tensor, ...]:
    """Return what the second graph takes of the features, in the order of `output_names`."""
    graph = () if network.graph is None else (features.adjacency,)
    trunk = (features.trunk,) if _has_trunk(network) else ()
    return (features.nodes, *graph, *trunk, *features.skips[_first_skip(network) :])


def output_names(network: Network) -> tuple[str, ...]:
    """Return the names of what `passed_on` returns."""
    graph = () if network.graph is None else ("adjacency",)
    trunk = ("trunk",) if _has_trunk(network) else ()
    n_skips = len(network.config.encoder.widths) - 1
    return ("nodes", *graph, *trunk, *(f"skip_{i}" for i in range(_first_skip(network), n_skips)))


def input_names(network: Network) -> tuple[str, ...]:
    """Return the names of what the second graph takes: the first one's outputs and, where there is a graph, ``pe``."""
    return (*(() if network.graph is None else ("pe",)), *output_names(network))


def answer_names(network: Network) -> tuple[str, ...]:
    """Return the names of what the second graph gives."""
    return ("logits", "features") if network.config.paced else ("logits",)


def _has_trunk(network: Network) -> bool:
    return network.mixer is not None or not network.shared


def _first_skip(network: Network) -> int:
    """Return the finest of the encoder's skips that the decoder takes."""
    return max(len(network.config.encoder.widths) - 1 - len(network.config.decoder.widths), 0)


def write_graphs(network: Network, card: Card, folder: Path) -> dict[str, Graph]:
    """Trace a network and write its two graphs.

    Parameters
    ----------
    network : Network
        Stays as it is.
    card : Card
        Decides the window's length, the amplitude step at the start, and shift and scale at the end.
    folder : Path

    Returns
    -------
    dict of file name to Graph
    """
    plain = _plain(network)
    before, after = Before(plain, card), After(plain, card)
    uv = torch.zeros(_TRACED_BATCH, N_ELECTRODES, card.window.n_samples)
    with use_backend("chunked"):
        features = before(uv)
        outputs = output_names(network)
        graphs = {BEFORE: _write(before, (uv,), ("uv",), outputs, folder / BEFORE)}
        pe = () if plain.graph is None else (plain.pe(features[1]),)
        graphs[AFTER] = _write(after, (*pe, *features), input_names(network), answer_names(network), folder / AFTER)
    return graphs


def _plain(network: Network) -> Network:
    """Return a copy without weight norms and gradients."""
    # Not a deep copy: it shares with the original the class that a weight norm made, and so its removal.
    with torch.random.fork_rng(devices=()):
        plain = Network(network.config).eval()
    plain.load_state_dict(network.state_dict())
    plain.pe_every = network.pe_every
    for module in plain.modules():
        if parametrize.is_parametrized(module):
            parametrize.remove_parametrizations(module, "weight")
    return plain.requires_grad_(False)


def _write(
    module: nn.Module, inputs: tuple[Tensor, ...], input_names: Sequence[str], output_names: Sequence[str], path: Path
) -> Graph:
    batch = {0: torch.export.Dim("batch")}
    # What is taken as *inputs is one parameter that holds several.
    shapes = (batch,) if isinstance(module, Before) else (tuple([batch] * len(inputs)),)
    with _silence():
        program = torch.onnx.export(
            module.eval(),
            inputs,
            dynamo=True,
            input_names=list(input_names),
            output_names=list(output_names),
            dynamic_shapes=shapes,
            opset_version=OPSET,
            external_data=False,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _forget_origins(model)
    path.write_bytes(model.SerializeToString())
    return Graph(_shapes(model.graph.input), _shapes(model.graph.output))


def _forget_origins(model: onnx.ModelProto) -> None:
    """Drop what the exporter notes of the source lines behind each node: paths of this machine."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        part.doc_string = ""
        del part.metadata_props[:]


def _shapes(values: Any) -> dict[str, tuple[str | int, ...]]:
    return {v.name: tuple(d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim) for v in values}


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the exporter's remarks about itself from the user."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
