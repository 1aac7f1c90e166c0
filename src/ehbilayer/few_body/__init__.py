"""Excitons, trions and biexcitons: the lowest states of two to four charges, and the spacing where they unbind.

In the order of a calculation: `complexes` (charges, spins, break-up), `exciton` (a radial equation), `gaussians` and
`basis` (matrix elements; functions chosen and varied), `variational` (the state), `densities`, `threshold`, `scan`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from ehbilayer.errors import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ehbilayer.few_body.result import ComplexResult, CriticalSpacingResult, SpacingScanResult
    from ehbilayer.model import Bilayer
    from ehbilayer.results.calling import Calling


def few_body(bilayer: Bilayer, complex: str = "trion-", spin: str | None = None, *, angular_momentum: int | None = None,
             spacings: Sequence[float | str] | None = None, tolerance: float = 1e-6, max_functions: int = 500,
             seed: int = 0, **how: Unpack[Calling]) -> ComplexResult | SpacingScanResult:
    """The lowest state of an exciton, trion or biexciton, alone in the layers.

        H = sum_i p_i^2/2m_i + sum_{i<j} q_i q_j / sqrt(r_ij^2 + (z_i - z_j)^2)

    by the stochastic variational method with correlated Gaussians; the exciton from its radial equation.

    Parameters
    ----------
    bilayer : says masses and spacing; its densities do not matter.
    complex : ``exciton``, ``trion-`` (two electrons), ``trion+`` (two holes) or ``biexciton``.
    spin : of the identical carriers: ``singlet`` (default) or ``triplet``.
    angular_momentum : 0, or 1 for a trion; by default 1 for triplet trions.
    spacings : in place of that of the bilayer: many, numbers in a_h or text such as ``"1 nm"``.
    tolerance : stop when the energy is known to this (Ha_h) and it is decided whether the complex is bound.
    max_functions : the largest basis.
    seed : of the random functions.
    how : see `results.calling.Calling`.

    Returns
    -------
    ComplexResult, with ``spacings`` SpacingScanResult. An unbound complex is an answer (``bound`` false), not an error.

    Raises
    ------
    InputError : an interaction of one's own, carriers with a dispersion of their own, other carriers than one
        kind of electrons and one of holes, a spin or angular momentum that the complex cannot have.

    Method: Varga and Suzuki, PRC 52, 2885 (1995).

        device = Bilayer.of("WSe2/MoSe2", spacing="1 nm", hole_density="1e11 cm^-2")
        trion = few_body(device, "trion-")
        trion.binding_energy.to("meV"), trion.bound, trion.distances.ee.to("nm")
    """
    from ehbilayer.few_body.complexes import complex_of
    from ehbilayer.few_body.scan import rising, scan
    from ehbilayer.few_body.variational import Options, solve
    from ehbilayer.model import Bilayer
    from ehbilayer.results.calling import call

    require("bilayer", bilayer, Bilayer)
    options = Options(tolerance, seed, max_functions)
    if spacings is None:
        one = complex_of(bilayer, complex, spin, angular_momentum)
        return call(lambda hooks: solve(one, options, hooks), bilayer.scales, how, seed=seed)
    many = [complex_of(bilayer, complex, spin, angular_momentum, d) for d in rising(spacings, bilayer.scales)]
    return call(lambda hooks: scan(many, options, hooks), bilayer.scales, how, seed=seed)


def critical_spacing(bilayer: Bilayer, complex: str = "trion-", spin: str | None = None, *,
                     mass_ratios: Sequence[float] | None = None, angular_momentum: int | None = None,
                     max_functions: int = 160, seed: int = 0, **how: Unpack[Calling]) -> CriticalSpacingResult:
    """The spacing of the layers above which a trion or biexciton is not bound.

        E_b(d) -> 0 at d_c,  near which E_b ~ exp(-const/(d_c - d)) in two dimensions

    Parameters
    ----------
    bilayer : says the masses; its spacing and densities do not matter.
    complex, spin, angular_momentum, seed : see `few_body`.
    max_functions : the largest basis of each spacing; more take far longer and make the uncertainty smaller.
    mass_ratios : in place of that of the bilayer: many m_e/m_h. The result knows no real units then.
    how : see `results.calling.Calling`.

    Returns
    -------
    CriticalSpacingResult; each binding energy near the threshold is known to a thousandth of itself or as well as the
    functions allow, and the uncertainty is the spread of the extrapolation.

    Raises
    ------
    InputError : as `few_body`; an interaction of one's own, an exciton, which is bound at every spacing.

        device = Bilayer.of("WSe2/MoSe2", hole_density="1e11 cm^-2")
        critical_spacing(device, "trion-").critical_spacing.to("nm")
    """
    from ehbilayer.few_body.complexes import complex_of
    from ehbilayer.few_body.scan import critical
    from ehbilayer.few_body.variational import Options
    from ehbilayer.interaction.base import require_known
    from ehbilayer.interaction.screened import Screened
    from ehbilayer.model import Bilayer
    from ehbilayer.results.calling import call
    from ehbilayer.units import Scales

    require("bilayer", bilayer, Bilayer)
    require_known(bilayer.interaction, "critical_spacing")
    screened = bilayer.interaction if isinstance(bilayer.interaction, Screened) else None
    here = complex_of(bilayer, complex, spin, angular_momentum, 0.0)
    ratios = [here.electron_mass] if mass_ratios is None else sorted(set(mass_ratios))
    scales = bilayer.scales if mass_ratios is None else Scales()
    options = Options(seed=seed, max_functions=max_functions)
    return call(lambda hooks: critical(complex, spin, ratios, options, hooks, angular_momentum, screened), scales, how,
                seed=seed)
