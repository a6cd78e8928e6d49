"""Who runs the parts of a run: this process, several on this machine, or a Dask cluster."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import pandas as pd

from msct_helpers.worlds.run import RunParts, Task, run_part


def run_here(tasks: Sequence[Task]) -> Iterable[pd.DataFrame]:
    """Yield the parts one after another, in this process."""
    for task in tasks:
        yield run_part(*task)


def choose_workers(workers: int, cluster: str | None) -> RunParts:
    """Return what runs parts with so many workers, or on a cluster.

    Parameters
    ----------
    workers
        Processes on this machine.
    cluster
        Address of the scheduler of a Dask cluster, None for this machine. Needs the extra
        ``cluster``.
    """
    if cluster is None and workers == 1:
        return run_here

    def run_joined(tasks: Sequence[Task]) -> Iterable[pd.DataFrame]:
        from joblib import Parallel, delayed

        with connect(cluster):
            jobs = workers if cluster is None else -1
            parallel = Parallel(n_jobs=jobs, batch_size=1, return_as="generator_unordered")
            yield from parallel(delayed(run_part)(*task) for task in tasks)

    return run_joined


@contextmanager
def connect(cluster: str | None) -> Iterator[None]:
    """Let joblib work on a Dask cluster, where one is named."""
    if cluster is None:
        yield
        return
    from dask.distributed import Client
    from joblib import parallel_config

    with Client(cluster), parallel_config(backend="dask"):
        yield
