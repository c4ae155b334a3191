"""Whatever the machine is like: no home, no folder for temporary files, other locales, long paths, several users."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.children import unmeasured

_REPOSITORY = Path(__file__).resolve().parents[3]
_NOBODY = 54_321
_SOMEBODY = 54_322
_PROGRAM = """
import json, locale, sys
sys.path[:0] = {sources!r}
if {numbers!r}:
    locale.setlocale(locale.LC_ALL, "")
    assert locale.localeconv()["decimal_point"] == ","
from brainscan.cli.main import main
print("ENDED", json.dumps([main(arguments) for arguments in {commands!a}]))
"""

_linux_root = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="only root on Linux becomes another user",
)


@dataclass(frozen=True, slots=True)
class Ran:
    """What commands came to."""

    codes: list[int]
    out: str
    err: str


def _run(
    folder: Path,
    commands: Sequence[Sequence[str]],
    *,
    before: Sequence[str] = (),
    changes: Mapping[str, str | None] | None = None,
    numbers: bool = False,
) -> Ran:
    """Run commands in a process of its own.

    Parameters
    ----------
    folder : Path
        Where they work.
    commands : sequence of sequence of str
    before : sequence of str
        A command that runs the interpreter.
    changes : mapping
        Variables of the environment; None takes one away.
    numbers : bool
        Let the program take over the locale, as a Python that embeds brainscan may.
    """
    # Whoever may not write here cannot write what a measured child has reached, either.
    environment: dict[str, str | None]
    environment = {**unmeasured(), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1", **(changes or {})}
    sources = [str(_REPOSITORY / place) for place in (".", "models", "training")]
    program = _PROGRAM.format(sources=sources, commands=[list(each) for each in commands], numbers=numbers)
    done = subprocess.run(
        [*before, sys.executable, "-c", program],
        cwd=folder,
        env={name: value for name, value in environment.items() if value is not None},
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    assert "ENDED" in done.stdout, done.stderr
    out, _, codes = done.stdout.rpartition("ENDED")
    return Ran(json.loads(codes), out, done.stderr)


def _as_user(uid: int) -> list[str]:
    """Return what runs a command as another user, who may read the interpreter in root's home, and write nothing."""
    reads = ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")
    return ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", *reads]


_COMMANDS = (
    ("detect", "a.edf", "-v", "--format", "csv_bi", "--format", "json", "--format", "tsv", "-o", "out/"),
    ("info", "a.edf"),
    ("evaluate", "archive"),
    ("convert", "out/a.csv_bi", "-o", "converted.tsv"),
)
_MORE = (
    ("detect", "a.edf", "--backend", "native", "-o", "native.csv_bi"),
    ("scan", "archive", "-o", "scanned"),
    ("score", "archive/a.csv_bi", "out/a.csv_bi"),
    ("report", "a.edf", "out/a.csv_bi", "-o", "page.html"),
    ("doctor",),
)
_RESULTS = ("out/a.csv_bi", "out/a.tsv", "converted.tsv")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that other users reach; pytest's own are closed to them."""
    with tempfile.TemporaryDirectory(prefix="brainscan-places-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds a recording and a small archive of it, made under usual conditions."""
    folder = tmp_path_factory.mktemp("usual")
    (folder / "archive").mkdir()
    made = ("--duration", "120", "--seizures", "1", "--seed", "4", "--annotations", "archive/a.csv_bi")
    ran = _run(folder, [("simulate", "-o", "a.edf", *made)])
    assert ran.codes == [0], ran.err
    shutil.copy(folder / "a.edf", folder / "archive" / "a.edf")
    return folder


@pytest.fixture(scope="module")
def usual(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the results under usual conditions, by name."""
    folder = tmp_path_factory.mktemp("reference")
    home = folder / "home"
    home.mkdir()
    return _works(_copied(recording, folder / "work"), changes={"HOME": str(home), "XDG_CACHE_HOME": None})


def _copied(recording: Path, folder: Path, owner: int | None = None) -> Path:
    shutil.copytree(recording, folder)
    if owner is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner, owner)
    return folder


def _works(folder: Path, more: Sequence[Sequence[str]] = (), **conditions: object) -> dict[str, str]:
    """Run the commands, and more, and return the results."""
    ran = _run(folder, [*_COMMANDS, *more], **conditions)  # type: ignore[arg-type]
    assert ran.codes == [0] * len(ran.codes), ran.err
    assert "Traceback" not in ran.err
    return {name: (folder / name).read_text(encoding="utf-8") for name in _RESULTS}


@_linux_root
def test_a_user_without_a_home(recording: Path, usual: dict[str, str], open_folder: Path) -> None:
    work = _copied(recording, open_folder / "work", _NOBODY)
    nowhere = {"HOME": None, "XDG_CACHE_HOME": None, "USER": None, "LOGNAME": None}
    assert _works(work, before=_as_user(_NOBODY), changes=nowhere) == usual


@_linux_root
def test_a_home_that_cannot_be_written(recording: Path, usual: dict[str, str], open_folder: Path) -> None:
    home = open_folder / "home"
    home.mkdir(mode=0o555)
    work = _copied(recording, open_folder / "work", _NOBODY)
    changes = {"HOME": str(home), "XDG_CACHE_HOME": None}
    assert _works(work, before=_as_user(_NOBODY), changes=changes) == usual
    assert list(home.iterdir()) == []


@_linux_root
def test_no_folder_for_temporary_files(recording: Path, usual: dict[str, str], open_folder: Path) -> None:
    """Nor a home: only the working folder can be written."""
    work = _copied(recording, open_folder / "work", _NOBODY)
    alone = (
        'mount --bind "$1" /mnt && for d in /tmp /var/tmp /dev/shm; do mount -t tmpfs -o ro tmpfs "$d" || exit 9; done;'
        ' cd /mnt; shift; exec "$@"'
    )
    before = ["unshare", "-m", "sh", "-c", alone, "sh", str(work), *_as_user(_NOBODY)]
    if subprocess.run([*before, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no mounts of one's own here")
    changes = {"HOME": None, "XDG_CACHE_HOME": None, "TMPDIR": None}
    assert _works(work, _MORE, before=before, changes=changes) == usual


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locales")
def test_a_locale_that_is_not_utf_8(recording: Path, usual: dict[str, str], tmp_path: Path) -> None:
    ascii_only = {"LC_ALL": "C", "LANG": None, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    work = _copied(recording, tmp_path / "work")
    assert _works(work, changes={**ascii_only, "HOME": str(tmp_path)}) == usual


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locales")
def test_names_that_the_locale_does_not_know(recording: Path, usual: dict[str, str], tmp_path: Path) -> None:
    ascii_only = {"LC_ALL": "C", "LANG": None, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "HOME": str(tmp_path)}
    shutil.copy(recording / "a.edf", tmp_path / "Größe µV.edf")
    # So does Python itself take what stands on the command line.
    name, absent = (os.fsencode(text).decode("ascii", "surrogateescape") for text in ("Größe µV.edf", "ä.edf"))
    ran = _run(
        tmp_path,
        [("info", name), ("detect", name, "-v"), ("info", absent)],
        changes=ascii_only,
    )
    assert ran.codes == [0, 0, 3], ran.err
    assert (tmp_path / "Größe µV.csv_bi").is_file()


@pytest.fixture
def decimal_comma(tmp_path: Path) -> dict[str, str]:
    """Return variables for a German locale, compiled here, or skip."""
    try:
        done = subprocess.run(
            ["localedef", "-i", "de_DE", "-f", "UTF-8", str(tmp_path / "de_DE.UTF-8")], capture_output=True, check=False
        )
    except OSError:
        pytest.skip("no localedef")
    if not (tmp_path / "de_DE.UTF-8" / "LC_NUMERIC").is_file():
        pytest.skip(f"no German locale can be made: {done.stderr!r}")
    return {"LOCPATH": str(tmp_path), "LC_ALL": "de_DE.UTF-8", "HOME": str(tmp_path)}


def test_a_locale_with_decimal_commas(
    recording: Path, usual: dict[str, str], tmp_path: Path, decimal_comma: dict[str, str]
) -> None:
    assert _works(_copied(recording, tmp_path / "work"), changes=decimal_comma, numbers=True) == usual


def test_paths_of_more_than_260_characters(recording: Path, usual: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["a folder with a long name, as archives have them"] * 6)
    folder.parent.mkdir(parents=True)
    assert len(str(folder)) > 260
    assert _works(_copied(recording, folder), changes={"HOME": str(tmp_path)}) == usual


@_linux_root
def test_two_users_with_one_cache(recording: Path, open_folder: Path) -> None:
    """The second cannot write what the first has made; he reads it, or does without, and gets the same."""
    shared, places = open_folder / "cache", []
    for folder in (shared, shared / "kept"):
        folder.mkdir()
        folder.chmod(0o1777)
    for uid in (_NOBODY, _SOMEBODY):
        work = _copied(recording, open_folder / str(uid), uid)
        places.append(work)
        changes = {"XDG_CACHE_HOME": str(shared), "HOME": None}
        named = [("evaluate", "archive", "-o", "figures", "--cache", str(shared / "kept"))]
        ran = _run(work, [*_COMMANDS, *named, *named], before=_as_user(uid), changes=changes)
        assert ran.codes == [0] * len(ran.codes), ran.err
        assert "Traceback" not in ran.err
    first, second = ({name: (place / name).read_bytes() for name in _RESULTS} for place in places)
    assert first == second
