"""What a network variant is made of: frozen, torch-free dataclasses with a strict mapping form.

The defaults of `NetworkConfig` are V3's (docs/definitions.md); every other variant is a difference to them. It is
stored beside the weights as a plain mapping, so that a checkpoint rebuilds its own network; a field that older
checkpoints lack therefore defaults to what they were trained with.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from brainscan_models.mapping import from_mapping, plain

Activation = Literal["relu", "gelu", "silu"]
Placement = Literal["before", "after"]
Ties = Literal["index", "fade"]


def _check_share(name: str, value: float) -> None:
    if not 0.0 <= value < 1.0:
        raise ValueError(f"{name} must lie in 0..1, got {value}")


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """Residual convolution stages, each of which lowers the rate by its stride.

    Parameters
    ----------
    widths, kernels, second_kernels, strides, dilations : tuple of int
        One entry a stage. The first convolution of a stage has kernel and stride, the second
        ``second_kernels`` and the dilation; kernels are odd. A second kernel of 0 leaves the second convolution
        and the residual out.
    shared : bool
        The same encoder sees each electrode alone, instead of all of them in its first layer.
    norm : {"none", "batch"}
        ``batch`` standardises a stage's input by running statistics (no gain, no bias).
    activation : {"relu", "gelu", "silu"}
    dropout : float
        Share of a stage's output channels set to zero in training, 0..1.
    """

    widths: tuple[int, ...] = (64, 128, 256, 512)
    kernels: tuple[int, ...] = (7, 7, 7, 7)
    second_kernels: tuple[int, ...] = (7, 7, 7, 7)
    strides: tuple[int, ...] = (2, 2, 2, 2)
    dilations: tuple[int, ...] = (1, 2, 4, 8)
    shared: bool = False
    norm: Literal["none", "batch"] = "none"
    activation: Activation = "gelu"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if not self.widths or min(self.widths) < 1:
            raise ValueError(f"widths must be one or more positive numbers, got {self.widths}")
        for name in ("kernels", "second_kernels", "strides", "dilations"):
            values: tuple[int, ...] = getattr(self, name)
            least = 0 if name == "second_kernels" else 1
            if len(values) != len(self.widths) or min(values) < least:
                raise ValueError(f"{name} needs {len(self.widths)} positive entries, one a stage, got {values}")
        if any(kernel % 2 == 0 for kernel in (*self.kernels, *filter(None, self.second_kernels))):
            raise ValueError(f"kernels must be odd, got {self.kernels} and {self.second_kernels}")
        _check_share("dropout", self.dropout)

    @property
    def stride(self) -> int:
        """Input samples a step of the encoder's output."""
        return math.prod(self.strides)


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """A stack of bidirectional Mamba-2 layers.

    Parameters
    ----------
    layers : int
        0 leaves the stream out.
    d_model, d_state, headdim, d_conv, expand : int
        As in Mamba-2; ``expand * d_model`` must be a multiple of ``headdim``.
    norm : {"before", "after"}
        Where the LayerNorm sits in the residual branch. ``after`` lets the layer see the scale of its input.
    dt_min, dt_max : float
        Range from which each head's step is drawn, log-uniformly; its reciprocal is the head's memory in
        steps, over the decay (1 to 16).
    dropout : float
        Share of the branch's outputs set to zero in training, 0..1.
    """

    layers: int
    d_model: int
    d_state: int
    headdim: int
    d_conv: int = 4
    expand: int = 2
    norm: Placement = "before"
    dt_min: float = 1e-3
    dt_max: float = 0.1
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.layers < 0 or min(self.d_model, self.d_state, self.headdim, self.d_conv, self.expand) < 1:
            raise ValueError(f"a stream's sizes must be positive, got {self}")
        if not 0.0 < self.dt_min <= self.dt_max:
            raise ValueError(f"steps need 0 < dt_min <= dt_max, got {self.dt_min} and {self.dt_max}")
        if self.d_inner % self.headdim:
            raise ValueError(f"headdim {self.headdim} does not divide expand * d_model = {self.d_inner}")
        _check_share("dropout", self.dropout)

    @property
    def d_inner(self) -> int:
        """Width between a layer's input and output projections."""
        return self.expand * self.d_model

    @property
    def heads(self) -> int:
        """Number of heads."""
        return self.d_inner // self.headdim


@dataclass(frozen=True, slots=True)
class GraphConfig:
    """From edge weights to node features mixed over the graph.

    Parameters
    ----------
    hidden : int
        Width of the first graph convolution.
    eigenvectors : int
        Eigenvectors of the normalised Laplacian that a node is described by; 0 leaves them out.
    pe_every : int
        Graph steps between two decompositions; eigenvectors are held between.
    stride : int
        Node steps a graph step (similarity, edge stream and graph run at this slower rate).
    top_k : int
        Strongest edges of each electrode.
    threshold : float
        Edges at or below it are dropped.
    ties : {"index", "fade"}
        What becomes of edges, and of eigenvectors, that are level. ``fade``: an edge counts by what it has above
        the first that is not among the strongest, an eigenvector by how clearly its eigenvalue and its sign stand
        out, so that the graph is a continuous function of the weights. ``index``: the strongest edges count
        whole and level ones go by index, so that a rounding error can exchange two; this is what a network
        whose configuration does not name the field was trained with.
    cosine_gain : float
        Weight of the plain similarity in an edge's logit, so that its size reaches the graph whatever the
        stream's norms do.
    alpha : float
        Share of a node's own features that each graph convolution keeps, 0..1.
    hops : int
        Propagation steps of a graph convolution.
    dropout : float
        Share of the hidden features set to zero in training, 0..1.
    """

    hidden: int = 64
    eigenvectors: int = 16
    pe_every: int = 5
    stride: int = 1
    top_k: int = 3
    threshold: float = 1e-4
    ties: Ties = "index"
    cosine_gain: float = 2.0
    alpha: float = 0.05
    hops: int = 2
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if min(self.hidden, self.pe_every, self.stride, self.top_k, self.hops) < 1 or self.eigenvectors < 0:
            raise ValueError(f"the graph's sizes must be positive, got {self}")
        if self.threshold < 0.0:
            raise ValueError(f"threshold must not be negative, got {self.threshold}")
        _check_share("alpha", self.alpha)
        _check_share("dropout", self.dropout)


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """Transposed-convolution stages back towards the input rate.

    Parameters
    ----------
    widths : tuple of int
        One entry a stage, coarsest first; stages undo the encoder's strides from its end. Fewer stages than
        the encoder has leave the rest to interpolation of the logits.
    kernel : int
        Odd kernel of the convolution after each transposed one.
    channels : int
        Values an electrode at the decoder's output (1 where the encoder mixes electrodes). The first is the
        electrode's own evidence.
    dropout : float
        Share of a stage's output channels set to zero in training, 0..1.
    """

    widths: tuple[int, ...] = (448, 320, 80, 38)
    kernel: int = 5
    channels: int = 1
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if any(width < 1 for width in self.widths) or self.channels < 1:
            raise ValueError(f"the decoder's sizes must be positive, got {self}")
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, got {self.kernel}")
        _check_share("dropout", self.dropout)


@dataclass(frozen=True, slots=True)
class HeadConfig:
    """From the decoder's electrodes to one logit a sample.

    Parameters
    ----------
    pool : {"mix", "pool"}
        ``mix``: a convolution over the 19. ``pool``: mean, mean of the largest and spread over the
        electrodes of each channel, which knows no electrode by name.
    largest : int
        How many electrodes the mean of the largest takes.
    hidden : int
        Width of the convolutions after pooling.
    kernel : int
        Their odd kernel.
    dilations : tuple of int
        Their dilations, one a convolution; empty leaves them out.
    pace : int
        Steps of the decoder that become one of the head's. 1: the convolutions follow each other at the decoder's
        rate. More: what is pooled is standardised by running statistics, each channel's mean and maximum over so
        many steps are taken, a 1×1 convolution leads to `hidden`, and the convolutions are residual.
    prior : float
        Probability that an untrained network gives, strictly between 0 and 1.
    dropout : float
        Share of hidden channels set to zero in training, 0..1.
    second : int
        `hidden` of a second reading, which hears the electrodes alone, where a mixer's trunk joins them in the
        first; a step's logit is the larger of both. 0: there is none.
    """

    pool: Literal["mix", "pool"] = "mix"
    largest: int = 4
    hidden: int = 32
    kernel: int = 3
    dilations: tuple[int, ...] = ()
    pace: int = 1
    prior: float = 0.1
    dropout: float = 0.0
    second: int = 0

    def __post_init__(self) -> None:
        sizes = (self.largest, self.hidden, self.pace, *self.dilations)
        if min(sizes) < 1 or self.second < 0:
            raise ValueError(f"the head's sizes must be positive, got {self}")
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, got {self.kernel}")
        if not 0.0 < self.prior < 1.0:
            raise ValueError(f"prior must lie between 0 and 1, got {self.prior}")
        _check_share("dropout", self.dropout)


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """A whole network variant; the defaults are V3.

    Parameters
    ----------
    n_electrodes : int
        Rows of the input.
    encoder, bottleneck, nodes, edges, graph, decoder, head
        The parts, in the order in which data passes them. ``bottleneck.d_model`` is the encoder's last
        width; with a shared encoder ``nodes.d_model`` is, too. ``edges`` and ``graph`` may both be None.
    mixer : EncoderConfig or None
        A second encoder beside a shared one: it mixes the electrodes in its first layer, as V3's does, feeds the
        bottleneck (whose width is then its own) and joins the pooled electrodes in the head.
    """

    n_electrodes: int = 19
    encoder: EncoderConfig = EncoderConfig()
    bottleneck: StreamConfig = StreamConfig(layers=6, d_model=512, d_state=16, headdim=64)
    nodes: StreamConfig = StreamConfig(layers=6, d_model=64, d_state=16, headdim=8)
    edges: StreamConfig | None = StreamConfig(layers=2, d_model=16, d_state=8, headdim=4, norm="after")
    graph: GraphConfig | None = GraphConfig(ties="fade")
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    head: HeadConfig = field(default_factory=HeadConfig)
    mixer: EncoderConfig | None = None

    def __post_init__(self) -> None:
        last = self.encoder.widths[-1]
        trunk = self.trunk_width
        if self.bottleneck.d_model != trunk:
            raise ValueError(f"bottleneck.d_model {self.bottleneck.d_model} is not the encoder's last width {trunk}")
        if self.encoder.shared and self.nodes.d_model != last:
            raise ValueError(f"with a shared encoder nodes.d_model must be its last width {last}")
        if self.encoder.shared != (self.head.pool == "pool"):
            raise ValueError("a shared encoder needs head.pool 'pool', a mixing one 'mix'")
        if not self.encoder.shared and self.decoder.channels != 1:
            raise ValueError("decoder.channels must be 1 where the encoder mixes electrodes")
        if len(self.decoder.widths) > len(self.encoder.widths):
            raise ValueError("the decoder has more stages than the encoder")
        if (self.edges is None) != (self.graph is None):
            raise ValueError("edges and graph belong together: both or neither")
        if self.head.pace > 1 and not self.encoder.shared:
            raise ValueError("head.pace needs head.pool 'pool'")
        self._check_mixer()
        eigenvectors = self.graph.eigenvectors if self.graph else 0
        if self.n_electrodes < 2 or max(eigenvectors, self.head.largest) > self.n_electrodes:
            raise ValueError(f"{self.n_electrodes} electrodes are too few for the graph's or head's choices")

    def _check_mixer(self) -> None:
        if self.mixer is None and self.head.second:
            raise ValueError("head.second hears what a mixer's trunk is left out of: without a mixer it must be 0")
        if self.mixer is None:
            return
        if not self.encoder.shared or self.mixer.shared:
            raise ValueError("a mixer stands beside a shared encoder and is not shared itself")
        if self.mixer.stride != self.decoded_stride:
            raise ValueError(f"the mixer's strides must give {self.decoded_stride} samples a step, as the decoder does")

    @property
    def paced(self) -> bool:
        """Whether the head takes what it pools to a slower pace, or joins it with a mixer's trunk."""
        return self.head.pace > 1 or self.mixer is not None

    @property
    def scans(self) -> bool:
        """Whether there is a stream, and so a scan to compute."""
        return any(stream is not None and stream.layers for stream in (self.bottleneck, self.nodes, self.edges))

    @property
    def trunk_width(self) -> int:
        """Width of what the bottleneck sees."""
        return (self.mixer or self.encoder).widths[-1]

    @property
    def stride(self) -> int:
        """Samples that every input length must be a multiple of."""
        graph = self.encoder.stride * (self.graph.stride if self.graph else 1)
        return math.lcm(graph, self.output_stride)

    @property
    def decoded_stride(self) -> int:
        """Samples a step of the decoder's output."""
        stages = len(self.encoder.strides) - len(self.decoder.widths)
        return math.prod(self.encoder.strides[:stages])

    @property
    def output_stride(self) -> int:
        """Samples a step of the head's output, before logits are interpolated to the input rate."""
        return self.decoded_stride * self.head.pace

    @property
    def pairs(self) -> int:
        """Number of electrode pairs, the graph's possible edges."""
        return self.n_electrodes * (self.n_electrodes - 1) // 2

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> NetworkConfig:
        """Build a configuration from nested mappings, strictly.

        Raises
        ------
        ValueError
            For an unknown key (with the nearest known name), a missing one, a wrong type or value.
        """
        return from_mapping(cls, data)

    def to_mapping(self) -> dict[str, Any]:
        """Return nested dicts, lists and scalars, as JSON and YAML hold them."""
        return typing.cast(dict[str, Any], plain(dataclasses.asdict(self)))
