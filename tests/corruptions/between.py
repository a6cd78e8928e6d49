"""Corruptions that no single cell shows: between rows, between tables, and against the study."""

from collections.abc import Callable, Iterator

from tests.corruptions.base import (
    Answer,
    Change,
    Corruption,
    Rows,
    Spoil,
    all_of,
    edit_column,
    edit_rows,
    edit_text,
    edit_where,
    stored,
)

FILES = ("adsl.csv", "adlb.csv", "adae.csv", "adex.csv")
Record = dict[str, str]


def _put(table: str, values: Record, **where: str) -> Spoil:
    """Write values into the records that hold all of `where`."""

    def chosen(record: Record) -> bool:
        return all(record[column] == value for column, value in where.items())

    return all_of(*(edit_where(table, c, lambda _, v=v: v, chosen) for c, v in values.items()))


def _status(who: str, **values: str) -> Spoil:
    return _put("adsl", values, USUBJID=who)


def _scale(factor: float, parameter: str = "", who: str = "", unit: str = "") -> Spoil:
    """Multiply the values of a parameter, and name their unit."""

    def chosen(record: Record) -> bool:
        return parameter in ("", record["PARAMCD"]) and who in ("", record["USUBJID"])

    scale = edit_where("adlb", "AVAL", lambda v: f"{float(v) * factor:.4g}", chosen)
    return all_of(scale, edit_where("adlb", "AVALU", lambda v: unit or v, chosen))


def _days(change: Callable[[float], float], table: str = "adlb", column: str = "ADY") -> Spoil:
    return edit_column(table, column, lambda v: f"{change(float(v)):.0f}")


def _append(table: str, *lines: str) -> Spoil:
    return edit_rows(table, lambda rows: [*rows, *(line.split(",") for line in lines)])


def _drop(table: str, **where: str) -> Spoil:
    def change(rows: Rows) -> Rows:
        kept = [
            row
            for row in rows[1:]
            if any(dict(zip(rows[0], row, strict=True))[c] != v for c, v in where.items())
        ]
        return [rows[0], *kept]

    return edit_rows(table, change)


def _add_column(table: str, name: str, value: Callable[[int], str]) -> Spoil:
    return edit_rows(
        table,
        lambda rows: [[*rows[0], name], *([*row, value(n)] for n, row in enumerate(rows[1:]))],
    )


def corrupt_between(dataset: str) -> Iterator[Corruption]:
    """Yield contradictions that only several cells show."""
    rules = {
        "msct_synthetic": (*_outcomes(), *_sets(), *_events(), *_infusions()),
        "mayo_pbc": tuple(_mayo_outcomes()),
    }[dataset]
    for kind, spoil, columns, *rest in (*rules, *_labs(dataset), *_identities(dataset)):
        answer = rest[0] if rest else Answer.NOTICED
        yield Corruption(dataset, "between", kind, spoil, FILES, columns, (), answer)
    for column in ("TRT01P", "TRT01A", "ARM", "ACTARM"):
        yield from _arms(dataset, column)
    for kind, spoil, columns in _telling_columns():
        yield Corruption(dataset, "between", kind, spoil, FILES, columns)


Rule = tuple[str, Spoil, tuple[str, ...]] | tuple[str, Spoil, tuple[str, ...], Answer]


def _outcomes() -> Iterator[Rule]:
    """Yield ends of the study that contradict one another."""
    day = ("DTHDY", "EOSDY", "EOSSTT", "DCSREAS", "LTXDY")
    yield "death of one who completed", _status("SYN-01", DTHDY="700"), day
    yield "death of one who completed, later", _status("SYN-01", DTHDY="900"), day
    yield "death of one lost, later", _status("SYN-03", DTHDY="658"), day
    yield "death of one lost, earlier", _status("SYN-03", DTHDY="500"), day
    yield "death of one lost, that day", _status("SYN-03", DTHDY="598"), day
    yield "death after the end", _status("SYN-04", DTHDY="460"), day
    yield "death before the end", _status("SYN-04", DTHDY="300"), day
    yield "death before the first infusion", _status("SYN-04", DTHDY="-5", EOSDY="-5"), day
    yield "death of one transplanted, later", _status("SYN-14", DTHDY="500"), day
    yield "death of one transplanted, earlier", _status("SYN-14", DTHDY="300"), day
    yield "death without a day", _status("SYN-04", DTHDY=""), day
    yield "death as the reason of one who completed", _status("SYN-01", DCSREAS="DEATH"), day
    yield "transplant of one who completed", _status("SYN-01", LTXDY="400"), day
    yield "transplant of one lost", _status("SYN-03", LTXDY="598"), day
    yield "transplant after death", _status("SYN-04", LTXDY="470"), day
    yield "transplant before death", _status("SYN-04", LTXDY="300"), day
    yield "transplant on another day than the end", _status("SYN-14", LTXDY="200"), day
    yield "transplant after the end", _status("SYN-14", LTXDY="400"), day
    yield "transplant without a day", _status("SYN-14", LTXDY=""), day
    yield "completed and dead", _status("SYN-04", EOSSTT="COMPLETED", DCSREAS=""), day
    yield "ongoing and dead", _status("SYN-04", EOSSTT="ONGOING", DCSREAS=""), day
    yield "ongoing and transplanted", _status("SYN-14", EOSSTT="ONGOING", DCSREAS=""), day
    yield "lost and dead", _status("SYN-04", DCSREAS="LOST TO FOLLOW-UP"), day
    yield "completed on day 50", _status("SYN-01", EOSDY="50"), (*day, "ADY", "ASTDY")
    yield "lost without a reason", _status("SYN-03", DCSREAS=""), day
    yield "lost but completed", _status("SYN-03", EOSSTT="COMPLETED"), day
    yield "end beyond all others", _status("SYN-01", EOSDY="7320"), day
    yield "end in 2,000 years", _status("SYN-01", EOSDY="730500"), day
    yield "end before the infusion", _status("SYN-01", EOSDY="-3"), (*day, "ADY", "ASTDY")
    yield "all end on one far day", edit_column("adsl", "EOSDY", lambda v: "20000"), day
    yield "death and transplant days exchanged", _exchange("DTHDY", "LTXDY"), day
    yield "days are dates of Excel", _days(lambda d: d + 43_890, "adsl", "EOSDY"), day


def _exchange(one: str, other: str) -> Spoil:
    def change(rows: Rows) -> Rows:
        a, b = rows[0].index(one), rows[0].index(other)
        for row in rows[1:]:
            row[a], row[b] = row[b], row[a]
        return rows

    return edit_rows("adsl", change)


def _mayo_outcomes() -> Iterator[Rule]:
    day = ("DTHDY", "EOSDY", "EOSSTT", "DCSREAS", "LTXDY")
    yield "death of one ongoing", _status("PBC-155", DTHDY="3517"), day
    yield "death of one ongoing, later", _status("PBC-155", DTHDY="4000"), day
    yield "transplant of one ongoing", _status("PBC-155", LTXDY="3000"), day
    yield "death of one transplanted, later", _status("PBC-125", DTHDY="2600"), day
    yield "death after the end", _status("PBC-001", DTHDY="500"), day
    yield "death before the end", _status("PBC-100", DTHDY="300"), day
    yield "end in 140 years", _status("PBC-155", EOSDY="51690"), day
    yield "one was treated", _status("PBC-155", MSCSRC="CORD BLOOD"), ("MSCSRC", "TRTSDY", "SAFFL")
    yield "safety set of the not treated", _status("PBC-155", SAFFL="Y"), ("SAFFL", "TRTSDY")
    yield "safety set of all", edit_column("adsl", "SAFFL", lambda v: "Y"), ("SAFFL", "TRTSDY")
    treated = _status("PBC-155", TRTSDY="1")
    yield "an infusion without cells", treated, ("TRTSDY", "MSCSRC", "SAFFL")


def _sets() -> Iterator[Rule]:
    """Yield analysis sets that the infusions or the data contradict."""
    flags = ("SAFFL", "FASFL", "TRTSDY", "MSCSRC", "USUBJID")
    yield "safety set without one infused", _status("SYN-05", SAFFL="N"), flags
    yield "safety set of nobody", edit_column("adsl", "SAFFL", lambda v: "N"), flags
    yield "full set of nobody", edit_column("adsl", "FASFL", lambda v: "N"), flags
    yield "infused, day blank", _status("SYN-05", TRTSDY=""), flags
    yield "all infused, days blank", edit_column("adsl", "TRTSDY", lambda v: ""), flags
    yield "infused with no cells", _status("SYN-05", MSCSRC="NOT APPLICABLE"), flags
    none = edit_column("adsl", "MSCSRC", lambda v: "NOT APPLICABLE")
    yield "all infused with no cells", none, flags
    never = _status("SYN-05", TRTSDY="", SAFFL="N")
    yield "infusion of one never treated", never, flags
    yield "one never treated, with cells", all_of(never, _drop("adex", USUBJID="SYN-05")), flags
    yield "infusion on day 30", _status("SYN-05", TRTSDY="30"), flags
    yield "infusion on day -1", _status("SYN-05", TRTSDY="-1"), flags
    yield "first infusion after the end", _status("SYN-10", TRTSDY="100"), flags
    both = all_of(_status("SYN-05", TRTSDY="200"), _put("adex", {"ASTDY": "200"}, USUBJID="SYN-05"))
    yield "first infusion on day 200 in both tables", both, (*flags, "ASTDY")


def _events() -> Iterator[Rule]:
    """Yield events that contradict the end, the infusions or themselves."""
    fatal = ("AEOUT", "AETOXGR", "DTHDY", "DCSREAS", "AESER", "ASTDY")
    yield "fatal event in one who lives", _put("adae", {"AEOUT": "FATAL"}, USUBJID="SYN-01"), fatal
    yield "fatal event in one lost", _put("adae", {"AEOUT": "FATAL"}, USUBJID="SYN-03"), fatal
    grade = _put("adae", {"AETOXGR": "5"}, USUBJID="SYN-01")
    yield "grade 5 in one who lives", grade, fatal
    lives = _put("adae", {"AEOUT": "RECOVERED/RESOLVED"}, AETOXGR="5")
    yield "grade 5 and recovered", lives, fatal
    yield "fatal and grade 1", _put("adae", {"AETOXGR": "1"}, AEOUT="FATAL"), fatal
    yield "fatal and not serious", _put("adae", {"AESER": "N"}, AEOUT="FATAL"), fatal
    twice = _append("adae", "SYN-04,Sepsis,Infections and infestations,5,Y,NOT RELATED,440,,FATAL")
    yield "two fatal events", twice, fatal, Answer.LITERAL
    late = _put("adae", {"ASTDY": "460"}, USUBJID="SYN-04", AEOUT="FATAL")
    yield "fatal event after death", late, fatal
    hours = ("AEHRINF", "ASTDY")
    yield "1 hour after, on day 30", _put("adae", {"ASTDY": "30"}, AEHRINF="7.8"), hours
    yield "1 hour after, on day -3", _put("adae", {"ASTDY": "-3"}, AEHRINF="7.8"), hours
    yield "200 hours after, on day 1", _put("adae", {"AEHRINF": "200"}, AEHRINF="7.8"), hours
    yield "hours of an event a year on", _put("adae", {"AEHRINF": "2"}, ASTDY="420"), hours
    minutes = edit_where("adae", "AEHRINF", lambda v: f"{float(v) * 60:g}", lambda r: r["AEHRINF"])
    yield "hours are minutes", minutes, hours
    # Of an hour that is blank nothing is known: not assessable is the truth, and the data say so.
    blank = edit_column("adae", "AEHRINF", lambda v: "")
    yield "no hours recorded", blank, hours, Answer.LITERAL
    serious = _put("adae", {"ASTDY": "1", "AESER": "Y"}, USUBJID="SYN-01")
    yield "serious on day 1, no hours", serious, hours, Answer.LITERAL
    term = ("AEDECOD", "AEBODSYS")
    event = "SYN-02,{},Gastrointestinal disorders,1,N,NOT RELATED,30,,UNKNOWN"
    for text in (
        "ascites",
        "ASCITES",
        "Ascites ",
        "Ascites\u00a0",
        "\u200bAscites",
        "Asci\u00adtes",
    ):
        yield f"term {text!a} beside Ascites", _append("adae", event.format(text)), term
    other = "SYN-02,Ascites,{},1,N,NOT RELATED,30,,UNKNOWN"
    for text in ("gastrointestinal disorders", "Gastrointestinal Disorders", "Cardiac disorders"):
        yield f"class {text} of Ascites", _append("adae", other.format(text)), term
    yield (
        "event of nobody",
        _append("adae", "," + event.format("Ascites").split(",", 1)[1]),
        ("USUBJID",),
    )
    days = _days(lambda d: d - 1, "adae", "ASTDY")
    yield "events count from day 0", days, ("ASTDY",)
    yield "events a year late", _days(lambda d: d + 365, "adae", "ASTDY"), ("ASTDY", "AEHRINF")


def _infusions() -> Iterator[Rule]:
    """Yield infusions that contradict the participant's record."""
    where = ("ASTDY", "TRTSDY", "USUBJID", "EXDOSE", "EXDOSU", "EOSDY")
    yield "infusions gone", edit_rows("adex", lambda rows: rows[:1]), where
    yield "one's infusion gone", _drop("adex", USUBJID="SYN-05"), where
    yield "first infusion on another day", _put("adex", {"ASTDY": "8"}, USUBJID="SYN-05"), where
    yield "infusion before the first", _append("adex", "SYN-05,-7,,"), where
    yield "infusion after the end", _append("adex", "SYN-10,300,,"), where
    yield "infusion after death", _append("adex", "SYN-04,500,,"), where
    yield "two infusions a day", _append("adex", "SYN-05,1,5,10^6 cells"), where
    dose = _put("adex", {"EXDOSE": "5"}, USUBJID="SYN-05")
    yield "dose without unit", dose, where
    yield "unit without dose", _put("adex", {"EXDOSU": "mL"}, USUBJID="SYN-05"), where
    units = all_of(
        edit_column("adex", "EXDOSE", lambda v: "50"),
        edit_column("adex", "EXDOSU", lambda v: "10^6 cells"),
        _put("adex", {"EXDOSU": "cells/kg"}, USUBJID="SYN-05"),
    )
    yield "doses in two units", units, where, Answer.LITERAL


def _labs(dataset: str) -> Iterator[Rule]:
    """Yield visits on days of other visits, and values in other units."""
    day, value = ("ADY", "AVISIT", "AVISITN"), ("AVAL", "AVALU")
    base = edit_where("adlb", "ADY", lambda v: "30", lambda r: r["AVISITN"] == "0")
    yield "baselines on day 30", base, (*day, "TRTSDY", "EOSDY")
    first = stored(dataset, "adlb")[1][0]
    yield "one's baseline on day 30", _put("adlb", {"ADY": "30"}, USUBJID=first, AVISITN="0"), day
    early = _put("adlb", {"ADY": "-400"}, USUBJID=first, AVISITN="0")
    yield "one's baseline a year before", early, day
    weeks = edit_where(
        "adlb", "ADY", lambda v: f"{float(v) * 7 / 30.4:.0f}", lambda r: r["AVISITN"] != "0"
    )
    yield "weeks called months", weeks, day
    yield (
        "months called days",
        edit_column("adlb", "ADY", lambda v: f"{float(v) // 30 + 1:.0f}"),
        day,
    )
    yield "visits count from day 0", _days(lambda d: d - 1), day
    yield "visits a year late", _days(lambda d: d + 365), (*day, "EOSDY")
    swap = {"6": "12", "12": "6"}
    names = {"Month 6": "Month 12", "Month 12": "Month 6"}
    exchanged = all_of(
        edit_column("adlb", "AVISITN", lambda v: swap.get(v, v)),
        edit_column("adlb", "AVISIT", lambda v: names.get(v, v)),
    )
    yield "months 6 and 12 exchanged", exchanged, day
    one = edit_where("adlb", "AVISIT", lambda v: "Month 12", lambda r: r["AVISIT"] == "Month 6")
    yield "visit names contradict numbers", one, day
    all_one = edit_column("adlb", "ADY", lambda v: "1")
    yield "all visits on day 1", all_one, day
    none = edit_rows("adlb", lambda rows: [rows[0], *(r for r in rows[1:] if r[3] != "0")])
    yield "no baselines", none, (*day, "PARAMCD"), Answer.LITERAL
    two = edit_rows("adlb", lambda rows: [*rows, [*rows[1][:4], "-7", *rows[1][5:]]])
    yield "two baselines", two, (*day, "USUBJID")
    other = edit_rows("adlb", lambda rows: [*rows, [*rows[1][:5], "99", *rows[1][6:]]])
    yield "two values a visit", other, (*day, "USUBJID", "AVAL")
    for factor in (10, 100, 1000, 0.1, 0.01, 0.001):
        yield f"all values times {factor:g}", _scale(factor), value
    for parameter, factor, unit, kind in _other_units(dataset):
        yield f"{parameter}, {kind}", _scale(factor, parameter, unit=unit), value
        if not kind.startswith("all"):
            continue
        who = {"msct_synthetic": "SYN-06", "mayo_pbc": "PBC-112"}[dataset]
        yield f"{parameter} of one, {kind[4:]}", _scale(factor, parameter, who, unit), value
    yield "values exchanged with days", edit_rows("adlb", _exchange_cells(4, 5)), (*day, *value)
    codes = {"ALT": "ALB", "ALB": "ALT", "BILI": "AST", "AST": "BILI"}
    renamed = edit_column("adlb", "PARAMCD", lambda v: codes.get(v, v))
    yield "codes exchanged, units kept", renamed, ("PARAMCD", "AVALU", "AVAL")


def _exchange_cells(one: int, other: int) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        for row in rows[1:]:
            row[one], row[other] = row[other], row[one]
        return rows

    return change


def _other_units(dataset: str) -> Iterator[tuple[str, float, str, str]]:
    """Yield a parameter, a factor, the unit written and what was done."""
    if dataset == "mayo_pbc":
        yield "BILI", 17.1, "", "all in umol/L, called mg/dL"
        yield "BILI", 1 / 58.5, "", "all in g/L, called mg/dL"
        yield "ALB", 10, "", "all in g/L, called g/dL"
        yield "ALB", 1000, "", "all in mg/dL, called g/dL"
        yield "AST", 1 / 60, "", "all in ukat/L, called U/L"
        yield "PT", 1 / 11, "", "all as ratios, called s"
        return
    yield "BILI", 1 / 17.1, "", "all in mg/dL, called umol/L"
    yield "BILI", 1, "mg/dL", "values in umol/L called mg/dL"
    yield "ALB", 0.1, "", "all in g/dL, called g/L"
    yield "ALB", 1, "g/dL", "values in g/L called g/dL"
    yield "ALB", 15.2, "", "all in umol/L, called g/L"
    yield "CREAT", 1 / 88.4, "", "all in mg/dL, called umol/L"
    yield "CREAT", 1, "mg/dL", "values in umol/L called mg/dL"
    yield "INR", 12, "", "all as seconds"
    yield "INR", 100, "", "all in percent"
    yield "PT", 1 / 12, "", "all as ratios, called s"
    yield "ALT", 1 / 60, "", "all in ukat/L, called U/L"
    yield "ALT", 16.67, "", "all in nkat/L, called U/L"
    yield "SODIUM", 2.3, "", "all in mg/dL, called mmol/L"


def _identities(dataset: str) -> Iterator[Rule]:
    """Yield identifiers that differ between tables."""
    who = ("USUBJID",)
    for table in ("adlb", "adsl"):
        shorter = edit_column(table, "USUBJID", lambda v: v[:4] + v[4:].lstrip("0"))
        yield f"zeros lost in {table}", shorter, who
        yield f"numbers only in {table}", edit_column(table, "USUBJID", lambda v: v[4:]), who
        bare = edit_column(table, "USUBJID", lambda v: v.replace("-", ""))
        yield f"hyphens lost in {table}", bare, who
        dash = edit_column(table, "USUBJID", lambda v: v.replace("-", "\u2011"))
        yield f"other hyphens in {table}", dash, who
        prefix = edit_column(table, "USUBJID", lambda v: "TRIAL-" + v)
        yield f"study's name before in {table}", prefix, who
        lower = edit_column(table, "USUBJID", str.lower)
        yield f"lower case in {table}", lower, who
        as_float = edit_column(table, "USUBJID", lambda v: f"{int(v[4:])}.0")
        yield f"numbers as floats in {table}", as_float, who
        same = edit_column(table, "USUBJID", lambda v: "X-01")
        yield f"one name for all in {table}", same, who
    first, second = (row[0] for row in stored(dataset, "adsl")[1:3])
    twin = edit_rows("adsl", lambda rows: [*rows, [first.lower(), *rows[1][1:]]])
    yield "a second participant in lower case", twin, who
    blank = edit_rows("adsl", lambda rows: [*rows, [first + " ", *rows[1][1:]]])
    yield "a second participant, blank behind", blank, who
    again = edit_rows("adsl", lambda rows: [*rows, [first, "33", *rows[1][2:]]])
    yield "a participant twice, two ages", again, who
    yield "a participant gone", _drop("adsl", USUBJID=second), who
    yield "nobody left", edit_rows("adsl", lambda rows: rows[:1]), ()
    yield "nobody left in any table", _empty_all(dataset), ()


def _empty_all(dataset: str) -> Spoil:
    tables = ("adsl", "adlb") if dataset == "mayo_pbc" else ("adsl", "adlb", "adae", "adex")
    return all_of(*(edit_rows(table, lambda rows: rows[:1]) for table in tables))


def _arms(dataset: str, column: str) -> Iterator[Corruption]:
    """Yield more than one arm, which no report of one arm may pool."""
    for kind, value in {
        "two arms": lambda n: ("MSC", "PLACEBO")[n % 2],
        "one of another arm": lambda n: "PLACEBO" if n == 7 else "MSC",
        "screen failures": lambda n: "Screen Failure" if n == 7 else "MSC",
        "arm of some": lambda n: "" if n == 7 else "MSC",
    }.items():
        spoil = _add_column("adsl", column, value)
        refused = Answer.NOTICED if kind == "arm of some" else Answer.REFUSED
        yield Corruption(
            dataset, f"adsl.{column}", kind, spoil, ("adsl.csv",), (column,), (), refused
        )
    one = _add_column("adsl", column, lambda n: "MSC")
    yield Corruption(dataset, f"adsl.{column}", "one arm", one, ("adsl.csv",), (), (), Answer.LOADS)
    if dataset == "msct_synthetic" and column == "ARM":
        mixed = _status("SYN-05", MSCSRC="NOT APPLICABLE", TRTSDY="", SAFFL="N")
        spoil = all_of(mixed, _drop("adex", USUBJID="SYN-05"))
        columns = ("MSCSRC",)
        kind = "cells and none"
        yield Corruption(
            dataset, "adsl.MSCSRC", kind, spoil, ("adsl.csv",), columns, (), Answer.REFUSED
        )


def _telling_columns() -> Iterator[tuple[str, Spoil, tuple[str, ...]]]:
    """Yield columns that the contract lacks and whose content changes what the others say."""
    yield "ages in months", _add_column("adsl", "AGEU", lambda n: "MONTHS"), ("AGEU",)
    yield "two studies", _add_column("adsl", "STUDYID", lambda n: "AB"[n % 2]), ("STUDYID",)
    derived = _add_column("adlb", "DTYPE", lambda n: "LOCF" if n % 9 == 8 else "")
    yield "values carried forward", derived, ("DTYPE",)
    unused = _add_column("adlb", "ANL01FL", lambda n: "" if n % 9 == 8 else "Y")
    yield "values not for analysis", unused, ("ANL01FL",)
    below = _add_column("adlb", "AVALC", lambda n: "<5" if n % 9 == 8 else "")
    yield "values below the limit", below, ("AVALC",)


def corrupt_together(dataset: str) -> Iterator[Corruption]:
    """Yield several faults at once: an answer must name each table that is wrong."""
    first = {"msct_synthetic": "SYN-01", "mayo_pbc": "PBC-001"}[dataset]
    several = all_of(
        _status(first, SEX="x", AGE="old"),
        _put("adlb", {"AVALU": "stone"}, USUBJID=first),
        edit_text("study.yml", lambda text: text.replace("origin: ", "origin: un")),
    )
    for files, columns in (
        (("adsl.csv",), ("SEX",)),
        (("adsl.csv",), ("AGE",)),
        (("adlb.csv",), ("AVALU",)),
        (("study.yml",), ("origin",)),
    ):
        name = f"several at once, {columns[0]} named"
        yield Corruption(dataset, "between", name, several, files, columns, (), Answer.REFUSED)


__all__ = ["Change", "corrupt_between", "corrupt_together"]
