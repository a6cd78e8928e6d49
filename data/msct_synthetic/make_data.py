"""Make the synthetic trial in which patients improve: python data/msct_synthetic/make_data.py.

Writes adsl.csv, adlb.csv, adae.csv, adex.csv and study.yml.
"""

from pathlib import Path

from msct_helpers.abstract.dataset import write_data as write
from msct_helpers.abstract.simulate import IMPROVED

HERE = Path(__file__).resolve().parent
SEED = 20260101


def write_data(folder: Path) -> None:
    """Write the data set into a folder."""
    write(folder, IMPROVED, SEED)


if __name__ == "__main__":
    write_data(HERE)
