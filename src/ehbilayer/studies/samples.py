"""The examples that come with the package."""

from __future__ import annotations

from pathlib import Path

import ehbilayer
from ehbilayer.errors import InputError

LONGEST = 84  # characters, beside a name in a terminal of 120 columns
INSTALLED = Path(ehbilayer.__file__).parent
PLACES = (INSTALLED / "examples", INSTALLED.parents[1] / "examples")  # of a wheel, of a checkout


def samples() -> dict[str, Path]:
    """Study files by their names. Raises InputError where there are none."""
    for place in PLACES:
        found = {path.stem: path for path in sorted(place.glob("*.toml"), key=lambda p: p.stem)}
        if found:
            return found
    raise InputError("examples", "installed with the package", "not there", "install ehbilayer again")


def first_line(path: Path) -> str:
    """What an example says of itself at its top."""
    text = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("#").strip()
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rsplit(' ', 1)[0]} ..."
