"""``brainscan info``: what a recording holds, or a model's card."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brainscan.cli import console, options
from brainscan.cli.spread import spread
from brainscan.model.names import ALL, DEFAULT

if TYPE_CHECKING:
    from datetime import datetime

    from brainscan.card import BaselineConfig, Card, PostictalConfig
    from brainscan.detection import Detection
    from brainscan.model.description import ModelFacts
    from brainscan.recording import Recording

_SHOWN_NOTES = 20


@spread
def info(
    file: Annotated[str, typer.Argument(metavar="FILE|MODEL", help=f"A recording; or {ALL}, a model.")],
    channels: options.Channels = options.Channels(),
    as_json: options.AsJson = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Name the channels of each electrode.")] = False,
    quiet: options.Quiet = False,
) -> None:
    """Show what a recording holds and how each of the 19 electrodes is obtained, or a model's card.

    No network runs; the recording is read once, for the verdict on every window. No patient field of the header is
    shown; the notes in the file are.

    Examples
    --------
    brainscan info night.edf
    brainscan info night.edf --json
    brainscan info odd.edf --channel-map "EEG 1=Fp1,EEG 2=Fp2"
    brainscan info v3
    """
    console.set_quiet(quiet)
    from brainscan.model.description import describe, is_model

    if is_model(file):
        _show_model(describe(file), as_json=as_json)
    else:
        _recording(options.named(file), channels, as_json=as_json, verbose=verbose)


def _recording(path: Path, channels: options.Channels, *, as_json: bool, verbose: bool) -> None:
    from brainscan.errors import InputError, ModelError
    from brainscan.examine import nothing_scored
    from brainscan.io import read
    from brainscan.model import checkpoint
    from brainscan.survey import outline, survey

    chosen = channels.detect_options()
    recording = read(path)
    card, refused = None, None
    with suppress(ModelError):  # without an installed model its stages run with their defaults
        card = checkpoint.read_card(checkpoint.locate(DEFAULT))
    with console.progress() as bar:
        task = bar.add_task(path.name, total=round(recording.duration_s))
        try:
            held = survey(recording, chosen, card, lambda at_s: bar.update(task, completed=round(at_s)))
        except InputError as error:
            refused = error if error.kind in {"electrodes", "calibration"} else None
            if refused is None or as_json:
                raise
    if refused is not None:
        _show_recording(recording, outline(recording, chosen), judged=False, verbose=verbose)
        raise refused
    failure = None if held.analysed_s else nothing_scored(held)
    if as_json:
        document = _document(recording, held)
        console.print_json(document if failure is None else {**document, "error": failure.as_mapping()})
    else:
        _show_recording(recording, held, verbose=verbose)
    if failure is not None:
        failure.reported = True
        raise failure


def _document(recording: Recording, held: Detection) -> dict[str, Any]:
    """Return the form of docs/definitions.md, and further facts."""
    from brainscan.io.detection_json import as_mapping

    whole = as_mapping(held)
    taken = ("file", "format", "start", "duration_s", "analysed_s", "segments", "unscored", "electrodes")
    return {
        "schema": "recording-1",
        **{key: whole[key] for key in taken},
        "low_trust": held.low_trust,
        "channels": [
            {
                "label": c.label,
                "rate_hz": float(c.rate_hz),
                "unit": c.unit,
                "uv_per_unit": c.uv_per_unit,
                "usable": c.uv_per_unit is not None,
            }
            for c in recording.channels
        ],
        "annotations": [
            {"onset_s": a.onset_s, "duration_s": a.offset_s - a.onset_s, "text": a.label} for a in held.annotations
        ],
        "warnings": list(held.warnings),
    }


def _start(start: datetime | None) -> str:
    from brainscan.recording import is_filler

    if start is None:
        return "unknown"
    told = start.isoformat(sep=" ", timespec="seconds")
    return f"unknown: {told} stands in the header for no date" if is_filler(start) else told


def _show_recording(recording: Recording, held: Detection, *, verbose: bool, judged: bool = True) -> None:
    from brainscan.cli.head_map import found, head_map

    rates = sorted({float(c.rate_hz) for c in recording.channels})
    facts = [
        ("file", held.file),
        ("format", held.format),
        ("start", _start(held.start)),
        ("duration", f"{console.elapsed(held.duration_s)} ({held.duration_s:g} s)"),
        ("analysed", f"{console.elapsed(held.analysed_s)} ({held.analysed_s:g} s)"),
        ("channels", f"{len(recording.channels)} at {', '.join(f'{rate:g}' for rate in rates)} Hz"),
    ]
    if len(held.segments) > 1:
        facts.append(("segments", f"{len(held.segments)}, with gaps between them"))
    facts += [("unscored", f"{console.elapsed(a)} to {console.elapsed(b)}") for a, b in held.unscored]
    console.print_facts(facts)
    print(f"\n{head_map(held.electrodes)}")
    if verbose:
        rows = [(e.name, found(e), e.how, e.quality if judged else "-", ", ".join(e.channels)) for e in held.electrodes]
        console.stdout_table(("electrode", "found", "how", "quality", "channels"), rows, title="")
    if held.annotations:
        shown = held.annotations[:_SHOWN_NOTES]
        print(
            f"\n{console.count(len(held.annotations), 'annotation')} in the file"
            + (":" if len(shown) == len(held.annotations) else f", the first {len(shown)}:")
        )
        console.stdout_table(("onset", "note"), [(console.elapsed(max(a.onset_s, 0.0)), a.label) for a in shown])
    for text in held.warnings:
        console.warning(f"{held.file}: {text}")


def _show_model(facts: ModelFacts, *, as_json: bool) -> None:
    from brainscan.caps import CAPS, expectation

    card = facts.card
    if as_json:
        document = {
            "schema": "model-2",
            "parameters": facts.parameters,
            "variant": facts.variant,
            "card": card.to_mapping(),
            "parts": facts.parts,
            "gflop_per_window": facts.flops / 1e9,
            "trained": facts.trained,
        }
        console.print_json(document)
        return
    decision, provenance = card.decision, card.provenance
    band = f"{card.filter.high_pass_hz:g} to {card.filter.low_pass_hz or card.rate_hz / 2:g} Hz"
    lines = [
        ("model", card.name),
        ("variant", facts.variant),
        ("parameters", f"{facts.parameters:,}"),
        ("arithmetic", f"{facts.flops / 1e9:.2f} GFLOP a window"),
        ("weights", f"SHA-256 {card.sha256}" if facts.trained else "none here: train them, or give a file"),
        (
            "input",
            f"{len(card.electrodes)} electrodes, {card.rate_hz} Hz, {band}, scale {card.amplitude.scale_uv:g} uV",
        ),
        ("windows", f"{card.window.duration_s} s every {card.window.stride_s} s"),
        ("thresholds", f"on {decision.enter:g}, off {decision.leave:g}, logits averaged over {decision.average_s:g} s"),
        ("events", f"joined up to {decision.merge_gap_s:g} s apart, {decision.min_duration_s:g} s at the shortest"),
        ("baseline", _baseline(decision.baseline)),
        ("after an event", _postictal(decision.postictal)),
        ("localisation", f"by measures of the {card.localisation}"),
        ("use", provenance.intended_use),
        ("licence", provenance.licence),
    ]
    lines += [("trained on", cohort.describe()) for cohort in provenance.trained]
    lines += [("tested on", cohort.describe()) for cohort in provenance.tested]
    lines += [("few electrodes", text) for cap in CAPS if (text := expectation(cap, provenance.caps))]
    if facts.trained:
        missing = ((provenance.trained, "trained on"), (provenance.tested, "tested on"))
        lines += [(what, "the card does not say whom") for cohorts, what in missing if not cohorts]
    lines += [("data", _corpus(entry)) for entry in provenance.training_data]
    if facts.trained and not card.operating_points:
        lines.append(("points", "none; `brainscan calibrate` measures some"))
    console.print_facts(lines)
    console.stdout_table(("part", "parameters"), list(facts.parts.items()), title="")
    _show_points(card)


def _show_points(card: Card) -> None:
    """Print the operating points, where there are any."""
    if not card.operating_points:
        return
    rows = [
        (
            name,
            f"{p.enter:g}",
            f"{p.fa_per_24h:.2f}",
            f"{p.sensitivity:.3f}",
            f"{p.hours:.1f}",
            p.patients,
            p.source,
            next((plain for plain, offered in card.offered.items() if offered is p), "-"),
        )
        for name, p in card.operating_points.items()
    ]
    console.stdout_table(("point", "on", "FA/24h", "sensitivity", "hours", "patients", "from", "offered as"), rows)


def _baseline(baseline: BaselineConfig) -> str:
    """Return what is taken off a recording that reads high all the time."""
    if not baseline.trailing_s:
        return "none is taken off"
    return (
        f"the recording's own, from its last {baseline.trailing_s / 60:g} min, is taken off: the"
        f" {baseline.quantile:.0%} quantile above {baseline.quiet:g}, at most {baseline.most:g} logits"
    )


def _postictal(postictal: PostictalConfig) -> str:
    """Return what another event needs soon after one."""
    if not postictal.within_s:
        return "another needs no more"
    return (
        f"one that begins within {postictal.within_s:g} s must rise {postictal.logits:g} logits above the threshold,"
        " since what follows a seizure is slow and large, too"
    )


def _corpus(entry: Mapping[str, str]) -> str:
    """Return one line on a training corpus: its name first, then who to cite and under which licence."""
    facts = [entry.get("attribution", ""), entry.get("licence", "")]
    facts += [f"{word} {entry[word]}" for word in ("hours", "subjects", "seizures") if word in entry]
    return f"{entry.get('name', '?')} ({'; '.join(fact for fact in facts if fact)})"
