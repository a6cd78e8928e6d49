"""Small helpers for sentences."""


def join_words(words: list[str]) -> str:
    """Return words as a list in a sentence."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def upper_first(text: str) -> str:
    """Return a text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def name_unit(unit: str) -> str:
    """Return a unit as it follows a number, with its space; nothing where there is no unit."""
    return {"score": " points", "1": "", "": "", "%": "%"}.get(unit, f" {unit}")
