"""Figures of the papers, computed again: one module per figure, found here by its id such as ``dai-fu:4``."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

from ehbilayer import InputError

if TYPE_CHECKING:
    from ehbilayer.papers.record import Reproduction

DAI_FU = ("1", "2", "3", "4", "s1", "s2", "s3", "s4", "s5", "s6", "numbers")
NASHABEH_FU = ("1", "2", "2-sizes", "3", "4a", "4b", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "v1-6", "numbers")


def _module(paper: str, name: str) -> str:
    return f"{paper}.{name}" if name == "numbers" else f"{paper}.figure_{name.replace('-', '_')}"


# id -> module of this package, imported when it is needed
MODULES = {f"dai-fu:{name}": _module("dai_fu", name) for name in DAI_FU} | {
    f"nashabeh-fu:{name}": _module("nashabeh_fu", name) for name in NASHABEH_FU}
# our own results, which stand in no paper; not among ``all``. Those by Monte Carlo take hours
OWN = {f"nashabeh-fu:{name}": _module("nashabeh_fu", name) for name in ("2-converged", "2-converged-64")} | {
    f"correlation:{name}": f"correlation.{name.replace('-', '_')}"
    for name in ("single-layer", "equal-masses", "mass-ratio", "tmd")} | {
    "experiments": "experiments.page", "response:pairing": "response.pairing",
    "response:superfluid": "response.superfluid", "response:stability": "response.stability",
    "supersolid:2-1": "supersolid.two_to_one", "supersolid:balanced": "supersolid.balanced"}
ALL = "all"


def reproduction(name: str) -> Reproduction:
    """The figure of this id. Raises InputError for one that is not known."""
    if name not in MODULES | OWN:
        near = get_close_matches(name.lower().replace("_", "-"), [*MODULES, *OWN, ALL], n=1, cutoff=0.55)
        raise InputError("figure", f"an id such as {next(iter(MODULES))}, or {ALL}", name[:60] or "missing",
                         f'did you mean "{near[0]}"?' if near else "see `ehb reproduce --list`")
    found: Reproduction = import_module(f"ehbilayer.papers.{(MODULES | OWN)[name]}").FIGURE
    return found


def chosen(name: str) -> list[Reproduction]:
    """The figure of this id, or every published one for ``all``. Raises InputError for one that is not known."""
    return [reproduction(n) for n in (MODULES if name == ALL else (name,))]
