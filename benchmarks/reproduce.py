"""Evaluate a detector on a public corpus as others do, and put the result beside theirs.

    python benchmarks/reproduce.py tusz PATH/TO/tuh_eeg_seizure/v2.0.3 [--model default] [--out out/reproduce/tusz]

Says first how many hours there are and what they will take here, in time and on disk. Counts patients, recordings,
hours and seizures against the published ones and names every difference. Scores with NEDC OVLP, NEDC TAES and SzCORE at
1, 5 and 10 false alarms in 24 h, with intervals, and writes a report of each, `reproduction.json` and
`reproduction.md`. TUSZ is scored on its `eval` split with thresholds frozen on `dev`. A killed run goes on where it
was. To compare with the figures of others, compare the same corpus, version and scorer only.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from brainscan.analysis.options import AnalysisOptions
from brainscan.cli import console
from brainscan.cli.evaluate import run_with_progress
from brainscan.cli.figures import false_alarms, sensitivity
from brainscan.corpora.references import read_reference
from brainscan.errors import BrainscanError
from brainscan.evaluate.by_model import ModelConfig, run_model
from brainscan.evaluate.corpus import Case, Corpus, CorpusConfig, read_corpus
from brainscan.evaluate.files import check_folder, write_results
from brainscan.evaluate.job import EvaluationJob, Results
from brainscan.io import read
from brainscan.io.atomic import make_folder, write_text
from brainscan.mapping import finite
from brainscan.model.inference import RunConfig

_ROOT = Path(__file__).resolve().parents[1]
if str(_ROOT) not in sys.path:  # as a script
    sys.path.insert(0, str(_ROOT))
from benchmarks.published import PEERS, SIZES, Size  # noqa: E402 - after its folder is known

SCORERS = {"ovlp": "NEDC OVLP", "taes": "NEDC TAES", "szcore": "SzCORE events"}
TARGETS = (1.0, 5.0, 10.0)
SPLITS = {"tusz": ("dev", "eval")}
"""Where thresholds are sought, and the part that they are applied to, frozen; other corpora have no such parts."""
MAX_MISSING = {"seizeit": 15}
NO_TEST = {("chbmit", "default"): "the default detector was trained on twelve of these children: this is no test of it"}


@dataclass(frozen=True, slots=True)
class Counted:
    """What lies on the disk.

    Parameters
    ----------
    patients, recordings, seizures : int
    hours : float
    unusable : tuple of (str, str)
        Recordings that cannot be opened, or whose annotation cannot, and why.
    """

    patients: int
    recordings: int
    hours: float
    seizures: int
    unusable: tuple[tuple[str, str], ...] = ()


def count(corpus: Corpus) -> Counted:
    """Open every recording's header and annotation."""
    hours, seizures, unusable = 0.0, 0, []
    with console.progress() as bar:
        task = bar.add_task("counting", total=len(corpus.cases))
        for case in corpus.cases:
            try:
                recording = read(case.path)
                truth = read_reference(case.reference, case.path.name, recording.duration_s, recording.start)
            except BrainscanError as problem:
                unusable.append((case.name, problem.message))
            else:
                hours += recording.duration_s / 3600.0
                seizures += len(truth.seizures)
            bar.update(task, advance=1)
    patients = len({case.subject for case in corpus.cases})
    return Counted(patients, len(corpus.cases), hours, seizures, tuple(unusable))


def differences(found: Counted, published: Size) -> list[str]:
    """Return, in words, where the corpus on the disk is not the published one."""
    said = []
    for name in ("patients", "recordings", "hours", "seizures"):
        here, there = getattr(found, name), getattr(published, name)
        if there is None:
            continue
        off = abs(here - there) > (0.01 * there if name == "hours" else 0)
        if off:
            number = f"{here:.1f} instead of {there:g}" if name == "hours" else f"{here:,} instead of {there:,}"
            said.append(f"{name}: {number}")
    said += [f"{name}: {why}" for name, why in found.unusable]
    return said


def outlook(cases: Sequence[Case], hours: float, model: ModelConfig) -> str:
    """Evaluate one recording, and say what all would take here; what is kept already costs nothing."""
    sample = min(cases, key=lambda case: abs(case.path.stat().st_size - 8_000_000))
    sample_h = read(sample.path).duration_s / 3600.0
    begun = time.monotonic()
    done = run_model([sample], model)
    took = time.monotonic() - begun
    kept = sum(path.stat().st_size for path in model.cache.rglob("*") if path.is_file())
    if done.n_cached or sample.name not in done.by_name:
        return f"{hours:.1f} h of EEG; a part is done already, so what is left cannot be told from one recording"
    rate, size = took / sample_h, kept / sample_h
    return (
        f"{hours:.1f} h of EEG: about {rate * hours / 3600.0:.1f} h of this machine on one process ({rate:.1f} s an"
        f" EEG-hour, start-up included) and {size * hours / 1e9:.2f} GB of cache, judged by {sample.name}"
    )


def part(corpus: str, found: Counted) -> dict[str, Any]:
    """Return the counts of a part as plain values."""
    plain = {name: getattr(found, name) for name in ("patients", "recordings", "hours", "seizures")}
    return {"corpus": corpus, **plain, "unusable": [list(one) for one in found.unusable]}


def as_markdown(document: dict[str, Any]) -> str:
    """Return the reproduction as a page."""
    lines = [f"# {document['model']} on {document['corpus']}", ""]
    for one in document["parts"]:
        lines.append(
            f"{one['corpus']}: {one['recordings']:,} recordings of {one['patients']:,} patients, {one['hours']:.1f} h,"
            f" {one['seizures']:,} seizures. "
            + (f"Not as published: {'; '.join(one['differences'])}." if one["differences"] else "As published.")
            + (f" ({one['note']})" if one["note"] else "")
        )
    lines += ["", "| detector | scorer | target FA/24h | false alarms | sensitivity | found | source |"]
    lines += ["| --- | --- | --- | --- | --- | --- | --- |"]
    for row in document["rows"]:
        shown = (f"{row['target']:g}", row["false_alarms"], row["sensitivity"], row["found"], "this run")
        lines.append(f"| {' | '.join((document['model'], row['scorer'], *shown))} |")
    for peer in document["peers"]:
        lines.append(
            f"| {peer['detector']} | {peer['scorer']} | {peer['fa_per_24h']} | - | {peer['sensitivity']:.1f} % | - |"
            f" {peer['source']} |"
        )
    if document["frozen"]:
        lines += ["", f"Thresholds were sought on {document['frozen']} and applied frozen."]
    else:
        lines += ["", "Thresholds were sought on the same recordings, which flatters."]
    if document["no_test"]:
        lines.append(f"**Mind: {document['no_test']}.**")
    lines += ["Figures compare within one corpus, version and scorer only. Research use, not a medical device."]
    return "\n".join(lines) + "\n"


def rows_of(scorer: str, metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the operating points of one scorer, shown and as numbers."""
    return [
        {
            "scorer": SCORERS[scorer],
            "target": point["target_fa_per_24h"],
            "false_alarms": false_alarms(point),
            "sensitivity": sensitivity(point["sensitivity"], point["sensitivity_ci95"]) if point["reachable"] else "-",
            "found": f"{point['detected']:g} of {point['targets']}" if point["reachable"] else "unreachable",
            "point": point,
        }
        for point in metrics["operating_points"]
    ]


def write(folder: Path, results: Results) -> None:
    """Write one evaluation with its report."""
    check_folder(folder, force=False)
    write_results(folder, results.metrics, results.evaluation)


def reproduce(corpus: str, data: Path, model: str, out: Path) -> dict[str, Any]:
    """Count, evaluate with every scorer, and write."""
    make_folder(out)
    sought, scored = SPLITS.get(corpus, ("", ""))
    options = AnalysisOptions(model=model, max_missing=MAX_MISSING.get(corpus, 9), run=RunConfig())
    config = ModelConfig(options, out / "cache")
    parts, corpora = [], {}
    for split in dict.fromkeys((sought, scored)):
        asked = CorpusConfig(data, groups=(split,) if split else (), out=out)
        corpora[split] = read_corpus(asked)
        found, published = count(corpora[split]), SIZES[corpus, split]
        told = differences(found, published)
        name = f"{corpus} {split}".strip()
        console.message(f"{name}: {'; '.join(told) if told else 'as published'}")
        parts.append({**part(name, found), "differences": told, "note": published.note, "source": published.source})
    hours = sum(one["hours"] for one in parts)
    console.message(outlook(corpora[scored].cases, hours, config))
    rows = []
    for scorer in SCORERS:
        job = EvaluationJob(
            CorpusConfig(data, groups=(scored,) if scored else (), out=out), config, None, scorer, TARGETS
        )
        if sought:
            fitted = replace(job, corpus=replace(job.corpus, groups=(sought,)))
            write(out / f"{scorer}-{sought}", run_with_progress(fitted))
            job = replace(job, fit_on=out / f"{scorer}-{sought}")
        done = run_with_progress(job)
        write(out / scorer, done)
        rows += rows_of(scorer, done.metrics)
    wanted = {"tusz": "TUSZ", "chbmit": "CHB-MIT", "siena": "Siena", "seizeit": "SeizeIT"}[corpus]
    peers = [
        {name: getattr(peer, name) for name in ("detector", "scorer", "fa_per_24h", "sensitivity", "source")}
        for peer in PEERS
        if peer.corpus.startswith(wanted)
    ]
    return {
        "corpus": f"{corpus} {scored}".strip(),
        "model": model,
        "parts": parts,
        "frozen": f"{corpus} {sought}" if sought else "",
        "no_test": NO_TEST.get((corpus, model), ""),
        "rows": rows,
        "peers": peers,
    }


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", choices=sorted({name for name, _ in SIZES}))
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="default")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    out = given.out or Path("out") / "reproduce" / given.corpus
    try:
        document = reproduce(given.corpus, given.data, given.model, out)
        write_text(out / "reproduction.json", json.dumps(finite(document), indent=2, ensure_ascii=False) + "\n")
        write_text(out / "reproduction.md", as_markdown(document))
    except BrainscanError as problem:
        console.message(f"error: {problem}")
        sys.exit(problem.exit_code)
    print(as_markdown(document))
    print(f"reports and figures: {out}")


if __name__ == "__main__":
    main()
