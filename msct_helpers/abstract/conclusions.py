"""What speaks for and against each published conclusion, and what the data at hand add.

Sentences name numbers of `published.summarise_counts`, `published.summarise_composite_bound` and
`ledger.summarise_ledger`.
"""

from dataclasses import dataclass, field

import pandas as pd

from msct_helpers.abstract.ledger import Checks, say_agreement
from msct_helpers.abstract.statements import VERDICTS
from msct_helpers.ard.results import ref
from msct_helpers.trial.load import Trial
from msct_helpers.trial.plan import Plan

KINDS = {
    "synthetic": (
        "These data were made to agree with the statements. Data into which no improvement is "
        "built can agree with them too, so the agreement says nothing for the treatment.",
        "With no control arm, nothing here shows that a change came from the treatment. Larger, "
        "controlled studies are needed.",
    ),
    "synthetic otherwise": (
        "These data are synthetic: they show what the report of a trial looks like, and are no "
        "evidence for the treatment or against it.",
        "Nothing here is evidence on the treatment. Larger, controlled studies are needed.",
    ),
    "untreated": (
        "Nobody in these data received the cells, so they speak neither for nor against them.",
        "Nobody here received MSC, so these data say nothing about it. They show how means can "
        "mislead when patients leave.",
    ),
    "own": (
        "These data have no control arm either.",
        "With no control arm, nothing here shows that a change came from the treatment. Larger, "
        "controlled studies are needed.",
    ),
}
"""What kind of evidence the data at hand can give, and what may be concluded from them."""


def describe_kind(trial: Trial, checked: pd.DataFrame) -> tuple[str, str]:
    """Return what kind of evidence a data set can give, and what may be concluded from it."""
    if trial.synthetic:
        testable = checked.loc[checked["verdict"].isin(VERDICTS), "verdict"]
        agrees = len(testable) > 0 and (testable == "holds").all()
        return KINDS["synthetic" if agrees else "synthetic otherwise"]
    return KINDS["own" if (trial.adsl["SAFFL"] == "Y").any() else "untreated"]


@dataclass(frozen=True)
class Evidence:
    """Sentences for and against a conclusion, from the abstract alone, and on the data at hand."""

    pro: list[str]
    contra: list[str]
    here: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Return the sentences as a list."""
        sides = {"For": self.pro, "Against": self.contra, "Here": self.here}
        return "\n".join(f"- {side}: {said}" for side, own in sides.items() for said in own)


def weigh_conclusions(trial: Trial, checked: pd.DataFrame, checks: Checks) -> dict[str, Evidence]:
    """Return the evidence on each published conclusion, by its id.

    Parameters
    ----------
    trial
        The data set.
    checked
        Statements with their verdicts (`msct_helpers.abstract.statements.check_statements`).
    checks
        Their checks (`msct_helpers.abstract.robustness.check_changes`).
    """
    return {
        "C1": weigh_safety(trial, checked),
        "C2": weigh_benefit(trial, checked, checks),
        "C3": Evidence(
            [say_early()],
            [
                "Nothing compares the cells with any other treatment of the disease.",
                "Dose, number of infusions and diagnoses are not stated in the abstract, so it "
                "cannot be repeated from it.",
            ],
        ),
        "C4": weigh_size(trial.plan),
    }


def say_early() -> str:
    """Return what the abstract says of serious events around the infusion."""
    return (
        "The abstract reports no serious event during the infusion or within 24 hours in "
        f"{ref('published', 'denominator', group='S1')} patients."
    )


def weigh_safety(trial: Trial, checked: pd.DataFrame) -> Evidence:
    """Return the evidence that the treatment is probably safe."""
    holds = checked.set_index("id")["verdict"]["S1"] == "holds"
    # Of data made to have no such event, having none is no evidence.
    here = describe_kind(trial, checked)[0]
    if holds and not trial.synthetic:
        here = "These data hold no such event either."
    return Evidence(
        [say_early()],
        [
            "Seeing none in so few leaves room for a risk of up to "
            f"{ref('published', 'percent_upper', group='S1')}% (exact one-sided "
            f"{trial.plan.level_words} limit).",
            f"{ref('published', 'count', group='N3')} of "
            f"{ref('published', 'denominator', group='N3')} patients died and "
            f"{ref('published', 'count', group='N4')} were transplanted; without a control arm "
            "nobody can say whether that is more or less than without the treatment.",
            "Later adverse events, their grades and their relation to the cells are not reported.",
        ],
        [here],
    )


def weigh_benefit(trial: Trial, checked: pd.DataFrame, checks: Checks) -> Evidence:
    """Return the evidence that the treatment is seemingly beneficial."""
    return Evidence(
        [
            "At every visit of which the abstract speaks, bilirubin, albumin, prothrombin time and "
            "MELD had moved towards better. ALT was lower, which in cirrhosis need not be good: it "
            "also falls where few liver cells are left.",
        ],
        [
            "Nothing was compared with what happens without the cells.",
            "With every death and transplant ranked worst and the lost left out, no improvement "
            "of all others can bring the signed-rank test at two years below p = "
            f"{ref('ceiling', 'p_value', group='EQUAL')} (timing and disjoint groups assumed).",
            "Patients who enter at their worst tend to improve without treatment, and those "
            "missing from the later means may have been the sickest; the abstract lets nobody "
            "check either.",
        ],
        [describe_kind(trial, checked)[0], *say_tally(checked, checks)],
    )


def weigh_size(plan: Plan) -> Evidence:
    """Return the evidence that larger studies are needed."""
    return Evidence(
        [
            f"To bring the one-sided {plan.level_words} limit of a risk below "
            f"{ref('exclude', 'risk_percent', group='5')}%, "
            f"{ref('exclude', 'count', group='5')} patients without an event are needed.",
            f"Death or transplant in {ref('published', 'count', group='EVENT')} of "
            f"{ref('published', 'denominator', group='EVENT')} patients has an exact "
            f"{plan.level_words} interval from "
            f"{ref('published', 'percent_low', group='EVENT')}% to "
            f"{ref('published', 'percent_high', group='EVENT')}%.",
        ],
        ["A larger study without a control arm would leave the same question open."],
    )


def say_tally(checked: pd.DataFrame, checks: Checks) -> list[str]:
    """Return what became of the statements, on data that could have said otherwise."""
    if checked["data"].iloc[0] == "synthetic" or not checked["verdict"].isin(VERDICTS).any():
        return []
    return [say_agreement(checked, checks)]
