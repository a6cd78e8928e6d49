"""Command line: `msct check` and `msct verify`.

What only one command needs is imported when it runs: checking a data set needs no Sphinx.
"""

import csv
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from msct_helpers.trial.paths import ROOT, data_folder

if TYPE_CHECKING:
    from msct_helpers.check.verify import Certificate
    from msct_helpers.trial.contract import CheckResult

OUT = ROOT / "_build" / "verify"
SHOWN = 40
"""Differences printed for each part; the certificate lists all."""


@click.group()
def main() -> None:
    """Check the reproducible trial report."""


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print every problem and reading as JSON.")
@click.option(
    "--all",
    "every",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.csv",
    help="Write every problem, a row each, to a CSV file outside FOLDER.",
)
def check(folder: Path, as_json: bool, every: Path | None) -> None:
    """Say everything that is wrong with the data set in FOLDER, and how it was read.

    The exit status is 0 where it can be read, 1 where anything is wrong.
    """
    from msct_helpers.trial.contract import check_folder

    if every is not None and every.resolve().is_relative_to(folder.resolve()):
        raise click.UsageError("--all: the file would become part of the data set")
    result = check_folder(folder)
    if every is not None:
        write_problems(result, every)
    click.echo(describe_json(result) if as_json else result.describe())
    sys.exit(1 if result.problems else 0)


def describe_json(result: "CheckResult") -> str:
    """Return problems and readings as JSON, in ASCII."""
    from dataclasses import asdict

    content = {
        "folder": result.folder,
        "loads": not result.problems,
        "problems": [p._asdict() for p in result.problems],
        "readings": [asdict(r) for r in result.readings],
    }
    return json.dumps(content, indent=1)


def write_problems(result: "CheckResult", path: Path) -> None:
    """Write every problem as a row of CSV that no spreadsheet takes for a formula."""
    from msct_helpers.trial.findings import Problem
    from msct_helpers.trial.text import show_characters

    def quote(value: object) -> str:
        text = "" if value is None else show_characters(str(value), blanks=True)
        return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text

    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(Problem._fields)
            writer.writerows([quote(v) for v in problem] for problem in result.problems)
    except OSError as error:
        raise click.UsageError(f"--all: {error.strerror}") from None


@main.command()
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Data-set folder; default: the one that MSCT_DATA names, or data/msct_synthetic.",
)
@click.option("--update", is_flag=True, help="Store what was found as the new reference.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=OUT,
    show_default="_build/verify",
    help="Folder for the certificate.",
)
def verify(data: Path | None, update: bool, out: Path) -> None:
    """Execute everything afresh, compare it with the reference, and write a certificate.

    The exit status is 0 only where everything agrees.
    """
    from msct_helpers.check.verify import update_reference, verify_book
    from msct_helpers.sphinx.ext import compute_book_digest, compute_digest

    folder = (data or data_folder()).resolve()
    certificate, results = verify_book(folder, out / "work", click.echo)
    if update:
        broken = [c for c in certificate.checks if c.problems and c.name in ("Book", "Links")]
        if results is None or broken:
            click.echo("The book cannot be built as it is: the reference was left as it was.")
            report(certificate)
            sys.exit(1)
        update_reference(folder, results)
        # A certificate made against the old reference is no longer offered.
        (out / "certificate.digest").unlink(missing_ok=True)
        shutil.rmtree(out / "work", ignore_errors=True)
        click.echo(f"Stored {len(results)} results as the reference of {folder.name}.")
        return
    write_certificate(certificate, out)
    os.environ["MSCT_DATA"] = str(folder)
    (out / "certificate.digest").write_text(compute_book_digest(compute_digest()))
    shutil.rmtree(out / "work", ignore_errors=True)
    report(certificate)
    click.echo(f"The certificate is at {out / 'certificate.html'}")
    sys.exit(0 if certificate.agrees else 1)


def write_certificate(certificate: "Certificate", out: Path) -> None:
    """Write a certificate as HTML and JSON."""
    from jinja2 import Environment, PackageLoader

    from msct_helpers.check.verify import describe_certificate

    content = describe_certificate(certificate)
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    (out / "certificate.json").write_text(text, encoding="utf-8")
    loader = PackageLoader("msct_helpers.check", ".")
    page = Environment(loader=loader, autoescape=True).get_template("certificate.html")
    (out / "certificate.html").write_text(page.render(content), encoding="utf-8")


def report(certificate: "Certificate") -> None:
    """Print each part of a certificate, with what differs, a line each."""
    for check in certificate.checks:
        outcome = "agrees" if check.agrees else f"{len(check.problems)} to look at"
        click.echo(f"{check.name}: {outcome} ({check.looked_at})")
        for problem in check.problems[:SHOWN]:
            click.echo(f"  {problem}")
        if len(check.problems) > SHOWN:
            click.echo(f"  and {len(check.problems) - SHOWN} more, in certificate.json")


if __name__ == "__main__":
    main()
