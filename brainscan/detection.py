"""`Detection`: what a detector says about one recording. Every writer starts from it."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from brainscan.burden import Burden, burden_of
from brainscan.errors import MissingExtraError
from brainscan.events import Annotation, Event, Probabilities
from brainscan.familiarity import UNFAMILIAR
from brainscan.qeeg import Trends
from brainscan.recording import Recording, Segment, is_filler

if TYPE_CHECKING:
    import pandas

Found = Literal["present", "renamed", "derived", "missing"]
How = Literal["recorded", "derived", "interpolated", "missing"]
Quality = Literal["good", "doubtful", "unusable"]
RecordingQuality = Literal["good", "mixed", "poor"]

_LITTLE_SCORED, _MUCH_UNSCORED = 0.5, 0.05


@dataclass(frozen=True, slots=True)
class ElectrodeReport:
    """One of the 19 in one recording.

    Parameters
    ----------
    name : str
    found : {"present", "renamed", "derived", "missing"}
        By label.
    how : {"recorded", "derived", "interpolated", "missing"}
        How its signal is obtained in most windows.
    quality : {"good", "doubtful", "unusable"}
        Summary over the windows: unusable in at most a tenth of them, in up to half, in more.
    bad_share : float
        Share of the windows in which it was unusable, 0..1.
    channels : tuple of str
        Labels that it comes from.
    """

    name: str
    found: Found
    how: How
    quality: Quality
    bad_share: float
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """Facts, events and verdicts of one recording.

    Parameters
    ----------
    file : str
        Name of the recording.
    format : str
    start : datetime or None
        Wall-clock time of second 0.
    duration_s : float
    analysed_s : float
        Seconds that were scored.
    segments : tuple of Segment
    events : tuple of Event
    unscored : tuple of (float, float)
        Spans, seconds from the start, that no window scored.
    electrodes : tuple of ElectrodeReport
        The 19, in order.
    warnings : tuple of str
    annotations : tuple of Annotation
        The file's own notes.
    model : mapping
        Name, checksum, version and settings: the provenance of the events.
    sha256 : str
        Of the recording's bytes; empty where it was never a file.
    probabilities : tuple of Probabilities
        One a segment; empty unless asked for.
    trends : Trends or None
        Of the whole recording; None unless asked for.
    unfamiliar_share : float or None
        Share of the analysed windows without an event that are unlike the background that the model was trained on;
        None where there is none, or the model's card does not tell what that is like.
    doubted : bool
        Electrodes, gains or mains cast doubt on the signal; `warnings` say which.
    """

    file: str
    format: str
    start: datetime | None
    duration_s: float
    analysed_s: float
    segments: tuple[Segment, ...]
    events: tuple[Event, ...]
    unscored: tuple[tuple[float, float], ...]
    electrodes: tuple[ElectrodeReport, ...]
    warnings: tuple[str, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    model: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    sha256: str = ""
    probabilities: tuple[Probabilities, ...] = ()
    trends: Trends | None = None
    unfamiliar_share: float | None = None
    doubted: bool = False

    def __repr__(self) -> str:
        """Say what matters: which file, how many seizures, how much was analysed, whether to trust it."""
        n_events = len(self.events)
        doubt = f"{', low trust' if self.low_trust else ''}{', unfamiliar' if self.unfamiliar else ''}"
        found = f"{n_events} seizure{'' if n_events == 1 else 's'}"
        return f"<Detection {self.file!r}: {found} in {self.analysed_s:g} of {self.duration_s:g} s{doubt}>"

    def clock(self, at_s: float) -> datetime | None:
        """Return the wall-clock time of a second of the recording, None where the start is unknown."""
        return None if self.start is None else self.start + timedelta(seconds=at_s)

    def without_filler(self) -> Detection:
        """Return the same for people to read: without its start where that is no time but stands for one not known."""
        return replace(self, start=None) if is_filler(self.start) else self

    def labels_of(self, electrodes: Sequence[str]) -> tuple[str, ...]:
        """Return the labels of the file's channels that some electrodes come from."""
        channels = {report.name: report.channels for report in self.electrodes}
        return tuple(dict.fromkeys(label for name in electrodes for label in channels.get(name, ())))

    @property
    def low_trust(self) -> bool:
        """Whether more than half of the electrodes are doubtful or worse."""
        return sum(e.quality != "good" for e in self.electrodes) > len(self.electrodes) / 2

    @property
    def quality(self) -> RecordingQuality:
        """How far the recording can be trusted.

        Poor: less than half of it was analysed, or more than half of the electrodes are doubtful. Mixed: more than a
        twentieth was not analysed, or the signal is doubted.
        """
        scored = self.analysed_s / self.duration_s if self.duration_s > 0.0 else 0.0
        if scored < _LITTLE_SCORED or self.low_trust:
            return "poor"
        return "mixed" if scored < 1.0 - _MUCH_UNSCORED or self.doubted else "good"

    @property
    def unfamiliar(self) -> bool:
        """Whether most of the recording is unlike anything that the model was trained on."""
        return self.unfamiliar_share is not None and self.unfamiliar_share >= UNFAMILIAR

    @property
    def burden(self) -> Burden:
        """How much seizure there was, by hour and in the fullest hour, with the flags that follow."""
        return burden_of(self.events, self.unscored, self.duration_s, self.start)

    def to_html(self, recording: Recording | None = None) -> str:
        """Return the page to read and review: what was found, and the EEG around each event.

        Parameters
        ----------
        recording : Recording, optional
            The one that was analysed; without it the page has no EEG. Probabilities are drawn where the detection
            holds them (`DetectOptions.keep_probabilities`).

        Returns
        -------
        str
            One HTML document that needs no other file.

        Raises
        ------
        MissingExtraError
            If jinja2 is not installed.
        InputError
            If the recording cannot be read any more.
        """
        if importlib.util.find_spec("jinja2") is None:
            raise MissingExtraError("Detection.to_html", "report")
        page = importlib.import_module("brainscan.report.recording_page")  # it stands above what it shows
        text: str = page.render(page.Page(self, recording))
        return text

    def _repr_html_(self) -> str:
        """Return sentence, strip and table of events, for notebooks."""
        text: str = importlib.import_module("brainscan.report.notebook").repr_html(self)
        return text

    def save(self, path: str | os.PathLike[str], format_name: str = "", *, force: bool = False) -> Path:
        """Write the events, or whatever the format holds, into a file.

        Parameters
        ----------
        path : path-like
            Its suffix says the format (docs/formats.md): ``.csv_bi``, ``.json``, ``.tsv``, ``.npz`` and others.
        format_name : str, optional
            The format, for a name that does not tell it.
        force : bool
            Replace a file that brainscan did not write for this recording with these settings. A recording is never
            written over.

        Returns
        -------
        Path
            What was written. What the format has no place for is told by a `UserWarning`.

        Raises
        ------
        TypeError
            `path` is no path.
        UsageError
            If the suffix says no format that can be written, or another than `format_name`.
        OutputError
            If the file cannot be written, or must not be.
        """
        # By name: this module knows no files, and must not import what does.
        saved: Path = importlib.import_module("brainscan.io.saving").save(self, path, format_name, force=force)
        return saved

    def to_dataframe(self) -> pandas.DataFrame:
        """Return the events as a table, one row an event, to join those of a cohort with ``pandas.concat``.

        Returns
        -------
        pandas.DataFrame
            Columns ``file``, ``onset_s``, ``offset_s``, ``duration_s``, ``confidence``, ``prolonged``, ``clock``
            (wall-clock onset, NaT where the recording has none), ``side`` and ``leading`` (electrodes, joined by
            commas).

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        if importlib.util.find_spec("pandas") is None:
            raise MissingExtraError("Detection.to_dataframe", "pandas")
        import pandas

        events = self.events
        return pandas.DataFrame(
            {
                "file": pandas.Series([self.file] * len(events), dtype="string"),
                "onset_s": pandas.Series([event.onset_s for event in events], dtype="float64"),
                "offset_s": pandas.Series([event.offset_s for event in events], dtype="float64"),
                "duration_s": pandas.Series([event.duration_s for event in events], dtype="float64"),
                "confidence": pandas.Series([event.confidence for event in events], dtype="float64"),
                "prolonged": pandas.Series([event.prolonged for event in events], dtype="bool"),
                "clock": pandas.to_datetime(pandas.Series([self.clock(event.onset_s) for event in events])),
                "side": pandas.Series([event.side for event in events], dtype="string"),
                "leading": pandas.Series([",".join(event.leading) for event in events], dtype="string"),
            }
        )

    def to_mne(self) -> Any:
        """Return the events as ``mne.Annotations``, ready for ``raw.set_annotations``.

        Returns
        -------
        mne.Annotations
            Described as ``seizure``; onsets count from the first sample. Their ``ch_names`` are the labels of the
            channels that the leading electrodes come from, none where no electrode leads. A ``raw`` that has its
            channels renamed or dropped takes them with ``on_missing="ignore"``.

        Raises
        ------
        MissingExtraError
            If MNE is not installed.
        """
        if importlib.util.find_spec("mne") is None:
            raise MissingExtraError("Detection.to_mne", "mne")
        import mne

        return mne.Annotations(
            [event.onset_s for event in self.events],
            [event.duration_s for event in self.events],
            ["seizure"] * len(self.events),
            ch_names=[self.labels_of(event.leading) for event in self.events],
        )
