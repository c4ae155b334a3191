"""Event files against event files: what ``brainscan score`` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from brainscan.errors import BrainscanError, InputError
from brainscan.events import Annotation
from brainscan.io.annotation_file import BACKGROUND, SEIZURE, AnnotationFile
from brainscan.io.annotations import read_annotations, sniff
from brainscan.io.csv_bi import read_csv_bi
from brainscan.io.pairing import FilePair
from brainscan.model.allocator import keep_freed_memory
from brainscan.scoring import szcore as szcore_scores
from brainscan.scoring.nedc import LABELS, NedcScores, Pair, PairCounts, complete, count_pair, pool
from brainscan.scoring.nedc.score import PER_FILE_COLUMNS

Scorer = Literal["nedc", "szcore"]
SzcorePerFile = dict[szcore_scores.Path, dict[str, szcore_scores.SzcoreScores]]


@dataclass(frozen=True, slots=True)
class Failure:
    """A pair that some scorer cannot score."""

    pair: FilePair
    scorers: tuple[Scorer, ...]
    error: BrainscanError

    def as_mapping(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "file": self.pair.name,
            "ref": str(self.pair.ref),
            "hyp": str(self.pair.hyp),
            "scorers": list(self.scorers),
            **self.error.as_mapping(),
        }


@dataclass(frozen=True, slots=True)
class ScoreReport:
    """Scores of many pairs.

    Parameters
    ----------
    n_pairs : int
    nedc : NedcScores or None
        Pooled over the pairs that the official tool would score; None if there is none.
    nedc_per_file : mapping of name to PairCounts
    szcore : mapping of path ("direct", "szcore_mask") to mapping of name to SzcoreScores
    failures : tuple of Failure
        Pairs that NEDC does not score.
    szcore_only : tuple of Failure
        Pairs that NEDC scores and SzCORE does not (recordings below half a second).
    """

    n_pairs: int
    nedc: NedcScores | None
    nedc_per_file: dict[str, PairCounts]
    szcore: SzcorePerFile
    failures: tuple[Failure, ...]
    szcore_only: tuple[Failure, ...] = ()

    def as_mapping(self) -> dict[str, Any]:
        """Return the fixed JSON layout."""
        return {
            "pairs": self.n_pairs,
            "nedc": None if self.nedc is None else self.nedc.as_mapping(),
            "nedc_per_file_columns": PER_FILE_COLUMNS,
            "nedc_per_file": [{"file": name, **counts.as_mapping()} for name, counts in self.nedc_per_file.items()],
            "timescoring": {path: _szcore_mapping(scores) for path, scores in self.szcore.items()},
            "timescoring_errors": [failure.as_mapping() for failure in self.szcore_only],
            "errors": [failure.as_mapping() for failure in self.failures],
        }


def _szcore_mapping(scores: dict[str, szcore_scores.SzcoreScores]) -> dict[str, Any]:
    pooled = szcore_scores.pool(scores.values()) if scores else None
    return {
        kind: {
            "pooled": None if pooled is None else getattr(pooled, kind).as_mapping(),
            "per_file": {name: getattr(score, kind).as_mapping() for name, score in scores.items()},
        }
        for kind in ("sample", "event")
    }


def score_files(pairs: Sequence[FilePair], *, strict: bool = False) -> ScoreReport:
    """Score pairs of event files with all NEDC and SzCORE measures.

    A pair on which the official NEDC tool stops is a failure and stays out of its pools. A hypothesis that is
    missing is such a pair, and counts as "nothing detected" for SzCORE, as its evaluation has it.

    Parameters
    ----------
    pairs : sequence of FilePair
    strict : bool
        Stop at the first failure, as the official tool does.

    Raises
    ------
    BrainscanError
        With `strict`, the first failure.
    """
    counts: dict[str, PairCounts] = {}
    scores: SzcorePerFile = {path: {} for path in szcore_scores.PATHS}
    failures: list[Failure] = []

    def fail(pair: FilePair, error: BrainscanError, *scorers: Scorer) -> None:
        if strict and "nedc" in scorers:
            raise error
        failures.append(Failure(pair, scorers, error))

    keep_freed_memory()  # SzCORE's masks take a third less time on long recordings
    for pair in pairs:
        try:
            ref, hyp = _load(pair)
        except BrainscanError as error:
            fail(pair, error, "nedc", "szcore")
            continue
        if hyp is None:
            fail(pair, InputError("hypothesis is missing", kind="io", file=pair.name), "nedc")
            hyp = AnnotationFile((), ref.duration_s)
        else:
            try:
                counts[pair.name] = _nedc(ref, hyp)
            except ValueError as problem:
                fail(pair, InputError(str(problem), kind="corrupt", file=pair.name), "nedc")
        try:
            found = _szcore(ref, hyp)
        except ValueError as problem:
            fail(pair, InputError(str(problem), kind="corrupt", file=pair.name), "szcore")
        else:
            for path, score in found.items():
                scores[path][pair.name] = score
    pooled = pool(list(counts.values())) if counts else None
    told = _merged(failures)
    return ScoreReport(
        n_pairs=len(pairs),
        nedc=pooled,
        nedc_per_file=counts,
        szcore=scores,
        failures=tuple(failure for failure in told if "nedc" in failure.scorers),
        szcore_only=tuple(failure for failure in told if "nedc" not in failure.scorers),
    )


def _merged(failures: list[Failure]) -> tuple[Failure, ...]:
    """Say once what both scorers refuse for one pair; the first cause is told."""
    by_name: dict[str, Failure] = {}
    for failure in failures:
        first = by_name.setdefault(failure.pair.name, failure)
        if first is not failure:
            by_name[failure.pair.name] = Failure(first.pair, first.scorers + failure.scorers, first.error)
    return tuple(by_name.values())


def read_events(path: Path) -> AnnotationFile:
    """Read an event file for scoring.

    CSV_bi rows pass as they stand (the scores define what overlapping or reversed rows mean); other formats
    become one track of seizures.

    Raises
    ------
    InputError
        If the file cannot be used.
    """
    if path.suffix == ".csv_bi" or sniff(path) == "csv_bi":
        return read_csv_bi(path)
    file = read_annotations(path)
    return AnnotationFile(file.track(), file.duration_s, name=file.name, warnings=file.warnings)


def _load(pair: FilePair) -> tuple[AnnotationFile, AnnotationFile | None]:
    if not pair.ref.exists():
        raise InputError("reference is missing", kind="io", file=str(pair.ref))
    ref = read_events(pair.ref)
    hyp = read_events(pair.hyp) if pair.hyp.exists() else None
    ref.known_duration_s()
    if hyp is not None:
        hyp.known_duration_s()
    return ref, hyp


def _nedc(ref: AnnotationFile, hyp: AnnotationFile) -> PairCounts:
    return count_pair(Pair(*(complete(_two_class(side.annotations), side.known_duration_s()) for side in (ref, hyp))))


def _two_class(rows: Sequence[Annotation]) -> list[Annotation]:
    return [
        row if row.label in LABELS else Annotation(row.onset_s, row.offset_s, SEIZURE, row.confidence) for row in rows
    ]


def _szcore(ref: AnnotationFile, hyp: AnnotationFile) -> dict[szcore_scores.Path, szcore_scores.SzcoreScores]:
    rows = [[(row.onset_s, row.offset_s) for row in f.annotations if row.label != BACKGROUND] for f in (ref, hyp)]
    durations_s = ref.known_duration_s(), hyp.known_duration_s()
    return {path: szcore_scores.score_pair(rows[0], rows[1], *durations_s, path) for path in szcore_scores.PATHS}
