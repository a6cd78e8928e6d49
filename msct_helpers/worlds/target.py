"""What a published abstract fixes: the counts that are built in, and the claims that are tested."""

from dataclasses import dataclass

import pandas as pd

from msct_helpers.abstract.statements import CHANGES, find_visit, list_months
from msct_helpers.trial.plan import MEASURES, Plan, Visit

SIGN = {"higher": 1, "lower": -1, "": 0}

DRAWN_AS = {"PT": "INR"}
"""Parameters that follow from another one: prothrombin time is drawn as INR."""


@dataclass(frozen=True)
class Claim:
    """A published statement on a change from baseline.

    ``visits`` are positions among the visits after baseline, ``sign`` is 1 for higher, -1 for lower
    and 0 where no direction is stated, ``significance`` as in the statements.
    """

    id: str
    parameter: str
    visits: tuple[int, ...]
    sign: int
    significance: str


@dataclass(frozen=True)
class Target:
    """Counts and claims of one abstract, and the visits after baseline that it is tested at."""

    enrolled: int
    died: int
    transplanted: int
    lost: int
    claims: tuple[Claim, ...]
    visits: tuple[Visit, ...]
    alpha: float

    @property
    def parameters(self) -> tuple[str, ...]:
        """PARAMCD of everything that the claims speak of, scores among them."""
        return tuple(dict.fromkeys(claim.parameter for claim in self.claims))

    @property
    def drawn(self) -> tuple[str, ...]:
        """PARAMCD of what must be drawn: the parameters and what scores are made of."""
        parts = [code for p in self.parameters for code in (MEASURES[p].parts or (p,))]
        return tuple(dict.fromkeys(DRAWN_AS.get(code, code) for code in parts))


def read_target(published: pd.DataFrame, plan: Plan) -> Target:
    """Return what an abstract fixes.

    Parameters
    ----------
    published
        Statements in the columns of ``data/published/statements.csv``. Counts N1 (enrolled), N3
        (died), N4 (transplanted) and N5 (lost) are needed.
    plan
        Gives the visits and the level of the tests.

    Raises
    ------
    ValueError
        If a count is missing, or a claim speaks of a visit that is not planned.
    """
    counts = published[published["kind"] == "count"].set_index("id")["count"]
    missing = [i for i in ("N1", "N3", "N4", "N5") if i not in counts]
    if missing:
        raise ValueError(f"statements: no count {missing[0]}")
    changes = published[published["kind"].isin(CHANGES)]
    claims = tuple(read_claim(row, published, plan) for row in changes.to_dict("records"))
    enrolled, died, transplanted, lost = (int(counts[i]) for i in ("N1", "N3", "N4", "N5"))
    if died + transplanted + lost > enrolled:
        raise ValueError("statements: more died, were transplanted or lost than were enrolled")
    return Target(enrolled, died, transplanted, lost, claims, plan.later, plan.alpha)


def read_claim(row: dict[str, str], published: pd.DataFrame, plan: Plan) -> Claim:
    """Return one claim; ValueError where its visit is not planned."""
    found = [find_visit(month, plan) for month in list_months(row, published)]
    if None in found:
        raise ValueError(f"statement {row['id']}: no such visit in the plan")
    visits = tuple(plan.later.index(visit) for visit in found if visit)
    sign = SIGN[row["direction"]]
    return Claim(row["id"], row["parameter"], visits, sign, row["significance"])
