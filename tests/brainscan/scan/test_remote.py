"""Recordings at an address: a real S3 server and a real SFTP server on this machine."""

from __future__ import annotations

import asyncio
import itertools
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path, PurePath

import pytest

from brainscan.analysis.lazy_detector import LazyDetector
from brainscan.analysis.options import AnalysisOptions
from brainscan.errors import InputError, UsageError
from brainscan.io import remote
from brainscan.io.remote import RemoteFolder, temporary_folder
from brainscan.scan.config import ScanConfig
from brainscan.scan.ledger import Ledger
from brainscan.scan.run import scan
from brainscan.scan.watch import WatchConfig
from tests.brainscan.scan.test_processes import _files, write
from tests.brainscan.scan.workers import let_go, loud

pytest.importorskip("fsspec")
_SECRET = "not-to-be-shown"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return the same recordings on this machine, with what is none of them."""
    folder = tmp_path / "archive"
    (folder / "b").mkdir(parents=True)
    write(folder / "one.edf", 12)
    write(folder / "b" / "two words.edf", 13)
    (folder / "b" / "broken.edf").write_bytes(b"nothing")
    (folder / "notes.txt").write_text("no recording", encoding="utf-8")
    return folder


@pytest.fixture
def s3(archive: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the address of a bucket that holds the archive."""
    server_module = pytest.importorskip("moto.server")
    boto3 = pytest.importorskip("boto3")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": _SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    pytest.importorskip("s3fs").S3FileSystem.clear_instance_cache()
    client = boto3.client("s3")
    client.create_bucket(Bucket="ward")
    for path in archive.rglob("*.*"):
        client.upload_file(str(path), "ward", f"eeg/{path.relative_to(archive).as_posix()}")
    yield "s3://ward/eeg"
    server.stop()
    let_go()


@pytest.fixture
def sftp(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the address of the archive on an SFTP server whose key is known."""
    pytest.importorskip("paramiko")
    asyncssh = pytest.importorskip("asyncssh")
    key = asyncssh.generate_private_key("ssh-ed25519")
    started: list[tuple[asyncio.AbstractEventLoop, int, asyncio.Event]] = []
    ready = threading.Event()

    class Nurse(asyncssh.SSHServer):  # type: ignore[name-defined,misc]
        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == ("nurse", _SECRET)

    async def listen(over: asyncio.Event) -> None:
        found = await asyncssh.listen("127.0.0.1", 0, server_factory=Nurse, server_host_keys=[key], sftp_factory=True)
        started.append((asyncio.get_running_loop(), found.get_port(), over))
        ready.set()
        await over.wait()
        found.close()
        await found.wait_closed()

    def serve() -> None:
        asyncio.run(listen(asyncio.Event()))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert ready.wait(60.0)
    loop, port, over = started[0]
    public = key.export_public_key().decode().strip()
    (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}\n", encoding="ascii")
    monkeypatch.setenv("BRAINSCAN_KNOWN_HOSTS", str(tmp_path / "known_hosts"))
    yield f"sftp://nurse:{_SECRET}@127.0.0.1:{port}{archive.as_posix()}"
    from fsspec.implementations.sftp import SFTPFileSystem

    for system in SFTPFileSystem._cache.values():
        system.client.close()
    SFTPFileSystem.clear_instance_cache()
    loop.call_soon_threadsafe(over.set)
    thread.join()
    let_go()


def _scan(config: ScanConfig) -> Ledger:
    return scan(config, AnalysisOptions(), LazyDetector.ready(loud()))


@pytest.mark.parametrize("store", ["s3", "sftp"])
def test_an_address_gives_what_the_folder_gives(
    store: str, archive: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = request.getfixturevalue(store)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    here = _scan(ScanConfig(archive, tmp_path / "here"))
    there = _scan(ScanConfig(Path(), tmp_path / "there", source=address))
    assert here.counts == there.counts == {"done": 2, "skipped": 0, "failed": 1, "unread": 0}
    assert _files(tmp_path / "there") == _files(tmp_path / "here")
    assert list((tmp_path / "tmp").iterdir()) == []  # what was fetched is gone
    assert _SECRET.encode() not in b"".join(_files(tmp_path / "there").values())
    again = _scan(ScanConfig(Path(), tmp_path / "there", source=address))
    assert again.counts == {"done": 0, "skipped": 2, "failed": 1, "unread": 0}


@pytest.fixture
def local(archive: Path) -> RemoteFolder:
    """Return the archive at an address that needs no server."""
    return RemoteFolder(f"file://{archive.as_posix()}")


def test_side_files_come_along(archive: Path, local: RemoteFolder, tmp_path: Path) -> None:
    for name in ("night.vhdr", "night.eeg"):
        (archive / name).write_bytes(name.encode())
    local.fetch(PurePath("night.vhdr"), tmp_path)
    assert (tmp_path / "night.eeg").read_bytes() == b"night.eeg"
    assert not (tmp_path / "night.vmrk").exists()


def test_what_changes_on_the_way_is_no_copy(
    local: RemoteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count()
    monkeypatch.setattr(remote, "_facts", lambda *_: (10, "", str(next(clock))))
    with pytest.raises(InputError, match="changed while it was fetched"):
        local.fetch(PurePath("one.edf"), tmp_path)


@pytest.mark.parametrize("seen", [(10, "", ""), (None, "0" * 32, "")])
def test_what_arrives_damaged_is_refused(
    archive: Path,
    local: RemoteFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seen: tuple[int | None, str, str],
) -> None:
    size = (archive / "one.edf").stat().st_size if seen[0] is None else seen[0]
    monkeypatch.setattr(remote, "_facts", lambda *_: (size, *seen[1:]))
    with pytest.raises(InputError, match="did not arrive as it is there"):
        local.fetch(PurePath("one.edf"), tmp_path)


def test_what_is_gone_or_absent_says_so(archive: Path, local: RemoteFolder, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be fetched") as caught:
        local.fetch(PurePath("absent.edf"), tmp_path)
    assert caught.value.file == "absent.edf"
    with pytest.raises(InputError, match="holds no recording"):
        _scan(ScanConfig(Path(), tmp_path / "out", source=f"file://{tmp_path.as_posix()}/nowhere"))


def test_a_server_whose_key_is_not_known_is_refused(sftp: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.implementations.sftp import SFTPFileSystem

    (tmp_path / "known_hosts").write_text("", encoding="ascii")
    SFTPFileSystem.clear_instance_cache()
    with pytest.raises(InputError, match=r"cannot be reached \(UnknownHostError") as caught:
        RemoteFolder(sftp).recordings()
    assert _SECRET not in str(caught.value)


def test_an_address_that_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("paramiko")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=r"cannot be reached \(") as caught:
            _scan(ScanConfig(Path(), tmp_path / "out", source=f"sftp://nurse:{_SECRET}@127.0.0.1:{port}/eeg"))
    assert caught.value.exit_code == 3
    assert _SECRET not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_an_address_is_not_watched() -> None:
    with pytest.raises(UsageError, match="folders of this machine"):
        ScanConfig(Path(), Path("out"), source="s3://ward", watch=WatchConfig())


def test_what_a_killed_process_fetched_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "brainscan-fetch-999999999-x"
    left.mkdir()
    (left / "patient.edf").touch()
    with temporary_folder() as folder, temporary_folder():
        assert folder.exists()
        assert not left.exists()
    assert list(tmp_path.iterdir()) == []
