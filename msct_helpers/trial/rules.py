"""Hold typed tables to the contract: columns, rows, and what must fit between tables."""

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from msct_helpers.trial.cells import ARMS, Table, fold
from msct_helpers.trial.findings import Log, list_values
from msct_helpers.trial.plan import BASELINE
from msct_helpers.trial.schema import NO_CELLS, SEVERITIES, Study

DAYS = {"adlb": "ADY", "adae": "ASTDY", "adex": "ASTDY"}
"""Column of study days by table."""

TELL_APART = ("AESEQ", "ASEQ", "AESPID", "AETERM", "ASTDT", "EXSEQ")
"""Columns that tell two rows apart which are otherwise the same."""

ADULT, VERY_OLD = 18, 100
DOSES_APART = 20

REMEDIES: dict[tuple[str, str], str] = {
    ("adsl", "DTHDY"): (
        "If the death is known, give DCSREAS DEATH and its day as EOSDY; if not, leave DTHDY blank"
    ),
    ("adsl", "LTXDY"): "Give DCSREAS LIVER TRANSPLANT and the day of the transplant as EOSDY",
    ("adsl", "SEX"): "Leave it blank where it is not known",
    ("adlb", "AVAL"): "Leave a row out where nothing was measured",
    ("adae", "AEOUT"): "Give UNKNOWN where it is not known",
}
"""What to do about a column, where that can be guessed."""


def check_columns(table: Table, skip: tuple[str, ...] = (), only: tuple[str, ...] = ()) -> None:
    """Hold each column, and each row, to the table's schema.

    Parameters
    ----------
    table
        Its problems are noted in its log.
    skip, only
        Columns of which nothing is asked, or the only ones of which something is.
    """
    schema = table.schema
    asked = [c for c in only or schema.columns if c not in skip]
    for column in asked:
        rule = schema.columns[column]
        values, about = table.data[column], rule.description
        remedy = REMEDIES.get((table.name, column), "")
        if not rule.nullable and column in table.raw:
            table.refuse(column, values.isna(), f"a value ({about})", remedy)
        if rule.unique:
            again = values.duplicated(keep=False) & values.notna()
            table.refuse(column, again, f"each value once ({about})")
        given = values.dropna()
        for check in rule.checks:
            failed = given.index[~np.asarray(check(given).check_output, dtype=bool)]
            table.refuse(column, table.data.index.isin(failed), str(check.error), remedy)
    for check in schema.checks:
        column, _, expected = str(check.error).partition("|")
        if column in asked and len(table.data):
            passed = np.asarray(check(table.data).check_output, dtype=bool)
            remedy = REMEDIES.get((table.name, column), "")
            note = _name_twins(table) if column == "AVISITN" else None
            table.refuse(column, ~passed & ~_unknown(table, expected), expected, remedy, note)


def _name_others(table: Table, same: list[str], where: pd.Series) -> Callable[[int], str]:
    """Return what names the other lines of the file that are the same in some columns."""
    groups = table.data[where].groupby(same, dropna=False).ngroup()
    rows = groups.groupby(groups).groups

    def name(row: int) -> str:
        others = [str(table.lines[other]) for other in rows[groups[row]] if other != row]
        return f"row {', '.join(others[:3])}"

    return name


def _name_twins(table: Table) -> Callable[[int], str]:
    keys = ["USUBJID", "PARAMCD", "AVISITN"]
    name = _name_others(table, keys, table.data.duplicated(keys, keep=False))
    return lambda row: f"{table.data.loc[row, 'PARAMCD']}, as in {name(row)}"


def _unknown(table: Table, expected: str) -> np.ndarray:
    """Return rows in which a column that a rule names has a problem of its own."""
    out = np.zeros(len(table.data), dtype=bool)
    for column in table.schema.columns:
        if column in expected:
            out |= table.is_bad(column)
    return out


def check_day_column(table: Table) -> None:
    """Refuse a table without study days, and without dates to derive them from."""
    day = DAYS[table.name]
    if day not in table.raw:
        blank = table.data[day].isna()
        about = table.schema.columns[day].description
        if blank.all():
            expected = f"a column: {about}"
            table.log.refuse(table.file, expected, column=day, note="missing")
        else:
            table.refuse(day, blank, f"a value ({about}), or a date to derive it from")


def check_copies(table: Table) -> None:
    """Refuse rows that are the same in every column that is read."""
    known = [c for c in table.schema.columns if c in table.data]
    same = table.data.duplicated(known, keep=False)
    if not same.any():
        return
    apart = [c for c in TELL_APART if c in table.data]
    copies = table.data.duplicated([*known, *apart], keep=False) if apart else same
    said = f"rows that differ only in {', '.join(apart)} are kept as different ones"
    table.state_rows("", same & ~copies, said)
    number = {"adae": "AESEQ", "adex": "EXSEQ"}.get(table.name)
    remedy = f"Delete the copy; if both are real, number them in a column {number}"
    name = _name_others(table, known, copies)
    table.refuse(
        "USUBJID",
        copies,
        "each row once",
        remedy if number else "Delete the copy",
        lambda row: f"same as {name(row)}",
    )


def check_subjects(adsl: Table) -> None:
    """Refuse what no single-arm trial is, and state what is odd and may be true."""
    data = adsl.data
    _check_arms(adsl)
    _refuse_near_ids(adsl)
    if data.empty:
        adsl.log.refuse(adsl.file, "at least one participant")
        return
    cells = data["MSCSRC"] != NO_CELLS
    expected = "arms are not supported: either everybody received cells, or nobody"
    table_has_both = cells.any() and not cells.all()
    if table_has_both:
        adsl.refuse("MSCSRC", ~cells, expected)
    treated = data["TRTSDY"].notna() | adsl.is_bad("TRTSDY")
    untreated = cells & ~treated & ~data["MSCSRC"].isna()
    if not treated.any():
        expected = f"{NO_CELLS}, as TRTSDY gives no infusion to anybody"
        adsl.refuse("MSCSRC", untreated, expected)
    elif not table_has_both:
        who = list_values(data.loc[untreated, "USUBJID"].astype(str))
        said = f"a source of cells but no infusion: {who}; counted among the enrolled"
        adsl.state_rows("TRTSDY", untreated, said)
    if (data["FASFL"] == "N").all():
        expected = "Y for somebody: a full analysis set with nobody in it cannot be analysed"
        adsl.refuse("FASFL", data["FASFL"] == "N", expected)
    _state_odd(adsl)


def _refuse_near_ids(adsl: Table) -> None:
    """Refuse participants whose ids differ only in case and blanks."""
    ids = adsl.data["USUBJID"]
    alike = ids.map(fold, na_action="ignore")
    twins = alike.duplicated(keep=False) & ~ids.duplicated(keep=False) & ids.notna()
    adsl.refuse("USUBJID", twins, "ids that differ in more than case and blanks")


def _check_arms(adsl: Table) -> None:
    for column in [c for c in ARMS if c in adsl.data]:
        arms = adsl.data[column].dropna()
        values = list(dict.fromkeys(arms.map(fold)))
        if len(values) > 1:
            adsl.log.refuse(
                adsl.file,
                "one treatment: this report is of a single-arm trial, arms are not supported, "
                "and pooled arms would be false",
                column=column,
                note=f"{len(values)} values: {list_values(arms.unique())}",
            )


def _state_odd(adsl: Table) -> None:
    data = adsl.data
    old = f"ages below {ADULT} or above {VERY_OLD}; kept as they are"
    adsl.state_rows("AGE", (data["AGE"] < ADULT) | (data["AGE"] > VERY_OLD), old, name=True)
    late = "first infusions later than day 30; study days count from entry"
    adsl.state_rows("TRTSDY", data["TRTSDY"] > 30, late, name=True)
    died = data["DTHDY"].notna() & (data["DCSREAS"] == "LIVER TRANSPLANT")
    said = "deaths after a transplant; the transplant is the first event"
    adsl.state_rows("DTHDY", died, said, name=True)
    outside = data["FASFL"] == "N"
    if not outside.all():
        adsl.state_rows("FASFL", outside, "participants outside the full analysis set")


def read_unknown_sex(adsl: Table) -> None:
    """Read sex U as not recorded."""
    unknown = adsl.data["SEX"].map(fold, na_action="ignore").eq("u")
    adsl.state_rows("SEX", unknown, "'U' read as not recorded")
    adsl.data["SEX"] = adsl.data["SEX"].mask(unknown)


def fill_last_days(adsl: Table, others: list[Table]) -> None:
    """Give ONGOING participants without EOSDY the last day that any table knows of them."""
    data = adsl.data
    wanted = (data["EOSSTT"] == "ONGOING") & data["EOSDY"].isna() & ~adsl.is_bad("EOSDY")
    if not wanted.any():
        return
    tables = [t.data.set_index("USUBJID")[DAYS[t.name]] for t in others]
    days = pd.concat([*tables, data.set_index("USUBJID")["TRTSDY"]]).dropna()
    last = data["USUBJID"].map(days.groupby(level=0).max())
    found = wanted & (last >= 1)
    adsl.data["EOSDY"] = data["EOSDY"].mask(found, last)
    rows = adsl.data[found]
    each = [f"{u} day {d:.0f}" for u, d in zip(rows["USUBJID"], rows["EOSDY"], strict=True)]
    said = f"ongoing and blank: the last day in any table is taken: {list_values(each)}"
    adsl.state_rows("EOSDY", found, said)


def check_events(adae: Table) -> None:
    """Say which events lack a grade, a day or hours, and how that is read."""
    data = adae.data
    if "AESEV" in data:
        wrong = data["AESEV"].notna() & ~data["AESEV"].isin(list(SEVERITIES))
        adae.refuse("AESEV", wrong, f"one of {', '.join(SEVERITIES)}")
    if "AETOXGR" not in adae.raw and "AESEV" not in data:
        about = adae.schema.columns["AETOXGR"].description
        adae.log.refuse(adae.file, f"a column: {about}", column="AETOXGR", note="missing")
        return
    instead = "; AESEV is kept in its place" if "AESEV" in data else ""
    grade = f"events without a grade: not graded, so in no count by grade{instead}"
    adae.state_rows("AETOXGR", data["AETOXGR"].isna() & ~adae.is_bad("AETOXGR"), grade)
    if "ASTDY" in adae.raw or data["ASTDY"].notna().any():
        said = "events without a day of onset: counted as on treatment"
        adae.state_rows("ASTDY", data["ASTDY"].isna() & ~adae.is_bad("ASTDY"), said)
    if "AEHRINF" not in adae.raw:
        said = "no such column: nobody knows which events began within 24 hours of an infusion"
        adae.state_rows("AEHRINF", data["AEHRINF"].isna(), said)
    said = "events that began more than a year before day 1; kept as they are"
    adae.state_rows("ASTDY", data["ASTDY"] < -365, said)
    classes = data.dropna(subset="AEDECOD").groupby("AEDECOD")["AEBODSYS"].nunique()
    terms = classes.index[classes > 1]
    said = f"terms that stand in more than one class: {list_values(terms)}; kept as they are"
    adae.state_rows("AEBODSYS", data["AEDECOD"].isin(terms), said)
    fatal = (data["AEOUT"] == "FATAL") & (data["AETOXGR"] < 5)
    said = "fatal events with a grade below 5; kept as they are"
    adae.state_rows("AETOXGR", fatal, said, matters=False)


def state_doses(adex: Table) -> None:
    """State several infusions of a day, and doses far from the others of their unit."""
    data = adex.data
    again = data.duplicated(["USUBJID", "ASTDY"], keep=False) & data["ASTDY"].notna()
    adex.state_rows("ASTDY", again, "several infusions on one day", name=True)
    given = data["EXDOSE"].where(data["EXDOSE"] > 0)
    usual = given.groupby(data["EXDOSU"]).transform("median")
    far = (given / usual > DOSES_APART) | (usual / given > DOSES_APART)
    doses = list_values(f"{dose:g}" for dose in given[far])
    said = f"doses more than {DOSES_APART} times from the median of their unit: {doses}"
    adex.state_rows("EXDOSE", far, said)


def check_people(table: Table, adsl: Table) -> None:
    """Refuse rows of people who are not in ``adsl.csv``, with the id that may be meant."""
    ids = adsl.data["USUBJID"].dropna().unique()
    keys: dict[str, list[str]] = {}
    for one in ids:
        keys.setdefault(_loose(one), []).append(one)

    def guess(value: str) -> str:
        near = keys.get(_loose(value), [])
        if len(near) != 1:
            return ""
        why = "in zeros at the front" if value.strip().lstrip("0") == near[0].lstrip("0") else ""
        return f"{list_values(near)} differs only {why or 'in zeros, case or signs'}"

    unknown = table.data["USUBJID"].notna() & ~table.data["USUBJID"].isin(ids)
    table.refuse("USUBJID", unknown, "a participant listed in adsl.csv", guess)


def _loose(text: str) -> str:
    """Return the key under which ids are nearly the same."""
    return "".join(p.lstrip("0") or "0" for p in re.findall(r"\d+|[^\W\d_]+", fold(text)))


def check_last_days(table: Table, adsl: Table) -> None:
    """Refuse rows later than the participant's last day."""
    day = DAYS[table.name]
    known = adsl.data[~adsl.is_bad("EOSDY")].drop_duplicates("USUBJID")
    # Of an empty table the keys would be mapped to text.
    last = table.data["USUBJID"].map(known.set_index("USUBJID")["EOSDY"]).astype(float)
    table.refuse(
        day,
        (table.data[day] > last).to_numpy(),
        "a day no later than the participant's last (EOSDY)",
        "",
        lambda row: f"EOSDY {last[row]:.0f}",
    )


def check_infusions(adsl: Table, adex: Table) -> None:
    """Refuse first infusions of which the two tables differ."""
    first = adsl.data["USUBJID"].map(adex.data.groupby("USUBJID")["ASTDY"].min()).astype(float)
    given = adsl.data["TRTSDY"]
    differs = ~((given == first) | (given.isna() & first.isna()))
    adsl.refuse(
        "TRTSDY",
        differs.to_numpy(),
        "the day of the first infusion in adex.csv",
        "",
        lambda row: f"there {'none' if pd.isna(first[row]) else f'day {first[row]:.0f}'}",
    )


def check_fatal(adsl: Table, adae: Table) -> None:
    """Refuse fatal events of participants who are not known to have died."""
    data = adae.data
    dead = set(adsl.data.loc[adsl.data["DTHDY"].notna() | adsl.is_bad("DTHDY"), "USUBJID"])
    fatal = (data["AEOUT"] == "FATAL") | (data["AETOXGR"] == 5)
    lives = fatal & ~data["USUBJID"].isin(dead) & data["USUBJID"].isin(adsl.data["USUBJID"])
    remedy = "Give the death in adsl.csv (DCSREAS, EOSDY, DTHDY), or another outcome here"
    adae.refuse("AEOUT", lives, "a fatal event only of a participant with DTHDY", remedy)


def check_hours(adsl: Table, adae: Table, adex: Table | None) -> None:
    """Refuse hours since the last infusion that the days of event and infusion rule out."""
    data = adae.data
    treated = adsl.data.drop_duplicates("USUBJID").set_index("USUBJID")["TRTSDY"]
    last = data["USUBJID"].map(treated).astype(float)
    exact = adex is not None and len(adex.data) > 0
    if adex is not None and exact:
        last = _last_infusions(data, adex.data)
    days = data["ASTDY"] - last
    unknown = data["AEHRINF"].isna() & days.isin([0, 1]) & ~adae.is_bad("AEHRINF")
    said = (
        "events on the day of an infusion or the day after, without hours: whether they began "
        "within 24 hours is not known"
    )
    adae.state_rows("AEHRINF", unknown & ("AEHRINF" in adae.raw), said)
    # An infusion or an event may cross midnight.
    most, least = 24 * (days + 2), 24 * (days - 2)
    wrong = (data["AEHRINF"] > most) | ((data["AEHRINF"] < least) & exact)
    wrong |= data["AEHRINF"].notna() & last.isna() & data["ASTDY"].notna()
    wrong &= ~data["USUBJID"].isin(adsl.data.loc[adsl.is_bad("TRTSDY"), "USUBJID"])
    adae.refuse(
        "AEHRINF",
        wrong,
        "hours that fit ASTDY and the day of the last infusion before it",
        "",
        lambda row: _tell_days(data["ASTDY"][row], last[row]),
    )


def _tell_days(day: float, last: float) -> str:
    infused = "none" if pd.isna(last) else f"on day {last:.0f}"
    return f"ASTDY {day:.0f}, infusion {infused}"


def _last_infusions(events: pd.DataFrame, infusions: pd.DataFrame) -> pd.Series:
    """Return the day of the last infusion at or before each event; missing where there is none."""
    asked = events[["USUBJID", "ASTDY"]].dropna().reset_index(names="row").sort_values("ASTDY")
    given = infusions[["USUBJID", "ASTDY"]].dropna().assign(LAST=lambda d: d["ASTDY"])
    joined = pd.merge_asof(
        asked.astype({"USUBJID": str}),
        given.astype({"USUBJID": str}).sort_values("ASTDY"),
        on="ASTDY",
        by="USUBJID",
    )
    return joined.set_index("row")["LAST"].reindex(events.index)


def check_study(study: Study, adsl: Table, log: Log) -> None:
    """Refuse what ``study.yml`` says and the tables rule out."""
    data, total, plan = adsl.data, len(adsl.data), study.plan
    if study.assessed is not None and study.assessed < total:
        expected = f"at least the {total:,} participants of adsl.csv"
        log.refuse("study.yml", expected, column="assessed", value=str(study.assessed))
    ended = data["DCSREAS"].isin(["DEATH", "LIVER TRANSPLANT"])
    days = data["EOSDY"].dropna()
    if len(days) and not adsl.is_bad("EOSDY").any() and not ended.all():
        longest = days.max()
        if longest < plan.horizon_days / 2:
            log.refuse(
                "study.yml",
                f"a follow-up of {plan.horizon}, as every page of this report says",
                column="horizon_months",
                value=str(plan.horizon_months),
                note=f"nobody in adsl.csv was followed beyond day {longest:.0f}",
                remedy="Give the months that were observed, and visits within them",
            )


def check_baselines(planned: pd.DataFrame, adlb: Table) -> None:
    """Refuse laboratory data without any baseline, of which nothing could be said."""
    if len(planned) and not (planned["AVISITN"] == 0).any():
        expected = f"a value at {BASELINE} of at least one participant: all changes start there"
        adlb.log.refuse(adlb.file, expected, column="AVISIT")


def state_late_baselines(adlb: Table, adsl: Table, planned: pd.DataFrame) -> None:
    """State baseline values measured after the day of the first infusion."""
    first = adsl.data.drop_duplicates("USUBJID").set_index("USUBJID")["TRTSDY"]
    start = planned["USUBJID"].map(first).astype(float).fillna(1)
    late = planned.index[(planned["AVISITN"] == 0) & (planned["ADY"] > start)]
    said = "baseline values measured after day 1 or the first infusion"
    adlb.state_rows("ADY", adlb.data.index.isin(late), said, name=True)
