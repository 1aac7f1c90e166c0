"""The command `ehb`: its subcommands, its exit codes, and one line for every error."""

from __future__ import annotations

import errno
import os
import sys
import threading
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ehbilayer import __version__, console
from ehbilayer.commands import computing, reading
from ehbilayer.commands.telling import EXIT_FAILED, EXIT_INPUT, EXIT_INTERRUPTED, EXIT_NOT_CONVERGED, fail
from ehbilayer.errors import InputError
from ehbilayer.view.command import view

UNUSABLE = (errno.ENAMETOOLONG, errno.ELOOP, errno.EACCES, errno.EPERM, errno.ENOTDIR)  # of paths
BROKEN_OFF = "interrupted; the last checkpoint, if any, is kept"
COMMANDS = (computing.run, computing.device, reading.show, reading.status, reading.plot, view, reading.compare,
            reading.export, reading.examples, reading.materials, reading.units, computing.reproduce,
            reading.schema)  # in the order of the help


class _Commands(TyperGroup):
    """Says that a command was broken off, which the parser would not."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Exit(fail(BROKEN_OFF, EXIT_INTERRUPTED)) from None


app = typer.Typer(cls=_Commands, pretty_exceptions_enable=False, rich_markup_mode=None,
                  help="Quantum phases of electron-hole bilayers, from a study file to a picture.")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"ehbilayer {__version__}")
        raise typer.Exit


@app.callback()
def _root(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True,
                                                help="Print the version.")] = False) -> None:
    pass


for command in COMMANDS:
    app.command()(command)


def _told(code: int | None) -> int:
    """The exit code of a command: its own, also if its text was lost, or that of one that has no more than its text."""
    error = console.lost(sys.stdout)
    if error is None:
        return code or 0
    if code is None:
        return fail(f"what was printed is lost: {error.strerror}", EXIT_FAILED)
    print(f"warning: what was printed is lost: {error.strerror}", file=sys.stderr, flush=True)
    return code


def execute(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code; every error is one line on stderr, never a traceback.

    EHB_DEBUG=1 in the environment lets unexpected errors through.
    """
    with console.shown():
        return _execute(arguments)


def _execute(arguments: list[str] | None) -> int:
    try:
        arguments = sys.argv[1:] if arguments is None else arguments
        code = app(arguments or ["--help"], standalone_mode=False)
        sys.stdout.flush()
        return _told(code)
    except InputError as error:
        return fail(str(error), EXIT_INPUT)
    except KeyboardInterrupt:
        return fail(BROKEN_OFF, EXIT_INTERRUPTED)
    except MemoryError:
        return fail("out of memory; use fewer plane waves or particles, or symmetry = \"crystal\"", EXIT_FAILED)
    except Exception as error:
        if hasattr(error, "format_message"):  # wrong options or arguments, as the parser words them
            return fail(f"{error.format_message()} (see ehb --help)", EXIT_INPUT)
        if os.environ.get("EHB_DEBUG"):
            raise
        if isinstance(error, OSError) and error.errno in UNUSABLE:
            return fail(str(InputError(str(error.filename)[:200], "a path that can be used", os.strerror(error.errno),
                                        "choose another")), EXIT_INPUT)
        return fail(f"unexpected {type(error).__name__}: {error}; please report it (EHB_DEBUG=1 shows where)",
                     EXIT_FAILED)


def main() -> None:
    """Entry point of `ehb`."""
    from ehbilayer.run import watchdog

    console.secure()
    watchdog.start(EXIT_INTERRUPTED, EXIT_NOT_CONVERGED)
    code = execute()
    sys.stdout.flush()
    sys.stderr.flush()
    if code == EXIT_INTERRUPTED and any(not t.daemon for t in threading.enumerate()[1:]):
        os._exit(code)  # worker threads of a calculation that was broken off must not hold up the exit
    raise SystemExit(code)


if __name__ == "__main__":
    main()
