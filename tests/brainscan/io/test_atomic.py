"""Files appear whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from brainscan.errors import InputError, OutputError
from brainscan.io.atomic import atomic_write, write_bytes, write_text


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
    with pytest.raises(OutputError, match="no such file or directory"):
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
