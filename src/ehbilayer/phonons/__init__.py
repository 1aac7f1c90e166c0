"""Phonons of classical crystals at any wave vector, averages over the zone, and melting by Lindemann's rule.

In the order of a calculation: `modes` (dynamical matrix, frequencies), `zone` (averages, softest mode), `melting`,
`report` (all of it at one crystal, and where a saddle leads); what comes back is a `result`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ehbilayer.crystal.problem import Structure
    from ehbilayer.crystal.structures import Crystal
    from ehbilayer.model import Bilayer
    from ehbilayer.phonons.result import PhononsResult
    from ehbilayer.results.base import Result
    from ehbilayer.results.calling import Calling


def phonons(crystal: Bilayer | Crystal | Result, structure: Structure | None = None, *,
            masses: Mapping[str, float] | None = None, layers: int = 1, relax: str = "cell", lindemann: float = 0.25,
            mesh: int | None = None, points: int = 40, tolerance: float = 1e-6, follow: bool = False,
            capacitor: bool = False, scan: tuple[float, float] | None = None, scan_points: int = 16,
            **how: Unpack[Calling]) -> PhononsResult:
    """Harmonic vibrations of a classical crystal: branches, stability, zero-point motion, melting.

        omega^2 e = M^{-1/2} D(q) M^{-1/2} e,    <u u^T> = 1/2 M^{-1/2} <(M^{-1/2} D M^{-1/2})^{-1/2}> M^{-1/2}

    Parameters
    ----------
    crystal : a bilayer, which says density, spacing and masses; or a `Crystal` or the result of `crystal`.
    structure : of a bilayer: a name (``honeycomb``, ``checkerboard``, ...), a `Crystal` or a result.
    masses : m/m_h by species, e.g. ``{"electron": 0.5, "hole": 1.0}``, of a crystal; those of the device of a result
        by default.
    layers : of a bilayer: 2 for a same-charge bilayer of holes.
    relax : how it is brought to rest first: ``cell``, ``positions`` or ``none``.
    lindemann : a group melts where its rms displacement over the distance of neighbours is above this.
    mesh : wave vectors along each reciprocal vector; 48 for three charges, fewer for more, by default.
    points : per segment of the path of the branches.
    tolerance : relative, of the averages over the zone.
    follow : leave an unstable crystal along its lowest mode and relax.
    capacitor : add the energy of charged layers.
    scan, scan_points : ends of a/d and how many values, for frequencies at q -> 0 and melting lines.
    how : see `results.calling.Calling`.

    Returns
    -------
    PhononsResult; an unstable crystal is an answer (``stable`` false), not an error.

    Raises
    ------
    InputError : an interaction of one's own, carriers with a dispersion of their own, a mass
        or structure that is missing, what `crystal` refuses.

    Sources: Bonsall and Maradudin, PRB 15, 1959 (1977); Goldoni and Peeters, PRB 53, 4591 (1996).

        device = Bilayer.of("WSe2/MoSe2", spacing="3 nm", hole_density="1e11 cm^-2", electrons_per_hole=2)
        found = phonons(device, "honeycomb")
        found.stable, found.lindemann["dipole"], found.melting["dipole"].spacing.to("nm")
    """
    from ehbilayer.crystal.problem import scan_values
    from ehbilayer.interaction.base import refuse_capacitor
    from ehbilayer.phonons.problem import problem_of
    from ehbilayer.phonons.report import Options, solve
    from ehbilayer.results.calling import call

    given = problem_of(crystal, structure, masses, layers)
    if given.start.interaction is not None:
        refuse_capacitor(given.start.interaction, capacitor)
    options = Options(lindemann, mesh, points, tolerance, follow, relax, given.quantum, capacitor)
    values = None if scan is None else scan_values(scan, scan_points, given.start.spacing)
    return call(lambda hooks: solve(given.start, given.name, given.masses, options, hooks, values), given.scales, how)
