"""The command `ehb view`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ehbilayer.view import write_report


def view(result: Annotated[Path, typer.Argument(help="A result file or the directory of a run or sweep.",
                                                show_default=False)],
         output: Annotated[Path | None, typer.Option("-o", "--output", show_default=False, help="HTML file [default: "
                                                     "report.html next to the result].")] = None) -> None:
    """Write one HTML page to click through; it needs no network."""
    print(f"written to {write_report(result, output)}")
    raise typer.Exit  # it has done more than print
