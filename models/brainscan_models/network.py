"""The network: from a window of scaled EEG to a seizure logit a sample, by electrode where asked.

Three steps that an exporter can cut apart, since only the middle one has no counterpart elsewhere:
`Network.before_pe` (convolutions, streams, adjacency), `Network.pe` (eigenvectors) and `Network.after_pe`
(graph, decoder, head).
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from brainscan_models.autocast import without_autocast
from brainscan_models.bimamba import Stream
from brainscan_models.config import NetworkConfig
from brainscan_models.decoder import Decoder, MixHead, PacedHead, PoolHead
from brainscan_models.graph import EdgeStream, GraphMixer, adjacency, laplacian_pe, similarity
from brainscan_models.linear import Linear
from brainscan_models.tcn import HALF, Encoder

ABLATIONS = frozenset({"bottleneck", "nodes", "edges", "pe", "graph"})
"""What `Network.ablate` may name."""

LOGIT_LIMIT = 100.0

INPUT_LIMIT = 100.0
"""Scaled EEG beyond it is cut: a spike of a volt must not swallow the precision of what surrounds it."""


class Features(NamedTuple):
    """What passes from before the positional encoding to after it.

    Attributes
    ----------
    nodes : Tensor, shape (batch, n_electrodes, n_node_steps, width)
    adjacency : Tensor, shape (batch, n_graph_steps, n_electrodes, n_electrodes)
    trunk : Tensor, shape (batch, n_node_steps, trunk_width)
        The mixed features that by-pass the nodes; width 0 behind a shared encoder without a mixer.
    skips : tuple of Tensor
        Encoder stages, finest first.
    """

    nodes: Tensor
    adjacency: Tensor
    trunk: Tensor
    skips: tuple[Tensor, ...]


class Located(NamedTuple):
    """Logits, the evidence of each electrode for them, and what the whole was like.

    Attributes
    ----------
    logits : Tensor, shape (batch, n_samples)
    electrodes : Tensor, shape (batch, n_electrodes, n_samples / config.decoded_stride)
        Unbounded, larger for a seizure; electrode i in row i.
    features : Tensor, shape (batch, n_features)
        What the head joins, averaged over time; none but in paced networks.
    """

    logits: Tensor
    electrodes: Tensor
    features: Tensor


class Network(nn.Module):
    """A variant of the network.

    Parameters
    ----------
    config : NetworkConfig

    Attributes
    ----------
    pe_every : int
        Graph steps between two decompositions; the configuration's unless set otherwise.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.shared = config.encoder.shared
        n, width = config.n_electrodes, config.encoder.widths[-1]
        self.encoder = Encoder(1 if self.shared else n, config.encoder)
        self.mixer = Encoder(n, config.mixer) if config.mixer else None
        self.bottleneck = Stream(config.bottleneck)
        node_width = config.nodes.d_model
        self.to_nodes = None if self.shared else Linear(width, n * node_width)
        self.nodes = Stream(config.nodes)
        self.edges, self.graph = None, None
        if config.edges is not None and config.graph is not None:
            self.edges = EdgeStream(config.edges, config.graph.cosine_gain)
            self.graph = GraphMixer(node_width, config.graph)
        self.from_nodes = None if self.shared else Linear(n * node_width, width)
        outputs = config.decoder.channels if self.shared else n
        self.decoder = Decoder(width, outputs, config.encoder, config.decoder)
        self.head: nn.Module = _pool_head(config) if self.shared else MixHead(n, config.head.prior)
        self.pe_every = config.graph.pe_every if config.graph else 1
        self._ablate: frozenset[str] = frozenset()

    @property
    def ablate(self) -> frozenset[str]:
        """Parts of `ABLATIONS` whose contribution is zeroed, to measure what they do.

        A stream then passes its input on, ``edges`` leaves each electrode alone with its loop, ``pe`` zeroes
        the eigenvectors.
        """
        return self._ablate

    @ablate.setter
    def ablate(self, parts: frozenset[str]) -> None:
        if unknown := sorted(parts - ABLATIONS):
            raise ValueError(f"no part {unknown[0]!r} to take out; there are {', '.join(sorted(ABLATIONS))}")
        self._ablate = frozenset(parts)

    def forward(self, eeg: Tensor) -> Tensor:
        """Return logits, clamped to ±100.

        Parameters
        ----------
        eeg : Tensor, shape (batch, n_electrodes, n_samples)
            Scaled EEG, of about unit spread, cut at ±100; n_samples a multiple of `NetworkConfig.stride`.
            What is not finite counts as 0.

        Returns
        -------
        Tensor, shape (batch, n_samples), float32 or wider
            A window in a batch is the window alone to within rounding, which may exchange edges and eigenvectors
            that are level unless the graph fades (`GraphConfig.ties`).

        Raises
        ------
        ValueError
            If the shape does not fit.
        """
        return self.locate(eeg).logits

    def locate(self, eeg: Tensor) -> Located:
        """Return logits and each electrode's evidence; parameters and errors as in `forward`."""
        features = self.before_pe(eeg)
        return self.after_pe(features, self.pe(features.adjacency))

    def before_pe(self, eeg: Tensor) -> Features:
        """Return node features, adjacency and what by-passes the graph."""
        n, stride = self.config.n_electrodes, self.config.stride
        if eeg.ndim != 3 or eeg.shape[1] != n or eeg.shape[2] == 0 or eeg.shape[2] % stride:
            raise ValueError(f"eeg must be (batch, {n}, a multiple of {stride}), got {tuple(eeg.shape)}")
        batch = eeg.shape[0]
        x = _bounded(eeg).to(self.encoder.project.weight.dtype)
        # Channels-last throughout: (batch, channels, rows, steps) in the convolutions is, in memory, the
        # (batch · rows, steps, channels) of the streams.
        encoded, skips = self.encoder(x.unsqueeze(1) if self.shared else x.unsqueeze(2))
        rows = encoded.permute(0, 2, 3, 1).flatten(0, 1).contiguous()
        if self.mixer is not None:
            mixed = self.mixer(x.unsqueeze(2))[0]
            trunk = self._stream("bottleneck", mixed.permute(0, 2, 3, 1).flatten(0, 1).contiguous())
            nodes = rows.reshape(batch, n, *rows.shape[1:])
        elif self.to_nodes is None:
            trunk = self._stream("bottleneck", rows)
            nodes = trunk.reshape(batch, n, *trunk.shape[1:])
            trunk = trunk.new_zeros(batch, trunk.shape[1], 0)
        else:
            trunk = self._stream("bottleneck", rows)
            wide: Tensor = self.to_nodes(trunk)
            nodes = wide.reshape(batch, wide.shape[1], n, -1).transpose(1, 2).contiguous()
        return Features(
            self._stream("nodes", nodes.flatten(0, 1)).reshape(nodes.shape),
            self._adjacency(nodes),
            trunk,
            skips,
        )

    def pe(self, adjacency: Tensor) -> Tensor:
        """Return the eigenvectors of every `pe_every`-th step, held between, with random signs in training.

        Parameters
        ----------
        adjacency : Tensor, shape (batch, n_steps, n_electrodes, n_electrodes)

        Returns
        -------
        Tensor, shape (batch, n_steps, n_electrodes, eigenvectors)
        """
        graph = self.config.graph
        count = graph.eigenvectors if graph else 0
        if graph is None or count == 0 or "pe" in self.ablate:
            return adjacency.new_zeros(*adjacency.shape[:3], count)
        vectors = laplacian_pe(adjacency[:, :: self.pe_every], count, graph.ties)
        if self.training:
            signs = torch.randint(0, 2, (len(vectors), 1, 1, count), device=vectors.device)
            vectors = vectors * (2 * signs - 1)
        return vectors.repeat_interleave(self.pe_every, dim=1)[:, : adjacency.shape[1]]

    def after_pe(self, features: Features, pe: Tensor) -> Located:
        """Return logits and electrodes from what `before_pe` and `pe` gave."""
        nodes = self._mix(features.nodes, features.adjacency, pe)
        summary = nodes.new_zeros(nodes.shape[0], 0)
        if self.from_nodes is None:
            decoded = self.decoder(nodes.permute(0, 3, 1, 2), features.skips)
            if isinstance(self.head, PacedHead):
                logits, joined = self.head.read(decoded, features.trunk)
                summary = joined.mean(dim=2)
            else:
                logits = self.head(decoded)
        else:
            x = (features.trunk + self.from_nodes(nodes.transpose(1, 2).flatten(2))) * HALF
            decoded = self.decoder(x.unsqueeze(1).permute(0, 3, 1, 2), features.skips).transpose(1, 2)
            logits = self.head(decoded)
        if logits.dtype in (torch.bfloat16, torch.float16):
            logits = logits.float()
        if self.config.output_stride > 1:
            scale = float(self.config.output_stride)
            logits = F.interpolate(logits.unsqueeze(1), scale_factor=scale, mode="linear").squeeze(1)
        return Located(logits.clamp(-LOGIT_LIMIT, LOGIT_LIMIT), decoded[:, 0], summary)

    def recompute(self, on: bool) -> None:
        """Trade time for memory in training: see `Stream`."""
        streams = (self.bottleneck, self.nodes, *([self.edges.stream] if self.edges is not None else []))
        for stream in streams:
            stream.recompute = on

    def _stream(self, name: str, x: Tensor) -> Tensor:
        return x if name in self.ablate else cast(Tensor, getattr(self, name)(x))

    def _adjacency(self, nodes: Tensor) -> Tensor:
        if self.edges is None or self.config.graph is None:
            return nodes.new_zeros(nodes.shape[0], 0, nodes.shape[1], nodes.shape[1])
        # Similarities and weights stay in float32 under autocast: bfloat16 would make edges level that are not.
        nodes = nodes.float() if nodes.dtype in (torch.bfloat16, torch.float16) else nodes
        with without_autocast(nodes.device.type):
            cosine = similarity(nodes, self.config.graph.stride)
        weights: Tensor = self.edges(cosine)
        if "edges" in self.ablate:
            weights = torch.zeros_like(weights)
        return adjacency(weights, self.config.n_electrodes, self.config.graph)

    def _mix(self, nodes: Tensor, graph: Tensor, pe: Tensor) -> Tensor:
        if self.graph is None or self.config.graph is None or "graph" in self.ablate:
            return nodes
        stride = self.config.graph.stride
        batch, n, steps, width = nodes.shape
        by_step = nodes.reshape(batch, n, steps // stride, stride, width).mean(dim=3) if stride > 1 else nodes
        added: Tensor = self.graph(by_step.transpose(1, 2), graph, pe).transpose(1, 2)
        return nodes + (added.repeat_interleave(stride, dim=2) if stride > 1 else added)


def _pool_head(config: NetworkConfig) -> nn.Module:
    head, channels = config.head, config.decoder.channels
    trunk = config.trunk_width if config.mixer else 0
    return PacedHead(channels, trunk, head) if config.paced else PoolHead(channels, head)


def _bounded(eeg: Tensor) -> Tensor:
    return torch.nan_to_num(eeg, nan=0.0, posinf=0.0, neginf=0.0).clamp(-INPUT_LIMIT, INPUT_LIMIT)
