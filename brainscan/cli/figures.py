"""Figures of an evaluation as tables on the terminal. No rate is shown without what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from brainscan.cli import console
from brainscan.evaluate.points import MIN_HOURS
from brainscan.offered import OperatingPoint
from brainscan.report.page import hours_text
from brainscan.scoring.intervals import per_24h, poisson_interval

_SCORERS = {"ovlp": "NEDC OVLP", "szcore": "SzCORE events", "taes": "NEDC TAES"}

Metrics = Mapping[str, Any]


def show(metrics: Metrics) -> None:
    """Print all figures on stdout."""
    console.stdout_table(*_points(metrics), title=_title(metrics))
    for note in _notes(metrics):
        print(note)
    if len(metrics["sources"]) > 1:
        print()
        console.stdout_table(*_sources(metrics["sources"]), title="at the detector's own decision, by source")
    for key, title in (("by_type", "type"), ("by_duration", "duration")):
        header, rows = _groups(metrics, key, title)
        if len(rows) > 1:
            print()
            console.stdout_table(header, rows)
    _show_timing(metrics["details"]["default"]["timing"])
    _show_calibration(metrics["calibration_error"])
    if "pieces" in metrics:
        _show_pieces(metrics["pieces"])
    if "comparison" in metrics:
        _show_comparison(metrics["comparison"])
    if metrics["failures"]:
        print()
        rows = [(f["file"], f["kind"], f["message"]) for f in metrics["failures"]]
        console.stdout_table(("failed", "kind", "cause"), rows)


def false_alarms(point: Metrics) -> str:
    """Return false alarms as a rate, or as a count where too few hours stand behind one."""
    if not point["reachable"]:
        return "-"
    count, hours = _count(point["false_alarms"]), hours_text(point["hours"])
    low, high = point["fa_per_24h_ci95"]
    interval = f"95 %: {low:.1f} to {high:.1f} per 24 h"
    if point["rests_on_less_than_24_h"]:
        return f"{count} in {hours} ({interval})"
    return f"{point['fa_per_24h']:.2f} per 24 h ({count} in {hours}; {interval})"


def alarms_behind(point: OperatingPoint) -> str:
    """Return the false alarms of a card's operating point: rate, count, hours and exact interval."""
    count = round(point.fa_per_24h * point.hours / 24.0)  # the card carries rate and hours
    ends = poisson_interval(count)
    return false_alarms(
        {
            "reachable": True,
            "false_alarms": count,
            "hours": point.hours,
            "fa_per_24h": point.fa_per_24h,
            "fa_per_24h_ci95": (per_24h(ends.low, point.hours), per_24h(ends.high, point.hours)),
            "rests_on_less_than_24_h": point.hours < MIN_HOURS,
        }
    )


def sensitivity(value: float | None, interval: Sequence[float] | None) -> str:
    """Return a sensitivity with its interval."""
    if value is None or value != value:
        return "-"
    return f"{value:.3f}" + (f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else "")


def _title(metrics: Metrics) -> str:
    detector = metrics["detector"]
    what = f"{detector['name']} {detector['sha256'][:12]}".strip()
    made_up = ", simulated" if metrics["simulated"] else ""
    excluded = f", {metrics['excluded']} excluded" if metrics["excluded"] else ""
    return (
        f"{what} on {metrics['corpus']}{made_up}: {_n(metrics['seizures'], 'seizure')} in"
        f" {hours_text(metrics['hours'])} of {_n(metrics['patients'], 'patient')}"
        f" ({_n(metrics['recordings'], 'recording')}{excluded}), {_SCORERS[metrics['scorer']]}"
    )


def _points(metrics: Metrics) -> tuple[Sequence[str], list[Sequence[object]]]:
    rows: list[Sequence[object]] = []
    for point in (*metrics["operating_points"], metrics["default"]):
        target = point["target_fa_per_24h"]
        threshold = point["threshold"]
        known = point["reachable"]
        if not known:
            shown = "unreachable"
        elif metrics["as_given"]:
            shown = "as given"
        else:
            shown = "-" if threshold is None or threshold != threshold else f"{threshold:g}"
        rows.append(
            (
                "default" if target is None else f"{target:g}",
                shown,
                false_alarms(point),
                sensitivity(point["sensitivity"], point["sensitivity_ci95"]) if known else "-",
                f"{_count(point['detected'])} of {point['targets']}" if known else "-",
            )
        )
    return ("target FA/24h", "threshold", "false alarms", "sensitivity (95 %)", "found"), rows


def _notes(metrics: Metrics) -> list[str]:
    points = metrics["operating_points"]
    notes = []
    if metrics["hours"] < MIN_HOURS:
        notes.append(
            f"note: {hours_text(metrics['hours'])} are too few for a rate; false alarms are counts with exact intervals"
        )
    missed = [f"{p['target_fa_per_24h']:g}" for p in points if not p["reachable"]]
    if missed:
        what = "the events as given do not keep" if metrics["as_given"] else "no threshold of the grid keeps"
        notes.append(f"note: {what} {', '.join(missed)} false alarms per 24 h here")
    fitted = points[0]["fitted_on"] if points else None
    silent = [p for p in points if p["reachable"] and p["target_fa_per_24h"] * metrics["hours"] < 24.0]
    if silent and not fitted:
        shown = ", ".join(f"{p['target_fa_per_24h']:g}" for p in silent)
        notes.append(
            f"note: one alarm in {hours_text(metrics['hours'])} is {24.0 / metrics['hours']:.1f} per 24 h:"
            f" a target of {shown} means no alarm at all here"
        )
    notes += _beaten(metrics)
    if points and not fitted and not metrics["as_given"]:
        notes.append("note: thresholds were sought on these same recordings, which flatters; --fit-on applies others")
    if fitted:
        notes.append(
            f"note: thresholds are frozen, fitted on {fitted['corpus']}"
            f" ({hours_text(fitted['hours'])}, {_n(fitted['patients'], 'patient')},"
            f" {_n(fitted['seizures'], 'seizure')})"
        )
    if metrics["patients"] < 2:
        notes.append("note: one patient; no interval can say how another would fare")
    return notes


def _beaten(metrics: Metrics) -> list[str]:
    """Return why a sought threshold finds fewer seizures than the detector's own, which keeps the target too."""
    own, froc, notes = metrics["default"], metrics["froc"], []
    for point in metrics["operating_points"]:
        target = point["target_fa_per_24h"]
        if point["fitted_on"] or not point["reachable"] or own["fa_per_24h"] > target:
            continue
        below = [k for k, on in enumerate(froc["thresholds"]) if on < point["threshold"] - 1e-9]
        if own["detected"] <= point["detected"] or not below:
            continue
        alarms = froc["false_alarms"][below[-1]]
        at = f"at {froc['thresholds'][below[-1]]:g} there {'is' if alarms == 1 else 'are'}"
        notes.append(
            f"note: {point['name']}: {at} {_n(alarms, 'false alarm')}, so only thresholds from {point['threshold']:g}"
            f" keep the rate at every higher one; the detector's own finds more ({_count(own['detected'])} against"
            f" {_count(point['detected'])}) with {_n(own['false_alarms'], 'false alarm')}"
        )
    return notes


def _sources(sources: Sequence[Metrics]) -> tuple[Sequence[str], list[Sequence[object]]]:
    rows: list[Sequence[object]] = [
        (
            s["source"] or "-",
            s["recordings"],
            s["patients"],
            f"{s['hours']:.2f}",
            f"{s['found']} of {s['seizures']}" if s["seizures"] else "-",
            s["false_alarms"],
        )
        for s in sources
    ]
    return ("source", "recordings", "patients", "hours", "seizures found", "false alarms"), rows


def _groups(metrics: Metrics, key: str, title: str) -> tuple[Sequence[str], list[Sequence[object]]]:
    """Return how many seizures of each group every reachable point found."""
    details = metrics["details"]
    names = [p["name"] for p in (*metrics["operating_points"], metrics["default"]) if p["name"] in details]
    rows: list[Sequence[object]] = []
    for group, counts in details["default"][key].items():
        found = (details[name][key][group]["found"] for name in names)
        rows.append((group, counts["seizures"], *found))
    return (f"found by {title}", "seizures", *names), rows


def _show_timing(timing: Metrics) -> None:
    """Print latency and offset error over the seizures whose ends lie within what is known."""
    if not timing["found"]:
        return
    print()
    for label, key, missing, place in (
        ("onset latency", "latency_s", "onset_at_start", "begin with"),
        ("offset error", "offset_error_s", "offset_at_end", "end with"),
    ):
        n_left, quartiles = timing["found"] - timing[missing], timing[key]
        text = f"median {quartiles[1]:.1f} s (quartiles {quartiles[0]:.1f} to {quartiles[2]:.1f})" if quartiles else "-"
        left_out = (
            f"; {timing[missing]} {place} what was recorded and judged, and tell nothing" if timing[missing] else ""
        )
        print(f"{label} of {n_left} of the {_n(timing['found'], 'seizure')} found: {text}{left_out}")


def _show_calibration(error: Metrics) -> None:
    """Print how far confidences can be taken for what they say."""
    if error["value"] != error["value"]:
        return
    print(
        f"confidence is {sensitivity(error['value'], _interval(error['ci95']))} off the share that is true (expected"
        f" calibration error, {_n(error['events'], 'candidate event')} of {_n(error['patients'], 'patient')})"
    )


def _show_pieces(pieces: Metrics) -> None:
    header = (
        *("source", "AUROC (95 %)", "within subject", "rank", "p95", "average precision (95 %)"),
        *("calibration error (95 %)", "pieces", "ictal", "subjects", "seizures"),
    )
    for key, margin in (
        ("ranking", ""),
        ("ranking_without_offsets", f", {pieces['offset_margin_s']:g} s around offsets left out"),
    ):
        rows = [
            (
                source or "-",
                sensitivity(row["auroc"], _interval(row["auroc_ci95"])),
                sensitivity(row["mean_within_subject"], None),
                sensitivity(row["rank_share"], None),
                sensitivity(row["p95_negative"], None),
                sensitivity(row["average_precision"], _interval(row["average_precision_ci95"])),
                sensitivity(row["calibration_error"], _interval(row["calibration_error_ci95"])),
                *(row[name] for name in ("n_pieces", "n_ictal", "n_subjects", "n_seizures")),
            )
            for source, row in pieces[key].items()
        ]
        print()
        console.stdout_table(header, rows, title=f"pieces of {pieces['piece_s']:g} s ranked within each source{margin}")
    print()
    events = [
        (
            source or "-",
            f"{row['found']} of {row['n_seizures']}" if row["n_seizures"] else "-",
            row["false_alarms"],
            f"{row['hours']:.2f}",
            f"{row['fa_upper_per_24h']:.1f}",
            f"{row['background_above_s']:.0f}",
        )
        for source, row in pieces["events"].items()
    ]
    console.stdout_table(
        ("source", "seizures found", "false alarms", "hours", "FA/24h at most (95 %)", "s above threshold"),
        events,
        title="events at the detector's own decision",
    )


def _show_comparison(comparison: Metrics) -> None:
    rows = []
    first, second = comparison["names"]
    for point in comparison["points"]:
        interval = point["difference_ci95"]
        span = f" ({interval[0]:+.3f} to {interval[1]:+.3f})" if interval else ""
        p_value = point["p_value"]
        rows.append(
            (
                "default" if point["target_fa_per_24h"] is None else f"{point['target_fa_per_24h']:g}",
                sensitivity(point["first_sensitivity"], None),
                sensitivity(point["second_sensitivity"], None),
                f"{_count(point['first_false_alarms'])} and {_count(point['second_false_alarms'])}",
                f"{point['difference']:+.3f}{span}" if point["difference"] == point["difference"] else "-",
                f"{p_value:.3f}" if p_value == p_value else "-",
            )
        )
    print()
    console.stdout_table(
        ("target FA/24h", first, second, "false alarms", f"{second} - {first} (95 %)", "p"),
        rows,
        title=f"sensitivity of {first} and {second}: {_n(comparison['recordings'], 'common recording')} of"
        f" {_n(comparison['patients'], 'patient')} ({hours_text(comparison['hours'])}), paired bootstrap over patients",
    )
    if comparison["as_given"]:
        print(
            f"note: the events of {' and '.join(comparison['as_given'])} have no graded confidence, so no threshold can"
            " be sought: both are compared at their own decisions, whatever these alarm"
        )


def _interval(ends: Sequence[float]) -> Sequence[float] | None:
    return None if ends[0] != ends[0] else ends


def _count(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.2f}"


def _n(number: float, what: str) -> str:
    """Return a number of things, one of them in the singular."""
    return f"{_count(number)} {what}{'' if number == 1 else 's'}"
