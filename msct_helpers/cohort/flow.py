"""The participant flow in words: the steps of its diagram, and how follow-up ended."""

import pandas as pd

from msct_helpers.ard.results import ref
from msct_helpers.book.words import join_words, name_reason, name_source, upper_first
from msct_helpers.cohort.population import list_groups
from msct_helpers.trial.plan import Plan
from msct_helpers.trial.schema import NO_CELLS


def list_cells(record: pd.DataFrame) -> list[str]:
    """Return how many received each source of cells, most first; empty where nobody did."""
    sources = [s for s in list_groups(record, "source") if s != NO_CELLS]
    return [f"{ref('source', 'count', group=s)} {name_source(s)}" for s in sources]


def say_lead(record: pd.DataFrame, plan: Plan, who: str = "participants") -> str:
    """Return in a sentence how many were enrolled and what ended their follow-up.

    Parameters
    ----------
    record
        Record of `msct_helpers.cohort.population.summarise_disposition`.
    plan
        The analysis plan.
    who
        What participants are called (`msct_helpers.book.words.name_people`).
    """

    def count(group: str) -> str:
        return ref("status", "count", group=group)

    alone = record.set_index("id")["value"]["enrolled.count"] == 1
    return (
        f"Of {ref('enrolled', 'count')} {who[:-1] if alone else who} enrolled, the first event "
        f"within {plan.horizon} was death in {count('DEATH')}, liver transplant in "
        f"{count('LIVER TRANSPLANT')} and loss to follow-up in {count('LOST TO FOLLOW-UP')}."
    )


def say_enrolment(record: pd.DataFrame, plan: Plan) -> str:
    """Return what the enrolled received, and how many were seen at the end.

    Parameters
    ----------
    record, plan
        As in `say_lead`.
    """

    def seen(group: str, statistic: str = "count") -> str:
        return ref("visit", statistic, visit=plan.last.number, group=group)

    cells = join_words(list_cells(record))
    given = f"They received mesenchymal stem cells ({cells})."
    given = given if cells else "None of them received mesenchymal stem cells."
    return (
        f"{given} The visit at {plan.span} was due for {seen('RISK')}, and {seen('ATTENDED')} "
        f"attended it ({seen('ATTENDED', 'percent')}% of all)."
    )


def list_left(record: pd.DataFrame, visit: int | None, plan: Plan) -> str:
    """Return who left before a visit and why, a line each; `visit` None for after the last one."""
    exits = record[(record["analysis"] == "exit") & (record["statistic"] == "count")]
    own = exits["visit"].isna() if visit is None else exits["visit"].eq(visit).fillna(False)
    return "\n".join(
        f"{ref('exit', 'count', visit=visit, group=g)} {name_reason(g, plan)}"
        for g in exits.loc[own, "group"]
    )


def step_infused(record: pd.DataFrame) -> tuple[str, str]:
    """Return the step of the flow on who was infused with which cells, and who was not."""
    value = record.set_index("id")["value"]
    yes, no = (ref("infused", "count", group=g) for g in ("YES", "NO"))
    if not value["infused.yes.count"]:
        return "No MSC given", ""
    text = "\n".join([f"Infused with MSC\n{yes}", *list_cells(record)])
    return text, f"{no} not infused" if value["infused.no.count"] else ""


def derive_steps(record: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the steps of the participant flow, in words, with the ids of their numbers.

    Parameters
    ----------
    record
        Record of `msct_helpers.cohort.population.summarise_disposition`.
    plan
        The analysis plan.

    Returns
    -------
    DataFrame
        From enrolment to analysis: STEP and who LEFT before it, lines of text.
    """

    def count(analysis: str, group: str, visit: int | None = None) -> str:
        return ref(analysis, "count", visit=visit, group=group)

    steps, excluded = [], ""
    if (record["analysis"] == "assessed").any():
        steps.append((f"Assessed\n{ref('assessed', 'count')}", ""))
        excluded = f"{ref('assessed', 'excluded_count')} not selected"
    steps += [(f"Enrolled\n{ref('enrolled', 'count')}", excluded), step_infused(record)]
    for visit in plan.visits:
        risk, seen = (count("visit", g, visit.number) for g in ("RISK", "ATTENDED"))
        text = f"{visit.name}\n{risk} expected, {seen} attended"
        steps.append((text, list_left(record, visit.number, plan)))
    text = f"{upper_first(plan.horizon)}\n{count('status', 'IN FOLLOW-UP')} still followed"
    steps.append((text, list_left(record, None, plan)))
    full, safe = (count("set", g) for g in ("FASFL", "SAFFL"))
    steps.append((f"Analysed\n{full} full analysis set\n{safe} safety analysis set", ""))
    return pd.DataFrame(steps, columns=["STEP", "LEFT"])


def say_steps(steps: pd.DataFrame) -> str:
    """Return the participant flow as sentences, for whoever does not see the diagram."""
    said = []
    for step, left in steps.itertuples(index=False):
        head, _, rest = step.partition("\n")
        said += [f"Before the next step: {left.replace(chr(10), '; ')}."] if left else []
        said.append(f"{head}{': ' if rest else ''}{rest.replace(chr(10), ', ')}.")
    return " ".join(said)


def say_course(record: pd.DataFrame, plan: Plan) -> str:
    """Return how many participants ended how, for whoever does not see the bars."""
    counts = [
        f"{ref('status', 'count', group=g)} {name_reason(g, plan)}"
        for g in list_groups(record, "status")
    ]
    return f"{ref('enrolled', 'count')} bars, longest first. {join_words(counts)}."
