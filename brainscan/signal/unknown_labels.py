"""What may be behind labels that name too few electrodes, for the hint of the refusal."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from brainscan.electrodes import INDEX
from brainscan.signal.labels import clean, parse_all

_CONTACT = re.compile(r"(?:(?:EEG|SEEG|ECOG|POL) )?([A-Z]{1,6}'?)[ _]?\d{1,3}(?:-\w+)?")
_RUN = 4
_BANK = re.compile(r"[A-H]")  # of 32 sockets each on a BioSemi amplifier
_NUMBERED = frozenset(("EEG", "CH", "CHAN", "CHANNEL", "E"))  # a number alone says nothing about the place


def mapping_hint(labels: Sequence[str]) -> str:
    """Return what to do about labels that name too few of the 19 electrodes.

    Parameters
    ----------
    labels : sequence of str
        As the file has them.

    Returns
    -------
    str
        Where all name electrodes: that there are no others. Where most are numbered contacts: that brainscan is for
        the scalp, or how an amplifier's sockets are named.
    """
    unknown = [label for label, read in zip(labels, parse_all(labels), strict=True) if read.first not in INDEX]
    if labels and not unknown:
        return "the file has no other channel: export it again with all electrodes"
    prefixes = [match[1] for label in unknown if (match := _CONTACT.fullmatch(clean(label).upper()))]
    runs = {name for name, n in Counter(prefixes).items() if n >= _RUN and name not in _NUMBERED}
    if 2 * sum(name in runs for name in prefixes) <= len(labels):
        return "map other names with --channel-map NAME=ELECTRODE"
    if all(_BANK.fullmatch(name) for name in runs):
        return (
            "these look like an amplifier's sockets, and only your cap's drawing says which electrode is in each:"
            " name all with --channel-map A1=Fp1 and so on"
        )
    return (
        "these look like contacts in or on the brain, and brainscan is for scalp EEG; scalp electrodes by other names"
        " are given with --channel-map NAME=ELECTRODE"
    )
