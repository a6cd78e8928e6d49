"""A run on a Dask cluster of two workers on this machine: python -m tests.cluster.

Needs the extra `cluster`; prints whether the result is that of one process.
"""

import tempfile
from pathlib import Path

from dask.distributed import LocalCluster

from msct_helpers.trial.load import load_statements
from msct_helpers.trial.plan import Plan
from msct_helpers.worlds.assume import IMPROVEMENT
from msct_helpers.worlds.run import run_stored, simulate_worlds
from msct_helpers.worlds.target import read_target
from msct_helpers.worlds.workers import choose_workers

TRIALS = 45_000


def main() -> None:
    """Run and compare."""
    target = read_target(load_statements(), Plan())
    with tempfile.TemporaryDirectory() as folder, LocalCluster(2, threads_per_worker=1) as cluster:
        run = choose_workers(2, cluster.scheduler_address)
        out = Path(folder) / "results.parquet"
        table = run_stored(IMPROVEMENT, target, TRIALS, 1, out, run, lambda n: None)
    same = table.equals(simulate_worlds(Plan(), IMPROVEMENT, TRIALS, 1))
    print("identical" if same else "different")


if __name__ == "__main__":
    main()
