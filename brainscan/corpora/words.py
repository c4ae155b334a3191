"""What hospitals call their folders and files: words for sessions, for patients, and for neither.

Only names decide here, by themselves; `patients` looks at them together.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from typing import Literal

Kind = Literal["session", "patient", "neither", "unknown"]

MONTAGE = re.compile(r"\d{2}_tcp_(?:ar|le)(?:_a)?", re.IGNORECASE)
"""A folder of the Temple corpora that names a montage."""

_SEPARATOR = r"[-_. ]"
_NUMBER = rf"{_SEPARATOR}?(?:no|nr|n)?{_SEPARATOR}?\d+[a-z]?"

_SESSION_WORDS = (
    "ses|sess|session|sitzung|seance|sesion|sessione|visit|visite|visita|besuch|day|tag|jour|dia|giorno|night|nacht|nuit"
    "|noche|notte|run|rec|record|recording|registration|registrazione|aufnahme|ableitung|enregistrement|part|teil|file"
    "|exam|examination|untersuchung|study|followup|follow-up|follow_up|fu|baseline|admission|aufenthalt|stay|trial|week"
    "|month|year|monitoring|ltm|emu|acq|acquisition|seizure|sz|clip|segment|seg|block|hour|chunk|epoch|time|task|awake"
    "|sleep|wake|rest|pre|post|before|after|ictal|interictal|preictal|postictal|eeg|seq|section"
)
_SESSION = re.compile(rf"(?:{_SESSION_WORDS})(?:{_NUMBER})?", re.IGNORECASE)
# Letters that corpora use: s001 (TUSZ), t000, v2, d1, n1; with the year or the date behind them.
_SHORT_SESSION = re.compile(r"(?:[stvdnr]|ss)\d{1,3}(?:[-_.]\d{4}(?:[-_.]?\d{2}){0,2})?", re.IGNORECASE)

_PATIENT_WORDS = (
    "sub|subj|subject|sujet|sujeto|soggetto|proband|vp|p|pt|pat|patient|paciente|paziente|patiente|pac|case|fall|cas"
    "|caso|id|mrn|child|kind|enfant|baby|neonate|infant|participant|person|pn|hc|ctrl|control"
)
_WORD = re.compile(_PATIENT_WORDS, re.IGNORECASE)
_PATIENT = re.compile(rf"(?:{_PATIENT_WORDS}){_SEPARATOR}?[a-z]{{0,3}}\d+[a-z]?", re.IGNORECASE)
_CODE = re.compile(
    r"(?!(?:ward|room|bed|unit|icu|nicu|picu|site|group|grp|lab|set|fold|batch|disk|hdd|vol|cd|dvd|level|clinic)-?\d)"
    r"[a-z]{1,5}-?\d{2,}",
    re.IGNORECASE,
)

_NEITHER = re.compile(
    r"eegs?|ieeg|edf|bdf|edfs|edf[_-]?files|set|fif|data|dataset|datasets|raw|rawdata|signals?|recordings|files|records"
    r"|archive|archives|patients|subjects|participants|cases|all|tusz|tuh_?eeg(?:_seizure)?|tuh|nedc|chb-?mit|physionet"
    r"|siena|siena-scalp-eeg(?:-database)?(?:-\d.*)?|chb-mit-scalp-eeg-database(?:-\d.*)?|seizeit2?|bids|v?\d+(?:\.\d+)+"
    r"|corpus|corpora|database|db|sourcedata|export|exports|scalp|seizures|background|normal|abnormal|epilepsy"
    r"|no_epilepsy",
    re.IGNORECASE,
)

_DATES = (
    re.compile(r"(?P<y>(?:19|20)\d\d)(?:[-_.]?(?P<m>\d\d)(?:[-_.]?(?P<d>\d\d))?)?"),
    re.compile(r"(?P<d>\d{1,2})[-_.](?P<m>\d{1,2})[-_.](?P<y>(?:(?:19|20)\d\d|\d\d))"),
)
_CLOCK = re.compile(r"[-_T. ]?\d{2}[-_.:h]?\d{2}(?:[-_.:m]?\d{2}s?)?$")


@cache
def is_date(text: str) -> bool:
    """Say whether a name is a date, with or without a clock time; a year alone is one.

    >>> [is_date(t) for t in ("2019-03-04", "20190304", "04.03.2019", "2019", "2019-03-04_10-30", "00009901", "2019x")]
    [True, True, True, True, True, False, False]
    """
    for candidate in (text, _CLOCK.sub("", text)):
        for pattern in _DATES:
            match = pattern.fullmatch(candidate)
            if match is not None and _exists(match):
                return True
    return False


def _exists(match: re.Match[str]) -> bool:
    fields = {key: int(value or 1) for key, value in match.groupdict().items()}
    for month, day in ((fields["m"], fields["d"]), (fields["d"], fields["m"])):
        try:
            date(fields["y"] if fields["y"] > 99 else 2000 + fields["y"], month, day)
        except ValueError:
            continue
        return True
    return False


@cache
def kind_of(name: str) -> Kind:
    """Return what a folder's name says by itself.

    >>> [kind_of(n) for n in ("P001", "visit1", "s001_2003_07_21", "2019-03-04", "01_tcp_ar", "edf", "ward7", "anna")]
    ['patient', 'session', 'session', 'session', 'neither', 'neither', 'unknown', 'unknown']
    """
    if MONTAGE.fullmatch(name) or (_NEITHER.fullmatch(name) and not is_date(name)):
        return "neither"
    if is_session(name):
        return "session"
    return "patient" if is_patient(name) else "unknown"


def is_patient(name: str) -> bool:
    """Say whether a name is a patient's code: a word for a patient, or letters, with a number."""
    return (_PATIENT.fullmatch(name) or _CODE.fullmatch(name)) is not None and not is_session(name)


@cache
def is_session(name: str) -> bool:
    """Say whether a name is that of a session."""
    return is_date(name) or (_SESSION.fullmatch(name) or _SHORT_SESSION.fullmatch(name)) is not None


def split_tail(name: str) -> tuple[str, str] | None:
    """Return a name's beginning and what behind it tells a session; None if nothing does.

    >>> split_tail("pat1_2019-03-04"), split_tail("P001_ses2_run1"), split_tail("anna_02"), split_tail("night")
    (('pat1', '2019-03-04'), ('P001', 'ses2_run1'), ('anna', '02'), None)
    """
    cuts = [(name[: match.start()], name[match.end() :]) for match in re.finditer(_SEPARATOR, name)]
    cuts = [(head, tail) for head, tail in cuts if head and tail and _is_tail(tail) and not _WORD.fullmatch(head)]
    best = next((cut for cut in cuts if is_patient(cut[0])), cuts[0] if cuts else None)
    return None if best is None or kind_of(best[0]) in {"session", "neither"} else best


def _is_tail(text: str) -> bool:
    """Whether all parts of a tail tell a session, or are numbers."""
    if is_session(text):
        return True
    parts = [part for part in re.split(_SEPARATOR, text) if part]
    return bool(parts) and all(_RUNNING.fullmatch(part) or is_session(part) for part in parts)


_RUNNING = re.compile(r"\d{1,3}")  # longer numbers are rather somebody's
_JOINED = re.compile(r"(?P<head>[a-z]+\d{2,})(?P<tail>[rsned]\d{1,3})", re.IGNORECASE)


@cache
def patient_of_stem(stem: str) -> tuple[str, bool] | None:
    """Return the patient that a file's name tells, and whether it is a patient's code; None if it tells none.

    >>> patient_of_stem("pat1_01"), patient_of_stem("S001R02"), patient_of_stem("anna_2"), patient_of_stem("night_2")
    (('pat1', True), ('S001', True), ('anna', False), None)
    """
    joined = _JOINED.fullmatch(stem)
    if joined is not None:
        return joined["head"], True
    parts = split_tail(stem)
    if parts is not None:
        return parts[0], is_patient(parts[0])
    return (stem, True) if is_patient(stem) else None
