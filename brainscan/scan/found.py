"""What of a folder a scan takes, and what it says of the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from brainscan.analysis.outcome import Outcome
from brainscan.corpora.table import is_eeg
from brainscan.errors import InputError
from brainscan.io.container_format import ContainerFormat
from brainscan.io.containers import kind_of, kind_told, readable_names, unread
from brainscan.io.discover import Found, explore
from brainscan.io.edf_annotations import holds_our_events, is_told_ours
from brainscan.io.outputs import anonymous_name
from brainscan.io.remembered import Remembered
from brainscan.io.remote import RemoteFolder
from brainscan.io.remote import shown as address
from brainscan.scan import bids
from brainscan.scan.config import ScanConfig
from brainscan.scan.discover import possible_stems


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Look:
    """What is asked of every file of a folder, and opens it.

    Parameters
    ----------
    kind : callable
        As `brainscan.io.containers.kind_of`.
    is_copy : callable
        As `brainscan.io.edf_annotations.holds_our_events`.
    end : callable
        Called when everything was looked at.
    """

    kind: Callable[[Path], ContainerFormat | None] = kind_of
    is_copy: Callable[[Path], bool] = holds_our_events
    end: Callable[[], None] = _nothing

    @classmethod
    def again(cls) -> Look:
        """Return one for many looks: what did not change is not opened again, what is gone is forgotten."""
        kind, is_copy = Remembered(kind_told, None), Remembered(is_told_ours, False)

        def end() -> None:
            kind.end_look()
            is_copy.end_look()

        return cls(kind, is_copy, end)


_ONCE = Look()


def parts(config: ScanConfig, look: Look = _ONCE) -> Iterator[Found]:
    """Yield what lies in each folder; recordings that are left out stand among the other files.

    Parameters
    ----------
    config : ScanConfig
    look : Look

    Raises
    ------
    InputError
        If the folder cannot be listed.
    """
    if config.source:
        every: Iterable[Found] = (Found(RemoteFolder(config.source).recordings()),)
    else:
        every = explore(config.folder, config.out, look.kind)
    for part in every:
        kept = bids.recordings_of(part)[0].recordings if config.bids is not None else part.recordings
        kept = tuple(path for path in kept if is_eeg(path) and not _is_copy(config, path, look))
        held = frozenset(kept)
        yield replace(part, recordings=kept, others=tuple(path for path in part.recordings if path not in held))
    look.end()


def notes_of(config: ScanConfig, found: Found) -> tuple[str, ...]:
    """Return what a user has to know of links, of what is not read and of what is left out, a line each."""
    shown = _shown(config)
    return (*found.notes(shown), *_left_out(config, found.others, shown))


def left_out_of(config: ScanConfig, found: Found) -> frozenset[PurePath]:
    """Return the paths that outputs of recordings may have which are there and left out, or there twice."""
    paths = (*found.others, *(path for path, _ in found.twice))
    return frozenset(stem for path in paths for stem in possible_stems(path, anonymous=config.anonymous))


def unread_of(config: ScanConfig, found: Found) -> list[tuple[PurePath, Outcome]]:
    """Return the outcomes of recordings of kinds that are not read."""
    shown = _shown(config)
    return [
        (path, Outcome(shown(path), "unread", warnings=(kind.name,), error=unread(kind, shown(path))))
        for path, kind in found.unread
    ]


def nothing_found(config: ScanConfig, notes: tuple[str, ...]) -> InputError:
    """Return what is said of a folder without a recording that can be read."""
    return InputError(
        "holds no recording that can be read" if notes else "holds no recording",
        kind="empty",
        file=address(config.source) if config.source else str(config.folder),
        hint="; ".join(notes) or readable_names(),
    )


def _left_out(config: ScanConfig, paths: Sequence[PurePath], shown: Callable[[PurePath], str]) -> Iterator[str]:
    """Yield what has to be said of recordings that are left out, a line for each reason."""
    if config.bids is not None:
        found, notes = bids.recordings_of(Found(tuple(paths)))
        yield from notes
        paths = found.recordings
    copies = {path: None for path in paths if _is_copy(config, path, _ONCE)}
    if copies:
        what = "1 file holds" if len(copies) == 1 else f"{len(copies)} files hold"
        yield f"{what} brainscan's own events, copies of recordings with them ({shown(next(iter(copies)))}): left out"
    signals = [path for path in paths if path not in copies]
    if signals:
        what = "1 file is" if len(signals) == 1 else f"{len(signals)} files are"
        yield f"{what} of other signals than EEG, as BIDS' names tell ({shown(signals[0])}): left out"


def _is_copy(config: ScanConfig, path: PurePath, look: Look) -> bool:
    """Say whether a recording is a copy that brainscan put its events into."""
    return not config.source and look.is_copy(config.folder / path)


def _shown(config: ScanConfig) -> Callable[[PurePath], str]:
    """Return how a path is shown."""
    return _anonymous if config.anonymous else PurePath.as_posix


def _anonymous(path: PurePath) -> str:
    return PurePath(*map(anonymous_name, path.parts)).as_posix()
