"""The keys that a study of kind "device" uses; it has no table of its own."""

from __future__ import annotations

from ehbilayer.studies.file import Study
from ehbilayer.studies.pairing import keys as pairing
from ehbilayer.studies.phases import keys as phases

# of the pages of pairing, which is asked here at one point from every source of alpha^2
PAGES = {f"pairing.{key}" for key in ("alpha_source", "phase", "map_rs", "map_spacing", "map_points", "curve_points")}


def uses(study: Study) -> set[str]:
    """The dotted keys that count."""
    used = phases.uses(study) | pairing.KEYS - PAGES | {"compressibility.sizes", "compressibility.state"}
    table = pairing.of(study)
    if table.alpha is None and table.alpha_squared is None:
        used.discard("pairing.alpha_squared_uncertainty")
    return used
