"""One verdict on superconductivity: T_c by all levels of theory, which of them is trusted, and what it says.

The published plasmon pole has one velocity that a source of alpha^2 adjusts; the response of both liquids and the
phonons of a hole crystal have none (`pairing.mediated`). What is trusted goes by the lowest phase: the phonons of the
crystal with exchange between the electrons where the heavier carriers are one, the theory of Kukkonen and Overhauser
with the local fields of STLS, the one in which electrons feel these themselves, where both are liquid; none elsewhere,
and none that has no stable mediator.
"""

from __future__ import annotations

from collections.abc import Mapping

from ehbilayer.device.result import Answer, Superconductivity
from ehbilayer.pairing.result import CouplingLevel, MediatedPairingResult

POLE = "plasmon pole"  # and the source of its alpha^2
CRYSTAL, LIQUID = "crystal-exchange", "kukkonen-overhauser"


def verdict(found: MediatedPairingResult, sources: Mapping[str, Answer], phase: str | None, on_crystal: bool,
            coldest: float, hartree: float) -> Superconductivity:
    """Of what the levels and the sources of alpha^2 say of a ``phase``.

    on_crystal : whether that is a liquid on a crystal of the heavier carriers.   coldest : the T_c (K) that counts.
    hartree : T_H^e in K.
    """
    levels = {level.theory: level for level in found.levels}
    known = {f"{POLE}, {name}": answer.critical_temperature for name, answer in sources.items()} | {
        name: level.critical_temperature if level.stable else None for name, level in levels.items()}
    ends = [t for t in known.values() if t is not None]
    ends += [t * hartree for level in levels.values() for t in (level.by_cutoff or {}).values()]
    low, high = (min(ends), max(ends)) if ends else (None, None)
    trusted = CRYSTAL if on_crystal else LIQUID if phase == "liquid" else None
    mine = levels.get(trusted or "")
    return Superconductivity(_words(mine, phase, coldest), None if mine is None else mine.theory,
                             None if mine is None or not mine.stable else mine.critical_temperature, low, high, known)


def _words(mine: CouplingLevel | None, phase: str | None, coldest: float) -> str:
    """yes, no, or why it is not known."""
    if mine is None:
        return f"unknown: no theory here is of the lowest phase, {phase}"
    if not mine.stable or mine.critical_temperature is None:
        return "unknown: what would mediate is not stable by the theory that is trusted"
    return "yes" if mine.critical_temperature > coldest else "no"
