"""One walk for all commands: links followed, each recording once, what is not there named."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan.corpora.references import ReferenceFolder
from brainscan.errors import InputError
from brainscan.io.annotations import sniff
from brainscan.io.discover import files_below, search
from brainscan.io.event_pairs import pair_files
from brainscan.io.links import AbsentContentError, content_elsewhere
from brainscan.io.reading import read
from brainscan.io.text_files import read_text
from brainscan.io.walking import FileId, walk
from tests.edf_files import FakeEdf, eeg

KEY = "MD5E-s5841920--0123456789abcdef0123456789abcdef.edf"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


def recording(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(FakeEdf(eeg(n_records=2, seed=seed), 2).data())
    return path


def link(path: Path, target: str | Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return path


def names(folder: Path) -> list[str]:
    return [path.as_posix() for path in search(folder, folder).recordings]


def test_linked_folders_are_followed_wherever_they_lead(tmp_path: Path) -> None:
    root = tmp_path / "bids"
    recording(root / "sub-01" / "eeg" / "a.edf")
    recording(tmp_path / "disk" / "sub-02" / "eeg" / "b.edf", 1)
    recording(tmp_path / "disk" / ".store" / "c.edf", 2)
    link(root / "sub-02", "../disk/sub-02")
    link(root / "sub-03", tmp_path / "disk" / ".store")  # hidden where it lies, visible here
    link(root / "sub-04" / "d.edf", recording(tmp_path / "e.edf", 3))
    link(root / ".hidden", tmp_path / "disk")
    assert names(root) == ["sub-01/eeg/a.edf", "sub-02/eeg/b.edf", "sub-03/c.edf", "sub-04/d.edf"]
    assert names(link(tmp_path / "again", root)) == names(root)
    assert search(root, root).notes() == ()


def test_one_recording_by_several_paths_counts_once_and_is_told(tmp_path: Path) -> None:
    kept = recording(tmp_path / "p2" / "a.edf")
    link(tmp_path / "p1", "p2")
    link(tmp_path / "p3.edf", kept)
    os.link(kept, tmp_path / "p2" / "b.edf")
    found = search(tmp_path, tmp_path)
    assert [path.as_posix() for path in found.recordings] == ["p2/a.edf"]
    assert len(found.twice) == 4  # p1/a, p1/b, p2/b, p3
    assert found.notes() == (
        "4 further paths lead to recordings that are here already (p2/b.edf is p2/a.edf): each is taken once",
    )
    assert "p2" not in found.notes(lambda _: "hash")[0]


@pytest.mark.parametrize("target", [".", "..", "../..", "../../a", "b/../../a"])
def test_links_that_lead_back_end_and_are_counted(tmp_path: Path, target: str) -> None:
    recording(tmp_path / "a" / "b" / "one.edf")
    link(tmp_path / "a" / "b" / "circle", target if target[0] == "." else tmp_path / "a" / target)
    found = search(tmp_path, tmp_path)
    assert [path.as_posix() for path in found.recordings] == ["a/b/one.edf"]
    assert len(found.loops) == 1
    assert "back to a folder above" in found.notes()[-1]


def test_folders_that_link_crosswise_end(tmp_path: Path) -> None:
    for a in range(8):
        recording(tmp_path / f"f{a}" / f"r{a}.edf", a)
        for b in range(8):
            if a != b:
                link(tmp_path / f"f{a}" / f"to{b}", f"../f{b}")
    assert names(tmp_path) == [f"f{a}/r{a}.edf" for a in range(8)]


def test_outputs_reached_by_a_link_are_no_input(tmp_path: Path) -> None:
    recording(tmp_path / "out" / "one.edf")
    root = tmp_path / "in"
    recording(root / "two.edf", 1)
    link(root / "results", "../out")
    assert [path.name for path in search(root, tmp_path / "out").recordings] == ["two.edf"]


FROM, TO = st.sampled_from(["", "a", "b", "a/c"]), st.sampled_from(["a", "b", "a/c", "b/e", ""])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "b", "a/c", "a/c/d", "b/e"]), max_size=5, unique=True),
    st.lists(st.tuples(FROM, TO), max_size=4),
)
def test_every_recording_within_reach_is_found_once(places: list[str], links: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for place in ("a/c/d", "b/e"):
            (root / place).mkdir(parents=True)
        for number, place in enumerate(places):
            recording(root / place / f"r{number}.edf", number)
        for number, (place, target) in enumerate(links):
            link(root / place / f"link{number}", root / target)
        found = search(root, root)
        assert len({FileId.of(root / path) for path in found.recordings}) == len(found.recordings) == len(places)
        # Real paths win over links.
        assert not any("link" in path.as_posix() for path in found.recordings)
        assert {again.name for again, _ in found.twice} <= {path.name for path in found.recordings}


def _unfetched(folder: Path, kind: str, suffix: str) -> Path:
    path = folder / f"x{suffix}"
    if kind == "annex link":
        return link(path, f"../.git/annex/objects/cc/dd/{KEY}/{KEY}")
    if kind == "dangling":
        return link(path, "../nowhere/x")
    content = {
        "annex pointer": f"/annex/objects/{KEY}\n".encode(),
        "annex pointer with more": f"/annex/objects/{KEY}\n/annex/ more\n".encode(),
        "annex pointer of Windows": f"\\annex\\objects\\{KEY}\r\n".encode(),
        "link as a text": f"../../.git/annex/objects/cc/dd/{KEY}/{KEY}".encode(),
        "lfs": LFS,
    }[kind]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


ABSENT = [
    ("annex link", "git annex get"),
    ("annex pointer", "git annex get"),
    ("annex pointer with more", "git annex get"),
    ("annex pointer of Windows", "git annex get"),
    ("link as a text", "git annex get"),
    ("lfs", "git lfs pull"),
    ("dangling", "remove the link"),
]


@pytest.mark.parametrize(("kind", "hint"), ABSENT)
@pytest.mark.parametrize("suffix", [".edf", ".EDF", ".bdf", ".vhdr", ".set", ".fif"])
def test_recordings_that_are_not_here_are_found_and_named(tmp_path: Path, kind: str, hint: str, suffix: str) -> None:
    path = _unfetched(tmp_path / "sub-01", kind, suffix)
    assert names(tmp_path) == [f"sub-01/x{suffix}"]
    with pytest.raises(AbsentContentError) as caught:
        read(path)
    assert hint in caught.value.hint
    assert (caught.value.exit_code, caught.value.file) == (3, path.name)
    assert caught.value.kind == ("io" if path.is_symlink() else "header")
    absent = content_elsewhere(path)
    assert absent is not None
    assert str(absent) == str(caught.value)


@pytest.mark.parametrize(("kind", "hint"), ABSENT)
@pytest.mark.parametrize("suffix", [".csv_bi", ".csv", ".tse", ".tsv"])
def test_annotations_that_are_not_here_are_not_taken_for_none(
    tmp_path: Path, kind: str, hint: str, suffix: str
) -> None:
    path = _unfetched(tmp_path / "ref", kind, suffix)
    assert list(files_below(tmp_path / "ref")) == [path]
    for reader in (sniff, read_text):
        with pytest.raises(AbsentContentError) as caught:
            reader(path)
        assert hint in caught.value.hint
    (tmp_path / "hyp").mkdir()
    if suffix in {".csv_bi", ".tse"}:
        assert [pair.ref for pair in pair_files(tmp_path / "ref", tmp_path / "hyp").pairs] == [path]
    recording(tmp_path / "ref" / "x.edf")
    with pytest.raises(AbsentContentError):
        ReferenceFolder(tmp_path / "ref", ["x.edf"]).find(Path("x.edf"))


def test_a_link_to_a_missing_folder_is_no_silence(tmp_path: Path) -> None:
    recording(tmp_path / "sub-01" / "a.edf")
    link(tmp_path / "sub-02", "../unplugged/sub-02")
    link(tmp_path / "README", "../unplugged/README")
    link(tmp_path / "participants.tsv", "../unplugged/participants.tsv")
    link(tmp_path / "CONTENT", f".git/annex/objects/aa/{KEY}/{KEY}")
    assert names(tmp_path) == ["sub-01/a.edf", "sub-02"]
    with pytest.raises(AbsentContentError, match="a link to something that is not there"):
        read(tmp_path / "sub-02")
    with pytest.raises(AbsentContentError):
        walk(tmp_path / "sub-02")


def test_long_files_are_never_pointers(tmp_path: Path) -> None:
    path = tmp_path / "x.edf"
    path.write_bytes(b"/annex/objects/" + bytes(40000))
    assert content_elsewhere(path) is None
    assert content_elsewhere(tmp_path / "absent.edf") is None
    with pytest.raises(InputError):
        read(path)


def test_a_link_to_itself_is_one_to_nothing(tmp_path: Path) -> None:
    path = link(tmp_path / "x.edf", "x.edf")
    assert names(tmp_path) == ["x.edf"]
    with pytest.raises(AbsentContentError):
        read(path)
