"""From a table of measurements to the sufficient statistics of an MMRM."""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import patsy

from msct_helpers.stats.mmrm.reml import Floats, Statistics

VISIT_ONLY = r"(C\({0}\)|{0}|[01]|[+\-\s])+"
"""Right sides that depend on the visit alone and hold no transformation that learns from data."""


@dataclass(frozen=True)
class Design:
    """Statistics of one trial, with what turns the scaled fit back into the data's units.

    ``shift`` (columns) times ``centre`` was taken from the response, which was divided by
    ``scale``; ``complete`` counts participants seen at every visit and ``rank`` the columns that a
    single visit can tell apart.
    """

    stats: Statistics
    terms: list[str]
    visits: list[object]
    centre: float
    scale: float
    shift: Floats
    complete: int
    rank: int


def make_design(formula: str, data: pd.DataFrame, subject: str, visit: str) -> Design:
    """Return the design of `formula` on the rows of `data` whose response is known.

    Raises
    ------
    ValueError
        If a column is missing, a response or covariate is infinite or missing, a participant has
        two rows at a visit, a visit has no response, the response is constant or the columns of
        the mean are linearly dependent.
    """
    response, right = split_formula(formula)
    known = check_columns(data, response, subject, visit)
    codes, visits = factorise_visits(known[visit])
    who = pd.factorize(known[subject])[0]
    members, width = int(who.max()) + 1, len(visits)
    cell = who * width + codes
    if np.bincount(cell, minlength=members * width).max() > 1:
        first = known[pd.Series(cell, index=known.index).duplicated()].iloc[0]
        raise ValueError(
            f"{subject} {first[subject]!r} has two rows at {visit} {first[visit]!r}; expected one"
        )
    y = known[response].to_numpy(dtype=float)
    if np.ptp(y) == 0:
        raise ValueError(f"{response}: every value is {y[0]:g}; a constant response has no model")
    matrix, rows, terms = make_matrix(right, known, visit, codes, visits)
    unit, shift = solve_constant(matrix)
    centre, scale = (float(y.mean()) if unit else 0.0), float(y.std())
    z = np.full(members * width, np.nan)
    z[cell] = (y - centre) / scale
    table = z.reshape(members, width)
    seen = ~np.isnan(table)
    patterns, index = find_patterns(seen)
    if len(matrix) == width and rows is None:
        cross = sum_visit_only(np.nan_to_num(table), matrix, index, patterns)
    else:
        full = np.zeros((members * width, matrix.shape[1]))
        full[cell] = matrix
        cross = sum_general(np.nan_to_num(table), full.reshape(members, width, -1), index, patterns)
    count = np.bincount(index, minlength=len(patterns)).astype(float)
    check_rank(cross, patterns, terms)
    stats = Statistics(patterns.astype(float), count[None], cross[None])
    rank = (
        max(
            int(np.linalg.matrix_rank(matrix[at])) if len(at := np.flatnonzero(codes == v)) else 0
            for v in range(width)
        )
        if rows is not None
        else 1
    )
    complete = int(seen.all(axis=1).sum())
    return Design(stats, terms, list(visits), centre, scale, shift, complete, rank)


def split_formula(formula: str) -> tuple[str, str]:
    """Return the name of the response and the right side."""
    left, tilde, right = formula.partition("~")
    if not tilde or not left.strip().isidentifier():
        raise ValueError(f"formula {formula!r}; expected 'response ~ terms', response a column")
    return left.strip(), right.strip()


def check_columns(data: pd.DataFrame, response: str, subject: str, visit: str) -> pd.DataFrame:
    """Return the rows with a response, after checks of the columns that every model needs."""
    for name in (response, subject, visit):
        if name not in data:
            raise ValueError(f"{name}: not a column of the data")
    y = data[response].to_numpy(dtype=float)
    if np.isinf(y).any():
        raise ValueError(f"{response}: {y[np.isinf(y)][0]}; expected finite numbers")
    if isinstance(data[visit].dtype, pd.CategoricalDtype):
        empty = set(data[visit].cat.categories) - set(data.loc[~np.isnan(y), visit].unique())
    else:
        empty = set(data[visit].dropna().unique()) - set(data.loc[~np.isnan(y), visit].unique())
    if empty:
        raise ValueError(f"{visit} {sorted(empty, key=str)[0]}: nobody has a response there")
    known = data if not np.isnan(y).any() else data[~np.isnan(y)]
    for name in (subject, visit):
        if known[name].isna().any():
            raise ValueError(f"{name}: missing in a row with a response")
    if known.empty:
        raise ValueError(f"{response}: no value is known")
    return known


def factorise_visits(column: pd.Series) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.object_]]:
    """Return codes of the visits and the visits in order."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy(dtype=np.intp), np.asarray(column.cat.categories)
    codes, visits = pd.factorize(column, sort=True)
    return codes, np.asarray(visits)


def make_matrix(
    right: str,
    known: pd.DataFrame,
    visit: str,
    codes: npt.NDArray[np.intp],
    visits: npt.NDArray[np.object_],
) -> tuple[Floats, bool | None, list[str]]:
    """Return the design of the mean, a row a measurement, or a row a visit where that is enough.

    The second value is None in the latter case.
    """
    if re.fullmatch(VISIT_ONLY.format(re.escape(visit)), right):
        levels = (
            pd.Categorical(visits, categories=visits)
            if isinstance(known[visit].dtype, pd.CategoricalDtype)
            else visits
        )
        frame: pd.DataFrame = pd.DataFrame({visit: levels})
        matrix = patsy.dmatrix(right, frame, NA_action="raise")
        return np.asarray(matrix), None, matrix.design_info.column_names
    try:
        matrix = patsy.dmatrix(right, known, NA_action="raise")
    except patsy.PatsyError as error:
        raise ValueError(f"formula {right!r}: {error}") from None
    values = np.asarray(matrix)
    if not np.isfinite(values).all():
        raise ValueError(f"formula {right!r}: a covariate is infinite")
    return values, True, matrix.design_info.column_names


def solve_constant(matrix: Floats) -> tuple[bool, Floats]:
    """Return whether the columns span a constant, and with which weights."""
    head = matrix if len(matrix) < 5000 else matrix[:5000]
    weights = np.linalg.lstsq(head, np.ones(len(head)), rcond=None)[0]
    spans = bool(np.abs(matrix @ weights - 1).max() < 1e-9)
    return spans, weights if spans else np.zeros(matrix.shape[1])


def find_patterns(
    seen: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
    """Return the patterns of attended visits and which of them each participant has."""
    bits = seen @ (1 << np.arange(seen.shape[1], dtype=np.int64))
    values, index = np.unique(bits, return_inverse=True)
    patterns = (values[:, None] >> np.arange(seen.shape[1])) & 1
    return patterns.astype(bool), index


def sum_visit_only(
    table: Floats, matrix: Floats, index: npt.NDArray[np.intp], patterns: npt.NDArray[np.bool_]
) -> Floats:
    """Return cross-products where the design depends on the visit alone."""
    width, columns = matrix.shape
    cross = np.zeros((len(patterns), width, width, columns + 1, columns + 1))
    for g, seen in enumerate(patterns):
        own = table[index == g]
        both = np.outer(seen, seen)
        total = own.sum(axis=0)
        cross[g, :, :, :-1, :-1] = (
            len(own) * both[:, :, None, None] * matrix[:, None, :, None] * matrix[None, :, None, :]
        )
        cross[g, :, :, :-1, -1] = both[:, :, None] * matrix[:, None, :] * total[None, :, None]
        cross[g, :, :, -1, :-1] = both[:, :, None] * total[:, None, None] * matrix[None, :, :]
        cross[g, :, :, -1, -1] = own.T @ own
    return cross


def sum_general(
    table: Floats,
    design: Floats,
    index: npt.NDArray[np.intp],
    patterns: npt.NDArray[np.bool_],
) -> Floats:
    """Return cross-products of design and response at all pairs of visits, by pattern."""
    both = np.concatenate([design, table[:, :, None]], axis=2)
    width, columns = both.shape[1:]
    cross = np.empty((len(patterns), width, width, columns, columns))
    for g in range(len(patterns)):
        own = both[index == g].reshape(-1, width * columns)
        product = (own.T @ own).reshape(width, columns, width, columns)
        cross[g] = product.transpose(0, 2, 1, 3)
    return cross


def check_rank(cross: Floats, patterns: npt.NDArray[np.bool_], terms: list[str]) -> None:
    """Raise ValueError if the columns of the mean are linearly dependent."""
    total = np.einsum("gaakl->kl", cross)[:-1, :-1]
    size = np.sqrt(np.diag(total))
    if (size == 0).any():
        raise ValueError(f"term {terms[int(np.argmin(size))]!r}: zero in every row")
    if np.linalg.matrix_rank(total / np.outer(size, size), tol=1e-9) < len(terms):
        raise ValueError(f"the terms {', '.join(terms)} are linearly dependent")
