"""Corruptions of study.yml: every key by every kind, and the file's own syntax."""

from collections.abc import Iterator

import yaml

from tests.corruptions.base import FOLDERS, Answer, Corruption, Spoil, edit_text

TEXTS = ("title", "short_title", "label", "source", "licence", "population", "treatment")
OTHERS = (
    *("origin", "horizon_months", "reporting_units", "assumed", "assessed", "reference_ranges"),
    *("ctcae_version", "seed", "draws", "checksums"),
    *("visits", "visit_unit", "windows", "endpoints"),
)
OPTIONAL = {"assessed", "reference_ranges", "ctcae_version", "seed", "draws", "checksums"}
OPTIONAL |= {"visits", "visit_unit", "windows", "endpoints"}
NUMBERS = {"horizon_months", "assessed", "seed", "draws"}

NOTICED, LITERAL = Answer.NOTICED, Answer.LITERAL


def corrupt_study(dataset: str) -> Iterator[Corruption]:
    """Yield study.yml spoilt key by key, then as a whole."""
    for key in (*TEXTS, *OTHERS):
        for kind, written, answer in _values(key):
            yield _make(dataset, key, kind, _set(key, written), answer)
        for kind, spoil, answer in _keys(dataset, key):
            yield _make(dataset, key, kind, spoil, answer)
    for kind, spoil, answer in _syntax():
        yield Corruption(dataset, "study.yml", kind, spoil, ("study.yml",), (), (), answer)


def _lines(dataset: str, key: str) -> tuple[int, ...]:
    """Return a key's lines and the next: a fault of syntax may show only there."""
    blocks = _blocks((FOLDERS[dataset] / "study.yml").read_text(encoding="utf-8"))
    start = 1
    for name, block in (blocks | {key: blocks.get(key, "")}).items():
        if name == key:
            return tuple(range(start, start + block.count("\n") + 3))
        start += block.count("\n")
    return ()


def _make(dataset: str, key: str, kind: str, spoil: Spoil, answer: Answer) -> Corruption:
    lines = _lines(dataset, key)
    # A quote that is not closed goes on to the next, somewhere below.
    columns = () if "open" in kind else (key,)
    return Corruption(
        dataset, f"study.yml {key}", kind, spoil, ("study.yml",), columns, lines, answer
    )


def _blocks(text: str) -> dict[str, str]:
    """Split the file into the lines of each key."""
    blocks: dict[str, str] = {}
    for line in text.splitlines(keepends=True):
        if line[0] not in " -":
            key = line.split(":")[0]
        blocks[key] = blocks.get(key, "") + line
    return blocks


def _set(key: str, written: str) -> Spoil:
    """Write a key's value as it should stand in the file."""

    def change(text: str) -> str:
        return "".join((_blocks(text) | {key: f"{key}: {written}\n"}).values())

    return edit_text("study.yml", change)


def _rename(key: str, to: str) -> Spoil:
    def change(text: str) -> str:
        blocks = _blocks(text)
        return "".join(
            to + block[len(key) :] if name == key else block for name, block in blocks.items()
        )

    return edit_text("study.yml", change)


def _keys(dataset: str, key: str) -> Iterator[tuple[str, Spoil, Answer]]:
    """Yield a key missing, twice or misspelt."""
    content = (FOLDERS[dataset] / "study.yml").read_text(encoding="utf-8")
    if key not in _blocks(content):
        return

    def remove(text: str) -> str:
        return "".join(block for name, block in _blocks(text).items() if name != key)

    def twice(text: str) -> str:
        return text + _blocks(text)[key]

    yield "key missing", edit_text("study.yml", remove), LITERAL if key in OPTIONAL else NOTICED
    yield "key twice", edit_text("study.yml", twice), NOTICED
    other = f"{key}: 7\n"
    yield "key twice, other value", edit_text("study.yml", lambda text: text + other), NOTICED
    yield "key twice, first other", edit_text("study.yml", lambda text: other + text), NOTICED
    upper = f"{key.upper()}: 7\n"
    yield "and in upper case", edit_text("study.yml", lambda text: text + upper), NOTICED
    for kind, to in {
        "in upper case": key.upper(),
        "in title case": key.title(),
        "with a hyphen": key.replace("_", "-") + "-",
        "cut": key[:-1],
        "blank inside": f'"{key} "',
        "no-break space behind": f'"{key}\\u00a0"',
        "as a list": f"? [{key}]\n",
        "NUL inside": f'"{key}\\0"',
    }.items():
        yield f"key {kind}", _rename(key, to), NOTICED


FOREIGN = {
    "null": "null",
    "nothing": "",
    "tilde": "~",
    "empty text": "''",
    "blanks": "'   '",
    "no-break space": '"\\u00a0"',
    "zero-width space": '"\\u200b"',
    "empty list": "[]",
    "empty mapping": "{}",
    "list": "[a, b]",
    "list of lists": "[[1, [2, [3]]]]",
    "list of null": "[null]",
    "mapping": "{a: b}",
    "mapping of mappings": "{a: {b: {c: d}}}",
    "key of a list": "{[1, 2]: 3}",
    "key of null": "{null: 3}",
    "key of a number": "{1: 2}",
    "no": "no",
    "on": "on",
    "true": "true",
    "date": "2020-01-01",
    "time": "2020-01-01T10:00:00Z",
    "base 60": "1:30",
    "octal": "010",
    "hexadecimal": "0x1F",
    "underlined": "1_5",
    "power": "1e400",
    "point inf": ".inf",
    "point nan": ".nan",
    "half": "24.5",
    "zero": "0",
    "minus one": "-1",
    "minus 24": "-24",
    "huge": "1" + "0" * 30,
    "5,000 digits": "1" * 5_000,
    "Python object": "!!python/object/apply:os.getcwd []",
    "Python name": "!!python/name:os.system",
    "unknown tag": "!foo bar",
    "binary": "!!binary aGVsbG8=",
    "set": "!!set {a, b}",
    "ordered map": "!!omap [a: b]",
    "pairs": "!!pairs [a: b]",
    "text of a tag": "!!str 5",
    "wrong int": "!!int twelve",
    "wrong float": "!!float x",
    "wrong date": "!!timestamp x",
    "impossible date": "2020-13-45",
    "wrong bool": "!!bool 7",
    "wrong binary": "!!binary '***'",
    "recursion": "&a [*a]",
    "recursion of a mapping": "&a {b: *a}",
    "unknown alias": "*nowhere",
    "merge": "{<<: {a: b}}",
    "wrong merge": "{<<: 7}",
    "mapping twice": "{a: 1, a: 2}",
    "open list": "[a, b",
    "open quote": "'abc",
    "open double quote": '"abc',
    "wrong escape": '"\\q"',
    "surrogate": '"\\ud800"',
    "beyond Unicode": '"\\U00110000"',
    "reserved at": "@x",
    "reserved backtick": "`x`",
    "percent": "%x",
    "colon inside": "a: b: c",
    "NUL": '"a\\0b"',
    "escape sequence": '"\\e[31m"',
    "bidi override": '"a\\u202eb"',
    "replacement character": "a\ufffdb",
    "line separator": '"a\\u2028b"',
    "two lines": '"a\\nb"',
    "block of lines": "|\n  a\n\n  b",
    "100,000 letters": "x" * 100_000,
    "deep": "[" * 3_000 + "]" * 3_000,
}
"""Values by kind, as they stand in the file; most keys can take none of them."""

PAYLOADS = (
    *("{x}", "{{ 7*7 }}", "{% raw %}", "=1+1", "<script>alert(1)</script>", "$x^2$", "[a](b)"),
    *("{download}`x`", "# x", "![](x.png)", "a | b", "%s", "&amp;", "C:\\x", "$(id)", "Sjögren ✓"),
)


def _values(key: str) -> Iterator[tuple[str, str, Answer]]:
    """Yield what may stand for a key's value."""
    for kind, written in FOREIGN.items():
        yield f"value {kind}", written, _foreign_answer(key, kind)
    for text in PAYLOADS:
        answer = LITERAL if key in TEXTS else NOTICED
        yield (
            f"text {text}",
            yaml.safe_dump(text, width=10_000, allow_unicode=True).split("\n")[0],
            answer,
        )
    yield from ((kind, written, NOTICED) for kind, written in SPECIAL.get(key, {}).items())
    if key in NUMBERS:
        for text in ("about 40", "'24'", "24 months", "1e1", "4_0", "+ 40", "<40", "40;", "２４"):
            yield f"number {text}", text, NOTICED


def _foreign_answer(key: str, kind: str) -> Answer:
    """Say where a foreign value is a possible one."""
    nothing = kind in ("null", "nothing", "tilde")
    possible = {
        "seed": {"zero", "octal", "hexadecimal", "huge"},
        "draws": set(),
        "assumed": {"empty list", "list"},
        "reporting_units": set(),
    }.get(key, set())
    plain = key in TEXTS and kind in ("block of lines", "two lines", "power")
    empty = key in ("checksums", "reference_ranges", "windows") and kind == "empty mapping"
    return (
        LITERAL if (nothing and key in OPTIONAL) or kind in possible or plain or empty else NOTICED
    )


SPECIAL: dict[str, dict[str, str]] = {
    "origin": {
        "other case": "Synthetic",
        "upper case": "REAL",
        "blank behind": "'real '",
        "guessed": "guessed",
        "both": "synthetic and real",
        "list of one": "[real]",
    },
    "horizon_months": {
        "in years": "2",
        "in weeks": "104",
        "in days": "731",
        "a thousand": "1200",
        "unread unit": "24 weeks",
    },
    "assessed": {"below the enrolled": "5", "one below": "25", "a million": "1000000000000"},
    "reporting_units": {
        "unit of none": "{BILI: stone}",
        "code of none": "{GLUC: mg/dL}",
        "code in lower case": "{bili: umol/L}",
        "unit of another": "{BILI: g/L}",
        "unit missing": "{BILI: }",
        "unit a list": "{BILI: [umol/L]}",
        "unit twice": "{BILI: umol/L, BILI: mg/dL}",
        "list of units": "[U/L]",
        "list of pairs": "[BILI: umol/L]",
        "unit blank": "{BILI: ' '}",
        "unit of a mapping": "{BILI: {a: b}}",
        "unit a number": "{BILI: 17.1}",
        "unit of markup": "{BILI: '<b>'}",
    },
    "reference_ranges": {
        "reversed": "{ALB: [50, 35]}",
        "equal": "{ALB: [35, 35]}",
        "one limit": "{ALB: [35]}",
        "three limits": "{ALB: [1, 2, 3]}",
        "of text": "{ALB: ['35', '50']}",
        "of words": "{ALB: [low, high]}",
        "infinite": "{ALB: [35, .inf]}",
        "not a number": "{ALB: [.nan, 50]}",
        "negative": "{ALB: [-5, 50]}",
        "of nothing": "{ALB: [null, null]}",
        "of lists": "{ALB: [[35], [50]]}",
        "of booleans": "{ALB: [false, true]}",
        "of dates": "{ALB: [2020-01-01, 2021-01-01]}",
        "code of none": "{GLUC: [3, 5]}",
        "code in lower case": "{alb: [35, 50]}",
        "a mapping": "{ALB: {low: 35, high: 50}}",
        "a range in words": "{ALB: 35-50}",
        "a number": "{ALB: 35}",
        "huge": "{ALB: [1, 1.0e+300]}",
        "tiny": "{ALB: [1.0e-300, 50]}",
        "a thousand times off": "{ALB: [35000, 50000]}",
    },
    "assumed": {
        "text": "None made.",
        "letters": "N",
        "list of numbers": "[1, 2]",
        "list with a mapping": "[A: b]",
        "list with blanks": "['', ' ']",
        "list in a list": "[[a]]",
        "list with a date": "[2020-01-01]",
        "a huge list": "[" + "a, " * 60_000 + "a]",
        "list with a bool": "[no]",
    },
    "ctcae_version": {
        "number": "5.0",
        "words": "latest version",
        "list": "[5.0]",
    },
    "visits": {
        "in one text": "0, 6, 12, 24",
        "by name": "[Baseline, Month 6, Month 12, Month 24]",
        "falling": "[24, 12, 6, 0]",
        "twice": "[0, 6, 6, 12]",
        "without the first": "[6, 12, 24]",
        "alone": "[0]",
        "in days": "[0, 183, 365, 731]",
        "in halves": "[0, 6.5, 12]",
        "in quotes": "['0', '6', '12', '24']",
        "negative": "[-6, 0, 6]",
        "by key": "{0: Baseline, 6: Month 6}",
        "in lists": "[[0], [6]]",
        "a thousand": str(list(range(1000))),
    },
    "visit_unit": {
        "singular": "month",
        "days": "days",
        "capitals": "Months",
        "without visits": "weeks",
    },
    "windows": {
        "of no visit": "{7: [180, 230]}",
        "by name": "{Month 6: [100, 200]}",
        "with a sign": "{+6: [100, 200]}",
        "reversed": "{6: [200, 100]}",
        "of one day": "{6: 183}",
        "of three days": "{6: [100, 150, 200]}",
        "in weeks": "{6: [16, 36]}",
        "over another": "{6: [100, 500]}",
        "from day 0": "{0: [0, 7]}",
        "in texts": "{6: ['100', '200']}",
        "of dates": "{6: [2020-01-01, 2020-03-01]}",
        "huge": "{24: [700, 99999]}",
        "narrow": "{6: [184, 184]}",
    },
    "endpoints": {
        "of none": "[GGT]",
        "twice": "[ALB, ALB]",
        "twice in lower case": "[ALB, alb]",
        "a score": "[ALB, MELD]",
        "by name": "[albumin]",
        "one text": "ALB",
        "by key": "{ALB: g/L}",
    },
    "seed": {"float": "1.5", "text": "lucky"},
    "draws": {"float": "1.5", "text": "many"},
    "checksums": {
        "of no file": "{gone.csv: " + "0" * 64 + "}",
        "wrong": "{adsl.csv: " + "0" * 64 + "}",
        "short": "{adsl.csv: abc}",
        "a number": "{adsl.csv: 12}",
        "a path out": "{../../README.md: " + "0" * 64 + "}",
        "an absolute path": "{/etc/hostname: " + "0" * 64 + "}",
        "a folder": "{.: " + "0" * 64 + "}",
    },
}
"""Values that only one key can be given."""


def _syntax() -> Iterator[tuple[str, Spoil, Answer]]:
    """Yield the file's own faults."""

    def text(kind: str, change: object, answer: Answer = NOTICED) -> tuple[str, Spoil, Answer]:
        return kind, edit_text("study.yml", change), answer  # type: ignore[arg-type]

    def whole(kind: str, content: str) -> tuple[str, Spoil, Answer]:
        return text(kind, lambda old: content)

    loads = Answer.LOADS
    yield text("a tab", lambda t: t + "seed:\n\t- 1\n")
    yield text("a line out of step", lambda t: t + "\n bad\n  x: [\n")
    yield text("a colon in a text", lambda t: t.replace("licence: ", "licence: a: "))
    yield text("a text for a mapping", lambda t: t + "just words\n")
    yield text("a second document", lambda t: t + "---\ntitle: other\n")
    yield text("a document's marks", lambda t: "---\n" + t + "...\n", loads)
    yield text("words after the end", lambda t: t + "...\nwords\n")
    yield text("remarks", lambda t: "# remark\n" + t + "# remark\n", loads)
    yield text("an unknown directive", lambda t: "%FOO bar\n---\n" + t, loads)
    yield text("YAML 9.9", lambda t: "%YAML 9.9\n---\n" + t)
    yield text("a control", lambda t: t.replace("licence: ", "licence: \x07"))
    yield text("a NUL", lambda t: t.replace("licence: ", "licence: \0"))
    yield text("an unknown key", lambda t: t + "sponsor: me\n")
    yield text("an unknown key of markup", lambda t: t + "'<b>{{ x }}': me\n")
    yield text("a key of escapes", lambda t: t + '"\\e[31mred": me\n')
    yield text("a number for a key", lambda t: t + "1: me\n")
    yield text("null for a key", lambda t: t + "null: me\n")
    yield text("a list for a key", lambda t: t + "? [a, b]\n: me\n")
    yield text("a mapping for a key", lambda t: t + "? {a: b}\n: me\n")
    yield text("a date for a key", lambda t: t + "2020-01-01: me\n")
    yield text("no for a key", lambda t: t + "no: me\n")
    yield text("a key without a value", lambda t: t + "sponsor\n")
    yield text("an anchor unused", lambda t: t.replace("licence: ", "licence: &a "))
    yield text("merge of keys", lambda t: "base: &b {seed: 1}\n" + t + "<<: *b\n")
    yield text("flow style", lambda t: str(yaml.safe_load(t)).replace("'", '"'))
    yield text("billion laughs", lambda t: t + BOMB)
    yield text("billion laughs in a key", lambda t: t + "assumed_more: &z [x]\n" + BOMB)
    yield text("many anchors", lambda t: t + "".join(f"k{n}: &a{n} {n}\n" for n in range(2_000)))
    yield text("many keys", lambda t: t + "".join(f"k{n}: {n}\n" for n in range(20_000)))
    yield text("5 MB of remarks", lambda t: t + "# " + "x" * 5_000_000 + "\n")
    yield text("deep lists", lambda t: t + "deep: " + "[" * 50_000 + "\n")
    yield text("deep mappings", lambda t: t + "deep: " + "{a: " * 20_000 + "\n")
    yield text(
        "deep blocks", lambda t: t + "deep:\n" + "".join(" " * n + "a:\n" for n in range(1, 1_500))
    )
    yield text("deep keys", lambda t: t + "? " * 5_000 + "a\n")
    yield whole("a list", "- a\n- b\n")
    yield whole("a word", "words\n")
    yield whole("a number", "5\n")
    yield whole("null", "null\n")
    yield whole("remarks only", "# nothing\n")
    yield whole("a document's marks only", "---\n...\n")
    yield whole("an empty mapping", "{}\n")
    yield whole("a Python object", "!!python/object/apply:os.system ['true']\n")
    yield whole("a set", "!!set {a, b}\n")
    yield whole("recursion", "&a [*a]\n")
    yield whole("a mapping of itself", "&a {title: *a}\n")
    yield whole("a table", "USUBJID,AGE\nX,5\n")
    yield whole("a merge's marks", "<<<<<<< ours\ntitle: x\n=======\n>>>>>>> theirs\n")
    yield whole("TOML", 'title = "x"\n[a]\nb = 1\n')


BOMB = "a0: &a0 [lol, lol]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
