"""A validated data set, and the conversion of its values to reporting units."""

from dataclasses import dataclass, field

import pandas as pd

from msct_helpers.trial.findings import Reading
from msct_helpers.trial.labs import MEASUREMENT
from msct_helpers.trial.parameters import FACTORS, PARAMETERS
from msct_helpers.trial.plan import Plan
from msct_helpers.trial.schema import Study


def _no_measurements() -> pd.DataFrame:
    return pd.DataFrame(columns=MEASUREMENT)


@dataclass(frozen=True)
class Trial:
    """A validated data set, with values in the reporting units of its ``study.yml``.

    ``adlb`` holds the planned visits of the parameters that are analysed; ``unscheduled`` their
    values at other visits, which only count for the worst value after baseline; ``carried`` the
    rows of other parameters, which are listed and not analysed. ``adae`` is None where adverse
    events were not recorded; an empty table means that they were recorded and none occurred; it
    has a column AESEV where the file has one. ``adex`` is None where infusions were not recorded
    one by one. ``readings`` tells what was read in a way that the files do not literally say.
    """

    study: Study
    adsl: pd.DataFrame
    adlb: pd.DataFrame
    adae: pd.DataFrame | None
    adex: pd.DataFrame | None
    folder: str
    digest: str
    unscheduled: pd.DataFrame = field(default_factory=_no_measurements)
    carried: pd.DataFrame = field(default_factory=_no_measurements)
    readings: tuple[Reading, ...] = ()

    @property
    def plan(self) -> Plan:
        """The analysis plan: visits, endpoints and what the report decided for all."""
        return self.study.plan

    @property
    def synthetic(self) -> bool:
        """True where no participant is a real person."""
        return self.study.origin == "synthetic"

    @property
    def efficacy_labs(self) -> pd.DataFrame:
        """Measurements of the full analysis set."""
        members = self.adsl.loc[self.adsl["FASFL"] == "Y", "USUBJID"]
        return self.adlb[self.adlb["USUBJID"].isin(members)]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Codes of the laboratory parameters that the data set records."""
        return tuple(code for code in PARAMETERS if (self.adlb["PARAMCD"] == code).any())


def convert_units(adlb: pd.DataFrame, reporting: dict[str, str]) -> pd.DataFrame:
    """Return the table with AVAL and AVALU in reporting units.

    Parameters
    ----------
    adlb
        Columns PARAMCD, AVAL, AVALU; units as `msct_helpers.trial.schema.PARAMETERS` lists them.
    reporting
        Unit by parameter code; a parameter that is not named goes to the first unit of its list.
    """
    target = {code: reporting.get(code, p.unit) for code, p in PARAMETERS.items()}
    keys = zip(adlb["PARAMCD"], adlb["AVALU"], strict=True)
    factors = [FACTORS[code, unit] / FACTORS[code, target[code]] for code, unit in keys]
    ratio = pd.Series(factors, index=adlb.index, dtype=float)
    return adlb.assign(AVAL=adlb["AVAL"] * ratio, AVALU=adlb["PARAMCD"].map(target))
