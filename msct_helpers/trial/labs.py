"""Laboratory rows before they are judged: days from dates, units, visits, baseline records."""

import difflib
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msct_helpers.trial.cells import (
    MISSING,
    Table,
    fold,
    look_at,
    parse_number,
    refuse_numbers,
    trim,
)
from msct_helpers.trial.findings import list_values, show_value
from msct_helpers.trial.parameters import FACTORS
from msct_helpers.trial.plan import BASELINE, Plan, Visit
from msct_helpers.trial.schema import PARAMETERS, PLAUSIBLE, read_unit

MEASUREMENT = ["USUBJID", "PARAMCD", "AVISIT", "AVISITN", "ADY", "AVAL", "AVALU"]

FEW = 5
"""Values of a parameter from which on their median says something of the unit."""

ISO_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(T.*)?")


@dataclass
class Labs:
    """Laboratory rows: at planned visits, at other visits, and of parameters not analysed."""

    planned: pd.DataFrame
    unscheduled: pd.DataFrame
    carried: pd.DataFrame


def sort_labs(table: Table, plan: Plan) -> Labs:
    """Return the rows of ``adlb.csv`` by what the book does with them.

    Rows of unknown parameters are set aside; units are named as the contract names them; a visit
    is known by its name or its number; of several baseline records the flagged one is kept.
    """
    known = table.data["PARAMCD"].isin(list(PARAMETERS)) | table.data["PARAMCD"].isna()
    known |= _refuse_near_codes(table)
    carried = table.data[~known]
    if len(carried):
        counts = carried["PARAMCD"].value_counts()
        said = f"parameters that are listed and not analysed: {_list_counts(counts, 20)}"
        table.state("PARAMCD", said, len(carried), matters=True)
    table.data = table.data[known].copy()
    cells = look_at(table, "AVAL")
    written = ~cells.spread(cells.missing)[table.data.index]
    refuse_numbers(table, "AVAL", table.data["AVAL"].isna() & written)
    read_units(table)
    visits = read_visits(table, plan)
    table.data["AVISITN"] = visits["AVISITN"]
    table.data["AVISIT"] = visits["AVISIT"]
    outside = visits["OUTSIDE"].to_numpy(dtype=bool)
    _state_outside(table, visits[outside], plan)
    unscheduled = table.data[outside]
    table.data = keep_flagged(table, table.data[~outside])
    return Labs(table.data[MEASUREMENT], unscheduled[MEASUREMENT], carried[MEASUREMENT])


def _refuse_near_codes(table: Table) -> np.ndarray:
    """Refuse codes that are known but for signs around or in them; return where."""
    near = {
        code: bare
        for code in table.data["PARAMCD"].dropna().unique()
        if code not in PARAMETERS and (bare := re.sub(r"[\W_]", "", code).upper()) in PARAMETERS
    }
    where = table.data["PARAMCD"].isin(list(near)).to_numpy()
    expected = "the exact code of a parameter"
    table.refuse("PARAMCD", where, expected, lambda c: f"Is {near[trim(c)]} meant?")
    return where


def read_units(table: Table) -> None:
    """Write units as the contract does, and state those written otherwise."""
    pairs = table.data[["PARAMCD", "AVALU"]].fillna("").astype(object)
    named: dict[tuple[str, str], str] = {}
    for (code, text), n in pairs.value_counts().items():
        named[code, text] = read = read_unit(code, text)
        if read != text:
            table.state("AVALU", f"{code}: unit {show_value(text)} read as {read}", n)
    units = pd.MultiIndex.from_frame(pairs).map(named)
    series = pd.Series(units, index=table.data.index, dtype=object)
    table.data["AVALU"] = series.mask(series == "")


def read_visits(table: Table, plan: Plan) -> pd.DataFrame:
    """Return AVISIT and AVISITN of each row, and whether the visit is OUTSIDE the plan.

    Each pair of name and number is looked at once. Contradictions are left for the rules to
    refuse; a name that only nearly is one of the plan is refused here.
    """
    data, index = table.data, table.data.index
    names = data["AVISIT"].fillna("")
    cells = table.raw.get("AVISITN")
    numbers = pd.Series("" if cells is None else cells[index], index=index, dtype=object)
    pairs = pd.MultiIndex.from_arrays([names, numbers])
    codes, unique = pd.factorize(pairs)
    counts = np.bincount(codes, minlength=len(unique))
    rows = []
    for i, (name, number) in enumerate(unique):
        visit, n, outside, wrong = _read_visit(name, trim(number), plan)
        rows.append((visit, n, outside))
        if wrong:
            _refuse_visit(table, codes == i, name, trim(number), wrong, plan)
        elif not outside and n in plan.numbers:
            _state_visit(table, name, trim(number), plan.visit(n), int(counts[i]))
    read = pd.DataFrame(rows, columns=["AVISIT", "AVISITN", "OUTSIDE"])
    out = read.iloc[codes].set_index(index)
    return out.astype({"AVISITN": float, "OUTSIDE": bool, "AVISIT": object})


def _refuse_visit(
    table: Table,
    where: np.ndarray,
    name: str,
    number: str,
    wrong: tuple[str, str],
    plan: Plan,
) -> None:
    column, expected = wrong
    near = find_near_visit(name, plan)
    about = f"AVISIT {show_value(name)}, AVISITN {show_value(number)}"
    remedy = f"Is {near} meant?" if near else ""
    table.refuse(column, where, expected, remedy, lambda _: about)
    # One problem a visit: what else follows from it is not said again.
    for other in ("AVISIT", "AVISITN"):
        bad = table.bad.setdefault(other, np.zeros(len(table.lines), dtype=bool))
        bad[table.data.index[where]] = True


def _read_visit(
    name: str, number: str, plan: Plan
) -> tuple[str, float, bool, tuple[str, str] | None]:
    """Return name and number of a visit, whether it is outside the plan, and what is wrong."""
    names = {v.number: v.name for v in plan.visits}
    numbers = {fold(name): n for n, name in names.items()}
    found = parse_number(number)
    blank = number.casefold() in MISSING
    if np.isnan(found) and not blank:
        found = numbers.get(fold(number), float("nan"))
        if np.isnan(found):
            return name, found, False, ("AVISITN", f"one of {', '.join(map(str, names))}")
    named = numbers.get(fold(name))
    if named is None and not name and found in names:
        return names[int(found)], found, False, None
    if named is not None:
        return names[named], named if blank else found, False, None
    if found in names:
        return name, found, False, ("AVISIT", "the visit that belongs to AVISITN")
    if find_near_visit(name, plan):
        listed = ", ".join(names.values())
        return name, found, False, ("AVISIT", f"the exact name of a visit, {listed}")
    return name, found, True, None


def find_near_visit(name: str, plan: Plan) -> str:
    """Return the planned visit whose name a text nearly is, or an empty text."""
    bare = re.sub(r"[\W_]|(?<!\d)0+(?=\d)", "", fold(name))
    digits = re.sub(r"\D", "", bare)
    for visit in plan.visits:
        wanted = fold(visit.name).replace(" ", "")
        alike = difflib.SequenceMatcher(None, bare, wanted).ratio() > 0.8
        if alike and digits == re.sub(r"\D", "", wanted):
            return visit.name
    return ""


def _state_visit(table: Table, name: str, number: str, visit: Visit, count: int) -> None:
    if name != visit.name:
        table.state("AVISIT", f"{show_value(name)} read as '{visit.name}'", count)
    if np.isnan(parse_number(number)):
        table.state("AVISITN", f"{show_value(number)} read as {visit.number}, by AVISIT", count)


def _state_outside(table: Table, visits: pd.DataFrame, plan: Plan) -> None:
    if len(visits):
        listed = _list_counts(visits["AVISIT"].replace("", "(no name)").value_counts(), 10)
        planned = ", ".join(v.name for v in plan.visits)
        said = (
            f"visits outside the plan ({planned}): {listed}; used only for the worst value after "
            "baseline"
        )
        table.state("AVISIT", said, len(visits), matters=True)


def _list_counts(counts: pd.Series, limit: int) -> str:
    listed = ", ".join(f"{show_value(c)} ({n:,} rows)" for c, n in counts.head(limit).items())
    return listed + (f" and {len(counts) - limit:,} more" if len(counts) > limit else "")


def keep_flagged(table: Table, data: pd.DataFrame) -> pd.DataFrame:
    """Return planned rows with, of several baseline records, only the one that ABLFL flags."""
    if "ABLFL" not in data:
        return data
    table.data = data
    flagged = data["ABLFL"] == "Y"
    baseline = data["AVISITN"] == 0
    table.refuse("ABLFL", flagged & ~baseline, "Y only at the visit Baseline")
    table.refuse("ABLFL", ~data["ABLFL"].isin(["Y", "N", np.nan]), "Y, N or blank")
    key = [data["USUBJID"], data["PARAMCD"]]
    one = (flagged & baseline).groupby(key).transform("sum") == 1
    dropped = baseline & one & ~flagged
    who = list_values(data.loc[dropped, "USUBJID"].unique())
    said = "of several baseline records the one flagged Y is used; the others are left out "
    table.state_rows("ABLFL", dropped, f"{said}(participants {who})")
    return data[~dropped]


def derive_days(table: Table, day: str, date: str, first: pd.Series) -> None:
    """Fill missing study days from ISO dates, and state given days that differ from the dates.

    Parameters
    ----------
    table
        Changed in place.
    day, date
        Columns of study days and of dates.
    first
        Date of study day 1 by USUBJID; empty where no date is known.
    """
    if date not in table.data or first.empty:
        return
    passed = (read_dates(table.data[date]) - table.data["USUBJID"].map(first)).dt.days
    derived = (passed + (passed >= 0)).astype(float)
    given = table.data[day]
    found = given.isna() & derived.notna() & ~table.is_bad(day)
    table.data[day] = given.mask(found, derived)
    said = f"days derived from {date}: the day of reference is day 1, the day before it day -1"
    table.state_rows(day, found, said)
    differs = (given != derived) & given.notna() & derived.notna()
    said = f"days that differ from those of the dates in {date}; the days are used"
    table.state_rows(day, differs, said)


def read_dates(texts: pd.Series) -> pd.Series:
    """Return ISO dates as time stamps; missing where a text is none."""
    found = texts.map(lambda t: ISO_DATE.fullmatch(t) if isinstance(t, str) else None)
    days = found.map(lambda m: m[1] if m else None)
    return pd.to_datetime(days, format="%Y-%m-%d", errors="coerce")


def find_first_dates(adsl: Table, adlb: Table | None) -> pd.Series:
    """Return the date of study day 1 by participant, empty where no date is known.

    It is RFSTDTC, or TRTSDT where TRTSDY is 1, of ``adsl.csv``; else, where days are missing in
    ``adlb.csv``, the date of the baseline record of participants whose TRTSDY is 1 or blank.
    """
    who, start = adsl.data["USUBJID"], adsl.data["TRTSDY"]
    for column, where in (("RFSTDTC", start.isna() | start.notna()), ("TRTSDT", start == 1)):
        if column in adsl.data:
            found = _by_participant(who, read_dates(adsl.data[column]).where(where))
            if len(found):
                return found
    if adlb is None or "ADT" not in adlb.data or adlb.data["ADY"].notna().all():
        return pd.Series(dtype="datetime64[ns]")
    rows = adlb.data[_is_baseline(adlb.data)]
    rows = rows[rows["USUBJID"].isin(who[start.isna() | (start == 1)])]
    found = _by_participant(rows["USUBJID"], read_dates(rows["ADT"]))
    said = "the date of the baseline record is taken as study day 1"
    adlb.state("ADT", said, len(found), matters=True)
    return found


def _is_baseline(data: pd.DataFrame) -> pd.Series:
    """Return which rows are baseline records, before visits have been read."""
    names = data["AVISIT"].fillna("").astype(str).map(fold)
    baseline = (names == fold(BASELINE)) | (data["AVISITN"] == 0)
    flagged = (data["ABLFL"] == "Y") if "ABLFL" in data else baseline
    return baseline & flagged if (baseline & flagged).any() else baseline


def _by_participant(who: pd.Series, dates: pd.Series) -> pd.Series:
    known = pd.DataFrame({"who": who, "date": dates}).dropna()
    return known.groupby("who")["date"].max()


def check_plausible(table: Table, data: pd.DataFrame) -> None:
    """Refuse values and medians that their unit rules out; state what is odd and may be true."""
    factor = pd.MultiIndex.from_frame(data[["PARAMCD", "AVALU"]]).map(FACTORS)
    values = data[["USUBJID", "PARAMCD"]].assign(VALUE=data["AVAL"] * factor.to_numpy(dtype=float))
    table.data = data
    sound = ~table.is_bad("AVAL") & ~table.is_bad("AVALU")
    values = values[sound & (values["VALUE"] > 0) & values["USUBJID"].notna()]
    for code, own in values.groupby("PARAMCD"):
        _check_range(table, data, str(code), own)


def _check_range(table: Table, data: pd.DataFrame, code: str, own: pd.DataFrame) -> None:
    limits, first = PLAUSIBLE[code], PARAMETERS[code].unit
    below = _is_below(table, own.index)
    low = own["VALUE"] < np.where(below, limits.possible[0] / 10, limits.possible[0])
    wrong = own.index[low | (own["VALUE"] > limits.possible[1])]
    expected = f"for {code} {_span(limits.possible, first)} (assumed, wide on purpose)"
    units = data["AVALU"]
    table.refuse(
        "AVAL",
        data.index.isin(wrong),
        expected,
        "Is the unit right?",
        lambda row: f"AVALU {show_value(str(units[row]))}",
    )
    rest = own.drop(wrong)
    median = rest["VALUE"].median()
    if len(rest) < FEW:
        return
    if not limits.median[0] <= median <= limits.median[1]:
        span = _span(limits.median, first)
        table.log.refuse(
            table.file,
            f"for {code} a median of {span} (assumed, wide on purpose)",
            column="AVAL",
            note=f"the median of {len(rest):,} values of {code} is {median:.3g} {first}",
            remedy=f"Is the unit right? {_guess_unit(code, median)}".strip(),
        )
        return
    if not limits.usual[0] <= median <= limits.usual[1]:
        said = f"the median of {code}, {median:.3g} {first}, is unusual; kept as it is"
        table.state("AVAL", said, len(rest), matters=True)
    # What is odd lies more than a jump from a median, which lies between the least and the largest.
    if rest["VALUE"].max() > rest["VALUE"].min() * limits.jump:
        _state_jumps(table, code, first, rest)
        _state_odd_people(table, code, first, rest)


def _is_below(table: Table, index: pd.Index) -> np.ndarray:
    cells = table.raw["AVAL"][index]
    return np.array([isinstance(c, str) and c.lstrip().startswith("<") for c in cells], dtype=bool)


def _span(limits: tuple[float, float], unit: str) -> str:
    return f"{limits[0]:g} to {limits[1]:g}{'' if unit == '1' else ' ' + unit}"


def _guess_unit(code: str, median: float) -> str:
    """Return which other unit would make a median believable, as a sentence or nothing."""
    low, high = PLAUSIBLE[code].median
    units = PARAMETERS[code].units
    fits = {
        u for u in units for v in units if low <= median * units[u] / units[v] <= high and u != v
    }
    return f"As {' or '.join(sorted(fits))} they would be believed" if fits else ""


def _state_jumps(table: Table, code: str, unit: str, own: pd.DataFrame) -> None:
    """State values that differ many times from the participant's others, or from everybody's."""
    logs = np.log(own["VALUE"])
    each = logs.groupby(own["USUBJID"])
    alone = each.transform("size") == 1
    rest = _median_of_others(logs, own["USUBJID"]).mask(alone, logs.median())
    limit = np.log(PLAUSIBLE[code].jump * np.where(alone, 2, 1))
    far = (logs - rest).abs() > limit
    # Of two values that differ, the one farther from everybody's is the odd one.
    far &= (logs - logs.median()).abs() >= (rest - logs.median()).abs()
    for row in own.index[far][:20]:
        times = float(np.exp(abs(logs[row] - rest[row])))
        way = "above" if logs[row] > rest[row] else "below"
        said = (
            f"{code} of {show_value(own.loc[row, 'USUBJID'])}, row {table.lines[row]}: "
            f"{own.loc[row, 'VALUE']:.4g} {unit} is {times:.3g} times {way} the other values; "
            "kept as it is"
        )
        table.state("AVAL", said, 1, matters=True)
    if far.sum() > 20:
        said = f"{code}: more values that are as far from the participant's others"
        table.state("AVAL", said, far.sum() - 20, matters=True)


def _state_odd_people(table: Table, code: str, unit: str, own: pd.DataFrame) -> None:
    """State participants whose values are all many times those of the others."""
    each = own.groupby("USUBJID")["VALUE"].agg(["median", "size"])
    medians = np.log(each.loc[each["size"] > 1, "median"])
    far = (medians - medians.median()).abs() > np.log(PLAUSIBLE[code].jump * 1.25)
    for who in medians.index[far][:20] if len(medians) >= FEW else []:
        said = (
            f"{code} of {show_value(who)}: the median, {each.loc[who, 'median']:.4g} {unit}, is "
            f"far from that of the others, {np.exp(medians.median()):.3g}; kept as it is"
        )
        table.state("AVAL", said, int(each.loc[who, "size"]), matters=True)


def _median_of_others(logs: pd.Series, who: pd.Series) -> pd.Series:
    """Return for each value the median of the same participant's other values."""
    order = pd.DataFrame({"who": who, "value": logs}).sort_values(["who", "value"])
    size = order.groupby("who")["value"].transform("size").to_numpy()
    rank = order.groupby("who").cumcount().to_numpy()
    start = np.arange(len(order)) - rank
    values = order["value"].to_numpy()

    def at(place: np.ndarray) -> np.ndarray:
        shifted = start + place + (place >= rank)
        return values[np.clip(shifted, 0, len(values) - 1)]

    middle = (at((size - 2) // 2) + at((size - 1) // 2)) / 2
    return pd.Series(middle, index=order.index).reindex(logs.index)
