"""The discussion: what a data set shows, and what can be said of the abstract.

Each paragraph opens with its point; every number is a result of another chapter.
"""

import pandas as pd

from msct_helpers.ard.results import ref
from msct_helpers.book.words import join_words, upper_first
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
    worth = "There is no control arm, so this is what happened, not what a treatment did."
    if trial.synthetic:
        worth = "It was built into these data, and says nothing about any trial."
    return (
        f"{lead} {at('better_count')} of {at('denominator')} enrolled were alive, without "
        f"transplant, measured and better in {MEASURES[code].name} at {plan.at_last}. That is "
        f"{at('percent')}% ({plan.level_words} confidence interval {at('percent_low')}% to "
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
        f"{describe_moves(record, 'ALB', plan)} at {join_words([v.words for v in plan.later])}. "
        "But their bilirubin "
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


def discuss_worlds() -> str:
    """Return how far the abstract leans to improvement, and how little that says of the cells."""

    def ratio(world: str) -> str:
        return ref("ratio", "ratio", group=world)

    return (
        "The abstract leans to improvement, and not to the cells. Trials in which patients improve "
        f"satisfy its statements {ratio('selected')} times as often as trials in which nothing "
        f"changes and the sick are enrolled, but only {ratio('concomitant')} times as often as "
        "trials in which a worsening disease is met by other treatment begun at entry. Both ratios "
        "move with what is assumed, the second to below one."
    )


def discuss_trials() -> str:
    """Return what other trials add, and an inconsistency that such a check finds in one of them."""

    def at(statistic: str, arm: str = "CARE") -> str:
        return ref("printed", statistic, group=arm)

    return (
        "What studies find depends on what they compare. Those that compare with before find that "
        "liver function improved; in the review that did both, the comparison with controls found "
        "no difference in MELD at any time. Later pooled analyses of controlled trials find some, "
        "mostly up to six months, and the Cochrane review calls all of it uncertain.\n\n"
        "Published counts can be checked as this book checks its own. One randomised trial prints "
        f"{at('count', 'CELLS')} responders in both arms, of {at('size_count', 'CELLS')} and of "
        f"{at('size_count')} patients, with {at('printed_percent', 'CELLS')}% and "
        f"{at('printed_percent')}%. But {at('count')} of {at('size_count')} is "
        f"{at('found_percent')}%; {at('mended_count')} would give {at('printed_percent')}% and the "
        f"printed odds ratio of {ref('printed', 'ratio', group='ODDS')} (Spahr 2013)."
    )


COMPARED = {"before-after": "before", "controlled": "controls"}
"""What a comparison is with, in the words of a table."""


def list_related(related: pd.DataFrame) -> pd.DataFrame:
    """Return what other studies found as a display table, before-after comparisons first."""
    own = related.sort_values("comparison", kind="stable")
    source = own["pmid"].map(lambda p: f"PMID {p}" if p else "")
    source = source.where(source != "", own["doi"].map(lambda d: f"doi:{d}" if d else ""))
    size = own["patients"].map(lambda n: f"{n} patients" if n else "")
    size = size.where(size != "", own["studies"].map(lambda n: f"{n} studies" if n else ""))
    return pd.DataFrame(
        {
            "Study": own["study"] + " (" + source.where(source != "", own["other"]) + ")",
            "Compared with": own["comparison"].map(COMPARED),
            "Design": own["design"] + size.map(lambda text: f", {text}" if text else ""),
            "Better": own["improved"].str.replace("; ", ", "),
            "No difference": own["unchanged"].str.replace("; ", ", "),
        }
    )


def discuss_next() -> str:
    """Return which trial would decide."""

    def at(group: str, statistic: str) -> str:
        return ref("next", statistic, group=group)

    return (
        "What would decide is a randomised trial that counts death as an outcome. To find a "
        f"difference of three MELD points it needs {at('meld', 'enrolled_count')} patients an arm "
        "if the dead are taken for missing; to show a halved risk of death or transplant, "
        f"{at('event', 'enrolled_count')} an arm; a hierarchical comparison of death, transplant "
        f"and MELD needs {at('wins', 'enrolled_count')} if both improve as assumed; all with as "
        "many lost or missing as in the abstract. Until then "
        "patients can be told that the cells were tolerated for a day in few, and that nobody "
        "knows whether they help."
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
