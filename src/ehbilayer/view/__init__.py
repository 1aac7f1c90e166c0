"""One page to click through, made of a result or a sweep: a single HTML file that needs no server and no network.

`payload` reads what a run has left and says it in plain typed data (`data`), `page` puts this with the library that
draws and a little script into one text. What a result file says can never become a script: see `page`.
"""

from __future__ import annotations

from pathlib import Path

from ehbilayer.errors import InputError

REPORT = "report.html"
ENDINGS = (".html", ".htm")


def write_report(place: str | Path, output: str | Path | None = None) -> Path:
    """Write the interactive report of a result file, or of the directory of a run or a sweep; returns where.

    Parameters
    ----------
    place : as `ehbilayer.load` takes it.
    output : the HTML file, replaced in one step if it is there; ``report.html`` next to the result by default.

    Raises
    ------
    InputError : no result is there, the output is no HTML file, or the extra ``view`` is not installed.
    ResultFileError : the result is damaged, or the file cannot be written.
    """
    home = Path(place) if Path(place).is_dir() else Path(place).parent
    target = home / REPORT if output is None else Path(output)
    if target.is_dir():
        raise InputError("--output", "a file that ends in .html", f"the directory {target}", "name a file in it")
    if target.suffix.lower() not in ENDINGS:
        raise InputError("--output", "a file that ends in .html", target.name, "add the ending")
    if not target.parent.is_dir():
        raise InputError("--output", "in an existing directory", str(target), "make the directory first")
    from ehbilayer.results.files import atomic_write
    from ehbilayer.view.page import html, library
    from ehbilayer.view.payload import report_of

    script = library()  # first: without it nothing need be read
    atomic_write(target, html(report_of(Path(place)), script).encode())
    return target
