"""What Windows would show, as far as another system can: no names that it lacks, and paths as it writes them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path, PurePath, PureWindowsPath

import pytest

from brainscan.io.outputs import anonymous_name, output_stem
from brainscan.io.pairing import bare_name, few
from brainscan.io.remote import is_address
from brainscan.scan.discover import output_stems

_REPOSITORY = Path(__file__).resolve().parents[2]
_SOURCES = tuple(
    path for place in ("brainscan", "models", "training") for path in sorted((_REPOSITORY / place).rglob("*.py"))
)
MODULES = frozenset(
    {"crypt", "fcntl", "grp", "nis", "posix", "pty", "pwd", "resource", "spwd", "syslog", "termios", "tty"}
)
"""Of the standard library, which Windows has not."""
NAMES = {
    "os": frozenset(
        {"fork", "forkpty", "getegid", "geteuid", "getgid", "getpgid", "getuid", "killpg", "mkfifo", "nice", "pread"}
        | {
            "register_at_fork",
            "sched_getaffinity",
            "sched_setaffinity",
            "setsid",
            "statvfs",
            "sysconf",
            "uname",
            "wait4",
        }
        | {"O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK"}
    ),
    "signal": frozenset(
        {"SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGUSR1", "SIGUSR2", "alarm", "setitimer"}
    ),
}
_GUARDS = ("hasattr(", "getattr(", "AttributeError", "win32")
"""How code says that a name may be absent."""


def _foreign(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in tree.body:  # inside a function or a condition somebody has thought of it
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            yield node.lineno, node.module


def _names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=module), attr=name) if name in NAMES.get(module, ()):
                yield node.lineno, f"{module}.{name}"


def _lacking(source: str) -> list[str]:
    """Return what of a module Windows lacks: foreign imports, and names without a word about their absence nearby."""
    tree, lines = ast.parse(source), source.splitlines()
    unguarded = [
        (line, name)
        for line, name in _names(tree)
        if not any(guard in text for text in lines[max(line - 7, 0) : line + 3] for guard in _GUARDS)
    ]
    return [f"{line}: {name}" for line, name in (*_foreign(tree), *unguarded)]


def test_no_module_needs_what_windows_lacks() -> None:
    assert len(_SOURCES) > 200
    found = {path.relative_to(_REPOSITORY).as_posix(): _lacking(path.read_text(encoding="utf-8")) for path in _SOURCES}
    assert {name: lacking for name, lacking in found.items() if lacking} == {}


@pytest.mark.parametrize(
    ("source", "lacking"),
    [
        ("import fcntl", ["1: fcntl"]),
        ("def f():\n    import fcntl", []),
        ("import os, signal\nos.kill(1, signal.SIGKILL)", ["2: signal.SIGKILL"]),
        ("import os\nn = os.getuid() if hasattr(os, 'getuid') else 0", []),
    ],
)
def test_what_windows_lacks_is_seen(source: str, lacking: list[str]) -> None:
    assert _lacking(source) == lacking


def test_outputs_keep_the_tree_of_a_windows_folder() -> None:
    recordings = [PureWindowsPath(name) for name in (r"ward 2\Night.EDF", r"ward 2\b.edf", r"ward 2\B.bdf", "c.edf")]
    stems = output_stems(recordings, anonymous=False)
    assert [stems[path].as_posix() for path in recordings] == ["ward 2/Night", "ward 2/b.edf", "ward 2/B.bdf", "c"]
    hidden = output_stems(recordings, anonymous=True)[recordings[1]]
    assert hidden == PurePath(anonymous_name("ward 2"), anonymous_name("b.edf"))


def test_messages_and_pairs_know_windows_paths() -> None:
    assert few([PureWindowsPath(r"ward\a.edf"), PureWindowsPath(r"ward\b.edf")]) == "ward/a.edf, ward/b.edf"
    assert bare_name(PureWindowsPath(r"P1\EEG.edf.csv_bi")) == bare_name(PurePath("p1/eeg.edf"))
    assert output_stem(PureWindowsPath(r"C:\eeg\night.edf")) == "night"


@pytest.mark.parametrize("path", [r"C:\eeg", "c:/eeg", r"\\server\share\eeg", "C:"])
def test_a_drive_or_a_share_is_no_address(path: str) -> None:
    assert not is_address(path)
