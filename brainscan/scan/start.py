"""Which executor a user's choice comes to."""

from __future__ import annotations

from pathlib import Path

from brainscan.analysis.capacity import divided
from brainscan.errors import UsageError
from brainscan.model.run_config import RunConfig
from brainscan.scan.cluster import Cluster, ClusterConfig
from brainscan.scan.executor import Start
from brainscan.scan.processes import Processes


def start_of(workers: int | None, run: RunConfig, cluster: ClusterConfig | None, out: Path) -> Start | None:
    """Return what does the tasks: so many processes, or a cluster; by default as many as this machine bears.

    Parameters
    ----------
    workers : int or None
        0: this process itself.
    run : RunConfig
        Its threads are those of each worker; 0: what remains to it.
    cluster : ClusterConfig or None
    out : Path

    Raises
    ------
    UsageError
        If both are asked for.
    MissingExtraError
        If a cluster is, and Dask is not installed.
    """
    if cluster is not None:
        if workers is not None:
            raise UsageError("--workers is of this machine, --cluster of others", hint="give one of them")
        cluster.require()
        return lambda work, hears: Cluster(work, hears, cluster, out)
    if workers == 0:
        return None
    return lambda work, hears: Processes(work, hears, divided(workers or 0, run.threads, work.n_recordings))
