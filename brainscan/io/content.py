"""What an event format is given to write: the events, and what else is known where they come from a detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from brainscan.detection import Detection
from brainscan.events import Annotation
from brainscan.io.annotation_file import SEIZURE, AnnotationFile
from brainscan.io.origin import Origin
from brainscan.provenance import NOTICE
from brainscan.recording import Recording


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """What there is to write about one recording.

    Parameters
    ----------
    file : AnnotationFile
        The seizures, with our own remarks as comments.
    name : str
        File name of the recording.
    detection : Detection or None
        Where a detector found them.
    recording : Recording or None
        For formats that hold its samples, or draw them.
    keep_patient : bool
        Let a copy of the recording say whose it is, as the recording does.
    """

    file: AnnotationFile
    name: str
    detection: Detection | None = None
    recording: Recording | None = None
    keep_patient: bool = False

    @classmethod
    def of(cls, detection: Detection, recording: Recording | None = None, *, keep_patient: bool = False) -> Content:
        """Return the content of a detection."""
        rows = tuple(Annotation(e.onset_s, e.offset_s, SEIZURE, e.confidence) for e in detection.events)
        file = AnnotationFile(
            rows, detection.duration_s, name=detection.file, start=detection.start, comments=comments(detection)
        )
        return cls(file, detection.file, detection, recording, keep_patient)

    def placed_track(self) -> tuple[Annotation, ...]:
        """Return the seizures as one track with the channels of each: told by the file, else those that lead.

        The names are those of the recording's channels, as BIDS has it.
        """
        rows = self.file.track_with_channels()
        if self.detection is None:
            return rows
        leading = {event.onset_s: self.detection.labels_of(event.leading) for event in self.detection.events}
        return tuple(replace(row, channel=listed(leading.get(row.onset_s, ())) or row.channel) for row in rows)

    @property
    def detected(self) -> Detection:
        """The detection.

        Raises
        ------
        ValueError
            If there is none: a caller's mistake, who has to look at the format's `needs`.
        """
        if self.detection is None:
            raise ValueError("this format is made of a detection, and there is none")
        return self.detection


def listed(labels: Sequence[str]) -> str:
    """Return names for one cell; one that holds a separator of cells or names cannot stand there."""
    return ",".join(label for label in labels if not set(label) & set(",\t\r\n"))


def comments(detection: Detection) -> tuple[str, ...]:
    """Return the facts that formats with comments carry, one line each."""
    lines = Origin(detection.sha256, detection.model).comment_lines()
    lines += [f"analysed {detection.analysed_s:.4f} s", f"quality {detection.quality}"]
    lines += [f"unscored {start:.4f} {stop:.4f}" for start, stop in detection.unscored]
    lines += [f"electrode {e.name} {e.how}" for e in detection.electrodes if e.how != "recorded"]
    lines += [f"warning {warning}" for warning in detection.warnings]
    for event in detection.events:
        clock = detection.clock(event.onset_s)
        if clock is not None:
            mark = " prolonged" if event.prolonged else ""
            lines.append(f"event {event.onset_s:.4f} at {clock.isoformat(timespec='milliseconds')}{mark}")
        if event.place is not None:
            lines.append(" ".join(("place", f"{event.onset_s:.4f}", event.side, *event.leading)))
    return (*lines, f"notice {NOTICE}")
