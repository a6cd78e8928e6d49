"""Time the simulated worlds and the trials of the next design, in one process and on one core.

Run by `make bench`. Processor time: what others do at the time counts little.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import time

import numpy as np

from msct_helpers.design.mmrm import compare_arms
from msct_helpers.design.simulate import draw_trials, draw_visits, find_win_ratios
from msct_helpers.design.size import Protocol
from msct_helpers.trial.load import load_statements
from msct_helpers.trial.plan import Plan
from msct_helpers.worlds.assume import WORLDS
from msct_helpers.worlds.tally import tally_world
from msct_helpers.worlds.target import read_target

TRIALS = 20_000
PER_ARM = 58


def main() -> None:
    """Measure and print."""
    target = read_target(load_statements(), Plan())
    for name, world in WORLDS.items():
        start = time.process_time()
        counts = tally_world(world, target, TRIALS, 1).counts
        rate = TRIALS / (time.process_time() - start)
        print(f"{name}: {rate:.0f} trials a second (aim 10000), {counts['all']} accepted")
    rng = np.random.default_rng(1)
    base, meld = draw_visits(rng, Protocol(), PER_ARM, 10_000)
    start = time.process_time()
    found = compare_arms(base, meld, np.repeat([0.0, 1.0], PER_ARM))
    taken = time.process_time() - start
    print(f"10,000 two-arm trials with Kenward-Roger inference: {taken:.2f} s (aim 4), ", end="")
    print(f"{np.mean(found.p_value < 0.05):.1%} significant")
    start = time.process_time()
    for _ in range(10):
        find_win_ratios(draw_trials(rng, Protocol(), PER_ARM, 100, lost=4 / 26))
    print(f"win ratio: {1000 / (time.process_time() - start):.0f} trials a second")


if __name__ == "__main__":
    main()
