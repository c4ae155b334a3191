from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from brainscan.card import Card
from brainscan.errors import UsageError
from brainscan.mapping import merged
from brainscan_models.inventory import parameters
from brainscan_models.registry import VARIANTS
from brainscan_training import profiles
from brainscan_training.config import TrainConfig
from brainscan_training.profiles import ALIASES, PROFILES, build_config, read_profile, with_settings, write_config


def leaves(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in mapping.items():
        nested = isinstance(value, Mapping) and value and f"{prefix}{key}" != "network"
        yield from leaves(value, f"{prefix}{key}.") if nested else (f"{prefix}{key}",)


def resolved(name: str, *settings: str) -> TrainConfig:
    return build_config(with_settings(read_profile(name), settings))


@pytest.mark.parametrize("name", [*PROFILES, *ALIASES])
def test_profiles_are_valid_and_survive_yaml(name: str, tmp_path: Path) -> None:
    config = resolved(name)
    write_config(tmp_path / "c.yaml", config)
    assert build_config(profiles.read_yaml(tmp_path / "c.yaml")).to_mapping() == config.to_mapping()


def test_every_profile_is_listed() -> None:
    found = {path.stem for path in (profiles.config_folder() / "training").glob("*.yaml")}
    assert found == set(PROFILES)


def test_profiles_keep_the_predecessors_values() -> None:
    """docs/definitions.md, Data."""
    rtx, a100 = resolved("4090"), resolved("a100")
    assert (rtx.batch_size, rtx.mixed_precision, rtx.network_config().graph.pe_every) == (4, False, 5)
    assert (rtx.learning_rate, rtx.weight_decay, rtx.gradient_clip) == (1e-4, 0.01, 0.1)
    assert (a100.batch_size, a100.mixed_precision, a100.network_config().graph.pe_every) == (64, True, 1)
    assert (a100.learning_rate, a100.weight_decay, a100.gradient_clip) == (3e-5, 0.05, 0.5)
    for config in (rtx, a100):
        assert sum(parameters(config.network_config()).values()) == 31_475_722
        assert (config.loss.alpha, config.loss.focus, config.warm_up) == (0.5, 2.0, 0.03)
    assert (resolved("cpu").model, resolved("smoke").model) == ("v3-lite", "v3-lite")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("learning_rat=1", "did you mean 'learning_rate'"),
        ("augment.miror=1", "did you mean 'mirror'"),
        ("network.nodes.layer=1", "did you mean 'layers'"),
        ("batch_size=two", "batch_size must be int"),
        ("batch_size=0", "positive"),
        ("model=v4", "one of v3"),
        ("semi_dynamic_interval=0", "positive"),
        ("compose.window_s=0.5", "must be int"),
        ("fine_tune.freeze=[tail]", "no part"),
        ("data.validation_split=train", "must not be train"),
        ("processes=3", "multiple"),
    ],
)
def test_a_wrong_setting_is_named(setting: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolved("cpu", setting)


@pytest.mark.parametrize("setting", ["epochs", "=3", ".x=3", "epochs=[1"])
def test_a_setting_without_key_or_value_is_a_usage_error(setting: str) -> None:
    with pytest.raises(UsageError):
        resolved("cpu", setting)


def test_unknown_profile_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean rtx4090"):
        read_profile("rtx4080")


def test_settings_reach_nested_keys_and_keep_their_neighbours() -> None:
    config = resolved("smoke", "network.nodes.layers=2", "learning_rate=1e-4", "data.exclude=[a, b]")
    network = config.network_config()
    assert (network.nodes.layers, network.nodes.d_model) == (2, 8)
    assert config.learning_rate == 1e-4
    assert config.data.exclude == ("a", "b")


def test_merged_leaves_its_arguments_alone() -> None:
    base: dict[str, Any] = {"a": {"b": 1}}
    assert merged(base, {"a": {"c": 2}}) == {"a": {"b": 1, "c": 2}}
    assert base == {"a": {"b": 1}}


def test_static_encoding_is_one_decomposition_a_window() -> None:
    config = resolved("cpu", "use_dynamic_pe=false")
    network = config.network_config()
    steps = config.window.n_samples // network.stride
    assert network.graph.pe_every == steps > 1


def test_a_checkpoint_brings_its_network_and_preprocessing() -> None:
    card = Card(name="old", variant=VARIANTS["v3-lite"].to_mapping(), logit_scale=2.0)
    config = resolved("rtx4090").for_init(card)
    assert config.network_config().to_mapping() == card.variant
    assert (config.filter, config.window, config.amplitude) == (card.filter, card.window, card.amplitude)
    assert config.learning_rate == config.fine_tune.learning_rate
    assert config.total_steps == config.fine_tune.epochs * config.steps_per_epoch
    assert config.for_init(card) == config


def test_every_key_is_explained() -> None:
    text = (profiles.config_folder() / "README.md").read_text("utf-8")
    keys = {key.rpartition(".")[2] for key in leaves(TrainConfig().to_mapping())}
    assert sorted(key for key in keys if f"`{key}`" not in text) == []
