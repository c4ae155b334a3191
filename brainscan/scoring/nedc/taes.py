"""TAES: time-aligned event scores, fractions of segments rather than segments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from brainscan.scoring.nedc.measures import NotScorable
from brainscan.scoring.nedc.segments import SegmentList, near, overlapped


@dataclass(slots=True)
class Tally:
    """Running totals of one label.

    The additions stay apart, in the order of the definition: floating-point sums that run on across files
    only equal the official ones if they are added in its order.
    """

    targets: int = 0
    hits: list[float] = field(default_factory=list)
    misses: list[float] = field(default_factory=list)
    false_alarms: list[float] = field(default_factory=list)

    def add(self, hit: float, miss: float, false_alarm: float) -> None:
        """Append one addition to each total."""
        self.hits.append(hit)
        self.misses.append(miss)
        self.false_alarms.append(false_alarm)

    def totals(self) -> tuple[int, float, float, float]:
        """Return targets, hits, misses and false alarms."""
        return self.targets, _running(self.hits), _running(self.misses), _running(self.false_alarms)


def pooled(tallies: Iterable[Tally]) -> Tally:
    """Return one tally with the additions of several, one after the other."""
    total = Tally()
    for tally in tallies:
        total.targets += tally.targets
        total.hits += tally.hits
        total.misses += tally.misses
        total.false_alarms += tally.false_alarms
    return total


def _running(additions: list[float]) -> float:
    # Not `sum`: from Python 3.12 on it compensates rounding, which the official tool does not.
    total = 0.0
    for addition in additions:
        total += addition
    return total


def tally(ref: SegmentList, hyp: SegmentList, label: str) -> Tally:
    """Score one label of one pair.

    Raises
    ------
    NotScorable
        If a reference of zero length is inside a detection: the official tool divides by zero there.
    """
    refs, hyps = (list(zip(*(times.tolist() for times in side.of(label)), strict=True)) for side in (ref, hyp))
    near_ref, near_hyp = _neighbours(ref, hyp, label)
    gate = overlapped(ref, hyp, label)[0].tolist()
    ref_used, hyp_used = [False] * len(refs), [False] * len(hyps)
    result = Tally(targets=len(refs))
    for i, reference in enumerate(refs):
        if ref_used[i] or not gate[i]:
            continue
        # Being used now does not end the loop: a further unused neighbour opens another round.
        for j in near_ref[i]:
            if hyp_used[j]:
                continue
            ref_used[i] = hyp_used[j] = True
            hit, false_alarm = _part(reference, hyps[j])
            miss = 1 - hit
            if hyps[j][1] >= reference[1]:
                for k in near_hyp[j]:
                    if k > i:
                        ref_used[k] = True
                        miss += 1
            else:
                for k in near_ref[i]:
                    if k > j:
                        hyp_used[k] = True
                        more_hit, more_false_alarm = _part(reference, hyps[k])
                        hit += more_hit
                        miss -= more_hit
                        false_alarm += more_false_alarm
            result.add(hit, miss, false_alarm)
    result.misses += [1.0] * ref_used.count(False)
    result.false_alarms += [1.0] * hyp_used.count(False)
    return result


def _neighbours(ref: SegmentList, hyp: SegmentList, label: str) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    near_ref: dict[int, list[int]] = defaultdict(list)
    near_hyp: dict[int, list[int]] = defaultdict(list)
    for i, j in near(ref, hyp, label).tolist():
        near_ref[i].append(j)
        near_hyp[j].append(i)
    return near_ref, near_hyp


def _part(reference: tuple[float, float], hypothesis: tuple[float, float]) -> tuple[float, float]:
    """Return hit and false alarm of one hypothesis on one reference, in lengths of the reference.

    Neither is clamped from below: near but disjoint segments give negative hits.
    """
    (ref_start, ref_stop), (hyp_start, hyp_stop) = reference, hypothesis
    length = ref_stop - ref_start
    if length == 0:
        raise NotScorable("taes", f"TAES divides by zero: the reference at {ref_start:g} s has no length")
    if hyp_start <= ref_start and hyp_stop <= ref_stop:
        return (hyp_stop - ref_start) / length, _capped((ref_start - hyp_start) / length)
    if hyp_start >= ref_start and hyp_stop >= ref_stop:
        return (ref_stop - hyp_start) / length, _capped((hyp_stop - ref_stop) / length)
    if hyp_start < ref_start and hyp_stop > ref_stop:
        return 1.0, _capped(((hyp_stop - ref_stop) + (ref_start - hyp_start)) / length)
    return (hyp_stop - hyp_start) / length, 0.0


def _capped(false_alarm: float) -> float:
    return min(false_alarm, 1.0)
