"""The discussion: what a data set shows, and what can be said of the abstract.

Each paragraph opens with its point; every number is a result of another chapter.
"""

import pandas as pd

from msct_helpers.ard.results import ref
from msct_helpers.book.words import upper_first
from msct_helpers.context.mayo import describe_moves
from msct_helpers.efficacy.composite import say_ranks, say_reconciled
from msct_helpers.trial.load import Trial
from msct_helpers.trial.plan import MEASURES, Plan


def find_primary(record: pd.DataFrame, plan: Plan) -> str:
    """Return the primary endpoint, or the first one of the family that was measured; else ""."""
    known = set(record.loc[record["analysis"] == "composite", "parameter"])
    order = (plan.key_score, *plan.endpoints)
    return next((code for code in order if code in known), "")


def discuss_finding(record: pd.DataFrame, trial: Trial) -> str:
    """Return the principal finding on the data set at hand, and what it is worth."""
    plan, code = trial.plan, find_primary(record, trial.plan)
    if not code:
        return "No endpoint was measured, so there is no finding to discuss."

    def at(statistic: str) -> str:
        return ref("composite", statistic, code, plan.last.number)

    lead = "In the synthetic data of this book" if trial.synthetic else "In this cohort"
    worth = (
        "This was built in, so that the data agree with the abstract; it shows what a full report "
        "would have to say, and nothing about the trial."
        if trial.synthetic
        else "There is no control arm, so this is what happened, not what a treatment did."
    )
    return (
        f"{lead} {at('better_count')} of {at('denominator')} enrolled were alive, without "
        f"transplant, measured and better in {MEASURES[code].name} at {plan.at_last} "
        f"({at('percent')}%, {plan.level_words} confidence interval {at('percent_low')}% to "
        f"{at('percent_high')}%); {at('events_count')} had died or been transplanted and "
        f"{at('not_measured_count')} were not measured. "
        f"{upper_first(say_ranks(record, plan, code))}. {worth}"
    )


def discuss_means(record: pd.DataFrame, trial: Trial) -> str:
    """Return why the means of the same endpoint tell another story; nothing where they do not."""
    code = find_primary(record, trial.plan)
    return say_reconciled(record, trial.plan, code) if code else ""


def discuss_counts() -> str:
    """Return what the published counts exclude by themselves."""

    def at(group: str, statistic: str) -> str:
        return ref("ceiling", statistic, group=group)

    return (
        "The published counts alone rule out that a signed-rank test with death and transplant "
        "worst showed a significant improvement at two years. Had all "
        f"{at('EQUAL', 'improved_count')} others improved, its p-value would have been "
        f"{at('EQUAL', 'p_value')} at best, and {at('LOST EQUAL', 'p_value')} had the lost "
        "improved too, if the events fell within the two years and in different people (both "
        "assumed). A mean of "
        "those who remain can be significant all the same: it leaves the dead out."
    )


def discuss_regression(record: pd.DataFrame) -> str:
    """Return how far regression to the mean reaches, for scores and in real patients.

    Parameters
    ----------
    record
        Results of the chapter on patients without cells.
    """
    plan = Plan()
    return (
        "Regression to the mean makes patients improve who were chosen when they were at their "
        f"worst. It would take {ref('rtm', 'fall', 'MELD', group='middle')} points off a mean "
        f"MELD(i) if entry needed {ref('rtm', 'cutoff', 'MELD')} or more, in a population with the "
        "spread assumed here. In real patients without cells who enter at a low albumin, albumin "
        f"{describe_moves(record, 'ALB', plan)} at six, twelve and 24 months. But their bilirubin "
        f"{describe_moves(record, 'BILI', plan)}: selection at a low albumin can make the rise of "
        "albumin that the abstract reports, and not its fall of bilirubin."
    )


def discuss_leavers() -> str:
    """Return what those who leave do to a mean, in real patients."""
    seen, same = ref("pbc-obs", "diff", "BILI", 12), ref("pbc-chg", "mean", "BILI", 12)
    stayed, left = (ref("pbc-entry", "mean", "BILI", 12, group=g) for g in ("SEEN", "GONE"))
    return (
        "Survivor bias makes a mean improve although nobody did. In the Mayo cohort the mean "
        f"bilirubin of all seen at one year differed from that of all at entry by {seen} mg/dL, "
        f"while the same patients changed by {same}: those still seen had begun at {stayed}, those "
        f"no longer seen at {left}. In the abstract up to "
        f"{ref('published', 'count', group='GONE')} of "
        f"{ref('published', 'denominator', group='GONE')} patients may be missing from the last "
        "mean, the sickest among them."
    )


TREATMENT = (
    "Other treatment begun at entry cannot be told from the cells. Albumin infusions, vitamin K, "
    "ursodeoxycholic acid and immunosuppression each move what was measured, and patients who "
    "enter a trial are looked after; the abstract does not say what else was given."
)

SILENCE = (
    "Selective reporting is possible, and the abstract's silence is part of the evidence. It gives "
    "no bilirubin at two years, no prothrombin time after six months, and no significance of any "
    "change but those of ALT and of albumin at two years; it gives no mean, no standard deviation "
    "and no number of patients at any visit. One significant result among so many comparisons is "
    "what chance brings often."
)


def discuss_relevance() -> str:
    """Return whether a change of MELD of the size in question would matter to a patient."""
    return (
        "A change of MELD is small against the ruler that measures it. One blood sample scored "
        f"between {ref('labs', 'low')} and {ref('labs', 'high')} in "
        f"{ref('labs', 'laboratories')} laboratories (doi:10.1111/j.1600-6143.2007.01822.x). A "
        "randomised trial called a fall of three points clinically relevant (Spahr 2013); we found "
        "no difference that has been validated as the smallest that matters to patients, and no "
        "size of any change in the abstract to hold against it. A lower ALT is not by itself good "
        "news in cirrhosis: it also falls where few liver cells are left."
    )


def discuss_safety() -> str:
    """Return how far the published safety statement reaches."""

    def at(statistic: str) -> str:
        return ref("published", statistic, group="S1")

    return (
        "Safety was shown for a day, and in few patients. No serious adverse event in "
        f"{at('denominator')} leaves room for a risk of up to {at('percent_upper')}% (exact "
        "one-sided limit), and a risk of one in ten would still go unseen in "
        f"{ref('unseen', 'percent', group='10')}% of such trials. The abstract says nothing of "
        "infections, tumours or thromboses in the two years that followed. Death or transplant in "
        f"{ref('published', 'count', group='EVENT')} of "
        f"{ref('published', 'denominator', group='EVENT')} cannot be told apart from the "
        f"{ref('pbc-event', 'percent', group='MAYO')}% of the Mayo cohort, nor can it be called "
        "the same."
    )


WHOM = (
    "To whom this applies cannot be said. The abstract names the disease and nothing else of who "
    "was treated: no age, sex, diagnosis, stage, criteria of entry or dose."
)

LIMITS = (
    "The limits of this book are those of its sources. It rests on an abstract, the only text on "
    "the trial that we could open; its synthetic data are one of many sets that would satisfy the "
    "same statements; and its real patients are of another era, with one of the diseases. What it "
    "assumes about dates and overlap of events is marked, and may be wrong."
)
