"""WSe2/MoSe2 at 3 nm: plasma, excitons and crystals of one flavour and two, and two electrons for every hole."""

from __future__ import annotations

from ehbilayer.papers.correlation.points import ONE, Point, figure

DEVICE = {"material": "WSe2/MoSe2", "spacing": "3 nm"}
BOTH = {"electron_spin": "restricted", "hole_spin": "restricted"}
TRION = {"electron_spin": "restricted"}
CRYSTAL = 0.5  # 10^12 cm^-2 up to which crystals compete
ERRORS = {0.8: 4e-4, 0.3: 3e-4, 2.5: 6e-4, 1.3: 5e-4}  # density of the holes in 10^12 cm^-2 -> target in Ha_h
UNEVEN = {0.3: 6e-4, 0.8: 8e-4}


def point(density: float, series: str, stem: str, candidates: tuple[str, ...], error: float, spins: dict[str, str],
          holes: int, ratio: int = 1) -> Point:
    """A competition at a density of the holes."""
    return Point(f"correlation-tmd-{stem}-{density:g}", f"{series}, {density:g}e12 cm^-2", series, density, DEVICE,
                 {"hole": f"{density:g}e12 cm^-2", "electrons_per_hole": ratio}, candidates, error, spins, holes)


def points() -> tuple[Point, ...]:
    """All of them."""
    found = []
    for density, error in ERRORS.items():
        crystal = ("crystal",) if density <= CRYSTAL else ()
        found += [point(density, "one flavour", "one", ("liquid", *crystal, "condensate"), error, ONE, 19),
                  point(density, "two flavours", "two", ("liquid", "condensate"), error, BOTH, 14)]
    found += [point(density, "two electrons a hole", "trions", ("liquid", "hole-crystal", "condensate"), error, TRION,
                    7, 2) for density, error in UNEVEN.items()]
    return tuple(found)


FIGURE = figure("tmd", "plasma, excitons and crystals in WSe2/MoSe2 at 3 nm", "WSe2/MoSe2, 3 nm",
                "One flavour: 19 electrons and 19 holes; two: 14 and 14; two electrons of both spins a hole: 14 and 7. "
                "Bare 1/r in a dielectric constant of 4.7. Not varied: nodes, twists, size.", points(),
                "holes (10¹² cm⁻²)")
