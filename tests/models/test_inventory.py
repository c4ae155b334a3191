from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from brainscan_models.config import NetworkConfig
from brainscan_models.decoder import Decoder
from brainscan_models.inventory import WINDOW_SAMPLES, flops, parameters
from brainscan_models.registry import V3, V3_HYBRID, V3_LITE, VARIANTS, build
from brainscan_models.tcn import Encoder

ROWS = {  # docs/v3.md
    "encoder": 4_090_560,
    "bottleneck": 22_400_448,
    "to_nodes": 623_808,
    "nodes": 393_792,
    "edges": 10_017,
    "graph": 9_600,
    "from_nodes": 623_104,
    "decoder": 3_324_373,
    "head": 20,
}


def built_parts(config: NetworkConfig) -> dict[str, int]:
    with torch.device("meta"):
        network = build(config)
    parts = {name: sum(p.numel() for p in part.parameters()) for name, part in network.named_children()}
    assert sum(parts.values()) == sum(p.numel() for p in network.parameters())
    return {name: count for name, count in parts.items() if count}


def test_v3_holds_the_inventory_row_by_row() -> None:
    parts = built_parts(V3)
    assert parts == ROWS
    assert sum(parts.values()) == 31_475_722


ODD_LITE = dataclasses.replace(
    V3_LITE,
    bottleneck=dataclasses.replace(V3_LITE.bottleneck, layers=0),
    decoder=dataclasses.replace(V3_LITE.decoder, widths=(20, 12, 8, 6), channels=5),
    head=dataclasses.replace(V3_LITE.head, dilations=()),
)


TWO_READINGS = dataclasses.replace(V3_HYBRID, head=dataclasses.replace(V3_HYBRID.head, second=24))


@pytest.mark.parametrize(
    "config",
    [V3, V3_LITE, V3_HYBRID, TWO_READINGS, ODD_LITE],
    ids=["v3", "v3-lite", "v3-hybrid", "two-readings", "odd"],
)
def test_parameters_from_the_configuration_are_those_of_the_network(config: NetworkConfig) -> None:
    assert {name: count for name, count in parameters(config).items() if count} == built_parts(config)


def test_v3_lite_is_small() -> None:
    assert sum(parameters(V3_LITE).values()) <= 2_500_000
    assert sum(flops(V3_LITE).values()) <= 3_000_000_000
    assert V3_LITE.encoder.stride >= 256 // 4  # streams at 4 Hz or slower


def test_v3_is_what_its_page_tells_part_by_part() -> None:
    text = (Path(__file__).parents[2] / "docs" / "v3.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [a-z ]+(?::[^|]*)?\| ([\d,]+) \| ([\d.]+) \|$", text, re.MULTILINE)
    assert [int(count.replace(",", "")) for count, _ in rows] == list(ROWS.values())
    arithmetic = flops(V3)
    assert [float(told) for _, told in rows] == pytest.approx([arithmetic[name] / 1e9 for name in ROWS], abs=0.05)


@pytest.mark.parametrize("name", VARIANTS)
def test_convolutions_cost_what_the_table_says(name: str) -> None:
    config = VARIANTS[name]
    shared, samples = config.encoder.shared, 1024
    rows = config.n_electrodes if shared else 1
    outputs = config.decoder.channels if shared else config.n_electrodes
    with torch.device("meta"):
        encoder = Encoder(1 if shared else config.n_electrodes, config.encoder)
        decoder = Decoder(config.encoder.widths[-1], outputs, config.encoder, config.decoder)
        eeg = torch.empty(1, config.n_electrodes // rows, rows, samples)
    table = flops(config, samples)
    with FlopCounterMode(display=False) as counter:
        encoded, skips = encoder(eeg)
    assert counter.get_total_flops() == table["encoder"]
    with FlopCounterMode(display=False) as counter:
        decoder(encoded, skips)
    assert counter.get_total_flops() == table["decoder"]


def test_arithmetic_grows_with_the_window() -> None:
    long, short = flops(V3_LITE, 2 * WINDOW_SAMPLES), flops(V3_LITE)
    assert long == {name: 2 * count for name, count in short.items()}
