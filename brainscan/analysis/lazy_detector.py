"""A detector whose card is read at once and whose network is loaded when a recording needs it.

What is wrong with an input, an output or a threshold is then told in a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Callable

from brainscan.analysis.options import AnalysisOptions
from brainscan.card import Card, DecisionConfig
from brainscan.detector import Detector
from brainscan.errors import ModelError, UsageError
from brainscan.model.onnx_folder import card_of

Say = Callable[[str], None]


Loaded = Callable[[Detector], None]


def no_matter(_detector: Detector) -> None:
    """Hear of a loaded detector and do nothing."""


def _nothing(_text: str) -> None:
    return None


class LazyDetector:
    """A model and its decision, as options choose them.

    Parameters
    ----------
    card : Card
    decision : DecisionConfig
        The card's, its operating point's, or with the user's thresholds.
    load : callable
        ``() -> Detector``, with this decision.
    loaded : callable
        Hears of the detector once it is loaded.

    Notes
    -----
    `detector` is not for several threads at once: each worker has its own.
    """

    def __init__(
        self, card: Card, decision: DecisionConfig, load: Callable[[], Detector], loaded: Loaded = no_matter
    ) -> None:
        self.card = card
        self.decision = decision
        self._load = load
        self._hears = loaded
        self._loaded: Detector | None = None

    @classmethod
    def ready(cls, detector: Detector) -> LazyDetector:
        """Return one that is loaded already."""
        return cls(detector.card, detector.decision, lambda: detector)

    @classmethod
    def open(cls, options: AnalysisOptions, say: Say = _nothing, loaded: Loaded = no_matter) -> LazyDetector:
        """Read the card of the chosen model and decide on its thresholds.

        Parameters
        ----------
        options : AnalysisOptions
        say : callable
            Hears of what takes long (an export to ONNX).
        loaded : callable
            As of the class.

        Raises
        ------
        UsageError
            If a threshold is out of range.
        ModelError
            If there is no such model, or it has no such operating point.
        """
        card = card_of(options.model)
        decision, notes = _decided(card, options)

        def load() -> Detector:
            announce_export(options.model, options.run.backend, say)
            return Detector.from_pretrained(options.model, run=options.run).with_decision(decision, notes)

        return cls(card, decision, load, loaded)

    def detector(self) -> Detector:
        """Return the detector, loaded now if it has not been.

        Raises
        ------
        ModelError
            If the model is damaged or does not fit.
        UsageError, MissingExtraError
            If device or backend cannot be used.
        """
        if self._loaded is None:
            self._loaded = self._load()
            self._hears(self._loaded)
        return self._loaded


def announce_export(model: str, backend: str, say: Say) -> None:
    """Say so if the model will be exported to ONNX first, which takes its time.

    Raises
    ------
    ModelError, MissingExtraError
        If it cannot be.
    """
    if backend != "onnx":
        return
    from brainscan.model.runner import must_export

    if must_export(model, backend):
        say("exporting the model to ONNX, once: half a minute for the default, several for v3 ...")


def _decided(card: Card, options: AnalysisOptions) -> tuple[DecisionConfig, tuple[str, ...]]:
    """Return the decision, and what every detection shall say of it."""
    decision, note = card.decision, ""
    if options.operating_point:
        decision, note = _at_point(card, options.operating_point)
    try:
        decision = decision.with_thresholds(options.on, options.off)
    except ValueError as problem:
        raise UsageError(str(problem), hint="--on and --off take 0 to 1, --off not above --on") from None
    return decision, (note,) if note else ()


def _at_point(card: Card, name: str) -> tuple[DecisionConfig, str]:
    try:
        return card.at_operating_point(name)
    except KeyError:
        known = ", ".join(card.operating_points) or "none"
        raise ModelError(
            f"the model {card.name} has no operating point {name} (it has: {known})",
            hint="`brainscan calibrate MODEL CORPUS` writes operating points, or choose --on",
        ) from None
    except ValueError as problem:
        others = ", ".join(f"{other} ({point.sensitivity:.0%})" for other, point in card.offered.items())
        raise UsageError(
            f"--operating-point {name}: {problem}",
            hint=f"this model offers {others or 'no other'}; without the option its own thresholds hold,"
            f" on {card.decision.enter:g} and off {card.decision.leave:g}",
        ) from None
