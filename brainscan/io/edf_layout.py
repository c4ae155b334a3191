"""The headers of EDF and BDF files that we write: which field stands where, and what it may hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime

from brainscan.io.edf_header import FIXED_BYTES, MONTH_NAMES, SIGNAL_BYTES, SIGNAL_WIDTHS

NO_PATIENT = "X X X X"
NO_START = "Startdate X X X X"
_NO_DATE = datetime(1985, 1, 1)  # the date field must hold one, whatever is known


@dataclass(frozen=True, slots=True)
class SignalFields:
    """The fields of one signal, in the order of the header."""

    label: str
    transducer: str = ""
    unit: str = ""
    physical_min: str = "-1"
    physical_max: str = "1"
    digital_min: str = "-32768"
    digital_max: str = "32767"
    prefilter: str = ""
    samples: str = "0"
    reserved: str = ""

    def columns(self) -> tuple[bytes, ...]:
        """Return the fields at their widths."""
        texts: tuple[str, ...] = astuple(self)
        return tuple(_fixed(text, width) for text, width in zip(texts, SIGNAL_WIDTHS, strict=True))


def annotation_signal(samples: int, sample_bytes: int = 2, reserved: str = "") -> SignalFields:
    """Return the fields of a signal that holds annotations."""
    kind, top = ("EDF", 32767) if sample_bytes == 2 else ("BDF", 8388607)
    return SignalFields(
        f"{kind} Annotations",
        digital_min=str(-top - 1),
        digital_max=str(top),
        samples=str(samples),
        reserved=reserved,
    )


@dataclass(frozen=True, slots=True)
class FixedFields:
    """The part of the header that is about the whole file.

    Parameters
    ----------
    start : datetime or None
        Clock time of the file; None writes EDF+'s sign for an unknown one.
    record_s : str
        Duration of a record.
    n_records : int
    patient : str
        EDF+'s four words; by default none of them is known.
    admin, technician, equipment : str
        Of the recording, without blanks.
    reserved : str
        ``EDF+C`` and the like; empty for plain EDF.
    """

    start: datetime | None
    record_s: str
    n_records: int
    patient: str = NO_PATIENT
    admin: str = "X"
    technician: str = "X"
    equipment: str = "X"
    reserved: str = ""

    def recording(self) -> str:
        """Return the field about the recording."""
        return recording_field(self.start, self.admin, self.technician, self.equipment)


def recording_field(start: datetime | None, admin: str = "X", technician: str = "X", equipment: str = "X") -> str:
    """Return EDF+'s words about a recording.

    >>> recording_field(datetime(2002, 3, 2))
    'Startdate 02-MAR-2002 X X X'
    """
    if start is None:
        return NO_START
    day = f"{start:%d}-{MONTH_NAMES[start.month - 1]}-{start:%Y}"
    return f"Startdate {day} {admin} {technician} {equipment}"


def edf_header(fixed: FixedFields, signals: Sequence[SignalFields]) -> bytes:
    """Return a whole EDF header.

    Raises
    ------
    ValueError
        If a text is too long for its field, or not ASCII.
    """
    when = fixed.start or _NO_DATE
    fields = (
        ("0", 8),
        (fixed.patient, 80),
        (fixed.recording(), 80),
        (f"{when:%d.%m.%y}", 8),
        (f"{when:%H.%M.%S}", 8),
        (str(FIXED_BYTES + SIGNAL_BYTES * len(signals)), 8),
        (fixed.reserved, 44),
        (str(fixed.n_records), 8),
        (fixed.record_s, 8),
        (str(len(signals)), 4),
    )
    rows = [signal.columns() for signal in signals]
    columns = (b"".join(column) for column in zip(*rows, strict=True))
    return b"".join((*(_fixed(text, width) for text, width in fields), *columns))


def _fixed(text: str, width: int) -> bytes:
    data = text.encode("ascii").ljust(width)
    if len(data) != width:
        raise ValueError(f"{text!r} has more than the {width} characters that EDF has room for")
    return data
