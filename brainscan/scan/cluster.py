"""Tasks on a Dask cluster: processes on whatever machines, reached through its scheduler."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainscan.analysis.job import Listener
from brainscan.analysis.task import Task
from brainscan.errors import BrainscanError, UsageError
from brainscan.model.extras import need
from brainscan.scan.executor import Ended, Work
from brainscan.scan.on_cluster import Orders, analyse

if TYPE_CHECKING:
    from distributed import Client, Future

_TRY_AGAIN_S = 3.0
_LOOK_AGAIN_S = 1.0
_AHEAD = 2
"""Tasks that wait at a worker beside the one it does: nobody idles while the next one is on its way."""


def _gone() -> tuple[type[Exception], ...]:
    """Return what a client may answer while its scheduler is gone: another one in each state of finding it again."""
    from distributed import CancelledError
    from distributed.client import ClosedClientError

    return (OSError, TimeoutError, RuntimeError, ValueError, AttributeError, CancelledError, ClosedClientError)


class ClusterError(BrainscanError):
    """The scheduler cannot be reached, or what answers is none."""

    exit_code = 2
    kind = "usage"


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """Where the scheduler is.

    Parameters
    ----------
    address : str
        ``tcp://HOST:PORT``, ``tls://HOST:PORT``, or a scheduler file that its machines share.
    tls_ca, tls_cert, tls_key : str
        Files in PEM; empty for those of Dask's own configuration.
    patience_s : float
        For a scheduler that went away.
    connect_s : float
        For one that does not answer.
    """

    address: str
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    patience_s: float = 600.0
    connect_s: float = 15.0

    def require(self) -> None:
        """Look whether Dask is installed.

        Raises
        ------
        MissingExtraError
        """
        need("--cluster", "cluster")

    def client(self) -> Client:
        """Connect.

        Raises
        ------
        MissingExtraError, UsageError, ClusterError
            If Dask is not installed, the settings contradict each other, or nobody answers.
        """
        self.require()
        from distributed import Client

        security = self._security()
        where: dict[str, Any] = {"address": self.address}
        if "://" not in self.address and Path(self.address).is_file():
            where = {"scheduler_file": self.address}
        try:
            return Client(**where, security=security, timeout=self.connect_s, set_as_default=False)
        except (OSError, TimeoutError, ValueError, RuntimeError, TypeError) as problem:  # TypeError: TLS not set up
            raise ClusterError(
                f"no Dask scheduler answers at {self.address} ({type(problem).__name__})",
                hint="is it running, and is it tls:// with --tls-ca, --tls-cert and --tls-key?",
            ) from problem

    def _security(self) -> Any:
        from distributed.security import Security

        given = {
            "tls_ca_file": self.tls_ca,
            "tls_client_cert": self.tls_cert,
            "tls_client_key": self.tls_key,
        }
        given = {name: value for name, value in given.items() if value}
        if not given:
            return None  # as Dask is configured here
        if not self.address.startswith("tls://") and not Path(self.address).is_file():
            raise UsageError(
                f"certificates need a tls:// address, not {self.address}", hint="--cluster tls://HOST:PORT"
            )
        for value in given.values():
            if not Path(value).is_file():
                raise UsageError(f"there is no certificate or key at {value}", hint="--tls-ca, --tls-cert, --tls-key")
        return Security(**given, require_encryption=True)


class Cluster:
    """Whatever workers a Dask scheduler has, at any time.

    Workers are processes with brainscan of this very version; the recordings and the output folder are to be found at
    the same paths there. A worker that dies, and a scheduler that is started again, cost time alone.

    Parameters
    ----------
    work : Work
    listener : Listener
    config : ClusterConfig
    out : Path
        Folder of the scan's outputs, where attempts leave their marks.
    """

    def __init__(self, work: Work, listener: Listener, config: ClusterConfig, out: Path) -> None:
        self._listener = listener
        self._config = config
        self._orders = Orders.of(work, out.absolute())
        self._client = config.client()
        self._futures: dict[Future, Task] = {}
        self._unsent: list[Task] = []
        self._threads, self._looked_at = 0, float("-inf")
        self._said_waiting = False

    @property
    def places(self) -> int:
        """As many as there are threads of workers, and some ahead; more when workers join."""
        if time.monotonic() - self._looked_at > _LOOK_AGAIN_S and self._is_connected:
            self._looked_at = time.monotonic()
            with suppress(*_gone()):
                self._threads = sum(self._client.nthreads().values())
            if not self._threads and not self._said_waiting:
                self._listener.note("the cluster has no worker: waiting for one")
            self._said_waiting = not self._threads
        return max(1, self._threads) * _AHEAD

    @property
    def _is_connected(self) -> bool:
        return bool(self._client.status == "running")

    def submit(self, task: Task) -> None:
        """Hand a task to the scheduler, at once or when it is back."""
        key = f"brainscan-{secrets.token_hex(8)}"  # schedulers show it
        try:
            self._futures[self._client.submit(analyse, self._orders, task, key=key, pure=False)] = task
        except _gone():
            self._unsent.append(task)

    def ended(self, timeout_s: float) -> Sequence[Ended]:
        """Wait for a task; what a scheduler that went away had forgotten is handed to it again."""
        from distributed import wait

        with suppress(*_gone()), self._client.as_current():  # else `wait` knows no client, and waits for nothing
            wait(list(self._futures), timeout=timeout_s, return_when="FIRST_COMPLETED")
        found = [
            self._result(future, self._futures.pop(future))
            for future in list(self._futures)
            if future.status in {"finished", "error"}
        ]
        forgotten = [future for future in self._futures if future.status in {"cancelled", "lost"}]
        if not self._is_connected:
            self._reconnect()
        elif forgotten or self._unsent:
            again = [self._futures.pop(future) for future in forgotten] + self._unsent
            self._unsent = []
            for task in again:
                self.submit(task)
        return found

    def finish(self) -> Sequence[Ended]:
        """Take back what has not begun; what has, ends and is written there."""
        found = [self._result(f, task) for f, task in self._futures.items() if f.status == "finished"]
        with suppress(*_gone()):
            self._client.cancel([f for f in self._futures if f.status != "finished"])
        self._futures = {}
        return found

    def close(self) -> None:
        """Leave the cluster; its workers are not ours to end."""
        self._disconnect()
        self._orders.remove_marks()

    def _disconnect(self) -> None:
        with suppress(*_gone()):
            self._client.close(timeout=2)

    def _result(self, future: Future, task: Task) -> Ended:
        from distributed import KilledWorker

        if future.status == "finished":
            return Ended(task, future.result())
        problem = future.exception()
        if isinstance(problem, KilledWorker):
            return Ended(task, None, "workers of the cluster ended while they had it")
        if isinstance(problem, MemoryError):
            return Ended(task, None, "out of memory")
        assert problem is not None
        raise problem

    def _reconnect(self) -> None:
        """Find the scheduler again, and hand it everything that it was doing.

        Raises
        ------
        ClusterError
            If it stays away.
        """
        self._disconnect()  # at once: this client seeks its scheduler, too
        self._listener.note("the scheduler is gone: waiting for it to come back")
        tasks, self._futures, self._unsent = [*self._futures.values(), *self._unsent], {}, []
        deadline = time.monotonic() + self._config.patience_s
        while True:
            try:
                self._client = self._config.client()
                break
            except ClusterError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_TRY_AGAIN_S)
        self._listener.note("the scheduler is back")
        for task in tasks:
            self.submit(task)
