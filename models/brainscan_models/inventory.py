"""What a variant costs, from its configuration alone: parameters and arithmetic, part by part.

Torch-free, so that ``info`` answers for a network without building it. Tests hold both tables against the
built network.
"""

from __future__ import annotations

import itertools
import math

from brainscan_models.config import EncoderConfig, HeadConfig, NetworkConfig, StreamConfig

WINDOW_SAMPLES = 15_360
"""One minute at 256 Hz, the window that figures are quoted for."""


def parameters(config: NetworkConfig) -> dict[str, int]:
    """Return the number of parameters of each part, in the order in which data passes them.

    Parts that a variant lacks are absent.
    """
    n, encoder, graph = config.n_electrodes, config.encoder, config.graph
    width, node_width = encoder.widths[-1], config.nodes.d_model
    table = {"encoder": _encoder_parameters(encoder, 1 if encoder.shared else n)}
    if config.mixer is not None:
        table["mixer"] = _encoder_parameters(config.mixer, n)
    table["bottleneck"] = _stream_parameters(config.bottleneck)
    if not encoder.shared:
        table["to_nodes"] = (width + 1) * n * node_width
    table["nodes"] = _stream_parameters(config.nodes)
    if config.edges is not None:
        table["edges"] = _stream_parameters(config.edges) + 2 * config.edges.d_model + 1
    if graph is not None:
        table["graph"] = (node_width + graph.eigenvectors + 3) * graph.hidden + (graph.hidden + 3) * node_width
    if not encoder.shared:
        table["from_nodes"] = (n * node_width + 1) * width
    table["decoder"] = _decoder_parameters(config)
    table["head"] = _head_parameters(config)
    return table


def flops(config: NetworkConfig, n_samples: int = WINDOW_SAMPLES) -> dict[str, int]:
    """Return the floating-point operations of one forward pass of one window, part by part.

    Convolutions, matrix products and the scan's recurrence, a multiplication and an addition counting two;
    norms, activations and the eigenvectors are left out.

    Parameters
    ----------
    config : NetworkConfig
    n_samples : int
        Length of the window, a multiple of the network's stride.
    """
    n, encoder, graph = config.n_electrodes, config.encoder, config.graph
    rows = n if encoder.shared else 1
    steps = n_samples // encoder.stride
    graph_steps = steps // (graph.stride if graph else 1)
    width, node_width = encoder.widths[-1], config.nodes.d_model
    table = {"encoder": rows * _encoder_flops(encoder, 1 if encoder.shared else n, n_samples)}
    if config.mixer is not None:
        table["mixer"] = _encoder_flops(config.mixer, n, n_samples)
    trunks, trunk_steps = (1, n_samples // config.mixer.stride) if config.mixer else (rows, steps)
    table["bottleneck"] = trunks * trunk_steps * _stream_flops(config.bottleneck)
    if not encoder.shared:
        table["to_nodes"] = 2 * steps * width * n * node_width
    table["nodes"] = n * steps * _stream_flops(config.nodes)
    if config.edges is not None and graph is not None:
        similarity = 2 * n * n * node_width * steps
        streams = config.pairs * graph_steps * (_stream_flops(config.edges) + 4 * config.edges.d_model)
        table["edges"] = streams + similarity
        first, second = node_width + graph.eigenvectors, graph.hidden
        mixing = 2 * n * n * graph.hops * (first + second)
        table["graph"] = graph_steps * (mixing + 2 * n * (first * second + second * node_width))
    if not encoder.shared:
        table["from_nodes"] = 2 * steps * width * n * node_width
    table["decoder"] = rows * _decoder_flops(config, steps)
    table["head"] = 2 * (n_samples // config.output_stride) * _head_weights(config)
    return table


def _encoder_parameters(encoder: EncoderConfig, rows: int) -> int:
    """Count the parameters of an encoder whose first layer sees so many electrodes."""
    total = (encoder.widths[-1] + 1) * encoder.widths[-1]
    for stage, (inputs, width) in enumerate(zip((rows, *encoder.widths[:-1]), encoder.widths, strict=True)):
        # Each normalised convolution has a gain and a bias a channel, the residual a bias.
        total += width * (inputs * encoder.kernels[stage] + 2)
        if encoder.second_kernels[stage]:
            total += width * (width * encoder.second_kernels[stage] + 2) + width * (inputs + 1)
    return total


def _encoder_flops(encoder: EncoderConfig, rows: int, n_samples: int) -> int:
    total, steps = 0, n_samples
    for stage, (inputs, width) in enumerate(zip((rows, *encoder.widths[:-1]), encoder.widths, strict=True)):
        steps //= encoder.strides[stage]
        taps = inputs * encoder.kernels[stage]
        if encoder.second_kernels[stage]:
            taps += width * encoder.second_kernels[stage] + inputs
        total += 2 * steps * width * taps
    return total + 2 * steps * encoder.widths[-1] ** 2


def _direction_widths(config: StreamConfig) -> tuple[int, int]:
    convolved = config.d_inner + 2 * config.d_state
    return config.d_inner + convolved + config.heads, convolved


def _stream_parameters(config: StreamConfig) -> int:
    d, d_inner = config.d_model, config.d_inner
    projected, convolved = _direction_widths(config)
    direction = d * projected + convolved * (config.d_conv + 1) + 3 * config.heads + d_inner + d_inner * d
    return config.layers * (2 * direction + (2 * d + 1) * d + 2 * d)


def _stream_flops(config: StreamConfig) -> int:
    """Return the operations a step of one sequence."""
    d, d_inner = config.d_model, config.d_inner
    projected, convolved = _direction_widths(config)
    # The state decays, takes x B and is read by C: five operations an entry.
    scan = 5 * d_inner * config.d_state
    direction = 2 * d * projected + 2 * convolved * config.d_conv + scan + 2 * d_inner * d
    return config.layers * (2 * direction + 4 * d * d)


def up_kernel(stride: int) -> int:
    """Return the taps of a transposed convolution: twice the stride, one more where that would not centre."""
    return 2 * stride + stride % 2


def _decoder_skips(config: NetworkConfig) -> tuple[int, ...]:
    skips = (0, *config.encoder.widths[:-1])[::-1]
    return skips[: len(config.decoder.widths)]


def _decoder_outputs(config: NetworkConfig) -> int:
    return config.decoder.channels if config.encoder.shared else config.n_electrodes


def _decoder_parameters(config: NetworkConfig) -> int:
    total, inputs = 0, config.encoder.widths[-1]
    strides = config.encoder.strides[::-1]
    for stage, (width, skip) in enumerate(zip(config.decoder.widths, _decoder_skips(config), strict=True)):
        total += inputs * width * up_kernel(strides[stage]) + width + width * (width * config.decoder.kernel + 1)
        total += (skip + 1) * width if skip else 0
        inputs = width
    return total + (inputs + 1) * _decoder_outputs(config)


def _decoder_flops(config: NetworkConfig, steps: int) -> int:
    total, inputs = 0, config.encoder.widths[-1]
    strides = config.encoder.strides[::-1]
    for stage, (width, skip) in enumerate(zip(config.decoder.widths, _decoder_skips(config), strict=True)):
        total += 2 * steps * inputs * width * up_kernel(strides[stage])
        steps *= strides[stage]
        total += 2 * steps * width * (width * config.decoder.kernel + skip)
        inputs = width
    return total + 2 * steps * inputs * _decoder_outputs(config)


def _head_layers(config: NetworkConfig) -> tuple[tuple[int, int, int], ...]:
    """Return inputs, outputs and kernel of each of the head's convolutions."""
    head = config.head
    if head.pool == "mix":
        return ((config.n_electrodes, 1, 1),)
    pooled = 3 * config.decoder.channels
    if config.paced:
        joined = 2 * (pooled + (config.trunk_width if config.mixer else 0))
        first = _reading_layers(joined, head.hidden, head)
        return first + _reading_layers(2 * pooled, head.second, head) if head.second else first
    widths = (pooled, *([head.hidden] * len(head.dilations)))
    hidden = tuple((a, b, head.kernel) for a, b in itertools.pairwise(widths))
    return (*hidden, (widths[-1], 1, 1))


def _reading_layers(joined: int, hidden: int, head: HeadConfig) -> tuple[tuple[int, int, int], ...]:
    return ((joined, hidden, 1), *((hidden, hidden, head.kernel) for _ in head.dilations), (hidden, 1, 1))


def _head_weights(config: NetworkConfig) -> int:
    return sum(math.prod(layer) for layer in _head_layers(config))


def _head_parameters(config: NetworkConfig) -> int:
    return _head_weights(config) + sum(outputs for _, outputs, _ in _head_layers(config))
