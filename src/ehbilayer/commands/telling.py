"""What commands share: options that several of them take, exit codes, and how they say what they have to say."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ehbilayer.results.base import Result
    from ehbilayer.run.reporting import Reporter

EXIT_INPUT, EXIT_NOT_CONVERGED, EXIT_ELSEWHERE, EXIT_INTERRUPTED, EXIT_FAILED = 2, 3, 4, 130, 1

AsJson = Annotated[bool, typer.Option("--json", help="Print the summary, and nothing else, on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print warnings and errors only.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from an unfinished result there.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a result that is there.")]
Sets = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", show_default=False,
                                                help="Override a key, e.g. density.rs_hole=8.")]
Materials = Annotated[Path | None, typer.Option(help="A TOML file of devices of your own.", show_default=False)]
MaxTime = Annotated[str | None, typer.Option(help="Stop after e.g. 2h or 02:00:00, state kept.", show_default=False)]


def reporter(as_json: bool, quiet: bool) -> Reporter:
    from ehbilayer.run.reporting import LineReporter, LiveReporter, WarningReporter

    if quiet:
        return WarningReporter(sys.stderr)
    out = sys.stderr if as_json else sys.stdout
    return (LiveReporter if out.isatty() else LineReporter)(out, sys.stderr)


def print_result(result: Result, as_json: bool, quiet: bool) -> None:
    from ehbilayer.results.base import to_json
    from ehbilayer.studies.kinds import rows

    if as_json:
        print(json.dumps(json.loads(to_json(result.summary)), indent=2, ensure_ascii=False))
    elif not quiet:
        print_rows(rows(result))


def print_rows(rows: list[tuple[str, str]]) -> None:
    width = max(len(label) for label, _ in rows)
    for label, text in rows:
        print(" ".join(f"  {label:{width}s}  {text}".splitlines()))  # a text cannot begin a row of its own


def tell(text: str) -> None:
    """Say in a line beside the output what there is to say, if anything."""
    if text:
        print(" ".join(text.split()), file=sys.stderr, flush=True)


def fail(text: str, code: int) -> int:
    print("error: " + " ".join(text.split()), file=sys.stderr, flush=True)
    return code
