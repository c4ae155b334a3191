"""Event files against event files: what ``brainscan score`` does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from brainscan.errors import BrainscanError, Failure, InputError
from brainscan.evaluate.mending import Mending, joined, mend
from brainscan.events import Annotation
from brainscan.io.annotation_file import BACKGROUND, SEIZURE, AnnotationFile
from brainscan.io.annotations import read_annotations, read_rows, sniff
from brainscan.io.belonging import same_name
from brainscan.io.csv_bi import read_csv_bi
from brainscan.io.event_pairs import FilePair
from brainscan.model.allocator import keep_freed_memory
from brainscan.scoring import szcore as szcore_scores
from brainscan.scoring.nedc import LABELS, NedcScores, Pair, PairCounts, complete, count_pair, pool
from brainscan.scoring.nedc.score import PER_FILE_COLUMNS

_PLACE_HINT = "let it lie at the same place below its folder as the reference below its own"

Scorer = Literal["nedc", "szcore"]
SzcorePerFile = dict[szcore_scores.Path, dict[str, szcore_scores.SzcoreScores]]


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
    mended : mapping of name to Mending
        Hypotheses of which rows were cut, joined or left out.
    odd : mapping of name to str
        Hypotheses whose rows were taken as they stand, though `mended` would have changed or refused them, and how.
    remarks : mapping of name to tuple of str
        What the readers had to decide, each with the file that it is about.
    """

    n_pairs: int
    nedc: NedcScores | None
    nedc_per_file: dict[str, PairCounts]
    szcore: SzcorePerFile
    failures: tuple[Failure, ...]
    szcore_only: tuple[Failure, ...] = ()
    mended: dict[str, Mending] = field(default_factory=dict)
    odd: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def as_mapping(self) -> dict[str, Any]:
        """Return the fixed JSON layout."""
        return {
            "schema": "score-1",
            "pairs": self.n_pairs,
            "nedc": None if self.nedc is None else self.nedc.as_mapping(),
            "nedc_per_file_columns": PER_FILE_COLUMNS,
            "nedc_per_file": [{"file": name, **counts.as_mapping()} for name, counts in self.nedc_per_file.items()],
            "timescoring": {path: _szcore_mapping(scores) for path, scores in self.szcore.items()},
            "timescoring_errors": [failure.as_mapping() for failure in self.szcore_only],
            "errors": [failure.as_mapping() for failure in self.failures],
            "mended": {name: mending.as_mapping() for name, mending in self.mended.items()},
            "taken_as_they_stand": self.odd,
            "remarks": {name: list(texts) for name, texts in self.remarks.items()},
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


def score_files(pairs: Sequence[FilePair], *, strict: bool = False, as_they_stand: bool = False) -> ScoreReport:
    """Score pairs of event files with all NEDC and SzCORE measures.

    A pair on which the official NEDC tool stops is a failure and stays out of its pools. A hypothesis that is
    missing is such a pair, and counts as "nothing detected" for SzCORE, as its evaluation has it.

    Parameters
    ----------
    pairs : sequence of FilePair
    strict : bool
        Stop at the first failure, as the official tool does.
    as_they_stand : bool
        Score the rows of a CSV_bi hypothesis as the official tools do, whatever they say, and report what is odd.
        Else its events are mended first, as in `evaluate`, and confidences outside 0..1 are refused.

    Raises
    ------
    BrainscanError
        With `strict`, the first failure.
    """
    keep_freed_memory()  # SzCORE's masks take a third less time on long recordings
    scoring = _Scoring(strict, as_they_stand)
    for pair in pairs:
        scoring.add(pair)
    told = _merged(scoring.failures)
    return ScoreReport(
        n_pairs=len(pairs),
        nedc=pool(list(scoring.counts.values())) if scoring.counts else None,
        nedc_per_file=scoring.counts,
        szcore=scoring.scores,
        failures=tuple(failure for failure in told if "nedc" in failure.facts["scorers"]),
        szcore_only=tuple(failure for failure in told if "nedc" not in failure.facts["scorers"]),
        mended=scoring.mended,
        odd=scoring.odd,
        remarks=scoring.remarks,
    )


@dataclass(slots=True)
class _Scoring:
    """What has been counted so far."""

    strict: bool
    as_they_stand: bool
    counts: dict[str, PairCounts] = field(default_factory=dict)
    scores: SzcorePerFile = field(default_factory=lambda: {path: {} for path in szcore_scores.PATHS})
    failures: list[Failure] = field(default_factory=list)
    mended: dict[str, Mending] = field(default_factory=dict)
    odd: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def add(self, pair: FilePair) -> None:
        """Count one pair, or note why it cannot be counted."""
        try:
            ref, hyp = self._load(pair)
        except BrainscanError as error:
            self._fail(pair, error, "nedc", "szcore")
            return
        told = [f"{side.name}: {text}" for side in (ref, hyp) if side is not None for text in side.warnings]
        told += _strangers(ref, hyp)
        if told:
            self.remarks[pair.name] = tuple(dict.fromkeys(told))
        if hyp is None:
            why = f" ({pair.missing})" if pair.missing else ""
            self._fail(pair, InputError(f"hypothesis is missing{why}", kind="io", file=pair.name), "nedc")
            hyp = AnnotationFile((), ref.duration_s)
        else:
            try:
                self.counts[pair.name] = _nedc(ref, hyp)
            except ValueError as problem:
                self._fail(pair, InputError(str(problem), kind="corrupt", file=pair.name), "nedc")
        try:
            found = _szcore(ref, hyp)
        except ValueError as problem:
            self._fail(pair, InputError(str(problem), kind="corrupt", file=pair.name), "szcore")
        else:
            for path, score in found.items():
                self.scores[path][pair.name] = score

    def _fail(self, pair: FilePair, error: BrainscanError, *scorers: Scorer) -> None:
        if self.strict and "nedc" in scorers:
            raise error
        facts = {"ref": str(pair.ref), "hyp": str(pair.hyp), "scorers": list(scorers)}
        self.failures.append(Failure(pair.name, error, facts))

    def _load(self, pair: FilePair) -> tuple[AnnotationFile, AnnotationFile | None]:
        if not pair.ref.exists():
            raise InputError("reference is missing", kind="io", file=str(pair.ref))
        if pair.undecided:
            raise InputError(f"hypothesis cannot be told ({pair.missing})", kind="io", file=pair.name, hint=_PLACE_HINT)
        ref = read_events(pair.ref)
        if _is_csv_bi(pair.ref):
            ref = _with_remark(ref)
        duration_s = ref.known_duration_s()
        if pair.missing or not pair.hyp.exists():
            return ref, None
        return ref, self._hypothesis(pair, duration_s)

    def _hypothesis(self, pair: FilePair, duration_s: float) -> AnnotationFile:
        """Return the hypothesis, mended unless its rows are to stand; it has the reference's duration if none."""
        plain = _is_csv_bi(pair.hyp)
        file = read_csv_bi(pair.hyp) if plain else read_rows(pair.hyp)
        if file.duration_s is None or sniff(pair.hyp) == "tse":  # TSE tells the last stop only
            file = replace(file, duration_s=duration_s)
        end_s = file.known_duration_s()
        if plain and self.as_they_stand:
            try:
                _, mending = mend(file, end_s)
            except InputError as error:
                self.odd[pair.name] = error.message
            else:
                if mending:
                    self.odd[pair.name] = f"rows that would be {mending}"
            return file
        sound, mending = mend(file, end_s)
        if mending:
            self.mended[pair.name] = mending
        if plain and sound is file:
            return file
        track = joined(sound.track())
        return AnnotationFile(track, end_s, name=file.name, warnings=file.warnings, recording=file.recording)


def _strangers(ref: AnnotationFile, hyp: AnnotationFile | None) -> list[str]:
    """Return a remark where the two files of a pair name different recordings."""
    if hyp is None or not ref.recording or same_name(hyp.recording, ref.recording):
        return []
    return [f"{hyp.name}: made of another recording ({hyp.recording}) than {ref.name} ({ref.recording})"]


def _with_remark(file: AnnotationFile) -> AnnotationFile:
    """Return a CSV_bi with a warning about rows that no sound reference has; they count as they stand."""
    try:
        _, mending = mend(file, math.inf if file.duration_s is None else file.duration_s)
    except InputError as error:
        odd = error.message
    else:
        odd = f"rows that would be {mending}" if mending else ""
    told = (f"taken as it stands, as the official tools do: {odd}",) if odd else ()
    return replace(file, warnings=(*file.warnings, *told))


def _merged(failures: list[Failure]) -> tuple[Failure, ...]:
    """Say once what both scorers refuse for one pair; the first cause is told."""
    by_name: dict[str, Failure] = {}
    for failure in failures:
        first = by_name.setdefault(failure.file, failure)
        if first is not failure:
            scorers = [*first.facts["scorers"], *failure.facts["scorers"]]
            by_name[failure.file] = replace(first, facts={**first.facts, "scorers": scorers})
    return tuple(by_name.values())


def read_events(path: Path) -> AnnotationFile:
    """Read a reference for scoring.

    CSV_bi rows pass as they stand (the scores define what overlapping or reversed rows mean); other formats
    become one track of seizures.

    Raises
    ------
    InputError
        If the file cannot be used.
    """
    if _is_csv_bi(path):
        return read_csv_bi(path)
    file = read_annotations(path)
    track = file.track()
    return AnnotationFile(track, file.duration_s, name=file.name, warnings=file.warnings, recording=file.recording)


def _is_csv_bi(path: Path) -> bool:
    return path.suffix == ".csv_bi" or sniff(path) == "csv_bi"


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
