"""What a training run does: frozen dataclasses, of which the profiles in ``configs/training/`` are spellings.

Torch-free: a run is resolved, checked and shown before anything heavy is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from brainscan.card import AmplitudeConfig, Card, DecisionConfig, FilterConfig, WindowConfig
from brainscan.events import RATE_HZ
from brainscan.mapping import from_mapping, merged, require, to_mapping
from brainscan_models.config import NetworkConfig
from brainscan_models.registry import VARIANTS
from brainscan_training.augment import AugmentConfig
from brainscan_training.compose import ComposeConfig
from brainscan_training.targets import DistilConfig, LossConfig

PARTS = ("encoder", "mixer", "bottleneck", "to_nodes", "nodes", "edges", "graph", "from_nodes", "decoder", "head")
"""Parts of a network that may be frozen."""


@dataclass(frozen=True, slots=True)
class SimulationData:
    """The corpus ``simulation``: recordings that are made, not read; seeds as docs/definitions.md splits them.

    Parameters
    ----------
    recordings, validation : int
        Recordings for training and for validation.
    duration_s : int
    seizures : int
        Of each recording.
    seed : int
        First seed of training, which takes it and those behind it; validation begins at 1,000,000.
    """

    recordings: int = 40
    validation: int = 8
    duration_s: int = 600
    seizures: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.recordings >= 1 and self.validation >= 0, "recordings must be positive, validation not negative")
        require(self.duration_s >= 60 and self.seizures >= 1, "a recording needs 60 s and a seizure at least")
        last = max(self.seed + self.recordings, self.validation)
        require(self.seed >= 0 and last < 1_000_000, "seeds of training lie below 1,000,000")


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Where recordings come from.

    Parameters
    ----------
    paths : tuple of str
        Folders, or ``simulation``; ``--data`` sets it.
    cache : str
        Folder of preprocessed recordings; empty: ``cache`` inside the run's folder.
    validation_split : str
        Split of the corpora that is validated on.
    held_out : float
        Share of the patients that go there where a corpus has no splits of its own.
    exclude : tuple of str
        Patients to leave out of training.
    population, setting : str
        Who the patients are and where they were recorded, for the card.
    ages : (float, float) or None
        The youngest's and the oldest's age in years, for the card; None: as the recordings' headers tell it.
    simulation : SimulationData
    """

    paths: tuple[str, ...] = ()
    cache: str = ""
    validation_split: str = "dev"
    held_out: float = 0.15
    exclude: tuple[str, ...] = ()
    population: str = ""
    setting: str = ""
    ages: tuple[float, float] | None = None
    simulation: SimulationData = SimulationData()

    def __post_init__(self) -> None:
        require(0.0 <= self.held_out < 1.0, f"held_out must lie within 0..1, got {self.held_out}")
        require(self.validation_split not in {"", "train"}, "validation_split must not be train")
        told = self.ages or (0.0, 0.0)
        require(0.0 <= told[0] <= told[1], f"ages must be youngest and oldest, got {self.ages}")


@dataclass(frozen=True, slots=True)
class MiningConfig:
    """Background that the network alarmed on at the last validation is drawn more often.

    Parameters
    ----------
    share : float
        Share of background chunks; 0 switches mining off.
    budget : float
        Share of the validation's windows spent on training recordings to find it: what is validated on is
        never trained on.
    """

    share: float = 0.0
    budget: float = 0.3

    def __post_init__(self) -> None:
        require(0.0 <= self.share <= 1.0, f"share must lie within 0..1, got {self.share}")
        require(0.0 < self.budget < 1.0, f"budget must lie between 0 and 1, got {self.budget}")


@dataclass(frozen=True, slots=True)
class ValidationConfig:
    """Validation on whole recordings, after every epoch.

    Parameters
    ----------
    share : float
        Of an epoch's arithmetic; recordings are chosen to fit.
    fa_per_24h : float
        False-alarm rate at which the sensitivity is compared.
    patience : int
        Epochs without a better sensitivity after which training stops; 0: never.
    keep : {"best", "last"}
        Which averaged weights are exported.
    place : bool
        Put the exported card's thresholds where validation reaches `fa_per_24h`.
    """

    share: float = 0.1
    fa_per_24h: float = 10.0
    patience: int = 0
    keep: Literal["best", "last"] = "best"
    place: bool = True

    def __post_init__(self) -> None:
        require(0.0 < self.share <= 1.0, f"share must lie within 0..1, got {self.share}")
        require(self.fa_per_24h > 0.0, f"fa_per_24h must be positive, got {self.fa_per_24h}")
        require(self.patience >= 0, f"patience must not be negative, got {self.patience}")


@dataclass(frozen=True, slots=True)
class CheckpointConfig:
    """States from which a run can be resumed.

    Parameters
    ----------
    every : int
        Steps between two states; one more is kept at the end of each epoch.
    keep : int
        How many of the latest stay.
    """

    every: int = 200
    keep: int = 3

    def __post_init__(self) -> None:
        require(self.every >= 1 and self.keep >= 1, "every and keep must be positive")


@dataclass(frozen=True, slots=True)
class FineTuneConfig:
    """What differs where training begins from a checkpoint (``--init``).

    Parameters
    ----------
    learning_rate : float
        Instead of the run's.
    epochs : int
        Instead of the run's.
    freeze : tuple of str
        Parts that stay as they are; see `PARTS`.
    """

    learning_rate: float = 3e-4
    epochs: int = 2
    freeze: tuple[str, ...] = ("encoder",)

    def __post_init__(self) -> None:
        require(self.learning_rate > 0.0 and self.epochs >= 1, "learning_rate and epochs must be positive")
        unknown = [part for part in self.freeze if part not in PARTS]
        require(not unknown, f"no part {unknown[:1]} to freeze; there are {', '.join(PARTS)}")


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One training run.

    Parameters
    ----------
    name : str
        The checkpoint's; empty: the model's.
    model : str
        Network variant.
    init : str
        Checkpoint that training begins from, in place of fresh weights; ``--init`` sets it.
    network : mapping
        Differences to the variant, nested as in ``configs/models/``.
    semi_dynamic_interval : int or None
        Graph steps between two decompositions of the Laplacian; None: the variant's.
    use_dynamic_pe : bool
        False: one decomposition a window, held throughout.
    epochs, steps_per_epoch : int
        An epoch is so many steps, each on windows drawn anew; validation follows it.
    batch_size : int
        Windows a step, over all processes and micro-batches.
    micro_batch_size : int
        Windows that a process takes at a time, gradients being added up; 0: all of its share.
    recompute : bool
        Keep only the layers' inputs in the forward pass: less memory for a third more time.
    mixed_precision : bool
        bfloat16 where it is safe; scan, eigenvectors and loss stay in float32.
    learning_rate, weight_decay : float
    warm_up : float
        Share of the steps over which the learning rate rises.
    final_rate : float
        Share of the learning rate that is left at the end of its cosine.
    gradient_clip : float
        Largest norm of the gradient.
    ema : float
        Decay of the moving average of the weights.
    max_skipped : float
        Share of the last 100 steps that may be skipped as not finite before the run stops.
    seed : int
    device : str
        auto, cpu or cuda.
    processes : int
        Of this machine, each on its device.
    threads : int
        Of a process; 0: torch's choice.
    num_workers : int
        Processes that compose windows ahead; 0: a thread does; -1: as the device and the system want it.
    loss, distil, data, compose, augment, mining, validation, checkpoints, fine_tune
        Parts of their own.
    filter, window, amplitude, decision
        What the checkpoint's card will say.
    """

    name: str = ""
    model: str = "v3-lite"
    init: str = ""
    network: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    semi_dynamic_interval: int | None = None
    use_dynamic_pe: bool = True
    epochs: int = 10
    steps_per_epoch: int = 100
    batch_size: int = 10
    micro_batch_size: int = 0
    recompute: bool = False
    mixed_precision: bool = False
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    warm_up: float = 0.03
    final_rate: float = 0.02
    gradient_clip: float = 1.0
    ema: float = 0.98
    max_skipped: float = 0.05
    seed: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    processes: int = 1
    threads: int = 0
    num_workers: int = -1
    loss: LossConfig = field(default_factory=LossConfig)
    distil: DistilConfig = field(default_factory=DistilConfig)
    data: DataConfig = DataConfig()
    compose: ComposeConfig = field(default_factory=ComposeConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    mining: MiningConfig = MiningConfig()
    validation: ValidationConfig = ValidationConfig()
    checkpoints: CheckpointConfig = CheckpointConfig()
    fine_tune: FineTuneConfig = FineTuneConfig()
    filter: FilterConfig = field(default_factory=FilterConfig)
    window: WindowConfig = field(default_factory=WindowConfig)
    amplitude: AmplitudeConfig = field(default_factory=AmplitudeConfig)
    decision: DecisionConfig = field(default_factory=DecisionConfig)

    def __post_init__(self) -> None:
        require(self.model in VARIANTS, f"model must be one of {', '.join(VARIANTS)}, got {self.model!r}")
        counts = (self.epochs, self.steps_per_epoch, self.batch_size, self.processes)
        require(min(counts) >= 1, "epochs, steps_per_epoch, batch_size and processes must be positive")
        require(self.batch_size % self.processes == 0, "batch_size must be a multiple of processes")
        require(self.micro_batch_size >= 0 and self.threads >= 0, "micro_batch_size and threads must not be negative")
        require(self.num_workers >= -1, f"num_workers must be -1 or more, got {self.num_workers}")
        require(self.learning_rate > 0.0 and self.gradient_clip > 0.0, "rate and gradient_clip must be positive")
        require(self.weight_decay >= 0.0, f"weight_decay must not be negative, got {self.weight_decay}")
        shares = (self.warm_up, self.final_rate, self.ema, self.max_skipped)
        require(all(0.0 <= s <= 1.0 for s in shares), "warm_up, final_rate, ema and max_skipped are shares, 0 to 1")
        require(self.ema < 1.0, "an ema of 1 would never move")
        interval = self.semi_dynamic_interval
        require(interval is None or interval >= 1, f"semi_dynamic_interval must be positive, got {interval}")
        stride, samples = self.network_config().stride, self.compose.window_s * RATE_HZ
        require(samples % stride == 0, f"compose.window_s: {samples} samples are no multiple of the network's {stride}")

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        return self.epochs * self.steps_per_epoch

    @property
    def share(self) -> int:
        """Windows of a step that fall on each process."""
        return self.batch_size // self.processes

    @property
    def micro_batch(self) -> int:
        """Windows that a process takes at a time."""
        return min(self.micro_batch_size or self.share, self.share)

    def network_config(self) -> NetworkConfig:
        """Return the network: the variant, with this run's differences.

        Raises
        ------
        ValueError
            If they are no valid network.
        """
        try:
            network = NetworkConfig.from_mapping(merged(VARIANTS[self.model].to_mapping(), self.network))
        except ValueError as problem:
            raise ValueError(f"network: {problem}") from None
        if network.graph is None:
            return network
        every, once = self.semi_dynamic_interval or network.graph.pe_every, self.window.n_samples // network.stride
        return replace(network, graph=replace(network.graph, pe_every=every if self.use_dynamic_pe else max(1, once)))

    def card(self) -> Card:
        """Return the card of a network that is trained like this, without what only training can tell."""
        return Card(
            name=self.name or self.model,
            variant=self.network_config().to_mapping(),
            filter=self.filter,
            window=self.window,
            amplitude=self.amplitude,
            decision=self.decision,
        )

    def for_init(self, card: Card) -> TrainConfig:
        """Return this run as one that begins from a checkpoint: its network and preprocessing, a gentle course.

        Raises
        ------
        ValueError
            If a checkpoint's network cannot take this run's windows.
        """
        tuned = replace(
            self,
            name=self.name or f"{card.name}-tuned",
            network=MappingProxyType(dict(card.variant)),
            semi_dynamic_interval=None,
            use_dynamic_pe=True,
            filter=card.filter,
            window=card.window,
            amplitude=card.amplitude,
            decision=card.decision,
        )
        return replace(tuned, learning_rate=self.fine_tune.learning_rate, epochs=self.fine_tune.epochs)

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> TrainConfig:
        """Build a run from nested mappings, strictly.

        Raises
        ------
        ValueError
            For an unknown key (with the nearest known name), a wrong type or value.
        """
        return from_mapping(cls, data)

    def to_mapping(self) -> dict[str, Any]:
        """Return nested dicts, lists and scalars, as YAML holds them."""
        mapping: dict[str, Any] = to_mapping(self)
        return mapping
