"""The headers of EDF, EDF+, BDF and BDF+: fields as files really fill them.

EDF: Kemp and others, EEG and Clinical Neurophysiology 82 (1992) 391-393; EDF+: Kemp and Olivan, Clinical
Neurophysiology 114 (2003) 1755-1761. Field widths count bytes. Patient fields give an age and nothing else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from brainscan.errors import InputError
from brainscan.io.containers import Container
from brainscan.recording import FILLER_DATES

FIXED_BYTES = 256
SIGNAL_BYTES = 256
MAX_SIGNALS = 9999  # what the four characters hold

SIGNAL_WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTHS = {m: i for i, m in enumerate(MONTH_NAMES, start=1)}
_ANNOTATIONS = re.compile(r"[eb]df\+? *annotations?\b", re.IGNORECASE)
_MIN_RECORD_S, _MAX_RECORD_S = 1e-6, 1e7


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal of the header.

    Parameters
    ----------
    label, unit : str
    physical_min, physical_max : float
        NaN where unreadable.
    digital_min, digital_max : int or None
        None where unreadable.
    samples : int
        Samples per record.
    offset : int
        Samples of the record before it.
    is_annotations : bool
    has_comma : bool
        Numbers of the physical range are written with a decimal comma.
    """

    label: str
    unit: str
    physical_min: float
    physical_max: float
    digital_min: int | None
    digital_max: int | None
    samples: int
    offset: int
    is_annotations: bool
    has_comma: bool = False

    @property
    def is_swapped(self) -> bool:
        """Whether the digital minimum is above the maximum, which is not allowed but can be computed."""
        return self.digital_min is not None and self.digital_max is not None and self.digital_min > self.digital_max

    @property
    def gain(self) -> float | None:
        """Physical units per digital step; None where the range gives none."""
        if self.digital_min is None or self.digital_max is None or self.digital_min == self.digital_max:
            return None
        gain = (self.physical_max - self.physical_min) / (self.digital_max - self.digital_min)
        return gain if math.isfinite(gain) and gain != 0.0 else None


@dataclass(frozen=True, slots=True)
class EdfHeader:
    """What the header says, checked for consistency.

    Parameters
    ----------
    format : str
        ``EDF``, ``EDF+C``, ``EDF+D``, ``BDF``, ``BDF+C`` or ``BDF+D``.
    sample_bytes : int
        2 or 3.
    start : datetime or None
    age_years : float or None
    n_records : int
        As the header has it; -1 where unknown or unreadable.
    record_s : Fraction
        Duration of a record, 0 if there are only annotations.
    signals : tuple of Signal
    warnings : tuple of str
    """

    format: str
    sample_bytes: int
    start: datetime | None
    age_years: float | None
    n_records: int
    record_s: Fraction
    signals: tuple[Signal, ...]
    warnings: tuple[str, ...]

    @property
    def data_start(self) -> int:
        """First byte of the first record."""
        return FIXED_BYTES + SIGNAL_BYTES * len(self.signals)

    @property
    def record_bytes(self) -> int:
        """Bytes of a record."""
        return self.sample_bytes * sum(signal.samples for signal in self.signals)


def header_length(fixed: bytes, size: int, name: str) -> int:
    """Return the length of the whole header from its first 256 bytes, checked against the file's size.

    Raises
    ------
    InputError
        Kind ``header``: the number of signals or of header bytes is impossible.
    """
    n_signals = _integer(fixed[252:256])
    if n_signals is None or not 1 <= n_signals <= MAX_SIGNALS:
        raise _bad(f"damaged header (number of signals reads {_shown(fixed[252:256])})", name)
    length = FIXED_BYTES + SIGNAL_BYTES * n_signals
    if length > size:
        raise _bad(f"damaged header ({n_signals} signals need {length} bytes, the file has {size})", name)
    if _integer(fixed[184:192]) != length:
        raise _bad(
            f"damaged header (its length field reads {_shown(fixed[184:192])}, {n_signals} signals make {length})", name
        )
    return length


def is_header(fixed: bytes) -> bool:
    """Say whether bytes are the beginning of a header: its length agrees with its number of signals."""
    n_signals = _integer(fixed[252:256])
    if n_signals is None or not 1 <= n_signals <= MAX_SIGNALS:
        return False
    return _integer(fixed[184:192]) == FIXED_BYTES + SIGNAL_BYTES * n_signals


def parse_header(data: bytes, container: Container, name: str) -> EdfHeader:
    """Parse a whole header.

    Parameters
    ----------
    data : bytes
        `header_length` bytes.
    container : {"EDF", "BDF"}
        By content.
    name : str
        For messages.

    Raises
    ------
    InputError
        Kind ``header`` where the layout of the records cannot be known.
    """
    warnings: list[str] = []
    stem = "BDF" if container == "BDF" else "EDF"
    version = data[:8].strip(b" \0")
    if version not in (b"0", b"\xffBIOSEMI"):
        warnings.append(f"unusual version field, read as {stem}")
    reserved = data[192:236].decode("latin-1").upper()
    kind = f"{stem}+{reserved[4]}" if reserved[:5] in ("EDF+C", "EDF+D", "BDF+C", "BDF+D") else stem
    signals = tuple(_signals(data, 3 if stem == "BDF" else 2, name))
    record_s = _record_duration(data[244:252], all(s.is_annotations for s in signals), name)
    n_records = _integer(data[236:244])
    start = _start(data[168:176], data[176:184], text_of(data[88:168]) if "+" in kind else "")
    if "+" in kind and (differ := _two_dates(data[168:176], text_of(data[88:168]))):
        warnings.append(differ)
    return EdfHeader(
        format=kind,
        sample_bytes=3 if stem == "BDF" else 2,
        start=start,
        age_years=_age(text_of(data[8:88]), start),
        n_records=-1 if n_records is None else n_records,
        record_s=record_s,
        signals=signals,
        warnings=tuple(warnings),
    )


def text_of(field: bytes) -> str:
    """Decode a header field: UTF-8, else latin-1; control bytes become blanks, which are cut at the ends."""
    try:
        text = field.decode("utf-8")
    except UnicodeDecodeError:
        text = field.decode("latin-1")
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _unit_of(field: bytes) -> str:
    # A Japanese micro sign is the two bytes 83 CA.
    return text_of(field.replace(b"\x83\xca", "\u03bc".encode()))


def _signals(data: bytes, sample_bytes: int, name: str) -> Iterator[Signal]:
    n_signals = len(data) // SIGNAL_BYTES - 1
    columns: list[list[bytes]] = []
    at = FIXED_BYTES
    for width in SIGNAL_WIDTHS:
        columns.append([data[at + width * i : at + width * (i + 1)] for i in range(n_signals)])
        at += width * n_signals
    offset = 0
    for i in range(n_signals):
        label = text_of(columns[0][i])
        samples = _integer(columns[8][i])
        if samples is None or samples < 0:
            shown = _shown(columns[8][i])
            raise _bad(f"damaged header (samples per record of signal {i + 1}, {label!r}, reads {shown})", name)
        yield Signal(
            label=label,
            unit=_unit_of(columns[2][i]),
            physical_min=_number(columns[3][i]),
            physical_max=_number(columns[4][i]),
            digital_min=_rounded(columns[5][i]),
            digital_max=_rounded(columns[6][i]),
            samples=samples,
            offset=offset,
            is_annotations=_ANNOTATIONS.match(label) is not None,
            has_comma=b"," in columns[3][i] + columns[4][i],
        )
        offset += samples


def _record_duration(field: bytes, only_annotations: bool, name: str) -> Fraction:
    try:
        value = Decimal(_plain(field))
    except InvalidOperation:
        value = Decimal("NaN")
    if only_annotations and not value.is_nan() and value == 0:
        return Fraction(0)
    if not value.is_finite() or not _MIN_RECORD_S <= value <= _MAX_RECORD_S:
        if only_annotations:
            return Fraction(0)
        raise _bad(f"damaged header (duration of a record reads {_shown(field)})", name)
    return Fraction(value)


def _plain(field: bytes) -> str:
    """Return a numeric field as Python spells numbers: a decimal comma becomes a point."""
    text = field.decode("latin-1").replace("\0", " ").strip().replace(",", ".")
    return text if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", text) else "nan"


def _number(field: bytes) -> float:
    return float(_plain(field))


def _integer(field: bytes) -> int | None:
    text = field.decode("latin-1").replace("\0", " ").strip()
    return int(text.partition(".")[0]) if re.fullmatch(r"[+-]?[0-9]+(\.0*)?", text) else None


def _rounded(field: bytes) -> int | None:
    value = _number(field)
    return round(value) if math.isfinite(value) else None


def _shown(field: bytes) -> str:
    """Return a numeric field for a message; what is no number's character might be a patient's, and is masked."""
    return repr("".join(chr(b) if chr(b) in " 0123456789+-.,eE" else "?" for b in field).strip())


def _bad(message: str, name: str) -> InputError:
    return InputError(message, kind="header", file=name, hint="copy the file again, or export it again")


def _start(day: bytes, time: bytes, recording: str) -> datetime | None:
    """Return the start time; the EDF+ field with four digits of the year wins where it is valid."""
    clock = re.fullmatch(r"(\d{1,2})\D(\d{1,2})\D(\d{1,2})", text_of(time))
    when = _said_date(recording)
    try:
        when = when or _short_date(day)
        if when is None or clock is None:
            return None
        hour, minute, second = (int(g) for g in clock.groups())
        return datetime(when.year, when.month, when.day, hour, minute, second)  # local clock of the recorder
    except ValueError:
        return None


def _said_date(recording: str) -> date | None:
    """Return the date that EDF+'s field of the recording begins with."""
    words = recording.split()
    return _date(words[1]) if len(words) > 1 and words[0].lower() == "startdate" else None


def _short_date(day: bytes) -> date | None:
    """Return the date of the header's own field, which has two digits for the year."""
    found = re.fullmatch(r"(\d{1,2})\D(\d{1,2})\D(\d{2})", text_of(day))
    if found is None:
        return None
    number, month, year = (int(g) for g in found.groups())
    try:
        return date(year + (1900 if year >= 85 else 2000), month, number)
    except ValueError:
        return None


def _two_dates(day: bytes, recording: str) -> str:
    """Return a warning where the two dates of an EDF+ header differ; empty where they do not, or one is a filler."""
    said, short = _said_date(recording), _short_date(day)
    if said is None or short is None or FILLER_DATES & {said, short}:
        return ""
    if (said.day, said.month, said.year % 100) == (short.day, short.month, short.year % 100):
        return ""
    return f"two dates of the start: {short} in the header, {said} behind Startdate; the latter is taken"


def _date(word: str) -> date | None:
    found = re.fullmatch(r"(\d{1,2})-([A-Za-z]{3})-(\d{4})", word)
    if found is None or found.group(2).upper() not in _MONTHS:
        return None
    try:
        return date(int(found.group(3)), _MONTHS[found.group(2).upper()], int(found.group(1)))
    except ValueError:
        return None


def _age(patient: str, start: datetime | None) -> float | None:
    """Return the age at the start, from ``code sex birthday name``; None where unknown or impossible.

    The form is EDF+'s, and plain EDF of some recorders and of TUSZ has it too; a word for the sex before a date in
    English is no accident.
    """
    words = patient.split()
    born = _date(words[2]) if len(words) > 2 and words[1].upper() in {"M", "F", "X"} else None
    if born is None or start is None or FILLER_DATES & {born, start.date()}:
        return None
    days = (start.date() - born) / timedelta(days=1)
    return days / 365.25 if 0 <= days < 130 * 365.25 else None
