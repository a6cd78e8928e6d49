"""A data set in which every text tries something: to run, to read a file, to reach out, to hide."""

from pathlib import Path

import pandas as pd
import yaml

from msct_helpers.trial.text import show_characters
from tests.conftest import ROOT

SECRET = "the-file-was-read"
"""What stands in the file that payloads try to read."""

PAYLOADS = (
    "{{ cycler.__init__.__globals__.os.popen('echo $((6*7000+1))').read() }}",
    "{{ 7777*7777 }}",
    "{% for i in [1] %}{{ 7777*7777 }}{% endfor %}",
    "{download}`../../secret.txt`",
    "{eval}`7777*7777`",
    "![read](../secret.txt)",
    "```{literalinclude} ../secret.txt\n```",
    ":::{include} ../secret.txt\n:::",
    "$\\text{<script>alert(1)</script>}$",
    "$\\input ../secret.txt $",
    "\\input{../secret.txt}",
    "^^5cinput{../secret.txt}",
    "\\immediate\\write18{echo evil > evil.txt}",
    "$$\\end{document}$$ % comment",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "</title></style></textarea><script>alert(1)</script>",
    "<!-- hidden",
    "&lt;b&gt; &copy; &#x41;",
    "[click](javascript:alert(1))",
    "[out](http://example.org/)",
    "<http://example.org/>",
    "http://example.org/autolink",
    "{overview.any.count}",
    "{no.such.id}",
    "{0} %s %(percent)s ${HOME}",
    "\ue0007b312d317d\ue001",
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "=HYPERLINK(1)",
    "one\ntwo",
    "bell\a escape\x1b[31m c1\x85end",
    "right\u202eto left\u2066 mark\u200f zero\u200bwidth",
    "| a | b |",
    "**strong** *slanted* `code` ~~gone~~",
    "# heading",
    "- item",
    "(target)=",
    "_under_ a_b C:\\dir\\new",
    "\"double\" 'single' -- --- ... <<>>",
    "tilde~hash#percent%amp&dollar$caret^brace{}",
    "肝硬変 حزن é 😀",
    "W" * 120,
)
"""Texts that do no harm only where they are shown as they are."""

SHOWN = tuple(map(show_characters, PAYLOADS))
"""What a reader must see of each payload."""


def cycle(size: int, start: int = 0) -> list[str]:
    """Return as many payloads as a column has rows."""
    return [PAYLOADS[(start + i) % len(PAYLOADS)] for i in range(size)]


def make_events(events: pd.DataFrame) -> pd.DataFrame:
    """Return adverse events of which there are enough to name one by every payload."""
    often = events[events["AEOUT"] != "FATAL"]
    often = pd.concat([often.assign(ASTDY=often["ASTDY"] + i) for i in (0, 1)])
    size = len(often)
    return often.assign(AEDECOD=cycle(size), AEBODSYS=cycle(size, start=1))


def make_hostile(folder: Path) -> Path:
    """Write the data set, with the file that it tries to read beside it, and return its folder."""
    source = ROOT / "data" / "msct_synthetic"
    folder.mkdir(parents=True)
    (folder.parent / "secret.txt").write_text(SECRET)
    names = ("adsl", "adlb", "adae", "adex")
    tables = {name: pd.read_csv(source / f"{name}.csv") for name in names}
    tables["adae"] = make_events(tables["adae"])
    size = len(tables["adsl"])
    tables["adsl"] = tables["adsl"].assign(DIAG=cycle(size), MSCSRC=cycle(size, start=size))
    tables["adex"] = tables["adex"].assign(EXDOSE=1.0, EXDOSU=cycle(size, start=size))
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    study = yaml.safe_load((source / "study.yml").read_text())
    texts = ("title", "short_title", "label", "source", "licence", "population", "treatment")
    study |= {key: f"{key} {' '.join(PAYLOADS)}" for key in texts}
    study |= {"assumed": list(PAYLOADS), "ctcae_version": PAYLOADS[0]}
    (folder / "study.yml").write_text(yaml.safe_dump(study, allow_unicode=True))
    return folder
