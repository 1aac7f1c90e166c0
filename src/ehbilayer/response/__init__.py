"""Response of the liquids of a bilayer: plasmons, screening, correlation, stability.

`polarisation` is the free gas, `warm_polarisation` that at a temperature, `liquids` what interaction makes of it,
`local_fields` what goes beyond the random phase, `modes` the plasmons, `crystal` the phonons of a hole crystal, `grid`
the integrals, `solve` all of that for one bilayer; what comes back is a `result`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from ehbilayer.errors import require

if TYPE_CHECKING:
    from ehbilayer.model import Bilayer
    from ehbilayer.response.result import ResponseResult
    from ehbilayer.results.calling import Calling


def response(bilayer: Bilayer, *, approximation: str = "rpa", spin: str = "restricted", wave_numbers: int = 100,
             frequencies: int = 200, largest_wave_number: float | None = None,
             largest_frequency: float | str | None = None, broadening: float | str | None = None,
             sum_rule: bool = False, holes: str = "liquid", **how: Unpack[Calling]) -> ResponseResult:
    """Linear response of the uniform liquids of all layers in the infinite plane.

        chi = (chi_0^-1 - W)^-1,    W_ab(q) = z_a z_b v_ab(q) [1 - G_ab(q)]

        found = response(Bilayer.of("mass-ratio-10", spacing="1 a_e", rs_electron=1.0), approximation="stls")
        found.acoustic_velocity, found.contact, found.correlation_energy_per_hole

    Parameters
    ----------
    bilayer : carriers with k^2/2m and densities, any interaction, any temperature (energies are then free energies).
    approximation : of the local fields G: ``rpa`` (none), ``hubbard`` (exchange of like particles), ``stls`` (those of
        the pair correlation that follows from the response, self-consistent).
    spin : ``restricted`` (flavours equally filled), ``polarized``, or the ``lowest`` of Hartree-Fock.
    wave_numbers, frequencies : points of the loss function; 0 leaves it out.
    largest_wave_number, largest_frequency, broadening : of the loss function, in 1/a_h, and in Ha_h or energies as
        text; by default 1.5 k_F, above the plasmons, and the distance of two frequencies.
    sum_rule : also the stiffness from the energy, by five more calculations.
    holes : ``liquid``, or the ``crystal`` whose phonons answer (cold, rpa or hubbard, as many electrons, Coulomb): its
        modes, sound, stability and loss function along a reciprocal vector.
    how : see `results.calling.Calling`.

    Returns
    -------
    ResponseResult; not converged where no response agrees with its own pair correlation.

    Raises
    ------
    InputError : a carrier without density or with a dispersion of its own, an unknown choice.

    Sources: F. Stern, Phys. Rev. Lett. 18, 546 (1967); K. S. Singwi et al., Phys. Rev. 176, 589 (1968); S. Das Sarma
    and A. Madhukar, Phys. Rev. B 23, 805 (1981); P. F. Maldague, Surf. Sci. 73, 296 (1978).
    """
    from ehbilayer.model import Bilayer
    from ehbilayer.response.solve import Asked, solve
    from ehbilayer.results.calling import call

    require("bilayer", bilayer, Bilayer)
    top, width = (None if x is None else bilayer.scales.to_atomic(x, "energy", name)
                  for name, x in (("largest_frequency", largest_frequency), ("broadening", broadening)))
    asked = Asked(bilayer, approximation, spin, wave_numbers, frequencies, largest_wave_number, top, width, sum_rule,
                  holes)
    return call(lambda hooks: solve(asked, hooks), bilayer.scales, how)
