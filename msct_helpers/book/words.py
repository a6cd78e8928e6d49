"""Words for coded values, and small helpers for sentences."""

from msct_helpers.book.document import quote
from msct_helpers.trial.load import Trial
from msct_helpers.trial.plan import Plan
from msct_helpers.trial.schema import CELL_SOURCES

UNKNOWN = "NOT RECORDED"
"""Level of a characteristic that is blank."""

LABELS = {
    "UMBILICAL CORD": "umbilical cord",
    "CORD BLOOD": "cord blood",
    "BONE MARROW": "bone marrow",
    "NOT APPLICABLE": "no MSC given",
    "DEATH": "died",
    "LIVER TRANSPLANT": "received a liver transplant",
    "LOST TO FOLLOW-UP": "lost to follow-up",
    "WITHDRAWAL BY SUBJECT": "withdrew",
    "FOLLOW-UP ENDED": "alive, data end earlier",
    "SERIOUS 24H": "serious adverse event within 24 hours of an infusion",
    "F": "women",
    "M": "men",
    "NOT RECORDED": "not recorded",
}
"""Words for coded values."""


def name_source(source: str) -> str:
    """Return a source of cells in words; one that has none is shown as it stands in the data."""
    return LABELS[source] if source in CELL_SOURCES else quote(source)


def name_level(variable: str, level: str) -> str:
    """Return a level of a characteristic in words; a diagnosis as it stands in the data."""
    named = level == UNKNOWN or (variable == "SEX" and level in LABELS)
    return LABELS[level] if named else quote(level)


def name_reason(status: str, plan: Plan) -> str:
    """Return in words why follow-up ended, or that it had not."""
    if status == "IN FOLLOW-UP":
        return f"still followed at {plan.horizon}"
    return LABELS.get(status) or f"left ({quote(status.lower())})"


def name_people(trial: Trial) -> str:
    """Return what the participants of a data set are called, so that invented ones are known."""
    return "synthetic participants" if trial.synthetic else "participants"


def join_words(words: list[str]) -> str:
    """Return words as a list in a sentence."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def upper_first(text: str) -> str:
    """Return a text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def name_unit(unit: str) -> str:
    """Return a unit as it follows a number, with its space; nothing where there is no unit."""
    named = {"score": " points", "1": "", "": "", "%": "%", "umol/L": " µmol/L"}
    return named.get(unit, f" {unit}")
