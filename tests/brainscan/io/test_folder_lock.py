"""One writer a folder, and no lock outlives its holder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from brainscan.errors import OutputError
from brainscan.io.folder_lock import LOCK, folder_lock

_HOLDER = """
import sys, time
from pathlib import Path
from brainscan.io.folder_lock import folder_lock
with folder_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    with folder_lock(tmp_path):
        with pytest.raises(OutputError, match="another scan is writing") as caught, folder_lock(tmp_path):
            pass
        assert caught.value.exit_code == 5
    assert list(tmp_path.iterdir()) == []
    with folder_lock(tmp_path):
        pass


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(OutputError), folder_lock(tmp_path):
            pass
        holder.kill()
    assert (tmp_path / LOCK).exists()
    with folder_lock(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_absent_folder_cannot_be_locked(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"), folder_lock(tmp_path / "absent"):
        pass
