"""``brainscan train``: from corpora to a checkpoint."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brainscan.cli import console, options
from brainscan.documents import spelled
from brainscan.errors import OutputError, UsageError
from brainscan.mapping import to_mapping

if TYPE_CHECKING:
    from rich.progress import TaskID

    from brainscan_training.config import TrainConfig

_SHOWN_UNUSABLE = 20


def train(
    data: Annotated[
        list[str] | None,
        typer.Option("--data", metavar="PATH", help="A corpus; may be repeated. 'simulation' needs no files."),
    ] = None,
    profile: Annotated[
        str, typer.Option("--profile", help="cpu, hybrid, rtx4090 (4090), a100 or smoke. [default: cpu]")
    ] = "",
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="A configuration of your own.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one key; may be repeated.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="RUN", help="The run's folder. [default: runs/PROFILE]")
    ] = None,
    resume: Annotated[Path | None, typer.Option("--resume", metavar="RUN", help="Go on with a run.")] = None,
    init: Annotated[
        str, typer.Option("--init", metavar="CHECKPOINT", help="Fine-tune a model: default, or a file.")
    ] = "",
    list_profiles: Annotated[
        bool, typer.Option("--list-profiles", help="Show what the profiles are for, and stop.")
    ] = False,
    cache_only: Annotated[
        bool, typer.Option("--cache-only", help="Only preprocess the recordings; needs no GPU.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what the run would be.")] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print JSON on stdout: a line a step; of --dry-run and --list-profiles one document."
        ),
    ] = False,
    quiet: options.Quiet = False,
) -> None:
    """Train a detector, or fine-tune one on your own patients.

    PATH is a folder with TUSZ, CHB-MIT, Siena, a BIDS data set, or recordings with CSV_bi beside them (and an
    index.csv of subjects and splits if you have one). RUN gets config.yaml, log.jsonl, checkpoints/ and, at the end,
    model.safetensors for `--model`. A run that was stopped goes on with --resume; --set changes a key of it, and other
    options may only repeat what it has.
    --cache-only preprocesses into RUN/cache (or data.cache) and stops; the same call without it then trains.
    With --json, stdout gets a JSON object a line. Research use, not a medical device.

    Examples
    --------
    brainscan train --profile a100 --data tuh_eeg_seizure/v2.0.3 -o runs/v3
    brainscan train --resume runs/v3
    brainscan train --profile cpu --data my_patients/ --init default --set fine_tune.epochs=3
    brainscan train --profile rtx4090 --data tuh_eeg_seizure/v2.0.3 --dry-run
    """
    console.set_quiet(quiet)
    if list_profiles:
        _show_profiles(as_json=as_json)
        return
    from brainscan_training.asked import Asked

    if cache_only and dry_run:
        raise UsageError("--cache-only and --dry-run together", hint="give one: a dry run writes nothing")
    asked = Asked(profile, config, tuple(settings or ()), tuple(data or ()), init, output)
    chosen, run = (asked.new(), asked.folder) if resume is None else (asked.resumed(resume), resume)
    if dry_run:
        _show(chosen, run if resume else None, as_json=as_json)
        return
    if resume is None:
        _check_new(run)
    if cache_only:
        _fill_cache(chosen, run, as_json=as_json)
        return
    _go(chosen, run, asked.settings, as_json=as_json)


def _check_new(run: Path) -> None:
    from brainscan_training.asked import CONFIG

    if (run / CONFIG).exists():
        raise OutputError(
            "is a run already", file=str(run), hint=f"go on with --resume {run}, or choose another folder with -o"
        )


def _go(config: TrainConfig, run: Path, settings: tuple[str, ...], *, as_json: bool) -> None:
    from brainscan_training.journal import SCHEMA
    from brainscan_training.run import REPORT
    from brainscan_training.run import train as do_train

    try:
        model = do_train(config, run, partial(Display, as_json), settings)
    except KeyboardInterrupt:
        console.message(f"stopped; go on with `brainscan train --resume {run}`")
        raise
    import json

    report = json.loads((run / REPORT).read_text("utf-8")) if config.init else None
    if as_json:
        _line({"schema": SCHEMA, "kind": "result", "model": str(model), **({"report": report} if report else {})})
        return
    sys.stdout.write(f"{model}\n")
    if report:
        for when in ("before", "after"):
            rows = [[_short(value) for value in row.values()] for row in report[when]]
            console.stdout_table(tuple(report[when][0]), rows, title=f"\n{when} fine-tuning, held-out patients")


def _fill_cache(config: TrainConfig, run: Path, *, as_json: bool) -> None:
    """Preprocess, and say what is there."""
    from brainscan_training.journal import SCHEMA
    from brainscan_training.prepare import cache_folder
    from brainscan_training.run import fill_cache

    prepared = fill_cache(config, run, partial(Display, as_json))
    facts = {
        "cache": str(cache_folder(config, run)),
        "train": len(prepared.train),
        "validation": len(prepared.validation),
        "unusable": len(prepared.unusable),
    }
    if as_json:
        _line({"schema": SCHEMA, "kind": "cache", **facts})
        return
    sys.stdout.write(f"{facts['cache']}\n")
    console.message(
        f"{facts['train']} recordings to train on and {facts['validation']} to validate on are preprocessed;"
        " the same command without --cache-only trains"
    )


def _show_profiles(*, as_json: bool) -> None:
    from brainscan_training.profiles import ALIASES, profile_rows

    rows = profile_rows()
    if as_json:
        console.print_json({"schema": "profiles-1", "profiles": [to_mapping(row) for row in rows]})
        return
    other = {name: alias for alias, name in ALIASES.items()}
    console.stdout_table(
        ("profile", "network", "device", "windows", "what for"),
        [
            (
                f"{row.name} ({other[row.name]})" if row.name in other else row.name,
                row.model,
                row.device,
                f"{row.windows:,}",
                row.what_for,
            )
            for row in rows
        ],
    )


class Display:
    """Shows a run on stderr as it goes; with JSON, its log's lines on stdout."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._bar = console.progress()
        self._bar.start()
        self._tasks: dict[str, TaskID] = {}

    def record(self, record: Mapping[str, Any]) -> None:
        """Print a line of the log."""
        if self._as_json:
            _line(record)
        if record["kind"] == "validation":
            console.message(
                f"epoch {record['epoch'] + 1}: {record['detected']} of {record['seizures']} seizures at"
                f" {record['false_alarms']} false alarms in {record['hours']:.2f} h, AUROC"
                f" {record['mean_auroc']:.3f} (mean of the sources)"
            )
        elif record["skipped"]:
            console.warning(f"step {record['step']} was not finite and was skipped ({record['n_skipped']} so far)")

    def message(self, text: str) -> None:
        """Print a line."""
        console.message(text)

    def progress(self, what: str, done: int, total: int) -> None:
        """Move a bar."""
        if what not in self._tasks:
            self._tasks[what] = self._bar.add_task(what, total=total)
        self._bar.update(self._tasks[what], completed=done, total=total)

    def close(self) -> None:
        """Take the bars away."""
        self._bar.stop()


def _show(config: TrainConfig, begun: Path | None, *, as_json: bool) -> None:
    """Print what a run would be: first what follows from it, then what it holds."""
    from brainscan_training.corpora.layout import gather
    from brainscan_training.init import resolved
    from brainscan_training.journal import LOG, read_log
    from brainscan_training.plan import describe, survey
    from brainscan_training.prepare import not_validated

    config, _ = resolved(config)
    found = None
    if config.data.paths:
        bar = Display(as_json=False)
        found = survey(gather(config.data, config.seed), partial(bar.progress, "opening recordings"))
        bar.close()
    document = describe(config, found, read_log(begun / LOG) if begun and (begun / LOG).is_file() else ())
    if problem := document["device"]["problem"]:
        console.warning(f"{problem}: the run itself would stop here ({document['device']['hint']})")
    for text in found.warnings if found else ():
        console.warning(text)
    if found and not any(row.split == config.data.validation_split for row in found.rows):
        console.warning(not_validated(config))
    if as_json:
        console.print_json(document)
        return
    _show_plan(config, document)
    if found is None:
        console.message("no data were given, so no corpus is shown")


def _show_plan(config: TrainConfig, document: dict[str, Any]) -> None:
    import yaml

    memory, device = document["memory"], document["device"]
    console.print_facts(
        [
            ("device", f"{device['name']}, {'which cannot be used here' if device['problem'] else 'usable here'}"),
            ("time", document["duration"]["text"]),
            ("parameters", f"{document['parameters']:,}"),
            ("steps", f"{document['steps']:,} ({config.epochs} epochs of {config.steps_per_epoch})"),
            ("windows", f"{document['steps'] * config.batch_size:,} of {config.compose.window_s} s"),
            ("memory", f"{document['memory_bytes'] / 1e9:.2f} GB a process, {memory['windows_at_a_time']} at a time"),
            *(
                ("", f"{total / 1e9:.2f} GB with {n} window{'' if n == '1' else 's'} at a time")
                for n, total in memory["by_windows_at_a_time"].items()
            ),
            ("workers", str(document["workers"])),
        ]
    )
    if rows := [[_short(value) for value in row.values()] for row in document.get("rows", ())]:
        console.stdout_table(tuple(document["rows"][0]), rows, title="\ncorpus")
    if unusable := [(one["name"], one["reason"]) for one in document.get("unusable", ())]:
        console.stdout_table(("unusable", "reason"), unusable[:_SHOWN_UNUSABLE])
        sys.stdout.write(f"{len(unusable)} unusable in all\n")
    rates = [(step, f"{rate:.2e}") for step, rate in document["learning_rate"]]
    console.stdout_table(("step", "learning rate"), rates, title="")
    sys.stdout.write("\nconfiguration\n" + yaml.safe_dump(document["config"], sort_keys=False))


def _line(record: Mapping[str, Any]) -> None:
    sys.stdout.write(spelled(record) + "\n")
    sys.stdout.flush()


def _short(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
