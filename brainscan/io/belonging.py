"""Whether a file of events says that it is of another recording than the one that it is used for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from brainscan.errors import UsageError
from brainscan.io.origin import Origin
from brainscan.io.outputs import anonymous_name, output_stem
from brainscan.io.pairing import bare_name
from brainscan.recording import Recording


@dataclass(frozen=True, slots=True)
class Another:
    """Of which other recording a file says that it is.

    Parameters
    ----------
    what : str
        In words.
    certain : bool
        Whether a checksum says so. Names are changed, and some detectors write one that means nothing.
    """

    what: str
    certain: bool = False

    def refusal(self, file: str, recording: str, hint: str = "") -> UsageError:
        """Return the error for a file of events that is used for a recording all the same."""
        return UsageError(
            f"{file} is of another recording ({self.what})",
            file=recording,
            hint=hint or "name the recording that its events are of",
        )


def another(said: str, origin: Origin | None, recording: Recording) -> Another | None:
    """Return of which other recording a file says that it is; None where it does not say so.

    A checksum decides; a name only where there is none.

    Parameters
    ----------
    said : str
        The recording's name that the file tells; empty where it tells none.
    origin : Origin or None
        What made the file, where brainscan did.
    recording : Recording
        Its bytes are read only where there is a checksum to compare.
    """
    if origin is not None and origin.sha256 and recording.sha256 is not None:
        sha256 = recording.sha256()
        if origin.same_input(sha256):
            return None
        return Another(f"SHA-256 {origin.sha256[:12]}..., not {sha256[:12]}...", certain=True)
    return None if same_name(said, recording.name) else Another(said)


def same_name(said: str, name: str) -> bool:
    """Whether two names may be one recording's: without suffix, as other tools leave it out, or hashed.

    ``night`` is ``night_eeg.edf`` too: one name may say more than the other.

    >>> [same_name(said, "sub-1_eeg.edf") for said in ("", "sub-1", "sub-1_eeg.edf", "sub-10", "sub-2")]
    [True, True, True, False, False]
    """
    place = PurePath(said)
    if not said or {place.name, place.stem} & {output_stem(PurePath(name)), anonymous_name(name), name}:
        return True
    short, long = sorted((bare_name(place), bare_name(PurePath(name))), key=len)
    rest = long.removeprefix(short)
    return not rest or (len(rest) < len(long) and not rest[0].isalnum())
