"""A real scheduler and real workers on this machine: the same results, whoever is killed."""

from __future__ import annotations

import datetime
import importlib
import ipaddress
import multiprocessing
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from brainscan.analysis.job import Listener as JobListener
from brainscan.analysis.lazy_detector import LazyDetector
from brainscan.analysis.options import AnalysisOptions
from brainscan.analysis.outcome import Outcome
from brainscan.errors import UsageError
from brainscan.io.atomic import TEMPORARY_SUFFIX
from brainscan.scan.cluster import Cluster, ClusterConfig, ClusterError
from brainscan.scan.config import ScanConfig
from brainscan.scan.executor import Executor, Work
from brainscan.scan.ledger import Ledger
from brainscan.scan.on_cluster import Orders, analyse
from brainscan.scan.run import Listener, scan
from tests.brainscan.scan.test_processes import _files, write
from tests.brainscan.scan.workers import LoudWork, attempts, let_go, loud

pytest.importorskip("distributed")
# All from one process that has imported what they need: to begin with nothing, each would take a second.
_MACHINES = multiprocessing.get_context(
    "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
)
_MACHINES.set_forkserver_preload(
    ["distributed.cli.dask_scheduler", "distributed.cli.dask_worker", "tests.brainscan.scan.workers"]
)


def _run(what: str, folder: Path, arguments: list[str]) -> None:
    """Be a scheduler or a worker, silently."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.chdir(folder)
    importlib.import_module(f"distributed.cli.dask_{what}").main(arguments)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Machines:
    """A scheduler and workers, each a process that a test may kill."""

    def __init__(self, folder: Path, tls: tuple[str, ...] = ()) -> None:
        self._folder, self._tls = folder, tls
        self._port = _free_port()
        self._running: list[BaseProcess] = []
        self.address = f"{'tls' if tls else 'tcp'}://127.0.0.1:{self._port}"

    def scheduler(self) -> BaseProcess:
        started = self._start("scheduler", "--host", self.address.rpartition(":")[0], "--port", str(self._port))
        deadline = time.monotonic() + 120.0
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", self._port)):
                    return started
            time.sleep(0.1)
        raise AssertionError("no scheduler")

    def worker(self) -> BaseProcess:
        return self._start("worker", self.address, "--nthreads", "1", "--no-nanny")

    def _start(self, what: str, *arguments: str) -> BaseProcess:
        told = [*arguments, "--no-dashboard", *self._tls]
        started = _MACHINES.Process(target=_run, args=(what, self._folder, told), daemon=True)
        started.start()
        self._running.append(started)
        return started

    def end(self) -> None:
        for process in reversed(self._running):
            process.kill()
            process.join()


@contextmanager
def _machines(folder: Path, tls: tuple[str, ...] = ()) -> Iterator[Machines]:
    folder.mkdir(exist_ok=True)
    machines = Machines(folder, tls)
    try:
        yield machines
    finally:
        machines.end()
        let_go()  # of a scheduler that was killed, or did not want to speak


def _scan(archive: Path, out: Path, config: ClusterConfig | None, listener: Listener | None = None) -> Ledger:
    def start(work: Work, hears: JobListener) -> Executor:
        assert config is not None
        return Cluster(LoudWork(work.options), hears, config, out)

    ready = LazyDetector.ready(loud())
    return scan(ScanConfig(archive, out), AnalysisOptions(), ready, listener, start if config else None)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return a folder of recordings that take a moment each, and a broken one."""
    folder = tmp_path / "archive"
    folder.mkdir()
    for number in range(14):
        write(folder / f"dozing{number:02}.edf", 12 + number)
    (folder / "broken.edf").write_bytes(b"nothing")
    return folder


@pytest.mark.slow
def test_a_killed_worker_and_a_scheduler_started_again_cost_time_alone(archive: Path, tmp_path: Path) -> None:
    killer = write(archive / "segfault.edf")
    said: list[str] = []
    with _machines(tmp_path / "machines") as machines:
        running = {"scheduler": machines.scheduler(), "first": machines.worker(), "second": machines.worker()}

        def heard(text: str) -> None:
            said.append(text)
            if text.startswith("the scheduler is gone"):  # no sooner, or Dask's client may find the new one by itself
                machines.scheduler()
                for _ in range(3):  # enough for a recording that kills two
                    machines.worker()

        def disturb(outcome: Outcome, number: int, total: int) -> None:
            if number == 3:
                running["first"].kill()
                machines.worker()
                machines.worker()
            if number == 7:
                running["scheduler"].kill()
                running["scheduler"].join()

        listener = Listener(outcome=disturb, understood=heard)
        ledger = _scan(archive, tmp_path / "out", ClusterConfig(machines.address), listener)
    assert {o.file for o in ledger if o.status == "failed"} == {"broken.edf", killer.name}
    # What a worker finished after its scheduler was gone is skipped by the next one.
    assert ledger.counts["done"] + ledger.counts["skipped"] == 14
    assert "the scheduler is back" in said
    assert len(attempts(killer)) == 2
    error = next(o.error for o in ledger if o.file == killer.name)
    assert error is not None
    assert "2 worker processes died of it" in error.message
    killer.unlink()
    _scan(archive, tmp_path / "undisturbed", None)
    assert _results(tmp_path / "out") == _results(tmp_path / "undisturbed")


def _results(out: Path) -> dict[str, bytes]:
    """Return what was made of the recordings.

    Left out is where the killer is listed, and what a worker that the scan no longer knew was writing when the test
    ended it.
    """
    listed = {"run.json", "summary.csv", "failures.csv", "index.html"}
    return {
        name: data for name, data in _files(out).items() if name not in listed and not name.endswith(TEMPORARY_SUFFIX)
    }


def test_certificates_are_passed_on(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    ended = Cluster.ended
    monkeypatch.setattr(Cluster, "ended", lambda self, wait_s: waited.append(wait_s) or ended(self, wait_s))
    ca, certificate, key = _certificates(tmp_path)
    tls = ("--tls-ca-file", str(ca), "--tls-cert", str(certificate), "--tls-key", str(key))
    with _machines(tmp_path / "machines", tls) as machines:
        machines.scheduler()
        machines.worker()
        without = ClusterConfig(machines.address, connect_s=1.0)
        with pytest.raises(ClusterError, match="no Dask scheduler answers"):
            _scan(archive, tmp_path / "out", without)
        config = ClusterConfig(machines.address, str(ca), str(certificate), str(key))
        ledger = _scan(archive, tmp_path / "out", config)
    assert ledger.counts == {"done": 14, "skipped": 0, "failed": 1, "unread": 0}
    assert len(waited) < 500  # it waits for the workers, and does not ask them without a pause


def _certificates(folder: Path) -> tuple[Path, Path, Path]:
    """Make a certificate that signs itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, pem, secret


def test_nobody_there(archive: Path, tmp_path: Path) -> None:
    config = ClusterConfig(f"tcp://127.0.0.1:{_free_port()}", connect_s=1.0)
    with pytest.raises(ClusterError, match="no Dask scheduler answers") as caught:
        _scan(archive, tmp_path / "out", config)
    assert caught.value.exit_code == 2


def test_certificates_need_tls(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="need a tls:// address"):
        ClusterConfig("tcp://127.0.0.1:1", tls_ca="ca.pem").client()
    with pytest.raises(UsageError, match="no certificate or key"):
        ClusterConfig("tls://127.0.0.1:1", tls_ca=str(tmp_path / "absent.pem")).client()


def test_workers_with_another_version_or_model_do_nothing(archive: Path, tmp_path: Path) -> None:
    orders = Orders(LoudWork(), tmp_path, "run", "0.0.0", "")
    with pytest.raises(UsageError, match=r"has brainscan .*, and this is 0\.0\.0"):
        analyse(orders, None)  # type: ignore[arg-type]
