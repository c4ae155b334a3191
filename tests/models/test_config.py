from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from brainscan_models.config import DecoderConfig, EncoderConfig, GraphConfig, HeadConfig, NetworkConfig, StreamConfig
from brainscan_models.registry import V3, V3_HYBRID, V3_LITE, VARIANTS

CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "models"


@pytest.mark.parametrize("name", VARIANTS)
def test_shipped_yaml_equals_the_dataclass(name: str) -> None:
    data = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text(encoding="utf-8"))
    assert data == VARIANTS[name].to_mapping()
    assert NetworkConfig.from_mapping(data) == VARIANTS[name]


def test_every_shipped_yaml_has_a_variant() -> None:
    assert {path.stem for path in CONFIGS.glob("*.yaml")} == set(VARIANTS)


def test_an_unknown_key_names_its_neighbour() -> None:
    with pytest.raises(ValueError, match=r"graph\.pe_evry.*did you mean 'pe_every'"):
        NetworkConfig.from_mapping({"graph": {"pe_evry": 5}})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"n_electrodes": "19"}, "n_electrodes must be int"),
        ({"n_electrodes": True}, "n_electrodes must be int"),
        ({"encoder": {"shared": 1}}, r"encoder\.shared must be bool"),
        ({"encoder": {"norm": "group"}}, r"encoder\.norm must be one of 'none', 'batch'"),
        ({"encoder": {"widths": 64}}, r"encoder\.widths must be a list"),
        ({"encoder": {"widths": [64, 1.5]}}, r"encoder\.widths\[1\] must be int"),
        ({"nodes": {"layers": 2}}, r"missing key nodes\.d_model"),
        ({"head": [1]}, "head must be a mapping"),
    ],
)
def test_a_wrong_value_is_refused_by_its_path(data: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NetworkConfig.from_mapping(data)


def test_an_integer_passes_for_a_float() -> None:
    assert NetworkConfig.from_mapping({"graph": {"alpha": 0}}).graph.alpha == 0.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EncoderConfig(kernels=(7, 7, 7, 6)), "odd"),
        (lambda: EncoderConfig(strides=(2, 2)), "strides needs 4"),
        (lambda: EncoderConfig(dropout=1.0), "dropout"),
        (lambda: StreamConfig(layers=1, d_model=48, d_state=16, headdim=7), "headdim 7"),
        (lambda: StreamConfig(layers=1, d_model=48, d_state=16, headdim=8, dt_min=0.2), "dt_min"),
        (lambda: GraphConfig(alpha=1.5), "alpha"),
        (lambda: DecoderConfig(kernel=4), "odd"),
        (lambda: HeadConfig(prior=0.0), "prior"),
        (lambda: dataclasses.replace(V3, bottleneck=V3.nodes), "bottleneck"),
        (lambda: dataclasses.replace(V3_LITE, nodes=V3.nodes), "nodes.d_model"),
        (lambda: dataclasses.replace(V3_LITE, head=HeadConfig()), "head.pool"),
        (lambda: dataclasses.replace(V3, decoder=DecoderConfig(channels=2)), "channels"),
        (lambda: dataclasses.replace(V3, n_electrodes=8), "8 electrodes"),
        (lambda: dataclasses.replace(V3, edges=None), "both or neither"),
        (lambda: dataclasses.replace(V3, mixer=V3.encoder), "beside a shared encoder"),
        (lambda: dataclasses.replace(V3, head=HeadConfig(pace=4)), "pace"),
        (lambda: dataclasses.replace(V3_LITE, head=dataclasses.replace(V3_LITE.head, second=8)), "head.second"),
        (lambda: HeadConfig(second=-1), "sizes"),
        (lambda: dataclasses.replace(V3_HYBRID, bottleneck=V3.bottleneck), "bottleneck"),
        (lambda: dataclasses.replace(V3_HYBRID, decoder=DecoderConfig(widths=(8,), channels=48)), "mixer's strides"),
    ],
)
def test_what_cannot_be_built_is_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=message):
        make()


def test_strides() -> None:
    assert (V3.stride, V3.output_stride) == (16, 1)
    assert V3_LITE.stride == V3_LITE.encoder.stride * V3_LITE.graph.stride
    assert V3_LITE.output_stride * V3_LITE.encoder.strides[-1] == V3_LITE.encoder.stride
    assert 15_360 % V3_LITE.stride == 0
    assert (V3_HYBRID.decoded_stride, V3_HYBRID.output_stride) == (64, 256)


def test_configurations_come_without_torch() -> None:
    code = (
        "import sys, brainscan_models.registry, brainscan_models.inventory\n"
        "assert not {'torch', 'numpy', 'yaml'} & set(sys.modules), 'heavy import'"
    )
    root = Path(__file__).resolve().parents[2] / "models"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)
