"""Passages of the chapter on the published statements: verdicts, evidence, conclusions, rules."""

import pandas as pd
from IPython.display import display

from msct_helpers.abstract import conclusions, ledger, published, robustness, statements
from msct_helpers.abstract.robustness import CHECKS, Check
from msct_helpers.ard.results import ref
from msct_helpers.book.chapter import Chapter
from msct_helpers.trial.load import load_statements

SHOWN = {
    "P1": ("discussion", ""),
    "P2": ("safety", ""),
    "P3": ("efficacy-endpoints", ""),
    "N1": ("cohort-flow", "fig-flow"),
    "N2": ("cohort-flow", "tab-disposition"),
    "N3": ("cohort-flow", "tab-disposition"),
    "N4": ("cohort-flow", "tab-disposition"),
    "N5": ("cohort-flow", "tab-disposition"),
    "S1": ("safety", "tab-risks"),
    "C1": ("safety", ""),
    "C2": ("efficacy-endpoints", ""),
    "C3": ("discussion", ""),
    "C4": ("discussion", ""),
}
"""Chapter and figure or table where each statement is shown; those on changes follow from their
parameter."""

KINDS = {
    "count": "Count",
    "direction": "Direction of a mean",
    "significance": "Significance",
    "design": "Design",
    "conclusion": "Conclusion",
}


def link_shown(claim: dict[str, str], assessable: bool) -> str:
    """Return a reference to the chapter, and the table or figure, where a statement is shown."""
    code = claim["parameter"]
    chapter = "meld" if code == "MELD" else "efficacy-endpoints"
    target = f"tab-{code.lower()}"
    if not code:
        chapter, target = SHOWN[claim["id"]]
    page = f"[]({chapter}.md)"
    return f"{page}, [](#{target})" if target and assessable else page


def show_summary(book: Chapter, checked: pd.DataFrame, checks: dict[str, list[Check]]) -> None:
    """Show every statement with its verdict, in one table."""
    rows = []
    for row in checked.to_dict("records"):
        robust = ""
        if any(c.survives is not None for c in checks.get(row["id"], [])):
            tally = (ref("claim", s, group=row["id"]) for s in ("survives_count", "checks_count"))
            robust = "\N{NO-BREAK SPACE}of\N{NO-BREAK SPACE}".join(tally)
        verdict = ref("claim", "verdict", group=row["id"])
        rows.append(
            (f"[{row['id']}](#claim-{row['id'].lower()})", row["statement"], verdict, robust)
        )
    heads = ["Id", "Published statement", "Verdict on these data", "Survives"]
    display(
        book.table(
            pd.DataFrame(rows, columns=heads),
            name="tab-statements",
            caption="Published statements about the trial, and whether this data set agrees with "
            "each. Survives: of the checks of robustness that can be made, how many the statement "
            "passes.",
        )
    )


def show_short(book: Chapter, checked: pd.DataFrame) -> None:
    """Show which statements got which verdict, and leave the table for the front page."""
    groups: dict[str, list[str]] = {}
    for verdict, name in zip(checked["verdict"], checked["id"], strict=True):
        groups.setdefault(verdict.partition(":")[0], []).append(name)
    order = [*ledger.VERDICTS, "not assessable", ledger.NOT_TESTABLE, ledger.WEIGHED]
    rows = [(verdict, ", ".join(groups[verdict])) for verdict in order if verdict in groups]
    shown = pd.DataFrame(rows, columns=["Verdict on these data", "Statements"])
    book.offer(book.table(shown, label=False), name="short-statements")


def show_kind(book: Chapter) -> None:
    """Leave for the front page what kind of evidence the data are, and what they allow to say."""
    about, conclusion = conclusions.describe_kind(book.trial)
    book.say(about, name="about-data")
    book.say(conclusion, name="conclusion")


def show_claims(
    book: Chapter, checked: pd.DataFrame, checks: dict[str, list[Check]], kinds: tuple[str, ...]
) -> None:
    """Show what the data say for each statement of some kinds, and each check in one line."""
    rows = checked.set_index("id")
    units = {**book.trial.study.reporting_units, "MELD": "score"}
    for claim in load_statements().to_dict("records"):
        if claim["kind"] not in kinds:
            continue
        row = rows.loc[claim["id"]]
        verdict = ref("claim", "verdict", group=claim["id"])
        silent = f" Not stated: {claim['not_stated']}." if claim["not_stated"] else ""
        text = [f"**{claim['id']}. {claim['statement']}**{silent}"]
        able = row["verdict"] in ledger.VERDICTS
        found = f" {ledger.describe_claim(claim, units)}" if able else ""
        where = f" Shown in {link_shown(claim, able)}."
        text += ["", f"*Verdict: {verdict}.*{found}{where}", ""]
        for check in checks.get(claim["id"], []):
            words = {True: "survives", False: "does not survive"}
            outcome = check.words
            if check.survives is not None:
                outcome = f"{words[check.survives]} ({check.words})"
            text.append(f"- {CHECKS[check.name]}: {outcome}.")
        display(book.say("\n".join(text), target=f"claim-{claim['id'].lower()}"))


def show_conclusions(book: Chapter, checked: pd.DataFrame) -> None:
    """Set the evidence for and against each published conclusion side by side."""
    claims = load_statements()
    book.record(published.summarise_counts(claims, book.plan))
    book.record(published.summarise_none_seen(claims, book.plan))
    book.record(published.summarise_composite_bound(claims))
    counts = published.get_counts(claims)
    weighed = conclusions.weigh_conclusions(book.trial, checked, counts["N3"] + counts["N4"])
    for claim in claims[claims["kind"] == "conclusion"].to_dict("records"):
        found = weighed[claim["id"]]
        text = [f"**{claim['id']}. {claim['statement']}**", ""]
        text += [f"- For: {sentence}" for sentence in found.pro]
        text += [f"- Against: {sentence}" for sentence in found.contra]
        text += [f"- Here: {sentence}" for sentence in found.here]
        display(book.say("\n".join(text), target=f"claim-{claim['id'].lower()}"))


def show_rules(book: Chapter) -> None:
    """Show how verdicts and checks are judged, and what each rule assumes."""
    verdicts = [(KINDS[k], rule, assumed) for k, (rule, assumed) in statements.RULES.items()]
    display(
        book.table(
            pd.DataFrame(verdicts, columns=["Kind of statement", "Rule", "Assumed"]),
            name="tab-rules",
            caption="How a verdict is reached. A statement holds if every reading agrees, and only "
            "as observed or only among pairs if one of the two does.",
            label=False,
        )
    )
    checks = [(CHECKS[name], rule) for name, rule in robustness.RULES.items()]
    display(
        book.table(
            pd.DataFrame(checks, columns=["Check", "A statement on a change survives if"]),
            name="tab-checks",
            caption="Checks of robustness.",
            label=False,
        )
    )
