"""Adverse events, exposure, the 24-hour window and shifts, against counts by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from msct_helpers import Trial
from msct_helpers.ard.results import make_id
from msct_helpers.safety import adverse_events, safety, shifts
from msct_helpers.trial.plan import Plan
from msct_helpers.trial.schema import ADAE
from tests.conftest import get_text, with_tables

PLAN = Plan()

PLAN = Plan()

EVENTS = pd.DataFrame(
    [
        ("SYN-01", "Fever", "General", 1.0, "N", "POSSIBLE", 1.0, 3.0, "RECOVERED/RESOLVED"),
        ("SYN-01", "Fever", "General", 3.0, "Y", "NOT RELATED", 9.0, np.nan, "RECOVERED/RESOLVED"),
        ("SYN-02", "Fever", "General", 2.0, "N", "UNLIKELY", 4.0, np.nan, "UNKNOWN"),
        ("SYN-02", "Ascites", "Gut, bowel (all)", 2.0, "N", "RELATED", 5.0, 24.0, "UNKNOWN"),
        ("SYN-04", "Sepsis", "General", 5.0, "Y", "NOT RELATED", 450.0, np.nan, "FATAL"),
        ("SYN-05", "Fever", "General", 4.0, "Y", "RELATED", -3.0, np.nan, "UNKNOWN"),
    ],
    columns=list(ADAE.columns),
)
"""Six events; the last began before the first infusion and does not count."""


@pytest.fixture(scope="module")
def small(synthetic: Trial) -> Trial:
    return with_tables(synthetic, adae=EVENTS)


def test_participants_count_once_with_their_worst_grade(small: Trial) -> None:
    text = get_text(adverse_events.summarise_events(small, PLAN, PLAN))
    fever = {s: text[f"ae.general.fever.{s}"] for s in ("count", "severe_count", "events_count")}
    assert fever == {"count": "2", "severe_count": "1", "events_count": "3"}
    grades = [text[f"ae.general.fever.grade{g}_count"] for g in range(1, 6)]
    assert grades == ["0", "1", "1", "0", "0"]
    assert text["ae.general.fever.percent"] == "7.7"
    assert text["ae.general.count"] == "3"
    assert text["ae.general.events_count"] == "4"
    assert text[make_id("ae", "related_count", "Gut, bowel (all)", group="Ascites")] == "1"


def test_overview_keeps_rows_of_zero(small: Trial) -> None:
    record = adverse_events.summarise_overview(small, PLAN, PLAN)
    counts = record[record["statistic"] == "count"].set_index("group")["value"].to_dict()
    assert counts == {
        "ANY": 3,
        "SEVERE": 2,
        "SERIOUS": 2,
        "RELATED": 2,
        "SERIOUS RELATED": 0,
        "FATAL": 1,
        "WINDOW": 2,
        "SERIOUS WINDOW": 0,
    }
    none = adverse_events.summarise_overview(with_tables(small, adae=EVENTS.iloc[:0]), PLAN, PLAN)
    assert len(none) == len(record)
    assert none.loc[none["statistic"] == "count", "value"].eq(0).all()


def test_rates_have_the_exact_intervals_of_r() -> None:
    # poisson.test in R 4.2.2, per 100 person-years.
    for count, years, low, high in (
        (0, 10.5, 0, 35.13219),
        (4, 33.2, 3.282727, 30.84816),
        (13, 40.1, 17.26173, 55.4374),
    ):
        found = adverse_events.estimate_rate(count, years, 0.95)
        assert found["rate"] == pytest.approx(100 * count / years)
        assert [found["rate_low"], found["rate_high"]] == pytest.approx([low, high], abs=1e-4)
    assert np.isnan(adverse_events.estimate_rate(0, 0.0, 0.95)["rate"])


def test_listing_names_nobody_and_misses_no_death(small: Trial, mayo: Trial) -> None:
    listing = adverse_events.derive_serious(small, PLAN, PLAN)
    # Deaths of SYN-09 and SYN-12 have no fatal event here.
    assert listing["EVENT"].tolist() == [
        "Fever",
        "Death, cause not recorded",
        "Death, cause not recorded",
        "Sepsis",
    ]
    assert listing["DAY"].tolist() == [9, 89, 302, 450]
    late = small.adsl.assign(DTHDY=small.adsl["DTHDY"].fillna(900.0))
    unchanged = adverse_events.derive_serious(with_tables(small, adsl=late), PLAN, PLAN)
    assert unchanged["DAY"].tolist() == [9, 89, 302, 450], "a death after two years was listed"
    deaths = adverse_events.derive_serious(mayo, PLAN, PLAN)
    assert len(deaths) == 26
    assert adverse_events.summarise_serious(deaths)["group"].str.contains("PBC").sum() == 0


def test_exposure_sums_infusions_doses_and_time(synthetic: Trial) -> None:
    adsl = synthetic.adsl.iloc[:3].assign(EOSDY=[366.0, 731.0, 1.0])
    adex = pd.DataFrame(
        {
            "USUBJID": ["SYN-01", "SYN-01", "SYN-02", "SYN-03"],
            "ASTDY": [1.0, 30.0, 1.0, 1.0],
            "EXDOSE": [1.0, 2.0, 4.0, np.nan],
            "EXDOSU": ["10^6 cells/kg"] * 3 + [None],
        }
    )
    record = safety.summarise_exposure(with_tables(synthetic, adsl=adsl, adex=adex))
    value = record.set_index("id")["value"]
    assert value["exposure.years"] == pytest.approx((366 + 731 + 1) / 365.25)
    assert value["exposure.infusions_count"] == 4
    assert value["exposure.most_count"] == 2
    assert value["exposure.dosed_count"] == 3
    assert value[value.index.str.endswith("dose_median")].tolist() == [2.0]
    bare = safety.summarise_exposure(with_tables(synthetic, adex=None))
    assert "not recorded one by one" in safety.say_exposure(bare)


def test_shifts_go_from_baseline_to_the_worst_later_value(synthetic: Trial) -> None:
    adlb = pd.DataFrame(
        [
            ("SYN-01", "SODIUM", 0, 140.0),
            ("SYN-01", "SODIUM", 6, 130.0),
            ("SYN-01", "SODIUM", 12, 150.0),
            ("SYN-03", "SODIUM", 0, 134.0),
            ("SYN-03", "BILI", 0, 40.0),
            ("SYN-03", "BILI", 6, 30.0),
            ("SYN-03", "BILI", 24, 60.0),
            # 4 to 10 mg/dL are two points in cholangitis, three otherwise.
            ("SYN-01", "BILI", 0, 20.0),
            ("SYN-01", "BILI", 6, 100.0),
        ],
        columns=["USUBJID", "PARAMCD", "AVISITN", "AVAL"],
    )
    trial = with_tables(synthetic, adlb=adlb)
    moved = shifts.summarise_shifts(trial, PLAN, PLAN)
    found = moved[moved["value"] > 0].set_index(["parameter", "group"])["value"].to_dict()
    assert found == {
        ("SODIUM", "NORMAL to LOW"): 1,
        ("SODIUM", "LOW to NO LATER VALUE"): 1,
        ("BILI", "2 to 3"): 1,
        ("BILI", "1 to 2"): 1,
    }
    bare = replace(trial, study=replace(trial.study, reference_ranges=None))
    assert set(shifts.summarise_shifts(bare, PLAN, PLAN)["parameter"]) == {"BILI"}


def test_window_without_events_gives_the_limits(synthetic: Trial, small: Trial) -> None:
    record = safety.summarise_safety(synthetic, PLAN, PLAN)
    text = get_text(record)
    assert text["risk.serious-24h.percent_upper"] == "10.9"
    early = EVENTS.assign(AEHRINF=2.0)
    seen = safety.summarise_safety(with_tables(small, adae=early.iloc[1:2]), PLAN, PLAN)
    assert get_text(seen)["risk.serious-24h.count"] == "1"
    assert safety.say_limits(seen, PLAN) == ""
