"""Files appear whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from brainscan.errors import InputError, OutputError
from brainscan.io.atomic import atomic_folder, atomic_write, write_bytes, write_text


def test_text_is_utf8_with_the_line_ends_it_has(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "µ\n\r\n")
    assert target.read_bytes() == b"\xc2\xb5\n\r\n"


def test_a_failed_write_leaves_the_old_file_and_no_trace(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_bytes(target, b"old")

    def break_off() -> None:
        with atomic_write(target) as stream:
            stream.write(b"half")
            raise InputError("broken", kind="corrupt")

    with pytest.raises(InputError):
        break_off()
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_missing_folder_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no such file or directory\)\. hint: make the folder"):
        write_bytes(tmp_path / "absent" / "a.txt", b"")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder"):
        write_bytes(tmp_path, b"")


def test_a_link_keeps_pointing_where_it_did(tmp_path: Path) -> None:
    target, link = tmp_path / "a.txt", tmp_path / "link.txt"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_bytes(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_permissions_of_a_replaced_file_stay(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_bytes(b"old")
    target.chmod(0o640)
    write_bytes(target, b"new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_device_is_written_not_replaced() -> None:
    write_bytes(Path("/dev/null"), b"gone")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def _write_folder(target: Path, name: str) -> None:
    with atomic_folder(target) as making:
        (making / name).write_text("whole")


def _broken_folder(target: Path) -> None:
    with atomic_folder(target) as making:
        (making / "half").write_text("")
        raise InputError("broken", kind="corrupt")


def test_a_folder_appears_whole_and_replaces_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "above" / "folder"
    _write_folder(target, "a")
    _write_folder(target, "b")
    assert [p.name for p in target.iterdir()] == ["b"]
    assert list(target.parent.iterdir()) == [target]


def test_a_folder_that_fails_leaves_the_old_one_and_no_trace(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    _write_folder(target, "a")
    with pytest.raises(InputError):
        _broken_folder(target)
    assert [p.name for p in target.iterdir()] == ["a"]
    assert list(tmp_path.iterdir()) == [target]


def test_the_old_folder_comes_back_if_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "folder"
    _write_folder(target, "a")
    replace, calls = Path.replace, []

    def second_fails(self: Path, to: Path) -> Path:
        calls.append(to)
        if len(calls) == 2:
            raise PermissionError(13, "Permission denied")
        return replace(self, to)

    monkeypatch.setattr(Path, "replace", second_fails)
    with pytest.raises(OutputError, match="permission denied"):
        _write_folder(target, "b")
    assert [p.name for p in target.iterdir()] == ["a"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        _write_folder(tmp_path / "a", "b")
