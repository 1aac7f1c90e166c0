"""From one point of a sweep to its neighbour: which states may go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ehbilayer.hartree_fock.coherence.guesses import OWN_STARTS
from ehbilayer.hartree_fock.guesses import LOCALISED
from ehbilayer.hartree_fock.order import MELTED_DEPLETION
from ehbilayer.torus import Torus


def may_go_on(start: str, phase: str | None, depletion: Mapping[str, float | None]) -> bool:
    """Whether a converged state that began as ``start`` still is what it began as.

    It must have ended as the phase ``start``, and without pairs the species which that phase leaves liquid must be well
    inside their Fermi seas (`order.sea_depletion` below MELTED_DEPLETION). Otherwise it would carry another phase on to
    where that is not the lowest any more. A liquid does not go on: its plane waves are stationary everywhere.

    Parameters
    ----------
    start : the phase that the calculation began as; another word, such as ``random``, never goes on.
    phase, depletion : how it ended, and the fraction of each species outside its Fermi sea (None: absent).
    """
    if start in OWN_STARTS:
        return phase == start
    placed = LOCALISED.get(start, ())
    if not placed or phase != start:
        return False
    return all(value is None or value < MELTED_DEPLETION for name, value in depletion.items() if name not in placed)


def same_particles(torus: Torus, inputs: Mapping[str, Any]) -> bool:
    """Whether the inputs of a result tell of the counts and flavours of this torus; materials may differ in these."""
    keys = ("name", "count", "flavours")
    return [[s[k] for k in keys] for s in inputs["species"]] == [[getattr(s, k) for k in keys] for s in torus.species]
