"""Passages on the published counts, with no data of any participant."""

from IPython.display import display

from msct_helpers.abstract import published
from msct_helpers.ard.results import ref
from msct_helpers.book.chapter import Chapter
from msct_helpers.cohort import figures as figures_cohort
from msct_helpers.cohort import tables
from msct_helpers.trial.load import load_statements


def show_counts(book: Chapter) -> None:
    """Show the published counts and their combinations with exact intervals."""
    book.record(published.summarise_counts(load_statements()))
    display(
        book.say(
            f"Of {ref('published', 'denominator', group='N3')} patients "
            f"{ref('published', 'count', group='N3')} died, "
            f"{ref('published', 'count', group='N4')} were transplanted and "
            f"{ref('published', 'count', group='N5')} were lost. Death or transplant in "
            f"{ref('published', 'count', group='EVENT')} is "
            f"{ref('published', 'percent', group='EVENT')}%, with an exact 95% interval from "
            f"{ref('published', 'percent_low', group='EVENT')}% to "
            f"{ref('published', 'percent_high', group='EVENT')}%, if these events fell within two "
            "years, in different people, and none of the lost had one (all assumed)."
        )
    )
    display(
        book.table(
            tables.table_published(),
            name="tab-published",
            caption="Published counts and their combinations. Combinations assume that the dead, "
            f"the transplanted and the lost are different people. {published.LABEL} CI, confidence "
            "interval.",
            label=False,
        )
    )


def show_ceiling(book: Chapter) -> None:
    """Show the best that a composite test at two years can reach with these counts."""
    ceiling = book.record(published.summarise_composite_bound(load_statements()))
    steps = ceiling[ceiling["group"] != "LOST IMPROVED"]
    values = steps[steps["statistic"] == "p_value"].set_index("group")["value"]
    highest, limit = values.index[-1], values[values < book.plan.alpha].index[-1]
    sentence = (
        f"With the lost left out, all {ref('ceiling', 'events_count', group=highest)} deaths and "
        f"transplants ranked worst and the other {ref('ceiling', 'improved_count', group=highest)} "
        "improved, the exact two-sided signed-rank test gives p = "
        f"{ref('ceiling', 'p_value', group=highest)}; it is below 5% only while at most "
        f"{ref('ceiling', 'events_count', group=limit)} of the events count. Had the lost improved "
        f"as well, it would give p = {ref('ceiling', 'p_value', group='LOST IMPROVED')}."
    )
    display(
        book.say(
            f"{sentence} So no data that agree with these counts can make this test of death, "
            "transplant and change significant at two years, if the events fell before two years "
            "and in different people (both assumed). A test that only counts who is better and who "
            "is worse is not bound by this."
        )
    )
    book.figure(
        figures_cohort.plot_ceiling(steps),
        name="fig-ceiling",
        caption="The lowest p-value that a two-year composite test (exact signed rank) can reach, "
        "by how many of the deaths and transplants count as worst, if everyone else improved and "
        "the lost are left out. "
        f"{published.LABEL}",
        alt=f"A rising line that crosses 5%. {sentence}",
        rows=steps,
        label=False,
    )
