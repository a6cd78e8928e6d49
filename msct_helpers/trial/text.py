"""Texts of data sets: which of their characters can be seen, and what becomes part of an id."""

import hashlib
import re
import unicodedata

SHOWN_CHARACTERS = 80
"""Characters of a value in a report."""


HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories that cannot be seen, or that change how others are seen."""


def show_characters(text: str, *, blanks: bool = False) -> str:
    """Return a text with the characters that cannot be seen written out, as ``[U+202E]``.

    With `blanks` also those that look like a blank and are none.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"[U+{ord(c):04X}]"
        if unicodedata.category(c) in HIDDEN or (blanks and c.isspace() and c != " ")
        else c
        for c in text
    )


def show_text(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    """Return the start of a text, with all that cannot be seen or told apart written out."""
    return show_characters(text if len(text) <= limit else text[:limit] + "…", blanks=True)


def has_hidden(text: str) -> bool:
    """Return True where a text holds characters that cannot be seen, line breaks among them."""
    return not text.isprintable() and any(unicodedata.category(c) in HIDDEN for c in text)


def looks_odd(text: str) -> bool:
    """Return True for a text that only looks like another one, or that lost characters."""
    other_blanks = "  " in text or any(c.isspace() and c != " " for c in text)
    wide = any("\uff01" <= c <= "\uff5e" for c in text)
    apart = unicodedata.normalize("NFC", text) != text
    return other_blanks or wide or apart or "\ufffd" in text or _mixes_scripts(text)


def slug(text: str) -> str:
    """Return a part of an id; text that is not just words keeps its identity by a digest."""
    short = re.sub(r"[^\w+=-]+", "-", text).lower()
    if re.fullmatch(r"[\w<+]*(?:[ =-][\w<+]+)*", text):
        return short
    return f"{short}~{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _mixes_scripts(text: str) -> bool:
    """Return True where a word has letters of more than one of the scripts that look alike."""
    if text.isascii():
        return False
    words = re.findall(r"[^\W\d_]+", text)
    alike = {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}
    scripts = [{unicodedata.name(c, "?").split()[0] for c in word} & alike for word in words]
    return any(len(found) > 1 for found in scripts)
