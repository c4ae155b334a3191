"""What others have published: how large the corpora are, and what detectors reach on them, each with its source.

    python benchmarks/published.py          the tables of docs/peers.md

Nothing here is measured by brainscan. Figures of different scorers, corpora or versions do not compare.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TUSZ_README = "TUSZ v2.0.3, AAREADME of the corpus; counts as in Brain-Go-Brr and the evaluation below"
EVALUATION = "An independent NEDC v6 evaluation of SeizureTransformer on TUSZ v2.0.3 eval (draft, 2025)"
CHALLENGE = "Dan et al., SzCORE as a benchmark, arXiv:2505.18191v1 (2025)"
SECOND = "The same study, second version, arXiv:2505.18191v2"
PREDECESSOR = "Brain-Go-Brr v4.4 (2025), its own evaluation; 836 of the 865 recordings"
SHOEB = "Shoeb (2009); CHB-MIT 1.0.0, PhysioNet"
DETTI = "Detti et al., Processes 8:846 (2020); Siena 1.0.0, PhysioNet"
SEIZEIT = "Bhagubai et al., Scientific Data (2025); SeizeIT2"


@dataclass(frozen=True, slots=True)
class Size:
    """What a corpus holds according to those who published it; None where they do not tell.

    Parameters
    ----------
    patients, recordings, seizures : int or None
    hours : float or None
    source : str
    note : str
        Why a count may differ without anything being wrong.
    """

    patients: int | None
    recordings: int | None
    hours: float | None
    seizures: int | None
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Peer:
    """A published figure.

    Parameters
    ----------
    detector : str
    corpus : str
    scorer : str
    fa_per_24h : str
        Aimed at or reached.
    sensitivity : float
        In percent.
    source : str
    """

    detector: str
    corpus: str
    scorer: str
    fa_per_24h: str
    sensitivity: float
    source: str


SIZES: Mapping[tuple[str, str], Size] = {
    ("tusz", "train"): Size(579, 4667, None, None, TUSZ_README),
    ("tusz", "dev"): Size(53, 1832, None, None, TUSZ_README),
    ("tusz", "eval"): Size(43, 865, 127.6, 469, EVALUATION),
    ("chbmit", ""): Size(
        23,
        664,
        None,
        198,
        SHOEB,
        "22 children in 23 cases with 182 seizures, and a 24th case without a child; chb21 is the child of chb01",
    ),
    ("siena", ""): Size(14, 41, 128.0, 47, DETTI),
    ("seizeit", ""): Size(125, None, None, 886, SEIZEIT, "behind-the-ear electrodes: fewer than the 19 that V3 takes"),
}
"""By corpus and split; without splits, the empty one."""

PEERS: tuple[Peer, ...] = (
    Peer("SeizureTransformer", "TUSZ v2.0.3 eval", "NEDC OVLP", "10", 33.9, EVALUATION),
    Peer("Brain-Go-Brr v4.4", "TUSZ v2.0.3 eval", "NEDC OVLP", "10", 35.9, PREDECESSOR),
    Peer("Brain-Go-Brr v4.4", "TUSZ v2.0.3 eval", "NEDC OVLP", "5", 27.1, PREDECESSOR),
    Peer("Brain-Go-Brr v4.4", "TUSZ v2.0.3 eval", "NEDC OVLP", "1", 5.8, PREDECESSOR),
    Peer("SeizureTransformer", "private, 65 adults, 4,360 h", "SzCORE events", "1.34", 37.0, CHALLENGE),
)


def table() -> str:
    """Return the published figures as a table in Markdown."""
    rows = ["| detector | corpus | scorer | FA/24h | sensitivity | source |", "| --- | --- | --- | --- | --- | --- |"]
    rows += [
        f"| {p.detector} | {p.corpus} | {p.scorer} | {p.fa_per_24h} | {p.sensitivity:.1f} % | {p.source} |"
        for p in PEERS
    ]
    return "\n".join(rows)


def sizes_table() -> str:
    """Return how large the corpora are as a table in Markdown."""
    rows = ["| corpus | patients | recordings | hours | seizures | source |", "| --- | --- | --- | --- | --- | --- |"]
    for (corpus, split), size in SIZES.items():
        counts = ("-" if n is None else f"{n:,}" for n in (size.patients, size.recordings))
        hours, seizures = ("-" if n is None else f"{n:g}" for n in (size.hours, size.seizures))
        source = f"{size.source}; {size.note}" if size.note else size.source
        rows.append(f"| {' | '.join((f'{corpus} {split}'.strip(), *counts, hours, seizures, source))} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())
    print()
    print(sizes_table())
