"""Sample sizes of a randomised trial by formula. Every input is assumed; none is the abstract's."""

import math
from dataclasses import dataclass

from scipy import stats


@dataclass(frozen=True)
class Protocol:
    """What is assumed of the next trial: two arms of equal size, followed to one horizon.

    Attributes
    ----------
    difference
        Difference of MELD at the horizon to be found, in points.
    sd
        SD of MELD at a visit, in points.
    rho
        Correlation of MELD at the horizon with that at baseline.
    risk
        Risk of death or transplant to the horizon in the control arm.
    risk_ratio
        That of the treated arm, as a multiple.
    death_share
        Share of deaths among these events; the others are transplants.
    missing
        Share without MELD at the horizon for any reason, by which the comparison of MELD is
        inflated. This takes death for missing data.
    lost
        Share lost to follow-up, by which comparisons that count death as an outcome are inflated.
    level, power
        Two-sided confidence level of the test, and its power.
    """

    difference: float = 3.0
    sd: float = 5.0
    rho: float = 0.6
    risk: float = 0.25
    risk_ratio: float = 0.5
    death_share: float = 0.6
    missing: float = 9 / 26
    lost: float = 4 / 26
    level: float = 0.95
    power: float = 0.9

    def __post_init__(self) -> None:
        """Refuse what no trial can have."""
        if self.difference <= 0 or self.sd <= 0:
            raise ValueError("difference and sd: expected above 0")
        if not -1 < self.rho < 1:
            raise ValueError(f"rho {self.rho:g}; expected between -1 and 1")
        if not 0 <= self.missing < 1 or not 0 <= self.lost < 1:
            raise ValueError("missing and lost: expected from 0 to below 1")
        if not 0 < self.risk < 1 or not 0 < self.risk_ratio < 1:
            raise ValueError("risk and risk ratio: expected between 0 and 1")
        if not 0 <= self.death_share <= 1:
            raise ValueError("death share: expected from 0 to 1")
        if not 0 < self.level < 1 or not 1 - self.level < self.power < 1:
            raise ValueError("level and power: expected between 0 and 1, power above the error")

    @property
    def quantiles(self) -> tuple[float, float]:
        """Normal quantiles of the two-sided level and of the power."""
        return float(stats.norm.ppf((1 + self.level) / 2)), float(stats.norm.ppf(self.power))

    @property
    def residual_sd(self) -> float:
        """SD of MELD at the horizon given baseline."""
        return self.sd * math.sqrt(1 - self.rho**2)


@dataclass(frozen=True)
class Size:
    """Patients an arm: where everybody is measured, and to be enrolled; ``events`` in both arms."""

    complete: int
    enrolled: int
    events: int | None = None


def inflate(per_arm: float, missing: float) -> Size:
    """Return patients an arm, rounded up, without and with a share that is missing."""
    return Size(math.ceil(per_arm), math.ceil(per_arm / (1 - missing)))


def size_ancova(protocol: Protocol) -> Size:
    """Return the size for a difference of MELD at the horizon, adjusted for baseline.

    Notes
    -----
    Borm, Fransen and Lemmens, J Clin Epidemiol 2007; 60: 1234-1238. Normal approximation.
    """
    total = sum(protocol.quantiles)
    per_arm = 2 * (total * protocol.residual_sd / protocol.difference) ** 2
    return inflate(per_arm, protocol.missing)


def power_ancova(protocol: Protocol, per_arm: int) -> float:
    """Return the power of the analysis of covariance at a size, by the noncentral t.

    A random difference of the arms at baseline costs as much as one degree of freedom more.
    """
    df = 2 * per_arm - 3
    se = protocol.residual_sd * math.sqrt(2 / per_arm * (1 + 1 / (df - 1)))
    limit = stats.t.ppf((1 + protocol.level) / 2, df)
    shift = protocol.difference / se
    return float(stats.nct.sf(limit, df, shift) + stats.nct.cdf(-limit, df, shift))


def size_events(protocol: Protocol) -> Size:
    """Return the size for the risk of death or transplant, and the events to be expected.

    Notes
    -----
    Comparison of two proportions, pooled under no difference; Fleiss, Levin and Paik, Statistical
    Methods for Rates and Proportions, 2003, section 4.2.1, without continuity correction. Those
    lost are added in proportion; the events are those of the size without them.
    """
    alpha, beta = protocol.quantiles
    control, treated = protocol.risk, protocol.risk * protocol.risk_ratio
    mean = (control + treated) / 2
    null = math.sqrt(2 * mean * (1 - mean))
    real = math.sqrt(control * (1 - control) + treated * (1 - treated))
    per_arm = ((alpha * null + beta * real) / (control - treated)) ** 2
    size = inflate(per_arm, protocol.lost)
    return Size(size.complete, size.enrolled, round(size.complete * (control + treated)))


def count_events(protocol: Protocol) -> int:
    """Return the events in both arms that a log-rank test needs, at proportional hazards.

    Notes
    -----
    Schoenfeld, Biometrics 1983; 39: 499-503. The hazard ratio is that of the two risks.
    """
    control, treated = protocol.risk, protocol.risk * protocol.risk_ratio
    hazard_ratio = math.log(1 - treated) / math.log(1 - control)
    return math.ceil(4 * sum(protocol.quantiles) ** 2 / math.log(hazard_ratio) ** 2)


@dataclass(frozen=True)
class Wins:
    """Chance that a treated patient fares better, or worse, than a control; the rest are ties."""

    win: float
    loss: float

    @property
    def ratio(self) -> float:
        """Win ratio."""
        return self.win / self.loss

    @property
    def tie(self) -> float:
        """Chance that neither fares better."""
        return 1 - self.win - self.loss


def expect_wins(protocol: Protocol) -> Wins:
    """Return the chances of the hierarchical comparison where everybody is followed.

    Death is compared first (the later the better), then transplant, then the change of MELD from
    baseline. Times of events are alike in both arms, given that they happen.
    """
    risks = [protocol.risk, protocol.risk * protocol.risk_ratio]
    deaths = [risk * protocol.death_share for risk in risks]
    moved = [(r - d) / (1 - d) for r, d in zip(risks, deaths, strict=True)]
    left, win, loss = 1.0, 0.0, 0.0
    for control, treated in (deaths, moved):
        both = control * treated / 2
        win += left * (control * (1 - treated) + both)
        loss += left * (treated * (1 - control) + both)
        left *= (1 - control) * (1 - treated)
    spread = protocol.sd * math.sqrt(2 * (1 - protocol.rho))
    better = float(stats.norm.cdf(protocol.difference / spread / math.sqrt(2)))
    return Wins(win + left * better, loss + left * (1 - better))


def size_wins(protocol: Protocol) -> Size:
    """Return the size for the win ratio of death, transplant and MELD.

    Notes
    -----
    Yu and Ganju, Statistics in Medicine 2022; 41: 950-963. Normal approximation.
    """
    wins = expect_wins(protocol)
    variance = 16 * (1 + wins.tie) / (3 * (1 - wins.tie))
    total = variance * (sum(protocol.quantiles) / math.log(wins.ratio)) ** 2
    size = inflate(total / 2, protocol.lost)
    risks = protocol.risk * (1 + protocol.risk_ratio)
    return Size(size.complete, size.enrolled, round(size.complete * risks))
