"""What a build was made from: data set, digest, seed and versions."""

import platform
from importlib.metadata import version

import pandas as pd

from msct_helpers.ard.columns import PUBLISHED
from msct_helpers.ard.reference import TOLERANCES
from msct_helpers.book.document import quote
from msct_helpers.trial.load import Trial

PACKAGES = (
    "jupyter-book",
    "jupytext",
    "matplotlib",
    "myst-nb",
    "numpy",
    "pandas",
    "pandera",
    "scipy",
    "seaborn",
    "sphinx",
    "statsmodels",
)
"""Packages whose versions a reader needs to rebuild the book."""


def table_provenance(trial: Trial) -> pd.DataFrame:
    """Return data set, its digest and seed, and the versions of Python and of each package."""
    study = trial.study
    rows = [
        ("Data set", f"`{quote(trial.folder)}` ({study.origin})"),
        ("Source", quote(study.source)),
        ("Licence", quote(study.licence)),
        ("Digest of the data (sha256, first digits)", f"`{trial.digest}`"),
    ]
    facts = {
        "Seed of the generator": study.seed,
        "Simulated data sets drawn until one agreed with every published statement": study.draws,
    }
    rows += [(name, str(value)) for name, value in facts.items() if value is not None]
    rows.append(("Python", platform.python_version()))
    rows += [(f"`{name}`", version(name)) for name in PACKAGES]
    return pd.DataFrame(rows, columns=["Item", "Value"])


def table_tolerances() -> pd.DataFrame:
    """Return how much each kind of statistic may differ from its reference, and why."""
    rows = [(kind, f"{rel:g}", f"{most:g}", why) for kind, rel, most, why in TOLERANCES]
    return pd.DataFrame(rows, columns=["Statistics", "Relative", "Absolute", "Because"])


def table_ard() -> pd.DataFrame:
    """Return names and meaning of the columns of the published results."""
    rows = [(f"`{name}`", about) for name, about in PUBLISHED.values()]
    return pd.DataFrame(rows, columns=["Column", "Meaning"])
