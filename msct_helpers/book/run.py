"""Run a chapter's code in this process and keep what it shows, as a notebook would."""

import ast
import gc
import itertools
import json
import traceback
from collections.abc import Sequence
from functools import cache
from typing import Any

import matplotlib.pyplot as plt
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbformat import v4
from traitlets.config import Config

from msct_helpers.book.records import RECORD_KEY

Outputs = list[dict[str, Any]]
"""What a cell shows, in the notebook format."""


def run_cells(cells: Sequence[str]) -> list[Outputs]:
    """Run cells of code one after the other in an empty namespace, and return what each shows.

    Raises
    ------
    RuntimeError
        If a cell fails: with its code and the traceback.
    """
    shell = open_shell()
    shell.reset(new_session=False)
    with plt.rc_context():
        outputs = [run_cell(shell, count, code) for count, code in enumerate(cells, 1)]
    plt.close("all")
    return outputs


@cache
def open_shell() -> InteractiveShell:
    """Return what runs the code of this process.

    Every reset of it collects garbage: what is imported by now is left out of the search, which
    would take a tenth of the time of a book.
    """
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    gc.collect()
    gc.freeze()
    return shell


def run_cell(shell: InteractiveShell, count: int, code: str) -> Outputs:
    """Return what a cell prints and displays, and the value with which it ends."""
    with capture_output() as captured:
        result = shell.run_cell(code)
    error = result.error_before_exec or result.error_in_exec
    if error is not None:
        raise RuntimeError(f"cell {count}:\n{code}\n\n{''.join(traceback.format_exception(error))}")
    outputs = [show(out.data, out.metadata) for out in captured.outputs]
    printed = {"stderr": captured.stderr}
    if result.result is None or code.rstrip().endswith(";"):
        printed["stdout"] = captured.stdout
    elif shell.display_formatter is not None:
        outputs.append(show(*shell.display_formatter.format(result.result)))
    streams = [v4.new_output("stream", name=name, text=text) for name, text in printed.items()]
    return [*(stream for stream in streams if stream["text"]), *outputs]


def show(data: dict[str, Any], metadata: dict[str, Any] | None) -> dict[str, Any]:
    """Return what is displayed as an output of the notebook format."""
    return dict(v4.new_output("display_data", data, metadata=metadata or {}))


def find_rows(outputs: list[Outputs]) -> list[dict[str, Any]]:
    """Return the results that a chapter left with its outputs."""
    for output in itertools.chain.from_iterable(outputs):
        if output.get("metadata", {}).get("scrapbook", {}).get("name") == RECORD_KEY:
            text = output["data"]["application/papermill.record/text/plain"]
            return list(json.loads(ast.literal_eval(text)))
    return []
