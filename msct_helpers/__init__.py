"""Helpers behind the reproducible trial report.

The names below are loaded when first used: the Sphinx extension of this package runs in every
build, and a build in which nothing changed has no need of pandas.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from msct_helpers.book.chapter import Chapter
    from msct_helpers.trial.load import DataError, Trial, load_trial

__version__ = "0.1.0"
__all__ = ["Chapter", "DataError", "Trial", "load_trial"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "msct_helpers.book.chapter" if name == "Chapter" else "msct_helpers.trial.load"
    return getattr(import_module(home), name)
