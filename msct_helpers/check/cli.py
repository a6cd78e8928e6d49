"""Command line: `msct check`, `verify`, `crate`, `simulate`, `worlds` and `design`.

What only one command needs is imported when it runs: checking a data set needs no Sphinx.
"""

import csv
import hashlib
import json
import os
import shutil
import sys
import time
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from msct_helpers.trial.paths import ROOT, data_folder

if TYPE_CHECKING:
    from msct_helpers.check.verify import Check
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
    from msct_helpers.book.records import cache_folder
    from msct_helpers.check.verify import certify, update_reference, verify_book
    from msct_helpers.sphinx.ext import compute_book_digest, compute_digest

    folder, begun, work = (data or data_folder()).resolve(), time.time(), out / "work"
    checks, results = verify_book(folder, work, click.echo)
    if (work / "cache").is_dir():
        # The next build need not execute again what was executed here.
        shutil.copytree(work / "cache", cache_folder(), dirs_exist_ok=True)
    # A certificate made against another reference is no longer offered.
    (out / "certificate.digest").unlink(missing_ok=True)
    broken = any(c.problems for c in checks if c.name in ("Book", "Links"))
    if update and results is not None and not broken:
        update_reference(folder, results)
        click.echo(f"Stored {len(results)} results as the reference of {folder.name}.")
    elif update:
        click.echo("The book cannot be built as it is: the reference was left as it was.")
        report(checks)
    else:
        certificate = certify(folder, checks, begun)
        write_certificate(certificate, out)
        os.environ["MSCT_DATA"] = str(folder)
        (out / "certificate.digest").write_text(compute_book_digest(compute_digest()))
        report(checks)
        click.echo(f"The certificate is at {out / 'certificate.html'}")
    shutil.rmtree(work, ignore_errors=True)
    sys.exit(results is None or broken if update else any(c.problems for c in checks))


def write_certificate(certificate: dict[str, Any], out: Path) -> None:
    """Write a certificate as HTML and JSON."""
    from jinja2 import Environment, PackageLoader

    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(certificate, indent=1, ensure_ascii=False) + "\n"
    (out / "certificate.json").write_text(text, encoding="utf-8")
    loader, name = PackageLoader("msct_helpers.check", "."), "certificate.html"
    pages = Environment(loader=loader, autoescape=True)
    # The page may be styled by its own style sheet and by nothing else.
    style = loader.get_source(pages, name)[0].partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = pages.get_template(name).render(certificate, style_digest=digest)
    (out / name).write_text(page, encoding="utf-8")


def report(checks: "list[Check]") -> None:
    """Print each part of a verification, with what differs, a line each."""
    for check in checks:
        outcome = "agrees" if check.agrees else f"{len(check.problems)} to look at"
        click.echo(f"{check.name}: {outcome} ({check.looked_at})")
        for problem in check.problems[:SHOWN]:
            click.echo(f"  {problem}")
        if len(check.problems) > SHOWN:
            click.echo(f"  and {len(check.problems) - SHOWN} more, in certificate.json")


@main.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / "_build" / "crate",
    show_default="_build/crate",
    help="Folder for the crate.",
)
def crate(out: Path) -> None:
    """Pack data, code and the built book as an RO-Crate, with ro-crate-metadata.json.

    It holds the data set itself, the one that MSCT_DATA names.
    """
    from msct_helpers.check.crate import CrateError, write_crate

    try:
        count = write_crate(out)
    except ModuleNotFoundError:
        raise click.UsageError("rocrate is missing. Remedy: make crate") from None
    except CrateError as error:
        raise click.UsageError(str(error)) from None
    click.echo(f"{count} files are described in {out / 'ro-crate-metadata.json'}")


@main.command()
@click.option("--world", default="improvement", show_default=True, help="Which assumptions.")
@click.option("--trials", default=10_000, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=20260101, show_default=True, type=click.IntRange(0))
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Parquet file to write, one row a trial. Started again, a run continues.",
)
@click.option(
    "--statements",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Statements of another abstract; default: data/published/statements.csv.",
)
@click.option("--visits", help="Months of the visits after baseline, as 6,12,24.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1))
@click.option("--cluster", metavar="ADDRESS", help="Scheduler of a Dask cluster.")
def simulate(
    world: str,
    trials: int,
    seed: int,
    out: Path,
    statements: Path | None,
    visits: str | None,
    workers: int,
    cluster: str | None,
) -> None:
    """Simulate trials of a WORLD and say which satisfy every published statement.

    The result depends on world, trials, seed and statements, not on who computed it.
    """
    from msct_helpers.trial.load import load_statements
    from msct_helpers.trial.plan import make_plan
    from msct_helpers.worlds.assume import WORLDS
    from msct_helpers.worlds.run import run_stored
    from msct_helpers.worlds.target import read_target
    from msct_helpers.worlds.workers import choose_workers

    if world not in WORLDS:
        raise click.UsageError(f"--world {world}: expected one of {', '.join(WORLDS)}")
    try:
        months = [0, *(int(m) for m in visits.split(","))] if visits else None
        plan = make_plan(months[-1] if months else None, months)
        target = read_target(load_statements(statements), plan)
        run = choose_workers(workers, cluster)
        with click.progressbar(length=trials, label=world) as bar:
            table = run_stored(WORLDS[world], target, trials, seed, out, run, bar.update)
    except (ImportError, OSError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    click.echo(f"{int(table['accepted'].sum())} of {trials} trials satisfy every statement: {out}")


@main.command()
@click.option("--trials", type=click.IntRange(5000), help="Trials of each world.")
@click.option("--cell-trials", type=click.IntRange(5000), help="Trials of each cell of the grid.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to write to.")
def worlds(trials: int | None, cell_trials: int | None, out: Path | None) -> None:
    """Run every world and the grid over the assumptions, and store what the book reads.

    It takes about half an hour on one core.
    """
    from msct_helpers.worlds import grid

    grid.store_grid(
        out or grid.STORED,
        trials or grid.TRIALS,
        cell_trials or grid.CELL_TRIALS,
        grid.SEED,
        click.echo,
    )


@main.command()
@click.option("--difference", default=3.0, show_default=True, help="Points of MELD to be found.")
@click.option("--sd", default=5.0, show_default=True, help="SD of MELD at a visit.")
@click.option("--rho", default=0.6, show_default=True, help="Correlation with baseline.")
@click.option("--risk", default=0.25, show_default=True, help="Death or transplant, controls.")
@click.option("--risk-ratio", default=0.5, show_default=True, help="The same, treated to controls.")
@click.option("--death-share", default=0.6, show_default=True, help="Deaths among these events.")
@click.option("--missing", default=9 / 26, show_default="9/26", help="Without MELD at the horizon.")
@click.option("--lost", default=4 / 26, show_default="4/26", help="Lost to follow-up.")
@click.option("--level", default=0.95, show_default=True, help="Two-sided confidence level.")
@click.option("--power", default=0.9, show_default=True)
@click.option("--trials", default=2000, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=20260101, show_default=True, type=click.IntRange(0))
def design(trials: int, seed: int, **assumed: float) -> None:
    """Print how many patients the next trial needs, by formula, and its power by simulation."""
    from msct_helpers.design.size import Protocol
    from msct_helpers.design.table import plan_trial, show_table

    try:
        protocol = Protocol(**assumed)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    table = plan_trial(protocol, trials=trials, seed=seed)
    click.echo(show_table(protocol, table, trials))


if __name__ == "__main__":
    main()
