"""The keys that a study of kind "device" uses; it has no table of its own."""

from __future__ import annotations

from ehbilayer.studies.file import Study
from ehbilayer.studies.pairing import keys as pairing
from ehbilayer.studies.phases import keys as phases

# keys of [pairing] of no meaning here, where it is asked at one point for every source of alpha^2
PAGES = ("alpha_source", "phase", "map_rs", "map_spacing", "map_points", "curve_points")


def uses(study: Study) -> set[str]:
    """The dotted keys that count."""
    used = phases.uses(study) | pairing.KEYS - {f"pairing.{key}" for key in PAGES}
    table = pairing.of(study)
    if table.alpha is None and table.alpha_squared is None:
        used.discard("pairing.alpha_squared_uncertainty")
    return used | {"compressibility.sizes", "compressibility.state"}
