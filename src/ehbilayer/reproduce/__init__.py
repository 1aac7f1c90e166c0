"""Figures of the papers, computed again: one module per figure, found here by its id such as ``dai-fu:4``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ehbilayer.errors import InputError
from ehbilayer.units import nearest

if TYPE_CHECKING:
    from ehbilayer.reproduce.record import Reproduction

# id -> module of this package, imported when it is needed
MODULES = {"dai-fu:1": "dai_fu_1", "dai-fu:2": "dai_fu_2", "dai-fu:3": "dai_fu_3",
           "dai-fu:4": "dai_fu_4", "dai-fu:s1": "dai_fu_s1", "dai-fu:s2": "dai_fu_s2", "dai-fu:s3": "dai_fu_s3",
           "dai-fu:s4": "dai_fu_s4", "dai-fu:s5": "dai_fu_s5", "dai-fu:s6": "dai_fu_s6",
           "dai-fu:numbers": "dai_fu_numbers", "nashabeh-fu:numbers": "nashabeh_fu_numbers",
           "nashabeh-fu:1": "nashabeh_fu_1", "nashabeh-fu:2": "nashabeh_fu_2",
           "nashabeh-fu:2-sizes": "nashabeh_fu_2_sizes", "nashabeh-fu:3": "nashabeh_fu_3",
           "nashabeh-fu:s4": "nashabeh_fu_s4", "nashabeh-fu:s5": "nashabeh_fu_s5", "nashabeh-fu:s6": "nashabeh_fu_s6",
           "nashabeh-fu:s7": "nashabeh_fu_s7", "nashabeh-fu:s8": "nashabeh_fu_s8",
           "nashabeh-fu:4a": "nashabeh_fu_4a", "nashabeh-fu:4b": "nashabeh_fu_4b", "nashabeh-fu:s1": "nashabeh_fu_s1",
           "nashabeh-fu:s2": "nashabeh_fu_s2", "nashabeh-fu:s3": "nashabeh_fu_s3",
           "nashabeh-fu:v1-6": "nashabeh_fu_v1_6"}
ALL = "all"


def reproduction(name: str) -> Reproduction:
    """The figure of this id. Raises InputError for one that is not known."""
    if name not in MODULES:
        raise InputError("figure", f"an id such as {next(iter(MODULES))}, or {ALL}", name[:60] or "missing",
                         nearest(name, (*MODULES, ALL), "see `ehb reproduce --list`"))
    found: Reproduction = import_module(f"ehbilayer.reproduce.{MODULES[name]}").FIGURE
    return found


def chosen(name: str) -> list[Reproduction]:
    """The figure of this id, or every one for ``all``. Raises InputError for one that is not known."""
    return [reproduction(n) for n in (MODULES if name == ALL else (name,))]
