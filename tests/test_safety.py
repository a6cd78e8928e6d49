"""Adverse events, exposure, the 24-hour window and shifts, against counts by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from msct_helpers import Trial
from msct_helpers.ard.results import make_id
from msct_helpers.book.document import quote
from msct_helpers.book.layout import lay_out, proportion_columns
from msct_helpers.safety import adverse_events, liver, safety, shifts
from msct_helpers.safety.figures import plot_liver
from msct_helpers.trial.plan import Plan, plan_visits
from msct_helpers.trial.schema import ADAE
from tests.conftest import get_text, show_cells, with_tables

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
    text = get_text(adverse_events.summarise_events(small, PLAN))
    fever = {s: text[f"ae.general.fever.{s}"] for s in ("count", "severe_count", "events_count")}
    assert fever == {"count": "2", "severe_count": "1", "events_count": "3"}
    grades = [text[f"ae.general.fever.grade{g}_count"] for g in range(1, 6)]
    assert grades == ["0", "1", "1", "0", "0"]
    assert text["ae.general.fever.percent"] == "8"
    assert text["ae.general.count"] == "3"
    assert text["ae.general.events_count"] == "4"
    assert text[make_id("ae", "related_count", "Gut, bowel (all)", group="Ascites")] == "1"


def test_severities_stand_in_for_grades_that_are_missing(small: Trial) -> None:
    words = ["MILD", "SEVERE", "MODERATE", None, "SEVERE", "MILD"]
    ungraded = EVENTS.assign(AETOXGR=np.nan)
    trial = with_tables(small, adae=ungraded.assign(AESEV=words))
    emergent = adverse_events.derive_emergent(trial)
    np.testing.assert_array_equal(emergent["LEVEL"], [1, 3, 2, np.nan, 3])
    overview = adverse_events.summarise_overview(trial, PLAN)
    severe = overview[(overview["group"] == "SEVERE") & (overview["statistic"] == "count")]
    assert severe["value"].tolist() == [2]
    assert "a severe one" in adverse_events.say_events(trial, overview)
    for adae in (EVENTS, EVENTS.assign(AESEV=words), ungraded.assign(AESEV=None)):
        graded = with_tables(small, adae=adae)
        assert adverse_events.choose_grading(graded) is adverse_events.BY_GRADE


def test_overview_keeps_rows_of_zero(small: Trial) -> None:
    record = adverse_events.summarise_overview(small, PLAN)
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
    none = adverse_events.summarise_overview(with_tables(small, adae=EVENTS.iloc[:0]), PLAN)
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
    listing = adverse_events.derive_serious(small, PLAN)
    # Deaths of SYN-09 and SYN-12 have no fatal event here.
    assert listing["EVENT"].tolist() == [
        "Fever",
        "Death, cause not recorded",
        "Death, cause not recorded",
        "Sepsis",
    ]
    assert listing["DAY"].tolist() == [9, 89, 302, 450]
    late = small.adsl.assign(DTHDY=small.adsl["DTHDY"].fillna(900.0))
    unchanged = adverse_events.derive_serious(with_tables(small, adsl=late), PLAN)
    assert unchanged["DAY"].tolist() == [9, 89, 302, 450], "a death after two years was listed"
    deaths = adverse_events.derive_serious(mayo, PLAN)
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
    moved = shifts.summarise_shifts(trial, PLAN)
    found = moved[moved["value"] > 0].set_index(["parameter", "group"])["value"].to_dict()
    assert found == {
        ("SODIUM", "NORMAL to LOW"): 1,
        ("SODIUM", "LOW to NO LATER VALUE"): 1,
        ("BILI", "2 to 3"): 1,
        ("BILI", "1 to 2"): 1,
    }
    bare = replace(trial, study=replace(trial.study, reference_ranges=None))
    assert set(shifts.summarise_shifts(bare, PLAN)["parameter"]) == {"BILI"}


def test_window_without_events_gives_the_limits(synthetic: Trial, small: Trial) -> None:
    record = safety.summarise_safety(synthetic, PLAN)
    upper = record.set_index("id").loc["risk.serious-24h.percent_upper"]
    assert (round(upper["value"], 1), upper["text"]) == (10.9, "11")
    early = EVENTS.assign(AEHRINF=2.0)
    seen = safety.summarise_safety(with_tables(small, adae=early.iloc[1:2]), PLAN)
    assert get_text(seen)["risk.serious-24h.count"] == "1"
    assert safety.say_limits(seen, PLAN) == ""


def test_risks_stand_in_their_cells(synthetic: Trial) -> None:
    record = safety.summarise_safety(synthetic, PLAN)
    shown = lay_out(record, safety.list_risks(record), proportion_columns(PLAN), ["Event"])
    assert list(shown.columns) == ["Event", "Participants", "Per cent", "Exact 95% CI, %"]
    assert show_cells(shown, record) == [
        ["Died", "3 of 26", "12", "2 to 30"],
        ["Received a liver transplant", "2 of 26", "8", "0.9 to 25"],
        ["Lost to follow-up", "4 of 26", "15", "4 to 35"],
        ["Serious adverse event within 24 hours of an infusion", "0 of 26", "0", "0 to 13"],
    ]


def test_events_stand_in_their_cells(small: Trial) -> None:
    record = adverse_events.summarise_overview(small, PLAN)
    columns = adverse_events.overview_columns(small, PLAN)
    shown = lay_out(record, adverse_events.list_overview(small), columns)
    assert list(columns) == [
        "Basis",
        "Participants",
        "Per cent",
        "Exact 95% CI, %",
        "Events",
        "Per 100 years (exact 95% CI)",
    ]
    cells = {row[0]: row[1:] for row in show_cells(shown, record)}
    assert cells["Grade 3 or more"][:5] == ["invented", "2 of 26", "8", "0.9 to 25", "2"]
    assert cells["Fatal"][:2] == ["published", "**1** of 26"]
    assert cells["Fatal"][-1] == "", "a rate on invented days of a published count"
    window = cells["During the infusion or within 24 hours"]
    assert window == ["invented", "2 of 26", "8", "0.9 to 25", "2", ""]
    any_event = cells["Any adverse event"]
    years = get_text(safety.summarise_exposure(small))["exposure.years"]
    assert any_event[4] == "5"
    assert float(any_event[5].partition(" ")[0]) == pytest.approx(500 / float(years), rel=0.01)
    record = adverse_events.summarise_events(small, PLAN)
    columns = adverse_events.event_columns(small, PLAN)
    assert list(columns)[1:6] == [
        "Any grade, n (%)",
        "Grade 3 or more, n (%)",
        "Serious, n",
        "Related, n",
        "Events",
    ]
    shown = lay_out(record, adverse_events.list_events(record), columns)
    fever = show_cells(shown, record)[1]
    assert fever[1:7] == ["invented", "2 (8)", "1 (4)", "1", "1", "3"]
    shown = lay_out(
        record,
        adverse_events.list_graded(record),
        adverse_events.grade_columns(small, record),
    )
    assert list(shown.columns[2:]) == [f"Grade {grade}" for grade in range(1, 6)]
    assert show_cells(shown, record)[0][2:] == ["0", "1", "1", "0", "0"]


def test_only_who_was_infused_counts_for_safety(small: Trial) -> None:
    # SYN-01 has the fever in the window; of the safety set without it, nothing of it is left.
    adsl = small.adsl.assign(SAFFL=np.where(small.adsl["USUBJID"] == "SYN-01", "N", "Y"))
    trial = with_tables(small, adsl=adsl)
    value = adverse_events.summarise_overview(trial, PLAN).set_index("id")["value"]
    assert value["overview.any.count"] == 2
    assert value["overview.any.denominator"] == 25
    assert value["overview.window.count"] == 1
    assert safety.summarise_exposure(trial)["n"].eq(25).all()
    text = get_text(safety.summarise_safety(trial, PLAN))
    assert text["risk.serious-24h.denominator"] == "25"
    # Deaths are counted of all who were enrolled.
    assert text["risk.death.denominator"] == "26"
    listing = adverse_events.derive_serious(trial, PLAN)
    assert "SYN-01" not in set(listing["USUBJID"])
    early = EVENTS.assign(AEHRINF=2.0).iloc[1:2]
    assert safety.count_window(adsl, early, None) == (0, 0)
    assert safety.count_window(small.adsl, early, None) == (1, 0)


def test_level_of_an_interval_is_that_of_the_plan(small: Trial) -> None:
    narrow = replace(PLAN, level=0.9)
    for summarise in (
        safety.summarise_safety,
        adverse_events.summarise_overview,
        adverse_events.summarise_events,
    ):
        low, high = (summarise(small, plan).set_index("id")["value"] for plan in (PLAN, narrow))
        limits = low.index[low.index.str.endswith("_low") & low.gt(0)]
        assert len(limits)
        assert (high[limits] > low[limits]).all()
        tops = low.index[low.index.str.endswith(("_high", "_upper"))]
        assert (high[tops] < low[tops]).all()
    assert "exact 90% confidence interval" in safety.say_outcomes(narrow)
    assert "one-sided 90% upper limit" in safety.say_limits(
        safety.summarise_safety(small, narrow), narrow
    )


def test_sentence_on_the_window_follows_the_data(synthetic: Trial, small: Trial) -> None:
    def say(trial: Trial) -> str:
        return safety.say_window(trial, safety.summarise_safety(trial, PLAN), PLAN)

    assert "occurred in {risk.serious-24h.count} of" in say(small)
    assert say(with_tables(small, adae=None)).endswith("adverse events not recorded.")
    untreated = small.adsl.assign(SAFFL="N", TRTSDY=np.nan)
    assert say(with_tables(small, adsl=untreated)).endswith("no participant received one.")
    vague = EVENTS.assign(ASTDY=np.nan, AEHRINF=np.nan)
    assert "the hours are not recorded" in say(with_tables(small, adae=vague))


def test_sentence_on_events_follows_the_data(small: Trial) -> None:
    def say(trial: Trial) -> str:
        return adverse_events.say_events(trial, adverse_events.summarise_overview(trial, PLAN))

    assert "one of grade 3 or more and {overview.serious.count} a serious" in say(small)
    assert say(with_tables(small, adae=None)).endswith("not recorded in this data set.")
    assert say(with_tables(small, adae=EVENTS.iloc[:0])).endswith("and none occurred.")
    nobody = small.adsl.assign(SAFFL="N", TRTSDY=np.nan)
    assert "no participant is in the safety" in say(with_tables(small, adsl=nobody))
    severity = EVENTS.assign(AETOXGR=np.nan, AESEV=["MILD"] + ["SEVERE"] * 5)
    trial = with_tables(small, adae=severity)
    assert "{overview.severe.count} a severe one" in say(trial)
    assert adverse_events.list_overview(trial)[1].heads == ("Severe or worse",)


@pytest.mark.parametrize(("code", "worst"), [("SODIUM", 120.0), ("PLAT", 60.0), ("CREAT", 150.0)])
def test_worst_is_what_the_parameter_calls_worse(synthetic: Trial, code: str, worst: float) -> None:
    usual = {"SODIUM": 140.0, "PLAT": 200.0, "CREAT": 70.0}[code]
    other = 2 * usual - worst
    adlb = pd.DataFrame(
        [("SYN-01", code, visit, value) for visit, value in ((0, usual), (6, worst), (12, other))],
        columns=["USUBJID", "PARAMCD", "AVISITN", "AVAL"],
    )
    ranges = {"SODIUM": [135, 145], "PLAT": [150, 300], "CREAT": [45, 90]}
    study = replace(synthetic.study, reference_ranges=ranges)
    trial = replace(with_tables(synthetic, adlb=adlb), study=study)
    end = shifts.derive_shifts(trial, code, PLAN)["END"].item()
    assert end == ("HIGH" if code == "CREAT" else "LOW")
    said = shifts.say_worst(shifts.summarise_shifts(trial, PLAN))
    assert (
        said
        == {
            "SODIUM": "Worst is the lowest sodium.",
            "PLAT": "Worst is the lowest platelets.",
            "CREAT": "Worst is the highest.",
        }[code]
    )


def test_shifts_stand_in_their_cells(mayo: Trial) -> None:
    record = shifts.summarise_shifts(mayo, PLAN)
    rows = shifts.list_starts(record, shifts.POINTS)
    shown = lay_out(record, rows, shifts.shift_columns(shifts.POINTS), ["Parameter", "At baseline"])
    assert show_cells(shown, record)[:3] == [
        ["Total bilirubin", "1 point", "47", "7", "7", "10"],
        ["", "2 points", "2", "10", "9", "3"],
        ["", "3 points", "0", "1", "6", "7"],
    ]
    assert shifts.list_starts(record, shifts.RANGES) == []


def test_listing_shows_who_had_what_and_when(small: Trial) -> None:
    listing = adverse_events.derive_serious(small, PLAN)
    record = adverse_events.summarise_serious(listing)
    shown = adverse_events.lay_out_serious(listing, small)
    heads = ["Participant", "Study day", "Event", "Basis", "Grade", "Relation", "Outcome"]
    assert list(shown.columns) == heads
    cells = show_cells(shown, record)
    assert [row[:2] for row in cells] == [["1", "9"], ["2", "89"], ["3", "302"], ["4", "450"]]
    assert [row[4] for row in cells] == ["3", "", "", "5"]
    bare = adverse_events.derive_serious(with_tables(small, adae=None), PLAN)
    assert "Grade" not in adverse_events.lay_out_serious(bare, small)


def test_words_follow_the_plan(synthetic: Trial) -> None:
    weeks = Plan(visits=plan_visits((0, 12, 26), "week"), unit="week", horizon_months=6)
    said = [safety.say_outcomes(weeks), adverse_events.say_listed(synthetic, weeks)]
    assert all("ithin 26 weeks" in words for words in said)
    # By day 183 only SYN-09 had died.
    text = get_text(safety.summarise_safety(synthetic, weeks))
    assert text["risk.death.count"] == "1"


def test_deaths_have_their_day_cause_and_relation(small: Trial, mayo: Trial) -> None:
    deaths = adverse_events.derive_deaths(small, PLAN)
    record = adverse_events.summarise_deaths(deaths)
    cells = show_cells(adverse_events.lay_out_deaths(deaths, small), record)
    unknown = [quote("cause not recorded"), "not recorded", "invented"]
    assert cells == [
        ["1", "89", *unknown],
        ["2", "302", *unknown],
        ["3", "459", quote("Sepsis"), quote("not related"), "invented"],
    ]
    assert "complications of cirrhosis" in adverse_events.say_deaths(small)
    assert adverse_events.say_deaths(mayo) == ""
    assert adverse_events.say_no_deaths(mayo, PLAN).startswith("Causes of death were not recorded")


def test_liver_safety_counts_each_quadrant(synthetic: Trial) -> None:
    # Limits 40 U/L and 21 umol/L: ALT at and below three times, bilirubin at and below twice.
    values = {"SYN-01": (120.0, 42.0), "SYN-02": (119.0, 60.0), "SYN-03": (400.0, 41.9)}
    adlb = pd.DataFrame(
        [
            (who, code, visit, value if visit else 9999.0)
            for who, pair in values.items()
            for code, value in zip(("ALT", "BILI"), pair, strict=True)
            for visit in (0, 6)
        ],
        columns=["USUBJID", "PARAMCD", "AVISITN", "AVAL"],
    )
    peaks = liver.derive_peaks(with_tables(synthetic, adlb=adlb))
    assert peaks.loc["SYN-01"].tolist() == [3.0, 2.0]
    text = get_text(liver.summarise_peaks(peaks))
    found = [text[f"hy.{s}"] for s in ("alt_count", "bilirubin_count", "both_count", "denominator")]
    assert found == ["2", "2", "1", "3"]
    words = [t.get_text() for t in plot_liver(peaks).axes[0].texts]
    assert words == ["Hy's law", "bilirubin alone", "ALT alone"]
    bare = replace(synthetic, study=replace(synthetic.study, reference_ranges=None))
    assert "not assessable" in liver.say_peaks(
        liver.summarise_peaks(liver.derive_peaks(bare)), bare
    )


def test_what_reports_tell_besides_has_a_line_each(synthetic: Trial, mayo: Trial) -> None:
    for trial, why in ((synthetic, "not stated in the abstract"), (mayo, "not recorded")):
        shells = safety.list_shells(trial)
        assert shells["Item (ICH E3)"].is_unique
        names = " ".join(shells["Item (ICH E3)"]).lower()
        for wanted in ("concomitant medication", "history", "deviations", "narratives"):
            assert wanted in names
        assert shells["In this data set"].str.startswith(why).all()
