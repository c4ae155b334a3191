"""Which files are recordings, and where their outputs go."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath

import pytest

from brainscan.errors import InputError
from brainscan.io.discover import find_recordings
from brainscan.scan.discover import output_stems
from tests.edf_files import FakeEdf, eeg

_NOBODY = 65534


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return a folder with recordings of many names, and other files."""
    folder = tmp_path / "archive"
    for place in ("a/b", ".git/annex", "empty"):
        (folder / place).mkdir(parents=True)
    data = FakeEdf(eeg(), 2).data()
    for name in ("one.edf", "a/TWO.EDF", "a/b/three.dat", "a/b/no_suffix", ".git/annex/key.edf", "a/._one.edf"):
        (folder / name).write_bytes(data)
    (folder / "a" / "broken.bdf").write_bytes(b"nothing")
    (folder / "a" / "notes.txt").write_text("a text of more than a few words " * 20, encoding="utf-8")
    (folder / "one.csv_bi").write_text("# version = csv_v1.0.0\n", encoding="utf-8")
    (folder / "empty.dat").touch()
    return folder


def _names(paths: tuple[PurePath, ...]) -> list[str]:
    return [path.as_posix() for path in paths]


def test_by_suffix_or_by_content_but_nothing_hidden(archive: Path) -> None:
    assert _names(find_recordings(archive, archive.parent / "out")) == [
        "a/TWO.EDF",
        "a/b/no_suffix",
        "a/b/three.dat",
        "a/broken.bdf",
        "one.edf",
    ]


def test_results_inside_the_archive_are_not_searched(archive: Path) -> None:
    out = archive / "a" / "b"
    assert _names(find_recordings(archive, out)) == ["a/TWO.EDF", "a/broken.bdf", "one.edf"]


def test_results_beside_the_recordings_hide_none(archive: Path) -> None:
    assert len(find_recordings(archive, archive)) == 5


@contextmanager
def _bound_by_permissions() -> Iterator[None]:
    """Let root be somebody else for a moment."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.skipif(os.name != "posix", reason="no permissions of this kind here")
def test_a_folder_that_cannot_be_listed_is_reported() -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is closed to others
        archive = Path(folder)
        archive.chmod(0o755)
        (archive / "a" / "b").mkdir(parents=True)
        (archive / "a" / "b").chmod(0)
        try:
            with _bound_by_permissions():
                assert "a/b" in _names(find_recordings(archive, archive / "out"))
        finally:
            (archive / "a" / "b").chmod(0o755)


def test_absent_folders_and_files_are_no_archive(archive: Path) -> None:
    for place in (archive / "absent", archive / "one.edf"):
        with pytest.raises(InputError, match="cannot be listed") as caught:
            find_recordings(place, archive / "out")
        assert caught.value.exit_code == 3


def _stems(names: list[str], *, anonymous: bool = False) -> dict[str, str]:
    stems = output_stems([PurePath(n) for n in names], anonymous=anonymous)
    return {path.as_posix(): stem.as_posix() for path, stem in stems.items()}


def test_outputs_lie_in_the_same_tree() -> None:
    assert _stems(["one.edf", "a/two.EDF"]) == {"one.edf": "one", "a/two.EDF": "a/two"}


def test_names_that_would_clash_keep_their_suffix() -> None:
    assert _stems(["x.edf", "x.bdf", "y.edf", "Y.EDF", "a/x.edf"]) == {
        "x.edf": "x.edf",
        "x.bdf": "x.bdf",
        "y.edf": "y.edf",
        "Y.EDF": "Y.EDF",
        "a/x.edf": "a/x",
    }


def test_anonymous_trees_hash_every_part() -> None:
    stems = _stems(["Smith/eeg.edf", "Smith/eeg.bdf", "Jones/eeg.edf"], anonymous=True)
    assert len(set(stems.values())) == 3
    assert not any(word in stem for stem in stems.values() for word in ("Smith", "Jones", "eeg"))
    folders = [stem.split("/")[0] for stem in stems.values()]
    assert folders[0] == folders[1] != folders[2]
