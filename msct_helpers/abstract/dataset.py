"""Synthetic data sets: what is drawn, and what study.yml says of it.

What study.yml lists as assumed is written from the constants of the generator, so that the two
cannot drift apart.
"""

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from msct_helpers.abstract import simulate
from msct_helpers.book.words import join_words, upper_first
from msct_helpers.trial.parameters import PARAMETERS
from msct_helpers.trial.plan import Plan
from msct_helpers.trial.schema import Study

REFERENCE_RANGES = {"ALT": [5, 40], "BILI": [3, 21], "CREAT": [45, 90], "SODIUM": [135, 145]}
"""Limits of normal for the shift tables, in the units of the generator."""


BUILT_IN = {
    simulate.IMPROVED.name: "An improvement after the infusion was built in (assumed).",
    simulate.SELECTED.name: "Nothing changes after the infusion; who entered was chosen by a low "
    "albumin (assumed).",
}
"""What the population says of each world."""


def describe_lab(code: str, world: simulate.World) -> str:
    """Return in words how a parameter is drawn."""
    lab = simulate.LABS[code]
    unit = "" if lab.unit == "1" else f" {lab.unit}"
    centre = f"median {np.exp(lab.centre):.3g}{unit}, log SD {lab.spread:g}"
    if not lab.log:
        centre = f"mean {lab.centre:g}{unit}, SD {lab.spread:g}"
    shift = world.shift.get(code)
    change = "no lasting change after the infusion"
    if shift is not None:
        change = (
            f"afterwards {100 * (shift - 1):+.0f}%" if lab.log else f"afterwards {shift:+g}{unit}"
        )
    return (
        f"{upper_first(PARAMETERS[code].title)} at baseline: {centre}; correlation with severity "
        f"{lab.severity:g}; {100 * lab.scatter:.0f}% of the variance is new at each visit; "
        f"{change}."
    ).replace(" -", " \N{MINUS SIGN}")


def describe_entry(world: simulate.World) -> str:
    """Return in words who enters."""
    if np.isinf(world.most_albumin):
        return "No entry criterion beyond cirrhosis."
    return f"Only patients with a measured albumin of {world.most_albumin:g} g/L or less enter."


def list_assumptions(world: simulate.World) -> list[str]:
    """Return every assumption behind the data, in words."""
    first, last = simulate.EVENT_DAYS
    times = np.exp(simulate.RISK_SLOPE)
    youngest, oldest = simulate.AGE_RANGE
    due = [f"{visit.day}" for visit in Plan().later]
    diagnoses = ", ".join(f"{100 * p:.0f}% {d.lower()}" for d, p in simulate.DIAGNOSES.items())
    return [
        "The dead, the transplanted and the lost are different people.",
        f"Deaths, transplants and losses fall on days {first} to {last}, at random; one standard "
        f"deviation of severity makes death or transplant {times:.1f} times as likely to be drawn, "
        "losses are independent of severity.",
        "Statements on a mean must hold for all seen at the visit and among pairs; statements on "
        "significance by the paired t-test and by Wilcoxon's signed-rank test.",
        *(describe_lab(code, world) for code in simulate.LABS),
        f"No INR is below {simulate.LOWEST_INR:g}; values are stored rounded as a laboratory "
        "prints them, and statements are tested on the stored values.",
        f"Prothrombin time is INR times {simulate.NORMAL_PT_S:g} s (international sensitivity "
        "index 1).",
        "The correlation of a visit with baseline is the same at every visit. In the Mayo Clinic "
        "cohort that of albumin falls with time, so these data may understate its regression to "
        "the mean.",
        "MELD is MELD(i), derived from bilirubin, INR and creatinine; nobody is dialysed.",
        f"Visits fall within {simulate.VISIT_WINDOW_DAYS} days of {join_words(due)} days after the "
        f"infusion; {100 * simulate.MISSED_SHARE:.0f}% of those due are missed at random.",
        f"Age has mean {simulate.AGE_MEAN} and SD {simulate.AGE_SD} years, kept between {youngest} "
        f"and {oldest}; {100 * simulate.WOMEN_SHARE:.0f}% are women; diagnoses: {diagnoses}.",
        "One infusion, on day 1, of a dose that is left blank because the source states none; the "
        "source of the cells is independent of everything else.",
        "Limits of normal: "
        + "; ".join(
            f"{PARAMETERS[code].title} {low} to {high} {simulate.LABS[code].unit}"
            for code, (low, high) in REFERENCE_RANGES.items()
        )
        + ".",
        describe_entry(world),
        "Every adverse event other than the three deaths and the absence of serious events within "
        "24 hours: kinds, numbers, grades, days, relation and outcome; CTCAE version 5.0.",
    ]


def describe_study(world: simulate.World, seed: int) -> dict[str, Any]:
    """Return what study.yml says, but for the number of draws."""
    return {
        "title": "Mesenchymal stem cells in liver cirrhosis caused by autoimmune disease: "
        "a reproducible trial report on synthetic data",
        "short_title": "MSC in autoimmune liver cirrhosis: synthetic trial report",
        "origin": "synthetic",
        "label": "Synthetic data, constrained to the published abstract; no patient is "
        "represented.",
        "source": "Simulated by msct_helpers.abstract.simulate from the published abstract of the "
        "trial and "
        "the assumptions listed in study.yml.",
        "licence": "CC0 1.0",
        "population": "Synthetic participants with liver cirrhosis caused by autoimmune disease, "
        f"as many as the abstract reports. {BUILT_IN[world.name]}",
        "treatment": "Allogeneic MSC through a peripheral vein, no control arm.",
        "horizon_months": Plan().horizon_months,
        "reporting_units": {
            code: next(iter(PARAMETERS[code].units)) for code in [*simulate.LABS, "PT"]
        },
        "reference_ranges": REFERENCE_RANGES,
        "ctcae_version": "5.0",
        "seed": seed,
        "draws": None,
        "statements": "published",
        "assumed": list_assumptions(world),
    }


def write_data(folder: Path, world: simulate.World, seed: int) -> None:
    """Write the data set of a world into a folder."""
    study = describe_study(world, seed)
    trial, draws = simulate.simulate_trial(Study(**study), seed, world)
    for name in ("adsl", "adlb", "adae", "adex"):
        table = getattr(trial, name)
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    said = study | {"draws": draws}
    text = yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=96)
    (folder / "study.yml").write_text(text, encoding="utf-8", newline="\n")
