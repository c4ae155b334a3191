"""What the background of a training is like to its network, for the card: recordings that are unlike it are marked.

    python -m brainscan_training.familiarity MODEL.safetensors DATA TARGET.safetensors

writes MODEL with the statistics of DATA's training recordings without seizures (docs/detector.md). For the shipped
weights `make weights` comes after it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainscan.errors import BrainscanError
from brainscan.examine import rates_of
from brainscan.familiarity import Familiarity
from brainscan.io.plan import open_plan
from brainscan.model import checkpoint
from brainscan.model.inference import RunConfig, WindowRunner
from brainscan.recording import Recording
from brainscan.signal.windows import PipelineConfig, WindowStream
from brainscan_training.cache import MAX_MISSING
from brainscan_training.config import DataConfig
from brainscan_training.corpora.item import Item
from brainscan_training.corpora.layout import gather

FloatArray = NDArray[np.float32]

FAMILIAR = 0.95
"""Share of the windows of subjects who were left out that lie within the limit."""

_PARTS = 5
_DIGITS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """Windows without seizures.

    Parameters
    ----------
    features : array, shape (n_windows, n_features)
    kind : array of str, shape (n_windows,)
        Place and device: the first word of the source.
    subject : array of str, shape (n_windows,)
    """

    features: FloatArray
    kind: NDArray[np.str_]
    subject: NDArray[np.str_]

    @classmethod
    def of(cls, heard: Sequence[tuple[Item, FloatArray]]) -> Background:
        """Take the recordings without seizures, each with the features of its windows.

        Raises
        ------
        ValueError
            If there is none.
        """
        quiet = [(item, features) for item, features in heard if not item.seizures and len(features)]
        if not quiet:
            raise ValueError("no recording without a seizure")
        count = [len(features) for _, features in quiet]
        return cls(
            np.concatenate([features for _, features in quiet]),
            np.repeat([kind_of(item) for item, _ in quiet], count),
            np.repeat([item.subject for item, _ in quiet], count),
        )

    def only(self, chosen: NDArray[np.bool_]) -> Background:
        """Return some of the windows."""
        return Background(self.features[chosen], self.kind[chosen], self.subject[chosen])

    def part(self, subject: str) -> int:
        """Return the part of the subjects that one belongs to."""
        return sorted(set(self.subject.tolist())).index(subject) % _PARTS

    def without(self, part: int) -> Background:
        """Return the windows of the subjects of the other parts."""
        left = sorted(set(self.subject.tolist()))[part::_PARTS]
        return self.only(~np.isin(self.subject, left))


def kind_of(item: Item) -> str:
    """Return place and device."""
    return item.source.split("_")[0]


def features_of(recording: Recording, runner: WindowRunner) -> FloatArray:
    """Return the features of each window that a detector compares, shape (n_windows, n_features)."""
    plan = open_plan(recording, None, MAX_MISSING)
    config = PipelineConfig(runner.card.filter, runner.card.window, MAX_MISSING)
    rows = []
    for segment in recording.segments:
        stream = WindowStream(plan, rates_of(recording, plan), config)
        windows = stream.push(recording.read(plan.channels, segment.start_s, segment.stop_s, segment))
        uv = [w.uv for w in (*windows, *stream.finish()) if w.scored and not w.absent.any()]
        rows += [answer.features for future in runner.submit(uv) for answer in future.result()]
    return np.array(rows, dtype=np.float32)


def statistics(background: Background, limit: float = 1.0) -> Familiarity:
    """Return mean and spread, each kind of background counted by the root of its windows."""
    _, number, count = np.unique(background.kind, return_inverse=True, return_counts=True)
    weight = count[number] ** -0.5
    mean = np.average(background.features.astype(np.float64), axis=0, weights=weight)
    spread = np.sqrt(np.average(np.square(background.features - mean), axis=0, weights=weight))
    return Familiarity(tuple(mean.round(_DIGITS).tolist()), tuple(spread.round(_DIGITS).tolist()), limit)


def familiarity_of(background: Background) -> Familiarity:
    """Return the statistics, with the limit within which most windows of subjects who were left out lie."""
    distances: list[float] = []
    for k in range(_PARTS):
        rest = background.without(k)
        known, left = statistics(rest), ~np.isin(background.subject, rest.subject)
        distances += map(known.distance, background.features[left])
    return statistics(background, round(float(np.quantile(distances, FAMILIAR)), 3))


def main(arguments: Sequence[str]) -> str:
    """Measure the background and write it on a card; return what to say, empty where all went well."""
    try:
        model, data, target = arguments
        loaded = checkpoint.load(model)
        runner = WindowRunner(loaded.network, loaded.card, RunConfig(device="cpu"))
        items = chain.from_iterable(corpus.items for corpus in gather(DataConfig(paths=(data,)), 0))
        chosen = [item for item in items if item.split == "train" and not item.seizures]
        background = Background.of([(item, features_of(item.open(), runner)) for item in chosen])
        found = familiarity_of(background)
        before = checkpoint.verify(checkpoint.locate(model))
        checkpoint.save_with(Path(target), before, replace(before.card, familiarity=found))
    except (BrainscanError, ValueError) as problem:
        return f"error: {problem}. usage: python -m brainscan_training.familiarity MODEL DATA TARGET"
    print(f"{len(background.kind)} windows of {len(set(background.subject.tolist()))} subjects; limit {found.limit:g}")
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or 0)
