"""Turn what a caller passes to a score into floats, and refuse what is impossible."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]


def to_number(value: Any, name: str) -> Floats:
    """Return input as floats; missing as NaN, text as an error."""
    if isinstance(value, np.ndarray) and value.dtype == float:
        # Nothing to look for cell by cell, in arrays that may hold millions.
        refuse(value, np.isinf(value), name, "a finite number")
        return value
    plain = np.asarray(value, dtype=object)
    text = np.array([isinstance(v, (str, bytes)) for v in plain.ravel()]).reshape(plain.shape)
    if text.any():
        raise ValueError(f"{name}: {plain[text].ravel()[0]!r}; expected a number")
    filled = np.where(pd.isna(plain), np.nan, plain)
    try:
        number = np.asarray(filled, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: {value!r}; expected a number") from None
    refuse(number, np.isinf(number), name, "a finite number")
    return number


def to_positive(value: Any, name: str) -> Floats:
    """Return input as floats above 0, or raise."""
    number = to_number(value, name)
    refuse(number, number <= 0, name, "a number above 0")
    return number


def to_flag(value: Any, name: str) -> Floats:
    """Return true or false input as 1 or 0, or raise."""
    number = to_number(value, name)
    refuse(number, ~np.isnan(number) & ~np.isin(number, (0, 1)), name, "true or false")
    return number


def to_level(value: Any, name: str, highest: int) -> Floats:
    """Return input as whole numbers from 0 to `highest`, or raise."""
    number = to_number(value, name)
    wrong = ~np.isnan(number) & ~np.isin(number, range(highest + 1))
    refuse(number, wrong, name, f"a whole number from 0 to {highest}")
    return number


def refuse(value: Floats, wrong: Any, name: str, expected: str) -> None:
    """Raise ValueError with the first of the `wrong` values."""
    if np.any(wrong):
        raise ValueError(f"{name}: {value[wrong].ravel()[0]:g}; expected {expected}")


def to_output(value: Any) -> Any:
    """Return a float for a scalar, else the array."""
    array = np.asarray(value, dtype=float)
    return float(array) if array.ndim == 0 else array
